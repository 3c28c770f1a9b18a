package lua

import (
	"fmt"
	"strconv"
	"strings"
)

// Disassemble returns the code of all functions of the chunk as text, for tests
// and for study.
func (c *Chunk) Disassemble() string {
	var b strings.Builder
	for _, p := range c.protos {
		p.disassemble(&b)
	}
	return b.String()
}

func (p *Proto) disassemble(b *strings.Builder) {
	name := p.name
	if name == "" {
		name = "main"
		if p.lineDefined > 0 {
			name = "function"
		}
	}
	vararg := ""
	if p.isVararg {
		vararg = "+"
	}
	fmt.Fprintf(b, "%d %s <%d,%d> params %d%s registers %d hints %d\n",
		p.index, name, p.lineDefined, p.lastLine, p.nparams, vararg, p.maxStack, p.nhints)
	for i, u := range p.upvals {
		from := "upvalue"
		if u.fromLocal {
			from = "register"
		}
		fmt.Fprintf(b, "  upvalue %d %s = %s %d\n", i, u.name, from, u.index)
	}
	for pc := range p.code {
		fmt.Fprintf(b, "  %3d [%d] %s\n", pc, p.lines[pc], p.instr(pc))
	}
}

// instr returns an instruction as text.
func (p *Proto) instr(pc int) string {
	i := p.code[pc]
	if i.op() >= opcodeCount {
		return fmt.Sprintf("%#x", uint64(i))
	}
	info := &opInfos[i.op()]
	parts := []string{fmt.Sprintf("%-9s", info.name)}
	add := func(role operand, x uint8) {
		switch role {
		case noOperand:
		case register:
			parts = append(parts, "r"+strconv.Itoa(int(x)))
		case upvalue:
			parts = append(parts, "u"+strconv.Itoa(int(x)))
		case shortConst:
			parts = append(parts, p.showConst(int(x)))
		default:
			parts = append(parts, strconv.Itoa(int(x)))
		}
	}
	add(info.a, i.a())
	add(info.b, i.b())
	add(info.c, i.c())
	switch info.d {
	case constIndex:
		parts = append(parts, p.showConst(i.d()))
	case keyAndHint:
		parts = append(parts, p.showConst(i.dk()), "#"+strconv.Itoa(i.hint()))
	case jumpOffset:
		parts = append(parts, "-> "+strconv.Itoa(pc+1+i.d()))
	case integerKey, firstIndex:
		parts = append(parts, strconv.Itoa(i.d()))
	case protoIndex:
		if i.d() >= 0 && i.d() < len(p.protos) {
			parts = append(parts, "function "+strconv.Itoa(p.protos[i.d()].index))
		}
	case tableSizes:
		parts = append(parts, strconv.Itoa(i.dk()), strconv.Itoa(i.hint()))
	}
	return strings.TrimRight(strings.Join(parts, " "), " ")
}

// showConst returns a constant as a literal.
func (p *Proto) showConst(i int) string {
	if i < 0 || i >= len(p.k) {
		return "K?" + strconv.Itoa(i)
	}
	switch v := p.k[i]; v.Kind() {
	case KindNil:
		return "nil"
	case KindFalse:
		return "false"
	case KindTrue:
		return "true"
	case KindString:
		return strconv.Quote(v.str())
	default:
		return formatNumber(v)
	}
}
