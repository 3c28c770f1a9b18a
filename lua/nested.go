package lua

// This file is the only place where the run loop is entered from Go code that
// the run loop itself runs. Nothing in this package does it: library functions
// that call Lua are Steps (see func.go, oplog.go). It is for a host whose own
// recursion needs a callee's result in the middle, such as a JSON encoder that
// calls a conversion metamethod. A host call that must wait inside raises
// "attempt to suspend across 'NAME'", and a debugger does not stop there.

// CallNested calls fn on the Go stack. It is for hosts only, see
// nested.go; a host call that would suspend inside raises. The results are
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
	s.runLoops(actCall)
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
