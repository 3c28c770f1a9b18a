package lua

import (
	"fmt"
	"strings"
	"testing"
)

// TestAutomaticCollection checks what automatic walks clear and call.
func TestAutomaticCollection(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, src, want string }{
		{"weak keys", `local t = setmetatable({}, {__mode = "k"}) for i = 1, 1e5 do t[{}] = i end
			local n = 0 for _ in pairs(t) do n = n + 1 end return n < 50000`, "true"},
		{"weak values", `local t = setmetatable({}, {__mode = "v"}) for i = 1, 1e5 do t[i] = {} end
			local n = 0 for _ in pairs(t) do n = n + 1 end return n < 50000`, "true"},
		{"ephemeron", `local t = setmetatable({}, {__mode = "k"}) for i = 1, 1e5 do local k = {} t[k] = {k} end
			local n = 0 for _ in pairs(t) do n = n + 1 end return n < 50000`, "true"},
		{"kept", `local t, keep = setmetatable({}, {__mode = "k"}), {} for i = 1, 1e4 do keep[i] = {} t[keep[i]] = {keep[i]} end
			for i = 1, 1e5 do local x = {} end for i = 1, 1e4 do if t[keep[i]][1] ~= keep[i] then return i end end return "all"`, "all"},
		{"gc", `local n = 0 local mt = {__gc = function() n = n + 1 end} for i = 1, 1e5 do setmetatable({}, mt) end return n > 50000`, "true"},
		{"gc in library calls", `local n = 0 local mt = {__gc = function() n = n + 1 end} for i = 1, 2e4 do setmetatable({}, mt) local s = ("x"):rep(200) end return n > 1000`, "true"},
		{"gc in a coroutine", `local n = 0 local mt = {__gc = function() n = n + 1 end}
			for c in coroutine.wrap(function() for i = 1, 1e5 do setmetatable({}, mt) if i % 1000 == 0 then coroutine.yield(i) end end end) do end return n > 50000`, "true"},
		{"gc may not yield", `local r local mt = {__gc = function() r = r or {coroutine.isyieldable(), pcall(coroutine.yield)} end}
			coroutine.wrap(function() for i = 1, 1e5 do setmetatable({}, mt) end end)() return r[1], r[2], r[3]`, "false false attempt to yield across a C-call boundary"},
		{"gc may not suspend", `local r local mt = {__gc = function() r = r or {pcall(wait, "x")} end}
			for i = 1, 1e5 do setmetatable({}, mt) end return r[1], (r[2]:gsub("^.-: ", ""))`, "false attempt to suspend across '__gc'"},
		{"gc errors do not matter", `local n = 0 local mt = {__gc = function() n = n + 1 error("e") end} for i = 1, 1e5 do setmetatable({}, mt) end return n > 50000`, "true"},
		{"gc keeps the registers", `local mt = {__gc = function(o) local a, b, c, d, e, f = 1, 2, 3, 4, 5, 6 return a, b, c, d, e, f end}
			local function f(a, ...) setmetatable({}, mt) local t = {a, ...} return a + select("#", ...), #t end
			for i = 1, 1e5 do local x, y = f(i, 1, 2) if x ~= i + 2 or y ~= 3 then return i, x, y end end return "ok"`, "ok"},
		{"gc overflows", `local function deep() return 1 + deep() end local n = 0 local mt = {__gc = function() n = n + 1 if n % 100 == 1 then deep() end end}
			for i = 1, 1000 do setmetatable({}, mt) local s = ("x"):rep(10000) end return n > 10`, "true"},
		{"resurrection", `local back = {} local mt mt = {__gc = function(o) back[#back + 1] = o end}
			for i = 1, 1e4 do setmetatable({i}, mt) end local s = 0 for i = 1, 1e5 do local x = {} end
			for _, o in ipairs(back) do s = s + #o end return s == #back and s > 1000`, "true"},
		{"registered again", `local n = 0 local mt mt = {__gc = function(o) n = n + 1 if n < 50 then setmetatable(o, mt) end end}
			setmetatable({}, mt) for i = 1, 1e6 do local x = {} if n == 50 then return n end end return n`, "50"},
		{"stop", `collectgarbage("stop") local n = 0 local mt = {__gc = function() n = n + 1 end} local t = setmetatable({}, {__mode = "k"})
			for i = 1, 1e4 do setmetatable({}, mt) t[{}] = 1 end local c = 0 for _ in pairs(t) do c = c + 1 end
			return n, c, collectgarbage("isrunning")`, "0 10000 false"},
		{"restart", `collectgarbage("stop") local n = 0 local mt = {__gc = function() n = n + 1 end} for i = 1, 1e4 do setmetatable({}, mt) end
			collectgarbage("restart") for i = 1, 1e4 do local x = {} end return n > 5000`, "true"},
		{"collect inside", `local r setmetatable({}, {__gc = function() r = {n = select("#", collectgarbage()), v = collectgarbage("step")} end}) collectgarbage() return r.n, r.v`, "1 nil"},
	}
	for _, mode := range []testSwitches{{}, {slice: 1}} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s/%d", tt.name, mode.slice), func(t *testing.T) {
				t.Parallel()
				st, _ := newHostState(t, Options{test: mode})
				e, _ := runLimited(t, st, tt.src, RunOptions{Fuel: 1e9})
				if got := show(st, e); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// TestWeakTablesLiveWithinTheQuota: caches of what nobody holds do not fill the
// memory, also when most of it is in use and library functions allocate.
func TestWeakTablesLiveWithinTheQuota(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`local t = setmetatable({}, {__mode = "k"}) for i = 1, 2e5 do t[{}] = 1 end`,
		`local held = string.rep("x", 4 << 20) local t = setmetatable({}, {__mode = "v"}) for i = 1, 2e5 do t[i % 1000] = table.pack(i, i) end`,
		`local held = string.rep("x", 6 << 20) local t = setmetatable({}, {__mode = "v"}) for i = 1, 1e5 do t[i % 1000] = table.pack(i, i) end`,
		`local mt = {__gc = function() end} for i = 1, 2e5 do setmetatable(table.pack(i), mt) end`,
	} {
		st, _ := newHostState(t, Options{MemoryLimit: 8 << 20})
		if e, _ := runLimited(t, st, src, RunOptions{}); e.Err != nil {
			t.Errorf("%s: %v", src, e.Err)
		}
	}
}

// TestCloseRunsFinalizers: the last registered first, errors as warnings, under
// a limit of fuel.
func TestCloseRunsFinalizers(t *testing.T) {
	t.Parallel()
	st, print := newHostState(t, Options{})
	runLimited(t, st, `
		keep = {} for i = 1, 3 do keep[i] = setmetatable({}, {__gc = function()
			print(i, pcall(wait, "x")) setmetatable({}, {__gc = function() print("too late") end})
			if i == 2 then error("e") end if i == 1 then while true do end end
		end}) end
		first = setmetatable({}, {__gc = function() print("first") end})`, RunOptions{})
	st.Close()
	got := strings.ReplaceAll(print.String(), "test:3: ", "")
	const failed = "\tfalse\tattempt to suspend across '__gc'\n"
	if want := "first\n3" + failed + "2" + failed + "1" + failed; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if used := st.Usage().Fuel; used < gcFuel || used > gcFuel+10_000 {
		t.Errorf("used %d", used)
	}
}

// TestEphemeronChains: a walk over a chain of ephemerons in the worst order
// polls and is paid for.
func TestEphemeronChains(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	e, d := runLimited(t, st, `
		local t, keys = setmetatable({}, {__mode = "k"}), {}
		for i = 1, 20000 do keys[i] = {} end
		local x = 1 for i = 1, 20000 do x = x * 7919 % 20011 if x <= 20000 then local y = x * 7919 % 20011 t[keys[x]] = keys[y] end end
		first, keys = keys[1], nil
		while true do collectgarbage() end`, RunOptions{Fuel: 3_000_000})
	if e.Err == nil || e.Err.Stop != StopFuel {
		t.Errorf("%v", e.Err)
	}
	if used := st.Usage().Fuel; used > 3_100_000 {
		t.Errorf("used %d in %v", used, d)
	}
}
