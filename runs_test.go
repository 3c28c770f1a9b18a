package llmspell

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func endedRunOf(t *testing.T, g *runRegistry, id, tenant string, result Result, now time.Time) {
	t.Helper()
	r := newTestRun(t)
	r.id, r.tenant = id, tenant
	r.ended = func(r *Run) { g.retire(r, now) }
	g.add(r)
	r.finish(result, nil)
}

func TestRunsAreForgottenByAge(t *testing.T) {
	t.Parallel()
	g, now := newRunRegistry(), time.Now()
	endedRunOf(t, g, "a", "acme", Result{}, now)
	if _, err := g.lookup("acme", "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.lookup("other", "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another tenant's run: %v, want not found", err)
	}
	if left := g.expire(now.Add(keepRuns - 1)); !left {
		t.Error("forgotten too early")
	}
	if left := g.expire(now.Add(keepRuns)); left {
		t.Error("kept too long")
	}
	if _, err := g.lookup("acme", "a"); !errors.Is(err, ErrEventsExpired) {
		t.Errorf("forgotten run: %v, want events_expired", err)
	}
	if _, err := g.lookup("other", "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another tenant's forgotten run: %v, want not found", err)
	}
}

func TestRunsAreForgottenByNumberAndSize(t *testing.T) {
	t.Parallel()
	g, now := newRunRegistry(), time.Now()
	for i := range maxEndedRuns + maxForgotten + 50 {
		endedRunOf(t, g, fmt.Sprint(i), "acme", Result{}, now)
	}
	if n := len(g.list("acme")); n != maxEndedRuns {
		t.Errorf("%d runs kept, want %d", n, maxEndedRuns)
	}
	if n := len(g.forgotten); n != maxForgotten {
		t.Errorf("%d ids remembered, want %d", n, maxForgotten)
	}
	if _, err := g.lookup("acme", "0"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the oldest id: %v, want not found", err)
	}
	for i := range 100 {
		endedRunOf(t, g, fmt.Sprintf("big%d", i), "acme", Result{Output: strings.Repeat("x", maxOutput)}, now)
	}
	if g.size > maxEndedSize {
		t.Errorf("%d bytes kept, limit %d", g.size, maxEndedSize)
	}
}

func TestLivingRunsAreKept(t *testing.T) {
	t.Parallel()
	g := newRunRegistry()
	r := newTestRun(t)
	g.add(r)
	g.expire(time.Now().Add(time.Hour))
	if _, err := g.lookup("default", r.id); err != nil {
		t.Error(err)
	}
	if living := g.living(); len(living) != 1 {
		t.Errorf("%d living runs, want 1", len(living))
	}
}

func TestJanitorSweepsWhileThereIsSomethingToDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		work, swept := 3, 0
		j := newJanitor(time.Second, func(time.Time) bool { swept++; work--; return work > 0 })
		j.wake()
		j.wake()
		time.Sleep(time.Minute)
		synctest.Wait()
		if swept != 3 {
			t.Errorf("swept %d times, want 3", swept)
		}
		work = 1
		j.wake()
		j.close()
		j.close()
		j.wake()
		time.Sleep(time.Minute)
		if swept != 3 {
			t.Error("swept after close")
		}
	})
}
