package lua

import "fmt"

// verify checks everything the run loop relies on without looking: operand
// ranges, jump targets and the shape of open values. It does not check types.
func (p *Proto) verify() error {
	if p.maxStack < 2 || p.maxStack > maxRegisters || p.nparams > p.maxStack {
		return fmt.Errorf("function %d: %d registers, %d parameters", p.index, p.maxStack, p.nparams)
	}
	if len(p.code) == 0 || len(p.lines) != len(p.code) || p.nhints > maxHint+1 || len(p.upvals) > maxUpvalues {
		return fmt.Errorf("function %d: wrong shape", p.index)
	}
	if cap(p.code) <= len(p.code) {
		return fmt.Errorf("function %d: code is not padded", p.index)
	}
	for pc := range p.code {
		if err := p.verifyAt(pc); err != nil {
			return fmt.Errorf("function %d, instruction %d (%s): %w", p.index, pc, p.instr(pc), err)
		}
	}
	for _, l := range p.locals {
		if int(l.reg) >= p.maxStack || l.start < 0 || l.end > len(p.code) {
			return fmt.Errorf("function %d: variable %s out of range", p.index, l.name)
		}
	}
	return p.verifyUpvalues()
}

// verifyUpvalues checks what the nested functions capture.
func (p *Proto) verifyUpvalues() error {
	for _, sub := range p.protos {
		for _, u := range sub.upvals {
			if u.fromLocal && int(u.index) >= p.maxStack || !u.fromLocal && int(u.index) >= len(p.upvals) {
				return fmt.Errorf("function %d: upvalue %s out of range", sub.index, u.name)
			}
		}
	}
	return nil
}

func (p *Proto) verifyAt(pc int) error {
	i := p.code[pc]
	if i.op() >= opcodeCount {
		return fmt.Errorf("unknown instruction")
	}
	info := &opInfos[i.op()]
	for _, o := range [...]struct {
		role operand
		x    int
	}{{info.a, int(i.a())}, {info.b, int(i.b())}, {info.c, int(i.c())}} {
		if !p.fits(o.role, o.x) {
			return fmt.Errorf("operand %d out of range", o.x)
		}
	}
	if err := p.verifyD(pc, i, info.d); err != nil {
		return err
	}
	if err := p.verifySpan(i); err != nil {
		return err
	}
	last := pc == len(p.code)-1
	if last && !i.op().endsPath() {
		return fmt.Errorf("code has no end")
	}
	if i.opensTop() && (last || !p.code[pc+1].usesTop()) || i.usesTop() && (pc == 0 || !p.code[pc-1].opensTop()) {
		return fmt.Errorf("open values are not used at once")
	}
	if i.op() == opTFORCALL && (last || p.code[pc+1].op() != opTFORLOOP || p.code[pc+1].a() != i.a()) {
		return fmt.Errorf("TFORLOOP does not follow")
	}
	return nil
}

// fits checks an operand of 8 bits.
func (p *Proto) fits(role operand, x int) bool {
	switch role {
	case register:
		return x < p.maxStack
	case upvalue:
		return x < len(p.upvals)
	case shortConst:
		return x < len(p.k)
	case boolFlag:
		return x <= 1
	}
	return true
}

func (p *Proto) verifyD(pc int, i Instr, role operand) error {
	ok := true
	switch role {
	case constIndex:
		ok = i.d() >= 0 && i.d() < len(p.k)
	case keyAndHint:
		ok = i.dk() < len(p.k) && p.k[i.dk()].isString() && i.hint() < p.nhints
	case jumpOffset:
		to := pc + 1 + i.d()
		ok = to >= 0 && to < len(p.code) && i.op().isBackEdge() == (i.d() < 0)
		// A jump between the two would skip the call that fills the values.
		ok = ok && (to == 0 || !p.code[to-1].opensTop()) && p.code[to].op() != opTFORLOOP
	case protoIndex:
		ok = i.d() >= 0 && i.d() < len(p.protos)
	case firstIndex:
		ok = i.d() >= 0
	}
	if !ok {
		return fmt.Errorf("operand D out of range")
	}
	if op := i.op(); op >= opADDK && op <= opIDIVK && !p.k[i.d()].isNumber() {
		return fmt.Errorf("constant is no number")
	}
	if op := i.op(); op >= opLTK && op <= opGEK && !p.k[i.b()].isNumber() {
		return fmt.Errorf("constant is no number")
	}
	return nil
}

// verifySpan checks instructions on several registers.
func (p *Proto) verifySpan(i Instr) error {
	a, b, c := int(i.a()), int(i.b()), int(i.c())
	end := 0
	switch i.op() {
	case opLOADNIL:
		end = a + b
	case opSELF:
		end = a + 2
	case opCONCAT:
		end = b + c
		if c < 2 {
			return fmt.Errorf("fewer than two operands")
		}
	case opCALL:
		end = max(a+b, a+c-1)
	case opTAILCALL:
		end = a + b
	case opRETURN, opVARARG:
		end = a + b - 1
	case opSETLIST:
		end = b + c - 1
	case opFORPREP, opFORLOOP, opTFORPREP, opTFORLOOP:
		end = a + 4
	case opTFORCALL:
		end = a + max(7, 4+c)
	}
	if end > p.maxStack {
		return fmt.Errorf("registers out of range")
	}
	return nil
}
