package lua

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// mustCompile compiles and verifies.
func mustCompile(t testing.TB, src string) *Chunk {
	t.Helper()
	c, err := Compile("=test", src, CompileOptions{})
	if err != nil {
		t.Fatalf("compile: %v\n%s", err, src)
	}
	mustVerify(t, c)
	return c
}

func mustVerify(t testing.TB, c *Chunk) {
	t.Helper()
	for i, p := range c.protos {
		if p.index != i {
			t.Fatalf("function %d has index %d", i, p.index)
		}
		if err := p.verify(); err != nil {
			t.Fatalf("verify: %v\n%s", err, c.Disassemble())
		}
	}
}

func TestGoldenDisassembly(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/disasm/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := mustCompile(t, string(src)).Disassemble()
			golden := strings.TrimSuffix(file, ".lua") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("disassembly differs from %s; run with -update to rewrite\n%s", golden, got)
			}
		})
	}
}
