package lua

var coroutineLib = []*Function{
	NewFunction("coroutine.create", coCreate),
	newBuiltin("coroutine.resume", builtinResume, coArgError),
	newBuiltin("coroutine.yield", builtinYield, coYieldError),
	newBuiltin("coroutine.close", builtinClose, coArgError),
	NewFunction("coroutine.wrap", coWrap),
	NewFunction("coroutine.status", coStatus),
	NewFunction("coroutine.running", coRunning),
	NewFunction("coroutine.isyieldable", coIsYieldable),
}

// wrapped is the function coroutine.wrap returns; its upvalue is the coroutine.
var wrapped = newBuiltin("coroutine.wrapped", builtinWrapped, coArgError)

// newCoroutine makes a coroutine of argument 0.
func newCoroutine(c *Call) (Value, bool) {
	s := c.state
	fn := c.Arg(0)
	if !fn.IsFunction() {
		c.TypeError(0, "function")
		return Nil, false
	}
	if s.threads >= s.options.MaxHandles {
		s.walk(false)
		if s.threads >= s.options.MaxHandles {
			s.err = s.refusal(RefusalHandles, "too many coroutines", true)
			return Nil, false
		}
	}
	if !s.charge(chargeThread + 16*firstStack) {
		return Nil, false
	}
	s.threads++
	return s.newThread(fn).Value(), true
}

func coCreate(c *Call) Status {
	co, ok := newCoroutine(c)
	if !ok {
		return c.Failed()
	}
	return c.Return1(co)
}

func coWrap(c *Call) Status {
	co, ok := newCoroutine(c)
	if !ok {
		return c.Failed()
	}
	return c.Return1(c.state.NewClosure(wrapped, co))
}

func (c *Call) checkThread() (*Thread, bool) {
	v := c.Arg(0)
	if v.Kind() != KindThread {
		c.TypeError(0, "thread")
		return nil, false
	}
	return v.thread(), true
}

// coArgError is what remains for resume and close: bad arguments.
func coArgError(c *Call) Status {
	th, ok := c.checkThread()
	if !ok {
		return c.Failed()
	}
	return c.Errorf("cannot close a %s coroutine", th.statusName(c.state))
}

func coYieldError(c *Call) Status {
	s := c.state
	msg := "attempt to yield across a C-call boundary"
	if c.th.parent == nil {
		msg = "attempt to yield from outside a coroutine"
	}
	return c.Raise(s.errorString(msg))
}

func coStatus(c *Call) Status {
	th, ok := c.checkThread()
	if !ok {
		return c.Failed()
	}
	return c.Return1(internConstant(th.statusName(c.state)))
}

func coRunning(c *Call) Status {
	c.Push(c.th.Value())
	return c.Return1(Boolean(c.th.parent == nil))
}

func coIsYieldable(c *Call) Status {
	th := c.th
	if c.n > 0 {
		var ok bool
		if th, ok = c.checkThread(); !ok {
			return c.Failed()
		}
	}
	// A coroutine that does not run could yield once resumed; a fiber never can.
	root := th.parent == nil && th.status != threadSuspended
	return c.Return1(Boolean(!root && th.nny == 0))
}
