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

// freshStreak is how many fresh claims may pass before one that used up a
// slice gets its turn.
const freshStreak = 4

// Slots is a fixed number of rights to execute bytecode. A claim that comes
// fresh goes before those that used up a slice, so that a short execution does
// not wait for a whole round of long ones; among its like each goes in order of
// arrival, and after freshStreak fresh ones it is the turn of the others.
type Slots struct {
	waiting atomic.Int32 // claims in both queues, read without the lock by Yield
	gosched bool

	mu     sync.Mutex
	free   int
	fresh  []*Slot // waiting, next first
	spent  []*Slot // waiting after a used-up slice, next first
	streak int     // fresh claims served in a row while others waited
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
		s.remove(h)
		s.enqueue(h, &s.fresh)
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

// Yield gives the slot to the next waiter if the holder had it for a whole
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
	if s.waiting.Load() == 0 {
		h.since = time.Now()
		s.mu.Unlock()
		return
	}
	s.pass()
	s.enqueue(h, &s.spent)
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
	s.enqueue(h, &s.fresh)
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
	s.remove(h)
}

// enqueue adds a claim to one of the queues; an urgent one in front of all.
func (s *Slots) enqueue(h *Slot, queue *[]*Slot) {
	h.queued = true
	s.waiting.Add(1)
	if h.urgent {
		s.fresh = slices.Insert(s.fresh, 0, h)
		return
	}
	*queue = append(*queue, h)
}

// remove takes a claim out of its queue.
func (s *Slots) remove(h *Slot) {
	h.queued = false
	s.waiting.Add(-1)
	for _, queue := range []*[]*Slot{&s.fresh, &s.spent} {
		if i := slices.Index(*queue, h); i >= 0 {
			*queue = slices.Delete(*queue, i, i+1)
			return
		}
	}
}

// pass gives one slot to the next claim, or back to the free ones.
func (s *Slots) pass() {
	var next *Slot
	switch {
	case len(s.fresh) > 0 && (len(s.spent) == 0 || s.streak < freshStreak || s.fresh[0].urgent):
		next = s.fresh[0]
		s.streak++
	case len(s.spent) > 0:
		next = s.spent[0]
		s.streak = 0
	default:
		s.free++
		return
	}
	s.remove(next)
	next.ready <- struct{}{}
}
