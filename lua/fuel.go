package lua

import "time"

const (
	sliceFuel     = 5000 // units between two calls of Options.Slice
	maxCallFuel   = 50   // most a call of a Lua function costs
	goCallFuel    = 5    // a call of a Go function
	copiedPerFuel = 8    // arguments and results moved for a unit
	pollFuel      = 4096 // most work in Go between two polls
	gcFuel        = 1_000_000
)

// The life of a run as the interrupter sees it.
const (
	runNone uint32 = iota
	runActive
	runInterrupted
)

// Interrupt ends the run in progress, from any goroutine: a running fiber
// within 10,000 units of fuel, a suspended run at the next Resume, which is
// refused. Without a run it does nothing.
func (s *State) Interrupt() { s.run32.CompareAndSwap(runActive, runInterrupted) }

func (s *State) inRun() bool { return s.run32.Load() != runNone }

// fuelUsed returns the units the run has used.
func (s *State) fuelUsed() int64 { return s.fuel + s.granted - s.budget }

// endSlice makes the next call or back edge call edge.
func (s *State) endSlice() {
	if s.budget > 0 {
		s.granted -= s.budget
		s.budget = 0
	}
}

// grant starts a new slice after the used units were booked.
func (s *State) grant() {
	n := int64(sliceFuel)
	if s.test.slice > 0 {
		n = s.test.slice
	}
	if s.walkDue || s.finalizersDue() {
		n = 1 // what is due waits for the next edge
	}
	if s.limits.Fuel > 0 {
		n = min(n, s.limits.Fuel-s.fuel)
	}
	s.granted, s.budget = n, n
}

// edge runs at the call or back edge where the slice's fuel ended.
func (s *State) edge() action {
	walks := s.walks
	if !s.poll() {
		return s.leave(exitStopped)
	}
	if s.walks != walks && !s.call.active {
		// Only here, where no Go code holds a pointer into the running stack.
		th := s.th
		th.trim(max(s.liveSlots(th), s.rq.a+s.rq.n+goSlots))
	}
	return actRun
}

// edgeLua is edge where the top frame is ready to execute its next instruction
// and nothing else is pending, so that the fiber can be left as it is. Due __gc
// functions run here, and the debug loop takes over.
func (s *State) edgeLua() action {
	act := s.edge()
	switch {
	case act != actRun:
	case s.finalizersDue():
		return s.startFinalizers()
	case s.debugging() && !s.inDebug:
		return s.leave(exitSwitch)
	case s.test.pause && s.nested == 0:
		s.fiber.paused = true
		return s.leave(exitSuspended)
	}
	return act
}

// useFuel books n units of work done in Go. false: the run must stop.
func (s *State) useFuel(n int64) bool {
	for n > pollFuel {
		n -= pollFuel
		if !s.useFuel(pollFuel) {
			return false
		}
	}
	if s.budget -= n; s.budget <= 0 {
		return s.poll()
	}
	return true
}

// poll books the used fuel, stops the run if it must end, walks if that is
// due, and starts a new slice. false: s.stop is set.
func (s *State) poll() bool {
	used := s.granted - s.budget
	s.fuel += used
	s.sinceSlice += used
	s.granted, s.budget = 0, 0
	if s.stop != StopNone {
		return false
	}
	if stop := s.mustStop(); stop != StopNone {
		s.stop = stop
		return false
	}
	if s.walkDue && !s.call.active {
		// Go code may hold values that no root reaches: see mayClear.
		s.walkDue = false
		s.walk(s.mayClear())
		if s.stop != StopNone {
			return false
		}
	}
	if s.sinceSlice >= sliceFuel {
		s.sinceSlice = 0
		if s.options.Slice != nil {
			s.options.Slice()
		}
	}
	s.grant()
	return true
}

// mustStop asks the limits of the run.
func (s *State) mustStop() Stop {
	switch {
	case s.run32.Load() == runInterrupted:
		return StopInterrupt
	case s.limits.Fuel > 0 && s.fuel >= s.limits.Fuel:
		return StopFuel
	case !s.limits.Deadline.IsZero() && !time.Now().Before(s.limits.Deadline):
		return StopDeadline
	}
	return StopNone
}
