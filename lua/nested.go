package lua

// This file is the only place where the run loop is entered from Go code that
// the run loop itself runs. Its users, each of which needs a callee's result in
// the middle of a computation that is not a Step:
//
//   - table.sort with a comparison function, string.gsub with a function or
//     __index, load with a reader function
//   - the table library on objects with metamethods (__index, __newindex,
//     __len, __lt, __eq)
//   - a host's JSON encoder for its conversion metamethod
//
// A host call that must wait inside raises "attempt to suspend across 'NAME'".

// CallNested calls fn on the Go stack. Only the functions listed in nested.go
// may use it; a host call that would suspend inside raises. The results are
// valid until the next call that runs Lua. ok = false: an error is set.
func (c *Call) CallNested(fn Value, args ...Value) (results []Value, ok bool) {
	s, th := c.state, c.th
	saved, name := *c, s.nestedName
	at := c.base + 1 + c.n + c.nret
	if need := at + 2 + len(args) + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return nil, false
	}
	frame, ok := s.pushGo(th, c.fn, fEntry, at, -1, 0)
	if !ok {
		return nil, false
	}
	if c.framed {
		frame.fn = nil // the step frame below names the function
	}
	depth := th.nf
	c.active = false
	s.nested++
	s.nestedPending += saved.pending
	s.nestedName = saved.fn.shortName()
	th.stack[at+1] = fn
	copy(th.stack[at+2:], args)
	s.rq = request{a: at + 1, n: len(args), nres: -1, flags: fCont}
	s.run(actCall)
	s.nested--
	s.nestedPending -= saved.pending
	s.nestedName = name
	*c = saved
	switch s.exit {
	case exitNested:
		results = th.stack[s.rq.a : s.rq.a+s.rq.n]
	case exitFailed:
		s.reraise, s.reraised = true, s.err
	}
	if s.exit != exitStopped && th.nf == depth {
		th.popFrame()
	}
	return results, s.exit == exitNested
}

// call1 is CallNested for one result.
func (c *Call) call1(fn Value, args ...Value) (v Value, ok bool) {
	res, ok := c.CallNested(fn, args...)
	if len(res) > 0 {
		v = res[0]
	}
	return v, ok
}

// Index, SetIndex, Len, Equal, Less and ToString honour metamethods (a Lua
// metamethod is called by CallNested). ok = false: an error is set.
func (c *Call) Index(t, k Value) (v Value, ok bool) {
	v, fn, ok := c.state.index(t, k)
	switch {
	case !ok:
		if !v.IsNil() || c.state.err.IsNil() {
			c.state.err = c.state.errorString("attempt to index a " + c.state.typeName(v) + " value")
		}
		return Nil, false
	case fn.p != nil:
		return c.call1(fn, v, k)
	}
	return v, true
}

// SetIndex stores t[k] = v.
func (c *Call) SetIndex(t, k, v Value) (ok bool) {
	target, fn, fault, ok := c.state.setIndex(t, k, v)
	switch {
	case fault:
		c.state.err = c.state.errorString("attempt to index a " + c.state.typeName(target) + " value")
		return false
	case ok && fn.p != nil:
		_, ok = c.CallNested(fn, target, k, v)
	}
	return ok
}

// Len is the # operator; the result must be an integer.
func (c *Call) Len(v Value) (n int64, ok bool) {
	s := c.state
	if v.isString() {
		return int64(len(v.str())), true
	}
	if h := s.metaEvent(v, evLen); !h.IsNil() {
		res, ok := c.call1(h, v)
		if !ok {
			return 0, false
		}
		if n, ok = toInteger(res); !ok {
			c.Errorf("object length is not an integer")
		}
		return n, ok
	}
	if t, ok := v.AsTable(); ok {
		return t.Len(), true
	}
	s.err = s.errorString("attempt to get length of a " + s.typeName(v) + " value")
	return 0, false
}

// Equal is the == operator.
func (c *Call) Equal(a, b Value) (eq, ok bool) {
	if rawEqual(a, b) {
		return true, true
	}
	h := c.state.equalMeta(a, b)
	if h.IsNil() {
		return false, true
	}
	v, ok := c.call1(h, a, b)
	return v.Truthy(), ok
}

// Less is the < operator.
func (c *Call) Less(a, b Value) (lt, ok bool) {
	if lt, ok := lessRaw(a, b); ok {
		return lt, true
	}
	s := c.state
	h := s.metaEvent(a, evLt)
	if h.IsNil() {
		h = s.metaEvent(b, evLt)
	}
	if h.IsNil() {
		s.err = s.errorString(s.compareMessage(a, b))
		return false, false
	}
	v, ok := c.call1(h, a, b)
	return v.Truthy(), ok
}

// ToString is tostring.
func (c *Call) ToString(v Value) (str string, ok bool) {
	h := c.state.metaEvent(v, evToString)
	if h.IsNil() {
		return c.state.ToStringRaw(v), true
	}
	res, ok := c.call1(h, v)
	if !ok {
		return "", false
	}
	if !res.isString() && !res.isNumber() {
		c.Errorf("'__tostring' must return a string")
		return "", false
	}
	return c.state.ToStringRaw(res), true
}
