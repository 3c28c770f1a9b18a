package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmspell/llmspell/fault"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// log records the order in which executions ran.
type log struct {
	mu      sync.Mutex
	entries []string
}

func (l *log) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, s)
}

func (l *log) index(s string) int { return slices.Index(l.entries, s) }

// run enters, works for d and leaves, on a goroutine of its own.
func run(t *testing.T, wg *sync.WaitGroup, q *Queue, lane *Lane, d time.Duration, done func()) {
	t.Helper()
	wg.Go(func() {
		if err := q.Enter(t.Context(), lane); err != nil {
			t.Errorf("Enter: %v", err)
			return
		}
		defer q.Leave(lane)
		time.Sleep(d)
		done()
	})
	synctest.Wait()
}

func TestSerialLaneKeepsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, lane := NewQueue(Limits{Concurrent: 8}), NewLane(true)
		var wg sync.WaitGroup
		var l log
		for i := range 5 {
			run(t, &wg, q, lane, time.Second, func() { l.add(fmt.Sprint(i)) })
		}
		begin := time.Now()
		wg.Wait()
		if want := []string{"0", "1", "2", "3", "4"}; !slices.Equal(l.entries, want) {
			t.Errorf("order %v, want %v", l.entries, want)
		}
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("took %v, want 5 s: one after the other", took)
		}
	})
}

func TestLanesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, greedy, modest := NewQueue(Limits{Concurrent: 1}), NewLane(true), NewLane(true)
		var wg sync.WaitGroup
		var l log
		for i := range 100 {
			run(t, &wg, q, greedy, time.Second, func() { l.add(fmt.Sprint(i)) })
		}
		run(t, &wg, q, modest, time.Second, func() { l.add("modest") })
		wg.Wait()
		if at := l.index("modest"); at > 2 {
			t.Errorf("the other session ran after %d of 100 executions, want at most 2", at)
		}
	})
}

func TestOpenLaneRunsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, plain := NewQueue(Limits{Concurrent: 4, PerLane: 1}), NewLane(false)
		var wg sync.WaitGroup
		begin := time.Now()
		for range 8 {
			run(t, &wg, q, plain, time.Second, func() {})
		}
		if running, waiting := q.Load(); running != 4 || waiting != 4 {
			t.Errorf("%d run and %d wait, want 4 and 4", running, waiting)
		}
		wg.Wait()
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("took %v, want 2 s", took)
		}
	})
}

func TestQueueLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, a, b := NewQueue(Limits{Concurrent: 1, PerLane: 2, Total: 3}), NewLane(true), NewLane(true)
		var wg sync.WaitGroup
		for range 3 { // one runs, two wait
			run(t, &wg, q, a, time.Second, func() {})
		}
		wantOverloaded(t, q.Enter(t.Context(), a), "kernel.max_queue")
		run(t, &wg, q, b, time.Second, func() {})
		wantOverloaded(t, q.Enter(t.Context(), b), "kernel.max_queue_total")
		wg.Wait()
	})
}

func wantOverloaded(t *testing.T, err error, key string) {
	t.Helper()
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code != fault.Overloaded || e.RetryAfterMS == 0 {
		t.Fatalf("got %v, want overloaded with a retry time", err)
	}
	if want := fmt.Sprintf("too many waiting executions (%s = ", key); e.Message[:len(want)] != want {
		t.Errorf("message %q does not name %s", e.Message, key)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, lane := NewQueue(Limits{Concurrent: 1}), NewLane(true)
		var wg sync.WaitGroup
		run(t, &wg, q, lane, time.Minute, func() {})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Enter(ctx, lane); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		ticket, err := q.Go(lane, func(error) { t.Error("withdrawn execution started") })
		if err != nil || ticket == nil {
			t.Fatalf("Go: %v, %v", ticket, err)
		}
		if !q.Withdraw(ticket) || q.Withdraw(ticket) {
			t.Error("Withdraw: want true, then false")
		}
		if _, waiting := q.Load(); waiting != 0 {
			t.Errorf("%d wait, want none", waiting)
		}
		wg.Wait()
	})
}

func TestRefuseLetsWaitersRunAndCloseEndsThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, lane, other := NewQueue(Limits{Concurrent: 1}), NewLane(true), NewLane(true)
		stop := errors.New("stop")
		var wg sync.WaitGroup
		var l log
		run(t, &wg, q, lane, time.Second, func() { l.add("running") })
		run(t, &wg, q, lane, time.Second, func() { l.add("waiting") })
		q.Refuse(stop)
		if err := q.Enter(t.Context(), other); err != stop {
			t.Errorf("Enter after Refuse: %v", err)
		}
		if err := q.AwaitIdle(t.Context()); err != nil || len(l.entries) != 2 {
			t.Errorf("AwaitIdle: %v after %v", err, l.entries)
		}
		wg.Wait()
	})
	synctest.Test(t, func(t *testing.T) {
		q, lane := NewQueue(Limits{Concurrent: 1}), NewLane(true)
		stop := errors.New("stop")
		var wg sync.WaitGroup
		run(t, &wg, q, lane, time.Second, func() {})
		got := make(chan error, 2)
		wg.Go(func() { got <- q.Enter(t.Context(), lane) }) // waits in a lane that is out of turn
		synctest.Wait()
		if _, err := q.Go(lane, func(err error) { got <- err }); err != nil {
			t.Fatal(err)
		}
		q.Close(stop)
		for range 2 {
			if err := <-got; err != stop {
				t.Errorf("got %v, want Close's error", err)
			}
		}
		wg.Wait()
	})
}

func TestCloseLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, lane, other := NewQueue(Limits{Concurrent: 1}), NewLane(true), NewLane(true)
		gone := errors.New("gone")
		var wg sync.WaitGroup
		run(t, &wg, q, other, time.Second, func() {})
		got := make(chan error, 1)
		if _, err := q.Go(lane, func(err error) { got <- err }); err != nil {
			t.Fatal(err)
		}
		q.CloseLane(lane, gone)
		if err := <-got; err != gone {
			t.Errorf("waiting execution got %v", err)
		}
		if err := q.Enter(t.Context(), lane); err != gone {
			t.Errorf("new execution got %v", err)
		}
		if err := q.Enter(t.Context(), other); err != nil {
			t.Errorf("other lane: %v", err)
		}
		q.Leave(other)
		wg.Wait()
	})
}

// TestQueueUnderLoad checks the invariants while many goroutines enter, give up
// and leave.
func TestQueueUnderLoad(t *testing.T) {
	t.Parallel()
	const concurrent = 3
	q := NewQueue(Limits{Concurrent: concurrent})
	lanes := []*Lane{NewLane(true), NewLane(true), NewLane(false)}
	inside := make([]int, len(lanes))
	var mu sync.Mutex
	total := 0
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range 50 {
				n := (g + i) % len(lanes)
				ctx, cancel := context.WithCancel(t.Context())
				if i%5 == 0 {
					cancel()
				}
				err := q.Enter(ctx, lanes[n])
				cancel()
				if err != nil {
					continue
				}
				mu.Lock()
				inside[n]++
				total++
				if total > concurrent || (lanes[n].serial && inside[n] > 1) {
					t.Errorf("%d admitted, %d in lane %d", total, inside[n], n)
				}
				mu.Unlock()
				mu.Lock()
				inside[n]--
				total--
				mu.Unlock()
				q.Leave(lanes[n])
			}
		})
	}
	wg.Wait()
	if running, waiting := q.Load(); running != 0 || waiting != 0 || len(q.ring) != 0 || len(q.lanes) != 0 {
		t.Errorf("left behind: %d running, %d waiting, ring %v, lanes %v", running, waiting, q.ring, q.lanes)
	}
}
