package lua

import "math"

// rawEqual compares without metamethods.
func rawEqual(a, b Value) bool {
	if a.p == b.p {
		if a.n == b.n {
			return !a.isFloat() || a.rawFloat() == a.rawFloat()
		}
		return a.isFloat() && a.rawFloat() == b.rawFloat() // 0.0 and -0.0
	}
	if a.p == nil || b.p == nil {
		return false
	}
	switch {
	case a.p.kind == KindString && b.p.kind == KindString:
		return a.n == b.n && a.str() == b.str()
	case a.isInt() && b.isFloat():
		return intEqualsFloat(a.rawInt(), b.rawFloat())
	case a.isFloat() && b.isInt():
		return intEqualsFloat(b.rawInt(), a.rawFloat())
	}
	return false
}

func intEqualsFloat(i int64, f float64) bool {
	n, ok := floatToInteger(f)
	return ok && n == i
}

// lessRaw compares two numbers or two strings; ok = false for other operands.
func lessRaw(a, b Value) (less, ok bool) {
	switch {
	case a.isInt() && b.isInt():
		return a.rawInt() < b.rawInt(), true
	case a.isNumber() && b.isNumber():
		return numberLess(a, b), true
	case a.isString() && b.isString():
		return a.str() < b.str(), true
	}
	return false, false
}

func lessEqualRaw(a, b Value) (le, ok bool) {
	switch {
	case a.isInt() && b.isInt():
		return a.rawInt() <= b.rawInt(), true
	case a.isNumber() && b.isNumber():
		return numberLessEqual(a, b), true
	case a.isString() && b.isString():
		return a.str() <= b.str(), true
	}
	return false, false
}

// numberLess compares integers and floats by their exact values.
func numberLess(a, b Value) bool {
	switch {
	case a.isFloat() && b.isFloat():
		return a.rawFloat() < b.rawFloat()
	case a.isInt() && b.isInt():
		return a.rawInt() < b.rawInt()
	case a.isInt():
		i, f := a.rawInt(), b.rawFloat()
		if f >= 1<<63 {
			return true
		}
		return f > math.MinInt64 && i < ceilInt(f)
	}
	f, i := a.rawFloat(), b.rawInt()
	if f < math.MinInt64 {
		return true
	}
	return f < 1<<63 && floorInt(f) < i
}

func numberLessEqual(a, b Value) bool {
	switch {
	case a.isFloat() && b.isFloat():
		return a.rawFloat() <= b.rawFloat()
	case a.isInt() && b.isInt():
		return a.rawInt() <= b.rawInt()
	case a.isInt():
		i, f := a.rawInt(), b.rawFloat()
		if f >= 1<<63 {
			return true
		}
		return f >= math.MinInt64 && i <= floorInt(f)
	}
	f, i := a.rawFloat(), b.rawInt()
	if f < math.MinInt64 {
		return true
	}
	return f < 1<<63 && ceilInt(f) <= i
}

// floorInt and ceilInt convert a float within the integer range.
func floorInt(f float64) int64 { return int64(math.Floor(f)) }

func ceilInt(f float64) int64 {
	if f = math.Ceil(f); f >= 1<<63 {
		return math.MaxInt64
	}
	return int64(f)
}

// equal decides EQ; a metamethod it needs is called and finishes the
// instruction.
func (s *State) equalMeta(a, b Value) Value {
	if a.Kind() != b.Kind() || (a.Kind() != KindTable && a.Kind() != KindUserdata) || a.p == b.p {
		return Nil
	}
	if h := s.metaEvent(a, evEq); !h.IsNil() {
		return h
	}
	return s.metaEvent(b, evEq)
}

// compare executes LT, LE and their constant forms. swapped: the instruction
// tests b < a for its operands a, b.
func (s *State) compare(f *frame, i Instr, a, b Value, orEqual bool) action {
	var res, ok bool
	ev := evLt
	if orEqual {
		ev = evLe
		res, ok = lessEqualRaw(a, b)
	} else {
		res, ok = lessRaw(a, b)
	}
	if ok {
		f.branch(i, res)
		return actRun
	}
	h := s.metaEvent(a, ev)
	if h.IsNil() {
		h = s.metaEvent(b, ev)
	}
	if h.IsNil() {
		s.runtimeError("%s", s.compareMessage(a, b))
		return actRaise
	}
	return s.callMeta(f, h, a, b)
}

func (s *State) compareMessage(a, b Value) string {
	t1, t2 := s.typeName(a), s.typeName(b)
	if t1 == t2 {
		return "attempt to compare two " + t1 + " values"
	}
	return "attempt to compare " + t1 + " with " + t2
}
