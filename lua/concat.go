package lua

// concat executes CONCAT i on the first f.extra operands, from the right. The
// operand registers are temporaries; results of metamethods are put there.
func (s *State) concat(f *frame, i Instr) action {
	th := s.th
	n := int(f.extra)
	ops := th.stack[int(f.base)+int(i.b()):][:n]
	for n > 1 {
		a, b := ops[n-2], ops[n-1]
		if !concatable(a) || !concatable(b) {
			h := s.metaEvent(a, evConcat)
			if h.IsNil() {
				h = s.metaEvent(b, evConcat)
			}
			if h.IsNil() {
				return s.concatError(f, i, n)
			}
			f.extra = int32(n)
			return s.callMeta(f, h, a, b)
		}
		first := n - 2
		for first > 0 && concatable(ops[first-1]) {
			first--
		}
		v, ok := s.join(ops[first:n])
		if !ok {
			return actRaise
		}
		ops[first] = v
		n = first + 1
	}
	th.stack[int(f.base)+int(i.a())] = ops[0]
	return actRun
}

func concatable(v Value) bool { return v.isString() || v.isNumber() }

func (s *State) concatError(f *frame, i Instr, n int) action {
	ops := s.th.stack[int(f.base)+int(i.b()):]
	at := n - 1
	if !concatable(ops[n-2]) {
		at = n - 2
	}
	s.runtimeError("attempt to concatenate a %s value%s", s.typeName(ops[at]), f.variable(int(i.b())+at))
	return actRaise
}

// join concatenates strings and numbers.
func (s *State) join(ops []Value) (Value, bool) {
	if len(ops) == 2 && ops[0].isString() && ops[1].isString() {
		x, y := ops[0].str(), ops[1].str()
		if x == "" {
			return ops[1], true
		}
		if y == "" {
			return ops[0], true
		}
		if !s.charge(chargeString + int64(len(x)+len(y))) {
			return Nil, false
		}
		if len(x)+len(y) > shortString {
			return makeString(x + y), true
		}
		var short [shortString]byte
		return copyString(bytesString(append(append(short[:0], x...), y...), true)), true
	}
	size := 0
	for _, v := range ops {
		if v.isString() {
			size += len(v.str())
		} else {
			size += 24
		}
	}
	if !s.charge(chargeString + int64(size)) {
		return Nil, false
	}
	if size > 256 {
		b := appendValues(make([]byte, 0, size), ops)
		s.mem -= int64(size - len(b))
		return makeString(bytesString(b, true)), true
	}
	var buf [256]byte // stays on the Go stack
	b := appendValues(buf[:0], ops)
	s.mem -= int64(size - len(b))
	return copyString(bytesString(b, true)), true
}

// appendValues appends strings and numbers to b.
func appendValues(b []byte, ops []Value) []byte {
	for _, v := range ops {
		if v.isString() {
			b = append(b, v.str()...)
		} else {
			b = appendNumber(b, v)
		}
	}
	return b
}
