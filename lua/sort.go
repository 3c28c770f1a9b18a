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
// between the two as an ordinary call.
type sorter struct {
	l     list
	fn    Value // order function, Nil: <
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
	n, ok := l.len(c)
	if !ok {
		return c.Failed()
	}
	if n < 2 {
		return c.Return()
	}
	if n >= math.MaxInt32 {
		return c.ArgError(0, "array too big")
	}
	fn := c.Arg(1)
	if !fn.IsNil() && !fn.IsFunction() {
		return c.TypeError(1, "function")
	}
	s := &sorter{l: l, fn: fn, interval: interval{1, n, 2 * bits.Len64(uint64(n))}}
	if fn.IsNil() {
		return s.sortPlain(c)
	}
	return s.advance(c, false)
}

// sortPlain sorts with the operator <.
func (s *sorter) sortPlain(c *Call) Status {
	answer, ok := false, true
	for {
		switch s.next(c, answer) {
		case sortDone:
			return c.Return()
		case sortFailed:
			return c.Failed()
		}
		if answer, ok = s.less(c); !ok {
			return c.Failed()
		}
	}
}

func (s *sorter) less(c *Call) (lt, ok bool) {
	x, y := s.x, s.y
	switch {
	case x.isInt() && y.isInt():
		return x.rawInt() < y.rawInt(), c.Fuel(4)
	case x.isFloat() && y.isFloat():
		return x.rawFloat() < y.rawFloat(), c.Fuel(4)
	case x.isString() && y.isString():
		a, b := x.str(), y.str()
		return a < b, c.Fuel(4 + copyFuel(min(len(a), len(b))))
	}
	if !c.Fuel(8) {
		return false, false
	}
	return c.Less(x, y)
}

// Resume goes on with the order function's answer.
func (s *sorter) Resume(c *Call) Status { return s.advance(c, c.Arg(0).Truthy()) }

func (s *sorter) advance(c *Call, answer bool) Status {
	switch s.next(c, answer) {
	case sortDone:
		return c.Return()
	case sortFailed:
		return c.Failed()
	}
	return c.CallThen(s, 1, s.fn, s.x, s.y)
}

// ask makes x < y the next comparison, answered in state.
func (s *sorter) ask(state sortState, x, y Value) sortResult {
	s.state, s.x, s.y = state, x, y
	return sortCompare
}

// read2 reads positions i and j into u and v.
func (s *sorter) read2(c *Call, i, j int64) (ok bool) {
	if s.u, ok = s.l.get(c, i); ok {
		s.v, ok = s.l.get(c, j)
	}
	return ok
}

func (s *sorter) write2(c *Call, i int64, x Value, j int64, y Value) bool {
	return s.l.set(c, i, x) && s.l.set(c, j, y)
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
		if s.u, ok = s.l.get(c, s.up); !ok {
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
	if !s.read2(c, s.lo, s.p) {
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
	if s.u, ok = s.l.get(c, s.i); !ok {
		return sortFailed
	}
	return s.ask(sortUp, s.u, s.pivot)
}

func (s *sorter) scanDown(c *Call) sortResult {
	s.j--
	var ok bool
	if s.v, ok = s.l.get(c, s.j); !ok {
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
	for _, v := range []Value{s.l.v, s.fn, s.pivot, s.u, s.v} {
		mark(v)
	}
}
