package lua

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func benchFiles(tb testing.TB) []string {
	files, err := filepath.Glob("testdata/bench/*.lua")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no programs: %v", err)
	}
	return files
}

// BenchmarkPrograms runs the programs of testdata/bench; where lua5.4 is
// installed it reports the wall time as a ratio to it ("x/PUC").
func BenchmarkPrograms(b *testing.B) {
	for _, path := range benchFiles(b) {
		b.Run(strings.TrimSuffix(filepath.Base(path), ".lua"), func(b *testing.B) {
			src, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			st, _ := newHostState(b, Options{})
			fn := mustLoad(b, st, string(src))
			b.ReportAllocs()
			for b.Loop() {
				if e := st.Run(fn, nil, RunOptions{}).endOf(); e.Err != nil {
					b.Fatal(e.Err)
				}
			}
			if reference, err := exec.LookPath("lua5.4"); err == nil {
				start := time.Now()
				if err := exec.Command(reference, path).Run(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Since(start)), "x/PUC")
			}
		})
	}
}

func BenchmarkNewState(b *testing.B) {
	sys, _ := testSystem("")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(Options{System: sys}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCallFromGo is a Lua function called through Run.
func BenchmarkCallFromGo(b *testing.B) {
	st, _ := newHostState(b, Options{})
	out := st.Run(mustLoad(b, st, "return function(x) return x end"), nil, RunOptions{})
	fn := out.Main().Values[0]
	args := []Value{Integer(1)}
	b.ReportAllocs()
	for b.Loop() {
		st.Run(fn, args, RunOptions{})
	}
}

// BenchmarkNestedCall is a Lua function called by a Go function.
func BenchmarkNestedCall(b *testing.B) {
	st, _ := newHostState(b, Options{})
	loop := NewFunction("test.loop", func(c *Call) Status {
		for b.Loop() {
			if _, ok := c.CallNested(c.Arg(0), Integer(1)); !ok {
				return c.Failed()
			}
		}
		return c.Return()
	})
	_ = st.RawSet(st.Globals(), st.NewString("loop"), loop.Value())
	b.ReportAllocs()
	st.Run(mustLoad(b, st, "loop(function(x) return x end)"), nil, RunOptions{})
}
