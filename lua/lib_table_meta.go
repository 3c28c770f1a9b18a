package lua

import "math"

// listFunc names a function of the table library.
type listFunc uint8

const (
	listInsert listFunc = iota
	listRemove
	listMove
	listUnpack
	listConcat
)

// listStep is a function of the table library on lists with metamethods.
type listStep struct {
	log   opLog
	fn    listFunc
	phase listPhase
	args  []Value
	src   Value
	dst   Value

	// Element k of n: dst[to + k] = src[from + k].
	from, to, n, k int64
	backwards      bool

	pos   int64   // insert, remove: what is written last
	value Value   // insert: what is inserted; remove: the result
	vals  []Value // unpack: the results
	out   buffer  // concat
	sep   string
}

type listPhase uint8

const (
	listHead     listPhase = iota // asks for the length and checks the arguments
	listTake                      // remove: reads the result
	listElements                  // moves or reads one element in each turn
	listTail                      // insert, remove: writes the last element
)

// listStep starts fn with the present arguments.
func (c *Call) listStep(fn listFunc) Status {
	l := &listStep{fn: fn, src: c.Arg(0), dst: c.Arg(0)}
	for i := range c.n {
		l.args = append(l.args, c.Arg(i))
	}
	return l.log.run(c, l)
}

// listMove starts the move of n elements.
func (c *Call) listMove(src, dst Value, from, to, n int64, backwards bool) Status {
	l := &listStep{fn: listMove, phase: listElements, src: src, dst: dst, from: from, to: to, n: n, backwards: backwards}
	return l.log.run(c, l)
}

func (l *listStep) Resume(c *Call) Status { return l.log.resume(c, l) }

func (l *listStep) turn(c *Call) turnResult {
	switch l.phase {
	case listHead:
		return l.head(c)
	case listTake:
		v, ok := l.log.get(c, l.src, Integer(l.pos))
		if !ok {
			return turnFailed
		}
		l.value, l.phase = v, listElements
		return turnNext
	case listElements:
		if l.k >= l.n {
			l.phase = listTail
			return turnNext
		}
		if !c.Fuel(1) || !l.element(c) {
			return turnFailed
		}
		l.k++
		return turnNext
	}
	if (l.fn == listInsert || l.fn == listRemove) && !l.log.set(c, l.dst, Integer(l.pos), l.last()) {
		return turnFailed
	}
	return turnDone
}

// last is what is written last.
func (l *listStep) last() Value {
	if l.fn == listInsert {
		return l.value
	}
	return Nil
}

// head finds out what to do.
func (l *listStep) head(c *Call) turnResult {
	if !c.setArgs(l.args) {
		return turnFailed
	}
	var n int64
	ok := true
	if l.fn == listUnpack {
		_, ok = c.OptInteger(1, 1) // C Lua checks it before it asks for the length
	}
	if ok && (l.fn != listUnpack || c.Arg(2).IsNil()) {
		n, ok = l.log.len(c, l.src)
	}
	if !ok {
		return turnFailed
	}
	l.phase = listElements
	switch l.fn {
	case listInsert:
		l.pos, ok = c.insertAt(n)
		if ok {
			l.value = l.args[len(l.args)-1]
			l.from, l.to, l.n, l.backwards = l.pos, l.pos+1, n+1-l.pos, true
		}
	case listRemove:
		l.phase = listTake
		if l.pos, ok = c.removeAt(n); ok && l.pos < n {
			l.from, l.to, l.n = l.pos+1, l.pos, n-l.pos
		}
	case listUnpack:
		ok = l.unpackHead(c, n)
	case listConcat:
		var to int64
		l.sep, l.from, to, ok = c.concatArgs(n)
		if ok && to >= l.from {
			// A range of more than 2^63 elements never ends: fuel or memory does.
			l.n = int64(min(uint64(to)-uint64(l.from), math.MaxInt64-1)) + 1
		}
	}
	if !ok {
		return turnFailed
	}
	return turnNext
}

// unpackHead finds the range to unpack; n is the length if it was asked for.
func (l *listStep) unpackHead(c *Call, n int64) bool {
	from, ok := c.OptInteger(1, 1)
	to := n
	if ok && !c.Arg(2).IsNil() {
		to, ok = c.CheckInteger(2)
	}
	if !ok || from > to {
		return ok
	}
	if uint64(to)-uint64(from) >= maxResults {
		c.Errorf("too many results to unpack")
		return false
	}
	l.from, l.n = from, to-from+1
	return true
}

// element handles element k.
func (l *listStep) element(c *Call) bool {
	i := l.k
	if l.backwards {
		i = l.n - 1 - l.k
	}
	v, ok := l.log.get(c, l.src, Integer(l.from+i))
	if !ok {
		return false
	}
	switch l.fn {
	case listUnpack:
		if len(l.vals) == cap(l.vals) && !c.Charge(16*max(8, len(l.vals))) {
			return false
		}
		l.vals = append(l.vals, v)
		return true
	case listConcat:
		return concatElement(c, &l.out, v, l.from+i) && (l.k == l.n-1 || l.out.add(c, l.sep))
	}
	if !l.log.set(c, l.dst, Integer(l.to+i), v) {
		return false
	}
	if l.fn == listRemove {
		l.pos = l.from + i // the last element moved leaves the list
	}
	return true
}

func (l *listStep) finish(c *Call) Status {
	switch l.fn {
	case listRemove:
		return c.Return1(l.value)
	case listMove:
		return c.Return1(l.dst)
	case listConcat:
		return c.Return1(l.out.value(c))
	case listUnpack:
		if !c.setArgs(l.vals) {
			return c.Failed()
		}
		return c.returnArgs(0)
	}
	return c.Return()
}

func (l *listStep) heldBytes() int64 { return int64(l.out.charged + 16*cap(l.vals)) }

func (l *listStep) markValues(mark func(Value)) {
	l.log.markValues(mark)
	mark(l.src)
	mark(l.dst)
	mark(l.value)
	for _, v := range l.args {
		mark(v)
	}
	for _, v := range l.vals {
		mark(v)
	}
}
