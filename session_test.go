package llmspell_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
)

func TestSession(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	s, err := k.NewSession(t.Context(), llmspell.SessionParams{Name: "mine", Metadata: map[string]any{"a": 1}})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, "n = 1; function inc() n = n + 1; return n end")
	if r := execute(t, s, "return inc()"); r.String() != "2" || r.SessionID != s.ID() {
		t.Errorf("got %+v", r)
	}
	if _, err := s.Execute(t.Context(), "error('x')"); err == nil {
		t.Error("no error")
	}
	if r := execute(t, s, "return inc()"); r.String() != "3" {
		t.Errorf("after an error: %s", r)
	}
	info := s.Info()
	if info.Name != "mine" || info.State != "idle" || info.ExecutionCount != 4 || info.LastActivity.Before(info.CreatedAt) {
		t.Errorf("info %+v", info)
	}
	if found, err := k.Session(t.Context(), s.ID()); err != nil || found != s {
		t.Errorf("look-up: %v", err)
	}
	c, err := s.Complete(t.Context(), "€ = in", 6)
	if err != nil || !slices.Contains(c.Matches, "inc") || c.Start != 4 || c.End != 6 {
		t.Errorf("completion %+v, %v", c, err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Execute(t.Context(), "return 1"); !errors.Is(err, llmspell.ErrClosed) {
		t.Errorf("closed session: %v", err)
	}
	if _, err := k.Session(t.Context(), s.ID()); !errors.Is(err, llmspell.ErrNotFound) {
		t.Errorf("look-up of a closed session: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestSessionParamsAreChecked(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime.sessions]\nmax_sessions = 1")
	for name, c := range map[string]struct {
		p    llmspell.SessionParams
		code fault.Code
		text string
	}{
		"durable": {llmspell.SessionParams{Durable: true}, fault.ComponentDisabled, "durable sessions are not available in this version"},
		"tenant":  {llmspell.SessionParams{Tenant: "No!"}, fault.InvalidArgument, "tenant"},
		"name":    {llmspell.SessionParams{Name: strings.Repeat("n", 300)}, fault.InvalidArgument, "name"},
	} {
		if _, err := k.NewSession(t.Context(), c.p); fault.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newSession(t, k)
	if _, err := k.NewSession(t.Context(), llmspell.SessionParams{}); fault.CodeOf(err) != fault.QuotaExceeded {
		t.Errorf("second session: %v", err)
	}
	s.Close(t.Context())
	newSession(t, k)
}

func TestIdleSessionsExpire(t *testing.T) {
	t.Parallel()
	p := newParts(t, "[runtime.sessions]\nsession_timeout_seconds = 60")
	synctest.Test(t, func(t *testing.T) {
		k := p.open(t)
		idle, used := newSession(t, k), newSession(t, k)
		for range 3 {
			time.Sleep(25 * time.Second)
			execute(t, used, "return 1")
		}
		synctest.Wait()
		if _, err := k.Session(t.Context(), idle.ID()); !errors.Is(err, llmspell.ErrNotFound) {
			t.Errorf("idle session after 75 s: %v", err)
		}
		if _, err := k.Session(t.Context(), used.ID()); err != nil {
			t.Errorf("used session: %v", err)
		}
		if _, err := idle.Execute(t.Context(), "return 1"); !errors.Is(err, llmspell.ErrClosed) {
			t.Errorf("expired session executes: %v", err)
		}
		k.Close()
	})
}

func TestTenantsDoNotSeeOneAnother(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	s, err := k.NewSession(t.Context(), llmspell.SessionParams{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := k.Run(t.Context(), llmspell.Request{Code: "return 1", Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"", "other"} {
		if _, err := k.TenantSession(t.Context(), tenant, s.ID()); !errors.Is(err, llmspell.ErrNotFound) {
			t.Errorf("tenant %q finds the session: %v", tenant, err)
		}
		if _, err := k.Run(t.Context(), llmspell.Request{Code: "return 1", Tenant: tenant, SessionID: s.ID()}); !errors.Is(err, llmspell.ErrNotFound) {
			t.Errorf("tenant %q executes in the session: %v", tenant, err)
		}
		if _, err := k.LookupRun(tenant, r.RunID); !errors.Is(err, llmspell.ErrNotFound) {
			t.Errorf("tenant %q finds the run: %v", tenant, err)
		}
		if len(k.Sessions(tenant)) != 0 || len(k.Runs(tenant)) != 0 {
			t.Errorf("tenant %q lists what is not its own", tenant)
		}
	}
	if _, err := k.LookupRun("acme", r.RunID); err != nil || len(k.Sessions("acme")) != 1 {
		t.Errorf("the owner does not find its own: %v", err)
	}
}

func TestHundredSessions(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	var wg sync.WaitGroup
	for i := range 100 {
		s := newSession(t, k)
		for range 3 {
			wg.Go(func() {
				r, err := s.Execute(t.Context(), fmt.Sprintf("n = (n or 0) + 1; for i = 1, 1000 do end; return %d", i))
				if err != nil || r.String() != fmt.Sprint(i) {
					t.Errorf("session %d: %s, %v", i, r, err)
				}
			})
		}
		wg.Go(func() {
			if r, err := k.Execute(t.Context(), "return n"); err != nil || r.String() != "" {
				t.Errorf("a plain execution sees %q, %v", r, err)
			}
		})
	}
	wg.Wait()
	for _, info := range k.Sessions("") {
		s, _ := k.Session(t.Context(), info.ID)
		if r := execute(t, s, "return n"); r.String() != "3" {
			t.Errorf("session %s counted %s, want 3", info.ID, r)
		}
	}
	if st := k.Stats(); st.ExecutionsRunning != 0 || st.ExecutionsQueued != 0 || st.ExecutionsTotal != 500 || st.Sessions != 100 {
		t.Errorf("stats %+v", st)
	}
}

func TestBusySessionDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime]\nmax_concurrent_scripts = 2")
	greedy, modest := newSession(t, k), newSession(t, k)
	const spin = "local t = os.clock() while os.clock() - t < 0.02 do end"
	var wg sync.WaitGroup
	for range 100 {
		run, err := k.Start(t.Context(), llmspell.Request{Code: spin, SessionID: greedy.ID()})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { run.Wait(context.Background()) })
	}
	execute(t, modest, "return 1")
	if queued := k.Stats().ExecutionsQueued; queued < 50 {
		t.Errorf("only %d of 100 executions still wait when the other session's was done", queued)
	}
	greedy.Close(t.Context())
	wg.Wait()
}

// TestAbandonedStream: an agent whose stream a limit cut off in the script's own
// code, or that was not read to its end, can be asked again in the session.
func TestAbandonedStream(t *testing.T) {
	t.Parallel()
	s := newSession(t, openKernel(t, ""))
	execute(t, s, `a = Agent.create{name="a", model="fake/stream"}`)
	if _, err := s.Run(t.Context(), llmspell.Request{Code: `for c in a:stream("x") do while true do end end`, Timeout: 50 * time.Millisecond}); err == nil {
		t.Fatal("no limit")
	}
	for _, code := range []string{`local next = a:stream("x") return next().text`, `return 1`} {
		eventually(t, "the agent being ready", func() bool { return execute(t, s, `return a:get_state()`).Text == "Ready" })
		execute(t, s, code)
	}
	if got := execute(t, s, `return a:complete("x")`).Text; got != "abc" {
		t.Errorf("got %q", got)
	}
}
