package lua

import "math"

// arithRaw computes a op b for op in opADD .. opSHR if both are numbers (the
// bitwise ones: with integer values). reason tells what else is wrong.
func arithRaw(op opcode, a, b Value) (v Value, ok bool, reason string) {
	switch op {
	case opBAND, opBOR, opBXOR, opSHL, opSHR:
		return bitwise(op, a, b)
	case opDIV, opPOW:
	default:
		if a.isInt() && b.isInt() {
			return intArith(op, a.rawInt(), b.rawInt())
		}
	}
	if !a.isNumber() || !b.isNumber() {
		return Nil, false, ""
	}
	x, _ := toFloat(a)
	y, _ := toFloat(b)
	return Float(floatArith(op, x, y)), true, ""
}

func intArith(op opcode, x, y int64) (v Value, ok bool, reason string) {
	switch op {
	case opADD:
		return Integer(x + y), true, ""
	case opSUB:
		return Integer(x - y), true, ""
	case opMUL:
		return Integer(x * y), true, ""
	case opIDIV:
		if y == 0 {
			return Nil, false, "attempt to divide by zero"
		}
		return Integer(floorDiv(x, y)), true, ""
	}
	if y == 0 {
		return Nil, false, "attempt to perform 'n%0'"
	}
	return Integer(floorMod(x, y)), true, ""
}

// floorDiv is x // y for y != 0. Go defines the overflowing case as x.
func floorDiv(x, y int64) int64 {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func floorMod(x, y int64) int64 {
	m := x % y
	if m != 0 && (m^y) < 0 {
		m += y
	}
	return m
}

func floatArith(op opcode, x, y float64) float64 {
	switch op {
	case opADD:
		return x + y
	case opSUB:
		return x - y
	case opMUL:
		return x * y
	case opDIV:
		return x / y
	case opPOW:
		if y == 2 {
			return x * x
		}
		return math.Pow(x, y)
	case opIDIV:
		return math.Floor(x / y)
	}
	return floatMod(x, y)
}

// floatMod is C Lua's luai_nummod: the result has the sign of y.
func floatMod(x, y float64) float64 {
	if math.IsInf(y, 0) && !math.IsInf(x, 0) && x == x {
		if x >= 0 == (y > 0) || x == 0 {
			return x
		}
		return y
	}
	m := math.Mod(x, y)
	if m*y < 0 {
		m += y
	}
	return m
}

// numberToInteger is toInteger without conversion of strings.
func numberToInteger(v Value) (int64, bool) {
	if v.isString() {
		return 0, false
	}
	return toInteger(v)
}

const noInteger = "number has no integer representation"

func bitwise(op opcode, a, b Value) (v Value, ok bool, reason string) {
	x, ok1 := numberToInteger(a)
	y, ok2 := numberToInteger(b)
	if !ok1 || !ok2 {
		if a.isNumber() && b.isNumber() {
			return Nil, false, noInteger
		}
		return Nil, false, ""
	}
	switch op {
	case opBAND:
		x &= y
	case opBOR:
		x |= y
	case opBXOR:
		x ^= y
	case opSHL:
		x = shiftLeft(x, y)
	case opSHR:
		x = shiftLeft(x, -y)
		if y == math.MinInt64 {
			x = 0
		}
	}
	return Integer(x), true, ""
}

// shiftLeft shifts logically; negative n shifts right.
func shiftLeft(x, n int64) int64 {
	switch {
	case n <= -64 || n >= 64:
		return 0
	case n >= 0:
		return int64(uint64(x) << n)
	}
	return int64(uint64(x) >> -n)
}

// unaryRaw computes op in opUNM, opBNOT for numbers.
func unaryRaw(op opcode, a Value) (v Value, ok bool, reason string) {
	switch {
	case op == opUNM && a.isInt():
		return Integer(-a.rawInt()), true, ""
	case op == opUNM && a.isFloat():
		return Float(-a.rawFloat()), true, ""
	case op == opBNOT:
		if i, ok := numberToInteger(a); ok {
			return Integer(^i), true, ""
		}
		if a.isNumber() {
			return Nil, false, noInteger
		}
	}
	return Nil, false, ""
}

func arithEvent(op opcode) event {
	switch {
	case op >= opADDK && op <= opIDIVK:
		return evAdd + event(op-opADDK)
	case op == opUNM:
		return evUnm
	case op == opBNOT:
		return evBNot
	}
	return evAdd + event(op-opADD)
}

func isBitwise(op opcode) bool { return op >= opBAND && op <= opSHR || op == opBNOT }

// arithStrings computes with operands at least one of which is a string, as
// the string library's metamethods do in C Lua.
func arithStrings(op opcode, a, b Value) (v Value, ok bool, reason string) {
	x, ok1 := toNumber(a)
	y, ok2 := toNumber(b)
	if !ok1 || !ok2 {
		return Nil, false, ""
	}
	if op == opUNM {
		return unaryRaw(op, x)
	}
	return arithRaw(op, x, y)
}

// arith executes an arithmetic instruction with operands a and b (equal for
// unary ones) and the result in register dst. ra and rb are the registers of
// the operands, -1 for constants.
func (s *State) arith(f *frame, op opcode, dst int, a, b Value, ra, rb int) action {
	var v Value
	var ok bool
	var reason string
	if op == opUNM || op == opBNOT {
		v, ok, reason = unaryRaw(op, a)
	} else {
		v, ok, reason = arithRaw(op, a, b)
	}
	if !ok && (reason == "" || reason == noInteger) {
		ev := arithEvent(op)
		h := s.metaEvent(a, ev)
		if h.IsNil() {
			h = s.metaEvent(b, ev)
		}
		if !h.IsNil() {
			return s.callMeta(f, h, a, b)
		}
		if !isBitwise(op) && (a.isString() || b.isString()) {
			if v, ok, reason = arithStrings(op, a, b); !ok && reason == "" {
				s.runtimeError("attempt to %s a '%s' with a '%s'", eventStrings[ev][2:], a.TypeName(), b.TypeName())
				return actRaise
			}
		}
	}
	if ok {
		s.th.stack[int(f.base)+dst] = v
		return actRun
	}
	if reason != "" && reason != noInteger {
		s.runtimeError("%s", reason)
		return actRaise
	}
	return s.arithError(f, op, a, b, ra, rb, reason)
}

func (s *State) arithError(f *frame, op opcode, a, b Value, ra, rb int, reason string) action {
	if reason == noInteger {
		reg := rb
		if _, ok := toInteger(a); !ok {
			reg = ra
		}
		s.runtimeError("number%s has no integer representation", f.operand(reg))
		return actRaise
	}
	what, culprit, reg := "perform arithmetic on", b, rb
	if isBitwise(op) {
		what = "perform bitwise operation on"
	}
	if !a.isNumber() {
		culprit, reg = a, ra
	}
	s.runtimeError("attempt to %s a %s value%s", what, s.typeName(culprit), f.operand(reg))
	return actRaise
}

// operand describes register reg for messages; -1 is a constant.
func (f *frame) operand(reg int) string {
	if reg < 0 {
		return ""
	}
	return f.variable(reg)
}
