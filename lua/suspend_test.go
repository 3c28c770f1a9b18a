package lua

import (
	"fmt"
	"strings"
	"testing"
)

// wait is a host call that suspends with its first argument as token.
var wait = NewFunction("test.wait", func(c *Call) Status {
	token, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	return c.Suspend([]byte(token))
})

// nest calls its argument on the Go stack.
var nest = NewFunction("test.nest", func(c *Call) Status {
	res, ok := c.CallNested(c.Arg(0))
	if !ok {
		return c.Failed()
	}
	for _, v := range res {
		c.Push(v)
	}
	return c.Return()
})

// newHostState returns a state with wait, nest and collected print output.
func newHostState(t testing.TB, o Options) (*State, *memoryFile) {
	t.Helper()
	sys, out := testSystem("")
	o.System = sys
	st, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.RawSet(st.Globals(), st.NewString("wait"), wait.Value()); err != nil {
		t.Fatal(err)
	}
	if err := st.RawSet(st.Globals(), st.NewString("nest"), nest.Value()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st, out
}

func mustLoad(t testing.TB, st *State, src string) Value {
	t.Helper()
	chunk, err := Compile("=test", src, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return st.Load(chunk)
}

// show is the values of a fiber or its error.
func show(st *State, e *Ended) string {
	if e == nil {
		return "waiting"
	}
	if e.Err != nil {
		return "error: " + e.Err.Message
	}
	var parts []string
	for _, v := range e.Values {
		parts = append(parts, st.ToStringRaw(v))
	}
	return strings.Join(parts, " ")
}

// answer resumes every suspension with "<token>" until the run ends and returns
// the tokens.
func answer(t testing.TB, st *State, out Outcome) (string, Outcome) {
	t.Helper()
	var tokens []string
	for out.Main() == nil {
		if len(out.Suspended) == 0 {
			t.Fatal("neither ended nor suspended")
		}
		s := out.Suspended[0]
		tokens = append(tokens, string(s.Token))
		out = st.Resume(s.Fiber, []Value{st.NewString("<" + string(s.Token) + ">")})
	}
	return strings.Join(tokens, ","), out
}

var suspendTests = []struct{ name, src, tokens, want string }{
	{"plain", `return wait("a") .. wait("b"), 3`, "a,b", "<a><b> 3"},
	{"statement", `wait("a") return 1`, "a", "1"},
	{"open results", `return wait("a")`, "a", "<a>"},
	{"in arguments", `return select("#", 1, wait("a"))`, "a", "2"},
	{"pcall", `return pcall(function() return wait("a") end)`, "a", "true <a>"},
	{"pcall of it", `return pcall(wait, "a")`, "a", "true <a>"},
	{"error after", `return pcall(function() wait("a") error("e", 0) end)`, "a", "false e"},
	{"xpcall", `return xpcall(function() wait("a") error("e", 0) end, function(m) return wait("h") .. m end)`, "a,h", "false <h>e"},
	{"index", `return setmetatable({}, {__index = function(_, k) return wait(k) end}).foo`, "foo", "<foo>"},
	{"newindex", `local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, wait(v)) end}) t.x = "a" return t.x`, "a", "<a>"},
	{"arith", `return setmetatable({}, {__add = function() return wait("a") end}) + 1`, "a", "<a>"},
	{"concat", `return "x" .. setmetatable({}, {__concat = function(a, b) return wait("a") end}) .. "y"`, "a", "x<a>"},
	{"eq", `local m = {__eq = function() return wait("a") end} return setmetatable({}, m) == setmetatable({}, m)`, "a", "true"},
	{"lt", `local m = {__lt = function() return wait("a") end} return setmetatable({}, m) < setmetatable({}, m)`, "a", "true"},
	{"call", `return setmetatable({}, {__call = function(_, x) return wait(x) end})("a")`, "a", "<a>"},
	{"iterator", `local r = "" for v in function(_, k) if not k then return wait("a") end end do r = r .. v end return r`, "a", "<a>"},
	{"host iterator", `local n = 0 for v in wait, "a" do n = n + 1 if n == 3 then return v, n end end`, "a,a,a", "<a> 3"},
	{"close", `local r do local x <close> = setmetatable({}, {__close = function() r = wait("a") end}) end return r`, "a", "<a>"},
	{"close in return", `local function f() local x <close> = setmetatable({}, {__close = function() wait("a") end}) return 1, 2 end return f()`, "a", "1 2"},
	{"close in error", `local r = {pcall(function() local x <close> = setmetatable({}, {__close = function() wait("a") end}) error("e", 0) end)} return r[2]`, "a", "e"},
	{"coroutine", `local co = coroutine.wrap(function() coroutine.yield(wait("a")) return wait("b") end) return co() .. co()`, "a,b", "<a><b>"},
	{"nested coroutines", `return coroutine.wrap(function() return coroutine.wrap(function() return wait("a") end)() .. wait("b") end)()`, "a,b", "<a><b>"},
	{"tostring", `return tostring(setmetatable({}, {__tostring = function() return wait("a") end}))`, "a", "<a>"},
	{"print", `print(setmetatable({}, {__tostring = function() return wait("a") end})) return 1`, "a", "1"},
	{"pairs", `for k in pairs(setmetatable({}, {__pairs = function() wait("a") return next, {x = 1} end})) do return k end`, "a", "x"},
	{"ipairs", `for i, v in ipairs(setmetatable({}, {__index = function(_, i) if i < 3 then return wait("i" .. i) end end})) do if i == 2 then return v end end`, "i1,i2", "<i2>"},
	{"tail call", `return (function() return wait("a") end)()`, "a", "<a>"},
	{"nested run", `return pcall(nest, function() wait("a") end)`, "", "false attempt to suspend across 'nest'"},
	{"nested coroutine", `return pcall(nest, coroutine.wrap(function() wait("a") end))`, "", "false attempt to suspend across 'nest'"},
	{"nested yield", `return coroutine.wrap(function() return pcall(nest, coroutine.yield) end)()`, "", "false attempt to yield across a C-call boundary"},
	{"nested results", `return nest(function() return 1, 2 end)`, "", "1 2"},
	{"gc", `do local x = setmetatable({}, {__gc = function() R, E = pcall(wait, "a") end}) end collectgarbage() return R, E`, "", "false attempt to suspend across '__gc'"},
}

// suspendResult is what a test ended with, without the position of its error.
func suspendResult(st *State, out Outcome) string {
	got := show(st, out.Main())
	if i := strings.Index(got, ":1: "); i >= 0 {
		got = got[:strings.LastIndex(got[:i], " ")+1] + got[i+4:]
	}
	return got
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	for _, mode := range []testSwitches{{}, {slice: 1, tightStack: true, walkAlways: true}} {
		for _, tt := range suspendTests {
			t.Run(fmt.Sprintf("%s/%v", tt.name, mode.tightStack), func(t *testing.T) {
				t.Parallel()
				st, _ := newHostState(t, Options{test: mode})
				tokens, out := answer(t, st, st.Run(mustLoad(t, st, tt.src), nil, RunOptions{}))
				got := suspendResult(st, out)
				if tokens != tt.tokens || got != tt.want {
					t.Errorf("tokens %q, got %q; want %q, %q", tokens, got, tt.tokens, tt.want)
				}
			})
		}
	}
}

func TestResumeError(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	out := st.Run(mustLoad(t, st, `local ok, e = pcall(function() return wait("a") end) return ok, e`), nil, RunOptions{})
	out = st.ResumeError(out.Suspended[0].Fiber, st.NewString("bad"))
	if got := show(st, out.Main()); got != "false bad" {
		t.Errorf("got %q", got)
	}
	out = st.Run(mustLoad(t, st, `return wait("a")`), nil, RunOptions{})
	out = st.ResumeError(out.Suspended[0].Fiber, st.NewString("bad"))
	if e := out.Main(); e.Err == nil || e.Err.Message != "bad" || !strings.Contains(e.Err.Traceback, "test:1: in main chunk") {
		t.Errorf("got %+v", e.Err)
	}
}

func TestFibers(t *testing.T) {
	t.Parallel()
	st, print := newHostState(t, Options{})
	out := st.Run(mustLoad(t, st, `
		function job(name) local v = wait(name) print(name, v, coroutine.isyieldable(), pcall(coroutine.yield)) return v end
		return wait("main")`), nil, RunOptions{})
	main := out.Suspended[0].Fiber
	job := st.RawGetString(st.Globals(), "job")
	f1, _ := st.Spawn(job, []Value{st.NewString("one")})
	f2, out := st.Spawn(job, []Value{st.NewString("two")})
	if len(out.Suspended) != 3 || out.Suspended[0].Fiber != main || f1 >= f2 {
		t.Fatalf("suspended: %+v", out.Suspended)
	}
	out = st.Resume(f2, []Value{Integer(2)})
	if len(out.Ended) != 1 || out.Ended[0].Fiber != f2 || show(st, &out.Ended[0]) != "2" {
		t.Fatalf("ended: %+v", out.Ended)
	}
	out = st.Resume(f1, []Value{Integer(1)})
	out = st.Resume(main, []Value{Integer(0)})
	if got := show(st, out.Main()); got != "0" || len(out.Suspended) != 0 {
		t.Errorf("main: %q, suspended %v", got, out.Suspended)
	}
	want := "two\t2\tfalse\tfalse\tattempt to yield from outside a coroutine\n" +
		"one\t1\tfalse\tfalse\tattempt to yield from outside a coroutine\n"
	if print.String() != want {
		t.Errorf("printed %q", print.String())
	}
	if out := st.Resume(main, nil); out.Ended[0].Err == nil {
		t.Error("resuming a dead fiber works")
	}
}

func TestMainEndDropsFibers(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	out := st.Run(mustLoad(t, st, `function job() wait("x") ran = true end return wait("main")`), nil, RunOptions{})
	main := out.Suspended[0].Fiber
	st.Spawn(st.RawGetString(st.Globals(), "job"), nil)
	out = st.Resume(main, nil)
	if out.Main() == nil || len(out.Suspended) != 0 {
		t.Fatalf("%+v", out)
	}
	if !st.RawGetString(st.Globals(), "ran").IsNil() {
		t.Error("a dropped fiber ran on")
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	st, print := newHostState(t, Options{})
	src := `
		local function mk(n) return setmetatable({}, {__close = function(_, e) print("close", n, e) end}) end
		local a <close> = mk("outer")
		print(pcall(function()
			local b <close> = mk("inner")
			coroutine.wrap(function() local c <close> = mk("co") pcall(wait, "x") print("caught") end)()
		end))
		print("not reached")`
	out := st.Run(mustLoad(t, st, src), nil, RunOptions{})
	out = st.Cancel(out.Suspended[0].Fiber)
	if e := out.Main(); e == nil || e.Err == nil {
		t.Fatalf("main: %+v", e)
	}
	if want := "close\tco\tnil\nclose\tinner\tnil\nclose\touter\tnil\n"; print.String() != want {
		t.Errorf("printed %q", print.String())
	}
}

func TestStopKeepsYieldedCoroutines(t *testing.T) {
	t.Parallel()
	st, print := newHostState(t, Options{})
	src := `
		gen = coroutine.wrap(function() local n = 0 while true do n = n + 1 coroutine.yield(n) end end)
		gen()
		running = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() print("close") end}) pcall(wait, "x") print("on") end)
		x = 1
		coroutine.resume(running)`
	out := st.Run(mustLoad(t, st, src), nil, RunOptions{})
	out = st.Stop(StopInterrupt)
	if e := out.Main(); e == nil || e.Err == nil || e.Err.Stop != StopInterrupt {
		t.Fatalf("main: %+v", e)
	}
	out = st.Run(mustLoad(t, st, `return gen(), coroutine.status(running), x`), nil, RunOptions{})
	if got := show(st, out.Main()); got != "2 dead 1" || print.String() != "" {
		t.Errorf("got %q, printed %q", got, print.String())
	}
}

func TestExitStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ closing, want string }{{"false", ""}, {"true", "closed\n"}} {
		st, print := newHostState(t, Options{})
		out := st.Run(mustLoad(t, st, `
			local x <close> = setmetatable({}, {__close = function() print("closed") end})
			pcall(function() coroutine.wrap(function() os.exit(3, `+tt.closing+`) end)() end) print("on")`), nil, RunOptions{})
		e := out.Main()
		if e == nil || e.Err == nil || e.Err.Stop != StopExit || e.Err.ExitCode != 3 || print.String() != tt.want {
			t.Errorf("closing %s: %+v, printed %q", tt.closing, e, print.String())
		}
		if got := show(st, st.Run(mustLoad(t, st, "return 1"), nil, RunOptions{}).endOf()); got != "1" {
			t.Errorf("afterwards: %q", got)
		}
	}
}

func (o Outcome) endOf() *Ended { return o.Main() }

func TestGoFunctionPanicBreaksState(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	crash := NewFunction("test.crash", func(*Call) Status { panic("boom") })
	out := st.Run(crash.Value(), nil, RunOptions{})
	if e := out.Main(); e == nil || e.Err == nil || !strings.Contains(e.Err.Message, "internal error: boom") {
		t.Fatalf("%+v", e)
	}
	if e := st.Run(mustLoad(t, st, "return 1"), nil, RunOptions{}).endOf(); e != nil && e.Err == nil {
		t.Error("a broken state runs")
	}
}

func TestContextIsInherited(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	get := NewFunction("test.ctx", func(c *Call) Status {
		s, _ := c.State().Context().(string)
		if c.NArgs() > 0 {
			v, _ := c.CheckString(0)
			c.State().SetContext(v)
		}
		return c.Return1(c.NewString(s))
	})
	_ = st.RawSet(st.Globals(), st.NewString("ctx"), get.Value())
	out := st.Run(mustLoad(t, st, `ctx("a") local co = coroutine.wrap(function() local x = ctx("b") return x .. ctx() end) return co() .. ctx()`), nil, RunOptions{})
	if got := show(st, out.Main()); got != "aba" {
		t.Errorf("got %q", got)
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	r := st.Ref(st.NewString("kept"))
	n := st.Ref(Nil)
	if st.ToStringRaw(st.Deref(r)) != "kept" || !st.Deref(n).IsNil() {
		t.Fatal("wrong values")
	}
	st.Release(n)
	st.Release(r)
	if r2 := st.Ref(Integer(1)); r2 != r {
		t.Errorf("key %d is not used again, got %d", r, r2)
	}
}

func TestFrozen(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{RefusalError: func(s *State, kind, msg string) Value {
		return s.NewString(kind + ": " + msg)
	}})
	tab := st.NewTable(2, 1)
	_ = st.RawSet(tab, Integer(1), Integer(10))
	_ = st.RawSet(tab, st.NewString("x"), Integer(1))
	st.Freeze(tab, "Tab")
	_ = st.RawSet(st.Globals(), st.NewString("Tab"), tab.Value())
	if err := st.RawSet(tab, Integer(1), Nil); err == nil {
		t.Error("RawSet writes a frozen table")
	}
	for _, src := range []string{
		"Tab.x = 2", "Tab.y = 2", "Tab[1] = 2", "Tab[2] = 2", "rawset(Tab, 'x', 2)", "table.insert(Tab, 1)", "table.remove(Tab)",
		"setmetatable(Tab, {})", "local k = 'x' Tab[k] = nil", "table.sort(Tab) Tab[1] = 3",
	} {
		got := show(st, st.Run(mustLoad(t, st, src), nil, RunOptions{}).endOf())
		if got != "error: frozen: attempt to write to a read-only table" {
			t.Errorf("%s: %s", src, got)
		}
	}
	got := show(st, st.Run(mustLoad(t, st, "local n = 0 for k, v in pairs(Tab) do n = n + v end return n, Tab.x, #Tab"), nil, RunOptions{}).endOf())
	if got != "11 1 1" {
		t.Errorf("reading: %s", got)
	}
}

func TestUserdata(t *testing.T) {
	t.Parallel()
	typ := &UserType{
		Name:     "Point",
		Methods:  map[string]*Function{"double": NewFunction("Point.double", func(c *Call) Status { return c.Return1(Integer(2)) })},
		Meta:     []*Function{NewFunction("Point.__len", func(c *Call) Status { return c.Return1(Integer(7)) })},
		Get:      func(c *Call, data any, key string) Value { return c.NewString(fmt.Sprint(data, key)) },
		ToString: func(data any) string { return fmt.Sprint("Point: ", data) },
		Hidden:   true,
	}
	st, _ := newHostState(t, Options{})
	_ = st.RawSet(st.Globals(), st.NewString("p"), st.NewUserdata(typ, 5))
	got := show(st, st.Run(mustLoad(t, st, "return tostring(p), p:double(), p.x, #p, type(p), getmetatable(p)"), nil, RunOptions{}).endOf())
	if got != "Point: 5 2 5x 7 userdata false" {
		t.Errorf("got %q", got)
	}
}
