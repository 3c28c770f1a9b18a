package lua

import (
	"fmt"
	"testing"
)

// proxy makes p, a list that is t behind metamethods that wait.
const proxy = `local t = {} local p = setmetatable({}, {
	__len = function() wait("len") return #t end,
	__index = function(_, k) wait("get" .. k) return t[k] end,
	__newindex = function(_, k, v) wait("set" .. k) t[k] = v end}) `

// stepTests are suspensions inside library functions, as suspendTests.
var stepTests = []struct{ name, src, tokens, want string }{
	{"sort default", `local m = {} m.__lt = function(a, b) wait("c") return a.n < b.n end
			local t = {} for i, n in ipairs {3, 1} do t[i] = setmetatable({n = n}, m) end table.sort(t) return t[1].n .. t[2].n`, "c", "13"},
	{"sort order", `local t = {2, 1} table.sort(t, function(a, b) wait("c") return a < b end) return t[1], t[2]`, "c", "1 2"},
	{"sort proxy", proxy + `t[1], t[2] = "b", "a" table.sort(p) return t[1], t[2]`, "len,get1,get2,set1,set2", "a b"},
	{"sort proxy order", proxy + `t[1], t[2] = "b", "a" table.sort(p, function(a, b) wait("c") return a < b end) return t[1], t[2]`, "len,get1,get2,c,set1,set2", "a b"},
	{"insert proxy", proxy + `t[1] = "a" table.insert(p, 1, "z") return t[1], t[2]`, "len,get1,set2,set1", "z a"},
	{"insert end", proxy + `table.insert(p, "z") return t[1]`, "len,set1", "z"},
	{"remove proxy", proxy + `t[1], t[2] = "a", "b" local v = table.remove(p, 1) return v, t[1], t[2]`, "len,get1,get2,set1,set2", "a b nil"},
	{"move proxy", proxy + `t[1], t[2] = "a", "b" table.move(p, 1, 2, 2) return t[1], t[2], t[3]`, "get2,set3,get1,set2", "a a b"},
	{"unpack proxy", proxy + `t[1], t[2] = "a", "b" return table.unpack(p)`, "len,get1,get2", "a b"},
	{"concat proxy", proxy + `t[1], t[2] = "a", 2 return table.concat(p, "-")`, "len,get1,get2", "a-2"},
	{"gsub table", `return (("a b"):gsub("%w", setmetatable({}, {__index = function(_, k) return wait(k) end})))`, "a,b", "<a> <b>"},
	{"gsub function", `return (("a b"):gsub("%w", wait))`, "a,b", "<a> <b>"},
	{"load reader", `local n = 0 return load(function() n = n + 1 if n < 3 then return n == 1 and "return " or "'" .. wait("r") .. "'" end end)()`, "r", "<r>"},
	{"max", `local m = {__lt = function(a, b) return wait("m") ~= nil end} local a, b = setmetatable({}, m), setmetatable({}, m) return math.max(a, b) == b`, "m", "true"},
	{"time", `return os.time(setmetatable({}, {__index = function(_, k) wait(k) if k == "isdst" then return false end return ({year = 1970, month = 1, day = 2})[k] or 0 end})) // 86400`,
		"year,month,day,hour,min,sec,isdst", "1"},
	{"require", `setmetatable(package.loaded, {__index = function(_, k) if k == "m" then wait("loaded") end end, __newindex = function(t, k, v) wait("store") rawset(t, k, v) end})
			package.preload.m = function(...) return wait("load") end return (require "m")`, "loaded,load,store", "<load>"},
	{"sort yield", `return coroutine.wrap(function() return pcall(table.sort, {2, 1}, coroutine.yield) end)()`, "", "false attempt to yield across a C-call boundary"},
	{"proxy yield", `return coroutine.wrap(function() return pcall(table.unpack, setmetatable({}, {__index = function() return coroutine.isyieldable(), coroutine.yield() end}), 1, 1) end)()`, "", "false attempt to yield across a C-call boundary"},
	{"gsub yield", `return coroutine.wrap(function() return pcall(string.gsub, "a", "a", setmetatable({}, {__index = coroutine.yield})) end)()`, "", "false attempt to yield across a C-call boundary"},
}

func TestSuspendInSteps(t *testing.T) {
	t.Parallel()
	for _, mode := range []testSwitches{{}, {slice: 1, tightStack: true, walkAlways: true}} {
		for _, tt := range stepTests {
			t.Run(fmt.Sprintf("%s/%v", tt.name, mode.tightStack), func(t *testing.T) {
				t.Parallel()
				st, _ := newHostState(t, Options{test: mode})
				tokens, out := answer(t, st, st.Run(mustLoad(t, st, tt.src), nil, RunOptions{}))
				if got := suspendResult(st, out); tokens != tt.tokens || got != tt.want {
					t.Errorf("tokens %q, got %q; want %q, %q", tokens, got, tt.tokens, tt.want)
				}
			})
		}
	}
}
