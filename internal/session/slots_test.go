package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// work simulates bytecode: n slices of 25 us with a Yield after each.
func work(t *testing.T, s *Slots, h *Slot, n int) {
	t.Helper()
	if err := h.Acquire(t.Context()); err != nil {
		t.Errorf("Acquire: %v", err)
		return
	}
	defer h.Release()
	for range n {
		time.Sleep(25 * time.Microsecond)
		h.Yield()
	}
}

func TestSlotsRotate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		var wg sync.WaitGroup
		for range 3 { // 100 ms of work each
			wg.Go(func() { work(t, s, s.Slot(), 4000) })
		}
		time.Sleep(4 * Slice) // all of them have used up one
		begin := time.Now()
		wg.Go(func() { work(t, s, s.Slot(), 10) })
		synctest.Wait()
		for s.Waiting() == 3 {
			time.Sleep(Slice / 4)
		}
		if took := time.Since(begin); took > 2*Slice {
			t.Errorf("a short script waited %v behind three busy ones, want at most %v", took, 2*Slice)
		}
		wg.Wait()
		if s.free != 1 || s.Waiting() != 0 {
			t.Errorf("%d free, %d waiting, want 1 and 0", s.free, s.Waiting())
		}
	})
}

// TestLongScriptsAreNotStarved: a stream of short executions leaves every fifth
// turn to a long one.
func TestLongScriptsAreNotStarved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		var wg sync.WaitGroup
		begin := time.Now()
		var took time.Duration
		wg.Go(func() {
			work(t, s, s.Slot(), 800) // 20 ms
			took = time.Since(begin)
		})
		for range 8 { // each comes back at once with a slice of work
			wg.Go(func() {
				h := s.Slot()
				for range 100 {
					if err := h.Acquire(t.Context()); err != nil {
						t.Error(err)
						return
					}
					time.Sleep(Slice)
					h.Release()
				}
			})
		}
		wg.Wait()
		if limit := 10 * (freshStreak + 2) * Slice; took > limit {
			t.Errorf("20 ms of work took %v among short executions, want at most %v", took, limit)
		}
	})
}

func TestSlotsAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(2)
		a, b, c := s.Slot(), s.Slot(), s.Slot()
		for _, h := range []*Slot{a, b} {
			if err := h.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("third Acquire: %v, want the context's error", err)
		}
		a.Release()
		if err := c.Acquire(t.Context()); err != nil {
			t.Error(err)
		}
		b.Release()
		c.Release()
		if s.free != 2 {
			t.Errorf("%d free, want 2", s.free)
		}
	})
}

// TestUrgentOvertake: an interrupted execution, and one past its deadline, get
// the next slot however many wait.
func TestUrgentOvertake(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(h *Slot){
		"interrupt": func(h *Slot) {
			h.Begin(time.Time{})
			time.AfterFunc(50*time.Millisecond, h.Hurry)
		},
		"deadline": func(h *Slot) { h.Begin(time.Now().Add(50 * time.Millisecond)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := NewSlots(1)
				var wg sync.WaitGroup
				h := s.Slot()
				begin(h)
				start := time.Now()
				wg.Go(func() {
					if err := h.Acquire(t.Context()); err != nil {
						t.Error(err)
						return
					}
					defer h.Release()
					for time.Since(start) < 50*time.Millisecond {
						time.Sleep(25 * time.Microsecond)
						h.Yield()
					}
					if took := time.Since(start); took > 50*time.Millisecond+2*Slice {
						t.Errorf("ended after %v", took)
					}
				})
				synctest.Wait()
				for range 100 { // a rotation takes 200 ms
					wg.Go(func() { work(t, s, s.Slot(), 800) })
				}
				wg.Wait()
			})
		})
	}
}

func TestSlotsUnderLoad(t *testing.T) {
	t.Parallel()
	const n = 2
	s := NewSlots(n)
	var mu sync.Mutex
	inside := 0
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			h := s.Slot()
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if (g+i)%3 == 0 {
					cancel()
				}
				err := h.Acquire(ctx)
				cancel()
				if err != nil {
					continue
				}
				mu.Lock()
				if inside++; inside > n {
					t.Errorf("%d hold one of %d slots", inside, n)
				}
				inside--
				mu.Unlock()
				h.Yield()
				h.Release()
			}
		})
	}
	wg.Wait()
	if s.free != n || s.Waiting() != 0 {
		t.Errorf("%d free, %d waiting", s.free, s.Waiting())
	}
}
