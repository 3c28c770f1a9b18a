package lua

import (
	"runtime"
	"testing"
)

// TestAllocations counts the allocations of operations that must make none: a
// loop of 1,000 of them may allocate as much as an empty run.
func TestAllocations(t *testing.T) {
	tests := []struct{ name, prepare, loop string }{
		{"call", "local function f(x) return x end", "f(i)"},
		{"vararg call", "local function f(...) return ... end", "f(i, i)"},
		{"host call", "local f = math.abs", "f(i)"},
		{"pcall", "local function f(x) return x end", "pcall(f, i)"},
		{"pcall with error", "local e = {} local function f() error(e) end", "pcall(f)"},
		{"resume and yield", "local co = coroutine.wrap(function() while true do coroutine.yield() end end)", "co()"},
		{"coroutine.resume", "local co = coroutine.create(function() while true do coroutine.yield() end end)", "coroutine.resume(co)"},
		{"metamethod", "local t = setmetatable({}, {__add = function(a, b) return b end, __index = function(t, k) return k end})", "local _ = t + i + t.x"},
		{"method", "local t = setmetatable({}, {__index = {m = function(self) return self end}})", "t:m()"},
		{"field", "local t = {x = 0}", "t.x = t.x + i"},
		{"array", "local t = {0}", "t[1] = t[1] + i"},
		{"numeric string comparison", "local a, b = 'x', 'y'", "local _ = a < b"},
		{"pairs", "local t = {1, 2, x = 3}", "for k, v in pairs(t) do end"},
		{"ipairs", "local t = {1, 2}", "for k, v in ipairs(t) do end"},
	}
	st, _ := newHostState(t, Options{})
	for _, tt := range tests {
		fn := mustLoad(t, st, "local n = ... "+tt.prepare+" for i = 1, n do "+tt.loop+" end")
		count := func(n int64) float64 {
			args := []Value{Integer(n)}
			return testing.AllocsPerRun(20, func() { st.Run(fn, args, RunOptions{}) })
		}
		if few, many := count(10), count(1010); many > few {
			t.Errorf("%s: %v allocations for 10, %v for 1,010", tt.name, few, many)
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	st, _ := newHostState(t, Options{})
	out := st.Run(mustLoad(t, st, "return function(x) return x end"), nil, RunOptions{})
	fn := out.Main().Values[0]
	args := []Value{Integer(1)}
	if n := testing.AllocsPerRun(100, func() { st.Run(fn, args, RunOptions{}) }); n > 1 {
		t.Errorf("a run allocates %v times", n)
	}
}

func TestStateIsSmall(t *testing.T) {
	sys, _ := testSystem("")
	const n = 200
	states := make([]*State, n)
	var before, after runtime.MemStats
	if _, err := New(Options{System: sys}); err != nil { // builds the library
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range states {
		st, err := New(Options{System: sys})
		if err != nil {
			t.Fatal(err)
		}
		states[i] = st
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if size := (after.HeapAlloc - before.HeapAlloc) / n; size > 12<<10 {
		t.Errorf("a state takes %d bytes", size)
	}
	runtime.KeepAlive(states)
}

// TestIdleCoroutinesAreSmall: a suspended coroutine keeps what it uses.
func TestIdleCoroutinesAreSmall(t *testing.T) {
	st, _ := newHostState(t, Options{})
	const n = 5000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e := st.Run(mustLoad(t, st, `keep = {} for i = 1, 5000 do local co = coroutine.create(function(x) coroutine.yield(x) end) coroutine.resume(co, i) keep[i] = co end collectgarbage()`), nil, RunOptions{}).endOf()
	if e.Err != nil {
		t.Fatal(e.Err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if size := (after.HeapAlloc - before.HeapAlloc) / n; size > 800 {
		t.Errorf("an idle coroutine takes %d bytes", size)
	}
	e = st.Run(mustLoad(t, st, `for i = 1, #keep do assert(coroutine.resume(keep[i])) end return #keep`), nil, RunOptions{}).endOf()
	if got := show(st, e); got != "5000" {
		t.Errorf("resumed: %s", got)
	}
}
