package session

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Slice is how long a holder keeps its slot while others wait.
const Slice = 2 * time.Millisecond

// Slots is a fixed number of rights to execute bytecode, given out first come,
// first served.
type Slots struct {
	waiting atomic.Int32 // len(queue), read without the lock by Yield
	gosched bool

	mu    sync.Mutex
	free  int
	queue []*Slot
}

// NewSlots returns n slots. n = 0 stands for max(1, GOMAXPROCS-1): one
// processor stays free for probes, signals and the network.
func NewSlots(n int) *Slots {
	procs := runtime.GOMAXPROCS(0)
	if n <= 0 {
		n = max(1, procs-1)
	}
	return &Slots{free: n, gosched: procs == 1}
}

// Waiting is the number of interpreters that wait for a slot.
func (s *Slots) Waiting() int { return int(s.waiting.Load()) }

// Slot is one interpreter's claim on a slot. It implements the Slots interface
// of package interp. One goroutine at a time may use it; Hurry is safe from any.
type Slot struct {
	slots    *Slots
	since    time.Time
	deadline time.Time
	ready    chan struct{}
	urgent   bool // guarded by slots.mu
	queued   bool // guarded by slots.mu
}

// Slot returns a claim that holds nothing yet.
func (s *Slots) Slot() *Slot { return &Slot{slots: s, ready: make(chan struct{}, 1)} }

// Begin prepares the claim for an execution that ends at deadline (zero: none).
// From then on it waits ahead of the others, so that a limit ends its execution
// in time however many wait.
func (h *Slot) Begin(deadline time.Time) {
	h.deadline = deadline
	h.slots.mu.Lock()
	h.urgent = false
	h.slots.mu.Unlock()
}

// Hurry puts the claim in front of all that wait, until the next Begin: its
// execution has been interrupted and only needs to end.
func (h *Slot) Hurry() {
	s := h.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	h.urgent = true
	if h.queued {
		i := slices.Index(s.queue, h)
		copy(s.queue[1:i+1], s.queue[:i])
		s.queue[0] = h
	}
}

// Acquire waits for a slot or for ctx.
func (h *Slot) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if h.take() {
		return nil
	}
	select {
	case <-h.ready:
		h.since = time.Now()
		return nil
	case <-ctx.Done():
		h.abandon()
		return ctx.Err()
	}
}

// Release gives the slot back.
func (h *Slot) Release() {
	h.slots.mu.Lock()
	h.slots.pass()
	h.slots.mu.Unlock()
}

// Yield gives the slot to the longest waiter if the holder had it for a whole
// Slice, and then waits for another.
func (h *Slot) Yield() {
	s := h.slots
	if s.waiting.Load() == 0 && !s.gosched {
		return
	}
	if time.Since(h.since) < Slice {
		return
	}
	if s.gosched {
		runtime.Gosched()
	}
	s.mu.Lock()
	if len(s.queue) == 0 {
		h.since = time.Now()
		s.mu.Unlock()
		return
	}
	s.pass()
	s.enqueue(h)
	s.mu.Unlock()
	h.await()
	h.since = time.Now()
}

// await waits for the slot, in front of the others from the deadline on.
func (h *Slot) await() {
	if h.deadline.IsZero() {
		<-h.ready
		return
	}
	timer := time.NewTimer(time.Until(h.deadline))
	defer timer.Stop()
	select {
	case <-h.ready:
	case <-timer.C:
		h.Hurry()
		<-h.ready
	}
}

// take takes a free slot, or queues the claim.
func (h *Slot) take() bool {
	s := h.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 {
		s.free--
		h.since = time.Now()
		return true
	}
	s.enqueue(h)
	return false
}

// abandon leaves the queue, or gives back the slot that came at the same time.
func (h *Slot) abandon() {
	s := h.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	if !h.queued {
		<-h.ready
		s.pass()
		return
	}
	h.queued = false
	s.queue = slices.Delete(s.queue, slices.Index(s.queue, h), slices.Index(s.queue, h)+1)
	s.waiting.Store(int32(len(s.queue)))
}

func (s *Slots) enqueue(h *Slot) {
	h.queued = true
	if h.urgent {
		s.queue = slices.Insert(s.queue, 0, h)
	} else {
		s.queue = append(s.queue, h)
	}
	s.waiting.Store(int32(len(s.queue)))
}

// pass gives one slot to the first waiter, or back to the free ones.
func (s *Slots) pass() {
	if len(s.queue) == 0 {
		s.free++
		return
	}
	next := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	s.waiting.Store(int32(len(s.queue)))
	next.queued = false
	next.ready <- struct{}{}
}
