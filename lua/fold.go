package lua

// foldUnary computes a constant operation, or returns nil to leave it to run
// time.
func foldUnary(op unOp, x expr) *constant {
	k, ok := constOf(x)
	switch {
	case !ok:
		return nil
	case op == unNot:
		return new(booleanConstant(!k.truthy()))
	case !k.isNumber() || op == unLen:
		return nil
	case op == unMinus:
		return folded(unaryRaw(opUNM, k.number()))
	}
	return folded(unaryRaw(opBNOT, k.number()))
}

// foldBinary computes constant arithmetic, and "and" and "or" that give their
// right operand. As in C Lua, nothing is folded that could raise an error,
// divides by zero, or gives NaN or a float zero.
func foldBinary(op binOp, l, r expr) *constant {
	a, aok := constOf(l)
	b, bok := constOf(r)
	if !aok || !bok {
		return nil
	}
	if op == binAnd && a.truthy() || op == binOr && !a.truthy() {
		return &b
	}
	if op > binShr || !a.isNumber() || !b.isNumber() {
		return nil
	}
	if op == binDiv || op == binIDiv || op == binMod {
		if f, _ := toFloat(b.number()); f == 0 {
			return nil
		}
	}
	return folded(arithRaw(opADD+opcode(op), a.number(), b.number()))
}

func folded(v Value, ok bool, _ string) *constant {
	if f, isFloat := v.AsFloat(); !ok || isFloat && (f != f || f == 0) {
		return nil
	}
	return new(numberConstant(v))
}
