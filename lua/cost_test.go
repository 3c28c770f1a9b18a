package lua

import (
	"fmt"
	"runtime"
	"testing"
)

// TestLanguageCostIsLinear doubles the size of programs: neither fuel nor the
// bytes allocated may grow by three. Not in parallel: it reads the allocations
// of the process.
func TestLanguageCostIsLinear(t *testing.T) {
	const n = 20_000
	for name, src := range map[string]string{
		"array growth":   `local t = {} for i = 1, N do t[i] = {} end`,
		"integer array":  `local t = {} for i = 1, N do t[#t + 1] = i end`,
		"downward array": `local t = {} for i = N, 1, -1 do t[i] = i end`,
		"hash growth":    `local t = {} for i = 1, N do t["k" .. i] = i end`,
		"removal":        `local t = {} for i = 1, N do t["k" .. i] = i end for k in pairs(t) do t[k] = nil end for i = 1, N do t[-i] = i end`,
		"colliding keys": `local t = {} for i = 1, N do t[i * 65536] = i t[i + 0.5] = i end`,
		"long keys":      `local t, s = {}, ("x"):rep(100) for i = 1, N / 10 do t[s .. i .. s] = i end`,
		"queue":          `local t, a, b = {}, 1, 1 for i = 1, N do t[b] = i b = b + 1 if i % 3 == 0 then t[a] = nil a = a + 1 end end`,
		"closures":       `local f for i = 1, N do local g, x = f, i f = function() return x, g end end`,
		"recursion":      `local function f(n) if n > 0 then return 1 + f(n - 1) end return 0 end f(N)`,
		"coroutines":     `local t = {} for i = 1, N / 10 do local co = coroutine.wrap(function() coroutine.yield(i) end) co() t[i] = co end`,
		"open upvalues":  `local t = {} for i = 1, N do local x = i t[i] = function() x = x + 1 end end`,
		"pcall chain":    `local function f(n) if n > 0 then return pcall(f, n - 1) end error("e") end f(N // 2)`,
		"close":          `for i = 1, N do local x <close> = setmetatable({}, {__close = function() end}) end`,
		"finalizers":     `local mt = {__gc = function() end} for i = 1, N do setmetatable({}, mt) end collectgarbage()`,
		"weak table":     `local t, keep = setmetatable({}, {__mode = "k"}), {} for i = 1, N do keep[i] = {} t[keep[i]] = keep[i - 1] end collectgarbage()`,
		"load":           `local s = ("local x = 1 do local y = x end x = x + 1 "):rep(N // 200) load("do " .. s .. " end")`,
		"sort proxy":     `local t = {} for i = 1, N // 20 do t[i] = i * 7 % 101 end table.sort(setmetatable({}, {__len = function() return #t end, __index = t, __newindex = t}))`,
	} {
		var fuel [2]int64
		var bytes [2]uint64
		for i := range 2 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			used, err := runFuel(t, fmt.Sprintf("local N = %d %s", n<<i, src), 0)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			fuel[i], bytes[i] = used, after.TotalAlloc-before.TotalAlloc
		}
		if fuel[1] > 3*fuel[0]+5000 || bytes[1] > 3*bytes[0]+200_000 {
			t.Errorf("%s: fuel %d, then %d; bytes %d, then %d", name, fuel[0], fuel[1], bytes[0], bytes[1])
		}
	}
}
