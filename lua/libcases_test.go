package lua

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// libCase is one line of testdata/lib/*.lua: an expression list or a chunk.
// A line "--> result" below it gives a result that differs from the oracle's
// on purpose; all other results come from the golden file.
type libCase struct {
	source string
	known  string
	want   string
}

func readLibCases(t *testing.T, path string) []libCase {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []libCase
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if known, ok := strings.CutPrefix(line, "--> "); ok {
			cases[len(cases)-1].known = known
		} else if line != "" && !strings.HasPrefix(line, "--") {
			cases = append(cases, libCase{source: line})
		}
	}
	return cases
}

// libRunner prints one line for each case.
const libRunner = `
local function show(v)
  if type(v) == "string" then
    v = string.format("%q", v):gsub("\\\n", "\\n"):gsub("[\128-\255]", function(c) return string.format("\\x%02x", c:byte()) end)
    return v
  elseif v ~= v then
    return "nan"
  elseif math.type(v) then
    return tostring(v)
  elseif type(v) == "nil" or type(v) == "boolean" then
    return tostring(v)
  end
  return type(v)
end
local function case(source)
  local f, err = load("return " .. source, "=t")
  if not f then f, err = load(source, "=t") end
  if not f then print("syntax error: " .. err) return end
  local r = table.pack(pcall(f))
  local out = {}
  for i = 2, r.n do out[#out + 1] = show(r[i]) end
  print((r[1] and "" or "error: ") .. table.concat(out, ", "))
end
`

func libProgram(cases []libCase) string {
	var b strings.Builder
	b.WriteString(libRunner)
	for _, c := range cases {
		fmt.Fprintf(&b, "case [==[%s]==]\n", c.source)
	}
	return b.String()
}

// oracle runs a program with the installed lua5.4.
func oracle(t *testing.T, program string) []string {
	t.Helper()
	path, err := exec.LookPath("lua5.4")
	if err != nil {
		t.Skip("lua5.4 is not installed")
	}
	file := filepath.Join(t.TempDir(), "program.lua")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, file)
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC0", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lua5.4: %v\n%s", err, errs.String())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// memoryFile is a File that keeps what is written.
type memoryFile struct{ bytes.Buffer }

func (*memoryFile) Seek(int64, int) (int64, error) { return 0, os.ErrInvalid }
func (*memoryFile) Close() error                   { return nil }

// testSystem is the operating system with standard files in memory and UTC as
// local time.
func testSystem(input string) (*System, *memoryFile) {
	sys := NewOSSystem()
	in, out := new(memoryFile), new(memoryFile)
	in.WriteString(input)
	sys.Stdin, sys.Stdout, sys.Stderr = in, out, out
	sys.Now = func() time.Time { return time.Now().UTC() }
	return sys, out
}

// runProgram runs a program in a new state and returns what it printed.
func runProgram(t testing.TB, program string, o Options) (string, *Error) {
	t.Helper()
	var out *memoryFile
	if o.System == nil {
		o.System, out = testSystem("")
	} else {
		out = o.System.Stdout.(*memoryFile)
	}
	st, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	chunk, err := Compile("=program", program, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	res := st.Run(st.Load(chunk), nil, RunOptions{})
	end := res.Main()
	if end == nil {
		t.Fatalf("the program waits: %v", res.Suspended)
	}
	return out.String(), end.Err
}

func libCaseFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/lib/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	return files
}

// TestLibraryOracle checks that the golden files are what lua5.4 says.
func TestLibraryOracle(t *testing.T) {
	t.Parallel()
	for _, file := range libCaseFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			cases := readLibCases(t, file)
			lines := oracle(t, libProgram(cases))
			if len(lines) != len(cases) {
				t.Fatalf("%d results for %d cases", len(lines), len(cases))
			}
			golden := strings.TrimSuffix(file, ".lua") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for i, want := range readGolden(t, golden, len(cases)) {
				if lines[i] != want && cases[i].known == "" {
					t.Errorf("%s\nlua5.4 %s\ngolden %s", cases[i].source, lines[i], want)
				}
			}
		})
	}
}

func readGolden(t *testing.T, path string, n int) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != n {
		t.Fatalf("%s has %d lines for %d cases: run with -update", path, len(lines), n)
	}
	return lines
}

// TestLibrary compares the libraries with the results of lua5.4.
func TestLibrary(t *testing.T) {
	t.Parallel()
	for _, file := range libCaseFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			cases := readLibCases(t, file)
			for i, want := range readGolden(t, strings.TrimSuffix(file, ".lua")+".golden", len(cases)) {
				cases[i].want = want
				if cases[i].known != "" {
					cases[i].want = cases[i].known
				}
			}
			out, err := runProgram(t, libProgram(cases), Options{})
			if err != nil {
				t.Errorf("%v\n%s", err, err.Traceback)
			}
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			for i, c := range cases {
				if i >= len(lines) {
					t.Fatalf("no result for %s", c.source)
				}
				if lines[i] != c.want {
					t.Errorf("%s\n got %s\nwant %s", c.source, lines[i], c.want)
				}
			}
		})
	}
}
