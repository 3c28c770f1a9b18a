package lua

import (
	"strings"
	"testing"
)

// fuzzCall runs a chunk with strings as arguments under small limits. It must
// end, with a result or an error.
func fuzzCall(t *testing.T, program string, args ...string) {
	t.Helper()
	sys, _ := testSystem("")
	st, err := New(Options{System: sys, MemoryLimit: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	chunk, err := Compile("=fuzz", program, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var values []Value
	for _, a := range args {
		values = append(values, st.NewString(a))
	}
	const fuel = 2_000_000
	out := st.Run(st.Load(chunk), values, RunOptions{Fuel: fuel})
	if out.Main() == nil {
		t.Fatal("the program waits")
	}
	if used := st.Usage().Fuel; used > fuel+50_000 {
		t.Errorf("used %d", used)
	}
	if e := out.Main().Err; e != nil && strings.Contains(e.Message, "assertion failed") {
		t.Error(e)
	}
}

func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{{"hello world", "(%w+) (%w+)"}, {"((()))", "%b()"}, {"aaaa", "a-a*b"}, {"x", "[%a-z]"}, {"x", "%f[%w]"}, {"aa", "(a)%1"}, {"", "^$"}, {"x", "%"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, s, pattern string) {
		fuzzCall(t, `
local s, p = ...
local ok, from, to = pcall(string.find, s, p)
if ok and from then
  assert(1 <= from and from <= #s + 1 and to <= #s and to >= from - 1)
end
pcall(string.match, s, p)
local ok, r, n = pcall(string.gsub, s, p, "%0")
if ok then assert(r == s or p:sub(1, 1) == "^") end
pcall(string.gsub, s, p, function(...) return ... end)
pcall(function() for a, b in s:gmatch(p) do end end)
`, s, pattern)
	})
}

func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"%d", "%5.2f|%-10s|%q", "%a%A%g%e", "%%", "%c%i%u%o%x%X", "%p", "%-+ #0.99f"} {
		f.Add(seed, "text")
	}
	f.Fuzz(func(t *testing.T, format, s string) {
		fuzzCall(t, `
local f, s = ...
pcall(string.format, f, s, s, s, s)
pcall(string.format, f, 1, 2.5, -3, 1/0)
pcall(string.format, f, {}, nil, true, print)
local q = string.format("%q", s)
assert(load("return " .. q)() == s)
pcall(string.gsub, s, ".", f)
`, format, s)
	})
}

func FuzzPackUnpack(f *testing.F) {
	for _, seed := range []string{"<i4 z s2", ">!8 b Xd d", "c10 x I16", "jnTfB", "!3i3", "i17", "s"} {
		f.Add(seed, "\x01\x02abc\x00\xff\xff")
	}
	f.Fuzz(func(t *testing.T, format, data string) {
		fuzzCall(t, `
local f, d = ...
local r = table.pack(pcall(string.unpack, f, d))
if r[1] then
  local again = table.pack(pcall(string.pack, f, table.unpack(r, 2, r.n - 1)))
  assert(again[1], again[2])
  local same = table.pack(string.unpack(f, again[2]))
  assert(same.n == r.n - 1)
end
pcall(string.packsize, f)
pcall(string.pack, f, 1, d, 2, d, 3)
pcall(utf8.len, d) pcall(utf8.codepoint, d, 1, -1) pcall(utf8.offset, d, 3)
`, format, data)
	})
}

func FuzzDate(f *testing.F) {
	for _, seed := range []string{"%c", "!%x %X %p", "*t", "!*t", "%Ec%OS", "%", "%E", "%q"} {
		f.Add(seed, int64(0))
		f.Add(seed, int64(1)<<60)
	}
	f.Fuzz(func(t *testing.T, format string, when int64) {
		sys, _ := testSystem("")
		st, err := New(Options{System: sys})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		chunk, err := Compile("=fuzz", `
local f, n = ...
pcall(os.date, f, n)
pcall(os.date, "!" .. f, n)
local ok, d = pcall(os.date, "!*t", n)
if ok then d.isdst = nil assert(os.time(d) == n) end
pcall(os.time, {year = n, month = n, day = n, hour = n})
pcall(os.time, {year = n % 3000, month = n >> 3, day = n >> 5, hour = n >> 7})
`, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := st.Run(st.Load(chunk), []Value{st.NewString(format), Integer(when)}, RunOptions{Fuel: 100_000})
		if e := out.Main().Err; e != nil {
			t.Error(e)
		}
	})
}
