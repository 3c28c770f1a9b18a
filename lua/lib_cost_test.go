package lua

import (
	"fmt"
	"strings"
	"testing"
)

// runFuel runs a program under a limit of fuel and returns the fuel used.
func runFuel(t testing.TB, program string, limit int64) (int64, *Error) {
	t.Helper()
	sys, _ := testSystem("")
	st, err := New(Options{System: sys})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	chunk, err := Compile("=cost", program, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := st.Run(st.Load(chunk), nil, RunOptions{Fuel: limit})
	return st.Usage().Fuel, out.Main().Err
}

// TestLibraryCostIsLinear doubles the input and checks that the fuel, which is
// the work, does not grow by more than a little over two.
func TestLibraryCostIsLinear(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"rep":             `local s = ("ab"):rep(N)`,
		"rep separator":   `local s = ("ab"):rep(N, ",")`,
		"gsub string":     `local s = ("ab "):rep(N):gsub("%w+", "<%0>")`,
		"gsub function":   `local s = ("ab "):rep(N):gsub("%w+", function(w) return w .. w end)`,
		"gsub table":      `local s = ("ab "):rep(N):gsub("%w+", {ab = "x"})`,
		"gsub no match":   `local s = ("ab "):rep(N):gsub("x", "y")`,
		"gmatch":          `local n = 0 for w in ("ab "):rep(N):gmatch("%w+") do n = n + #w end`,
		"find":            `local s = ("ab"):rep(N):find("x")`,
		"find plain":      `local s = ("ab"):rep(N * 64):find("x", 1, true)`,
		"match balanced":  `local s = ("("):rep(N) .. (")"):rep(N) assert(#s:match("%b()") == 2 * N)`,
		"concat":          `local t = {} for i = 1, N do t[i] = "abc" end local s = table.concat(t, ", ")`,
		"format":          `local s = string.format(("%d "):rep(200), table.unpack((function() local t = {} for i = 1, 200 do t[i] = i end return t end)())) for i = 1, N // 200 do s = string.format("%s %5d", i, i) end`,
		"quote":           `local s = string.format("%q", ("a\n"):rep(N * 8))`,
		"upper":           `local s = ("ab"):rep(N * 64):upper():reverse():lower()`,
		"pack":            `local s for i = 1, N do s = string.pack("<i4 z s2", i, "ab", "cd") end`,
		"unpack":          `local s = ("abcd"):rep(N) local p = 1 while p <= #s do local _ _, p = string.unpack("<i4", s, p) end`,
		"insert end":      `local t = {} for i = 1, N do table.insert(t, i) end`,
		"remove end":      `local t = {} for i = 1, N do t[i] = i end for i = 1, N do table.remove(t) end`,
		"insert front":    `local t = {} for i = 1, N do t[i] = i end for i = 1, 10 do table.insert(t, 1, i) end`,
		"move":            `local t = {} for i = 1, N do t[i] = i end table.move(t, 1, N, N + 1)`,
		"utf8.len":        `local n = utf8.len(("é"):rep(N * 8))`,
		"utf8.codes":      `local n = 0 for p, c in utf8.codes(("é"):rep(N)) do n = n + c end`,
		"read lines":      `local f = io.tmpfile() for i = 1, N do f:write(i, "\n") end f:seek("set") local n = 0 for l in f:lines() do n = n + #l end f:close()`,
		"read long line":  `local f = io.tmpfile() f:write(("x"):rep(N * 64)) f:seek("set") assert(#f:read("l") == N * 64) f:close()`,
		"sort":            `local t = {} for i = 1, N do t[i] = (i * 7919) % 1000003 end table.sort(t)`,
		"sort sorted":     `local t = {} for i = 1, N do t[i] = i end table.sort(t)`,
		"sort reversed":   `local t = {} for i = 1, N do t[i] = -i end table.sort(t)`,
		"sort equal":      `local t = {} for i = 1, N do t[i] = 1 end table.sort(t)`,
		"sort organ pipe": `local t = {} for i = 1, N do t[i] = i < N // 2 and i or N - i end table.sort(t)`,
		"sort comparator": `local t = {} for i = 1, N do t[i] = (i * 7919) % 1000003 end table.sort(t, function(a, b) return a > b end)`,
	}
	const n = 4000
	for name, program := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var used [2]int64
			for i := range used {
				fuel, err := runFuel(t, fmt.Sprintf("local N = %d %s", n<<i, program), 0)
				if err != nil {
					t.Fatal(err)
				}
				used[i] = fuel
			}
			if limit := used[0]*26/10 + 3000; used[1] > limit {
				t.Errorf("fuel %d for n, %d for 2n", used[0], used[1])
			}
			if used[0] < 50 {
				t.Errorf("fuel %d: the work is not counted", used[0])
			}
		})
	}
}

// TestSortKiller builds the input that makes quicksort with this choice of
// pivots quadratic (McIlroy's adversary) and checks that the sort is not.
func TestSortKiller(t *testing.T) {
	t.Parallel()
	const adversary = `
local function killer(n)
  local gas, solid, candidate, val, ptr = n, 0, 0, {}, {}
  for i = 1, n do val[i], ptr[i] = gas, i end
  table.sort(ptr, function(x, y)
    if val[x] == gas and val[y] == gas then
      local f = x == candidate and x or y
      val[f], solid = solid, solid + 1
    end
    if val[x] == gas then candidate = x elseif val[y] == gas then candidate = y end
    return val[x] < val[y]
  end)
  return val
end
local n = %d
local t, count = killer(n), 0
table.sort(t, function(a, b) count = count + 1 return a < b end)
for i = 2, n do assert(t[i - 1] <= t[i]) end
assert(count < 6 * n * math.log(n, 2), count)
`
	for _, n := range []int{100, 1000, 8000} {
		if _, err := runFuel(t, fmt.Sprintf(adversary, n), 0); err != nil {
			t.Errorf("n = %d: %v", n, err)
		}
	}
}

// TestSortInconsistentOrder checks that no order function breaks the sort.
func TestSortInconsistentOrder(t *testing.T) {
	t.Parallel()
	const program = `
math.randomseed(1)
for n = 0, 60 do
  for _, f in ipairs {
    function() return math.random(2) == 1 end, function() return true end, function() return false end,
    function(a, b) return a ~= b end, function(a, b) return a <= b end,
  } do
    local t = {}
    for i = 1, n do t[i] = i end
    local ok, e = pcall(table.sort, t, f)
    assert(ok or e:find("invalid order function", 1, true) or e:find("attempt to compare", 1, true), e)
    if ok then
      local seen = {}
      for i = 1, n do assert(not seen[t[i]]) seen[t[i]] = true end
    end
  end
end
`
	if _, err := runFuel(t, program, 0); err != nil {
		t.Error(err)
	}
}

// TestRunawayLibraryCalls checks that library calls which would take for ever
// end with the fuel.
func TestRunawayLibraryCalls(t *testing.T) {
	t.Parallel()
	tests := []string{
		`("a"):rep(40):match(("a*"):rep(20) .. "b")`,
		`("a"):rep(3000):gsub(("a-"):rep(10) .. "b", "x")`,
		`("a"):rep(3000):find((".-"):rep(12) .. "b")`,
		`for w in ("a"):rep(3000):gmatch(("a?"):rep(30) .. ("a*"):rep(8) .. "b") do end`,
		`("("):rep(20000):gsub("%b()", "")`,
		`local t = setmetatable({}, {__len = function() return 1 << 30 end}) table.concat(t)`,
		`local t = setmetatable({}, {__len = function() return 1 << 30 end, __index = function() return "" end}) table.concat(t)`,
		`local t = setmetatable({}, {__len = function() return 1 << 30 end, __index = function() return 1 end, __newindex = function() end}) table.insert(t, 1, 1)`,
		`table.move({}, 1, 1 << 40, 2)`,
		`table.sort({1, 2, 3}, function(a, b) while true do end end)`,
		`local t = setmetatable({}, {__len = function() return 1 << 30 end, __index = function(_, i) return i end, __newindex = function() end}) table.sort(t)`,
		`while true do local s = ("x"):rep(1000) end`,
	}
	for _, program := range tests {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			used, err := runFuel(t, "pcall(function() "+program+" end) while true do end", 300_000)
			if err == nil || err.Stop != StopFuel {
				t.Fatalf("not stopped: %v", err)
			}
			if used > 330_000 {
				t.Errorf("stopped after %d", used)
			}
		})
	}
}

// TestBigResultsAreRefused checks that what would not fit is refused before it
// is built.
func TestBigResultsAreRefused(t *testing.T) {
	t.Parallel()
	tests := []string{
		`return ("x"):rep(1 << 30)`,
		`return ("x"):rep(1 << 20, ("y"):rep(1000))`,
		`local s = ("x"):rep(1 << 20) return s:gsub("x", s)`,
		`local s = ("x"):rep(1 << 20) return s:gsub("x", function() return s end)`,
		`local s, t = ("x"):rep(1 << 20), {} for i = 1, 1000 do t[i] = s end return table.concat(t)`,
		`return string.pack("c1000000000", "")`,
		`local s = ("x"):rep(1 << 20) return string.format(("%s"):rep(100), table.unpack((function() local t = {} for i = 1, 100 do t[i] = s end return t end)()))`,
		`local s = ("x"):rep(1 << 20) local t = {} for i = 1, 100 do t[i] = s end return string.pack(("z"):rep(100), table.unpack(t))`,
		`local f = io.tmpfile() local s = ("x"):rep(1 << 20) for i = 1, 40 do f:write(s) end f:seek("set") local r = f:read("a") return r`,
		`local t = {} for i = 1, 1 << 30 do t[i] = ("x"):rep(1000):upper() end`,
	}
	for _, program := range tests {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			program := fmt.Sprintf("local ok, e = pcall(function() %s end) assert(not ok) error(e, 0)", program)
			_, err := runProgram(t, program, Options{MemoryLimit: 20 << 20})
			if err == nil || !strings.Contains(err.Message, "not enough memory") {
				t.Errorf("got %v", err)
			}
		})
	}
}
