package lua

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// badSources are refused, each with C Lua's message.
func badSources() []string {
	many := func(n int, f func(i int) string, sep string) string {
		var parts []string
		for i := range n {
			parts = append(parts, f(i))
		}
		return strings.Join(parts, sep)
	}
	name := func(prefix string) func(int) string {
		return func(i int) string { return prefix + strconv.Itoa(i) }
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	return []string{
		// Lexical errors.
		"x = 'abc", "x = \"abc\ndef\"", "x = 'a\\qb'", "x = [==[ abc", "x = \x00", "x = \xc3\xa9", "x = 3x", "x = 0x",
		"x = 1..2", "x = 0xep1q", "x = 1e", "x = 1e+", "x = .5.", "x = [=abc", "x = [==", "x = '\\300'", "x = '\\xag'",
		"x = '\\x", "x = '\\u{110000000000}'", "x = '\\u{12'", "x = '\\u12'", "x = '\\u{}'", "x = '\\u{xyz}'", "x = 'a\\",
		"--[[ abc", "--[==[ abc ]]\n\n", "x = [[abc\ndef", "x = '\\z  \n  abc\n'", "x = 'a\\9999'", "@", "x = $", "x = 1 ! 2",
		"x = 'abc\\\ndef\n", "x = \x7f", "x = 5a.b", "x = 0x1p", "x = 3 = 4", "x = 'it\\'s\n'",
		// Expressions.
		"x = ", "x = }", "x = 1 +", "x = (1", "x = (1\n\n2)", "x = {", "x = {\n\n", "x = {1, 2", "x = {1 2}", "x = {[1] 2}",
		"x = {[1 = 2}", "x = {a = }", "x = f(", "f(\n\n", "f(1,)", "f(1 2)", "f(1\n2)", "x = a.", "x = a.1", "x = a:b", "a.b:c = 1",
		"x = not", "x = #", "x = - -", "x = function", "x = function(", "x = function(a", "x = function(a,) end",
		"x = function(1) end", "x = function(..., a) end", "x = function() ", "x = a and", "x = 'a' .. ", "x = a[1",
		"x = ...; function f() return ... end", "return 1 2", "x = (a", "x = a b", "x = [[abc]] 'def' y z", "f{", "f'abc' 'd",
		"x = 1 == == 2", "x = and 1", "a.b.c", "a[1]", "(f)", "'abc'", "5", "f() = 1", "(a) = 1", "a, f() = 1, 2", "a, b", "a, b + 1",
		"a = 1, ", "a = b = c", "a.1 = 2", "x = {...", "x = a:b.c", "x = a:'b'", "local x = function() end()", "x = {;}", "{} = 1",
		// Statements.
		"for", "for a", "for a.b = 1", "for a = 1 do end", "for a = 1, 2, 3, 4 do end", "for a in", "for a in b", "for a, b = 1, 2 do end",
		"for a = 1, 2 do", "for 1 = 1, 2 do end", "if", "if x", "if x then", "if x then else elseif", "if x then\n\nelse\n",
		"if x then end end", "while", "while x", "while x do", "while x do\n\n", "repeat", "repeat until", "repeat x()", "do", "do\nend end",
		"end", "else", "until x", "then", "in", "goto", "goto 1", "goto = 1", "::a", "::a:", "::1::", "::a:: ::a::", "::a::\n\ndo ::a:: end",
		"break", "break\n\n\n", "do break end", "while x do function f() break end end", "goto x", "do goto x end\n::y::",
		"do goto x; local a; ::x:: print(a) end", "goto x; local a; ::x:: ; a = 1", "repeat goto c; local z; ::c:: until z",
		"do ::x:: end goto x", "function f() goto x end ::x::", "local function f() ::x:: end\ngoto x",
		"local", "local 1", "local x =", "local x, = 1", "local x = 1, ", "local function", "local function 1", "local function a.b() end",
		"local function f(", "function", "function 1", "function a.1() end", "function a:b.c() end", "function a:b:c() end", "function f",
		"function f()", "function f()\n\nreturn", "return return", "return 1,", "return; x = 1", "return 1; x = 1", "local x <", "local x <const",
		"local x <const> = 1; x = 2", "local x <foo> = 1", "local x <close>, y <close> = 1, 2", "local x <close> = nil; x = 2",
		"local a <const> = 1; function a() end", "local a <const> = 1; local function f() a = 3 end", "local a <const> = f(); a, b = 1",
		"local a <const> = {}; for i = 1, 2 do b, a = 1 end", "f\n\nx y", "x = 1 y", "local x x", ";;; end", "x = }\nend",
		"if x then return 1; 2 end", "function f(a) return a end end", "while true do if x then break end", "a.b:c().d",
		// Limits.
		"local " + many(201, name("v"), ","), "local x\nlocal function f()\n" + many(201, name("local v"), "\n") + "\nend",
		"function f(" + many(201, name("v"), ", ") + ") end", "for i = 1, 2 do local " + many(200, name("v"), ",") + " end",
		many(199, name("local v"), "\n") + "\nfor i = 1, 2 do end",
		many(128, name("local a"), " ") + "\nlocal function f()\n" + many(128, name("local b"), " ") +
			"\nlocal function g() return " + many(128, name("a"), "+") + "+" + many(128, name("b"), "+") + " end end",
		"return " + many(300, same("("), ""), many(300, same("do "), ""), "x = " + many(300, same("{"), ""),
		"x = " + many(300, same("-"), "") + "1", "x = " + many(300, same("a"), "..") + "",
		many(300, same("a"), ",") + " = 1", "x = " + many(120, same("function() return "), ""), "x = " + many(300, same("f("), ""),
		many(250, same("if x then "), ""), "x = " + many(250, same("a^"), "") + "1", "x = " + many(250, same("not "), "") + "1",
	}
}

// deepSources are just inside the limits of nesting.
func deepSources() []string {
	r := strings.Repeat
	return []string{
		"return " + r("(", 195) + "1" + r(")", 195), r("do ", 197) + r("end ", 197), r("a,", 195) + "a = 1",
		"return " + r("-", 195) + "x", "return " + r("{", 196) + r("}", 196), "return " + r("function() return ", 97) + "1" + r(" end ", 97),
		"return " + r("a..", 195) + "1", "x = " + r("f(", 196) + r(")", 196), "return " + r("a+", 5000) + "1",
		"return a" + r(".b", 5000), "return f" + r("()", 5000), "x = {" + r("1,", 5000) + "}", "x = {" + r("a=1,", 5000) + "}",
		r("local a; do local b end ", 199), "f(" + r("1,", 240) + "1)", "if x then " + r("elseif x then ", 5000) + "end",
		r("x = 1\n", 5000), "local " + r("a,", 199) + "a = 1", "return " + r("a or ", 5000) + "b", "return " + r("a and ", 5000) + "b",
		r("::l::", 1) + r("goto l ", 5000),
	}
}

// reference runs a Lua program on the real lua5.4 with args.
func reference(t testing.TB, program string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("lua5.4")
	if err != nil {
		t.Skip("lua5.4, the reference implementation, is not installed")
	}
	file := filepath.Join(t.TempDir(), "program.lua")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, append([]string{file}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("lua5.4: %v\n%s", err, stderr.Bytes())
	}
	return out.String()
}

// loadAll returns what load says about each source on the reference.
func loadAll(t *testing.T, chunkName string, sources []string) []string {
	t.Helper()
	dir := t.TempDir()
	for i, s := range sources {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i+1)), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const program = `
		local dir, n, name = ...
		for i = 1, n do
			local file = assert(io.open(dir .. "/" .. i, "rb"))
			local src = file:read("a")
			file:close()
			local f, err = load(src, name == "" and src or name, "t")
			err = f and "ok" or err:gsub("\nstack traceback:.*", "")
			io.write(err, "\1")
		end`
	out := reference(t, program, dir, strconv.Itoa(len(sources)), chunkName)
	return strings.Split(out, "\x01")[:len(sources)]
}

// knownMessages are messages of 5.4.4 and what later releases say.
var knownMessages = strings.NewReplacer(
	"break outside loop", "break outside a loop",
	"chain too long; possible loop", "chain too long; possibly a loop",
)

// knownMessage returns a message as the later releases of 5.4 have it.
func knownMessage(s string) string { return knownMessages.Replace(s) }

func TestSyntaxErrorsAsReference(t *testing.T) {
	t.Parallel()
	for _, chunkName := range []string{"", "=name", "@file.lua"} {
		t.Run("name "+chunkName, func(t *testing.T) {
			t.Parallel()
			sources := badSources()
			for i, want := range loadAll(t, chunkName, sources) {
				name := chunkName
				if name == "" {
					name = sources[i]
				}
				want = knownMessage(want)
				_, err := Compile(name, sources[i], CompileOptions{})
				var e *SyntaxError
				if !errors.As(err, &e) {
					t.Errorf("%.200q\n got %v\nwant %s", sources[i], err, want)
					continue
				}
				if e.Error() != want {
					t.Errorf("%.200q\n got %s\nwant %s", sources[i], e, want)
				}
				if got := strings.HasSuffix(want, "<eof>"); got != e.Incomplete {
					t.Errorf("%.200q: incomplete = %v", sources[i], e.Incomplete)
				}
				if e.Line < 1 || e.Col < 1 {
					t.Errorf("%.200q: position %d:%d", sources[i], e.Line, e.Col)
				}
			}
		})
	}
}

func TestDeepSources(t *testing.T) {
	t.Parallel()
	sources := deepSources()
	for i, want := range loadAll(t, "=deep", sources) {
		if want != "ok" {
			t.Errorf("%.60q: the reference says %s", sources[i], want)
		}
		mustCompile(t, sources[i])
	}
}

func TestChunkNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 7)
	names := []string{"=", "@", "x", "=a", "@a"}
	for _, n := range []int{43, 44, 45, 46, 57, 58, 59, 60, 61, 70} {
		names = append(names, long[:n], "="+long[:n], "@"+long[:n], long[:n]+"\nmore", "=a\n"+long[:n])
	}
	names = append(names, "first\nsecond", "\nx", "=two\nlines")
	var program strings.Builder
	program.WriteString("local function try(name) io.write(select(2, load('x', name)), '\\1') end\n")
	for _, n := range names {
		program.WriteString("try(" + strings.ReplaceAll(strconv.Quote(n), "\n", `\n`) + ")\n")
	}
	for i, want := range strings.Split(reference(t, program.String()), "\x01")[:len(names)] {
		_, err := Compile(names[i], "x", CompileOptions{})
		if err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", names[i], err, want)
		}
	}
}

func TestErrorPosition(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src       string
		line, col int
		near      string
	}{
		{"x = = 1", 1, 5, "'='"},
		{"local a\n  b c", 2, 5, "'c'"},
		{"x = 'abc", 1, 5, "<eof>"},
		{"x = 1\n\tif", 2, 4, "<eof>"},
		{"goto nowhere", 1, 13, ""},
	} {
		_, err := Compile("=p", c.src, CompileOptions{})
		var e *SyntaxError
		if !errors.As(err, &e) || e.Line != c.line || e.Col != c.col || e.Near != c.near {
			t.Errorf("%q: got %#v", c.src, e)
		}
	}
}

func TestRefusedSources(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"\x1bLua":                        "attempt to load a binary chunk (mode is 't')",
		strings.Repeat(" ", maxSource+1): "source text is too large (limit is 10 MiB)",
		"return " + strings.Repeat("a+", maxDepth+1) + "a": "=x:1: chunk has too many syntax levels",
		"return f(" + strings.Repeat("1,", 250) + "1)":     "x:1: function or expression needs too many registers",
	} {
		_, err := Compile("=x", src, CompileOptions{})
		if err == nil || !strings.HasPrefix(err.Error(), strings.TrimPrefix(want, "=")) {
			t.Errorf("%.20q: got %v, want %s", src, err, want)
		}
	}
}

func TestExpressionOption(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ src, want string }{
		{"1 + 1", "ok"}, {"f()", "ok"}, {"a, b;", "ok"}, {"x = 1", "ok"}, {"return 1", "ok"}, {"", "ok"}, {"local x", "ok"},
		{"1 +", "incomplete"}, {"f(", "incomplete"}, {"if x then", "incomplete"}, {"x = ", "incomplete"}, {"'abc", "incomplete"},
		{"1 + )", "x:1: unexpected symbol near '1'"}, {"x = )", "x:1: unexpected symbol near ')'"},
	} {
		chunk, err := Compile("=x", c.src, CompileOptions{Expression: true})
		var e *SyntaxError
		got := "ok"
		switch {
		case errors.As(err, &e) && e.Incomplete:
			got = "incomplete"
		case err != nil:
			got = err.Error()
		default:
			mustVerify(t, chunk)
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.src, got, c.want)
		}
	}
}

func TestFirstLine(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"#!/usr/bin/lua\nreturn 1", "#", "# x", "#x\r\nreturn 1"} {
		mustCompile(t, src)
	}
	_, err := Compile("=x", "#!lua\n=", CompileOptions{})
	if err == nil || err.Error() != "x:2: unexpected symbol near '='" {
		t.Errorf("got %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range append(badSources(), deepSources()...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, expression := range []bool{false, true} {
			c, err := Compile("=fuzz", src, CompileOptions{Expression: expression})
			if err != nil {
				var e *SyntaxError
				if !errors.As(err, &e) {
					t.Fatalf("error of type %T", err)
				}
				continue
			}
			mustVerify(t, c)
			_ = c.Disassemble()
			for _, p := range c.protos {
				for pc, i := range p.code[:min(len(p.code), 100)] {
					p.callName(pc)
					p.describeReg(pc, int(i.a())%p.maxStack)
				}
			}
		}
	})
}
