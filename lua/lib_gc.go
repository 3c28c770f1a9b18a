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

// collect walks, then calls the due __gc functions one after the other.
func (s *State) collect(c *Call, result Value) Status {
	if s.inGC {
		return c.Return1(Boolean(false)) // C Lua: no collection inside a finalizer
	}
	s.walk(true)
	if s.stop != StopNone {
		return c.Failed()
	}
	g := &gcStep{result: result}
	return g.next(c)
}

// gcStep calls __gc functions under pcall.
type gcStep struct{ result Value }

func (g *gcStep) next(c *Call) Status {
	s := c.state
	for len(s.dueGC) > 0 {
		v := s.dueGC[0]
		s.dueGC = s.dueGC[1:]
		if h := s.metaEvent(v, evGC); h.IsFunction() {
			s.inGC = true
			return c.CallThen(g, 2, pcallFunction.Value(), h, v)
		}
	}
	s.dueGC = nil
	s.inGC = false
	return c.Return1(g.result)
}

func (g *gcStep) Resume(c *Call) Status {
	if !c.Arg(0).Truthy() {
		c.state.warning("error in __gc (" + c.state.message(c.Arg(1)) + ")")
	}
	return g.next(c)
}

// runAllFinalizers calls every __gc left when the state closes, the last
// registered first, under one fuel grant.
func (s *State) runAllFinalizers() {
	if s.broken != nil {
		return
	}
	left := int64(gcFuel)
	due := s.dueGC
	for i := len(s.finalizers) - 1; i >= 0; i-- {
		due = append(due, s.finalizers[i])
	}
	s.dueGC, s.finalizers = due, nil
	for len(s.dueGC) > 0 && left > 0 {
		v := s.dueGC[0]
		s.dueGC = s.dueGC[1:]
		v.p.flags &^= flagFinalizer
		if h := s.metaEvent(v, evGC); h.IsFunction() {
			s.inGC = true // nothing may wait
			out := s.Run(h, []Value{v}, RunOptions{Fuel: left})
			left -= s.fuel
			if len(out.Suspended) > 0 {
				s.dropRun()
			}
		}
		// An object may have been registered again by its own __gc: C Lua calls
		// it once more at close only if it was new; the fuel grant bounds both.
		if n := len(s.finalizers); n > 0 {
			s.dueGC = append(s.dueGC, s.finalizers...)
			s.finalizers = nil
		}
	}
}
