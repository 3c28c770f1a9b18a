package lua

// action says what the machine does next. Everything but the fast paths of the
// run loop is a function that returns one; none of them calls the run loop.
type action uint8

const (
	actRun     action = iota // go on with the top frame of s.th
	actCall                  // call the function s.rq describes
	actDeliver               // hand over the results s.rq describes
	actRaise                 // raise s.err
	actUnwind                // go on unwinding with s.err
	actExit                  // leave this run loop; s.exit says why
)

// exit says why a run loop was left.
type exit uint8

const (
	exitDone      exit = iota // the fiber's function returned: results at s.rq
	exitError                 // the fiber ended with s.err
	exitSuspended             // the fiber waits in a host call
	exitNested                // a nested run's function returned: results at s.rq
	exitFailed                // a nested run's function failed with s.err
	exitStopped               // s.stop ends the run
	exitSwitch                // the other loop goes on with the frame on top, see debug.go
)

// request are the operands of actCall and actDeliver on thread s.th.
type request struct {
	a     int // slot of the function, or of the first result
	n     int // arguments or results
	ret   int // deliver: slot the results go to
	nres  int
	flags frameFlags
}

// drive acts until the loop can go on (true) or must be left (false).
func (s *State) drive(act action) bool {
	for {
		switch act {
		case actRun:
			return true
		case actCall:
			act = s.doCall()
		case actDeliver:
			act = s.doDeliver()
		case actRaise:
			act = s.doRaise()
		case actUnwind:
			act = s.doUnwind()
		default:
			return false
		}
	}
}

// leave ends the current run loop.
func (s *State) leave(why exit) action {
	s.exit = why
	return actExit
}

func (s *State) doCall() action {
	th, r := s.th, &s.rq
	f := th.stack[r.a]
	switch f.Kind() {
	case KindClosure:
		return s.pushLua(f.closure(), r.a, r.n, r.nres, r.flags)
	case KindFunction:
		fn := f.function()
		if fn.builtin != builtinNone {
			return s.callBuiltin(fn)
		}
		return s.callGo(fn)
	}
	return s.callValue()
}

// callValue calls through __call.
func (s *State) callValue() action {
	r := &s.rq
	if !s.resolveCall(r.a, &r.n) {
		return actRaise
	}
	return actCall
}

// resolveCall puts the __call metamethod of the value in slot a, or that of the
// metamethod and so on, below its arguments. false: an error is set.
func (s *State) resolveCall(a int, n *int) bool {
	th := s.th
	for range maxCDepth {
		f := th.stack[a]
		if f.IsFunction() {
			return true
		}
		h := s.metaEvent(f, evCall)
		if h.IsNil() {
			s.callError(f)
			return false
		}
		if need := a + *n + 2; need > len(th.stack) && !s.growStack(th, need) {
			return false
		}
		copy(th.stack[a+1:a+*n+2], th.stack[a:a+*n+1])
		th.stack[a] = h
		*n++
	}
	return s.runtimeError("C stack overflow")
}

// pushLua enters a Lua function.
func (s *State) pushLua(cl *Closure, a, n, nres int, flags frameFlags) action {
	th, p := s.th, cl.proto
	base, nvar := a+1, 0
	if p.isVararg {
		nvar = max(0, n-p.nparams)
		base = a + 1 + n
	}
	if need := base + p.maxStack + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	if th.nf == len(th.frames) && !s.growFrames(th) {
		return actRaise
	}
	if p.isVararg {
		// The fixed parameters move above the arguments; the extra ones stay below.
		fixed := min(n, p.nparams)
		copy(th.stack[base:base+fixed], th.stack[a+1:])
		if fixed < p.nparams {
			clear(th.stack[base+fixed : base+p.nparams])
		}
	} else if n < p.nparams {
		clear(th.stack[base+n : base+p.nparams])
	}
	f := &th.frames[th.nf]
	th.nf++
	if f.cl != cl {
		f.cl = cl
	}
	f.ip = codeStart(p)
	f.base, f.ret, f.nres, f.nvar, f.flags = int32(base), int32(a), int32(nres), int32(nvar), flags
	s.budget -= int64(min(len(p.code), maxCallFuel))
	if s.budget <= 0 {
		return s.edgeLua()
	}
	return actRun
}

// callGo runs a Go function.
func (s *State) callGo(fn *Function) action {
	th, r, c := s.th, &s.rq, &s.call
	if need := r.a + 1 + r.n + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	if s.budget -= goCallFuel; s.budget <= 0 {
		if act := s.edge(); act != actRun {
			return act
		}
	}
	if c.th != th {
		c.th = th
	}
	c.fn = fn
	c.base, c.n, c.nret, c.pending = r.a, r.n, 0, 0
	c.single, c.framed, c.active, c.refused = false, false, true, false
	ret, nres, flags := r.a, r.nres, r.flags
	status := fn.fn(c)
	if status == StatusDone && !c.refused && s.stop == StopNone {
		c.active, s.reraise = false, false
		if c.single && flags&fDeliver == 0 {
			if nres == 1 {
				return actRun
			}
		}
		return s.goResults(ret, nres, flags)
	}
	return s.goStatus(status, ret, nres, flags)
}

// goResults delivers what a Go function pushed.
func (s *State) goResults(ret, nres int, flags frameFlags) action {
	c, r := &s.call, &s.rq
	r.a, r.n = c.base+1+c.n, c.nret
	if c.single {
		r.a, r.n = c.base, 1
	}
	r.ret, r.nres, r.flags = ret, nres, flags
	if flags&fDeliver == 0 {
		return s.copyResults()
	}
	return actDeliver
}

// copyResults puts the results where an instruction expects them.
func (s *State) copyResults() action {
	th, r := s.th, &s.rq
	want := r.nres
	if want < 0 {
		want = r.n
		if need := r.ret + want; need > len(th.stack) && !s.growStack(th, need) {
			return actRaise
		}
		th.top = r.ret + want
	}
	n := min(r.n, want)
	s.budget -= int64(n / copiedPerFuel)
	if r.a != r.ret {
		copy(th.stack[r.ret:r.ret+n], th.stack[r.a:r.a+n])
	}
	if n < want {
		if need := r.ret + want; need > len(th.stack) && !s.growStack(th, need) {
			return actRaise
		}
		clear(th.stack[r.ret+n : r.ret+want])
	}
	return actRun
}

// goStatus acts on what a Go function returned when it did not simply succeed.
// For a step frame the destination is that of its frame.
func (s *State) goStatus(status Status, ret, nres int, flags frameFlags) action {
	c, th := &s.call, s.th
	if s.stop != StopNone {
		return s.leave(exitStopped)
	}
	if c.refused {
		c.refused = false
		s.err, c.refusal = c.refusal, Nil
		status = StatusError
	}
	switch status {
	case StatusDone:
		c.active = false
		if c.framed {
			th.popFrame()
		}
		return s.goResults(ret, nres, flags)
	case StatusCall:
		return s.startStep(ret, nres, flags)
	case StatusSuspend:
		return s.suspendCall(ret, nres, flags)
	}
	return actRaise
}

// startStep calls the callee of CallThen, the caller staying in a step frame.
func (s *State) startStep(ret, nres int, flags frameFlags) action {
	c, th := &s.call, s.th
	var f *frame
	if c.framed {
		f = &th.frames[th.nf-1]
	} else {
		kind, ok := fStep, false
		if _, yieldable := c.step.(yieldableStep); yieldable {
			kind |= fYieldable
		}
		if f, ok = s.pushGo(th, c.fn, kind, ret, nres, flags); !ok {
			return actRaise
		}
	}
	c.active = false
	f.step, f.extra = c.step, int32(c.want)
	c.step = nil
	s.rq = request{a: c.base + 1, n: c.ncall, nres: c.want, flags: fCont}
	c.ncall = 0
	return actCall
}

// yieldableStep marks the steps whose callee may yield, as C Lua's functions
// with a continuation.
type yieldableStep interface{ yieldable() }

// suspendCall leaves the fiber waiting in the running Go function.
func (s *State) suspendCall(ret, nres int, flags frameFlags) action {
	c, th := &s.call, s.th
	if s.nested > 0 || s.inGC {
		name := s.nestedName
		if s.inGC {
			name = "__gc"
		}
		s.err = s.refusal(RefusalSuspend, "attempt to suspend across '"+name+"'", true)
		return actRaise
	}
	if c.framed {
		f := &th.frames[th.nf-1]
		f.step = nil
		f.flags |= fWaiting
	} else if _, ok := s.pushGo(th, c.fn, fWaiting, ret, nres, flags); !ok {
		return actRaise
	}
	c.active = false
	s.fiber.token, c.token = c.token, nil
	return s.leave(exitSuspended)
}

// doDeliver hands results to whoever called for them.
func (s *State) doDeliver() action {
	th, r := s.th, &s.rq
	if r.flags&fDeliver == 0 {
		return s.copyResults()
	}
	if r.flags&fBase != 0 {
		return s.finishThread()
	}
	f := &th.frames[th.nf-1]
	switch {
	case f.isLua():
		return s.finishOp(f)
	case f.flags&fPcall != 0:
		return s.finishPcall(f, int(f.base))
	case f.flags&fXpcall != 0:
		return s.finishPcall(f, int(f.base)+1)
	case f.flags&fStep != 0:
		return s.resumeStep(f)
	case f.flags&fFinalize != 0:
		return s.nextFinalizer(f)
	case f.flags&fHandler != 0:
		s.err = Nil
		if r.n > 0 {
			s.err = th.stack[r.a]
		}
		th.popFrame()
		th.depth = 0
		return actUnwind
	}
	return s.leave(exitNested) // fEntry
}

// finishPcall puts true before the results.
func (s *State) finishPcall(f *frame, at int) action {
	th, r := s.th, &s.rq
	if need := at + 1 + r.n; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	if r.a != at+1 {
		copy(th.stack[at+1:at+1+r.n], th.stack[r.a:r.a+r.n])
	}
	th.stack[at] = Boolean(true)
	r.a, r.n = at, r.n+1
	return s.popInto(f)
}

// popInto delivers r.a, r.n to the destination of Go frame f and pops it.
func (s *State) popInto(f *frame) action {
	r := &s.rq
	r.ret, r.nres, r.flags = int(f.ret), int(f.nres), f.flags&fDeliver
	s.th.popFrame()
	if r.flags == 0 {
		return s.copyResults()
	}
	return actDeliver
}

// resumeStep continues a Go function after its CallThen.
func (s *State) resumeStep(f *frame) action {
	th, r, c := s.th, &s.rq, &s.call
	if s.budget -= goCallFuel; s.budget <= 0 {
		if act := s.edge(); act != actRun {
			return act
		}
		f = &th.frames[th.nf-1] // the walk may have moved it
	}
	base, n := int(f.base), r.n
	if want := int(f.extra); want >= 0 {
		n = want
	}
	if need := base + 1 + n + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	got := min(r.n, n)
	copy(th.stack[base+1:base+1+got], th.stack[r.a:r.a+got])
	clear(th.stack[base+1+got : base+1+n])
	c.th, c.fn = th, f.fn
	c.base, c.n, c.nret, c.pending = base, n, 0, 0
	c.single, c.framed, c.active, c.refused = false, true, true, false
	ret, nres, flags := int(f.ret), int(f.nres), f.flags&fDeliver
	return s.goStatus(f.step.Resume(c), ret, nres, flags)
}

// callBuiltin calls the functions that work on frames and threads.
func (s *State) callBuiltin(fn *Function) action {
	r := &s.rq
	switch fn.builtin {
	case builtinPcall:
		return s.callPcall(fn)
	case builtinXpcall:
		return s.callXpcall(fn)
	case builtinResume, builtinWrapped:
		return s.callResume(fn)
	case builtinYield:
		return s.callYield(fn)
	case builtinClose:
		return s.callClose(fn)
	case builtinFinalize:
		return s.pushFinalizers(r.a, r.nres, r.flags)
	case builtinNext:
		th := s.th
		if r.n > 0 && r.flags&fDeliver == 0 {
			if t, ok := th.stack[r.a+1].AsTable(); ok {
				k := Nil
				if r.n > 1 {
					k = th.stack[r.a+2]
				}
				if key, val, ok := t.next(k); ok && r.a+2 < len(th.stack) {
					th.stack[r.a], th.stack[r.a+1] = key, val
					r.ret, r.n = r.a, 2
					if key.IsNil() {
						r.n = 1
					}
					return s.copyResults()
				}
			}
		}
	}
	return s.callGo(fn)
}

func (s *State) callPcall(fn *Function) action {
	th, r := s.th, &s.rq
	if r.n == 0 {
		return s.callGo(fn) // raises "value expected"
	}
	if _, ok := s.pushGo(th, fn, fPcall, r.a, r.nres, r.flags); !ok {
		return actRaise
	}
	*r = request{a: r.a + 1, n: r.n - 1, nres: -1, flags: fCont}
	return actCall
}

func (s *State) callXpcall(fn *Function) action {
	th, r := s.th, &s.rq
	if r.n < 2 || !th.stack[r.a+2].IsFunction() {
		return s.callGo(fn) // raises the argument error
	}
	if _, ok := s.pushGo(th, fn, fXpcall, r.a, r.nres, r.flags); !ok {
		return actRaise
	}
	st := th.stack[r.a:]
	st[1], st[2] = st[2], st[1] // the handler stays below the function
	*r = request{a: r.a + 2, n: r.n - 2, nres: -1, flags: fCont}
	return actCall
}
