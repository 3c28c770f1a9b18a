package lua

func (f *function) unary(e *unExpr, dst int) {
	if e.op == unNot && isCondition(e.x) {
		f.boolean(e, dst)
		return
	}
	mark := f.free
	ops := [...]opcode{unMinus: opUNM, unBNot: opBNOT, unNot: opNOT, unLen: opLEN}
	r := f.operand(e.x, dst)
	f.abc(ops[e.op], dst, r, 0, e.line)
	f.free = mark
}

func (f *function) binary(e *binExpr, dst int) {
	switch {
	case e.op <= binShr:
		f.arith(e, dst)
	case e.op == binConcat:
		f.concat(e, dst)
	case e.op == binAnd, e.op == binOr:
		want := e.op == binOr
		list := f.valueOrJump(e.l, dst, want)
		f.expr(e.r, dst)
		f.patch(list)
	default:
		f.boolean(e, dst)
	}
}

func (f *function) arith(e *binExpr, dst int) {
	mark := f.free
	before := f.pc()
	l := f.operand(e.l, dst)
	if f.pc() > before && isVariable(e.l) {
		f.p.lines[f.pc()-1] = e.line // C Lua reads it after seeing the operator
	}
	if k, ok := constOf(e.r); ok && k.isNumber() && e.op <= binIDiv {
		f.abd(opADDK+opcode(e.op), dst, l, f.constant(k), e.line)
	} else {
		scratch := noScratch
		if l != dst {
			scratch = dst
		}
		r := f.operand(e.r, scratch)
		f.abc(opADD+opcode(e.op), dst, l, r, e.line)
	}
	f.free = mark
}

func isVariable(e expr) bool {
	switch e.(type) {
	case *nameExpr, *indexExpr:
		return true
	}
	return false
}

// concat compiles a chain of concatenations as one instruction.
func (f *function) concat(e *binExpr, dst int) {
	top := f.ownTop(dst)
	base := f.nextReg(e.l)
	for {
		r, ok := e.r.(*binExpr)
		if !ok || r.op != binConcat {
			break
		}
		e = r
		f.nextReg(e.l)
	}
	f.nextReg(e.r)
	f.abc(opCONCAT, dst, base, f.free-base, e.line)
	f.free = top
}

// isCondition reports whether e is compiled to jumps.
func isCondition(e expr) bool {
	switch e := e.(type) {
	case *parenExpr:
		return isCondition(e.x)
	case *binExpr:
		return e.op >= binEQ
	case *unExpr:
		return e.op == unNot
	}
	return false
}

// isBoolean reports whether e has no value but true and false.
func isBoolean(e expr) bool {
	switch e := e.(type) {
	case *parenExpr:
		return isBoolean(e.x)
	case *binExpr:
		return e.op >= binEQ && e.op <= binGE
	case *unExpr:
		return e.op == unNot
	}
	return false
}

// boolean evaluates a condition to true or false.
func (f *function) boolean(e expr, dst int) {
	line := e.at().line
	isTrue := f.cond(e, true)
	f.load(booleanConstant(false), dst, line)
	end := f.jump(line)
	f.patch(isTrue)
	f.load(booleanConstant(true), dst, line)
	f.patch(end)
}

// valueOrJump evaluates e. If its truth is want, it jumps with the value in
// dst; else it falls through, with a temporary dst undefined.
func (f *function) valueOrJump(e expr, dst int, want bool) jumps {
	line := e.at().line
	if k, ok := constOf(e); ok {
		if k.truthy() != want {
			return nil
		}
		f.load(k, dst, line)
		return f.jump(line)
	}
	switch e := e.(type) {
	case *parenExpr:
		return f.valueOrJump(e.x, dst, want)
	case *binExpr:
		if e.op != binAnd && e.op != binOr {
			break
		}
		if (e.op == binOr) == want {
			list := f.valueOrJump(e.l, dst, want)
			return append(list, f.valueOrJump(e.r, dst, want)...)
		}
		skip := f.cond(e.l, !want)
		list := f.valueOrJump(e.r, dst, want)
		f.patch(skip)
		return list
	}
	if isBoolean(e) {
		skip := f.cond(e, !want)
		f.load(booleanConstant(want), dst, line)
		list := f.jump(line)
		f.patch(skip)
		return list
	}
	mark := f.free
	r := f.operand(e, dst)
	f.free = mark
	if r == dst {
		return jumps{f.emit(makeInstr(opTEST, uint8(r), 0, bit(want), 0), line)}
	}
	return jumps{f.emit(makeInstr(opTESTSET, uint8(dst), uint8(r), bit(want), 0), line)}
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// cond emits code that jumps if the truth of e is want, else falls through.
func (f *function) cond(e expr, want bool) jumps {
	line := e.at().line
	if k, ok := constOf(e); ok {
		if k.truthy() == want {
			return f.jump(line)
		}
		return nil
	}
	switch e := e.(type) {
	case *parenExpr:
		return f.cond(e.x, want)
	case *unExpr:
		if e.op == unNot {
			return f.cond(e.x, !want)
		}
	case *binExpr:
		switch {
		case e.op == binAnd || e.op == binOr:
			if (e.op == binOr) == want {
				list := f.cond(e.l, want)
				return append(list, f.cond(e.r, want)...)
			}
			skip := f.cond(e.l, !want)
			list := f.cond(e.r, want)
			f.patch(skip)
			return list
		case e.op >= binEQ:
			return f.compare(e, want)
		}
	}
	mark := f.free
	r := f.operand(e, noScratch)
	f.free = mark
	return jumps{f.emit(makeInstr(opTEST, uint8(r), 0, bit(want), 0), line)}
}

// compare emits a comparison that jumps if its result is want.
func (f *function) compare(e *binExpr, want bool) jumps {
	mark := f.free
	defer func() { f.free = mark }()
	if e.op == binEQ || e.op == binNE {
		return f.compareEqual(e, want == (e.op == binEQ))
	}
	if k, ok := f.shortConst(e.r); ok {
		l := f.operand(e.l, noScratch)
		return f.compareCode(opLTK+opcode(orderIndex[e.op]), l, k, want, e.end)
	}
	if k, ok := f.shortConst(e.l); ok {
		r := f.operand(e.r, noScratch)
		return f.compareCode(opLTK+opcode(orderIndex[mirrored[e.op]]), r, k, want, e.end)
	}
	l := f.operand(e.l, noScratch)
	r := f.operand(e.r, noScratch)
	switch e.op {
	case binGT:
		return f.compareCode(opLT, r, l, want, e.end)
	case binGE:
		return f.compareCode(opLE, r, l, want, e.end)
	case binLE:
		return f.compareCode(opLE, l, r, want, e.end)
	}
	return f.compareCode(opLT, l, r, want, e.end)
}

// orderIndex gives the distance of an operator's instruction from LTK.
var orderIndex = [...]int{binLT: 0, binLE: 1, binGT: 2, binGE: 3}

// mirrored gives the operator for exchanged operands.
var mirrored = [...]binOp{binLT: binGT, binLE: binGE, binGT: binLT, binGE: binLE}

// shortConst returns the index of a numeric constant that fits operand B.
func (f *function) shortConst(e expr) (int, bool) {
	k, ok := constOf(e)
	if !ok || !k.isNumber() {
		return 0, false
	}
	i := f.constant(k)
	return i, i <= maxShortConst
}

func (f *function) compareEqual(e *binExpr, want bool) jumps {
	l, r := e.l, e.r
	if _, ok := constOf(l); ok {
		l, r = r, l
	}
	if k, ok := constOf(r); ok {
		if i := f.constant(k); i <= maxShortConst {
			return f.compareCode(opEQK, f.operand(l, noScratch), i, want, e.end)
		}
	}
	a := f.operand(l, noScratch)
	return f.compareCode(opEQ, a, f.operand(r, noScratch), want, e.end)
}

func (f *function) compareCode(op opcode, a, b int, want bool, line int32) jumps {
	return jumps{f.emit(makeInstr(op, uint8(a), uint8(b), bit(want), 0), line)}
}
