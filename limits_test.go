package llmspell_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
)

// tolerance is how long after its limit an execution may end: 100 ms, and more
// where other tests keep the processors busy.
const tolerance = 500 * time.Millisecond

// keepBusy executes in a session of its own until the test ends, and returns
// the number of executions so far.
func keepBusy(t *testing.T, k *llmspell.Kernel) *atomic.Int64 {
	t.Helper()
	s := newSession(t, k)
	var rounds atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := s.Execute(context.Background(), "return 1"); err != nil {
				t.Errorf("other session: %v", err)
				return
			}
			rounds.Add(1)
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	return &rounds
}

func TestRunawaysEndWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime.security]\nmax_execution_time_ms = 400")
	rounds := keepBusy(t, k)
	for name, code := range map[string]string{
		"loop":        "while true do end",
		"caught loop": "while true do pcall(function() while true do end end) end",
		"pattern":     "return string.find(string.rep('a', 100000), string.rep('a*', 20) .. 'b')",
		"coroutines":  "while true do coroutine.wrap(function() coroutine.yield() end)() end",
	} {
		before, start := rounds.Load(), time.Now()
		_, err := k.Execute(t.Context(), code)
		took := time.Since(start)
		if codeOf(err) != fault.ExecutionTimeout {
			t.Errorf("%s: %v (%s), want a timeout", name, err, codeOf(err))
		}
		if took > 400*time.Millisecond+tolerance {
			t.Errorf("%s: ended after %v", name, took)
		}
		if n := rounds.Load() - before; n < 5 {
			t.Errorf("%s: the other session executed %d times in %v", name, n, took)
		}
	}
}

func TestMemoryBombsEnd(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime.security]\nmax_memory_bytes = 20000000")
	keepBusy(t, k)
	for name, c := range map[string]struct {
		code  string
		codes []fault.Code
	}{
		"string":         {"return ('x'):rep(1 << 40)", []fault.Code{fault.MemoryLimit, fault.ScriptFailed}},
		"doubling":       {"local s = 'x' while true do s = s .. s end", []fault.Code{fault.MemoryLimit}},
		"recursion":      {"local function f() return 1 + f() end return f()", []fault.Code{fault.ScriptFailed, fault.MemoryLimit}},
		"table":          {"local t = {} while true do t[#t + 1] = {} end", []fault.Code{fault.MemoryLimit}},
		"stubborn table": {"local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end", []fault.Code{fault.MemoryLimit}},
	} {
		_, err := k.Execute(t.Context(), c.code)
		if !slices.Contains(c.codes, codeOf(err)) {
			t.Errorf("%s: %v (%s), want one of %v", name, err, codeOf(err), c.codes)
		}
	}
	if r := execute(t, k, "return 1"); r.String() != "1" {
		t.Errorf("afterwards: %s", r)
	}
}

func TestInterrupts(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	for name, code := range map[string]string{
		"loop":      "started = true while true do end",
		"pcall":     "while true do pcall(error) end",
		"host call": "return Agent.query('x', {model = 'fake/slow'})",
		"sort":      "local t = {} for i = 1, 100000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end",
	} {
		s := newSession(t, k)
		for _, by := range []string{"context", "session", "close"} {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				_, err := s.Execute(ctx, code)
				ended <- err
			}()
			eventually(t, "start", func() bool { return s.Info().State == "busy" && k.Stats().ExecutionsRunning == 1 })
			start := time.Now()
			switch by {
			case "context":
				cancel()
			case "session":
				eventually(t, "interrupt", func() bool { s.Interrupt(); return s.Info().State == "idle" })
			case "close":
				s.Close(t.Context())
			}
			err := <-ended
			if took := time.Since(start); took > 50*time.Millisecond+tolerance {
				t.Errorf("%s by %s: ended after %v", name, by, took)
			}
			if codeOf(err) != fault.Interrupted {
				t.Errorf("%s by %s: %v", name, by, err)
			}
			if by == "context" && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v is not context.Canceled", name, err)
			}
			cancel()
		}
	}
}

func TestTimeLimits(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime.security]\nmax_execution_time_ms = 300")
	for _, c := range []struct{ asked, want time.Duration }{
		{0, 300 * time.Millisecond}, {50 * time.Millisecond, 50 * time.Millisecond}, {time.Hour, 300 * time.Millisecond},
	} {
		start := time.Now()
		_, err := k.Run(t.Context(), llmspell.Request{Code: "while true do end", Timeout: c.asked})
		took := time.Since(start)
		if !errors.Is(err, context.DeadlineExceeded) || codeOf(err) != fault.ExecutionTimeout {
			t.Errorf("asked %v: %v", c.asked, err)
		}
		if took < c.want || took > c.want+tolerance {
			t.Errorf("asked %v: ended after %v, want %v", c.asked, took, c.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := k.Execute(ctx, "while true do end"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
	}
}

func TestOutputIsCapped(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	var streamed counter
	r, err := k.Run(t.Context(), llmspell.Request{Code: "local s = ('x'):rep(1024) for i = 1, 3000 do io.write(s) end", Stdout: &streamed})
	if err != nil || len(r.Output) != 1<<20 || !r.OutputTruncated {
		t.Errorf("%d bytes captured, truncated %t, %v", len(r.Output), r.OutputTruncated, err)
	}
	if streamed != 3000*1024 {
		t.Errorf("%d bytes streamed, want all", streamed)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func TestTotalMemoryIsShared(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime]\nmax_total_memory_bytes = 30000000\n[runtime.security]\nmax_memory_bytes = 50000000")
	s := newSession(t, k)
	execute(t, s, "keep = ('x'):rep(28000000)")
	if used := k.Stats().ScriptHeapBytes; used < 28000000 {
		t.Errorf("script heaps count %d bytes", used)
	}
	if _, err := k.Execute(t.Context(), "return 1"); fault.CodeOf(err) != fault.Overloaded {
		t.Errorf("above 90 %%: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, k, "return 1")
}

// TestPlainRunIsCheap guards the cost of POST /execute of "return 42".
func TestPlainRunIsCheap(t *testing.T) {
	k := openKernel(t, "")
	ctx := context.Background()
	run := func() {
		if _, err := k.Execute(ctx, "return 42"); err != nil {
			t.Fatal(err)
		}
	}
	run()
	const limit = 400
	if n := testing.AllocsPerRun(100, run); n > limit {
		t.Errorf("%v allocations, limit %d", n, limit)
	}
	goroutines := runtime.NumGoroutine()
	for range 100 {
		run()
	}
	if n := runtime.NumGoroutine(); n > goroutines+1 {
		t.Errorf("%d goroutines after 100 executions, %d before", n, goroutines)
	}
}

func BenchmarkExecute(b *testing.B) {
	k := openKernel(b, "")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Execute(b.Context(), "return 42"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSessionExecute(b *testing.B) {
	k := openKernel(b, "")
	s := newSession(b, k)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Execute(b.Context(), "return 42"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewSession(b *testing.B) {
	k := openKernel(b, "")
	b.ReportAllocs()
	for b.Loop() {
		s := newSession(b, k)
		if err := s.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
