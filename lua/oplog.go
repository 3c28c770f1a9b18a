package lua

// opLog lets a library function use operations that may call metamethods
// without a nested run: the function is written as a sequence of turns, and a
// turn in which a metamethod has to be called is left, its result logged when
// it returned, and the turn run again from its start with the logged results.
// A turn is short (at most maxTurnOps operations) and changes the state of its
// function only after its last operation. So a metamethod is an ordinary call,
// in which a host call may suspend.
type opLog struct {
	done  [maxTurnOps]Value // results of the present turn's operations
	n     int               // how many there are
	at    int               // the next one to be given out again
	wait  bool              // fn must be called for the operation that came last
	fn    Value
	args  [3]Value
	nargs int
}

const maxTurnOps = 10

// turner is a Step made of turns.
type turner interface {
	Step
	// turn makes one turn; false after an operation that gave false.
	turn(c *Call) turnResult
	// finish pushes the results after the last turn.
	finish(c *Call) Status
}

type turnResult uint8

const (
	turnFailed turnResult = iota // an operation gave false, or the error is set
	turnNext                     // go on with another turn
	turnDone
)

// run makes turns until m is done or a metamethod has to be called.
func (o *opLog) run(c *Call, m turner) Status {
	for {
		o.at, o.wait = 0, false
		res := m.turn(c)
		switch {
		case o.wait:
			return c.CallThen(m, 1, o.fn, o.args[:o.nargs]...)
		case res == turnFailed:
			return c.Failed()
		case res == turnDone:
			return m.finish(c)
		}
		o.n = 0
	}
}

// resume goes on with the result of the metamethod.
func (o *opLog) resume(c *Call, m turner) Status {
	o.add(c.Arg(0))
	return o.run(c, m)
}

func (o *opLog) add(v Value) {
	o.done[o.n] = v
	o.n++
}

// again returns the logged result of the operation that comes next, if there is one.
func (o *opLog) again() (v Value, ok bool) {
	if o.at == o.n {
		return Nil, false
	}
	o.at++
	return o.done[o.at-1], true
}

// result logs and returns the result of an operation that called nothing.
func (o *opLog) result(v Value) Value {
	o.add(v)
	o.at = o.n
	return v
}

// call leaves the turn for fn(args...).
func (o *opLog) call(fn Value, args ...Value) {
	o.fn, o.wait = fn, true
	o.nargs = copy(o.args[:], args)
}

// get is t[k]. In all operations ok = false means that the turn must be left.
func (o *opLog) get(c *Call, t, k Value) (v Value, ok bool) {
	if v, ok := o.again(); ok {
		return v, true
	}
	v, fn, ok := c.index(t, k)
	switch {
	case !ok:
		return Nil, false
	case fn.p != nil:
		o.call(fn, v, k)
		return Nil, false
	}
	return o.result(v), true
}

// set is t[k] = v.
func (o *opLog) set(c *Call, t, k, v Value) (ok bool) {
	if _, ok := o.again(); ok {
		return true
	}
	s := c.state
	target, fn, fault, ok := s.setIndex(t, k, v)
	switch {
	case fault:
		s.err = s.errorString("attempt to index a " + s.typeName(target) + " value")
		return false
	case !ok:
		return false
	case fn.p != nil:
		o.call(fn, target, k, v)
		return false
	}
	o.result(Nil)
	return true
}

// len is #v, which must be an integer.
func (o *opLog) len(c *Call, v Value) (n int64, ok bool) {
	s := c.state
	res, ok := o.again()
	if !ok {
		h := s.metaEvent(v, evLen)
		switch t, isTable := v.AsTable(); {
		case v.isString():
			res = o.result(Integer(int64(len(v.str()))))
		case h.p != nil:
			o.call(h, v, v)
			return 0, false
		case isTable:
			res = o.result(Integer(t.Len()))
		default:
			s.err = s.errorString("attempt to get length of a " + s.typeName(v) + " value")
			return 0, false
		}
	}
	if n, ok = toInteger(res); !ok {
		c.Errorf("object length is not an integer")
		return 0, false
	}
	return n, true
}

func (o *opLog) markValues(mark func(Value)) {
	for _, v := range o.done[:o.n] {
		mark(v)
	}
}

// index is State.index for Go functions, with the error set if t cannot be
// indexed: a function fn must be called with v and k, or v is the result.
func (c *Call) index(t, k Value) (v, fn Value, ok bool) {
	s := c.state
	s.err = Nil
	v, fn, ok = s.index(t, k)
	if !ok && s.err.IsNil() {
		s.err = s.errorString("attempt to index a " + s.typeName(v) + " value")
	}
	return v, fn, ok
}

// less is a < b: the metamethod fn must be called for it, or lt is the answer.
func (c *Call) less(a, b Value) (lt bool, fn Value, ok bool) {
	if lt, ok := lessRaw(a, b); ok {
		return lt, Nil, true
	}
	s := c.state
	if fn = s.metaEvent(a, evLt); fn.IsNil() {
		fn = s.metaEvent(b, evLt)
	}
	if fn.IsNil() {
		s.err = s.errorString(s.compareMessage(a, b))
		return false, Nil, false
	}
	return false, fn, true
}
