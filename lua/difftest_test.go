package lua

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The differential rig: programs run on the real lua5.4 and on this package,
// in every mode that forces rare paths; what they print must be the same.

// diffModes are the modes of a State the corpus runs in.
var diffModes = []struct {
	name string
	test testSwitches
}{
	{name: "normal"},
	{name: "fuel slice 1", test: testSwitches{slice: 1}},
	{name: "tight stack", test: testSwitches{tightStack: true}},
	{name: "walk always", test: testSwitches{walkAlways: true}},
	{name: "debug loop", test: testSwitches{debug: true}},
}

// sink collects what a state prints.
type sink struct{ bytes.Buffer }

func (s *sink) Seek(int64, int) (int64, error) { return 0, os.ErrInvalid }
func (s *sink) Close() error                   { return nil }

// maxOutput ends programs that print without end.
const maxOutput = 1 << 22

func (s *sink) Write(p []byte) (int, error) {
	if s.Len() > maxOutput {
		return 0, os.ErrInvalid
	}
	return s.Buffer.Write(p)
}

// runHere runs a program and returns what it prints, then its error.
func runHere(t testing.TB, source string, test testSwitches) string {
	t.Helper()
	out := &sink{}
	sys := NewOSSystem()
	sys.Stdout, sys.Stdin = out, &sink{}
	st, err := New(Options{System: sys, Seed: 1, test: test})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	chunk, err := Compile("@program.lua", source, CompileOptions{})
	if err != nil {
		return "lua5.4: " + err.Error()
	}
	mustVerify(t, chunk)
	outcome := st.Run(st.Load(chunk), nil, RunOptions{Deadline: time.Now().Add(2 * time.Minute)})
	end := outcome.Main()
	if end == nil {
		t.Fatal("the program is suspended")
	}
	if end.Err != nil && end.Err.Stop != StopExit {
		fmt.Fprintf(out, "lua5.4: %s\n", end.Err.Message)
	}
	return out.String()
}

var referenceVersion = sync.OnceValue(func() string {
	out, err := exec.Command("lua5.4", "-v").CombinedOutput()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
})

// runThere runs a program on the reference: its output, then the first line
// of its error.
func runThere(t testing.TB, source string) string {
	t.Helper()
	if referenceVersion() == "" {
		t.Skip("lua5.4, the reference implementation, is not installed")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "program.lua"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "lua5.4", "program.lua")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &stderr
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(stderr.String(), "\nstack traceback:")
		return out.String() + strings.TrimRight(first, "\n") + "\n"
	}
	return out.String()
}

var addressOrNaN = regexp.MustCompile(`0x[0-9a-f]{6,}|-?nan`)

// zeroDivision is the error for which 5.4.4 names no line or that of an
// earlier instruction, a bug that later releases do not have.
var zeroDivision = regexp.MustCompile(`(?:program.lua:\d+: )?(attempt to (?:perform 'n%+0'|divide by zero))`)

// comparable replaces what may differ: addresses, the sign of NaN, the frame of
// the C main program, and what later releases say in other words.
func comparable(s string) string {
	s = knownMessage(strings.ReplaceAll(s, "\n\t[C]: in ?\n", "\n"))
	s = zeroDivision.ReplaceAllString(s, "$1")
	return addressOrNaN.ReplaceAllStringFunc(s, func(m string) string {
		if strings.HasSuffix(m, "nan") {
			return "nan"
		}
		return "ADDRESS"
	})
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		line := func(s []string) string {
			if i < len(s) {
				return s[i]
			}
			return "(end)"
		}
		if line(g) != line(w) {
			return fmt.Sprintf("line %d of the output\n got %q\nwant %q", i+1, line(g), line(w))
		}
	}
	return ""
}

func corpus(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/diff/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return files
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	t.Log("reference:", referenceVersion(), runtime.GOARCH)
	for _, file := range corpus(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".lua"), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := comparable(runThere(t, string(src)))
			for _, mode := range diffModes {
				if mode.test.tightStack && bytes.HasPrefix(src, []byte("-- deep")) {
					continue // would copy the stack at each of 200,000 calls
				}
				if testing.Short() && mode.name != "normal" {
					break
				}
				got := comparable(runHere(t, string(src), mode.test))
				if got != want {
					t.Errorf("%s: %s", mode.name, firstDifference(got, want))
					break
				}
			}
		})
	}
}
