package lua

// describeReg says for messages what value register reg holds before the
// instruction at pc: kind is "local", "global", "field", "upvalue", "constant"
// or "method", or "" if the code does not tell.
func (p *Proto) describeReg(pc, reg int) (kind, name string) {
	kind, name, set := p.describeBasic(pc, reg)
	if kind != "" || set < 0 {
		return kind, name
	}
	i := p.code[set]
	switch i.op() {
	case opGETTABUP:
		return fieldKind("upvalue", p.upvalName(int(i.b()))), p.k[i.dk()].str()
	case opGETFIELD:
		return p.fieldKindAt(set, i), p.k[i.dk()].str()
	case opGETTABLE:
		name := "?"
		if kind, key, _ := p.describeBasic(set, int(i.c())); kind == "constant" {
			name = key
		}
		return p.fieldKindAt(set, i), name
	case opGETINT:
		if d := i.d(); d < 0 || d > 255 { // as far as C Lua has an instruction for it
			return "field", "?"
		}
		return "field", "integer index"
	case opSELF:
		return "method", p.k[i.dk()].str()
	}
	return "", ""
}

// describeBasic describes what needs no look at a table: variables and
// constants. Otherwise set is the instruction that set the register, or -1.
func (p *Proto) describeBasic(pc, reg int) (kind, name string, set int) {
	for {
		if name, ok := p.localName(pc, reg); ok {
			return "local", name, -1
		}
		if pc = p.setter(pc, reg); pc < 0 {
			return "", "", -1
		}
		i := p.code[pc]
		switch i.op() {
		case opMOVE:
			if i.b() >= i.a() {
				return "", "", -1
			}
			reg = int(i.b())
			continue
		case opGETUPVAL:
			return "upvalue", p.upvalName(int(i.b())), -1
		case opLOADK:
			if k := p.k[i.d()]; k.isString() {
				return "constant", k.str(), -1
			}
			return "", "", -1
		}
		return "", "", pc
	}
}

// fieldKindAt is the kind of a field of the table in operand B of i.
func (p *Proto) fieldKindAt(pc int, i Instr) string {
	kind, name, _ := p.describeBasic(pc, int(i.b()))
	return fieldKind(kind, name)
}

func fieldKind(kind, name string) string {
	if name == envName && (kind == "local" || kind == "upvalue") {
		return "global"
	}
	return "field"
}

func (p *Proto) upvalName(i int) string { return p.upvals[i].name }

// localName returns the variable that lives in reg at pc.
func (p *Proto) localName(pc, reg int) (string, bool) {
	for i := range p.locals {
		l := &p.locals[i]
		if int(l.reg) == reg && l.start <= pc && pc < l.end {
			return l.name, true
		}
	}
	return "", false
}

// setter returns the position of the instruction that last set reg before pc,
// or -1 if there is none or it may have been skipped.
func (p *Proto) setter(pc, reg int) int {
	set, target := -1, 0
	for at := range pc {
		i := p.code[at]
		info := &opInfos[i.op()]
		if info.d == jumpOffset {
			if to := at + 1 + i.d(); to <= pc && to > target {
				target = to
			}
		}
		if first, last := i.sets(); first <= reg && reg <= last {
			set = at
			if at < target {
				set = -1
			}
		}
	}
	return set
}

// sets returns the range of registers that i changes; empty if last < first.
func (i Instr) sets() (first, last int) {
	a, b := int(i.a()), int(i.b())
	const all = maxRegisters
	switch op := i.op(); op {
	case opSETUPVAL, opSETTABUP, opSETTABLE, opSETINT, opSETFIELD, opSETLIST, opCLOSE, opTBC, opTEST,
		opRETURN, opRETURN1:
		return 0, -1
	case opLOADNIL:
		return a, a + b - 1
	case opSELF:
		return a, a + 1
	case opVARARG:
		if b == 0 {
			return a, all
		}
		return a, a + b - 2
	case opCALL, opTAILCALL:
		return a, all
	case opTFORCALL:
		return a + 4, all
	case opFORPREP, opFORLOOP, opTFORPREP, opTFORLOOP:
		return a, a + 3
	default:
		if opInfos[op].a != register || op >= opEQ && op <= opGEK {
			return 0, -1
		}
		return a, a
	}
}

// callName says how the instruction at pc names the function it calls: kind is
// one of describeReg's, "metamethod" or "for iterator", or "".
func (p *Proto) callName(pc int) (kind, name string) {
	i := p.code[pc]
	ev := evIndex
	switch op := i.op(); op {
	case opCALL, opTAILCALL:
		return p.describeReg(pc, int(i.a()))
	case opTFORCALL:
		return "for iterator", "for iterator"
	case opGETTABUP, opGETTABLE, opGETINT, opGETFIELD, opSELF:
	case opSETTABUP, opSETTABLE, opSETINT, opSETFIELD:
		ev = evNewindex
	case opUNM:
		ev = evUnm
	case opBNOT:
		ev = evBNot
	case opLEN:
		ev = evLen
	case opCONCAT:
		ev = evConcat
	case opEQ, opEQK:
		ev = evEq
	case opLT, opLTK, opGTK:
		ev = evLt
	case opLE, opLEK, opGEK:
		ev = evLe
	case opCLOSE, opRETURN:
		ev = evClose
	default:
		switch {
		case op >= opADD && op <= opSHR:
			ev = evAdd + event(op-opADD)
		case op >= opADDK && op <= opIDIVK:
			ev = evAdd + event(op-opADDK)
		default:
			return "", ""
		}
	}
	return "metamethod", eventStrings[ev][2:]
}
