package lua

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// coreScripts are programs with the output of C Lua beside them.
func coreScripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/core/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	return files
}

var addresses = regexp.MustCompile(`0x[0-9a-f]+`)

// neutral removes what may differ: addresses, and the frame of the C main
// program below the main chunk.
func neutral(s string) string {
	s = addresses.ReplaceAllString(s, "PTR")
	s = strings.ReplaceAll(s, "\n\t[C]: in ?", "")
	return regexp.MustCompile(`\(skipping \d+ levels\)(\n\t[^\n]*){9,11}`).ReplaceAllString(s, "(skipped)")
}

func runCore(t *testing.T, path string, test testSwitches) string {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sys, out := testSystem("")
	st, err := New(Options{System: sys, test: test})
	if err != nil {
		t.Fatal(err)
	}
	chunk, err := Compile("@"+filepath.Base(path), string(src), CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	res := st.Run(st.Load(chunk), nil, RunOptions{})
	end := res.Main()
	if end == nil {
		t.Fatalf("the script waits: %v", res.Suspended)
	}
	if end.Err != nil {
		t.Fatalf("%v\n%s\n%s", end.Err, end.Err.Traceback, out.String())
	}
	st.Close()
	return neutral(out.String())
}

func checkSame(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("line %d:\n got: %q\nwant: %q", i+1, a, b)
		}
	}
}

func TestCoreScripts(t *testing.T) {
	t.Parallel()
	for _, path := range coreScripts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			golden := strings.TrimSuffix(path, ".lua") + ".golden"
			got := runCore(t, path, testSwitches{})
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, got, string(want))
		})
	}
}

// TestCoreScriptsReference compares with the installed C Lua.
func TestCoreScriptsReference(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("lua5.4"); err != nil {
		t.Skip("lua5.4 is not installed")
	}
	for _, path := range coreScripts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("lua5.4", filepath.Base(path))
			cmd.Dir = filepath.Dir(path)
			want, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, want)
			}
			checkSame(t, runCore(t, path, testSwitches{}), neutral(string(want)))
		})
	}
}

// TestCoreScriptsModes runs the scripts with the rare paths forced: they must
// not change the output.
func TestCoreScriptsModes(t *testing.T) {
	t.Parallel()
	modes := map[string]testSwitches{
		"slice": {slice: 1},
		"stack": {tightStack: true},
		"walk":  {walkAlways: true},
		"all":   {slice: 1, tightStack: true, walkAlways: true},
	}
	for _, path := range coreScripts(t) {
		for name, test := range modes {
			t.Run(filepath.Base(path)+"/"+name, func(t *testing.T) {
				t.Parallel()
				checkSame(t, runCore(t, path, test), runCore(t, path, testSwitches{}))
			})
		}
	}
}
