package lua

// callResume is coroutine.resume and the functions coroutine.wrap makes.
func (s *State) callResume(fn *Function) action {
	th, r := s.th, &s.rq
	var co *Thread
	first := r.a + 1
	wrapped := fn.builtin == builtinWrapped
	if wrapped {
		co = fn.upvals[0].thread()
	} else {
		if r.n == 0 || th.stack[r.a+1].Kind() != KindThread {
			return s.callGo(fn) // raises the argument error
		}
		co = th.stack[r.a+1].thread()
		first++
	}
	n := r.a + 1 + r.n - first
	msg := ""
	switch {
	case co.lost:
		s.err = s.refusal(RefusalRestore, "attempt to resume a coroutine that was not restored", true)
		return s.resumeRaises(wrapped)
	case co.status == threadDead:
		msg = "cannot resume dead coroutine"
	case co.status != threadSuspended:
		msg = "cannot resume non-suspended coroutine"
	case th.cdepth+th.nny+1 >= maxCDepth:
		msg = "C stack overflow"
	}
	if msg != "" {
		return s.resumeFailed(wrapped, msg)
	}
	at := co.wait.ret
	if need := at + 1 + n + goSlots; need > len(co.stack) && !s.growStack(co, need) {
		return actRaise
	}
	copy(co.stack[at+1:at+1+n], th.stack[first:first+n])
	s.enter(fn, th, co, wrapped)
	if co.nf == 0 {
		*r = request{a: 0, n: n, nres: -1, flags: fBase}
		return actCall
	}
	w := &co.wait
	*r = request{a: at + 1, n: n, ret: at, nres: w.nres, flags: w.flags}
	if w.flags == 0 {
		return s.copyResults()
	}
	return actDeliver
}

// enter switches from th, which waits in the call s.rq, to coroutine co.
func (s *State) enter(fn *Function, th, co *Thread, wrapped bool) {
	r := &s.rq
	th.wait = pending{r.a, r.nres, r.flags & fDeliver, fn}
	th.status = threadNormal
	co.parent, co.status, co.wrap = th, threadRunning, wrapped
	co.cdepth = th.cdepth + th.nny + 1
	s.th = co
}

func (s *State) resumeFailed(wrapped bool, msg string) action {
	th, r := s.th, &s.rq
	if wrapped {
		s.runtimeError("%s", msg)
		return actRaise
	}
	th.stack[r.a], th.stack[r.a+1] = Boolean(false), s.errorString(msg)
	r.ret, r.n = r.a, 2
	return actDeliver
}

// resumeRaises is resumeFailed with the value s.err.
func (s *State) resumeRaises(wrapped bool) action {
	if wrapped {
		return actRaise
	}
	th, r := s.th, &s.rq
	th.stack[r.a], th.stack[r.a+1] = Boolean(false), s.err
	s.err = Nil
	r.ret, r.n = r.a, 2
	return actDeliver
}

// callYield is coroutine.yield.
func (s *State) callYield(fn *Function) action {
	th, r := s.th, &s.rq
	pr := th.parent
	if pr == nil || th.nny > 0 {
		return s.callGo(fn) // raises the reason
	}
	th.wait = pending{r.a, r.nres, r.flags & fDeliver, fn}
	th.status, th.parent = threadSuspended, nil
	return s.giveResults(pr, th.stack[r.a+1:r.a+1+r.n], th.wrap)
}

// giveResults switches to pr and ends the resume it waits in.
func (s *State) giveResults(pr *Thread, vals []Value, wrapped bool) action {
	w, r := &pr.wait, &s.rq
	s.th = pr
	pr.status = threadRunning
	at, n := w.ret, len(vals)
	if need := at + n + 2; need > len(pr.stack) && !s.growStack(pr, need) {
		return actRaise
	}
	if wrapped {
		copy(pr.stack[at:], vals)
	} else {
		pr.stack[at] = Boolean(true)
		copy(pr.stack[at+1:], vals)
		n++
	}
	*r = request{a: at, n: n, ret: at, nres: w.nres, flags: w.flags}
	if w.flags == 0 {
		return s.copyResults()
	}
	return actDeliver
}

// finishThread ends a thread whose first function returned.
func (s *State) finishThread() action {
	th, r := s.th, &s.rq
	if th.parent == nil {
		return s.leave(exitDone)
	}
	vals := th.stack[r.a : r.a+r.n]
	pr, wrapped := th.parent, th.wrap
	th.die()
	return s.giveResults(pr, vals, wrapped)
}

// failThread ends a coroutine whose error resume reports. Its stack stays for
// tracebacks and for coroutine.close.
func (s *State) failThread() action {
	th, pr := s.th, s.th.parent
	th.status, th.err, th.failed = threadDead, s.err, true
	th.parent = nil
	th.wait.fn = nil
	if c := &s.call; c.active && !c.framed {
		th.wait.fn = c.fn
	}
	s.call.active = false
	return s.giveFailure(pr, th.err)
}

// giveFailure switches to pr and ends the resume or close it waits in with
// false and err.
func (s *State) giveFailure(pr *Thread, err Value) action {
	w := &pr.wait
	s.th, s.err = pr, Nil
	pr.status = threadRunning
	pr.stack[w.ret], pr.stack[w.ret+1] = Boolean(false), err
	s.rq = request{a: w.ret, n: 2, ret: w.ret, nres: w.nres, flags: w.flags}
	return actDeliver
}

// endThread goes on after a thread was unwound to its bottom.
func (s *State) endThread() action {
	th, pr, mode, failed := s.th, s.th.parent, s.th.kill, s.th.failed
	if pr == nil {
		return s.leave(exitError)
	}
	th.die()
	th.failed = false
	switch mode {
	case killClose:
		if failed {
			return s.giveFailure(pr, s.err)
		}
		s.err = Nil
		return s.giveResults(pr, nil, false)
	case killCancel:
		s.th = pr
		pr.status = threadRunning
		pr.startKill(killCancel)
		return actUnwind
	}
	s.th = pr
	pr.status = threadRunning
	if s.err.isString() {
		s.err = s.errorString(s.where(pr, 0) + s.err.str())
	}
	return actRaise
}

// callClose is coroutine.close.
func (s *State) callClose(fn *Function) action {
	th, r := s.th, &s.rq
	if r.n == 0 || th.stack[r.a+1].Kind() != KindThread {
		return s.callGo(fn) // raises the argument error
	}
	co := th.stack[r.a+1].thread()
	if co.status != threadSuspended && co.status != threadDead {
		return s.callGo(fn)
	}
	if th.cdepth+th.nny+1 >= maxCDepth {
		s.runtimeError("C stack overflow")
		return actRaise
	}
	if co.nf == 0 && !co.failed {
		co.die()
		th.stack[r.a] = Boolean(true)
		r.ret, r.n = r.a, 1
		return actDeliver
	}
	s.err = co.err
	co.err = Nil
	s.enter(fn, th, co, false)
	co.startKill(killClose)
	return actUnwind
}

func (th *Thread) statusName(s *State) string {
	switch th.status {
	case threadSuspended:
		return "suspended"
	case threadNormal:
		return "normal"
	case threadDead:
		return "dead"
	}
	if th == s.th {
		return "running"
	}
	return "normal" // its fiber waits in a host call
}
