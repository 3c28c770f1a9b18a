package lua

import (
	"slices"
	"strings"
	"testing"
)

// TestVerifyRejects damages compiled code in ways a snapshot could.
func TestVerifyRejects(t *testing.T) {
	t.Parallel()
	const src = `
		local a, b = ...
		local t = { a, b, x = 1, ... }
		for i = 1, 10 do t[i] = a + 1 end
		for k, v in pairs(t) do if k == "x" and v < 5 then print(k .. v .. a) end end
		local function f() return a, t end
		t:m(f, ...)
		return f(t.x)`
	find := func(p *Proto, op opcode) int {
		for pc, i := range p.code {
			if i.op() == op {
				return pc
			}
		}
		t.Fatalf("no instruction %s", opInfos[op].name)
		return 0
	}
	set := func(op opcode, shift uint, value uint64, bits uint) func(*Proto) {
		return func(p *Proto) {
			pc := find(p, op)
			mask := (uint64(1)<<bits - 1) << shift
			p.code[pc] = Instr(uint64(p.code[pc])&^mask | value<<shift&mask)
		}
	}
	const a, b, c, d, hint = 8, 16, 24, 32, 48
	cases := map[string]func(*Proto){
		"no code":           func(p *Proto) { p.code = nil },
		"no padding":        func(p *Proto) { p.code = slices.Clip(p.code) },
		"no lines":          func(p *Proto) { p.lines = nil },
		"many registers":    func(p *Proto) { p.maxStack = maxRegisters + 1 },
		"few registers":     func(p *Proto) { p.maxStack = 3 },
		"many parameters":   func(p *Proto) { p.nparams = p.maxStack + 1 },
		"no end":            func(p *Proto) { p.code[len(p.code)-1] = makeInstr(opMOVE, 0, 0, 0, 0) },
		"unknown":           func(p *Proto) { p.code[0] = Instr(opcodeCount) },
		"register A":        set(opADDK, a, 249, 8),
		"register B":        set(opADDK, b, 249, 8),
		"constant":          set(opADDK, d, 1000, 32),
		"negative constant": set(opADDK, d, 0xffffffff, 32),
		"key constant":      set(opSELF, d, 1000, 16),
		"hint":              set(opSELF, hint, 1000, 16),
		"short constant":    set(opEQK, b, 250, 8),
		"flag":              set(opEQK, c, 2, 8),
		"upvalue":           set(opGETTABUP, b, 9, 8),
		"function":          set(opCLOSURE, d, 5, 32),
		"jump forward":      set(opEQK, d, 1000, 32),
		"jump backward":     set(opEQK, d, 0xfffffff0, 32),
		"loop forward":      set(opFORLOOP, d, 1, 32),
		"loop too far":      set(opFORLOOP, d, 0xffff0000, 32),
		"loop registers":    set(opFORLOOP, a, 248, 8),
		"call arguments":    set(opCALL, b, 200, 8),
		"call results":      set(opCALL, c, 200, 8),
		"call opens":        set(opCALL, c, 0, 8),
		"open arguments":    set(opTAILCALL, b, 0, 8),
		"concat":            set(opCONCAT, c, 1, 8),
		"concat registers":  set(opCONCAT, c, 200, 8),
		"set list":          set(opSETLIST, c, 9, 8),
		"for call results":  set(opTFORCALL, c, 200, 8),
		"for call alone":    func(p *Proto) { p.code[find(p, opTFORLOOP)] = makeInstr(opMOVE, 0, 0, 0, 0) },
		"captured register": func(p *Proto) { p.protos[0].upvals[0].index = 249 },
		"captured upvalue":  func(p *Proto) { p.protos[0].upvals[0] = upvalDesc{index: 9} },
		"variable range":    func(p *Proto) { p.locals[0].end = len(p.code) + 1 },
		"variable register": func(p *Proto) { p.locals[0].reg = 249 },
		"key is a number":   func(p *Proto) { p.k[p.code[find(p, opSELF)].dk()] = Integer(1) },
		"number is a key":   func(p *Proto) { p.k[p.code[find(p, opADDK)].d()] = internConstant("x") },
	}
	for name, damage := range cases {
		p := mustCompile(t, src).main
		damage(p)
		if err := p.verify(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	hash := func(src string) uint64 { return mustCompile(t, src).main.hash }
	same := hash("local a = 1 return a + 2")
	if hash("local  other=1\n\nreturn other+2") != same {
		t.Error("names and lines change the hash")
	}
	for _, src := range []string{
		"local a = 1 return a + 3", "local a = 1 return a - 2", "local a = 1.0 return a + 2", "local a = 1 return a + 2, a",
		"local a = '1' return a + 2",
	} {
		if hash(src) == same {
			t.Errorf("%q has the same hash", src)
		}
	}
	if hash("return function() return 1 end") == hash("return function() return 2 end") {
		t.Error("nested functions do not count")
	}
}

// TestManyConstants makes operands overflow their fields.
func TestManyConstants(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("local t, n = {}, 0\n")
	const keys = maxKeyIndex + 500
	for i := range keys {
		b.WriteString("t.k" + decimal(i) + " = n\n")
	}
	b.WriteString("local s = t.k" + decimal(keys-1) + "\nfunction t:last1() return self end\n")
	b.WriteString("if s == 'unseen' or n < 123456 then t:last2() t.k0, last3 = last4, 1 end return t.last5")
	p := mustCompile(t, b.String()).main
	if p.nhints != maxHint+1 {
		t.Errorf("%d hints", p.nhints)
	}
	if len(p.k) <= maxKeyIndex {
		t.Errorf("%d constants", len(p.k))
	}
}
