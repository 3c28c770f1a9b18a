package lua

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/lua/internal/loopgen"
)

// TestDebugLoopIsFresh: loop_debug.go is what go generate makes of loop.go, so
// the two loops differ in the look at the debugger only.
func TestDebugLoopIsFresh(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("loop.go")
	if err != nil {
		t.Fatal(err)
	}
	want, err := loopgen.Generate(string(src))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("loop_debug.go")
	if err != nil || string(got) != want {
		t.Error("loop_debug.go is stale: run go generate in lua")
	}
}

// trace continues from stop to stop and returns "line reason" of each.
func trace(t *testing.T, st *State, out Outcome) (string, Outcome) {
	t.Helper()
	var at []string
	for len(out.Stopped) > 0 && len(at) < 100 {
		s := out.Stopped[0]
		at = append(at, fmt.Sprint(s.Line))
		out = st.Continue(s.Fiber)
	}
	return strings.Join(at, " "), out
}

func TestBreakpoints(t *testing.T) {
	t.Parallel()
	const src = `local n = 0
local function add(x)
  n = n + x
  return n
end
for i = 1, 3 do
  add(i)
end
-- no code here

local co = coroutine.wrap(function(a)
  local b = coroutine.yield(a)
  return b
end)
co(1) co(2)
local ok = pcall(function()
  error("e")
end)
return table.concat({1, add(0)}, ","), (("x"):gsub(".", function(c)
  return c .. c
end))
`
	tests := []struct {
		lines []int
		want  string
	}{
		{nil, ""},
		{[]int{1}, "1"},
		{[]int{3}, "3 3 3 3"},
		{[]int{7}, "7 7 7"},
		{[]int{4, 7}, "7 4 7 4 7 4 4"},
		{[]int{6}, "6"},
		{[]int{9}, "11"},
		{[]int{12, 13}, "12 13"},
		{[]int{17}, "17"},
		{[]int{20}, "20"},
		{[]int{1000}, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.lines), func(t *testing.T) {
			t.Parallel()
			st, _ := newHostState(t, Options{})
			d := st.Debugger()
			d.Attach()
			d.SetBreakpoints("=test", tt.lines...)
			got, out := trace(t, st, st.Run(mustLoad(t, st, src), nil, RunOptions{}))
			if end := show(st, out.Main()); got != tt.want || end != "1,6 xx" {
				t.Errorf("stopped at %q, want %q; result %q", got, tt.want, end)
			}
		})
	}
}

func TestBreakpointsInNestedRunsAndGC(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	st.Debugger().Attach()
	st.Debugger().SetBreakpoints("=test", 2)
	got, out := trace(t, st, st.Run(mustLoad(t, st, "local function f()\nreturn 1\nend\nsetmetatable({}, {__gc = f}) collectgarbage() nest(f) return f()"), nil, RunOptions{}))
	if got != "2" || show(st, out.Main()) != "1" {
		t.Errorf("stopped at %q, %s", got, show(st, out.Main()))
	}
}

func TestStackAndVariables(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	st.Debugger().Attach()
	st.Debugger().SetBreakpoints("=test", 4)
	out := st.Run(mustLoad(t, st, `local up = "u"
local function inner(a, ...)
  local b = a + 1
  up = b
  local later = 1
end
local co = coroutine.wrap(function() inner(1, "x", "y") end)
local function outer() co() return 1 end
pcall(outer)
return up`), nil, RunOptions{})
	if len(out.Stopped) != 1 || len(out.Suspended) != 0 || out.Main() != nil {
		t.Fatalf("%+v", out)
	}
	f := out.Stopped[0].Fiber
	var text []string
	for _, x := range st.Stack(f) {
		line := fmt.Sprintf("%s %s:%d", x.Function, x.Chunk, x.Line)
		for _, v := range append(x.Locals(), x.Upvalues()...) {
			if !v.Value.IsFunction() && v.Name != "_ENV" {
				line += " " + v.Name + "=" + st.ToStringRaw(v.Value)
			}
		}
		text = append(text, line)
	}
	want := `inner =test:4 a=1 b=2 (vararg)=x (vararg)=y up=u
 =test:7
outer =test:8
pcall :-1
main chunk =test:9 up=u`
	got := strings.Join(text, "\n")
	if i := strings.Index(got, "\n"); i < 0 || strings.ReplaceAll(got, "function <test:7>", "") != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, out := range []Outcome{st.Resume(f, nil), st.ResumeError(f, Nil)} {
		if out.Ended[0].Err == nil || !strings.Contains(out.Ended[0].Err.Message, "debugger") {
			t.Errorf("a stopped fiber resumes: %+v", out)
		}
	}
	if out = st.Continue(f); show(st, out.Main()) != "2" {
		t.Errorf("result %s", show(st, out.Main()))
	}
	if out = st.Continue(f); out.Ended[0].Err == nil {
		t.Error("a fiber that is not stopped goes on")
	}
}

// TestPause: another goroutine attaches and pauses a running state, takes the
// debugger off, and the state goes on in the ordinary loop.
func TestPause(t *testing.T) {
	t.Parallel()
	slices := make(chan func(), 1)
	st, _ := newHostState(t, Options{Slice: func() {
		select {
		case f := <-slices:
			f()
		default:
		}
	}})
	paused := make(chan struct{})
	go func() {
		defer close(paused)
		st.Debugger().Attach()
		st.Debugger().Pause()
	}()
	out := st.Run(mustLoad(t, st, "local n = 0\nwhile not done do\nn = n + 1\nend\nreturn n > 0"), nil, RunOptions{})
	<-paused
	if len(out.Stopped) != 1 || out.Stopped[0].Reason != StoppedPause {
		t.Fatalf("%+v", out)
	}
	f := out.Stopped[0].Fiber
	if vars := st.Stack(f)[0].Locals(); len(vars) > 1 {
		t.Errorf("%+v", vars)
	}
	if err := st.RawSet(st.Globals(), st.NewString("done"), Boolean(true)); err != nil {
		t.Fatal(err)
	}
	slices <- st.Debugger().Detach
	if out = st.Continue(f); show(st, out.Main()) != "true" {
		t.Errorf("%s", show(st, out.Main()))
	}
	if st.inDebug {
		t.Error("still in the debug loop")
	}
}

func TestStoppedFiberEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*State, Fiber) Outcome{
		"cancel":    (*State).Cancel,
		"stop":      func(s *State, _ Fiber) Outcome { return s.Stop(StopInterrupt) },
		"interrupt": func(s *State, f Fiber) Outcome { s.Interrupt(); return s.Continue(f) },
	} {
		st, print := newHostState(t, Options{})
		st.Debugger().Attach()
		st.Debugger().SetBreakpoints("=test", 2)
		out := st.Run(mustLoad(t, st, "local x <close> = setmetatable({}, {__close = function() print('closed') end})\nprint('on')"), nil, RunOptions{})
		out = end(st, out.Stopped[0].Fiber)
		if e := out.Main(); e == nil || e.Err == nil {
			t.Errorf("%s: %+v", name, out)
		}
		if want := map[string]string{"cancel": "closed\n"}[name]; print.String() != want {
			t.Errorf("%s: printed %q", name, print.String())
		}
		if e, _ := runLimited(t, st, "return 1", RunOptions{}); show(st, e) != "1" {
			t.Errorf("%s: afterwards %s", name, show(st, e))
		}
	}
}

// BenchmarkDebugger compares the loop without debugger, with one that was
// detached again, and the debug loop.
func BenchmarkDebugger(b *testing.B) {
	for _, mode := range []string{"never", "detached", "attached"} {
		b.Run(mode, func(b *testing.B) {
			st, _ := newHostState(b, Options{})
			if mode != "never" {
				st.Debugger().Attach()
				st.Debugger().SetBreakpoints("=test", 100)
			}
			if mode == "detached" {
				st.Debugger().Detach()
			}
			fn := mustLoad(b, st, "local s = 0 for i = 1, 1e6 do s = s + i % 7 end return s")
			for b.Loop() {
				st.Run(fn, nil, RunOptions{})
			}
		})
	}
}
