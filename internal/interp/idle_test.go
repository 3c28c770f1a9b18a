package interp_test

import (
	"runtime"
	"testing"

	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/lua"
)

// TestIdleInterpretersAreSmall: 1,000 sessions that ran something stay far below
// 40 MB and hold no goroutine.
func TestIdleInterpretersAreSmall(t *testing.T) {
	lib := library(t)
	const n = 1000
	heap := func() (bytes uint64, goroutines int) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse, runtime.NumGoroutine()
	}
	before, goroutines := heap()
	all := make([]*interp.Interp, n)
	for i := range all {
		in, err := interp.New(interp.Params{Library: lib, Seed: 1, MemoryLimit: 50_000_000, Local: gate.NewLocal()})
		if err != nil {
			t.Fatal(err)
		}
		all[i] = in
		if _, err := in.Execute(t.Context(), interp.Request{Code: `x = 1 Run.sleep(0) return x`}); err != nil {
			t.Fatal(err)
		}
	}
	after, goroutinesAfter := heap()
	per := (after - min(before, after)) / n
	t.Logf("%d bytes an interpreter", per)
	if per > 38<<10 {
		t.Errorf("%d bytes an interpreter", per)
	}
	if goroutinesAfter > goroutines+2 {
		t.Errorf("%d goroutines, %d before", goroutinesAfter, goroutines)
	}
	for _, in := range all {
		in.Close()
	}
}

func BenchmarkNew(b *testing.B) {
	lib := library(b)
	b.ReportAllocs()
	for b.Loop() {
		in, err := interp.New(interp.Params{Library: lib, Seed: 1, MemoryLimit: 50_000_000})
		if err != nil {
			b.Fatal(err)
		}
		in.Close()
	}
}

func BenchmarkFreshExecute(b *testing.B) {
	lib := library(b)
	b.ReportAllocs()
	for b.Loop() {
		in, err := interp.New(interp.Params{Library: lib, Seed: 1, MemoryLimit: 50_000_000})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := in.Execute(b.Context(), interp.Request{Code: `return 42`}); err != nil {
			b.Fatal(err)
		}
		in.Close()
	}
}

func BenchmarkBlockingCall(b *testing.B) {
	in := open(b, interp.Params{})
	code := `for i = 1, 100 do Run.sleep(0) end`
	for b.Loop() {
		if _, err := in.Execute(b.Context(), interp.Request{Code: code}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/call")
}

func BenchmarkBareState(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		st, err := lua.New(lua.Options{MemoryLimit: 50_000_000, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		st.Close()
	}
}
