package lua

import (
	"fmt"
	"runtime/debug"
	"slices"
)

// Run starts a run with fn(args...) as its main fiber. It ends with that
// fiber; fibers still suspended then are dropped.
func (s *State) Run(fn Value, args []Value, o RunOptions) Outcome {
	if err := s.usable(); err != nil {
		return s.refuseRun(err)
	}
	s.ended, s.suspended = s.ended[:0], s.suspended[:0]
	s.limits = o
	s.fuel, s.granted, s.budget, s.sinceSlice = 0, 0, 0, 0
	s.stop, s.refusals, s.exiting = StopNone, 0, false
	s.peak = s.mem
	s.run32.Store(runActive)
	s.grant()
	f := s.newFiber(fn)
	s.main = f.id
	s.start(f, args)
	return s.outcome()
}

// usable says why no run can start.
func (s *State) usable() error {
	switch {
	case s.broken != nil:
		return s.broken
	case s.closed:
		return fmt.Errorf("the state is closed")
	case s.inRun():
		return fmt.Errorf("a run is in progress")
	}
	return nil
}

// refuseRun is the outcome of a run that did not start.
func (s *State) refuseRun(err error) Outcome {
	return Outcome{Ended: []Ended{{Err: &Error{Value: s.NewString(err.Error()), Message: err.Error()}}}}
}

// Spawn adds a fiber to the current run and runs it.
func (s *State) Spawn(fn Value, args []Value) (Fiber, Outcome) {
	if !s.between() {
		return 0, s.refuseRun(fmt.Errorf("no suspended run to add a fiber to"))
	}
	s.ended = s.ended[:0]
	f := s.newFiber(fn)
	s.start(f, args)
	return f.id, s.outcome()
}

// between reports whether a run is in progress whose fibers all wait.
func (s *State) between() bool {
	return s.broken == nil && s.inRun() && s.fiber == nil
}

// Resume gives a suspended fiber the results of its pending call.
func (s *State) Resume(f Fiber, results []Value) Outcome {
	if s.isStopped(f) {
		return s.refuseRun(fmt.Errorf("a debugger stopped fiber %d", f))
	}
	return s.resumeFiber(f, func(fb *fiber) action {
		if fb.paused {
			fb.paused = false
			return actRun
		}
		th, r := s.th, &s.rq
		w := &th.frames[th.nf-1]
		at := int(w.base)
		if need := at + len(results) + goSlots; need > len(th.stack) && !s.growStack(th, need) {
			th.popFrame()
			return actRaise
		}
		copy(th.stack[at:], results)
		r.a, r.n = at, len(results)
		return s.popInto(w)
	})
}

// ResumeError makes the pending call of f raise err.
func (s *State) ResumeError(f Fiber, err Value) Outcome {
	if s.isStopped(f) {
		return s.refuseRun(fmt.Errorf("a debugger stopped fiber %d", f))
	}
	return s.resumeFiber(f, func(fb *fiber) action {
		if fb.paused {
			fb.paused, s.err = false, err
			return actRaise
		}
		// The frame of the waiting function becomes one that just failed.
		th := s.th
		w := &th.frames[th.nf-1]
		c := &s.call
		c.th, c.fn, c.base, c.n, c.nret = th, w.fn, int(w.base), 0, 0
		c.active, c.framed, c.single, c.refused = true, false, false, false
		th.popFrame()
		s.err = err
		return actRaise
	})
}

// Cancel ends a suspended fiber as coroutine.close does: __close functions
// run, its pcalls do not catch it.
func (s *State) Cancel(f Fiber) Outcome {
	return s.resumeFiber(f, func(fb *fiber) action {
		s.err, fb.paused, fb.stopReason = Nil, false, stopReasonNone
		s.th.startKill(killCancel)
		return actUnwind
	})
}

func (s *State) resumeFiber(id Fiber, begin func(*fiber) action) Outcome {
	s.ended = s.ended[:0]
	f := s.findFiber(id)
	if f == nil || !f.waiting || !s.between() {
		return s.refuseRun(fmt.Errorf("fiber %d is not suspended", id))
	}
	if s.budget <= 0 && !s.poll() || s.run32.Load() == runInterrupted && s.setStop(StopInterrupt) {
		s.endRun()
		return s.outcome()
	}
	f.waiting, f.token = false, nil
	s.execute(f, func() action { return begin(f) })
	return s.outcome()
}

func (s *State) setStop(p Stop) bool {
	s.stop = p
	return true
}

// Stop ends a suspended run at once for the given reason; all its fibers are dead.
func (s *State) Stop(reason Stop) Outcome {
	s.ended = s.ended[:0]
	if s.between() {
		s.stop = reason
		s.endRun()
	}
	return s.outcome()
}

func (s *State) newFiber(fn Value) *fiber {
	s.lastFiber++
	root := s.rootPool
	s.rootPool = nil
	if root == nil {
		root = s.newThread(fn)
		s.chargeHost(chargeThread + 16*firstStack)
	} else {
		root.stack[0] = fn
		root.status, root.failed, root.ctx = threadSuspended, false, nil
	}
	f := &fiber{id: s.lastFiber, root: root, current: root}
	s.fibers = append(s.fibers, f)
	return f
}

func (s *State) findFiber(id Fiber) *fiber {
	for _, f := range s.fibers {
		if f.id == id {
			return f
		}
	}
	return nil
}

// start runs a new fiber.
func (s *State) start(f *fiber, args []Value) {
	s.execute(f, func() action {
		th := f.root
		if need := 1 + len(args) + goSlots; need > len(th.stack) && !s.growStack(th, need) {
			return actRaise
		}
		copy(th.stack[1:], args)
		s.rq = request{a: 0, n: len(args), nres: -1, flags: fBase}
		return actCall
	})
}

// execute runs a fiber until it waits or ends. It is the only place that
// recovers a Go panic: one inside the VM or a Go function is an internal error
// that breaks the state.
func (s *State) execute(f *fiber, begin func() action) {
	s.fiber, s.th = f, f.current
	s.th.status = threadRunning
	s.traceback, s.err, s.reraise = "", Nil, false
	defer func() {
		if p := recover(); p != nil {
			s.broken = fmt.Errorf("internal error: %v", p)
			s.endFiber(f, nil, &Error{Message: s.broken.Error(), Traceback: string(debug.Stack())})
			s.fiber, s.th, s.nested, s.nestedPending = nil, nil, 0, 0
			s.fibers = nil
			s.run32.Store(runNone)
		}
	}()
	s.hostValues = true
	act := begin()
	s.hostValues = false
	s.runLoops(act)
	s.call.active = false
	s.peak = max(s.peak, s.mem)
	s.settle(f)
	s.fiber, s.th = nil, nil
	if f.id == s.main && !f.waiting || s.stop != StopNone {
		s.endRun()
	}
}

// settle records how the running fiber left the loop.
func (s *State) settle(f *fiber) {
	switch s.exit {
	case exitSuspended:
		f.current, f.waiting = s.th, true
		return
	case exitDone:
		th := s.th
		s.results = append(s.results[:0], th.stack[s.rq.a:s.rq.a+s.rq.n]...)
		s.endFiber(f, s.results, nil)
		clear(th.stack)
		if len(th.stack) <= 1024 && len(th.frames) <= 64 {
			th.top, th.wait = 0, pending{}
			s.rootPool = th
		}
		return
	case exitError:
		if s.exiting {
			s.stop, s.exiting = StopExit, false
			f.current = s.th
			return
		}
		cancelled := f.root.kill == killCancel && !f.root.failed
		if cancelled {
			s.err = s.errorString("cancelled")
		}
		e := &Error{Value: s.err, Message: s.message(s.err), Traceback: s.traceback}
		f.root.die()
		s.endFiber(f, nil, e)
		s.err = Nil
		return
	}
	// Stopped: endRun reports every fiber.
	f.current = s.th
}

// message is tostring of an error value without running Lua.
func (s *State) message(v Value) string {
	if v.isString() || v.isNumber() {
		return s.ToStringRaw(v)
	}
	if t, ok := v.AsTable(); ok {
		if m := t.get(internConstant("message")); m.isString() {
			return m.str()
		}
	}
	if !s.metaEvent(v, evToString).IsNil() {
		return s.ToStringRaw(v)
	}
	return fmt.Sprintf("(error object is a %s value)", v.TypeName())
}

func (s *State) endFiber(f *fiber, vals []Value, err *Error) {
	s.ended = append(s.ended, Ended{Fiber: f.id, Values: vals, Err: err})
	s.fibers = slices.DeleteFunc(s.fibers, func(x *fiber) bool { return x == f })
}

// endRun ends the run: fibers still there are dead. After a stop each of them
// is reported.
func (s *State) endRun() {
	for len(s.fibers) > 0 {
		f := s.fibers[0]
		for th := f.current; th != nil; {
			pr := th.parent
			th.die()
			th = pr
		}
		f.root.die()
		if s.stop == StopNone {
			s.fibers = slices.Delete(s.fibers, 0, 1)
			continue
		}
		msg := s.stop.String()
		s.endFiber(f, nil, &Error{Value: s.errorString(msg), Message: msg, Stop: s.stop, ExitCode: s.exitCode})
	}
	s.flushFiles()
	s.fuel = s.fuelUsed()
	s.granted, s.budget = 0, 0
	if s.inGC {
		// The run was stopped in a __gc function: the rest of them shall not stop
		// the next run as well.
		s.dueGC, s.inGC = nil, false
	}
	s.run32.Store(runNone)
}

// dropRun ends a run whose outcome nobody wants.
func (s *State) dropRun() {
	if s.between() {
		s.stop = StopInterrupt
		s.endRun()
	}
}

func (s *State) outcome() Outcome {
	var stopped []Stopped
	s.suspended = s.suspended[:0]
	for _, f := range s.fibers {
		switch {
		case f.stopReason != stopReasonNone:
			stopped = append(stopped, s.stoppedAt(f))
		case f.waiting:
			s.suspended = append(s.suspended, Suspension{Fiber: f.id, Token: f.token})
		}
	}
	return Outcome{Ended: s.ended, Suspended: s.suspended, Stopped: stopped, main: s.main}
}
