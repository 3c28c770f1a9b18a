package interp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// calling is a module whose functions call the script.
func calling(kept *[]*script.Function) bind.Module {
	fn := script.Param{Name: "fn", Type: script.TypeFunction, Required: true}
	rest := script.Param{Name: "args", Type: script.TypeAny, Variadic: true}
	return bind.Module{Module: script.Module{Name: "Call", Funcs: []script.Func{
		{Name: "now", Blocking: true, Params: []script.Param{fn, rest}, Call: func(ctx context.Context, a script.Args) ([]any, error) {
			defer a.Func(0).Release()
			return a.Func(0).Call(ctx, a.List(1)...)
		}},
		{Name: "inline", Params: []script.Param{fn}, Call: func(ctx context.Context, a script.Args) ([]any, error) {
			defer a.Func(0).Release()
			return a.Func(0).Call(ctx)
		}},
		{Name: "keep", Params: []script.Param{fn}, Call: func(_ context.Context, a script.Args) ([]any, error) {
			*kept = append(*kept, a.Func(0))
			return nil, nil
		}},
		{Name: "kept", Blocking: true, Call: func(ctx context.Context, _ script.Args) ([]any, error) {
			return (*kept)[0].Call(ctx, 7)
		}},
		{Name: "parallel", Blocking: true, Params: []script.Param{{Name: "fns", Type: script.TypeArray, Elem: script.TypeFunction, Required: true}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				out := make([]any, len(a.List(0)))
				var all sync.WaitGroup
				for i, f := range a.List(0) {
					all.Go(func() {
						if v, err := f.(*script.Function).Call(ctx, i); err == nil {
							out[i] = v[0]
						}
					})
				}
				all.Wait()
				return []any{out}, nil
			}},
		{Name: "timeout", Blocking: true, Params: []script.Param{fn}, Call: func(ctx context.Context, a script.Args) ([]any, error) {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			_, err := a.Func(0).Call(ctx)
			return []any{errors.Is(err, context.DeadlineExceeded)}, nil
		}},
	}}}
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	var kept []*script.Function
	in := open(t, interp.Params{Library: library(t, calling(&kept))})
	cases := []struct{ code, want string }{
		{`return Call.now(function(a, b) return a + b, "x", nil end, 1, 2)`, `[3,"x",null]`},
		{`local n = 0 Call.now(function() n = n + 1 end) return n`, `1`},
		{`local ok, e = pcall(Call.now, function() error("plain", 0) end) return ok, e`, `[false,"plain"]`},
		{`local ok, e = pcall(Call.now, function() error{code="c", message="m", x=1} end) return e.code, e.x`, `["c",1]`},
		{`local ok, e = pcall(Call.now, function() Run.fail("mine", "m", {k=1}) end) return e.code, e.details.k, tostring(e)`, `["mine",1,"m [mine]"]`},
		{`return Call.now(function() Run.sleep(1) return Call.now(function() return coroutine.isyieldable() end) end)`, `false`},
		{`local ok, e = pcall(Call.now, coroutine.yield) return ok, e`, `[false,"attempt to yield from outside a coroutine"]`},
		{`local d, f = 0 f = function() d = d + 1 return Call.now(f) end local ok, e = pcall(f) return d, e.code`, `[9,"callback_depth"]`},
		{`return E(Call.inline, print)`, `"invalid_state"`},
		{`local t = {} for i = 1, 5 do t[i] = function(k) Run.sleep(10 - k) return k * k end end return Call.parallel(t)`, `[0,1,4,9,16]`},
		{`local closed = false local r = Call.timeout(function() local c <close> = setmetatable({}, {__close = function() closed = true end}) pcall(Run.sleep, 60000) end) Run.sleep(5) return r, closed`, `[true,true]`},
		{`return Call.now(function() return {a = {1, JSON.null}} end)`, `{"a":[1,null]}`},
		{`return E(Call.now, function() return print end)`, `"not_serializable"`},
		{`Call.keep(function(n) return n * 2 end) return Call.kept()`, `14`},
		{`return Call.kept()`, `14`}, // from an earlier execution of the session
		{`local co = coroutine.wrap(function() return Call.now(function() return 5 end) end) return co()`, `5`},
	}
	for _, c := range cases {
		res, err := in.Execute(t.Context(), interp.Request{Code: prelude + c.code, Run: fixedRun()})
		if err != nil || string(res.Value) != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.code, res.Value, err, c.want)
		}
	}
	if _, err := kept[0].Call(t.Context()); fault.CodeOf(err) != fault.InvalidState {
		t.Errorf("outside a host call: %v", err)
	}
}

func TestPathsOfHostCalls(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var paths []string
	note := func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, gate.Path(ctx))
	}
	fn := script.Param{Name: "fn", Type: script.TypeFunction}
	m := bind.Module{Module: script.Module{Name: "P", Funcs: []script.Func{
		{Name: "inline", Call: func(ctx context.Context, _ script.Args) ([]any, error) { note(ctx); return nil, nil }},
		{Name: "call", Blocking: true, Params: []script.Param{fn}, Call: func(ctx context.Context, a script.Args) ([]any, error) {
			note(ctx)
			if a.Func(0) == nil {
				return nil, nil
			}
			if gate.Covered(gate.WithCovered(ctx, true)) {
				_, err := a.Func(0).Call(gate.WithCovered(ctx, true))
				return nil, err
			}
			return nil, nil
		}},
		{Name: "covered", Call: func(ctx context.Context, _ script.Args) ([]any, error) { return []any{gate.Covered(ctx)}, nil }},
	}}}
	in := open(t, interp.Params{Library: library(t, m)})
	res := run(t, in, `P.inline() P.call() local c P.call(function() c = P.covered() P.call() end) P.call() return c`)
	if got := strings.Join(paths, " "); got != "1 1.1 1.2 2.1 1.3" || res.Text != "false" {
		t.Errorf("paths %s, covered inside a callback %s", got, res.Text)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	waits := bind.Module{Module: script.Module{Name: "W", Funcs: []script.Func{
		{Name: "ever", Blocking: true, Call: func(ctx context.Context, _ script.Args) ([]any, error) { <-ctx.Done(); return nil, ctx.Err() }},
	}}}
	lib := library(t, waits, calling(new([]*script.Function)))
	cases := []struct {
		name, code, want string
		r                interp.Request
		interrupt        bool
	}{
		{name: "loop until the deadline", code: `pcall(function() while true do end end)`, want: "execution_timeout"},
		{name: "host call until the deadline", code: `pcall(W.ever)`, want: "execution_timeout"},
		{name: "callback until the deadline", code: `Call.now(function() while true do pcall(W.ever) end end)`, want: "execution_timeout"},
		{name: "interrupted loop", code: `while true do pcall(error) end`, want: "interrupted", interrupt: true},
		{name: "interrupted host call", code: `pcall(W.ever)`, want: "interrupted", interrupt: true},
		{name: "interrupted pattern", code: `return ("a"):rep(30):find(("a*"):rep(30).."b")`, want: "interrupted", interrupt: true},
		{name: "interrupted callback", code: `Call.now(function() W.ever() end)`, want: "interrupted", interrupt: true},
		{name: "fuel", code: `while true do end`, want: "instruction_limit", r: interp.Request{Fuel: 100_000}},
		{name: "memory bomb", code: `local t = {} while true do pcall(function() for i = 1, math.huge do t[#t + 1] = {i} end end) end`, want: "memory_limit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := open(t, interp.Params{Library: lib, MemoryLimit: 20_000_000})
			c.r.Code, c.r.Run = c.code, fixedRun()
			limit := 100 * time.Millisecond
			if c.interrupt {
				time.AfterFunc(limit, in.Interrupt)
				c.r.Deadline = time.Now().Add(20 * time.Second)
			} else if c.want == "execution_timeout" {
				c.r.Deadline = time.Now().Add(limit)
			}
			start := time.Now()
			_, err := in.Execute(context.Background(), c.r)
			took := time.Since(start)
			e, _ := errors.AsType[*interp.Error](err)
			if e == nil || e.Code != c.want || !e.Limit {
				t.Fatalf("got %v (%+v)", err, e)
			}
			if c.want != "memory_limit" && took > limit+500*time.Millisecond {
				t.Errorf("took %s", took)
			}
			if got := run(t, in, `return 42`); got.Text != "42" {
				t.Errorf("afterwards: %s", got.Text)
			}
		})
	}
}

func TestInterruptWhenIdleIsHarmless(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	in.Interrupt()
	for range 50 {
		if got := run(t, in, `local n = 0 for i = 1, 1000 do n = n + i end return n`); got.Text != "500500" {
			t.Fatal(got.Text)
		}
		in.Interrupt()
	}
}

func TestCancelledContextBeforeStart(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := in.Execute(ctx, interp.Request{Code: `while true do end`})
	if e, _ := errors.AsType[*interp.Error](err); e == nil || e.Code != "interrupted" {
		t.Errorf("got %v", err)
	}
}

func TestExit(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	res, err := in.Execute(t.Context(), interp.Request{Code: `print("a") pcall(os.exit, 3) print("b")`, Run: fixedRun()})
	if err != nil || res.ExitCode == nil || *res.ExitCode != 3 || res.Output != "a\n" {
		t.Errorf("%+v, %v", res, err)
	}
	if got := run(t, in, `return 1`); got.ExitCode != nil || got.Text != "1" {
		t.Errorf("afterwards: %+v", got)
	}
}

// slots is one right to execute, as package session gives it out.
type slots struct {
	held    atomic.Int32
	free    chan struct{}
	problem atomic.Bool
}

func newSlots() *slots { s := &slots{free: make(chan struct{}, 1)}; s.free <- struct{}{}; return s }

func (s *slots) Acquire(ctx context.Context) error {
	select {
	case <-s.free:
		if s.held.Add(1) != 1 {
			s.problem.Store(true)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
func (s *slots) Release() { s.held.Add(-1); s.free <- struct{}{} }
func (s *slots) Yield() {
	if s.held.Load() != 1 {
		s.problem.Store(true)
	}
}

func TestNoSlotIsHeldInsideHostCalls(t *testing.T) {
	t.Parallel()
	s := newSlots()
	check := bind.Module{Module: script.Module{Name: "S", Funcs: []script.Func{{Name: "held", Blocking: true,
		Call: func(context.Context, script.Args) ([]any, error) {
			for range 100 { // the suspension follows the start of the call
				if s.held.Load() == 0 {
					return []any{false}, nil
				}
				time.Sleep(time.Millisecond)
			}
			return []any{true}, nil
		}}}}}
	in := open(t, interp.Params{Library: library(t, check), Slots: s})
	if got := run(t, in, `for i = 1, 1e6 do end return S.held()`); got.Text != "false" || s.problem.Load() || s.held.Load() != 0 {
		t.Errorf("held %s, problem %v, left %d", got.Text, s.problem.Load(), s.held.Load())
	}
	// An execution that waits for a slot ends at its deadline.
	if err := s.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := in.Execute(t.Context(), interp.Request{Code: `return 1`, Deadline: time.Now().Add(10 * time.Millisecond)})
	if e, _ := errors.AsType[*interp.Error](err); e == nil || e.Code != "execution_timeout" {
		t.Errorf("got %v", err)
	}
	s.Release()
}

func TestHandleLimit(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{MaxHandles: 50})
	res := run(t, in, prelude+`local t = {} local function fill() for i = 1, 100 do t[i] = Debug.timer("x") end end
		local code = E(fill) t = {} return code, E(Debug.timer, "again"), E(function() local c = {} for i = 1, 100 do c[i] = coroutine.create(print) end end)`)
	if string(res.Value) != `["handle_limit","ok","handle_limit"]` {
		t.Errorf("got %s", res.Value)
	}
}

func TestLargeResultIsRefused(t *testing.T) {
	t.Parallel()
	big := bind.Module{Module: script.Module{Name: "Big", Funcs: []script.Func{{Name: "get", Blocking: true,
		Call: func(context.Context, script.Args) ([]any, error) { return []any{strings.Repeat("x", 30<<20)}, nil }}}}}
	in := open(t, interp.Params{Library: library(t, big), MemoryLimit: 10 << 20})
	if got := run(t, in, prelude+`return E(Big.get)`); got.Text != "memory_limit" {
		t.Errorf("got %s", got.Text)
	}
}

func TestStdlibLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[lua.Stdlib]string{
		lua.StdlibStandard: `["table","function","function"]`, lua.StdlibBasic: `["nil","nil","function"]`, lua.StdlibNone: `["nil","nil","nil"]`,
	} {
		in := open(t, interp.Params{Stdlib: level})
		if got := run(t, in, `return type(io), type(require), type(load)`); string(got.Value) != want {
			t.Errorf("level %d: %s", level, got.Value)
		}
	}
}

func TestManyInterpretersAtOnce(t *testing.T) {
	t.Parallel()
	lib := library(t)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			in := open(t, interp.Params{Library: lib})
			for k := range 20 {
				code := fmt.Sprintf(`local t = {} for i = 1, %d do t[i] = JSON.parse('{"a":' .. i .. '}').a end Run.sleep(0) return #t`, k+1)
				if got := run(t, in, code); got.Text != fmt.Sprint(k+1) {
					t.Errorf("%d: %s", n, got.Text)
				}
			}
		})
	}
	all.Wait()
}

func TestFinalizersMakeNoHostCalls(t *testing.T) {
	t.Parallel()
	r := fixedRun()
	var calls []string
	r.Gate = gate.New(func(ctx context.Context, c *gate.Call, next gate.Handler) (any, error) {
		calls = append(calls, string(c.Kind))
		return next(ctx, c)
	})
	in, err := interp.New(interp.Params{Library: library(t), System: interp.SystemParams{
		AllowedEnv: []string{"*"}, Getenv: func(string) (string, bool) { calls = append(calls, "env"); return "", false }}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.Execute(t.Context(), interp.Request{Run: r, Code: `
		local function all() pcall(Run.sleep, 1) pcall(Debug.info, "x") pcall(Debug.dump, 1) pcall(os.getenv, "HOME") pcall(io.open, "/x") pcall(require, "x")
			pcall(JSON.parse, "1") pcall(io.read) print("x") local _ = Run.id, os.time(), os.clock() math.randomseed() end
		for i = 1, 3 do keep = setmetatable({keep}, {__gc = all}) end`})
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	if len(calls) > 0 {
		t.Errorf("finalizers reached %v", calls)
	}
}

func TestSessionAtItsMemoryLimitCanBeEmptied(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{MemoryLimit: 5 << 20})
	for _, fill := range []string{`t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end`, `t = {} while true do t = {t, JSON.parse("[1,2,3]")} end`} {
		if _, err := in.Execute(t.Context(), interp.Request{Code: fill, Run: fixedRun()}); err == nil {
			t.Fatal("no limit")
		} else if e, _ := errors.AsType[*interp.Error](err); e.Code != "memory_limit" {
			t.Fatalf("%+v", e)
		}
		if got := run(t, in, `t = nil return ("x"):rep(1 << 20):len()`); got.Text != "1048576" {
			t.Errorf("got %s", got.Text)
		}
	}
}

func TestBombs(t *testing.T) {
	t.Parallel()
	cases := []struct{ code, want string }{
		{`return E(string.rep, "x", 1 << 30)`, `"memory_limit"`},
		{`return E(JSON.parse, ("["):rep(1 << 20))`, `"parse_error"`},
		{`return E(JSON.parse, "[" .. ("[],"):rep(1 << 20) .. "1]")`, `"memory_limit"`},
		{`return E(JSON.parse, '{"a":' .. ('{"b":"' .. ("y"):rep(100) .. '"},'):rep(1 << 15) .. "1}")`, `"parse_error"`},
		{`local function f() return f() + 1 end local ok, e = pcall(f) return type(e) == "string" and e:find("stack overflow") ~= nil`, `true`},
		{`local t = {} for i = 1, 300 do t = {t} end return E(JSON.stringify, t)`, `"not_serializable"`},
		{`local s = ("x"):rep(1 << 20) local t = {} for i = 1, 20 do t[i] = s end return E(JSON.stringify, t)`, `"too_large"`},
		{`local t = {} for i = 1, 100000 do t[i] = i end return #JSON.stringify(t)`, `588896`},
		{`return E(load, ("("):rep(1000)), (load(("("):rep(1000)))`, `["ok",null]`},
	}
	for _, c := range cases {
		in := open(t, interp.Params{MemoryLimit: 30 << 20})
		start := time.Now()
		res, err := in.Execute(t.Context(), interp.Request{Code: prelude + c.code, Run: fixedRun()})
		if err != nil || string(res.Value) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.code, res.Value, err, c.want)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s took %s", c.code, took)
		}
	}
}

// TestInterruptAtAnyMoment: wherever an interrupt or a deadline falls, the
// execution ends and the session goes on.
func TestInterruptAtAnyMoment(t *testing.T) {
	t.Parallel()
	lib := library(t, calling(new([]*script.Function)))
	const code = `local function work() local t = {} for i = 1, 50 do t[i] = JSON.parse('{"a":[1,2]}') end return #t end
		while true do
			pcall(Call.now, function() work() Run.sleep(0.2) return Call.now(function() return pcall(Run.sleep, 0.1) end) end)
			pcall(Call.parallel, {work, function() Run.sleep(0.1) return 1 end, function() error("x") end})
			pcall(table.sort, {3, 1, 2}, function(a, b) Run.sleep(0) return a < b end)
		end`
	var all sync.WaitGroup
	for worker := range 4 {
		in := open(t, interp.Params{Library: lib, MemoryLimit: 20 << 20})
		all.Go(func() {
			for n := range 25 {
				after := time.Duration(worker*37+n*211) * time.Microsecond
				r := interp.Request{Code: code, Run: fixedRun()}
				want := "interrupted"
				if n%2 == 0 {
					r.Deadline, want = time.Now().Add(after), "execution_timeout"
				} else { // one that comes before the execution began does nothing
					r.Deadline = time.Now().Add(time.Second)
					time.AfterFunc(after, in.Interrupt)
				}
				start := time.Now()
				_, err := in.Execute(t.Context(), r)
				if e, _ := errors.AsType[*interp.Error](err); e == nil || e.Code != want && n%2 == 0 {
					t.Errorf("after %s: %v", after, err)
				}
				if took := time.Since(start); took > after+2*time.Second {
					t.Errorf("after %s: took %s", after, took)
				}
				if got := run(t, in, `return Run.sleep(0) or 1`); got.Text != "1" {
					t.Errorf("afterwards: %s", got.Text)
				}
			}
		})
	}
	all.Wait()
}
