package lua

// baseCollectGarbage: collect and step walk, clear weak tables and run due
// __gc; the settings of C Lua's collector are stored and change nothing.
func baseCollectGarbage(c *Call) Status {
	opt, ok := c.OptString(0, "collect")
	if !ok {
		return c.Failed()
	}
	s := c.state
	switch opt {
	case "count":
		return c.Return1(Float(float64(s.mem) / 1024))
	case "collect":
		return s.collect(c, Integer(0))
	case "step":
		return s.collect(c, Boolean(true))
	case "stop":
		s.gcStopped = true
		return c.Return1(Integer(0))
	case "restart":
		s.gcStopped = false
		return c.Return1(Integer(0))
	case "isrunning":
		return c.Return1(Boolean(!s.gcStopped))
	case "setpause", "setstepmul":
		n, ok := c.OptInteger(1, 0)
		if !ok {
			return c.Failed()
		}
		at := &s.gcPause
		if opt == "setstepmul" {
			at = &s.gcStepMul
		}
		old := *at
		*at = n
		return c.Return1(Integer(old))
	case "incremental", "generational":
		old := "incremental"
		if s.gcGenerational {
			old = "generational"
		}
		s.gcGenerational = opt == "generational"
		return c.Return1(internConstant(old))
	}
	return c.ArgError(0, "invalid option '"+opt+"'")
}

// collect walks, then calls the due __gc functions.
func (s *State) collect(c *Call, result Value) Status {
	if s.inGC || s.closing {
		return c.Return1(Nil) // C Lua: no collection inside a finalizer
	}
	s.walk(true)
	if s.stop != StopNone {
		return c.Failed()
	}
	if len(s.dueGC) == 0 {
		return c.Return1(result)
	}
	return c.CallThen(&gcStep{result}, 0, finalizeFunction.Value())
}

// gcStep is collectgarbage while __gc functions run.
type gcStep struct{ result Value }

func (g *gcStep) Resume(c *Call) Status { return c.Return1(g.result) }

// finalizeFunction calls the due __gc functions. Scripts cannot get hold of it.
var finalizeFunction = newBuiltin("finalize", builtinFinalize, nil)

// finalizersDue reports whether __gc functions wait to be called.
func (s *State) finalizersDue() bool { return len(s.dueGC) > 0 && !s.inGC }

// startFinalizers calls the due __gc functions before the Lua frame on top goes
// on: they are ordinary calls in the middle of whatever runs. Where there is no
// room for them they wait.
func (s *State) startFinalizers() action {
	th := s.th
	f := &th.frames[th.nf-1]
	if th.nf+2 > maxFrames || th.cdepth+th.nny >= maxCDepth || th.depth > 0 {
		return actRun
	}
	err := s.err
	act := s.pushFinalizers(int(f.base)+f.cl.proto.maxStack, 0, 0)
	if act == actRaise { // no memory: only a refusal too many ends the run
		s.err, s.inGC = err, false
		if s.stop != StopNone {
			return s.leave(exitStopped)
		}
		return actRun
	}
	return act
}

// pushFinalizers calls the due __gc functions from a frame at slot base, one
// after the other. They may neither yield nor suspend.
func (s *State) pushFinalizers(base, nres int, flags frameFlags) action {
	th := s.th
	if need := base + 3 + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	f, ok := s.pushGo(th, nil, fFinalize, base, nres, flags)
	if !ok {
		return actRaise
	}
	s.inGC = true
	return s.nextFinalizer(f)
}

func (s *State) nextFinalizer(f *frame) action {
	th := s.th
	for len(s.dueGC) > 0 {
		v := s.dueGC[0]
		s.dueGC[0] = Nil
		s.dueGC = s.dueGC[1:]
		if h := s.metaEvent(v, evGC); !h.IsNil() {
			at := int(f.base) + 1
			th.stack[at], th.stack[at+1] = h, v
			s.rq = request{a: at, n: 1, nres: 0, flags: fCont}
			return actCall
		}
	}
	s.dueGC, s.inGC = nil, false
	s.rq.a, s.rq.n = int(f.base), 0
	return s.popInto(f)
}

// finalizerFailed goes on after a __gc function raised an error.
func (s *State) finalizerFailed(f *frame) action {
	msg := "error object is not a string"
	if s.err.isString() {
		msg = s.err.str()
	}
	s.warning("error in __gc (" + msg + ")")
	s.err, s.th.depth = Nil, 0
	return s.nextFinalizer(f)
}

// runAllFinalizers calls every __gc left when the state closes, the last
// registered first, under one fuel grant.
func (s *State) runAllFinalizers() {
	s.closing = true
	for i := len(s.finalizers) - 1; i >= 0; i-- {
		v := s.finalizers[i]
		v.p.flags &^= flagFinalizer
		s.dueGC = append(s.dueGC, v)
	}
	s.finalizers = nil
	if s.broken == nil && len(s.dueGC) > 0 {
		s.Run(finalizeFunction.Value(), nil, RunOptions{Fuel: gcFuel})
	}
}
