package lua

import (
	"math"
	"math/bits"
)

// sorter sorts a list in place with C Lua's quicksort, which also decides how
// equal elements end up and which order functions are found to be invalid. An
// interval that was partitioned too often without getting short is sorted by
// heapsort, so the whole takes O(n log n) comparisons whatever the order
// function answers. All its state is data: each comparison is asked for by next
// and its answer given to the following next, so that an order function runs
// between the two as an ordinary call. Each next is a turn: for a list with
// metamethods one of these may have to be called in it, see opLog.
type sorter struct {
	l      list
	fn     Value     // order function, Nil: <
	asked  bool      // the comparison waits for its answer, not meta for a result
	answer bool      // to the comparison asked for last
	meta   *sortMeta // nil for a raw list
	sortPosition
}

// sortMeta is what the sort of a list with metamethods needs more.
type sortMeta struct {
	log     opLog
	started sortPosition // at the start of the turn
}

// sortPosition is how far a sort is.
type sortPosition struct {
	state sortState
	todo  []interval // larger halves, sorted after the present interval
	interval
	p, i, j int64 // pivot position and the two scans
	pivot   Value
	u, v    Value // the two elements at hand
	x, y    Value // the comparison asked for: x < y
	heap    heap
}

// interval is a range of positions to sort, both ends included.
type interval struct {
	lo, up int64
	budget int // partitions left before heapsort takes over
}

type heap struct {
	root  int64 // while the heap is built: node to sift next; -1 after that
	size  int64
	node  int64 // node being sifted
	child int64
}

type sortState uint8

const (
	sortStart sortState = iota // begin the present interval
	sortEnds                   // answered: a[up] < a[lo]
	sortLow                    // answered: a[p] < a[lo]
	sortHigh                   // answered: a[up] < a[p]
	sortUp                     // answered: a[i] < pivot
	sortDown                   // answered: pivot < a[j]
	heapChild                  // answered: a[child] < a[child+1]
	heapNode                   // answered: a[node] < a[child]
)

type sortResult uint8

const (
	sortCompare sortResult = iota // compare x and y, then go on
	sortDone
	sortFailed // the error is set
)

func tableSort(c *Call) Status {
	l, ok := c.list(0, opsRead|opsWrite|opsLength)
	if !ok {
		return c.Failed()
	}
	fn := c.Arg(1)
	s := &sorter{l: l, fn: fn}
	if !l.raw {
		s.meta = new(sortMeta)
		return s.meta.log.run(c, &sortHead{s: s, args: []Value{l.v, fn}})
	}
	return s.begun(c, l.t.Len())
}

// sortHead asks a list with metamethods for its length.
type sortHead struct {
	s    *sorter
	args []Value
	n    int64
}

func (h *sortHead) turn(c *Call) turnResult {
	n, ok := h.s.meta.log.len(c, h.s.l.v)
	if !ok {
		return turnFailed
	}
	h.n = n
	return turnDone
}

func (h *sortHead) Resume(c *Call) Status { return h.s.meta.log.resume(c, h) }

func (h *sortHead) finish(c *Call) Status {
	h.s.meta.log.n = 0
	if !c.setArgs(h.args) {
		return c.Failed()
	}
	return h.s.begun(c, h.n)
}

func (h *sortHead) markValues(mark func(Value)) { h.s.markValues(mark) }

// begun starts the sort of n elements.
func (s *sorter) begun(c *Call, n int64) Status {
	if n < 2 {
		return c.Return()
	}
	if n >= math.MaxInt32 {
		return c.ArgError(0, "array too big")
	}
	if !s.fn.IsNil() && !s.fn.IsFunction() {
		return c.TypeError(1, "function")
	}
	s.interval = interval{1, n, 2 * bits.Len64(uint64(n))}
	return s.advance(c)
}

// advance sorts until it is done or something has to be called.
func (s *sorter) advance(c *Call) Status {
	for {
		m := s.meta
		if m != nil {
			m.started, m.log.at, m.log.wait = s.sortPosition, 0, false
		}
		switch s.next(c, s.answer) {
		case sortDone:
			return c.Return()
		case sortFailed:
			if m != nil && m.log.wait {
				s.sortPosition = m.started
				return c.CallThen(s, 1, m.log.fn, m.log.args[:m.log.nargs]...)
			}
			return c.Failed()
		}
		if m != nil {
			m.log.n = 0
		}
		fn, ok := s.fn, true
		if fn.IsNil() {
			if s.answer, fn, ok = s.less(c); !ok {
				return c.Failed()
			}
		}
		if !fn.IsNil() {
			s.asked = true
			return c.CallThen(s, 1, fn, s.x, s.y)
		}
	}
}

// less is the comparison asked for by the operator <, which may have to call fn.
func (s *sorter) less(c *Call) (lt bool, fn Value, ok bool) {
	x, y := s.x, s.y
	switch {
	case x.isInt() && y.isInt():
		return x.rawInt() < y.rawInt(), Nil, c.Fuel(4)
	case x.isFloat() && y.isFloat():
		return x.rawFloat() < y.rawFloat(), Nil, c.Fuel(4)
	case x.isString() && y.isString():
		a, b := x.str(), y.str()
		return a < b, Nil, c.Fuel(4 + copyFuel(min(len(a), len(b))))
	}
	if !c.Fuel(8) {
		return false, Nil, false
	}
	return c.less(x, y)
}

// Resume goes on with the answer to a comparison or the result of a metamethod.
func (s *sorter) Resume(c *Call) Status {
	if s.asked {
		s.asked, s.answer = false, c.Arg(0).Truthy()
	} else {
		s.meta.log.add(c.Arg(0))
	}
	return s.advance(c)
}

func (s *sorter) get(c *Call, i int64) (Value, bool) {
	if s.meta == nil {
		return s.l.t.getInt(i), true
	}
	return s.meta.log.get(c, s.l.v, Integer(i))
}

func (s *sorter) set(c *Call, i int64, v Value) bool {
	if s.meta == nil {
		return c.tableSetInt(s.l.t, i, v)
	}
	return s.meta.log.set(c, s.l.v, Integer(i), v)
}

// ask makes x < y the next comparison, answered in state.
func (s *sorter) ask(state sortState, x, y Value) sortResult {
	s.state, s.x, s.y = state, x, y
	return sortCompare
}

// read2 reads positions i and j into u and v.
func (s *sorter) read2(c *Call, i, j int64) (ok bool) {
	if s.u, ok = s.get(c, i); ok {
		s.v, ok = s.get(c, j)
	}
	return ok
}

func (s *sorter) write2(c *Call, i int64, x Value, j int64, y Value) bool {
	return s.set(c, i, x) && s.set(c, j, y)
}

// next goes on with the answer of the comparison asked for last.
func (s *sorter) next(c *Call, answer bool) sortResult {
	switch s.state {
	case sortEnds:
		return s.afterEnds(c, answer)
	case sortLow:
		if answer {
			if !s.write2(c, s.p, s.u, s.lo, s.v) {
				return sortFailed
			}
			return s.partition(c)
		}
		var ok bool
		if s.u, ok = s.get(c, s.up); !ok {
			return sortFailed
		}
		return s.ask(sortHigh, s.u, s.v)
	case sortHigh:
		if answer && !s.write2(c, s.p, s.u, s.up, s.v) {
			return sortFailed
		}
		return s.partition(c)
	case sortUp:
		if !answer {
			return s.scanDown(c)
		}
		if s.i == s.up-1 {
			return s.invalidOrder(c)
		}
		return s.scanUp(c)
	case sortDown:
		return s.afterDown(c, answer)
	case heapChild:
		if answer {
			s.heap.child++
		}
		return s.heapCompareNode(c)
	case heapNode:
		return s.afterHeapNode(c, answer)
	}
	return s.begin(c)
}

func (s *sorter) invalidOrder(c *Call) sortResult {
	c.Errorf("invalid order function for sorting")
	return sortFailed
}

// begin starts the present interval, or the next one to do if it is sorted.
func (s *sorter) begin(c *Call) sortResult {
	for s.lo >= s.up {
		if len(s.todo) == 0 {
			return sortDone
		}
		s.interval = s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
	}
	if s.budget == 0 {
		s.heap.size = s.up - s.lo + 1
		s.heap.root = s.heap.size / 2
		return s.heapNext(c)
	}
	if !s.read2(c, s.lo, s.up) {
		return sortFailed
	}
	return s.ask(sortEnds, s.v, s.u)
}

// done ends the present interval.
func (s *sorter) done(c *Call) sortResult {
	s.lo = s.up
	return s.begin(c)
}

func (s *sorter) afterEnds(c *Call, answer bool) sortResult {
	if answer && !s.write2(c, s.lo, s.v, s.up, s.u) {
		return sortFailed
	}
	if s.up-s.lo == 1 {
		return s.done(c)
	}
	s.p = (s.lo + s.up) / 2
	var ok bool
	if s.v, ok = s.get(c, s.p); ok { // C Lua's order of reading
		s.u, ok = s.get(c, s.lo)
	}
	if !ok {
		return sortFailed
	}
	return s.ask(sortLow, s.v, s.u)
}

// partition starts the scans around the median of three at p.
func (s *sorter) partition(c *Call) sortResult {
	if s.up-s.lo == 2 {
		return s.done(c)
	}
	if !s.read2(c, s.p, s.up-1) {
		return sortFailed
	}
	s.pivot = s.u
	if !s.write2(c, s.p, s.v, s.up-1, s.pivot) {
		return sortFailed
	}
	s.i, s.j = s.lo, s.up-1
	return s.scanUp(c)
}

func (s *sorter) scanUp(c *Call) sortResult {
	s.i++
	var ok bool
	if s.u, ok = s.get(c, s.i); !ok {
		return sortFailed
	}
	return s.ask(sortUp, s.u, s.pivot)
}

func (s *sorter) scanDown(c *Call) sortResult {
	s.j--
	var ok bool
	if s.v, ok = s.get(c, s.j); !ok {
		return sortFailed
	}
	return s.ask(sortDown, s.pivot, s.v)
}

func (s *sorter) afterDown(c *Call, answer bool) sortResult {
	switch {
	case answer && s.j < s.i:
		return s.invalidOrder(c)
	case answer:
		return s.scanDown(c)
	case s.j >= s.i:
		if !s.write2(c, s.i, s.v, s.j, s.u) {
			return sortFailed
		}
		return s.scanUp(c)
	}
	if !s.write2(c, s.up-1, s.u, s.i, s.pivot) {
		return sortFailed
	}
	lower := interval{s.lo, s.i - 1, s.budget - 1}
	upper := interval{s.i + 1, s.up, s.budget - 1}
	if s.i-s.lo < s.up-s.i {
		s.interval = lower
		s.todo = append(s.todo, upper)
	} else {
		s.interval = upper
		s.todo = append(s.todo, lower)
	}
	return s.begin(c)
}

// heapNext begins the next sift: of an inner node while the heap is built, then
// of the element that took the place of the greatest.
func (s *sorter) heapNext(c *Call) sortResult {
	h := &s.heap
	if h.root > 0 {
		h.root--
		h.node = h.root
		return s.heapCompareChildren(c)
	}
	h.size--
	if h.size == 0 {
		return s.done(c)
	}
	if !s.read2(c, s.lo, s.lo+h.size) || !s.write2(c, s.lo, s.v, s.lo+h.size, s.u) {
		return sortFailed
	}
	h.node = 0
	return s.heapCompareChildren(c)
}

func (s *sorter) heapCompareChildren(c *Call) sortResult {
	h := &s.heap
	h.child = 2*h.node + 1
	switch {
	case h.child >= h.size:
		return s.heapNext(c)
	case h.child+1 == h.size:
		return s.heapCompareNode(c)
	}
	if !s.read2(c, s.lo+h.child, s.lo+h.child+1) {
		return sortFailed
	}
	return s.ask(heapChild, s.u, s.v)
}

func (s *sorter) heapCompareNode(c *Call) sortResult {
	if !s.read2(c, s.lo+s.heap.node, s.lo+s.heap.child) {
		return sortFailed
	}
	return s.ask(heapNode, s.u, s.v)
}

func (s *sorter) afterHeapNode(c *Call, answer bool) sortResult {
	if !answer {
		return s.heapNext(c)
	}
	if !s.write2(c, s.lo+s.heap.node, s.v, s.lo+s.heap.child, s.u) {
		return sortFailed
	}
	s.heap.node = s.heap.child
	return s.heapCompareChildren(c)
}

func (s *sorter) markValues(mark func(Value)) {
	s.sortPosition.markValues(mark)
	mark(s.l.v)
	mark(s.fn)
	if s.meta != nil {
		s.meta.log.markValues(mark)
		s.meta.started.markValues(mark)
	}
}

func (s *sortPosition) markValues(mark func(Value)) {
	mark(s.pivot)
	mark(s.u)
	mark(s.v)
}
