package lua

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzVM runs programs under small quotas, twice: in the ordinary loop, and in
// the debug loop with short slices. Both must end without a panic,
// within their limits, and leave the state usable; what runs into no limit must
// print the same.
func FuzzVM(f *testing.F) {
	for _, pattern := range []string{"testdata/hostile/*.lua", "testdata/core/*.lua", "testdata/diff/*.lua"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if src, err := os.ReadFile(file); err == nil && len(src) < 4000 {
				f.Add(string(src))
			}
		}
	}
	for _, tt := range stepTests {
		f.Add(tt.src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		chunk, err := Compile("=fuzz", src, CompileOptions{})
		if err != nil {
			return
		}
		first, clean := fuzzRun(t, chunk, testSwitches{})
		second, alsoClean := fuzzRun(t, chunk, testSwitches{debug: true, slice: 50})
		if clean && alsoClean && first != second && !strings.Contains(src, "collect") && !strings.Contains(src, "__") {
			t.Errorf("printed\n%s\nthen\n%s", first, second)
		}
	})
}

// fuzzRun returns what the program prints and whether it met no limit.
func fuzzRun(t *testing.T, chunk *Chunk, test testSwitches) (printed string, clean bool) {
	t.Helper()
	const fuel, memory = 200_000, 4 << 20
	st, out := newHostState(t, Options{MemoryLimit: memory, Seed: 1, test: test})
	o := st.Run(st.Load(chunk), nil, RunOptions{Fuel: fuel})
	for i := 0; o.Main() == nil; i++ {
		switch {
		case len(o.Suspended) == 0:
			t.Fatal("neither ended nor suspended")
		case i > 20:
			o = st.Stop(StopInterrupt)
		default:
			o = st.Resume(o.Suspended[0].Fiber, []Value{Integer(int64(i))})
		}
	}
	if st.broken != nil {
		t.Fatalf("%v\n%s", st.broken, o.Main().Err.Traceback)
	}
	u := st.Usage()
	if u.Fuel > fuel+10_000 || u.Peak > memory+memoryReserve+1<<20 {
		t.Errorf("%+v", u)
	}
	e := o.Main().Err
	clean = st.refusals == 0 && (e == nil || e.Stop == StopNone && !strings.Contains(e.Message, "overflow"))
	for i := 0; ; i++ {
		end := st.Run(mustLoad(t, st, "return 1"), nil, RunOptions{Fuel: fuel})
		if show(st, end.Main()) == "1" {
			break
		}
		if i == 3 {
			t.Fatalf("not usable afterwards: %+v", end.Main().Err)
		}
	}
	st.Close()
	return out.String(), clean
}
