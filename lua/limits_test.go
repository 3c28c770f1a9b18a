package lua

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// runLimited runs src and returns how it ended and how long that took.
func runLimited(t *testing.T, st *State, src string, o RunOptions) (*Ended, time.Duration) {
	t.Helper()
	fn := mustLoad(t, st, src)
	start := time.Now()
	out := st.Run(fn, nil, o)
	d := time.Since(start)
	if out.Main() == nil {
		t.Fatalf("%s: suspended", src)
	}
	return out.Main(), d
}

// loops run until they are stopped; no pcall stops the stop.
var loops = []string{
	`while true do end`,
	`for i = 1, math.huge do end`,
	`local function f() return f() end f()`,
	`while true do pcall(error) end`,
	`while true do pcall(function() while true do end end) end`,
	`local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end`,
	`while true do local t = {} end`,
	`local t = setmetatable({}, {__index = function(t, k) return k end}) while true do local _ = t.x end`,
	`while true do string.rep("x", 1000) end`,
	`for k in function() return 1 end do end`,
	`table.sort({1, 2, 3, 4}, function(a, b) while true do end end)`,
	`string.gsub("aaaa", "a", function() while true do end end)`,
	`string.find(string.rep("a", 40), string.rep("a?", 40) .. string.rep("a", 41))`,
	`local x <close> = setmetatable({}, {__close = function() while true do end end})`,
	`xpcall(function() error("x") end, function() while true do end end)`,
	`::a:: goto a`,
	`repeat local x = function() end until false`,
}

func TestFuelStops(t *testing.T) {
	t.Parallel()
	for _, src := range loops {
		st, _ := newHostState(t, Options{})
		e, d := runLimited(t, st, src, RunOptions{Fuel: 100_000})
		if e.Err == nil || e.Err.Stop != StopFuel {
			t.Errorf("%s: %+v", src, e.Err)
		}
		if used := st.Usage().Fuel; used < 100_000 || used > 110_000 {
			t.Errorf("%s: used %d", src, used)
		}
		if d > time.Second {
			t.Errorf("%s: took %v", src, d)
		}
		if e, _ := runLimited(t, st, "return 1", RunOptions{}); show(st, e) != "1" {
			t.Errorf("%s: afterwards %s", src, show(st, e))
		}
	}
}

func TestInterruptStops(t *testing.T) {
	t.Parallel()
	for _, src := range loops {
		// The interrupt comes at a known fuel: from the slice hook.
		var st *State
		slices := 0
		st, _ = newHostState(t, Options{Slice: func() {
			if slices++; slices == 3 {
				st.Interrupt()
			}
		}})
		e, _ := runLimited(t, st, src, RunOptions{})
		if e.Err == nil || e.Err.Stop != StopInterrupt {
			t.Errorf("%s: %+v", src, e.Err)
		}
		if used := st.Usage().Fuel; used > 40_000 {
			t.Errorf("%s: ran on for %d", src, used)
		}
	}
}

func TestInterruptFromOutside(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	st.Interrupt() // no run: nothing is left set
	started := make(chan struct{})
	var once sync.Once
	st.options.Slice = func() { once.Do(func() { close(started) }) }
	go func() {
		<-started
		st.Interrupt()
	}()
	if e, _ := runLimited(t, st, "while true do end", RunOptions{}); e.Err == nil || e.Err.Stop != StopInterrupt {
		t.Errorf("%+v", e.Err)
	}
	out := st.Run(mustLoad(t, st, `wait("x")`), nil, RunOptions{})
	st.Interrupt()
	out = st.Resume(out.Suspended[0].Fiber, nil)
	if e := out.Main(); e == nil || e.Err == nil || e.Err.Stop != StopInterrupt {
		t.Errorf("resumed after an interrupt: %+v", e)
	}
}

func TestDeadlineStops(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	e, d := runLimited(t, st, "while true do end", RunOptions{Deadline: time.Now().Add(20 * time.Millisecond)})
	if e.Err == nil || e.Err.Stop != StopDeadline || d > 2*time.Second {
		t.Errorf("%+v after %v", e.Err, d)
	}
}

func TestStackOverflow(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`local function f() return 1 + f() end f()`,
		`local function f(...) return 1 + f(1, ...) end f()`,
		`local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. "x"] end return t.a`,
		`local function f() local ok, e = pcall(f) error(e, 0) end f()`,
		`local t = {} setmetatable(t, {__call = t}) t()`,
		`return select("#", table.unpack({}, 1, 1e8))`,
		`local function f() return coroutine.wrap(f)() end return f()`,
		`return string.rep("x", 1 << 40)`,
		`local t = {} for i = 1, 250 do t = setmetatable({}, {__index = t}) end return #tostring(t.x)`,
		`return (string.gsub("x", "x", function(s) local function f() return string.gsub("x", "x", f) end return f() end))`,
	} {
		st, _ := newHostState(t, Options{MemoryLimit: 200 << 20})
		e, d := runLimited(t, st, src, RunOptions{})
		if e.Err != nil {
			msg := e.Err.Message
			ok := false
			for _, want := range []string{"stack overflow", "too many results", "not enough memory", "resulting string too large"} {
				ok = ok || strings.Contains(msg, want)
			}
			if !ok {
				t.Errorf("%s: %s", src, msg)
			}
		} else if !strings.Contains(src, "__index = t})") {
			t.Errorf("%s: returned %s", src, show(st, e))
		}
		if d > 5*time.Second {
			t.Errorf("%s: took %v", src, d)
		}
		if e, _ := runLimited(t, st, "local function g(n) if n == 0 then return 0 end return 1 + g(n - 1) end return g(100)", RunOptions{}); show(st, e) != "100" {
			t.Errorf("%s: afterwards %s", src, show(st, e))
		}
	}
}

func TestDepthOfCalls(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	e, _ := runLimited(t, st, `local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(190000), pcall(f, 210000)`, RunOptions{})
	if got := show(st, e); !strings.HasPrefix(got, "190000 false test:1: stack overflow") {
		t.Errorf("got %q", got)
	}
	e, _ = runLimited(t, st, `local function f() return 1 + f() end return xpcall(f, function(m) local function g(n) return n == 0 and 0 or 1 + g(n - 1) end return m .. g(50) end)`, RunOptions{})
	if got := show(st, e); got != "false test:1: stack overflow50" {
		t.Errorf("handler: %q", got)
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	const limit = 8 << 20
	for _, src := range []string{
		`local t = {} while true do t[#t + 1] = {} end`,
		`local t = {} local i = 0 while true do i = i + 1 t["k" .. i] = i end`,
		`local s = "x" while true do s = s .. s end`,
		`local t = {} while true do t = {t} end`,
		`local t = {} while true do t[#t + 1] = function() return t end end`,
		`local t = {} while true do t[#t + 1] = coroutine.create(print) end`,
		`local t = {} while true do t[#t + 1] = string.format("%99d", #t) end`,
		`return string.rep("x", 1 << 40)`,
		`return ("x"):rep(1 << 30):rep(1 << 30)`,
		`local t = {} for i = 1, 1e9 do t[i] = i end`,
		`local t = {} for i = 1, 1e9 do t[-i] = i end`,
		`local t, keep = setmetatable({}, {__mode = "k"}), {} while true do local k = {} t[k] = 1 keep[#keep + 1] = k end`,
		`local s = {} while true do s[#s + 1] = load("return 1 -- " .. #s) end`,
		`local s = {} local big = string.rep("x", 1 << 16) while true do s[#s + 1] = load("return '" .. big .. #s .. "'")() end`,
		`local co co = coroutine.wrap(function() local function f(n) return 1 + f(n + 1) end f(1) end) co()`,
	} {
		st, _ := newHostState(t, Options{MemoryLimit: limit, MaxHandles: 1 << 30})
		e, d := runLimited(t, st, src, RunOptions{})
		if e.Err == nil || (e.Err.Message != "not enough memory" && !strings.Contains(e.Err.Message, "stack overflow") && !strings.Contains(e.Err.Message, "too large")) {
			t.Errorf("%s: %+v", src, e.Err)
		}
		if peak := st.Usage().Peak; peak > limit+memoryReserve {
			t.Errorf("%s: peak %d", src, peak)
		}
		if d > 3*time.Second {
			t.Errorf("%s: took %v", src, d)
		}
		if e, _ := runLimited(t, st, "local t = {} for i = 1, 1000 do t[i] = {} end return #t", RunOptions{}); show(st, e) != "1000" {
			t.Errorf("%s: afterwards %s", src, show(st, e))
		}
	}
}

func TestRefusalsCanBeCaughtEightTimes(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{MemoryLimit: 4 << 20})
	e, _ := runLimited(t, st, `local n = 0 for i = 1, 8 do local ok, e = pcall(string.rep, "x", 1 << 30) if not ok and e == "not enough memory" then n = n + 1 end end return n`, RunOptions{})
	if got := show(st, e); got != "8" {
		t.Errorf("got %q", got)
	}
	e, _ = runLimited(t, st, `while true do pcall(string.rep, "x", 1 << 30) end`, RunOptions{})
	if e.Err == nil || e.Err.Stop != StopMemory {
		t.Errorf("%+v", e.Err)
	}
	e, _ = runLimited(t, st, `keep = {} local function fill() while true do keep[#keep + 1] = {} end end while true do pcall(fill) end`, RunOptions{})
	if e.Err == nil || e.Err.Stop != StopMemory {
		t.Errorf("%+v", e.Err)
	}
	if e, _ = runLimited(t, st, `keep = nil return 1`, RunOptions{}); show(st, e) != "1" {
		t.Errorf("the session is stuck: %s", show(st, e))
	}
	if e, _ = runLimited(t, st, `local t = {} for i = 1, 10000 do t[i] = {} end return #t`, RunOptions{}); show(st, e) != "10000" {
		t.Errorf("memory is not free again: %s", show(st, e))
	}
}

func TestMemoryCount(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	e, _ := runLimited(t, st, `
		collectgarbage() local before = collectgarbage("count") * 1024
		local t = {} for i = 1, 1000 do t[i] = {i} end
		collectgarbage() local after = collectgarbage("count") * 1024
		t = nil collectgarbage() local freed = collectgarbage("count") * 1024
		return after - before, freed - before`, RunOptions{})
	grown, _ := e.Values[0].AsFloat()
	left, _ := e.Values[1].AsFloat()
	if want := float64(1000*(chargeTable+16) + 1024*16 + chargeTable); grown != want {
		t.Errorf("1,000 tables count %v, want %v", grown, want)
	}
	if left != 0 {
		t.Errorf("%v bytes stay", left)
	}
}

func TestAutomaticWalksBoundTheCounter(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	runLimited(t, st, `for i = 1, 1e6 do local t = {i} end`, RunOptions{})
	if u := st.Usage(); u.Peak > 2<<20 || u.Walks < 100 {
		t.Errorf("%+v", u)
	}
}

func TestPool(t *testing.T) {
	t.Parallel()
	pool := NewMemoryPool(8 << 20)
	a, _ := newHostState(t, Options{Pool: pool})
	b, _ := newHostState(t, Options{Pool: pool})
	if e, _ := runLimited(t, a, `keep = string.rep("x", 6 << 20)`, RunOptions{}); e.Err != nil {
		t.Fatal(e.Err)
	}
	if e, _ := runLimited(t, b, `keep = string.rep("x", 6 << 20)`, RunOptions{}); e.Err == nil || e.Err.Message != "not enough memory" {
		t.Errorf("%+v", e.Err)
	}
	a.Close()
	if e, _ := runLimited(t, b, `keep = string.rep("x", 6 << 20)`, RunOptions{}); e.Err != nil {
		t.Errorf("after the other state closed: %v", e.Err)
	}
	b.Close()
	if used := pool.Used(); used != 0 {
		t.Errorf("%d bytes stay used", used)
	}
}

func TestHandleLimits(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{MaxHandles: 50})
	e, _ := runLimited(t, st, `local t = {} for i = 1, 100 do t[i] = coroutine.create(print) end`, RunOptions{})
	if e.Err == nil || !strings.Contains(e.Err.Message, "too many coroutines") {
		t.Errorf("%+v", e.Err)
	}
	if e, _ = runLimited(t, st, `for i = 1, 1000 do coroutine.create(print) end`, RunOptions{}); e.Err != nil {
		t.Errorf("dead coroutines count: %v", e.Err)
	}
}

func TestStacksShrink(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	e, _ := runLimited(t, st, `
		local function f() return 1 + f() end
		local co = coroutine.create(function()
			local function g(n) if n > 0 then return 1 + g(n - 1) end coroutine.yield() return 0 end
			g(10000) coroutine.yield()
		end)
		coroutine.resume(co) coroutine.resume(co)
		pcall(f)
		local up = 1 local function get() return up end
		for i = 1, 1500000 do local t = {i} up = i end
		return collectgarbage("count"), get(), coroutine.resume(co)`, RunOptions{})
	if kb, _ := e.Values[0].AsFloat(); kb > 1000 || show(st, &Ended{Values: e.Values[1:]}) != "1500000 true" {
		t.Errorf("%v KB stay, %s", kb, show(st, e))
	}
}

// TestBigConstantsAreCounted: a literal of a shared chunk that outlives it.
func TestBigConstantsAreCounted(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{MemoryLimit: 4 << 20})
	for i := range 20 {
		e, _ := runLimited(t, st, `keep = keep or {} keep[#keep + 1] = "`+strings.Repeat("x", 1<<20)+`"`, RunOptions{})
		if e.Err != nil {
			if i < 2 {
				t.Fatalf("run %d: %v", i, e.Err)
			}
			return
		}
	}
	t.Errorf("20 MiB of literals fit in 4 MiB; %+v", st.Usage())
}
