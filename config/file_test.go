package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiles loads every file of testdata. A good one loads without a warning; a
// bad one gives exactly the problems its "# want:" lines begin.
func TestFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := testParams(t)
			p.ConfigPath, _ = filepath.Abs(file)
			var want []string
			for line := range strings.Lines(string(data)) {
				line = strings.TrimSuffix(line, "\n")
				if w, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, w)
				}
				if kv, ok := strings.CutPrefix(line, "# env: "); ok {
					name, value, _ := strings.Cut(kv, "=")
					p.Env[name] = value
				}
			}
			cfg, err := Discover(p)
			if strings.HasSuffix(file, ".good.toml") {
				if err != nil {
					t.Fatal(err)
				}
				if len(cfg.Warnings) > 0 {
					t.Errorf("warnings: %v", cfg.Warnings)
				}
				return
			}
			checkProblems(t, err, want)
		})
	}
}

// checkProblems compares without the file name, in any order.
func checkProblems(t *testing.T, err error, want []string) {
	t.Helper()
	var found *Error
	if !errors.As(err, &found) {
		t.Fatalf("error %v is not a *config.Error", err)
	}
	got := map[string]bool{}
	for _, p := range found.Problems {
		if p.Line == 0 {
			t.Errorf("no position: %s", p)
		}
		got[p.String()] = false
	}
	for _, w := range want {
		matched := false
		for line, used := range got {
			_, rest, _ := strings.Cut(line, ".toml:")
			if !used && (strings.HasPrefix(rest, w) || strings.Contains(rest, " "+w)) {
				got[line], matched = true, true
				break
			}
		}
		if !matched {
			t.Errorf("missing problem %q", w)
		}
	}
	for line, used := range got {
		if !used {
			t.Errorf("unexpected problem %q", line)
		}
	}
}

// testParams is a user's environment in a temporary directory.
func testParams(t *testing.T) Params {
	t.Helper()
	home := t.TempDir()
	return Params{Env: map[string]string{"HOME": home}, Cwd: home, Home: home, UID: 1000, GOOS: "linux", MemoryBytes: 1 << 30}
}

func mustParse(t *testing.T, text string, p Params) *Config {
	t.Helper()
	cfg, err := Parse([]byte(text), p)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
