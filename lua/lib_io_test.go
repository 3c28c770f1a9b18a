package lua

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// interactive is a terminal: each Fill suspends.
type interactive struct{ memoryFile }

func (*interactive) Read([]byte) (int, error) { return 0, errors.New("read of a terminal") }
func (*interactive) Fill(c *Call) Status      { return c.Suspend([]byte("input")) }

// converse runs a program and answers each suspension with the next answer.
func converse(t *testing.T, sys *System, program string, answers ...func(s *State) []Value) (string, *Error) {
	t.Helper()
	st, err := New(Options{System: sys})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	chunk, err := Compile("=talk", program, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := st.Run(st.Load(chunk), nil, RunOptions{})
	for _, answer := range answers {
		if len(out.Suspended) != 1 {
			t.Fatalf("not suspended: %+v", out)
		}
		out = st.Resume(out.Suspended[0].Fiber, answer(st))
	}
	if out.Main() == nil {
		t.Fatalf("still waits: %+v", out.Suspended)
	}
	return sys.Stdout.(*memoryFile).String(), out.Main().Err
}

func line(s string) func(st *State) []Value {
	return func(st *State) []Value { return []Value{st.NewString(s)} }
}

func noMore(*State) []Value { return nil }

func TestReadWaitsForInput(t *testing.T) {
	t.Parallel()
	sys, _ := testSystem("")
	sys.Stdin = new(interactive)
	const program = `
print(io.read())
print(io.read("n", "n", "l"))
print(pcall(io.read, 3))
for l in io.lines() do print("line", l) if l == "end" then break end end
print(coroutine.wrap(function() return io.stdin:read("L") end)())
print(io.read("a"), io.read("l"), io.read(0), io.read("a"))
`
	got, err := converse(t, sys, program,
		line("hel"), line("lo\n"), line("1 2"), line("3 rest\n"), line("abcx\n"), line("end\nlast"), line("!\n"), line("all"), noMore, noMore, noMore, noMore)
	if err != nil {
		t.Fatal(err, err.Traceback)
	}
	const want = "hello\n1\t23\t rest\ntrue\tabc\nline\tx\nline\tend\nlast!\n\nall\tnil\tnil\t\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestOpenMayWait checks that a System may suspend wherever files are opened.
func TestOpenMayWait(t *testing.T) {
	t.Parallel()
	suspend := func(c *Call, path, mode string) Status { return c.Suspend([]byte(path)) }
	file := func(text string) func(s *State) []Value {
		return func(s *State) []Value {
			f := new(memoryFile)
			f.WriteString(text)
			return []Value{s.NewFile(f)}
		}
	}
	missing := func(s *State) []Value { return []Value{Nil, s.NewString("f: No such file or directory"), Integer(2)} }
	sys, _ := testSystem("")
	sys.Open = suspend
	sys.LoadModule = func(c *Call, name, path string) Status { return c.Suspend([]byte(name)) }
	const program = `
print(io.open("f"):read("a"))
for l in io.lines("f") do print(l) end
print(pcall(io.lines, "f"))
io.input("f") print(io.read())
print(require("m"))
print(pcall(require, "n"))
print(package.searchpath("x", "f;g"))
`
	got, err := converse(t, sys, program, file("abc"), file("1\n2"), missing, file("in"),
		func(s *State) []Value { return []Value{s.NewString("return ..."), s.NewString("m.lua")} },
		func(s *State) []Value { return []Value{Nil, s.NewString("no file 'n.lua'")} },
		missing, file(""))
	if err != nil {
		t.Fatal(err, err.Traceback)
	}
	const want = "abc\n1\n2\nfalse\tcannot open file 'f' (No such file or directory)\nin\nm\tm.lua\n" +
		"false\tmodule 'n' not found:\n\tno field package.preload['n']\n\tno file 'n.lua'\ng\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestUnclosedFilesAreFlushed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	for name, end := range map[string]string{"return": "", "error": "error('x')", "exit": "os.exit(0)"} {
		program := "local f = io.open('" + filepath.ToSlash(path) + "', 'w') for i = 1, 100 do f:write(i, ' ') end keep = f " + end
		_, _ = runProgram(t, program, Options{})
		text, err := os.ReadFile(path)
		if err != nil || len(text) != 292 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
}

// failing is a file that breaks.
type failing struct{}

func (failing) Read([]byte) (int, error)       { return 0, io.ErrUnexpectedEOF }
func (failing) Write([]byte) (int, error)      { return 0, os.ErrPermission }
func (failing) Seek(int64, int) (int64, error) { return 0, os.ErrInvalid }
func (failing) Close() error                   { return io.ErrClosedPipe }

func TestFileErrors(t *testing.T) {
	t.Parallel()
	sys, _ := testSystem("")
	sys.Open = func(c *Call, path, mode string) Status { return c.Return1(c.NewFile(failing{})) }
	const program = `
local f = io.open("x")
print(f:read("a"))
print(f:write("x"))
print(f:seek("end"))
print(pcall(f:lines()))
print(f:close())
`
	got, err := runProgram(t, program, Options{System: sys})
	if err != nil {
		t.Fatal(err)
	}
	const want = "nil\tunexpected EOF\t0\nnil\tPermission denied\t13\nnil\tinvalid argument\t0\n" +
		"false\tunexpected EOF\nnil\tio: read/write on closed pipe\t0\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestNoSystem checks that a state without a System raises where it needs one.
func TestNoSystem(t *testing.T) {
	t.Parallel()
	st, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, call := range []string{
		"io.open('x')", "io.lines('x')", "io.input('x')", "io.tmpfile()", "io.popen('x')", "io.read()", "io.write('x')",
		"io.stdout:write('x')", "io.lines()()", "os.time()", "os.date()", "os.clock()", "os.getenv('x')", "os.remove('x')", "os.rename('x', 'y')",
		"os.tmpname()", "os.execute('x')", "os.time{year=2000,month=1,day=1}", "math.randomseed()", "package.searchpath('x', '?')",
	} {
		chunk, err := Compile("=c", call, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := st.Run(st.Load(chunk), nil, RunOptions{})
		if e := out.Main().Err; e == nil || !strings.Contains(e.Message, "not available") {
			t.Errorf("%s: %v", call, e)
		}
	}
	for _, call := range []string{
		"assert(os.date('!%Y', 0) == '1970')", "assert(os.execute() == false)", "assert(io.type(io.stdout) == 'file')", "assert(math.random() < 1)",
		"assert(not pcall(require, 'x'))",
	} {
		chunk, err := Compile("=c", call, CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		out := st.Run(st.Load(chunk), nil, RunOptions{})
		if e := out.Main().Err; e != nil {
			t.Errorf("%s: %v", call, e)
		}
	}
}

func TestStdlibLevels(t *testing.T) {
	t.Parallel()
	tests := map[Stdlib]string{
		StdlibNone:     "true nil nil nil nil nil nil nil nil nil",
		StdlibBasic:    "true true true true true true true nil nil nil",
		StdlibStandard: "true true true true true true true true true true",
	}
	for level, want := range tests {
		sys, out := testSystem("")
		const program = `local t = {} for i, n in ipairs{"_G", "string", "table", "math", "utf8", "coroutine", "os", "io", "package", "debug"} do
			t[i] = tostring(_ENV[n] and true) end
			local s = t[1] for i = 2, #t do s = s .. " " .. t[i] end print(s)
			if os then print(os.exit == nil, os.time ~= nil) end`
		if _, err := runProgram(t, program, Options{Stdlib: level, System: sys}); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(out.String(), "\n"); got != want {
			t.Errorf("level %d: %s, want %s", level, got, want)
		}
	}
}

func TestLocalTime(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones")
	}
	sys, _ := testSystem("")
	sys.Now = func() time.Time { return time.Date(2024, 7, 1, 12, 0, 0, 0, zone) }
	const program = `
print(os.date("%H %z %Z"), os.date("!%H %z %Z"), os.time())
print(os.date("%H %Z", 0), os.date("*t").isdst, os.date("*t", 0).isdst)
print(os.time{year=2024, month=7, day=1}, os.time{year=2024, month=7, day=1, isdst=false}, os.time{year=2024, month=1, day=1, isdst=true})
print(os.time{year=2024, month=7, day=1, isdst=true})
`
	got, lerr := runProgram(t, program, Options{System: sys})
	if lerr != nil {
		t.Fatal(lerr)
	}
	const want = "12 +0200 CEST\t10 +0000 GMT\t1719828000\n01 CET\ttrue\tfalse\n" +
		"1719828000\t1719831600\t1704103200\n1719828000\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestRandomIsSeeded(t *testing.T) {
	t.Parallel()
	const program = `print(math.random(1 << 60), math.random())`
	var outs []string
	for _, seed := range []uint64{7, 7, 8} {
		out, err := runProgram(t, program, Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		outs = append(outs, out)
	}
	if outs[0] != outs[1] || outs[0] == outs[2] {
		t.Errorf("%q", outs)
	}
}

func TestExit(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]int{
		"os.exit()": 0, "os.exit(true)": 0, "os.exit(false)": 1, "os.exit(7)": 7, "pcall(os.exit, 3) error('no')": 3,
		"coroutine.wrap(function() os.exit(4) end)()": 4, "table.sort({1, 2}, function() os.exit(5) end)": 5,
	} {
		_, err := runProgram(t, call, Options{})
		if err == nil || err.Stop != StopExit || err.ExitCode != want {
			t.Errorf("%s: %+v", call, err)
		}
	}
}

// TestLibraryCallbacksMayWait checks that what library functions call can
// suspend.
func TestLibraryCallbacksMayWait(t *testing.T) {
	t.Parallel()
	sys, _ := testSystem("")
	sys.Getenv = func(c *Call, name string) Status { return c.Suspend([]byte(name)) }
	const program = `
local wait = os.getenv
local obj = setmetatable({}, {__tostring = function() return wait("s") end})
print(string.format("<%s %d %s>", obj, 7, obj))
print(("a-b"):gsub("%a", function(x) return wait(x) end))
local t = {2, 1}
table.sort(t, function(a, b) return (wait("less") == "y") == (a < b) end)
print(t[1], t[2])
package.preload.p = function() return wait("load") end
print(require("p"))
print(pcall(string.gsub, "x", ".", function() error(wait("e"), 0) end))
`
	got, err := converse(t, sys, program, line("o1"), line("o2"), line("A"), line("B"), line("y"), line("mod"), line("bad"))
	if err != nil {
		t.Fatal(err, err.Traceback)
	}
	const want = "<o1 7 o2>\nA-B\t2\n1\t2\nmod\t:preload:\nfalse\tbad\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
