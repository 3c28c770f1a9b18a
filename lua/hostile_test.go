package lua

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Limits of the hostile scripts.
const (
	hostileMemory = 16 << 20
	hostileFuel   = 20_000_000
)

type hostileScript struct{ name, ends, source string }

// hostileScripts are testdata/hostile/*.lua. The first line of each says how it
// must end: "-- ends: " and a part of the error message, or ok.
func hostileScripts(t testing.TB) []hostileScript {
	t.Helper()
	files, err := filepath.Glob("testdata/hostile/*.lua")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	var scripts []hostileScript
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(src), "\n")
		ends, ok := strings.CutPrefix(first, "-- ends: ")
		if !ok {
			t.Fatalf("%s does not say how it ends", file)
		}
		scripts = append(scripts, hostileScript{strings.TrimSuffix(filepath.Base(file), ".lua"), ends, string(src)})
	}
	return scripts
}

// run runs the script under the limits and checks them; slice is Options.Slice.
func (h *hostileScript) run(t *testing.T, slice func()) {
	t.Helper()
	st, _ := newHostState(t, Options{MemoryLimit: hostileMemory, MaxHandles: 1 << 30, Slice: slice})
	start := time.Now()
	e, _ := runLimited(t, st, h.source, RunOptions{Fuel: hostileFuel, Deadline: start.Add(time.Minute)})
	usage := st.Usage()
	switch {
	case e.Err == nil && h.ends != "ok":
		t.Errorf("%s ends well", h.name)
	case e.Err != nil && (h.ends == "ok" || !strings.Contains(e.Err.Message, h.ends)):
		t.Errorf("%s ends with %q, want %q", h.name, e.Err.Message[:min(len(e.Err.Message), 200)], h.ends)
	}
	if usage.Fuel > hostileFuel+10_000 {
		t.Errorf("%s: fuel %d", h.name, usage.Fuel)
	}
	if usage.Peak > hostileMemory+memoryReserve {
		t.Errorf("%s: peak %d", h.name, usage.Peak)
	}
	got := ""
	for range 3 { // __gc functions of the script may spoil the first ones
		e, _ := runLimited(t, st, "keep = nil local t = {} for i = 1, 1000 do t[i] = {i} end return #t", RunOptions{Fuel: hostileFuel})
		if got = show(st, e); got == "1000" {
			break
		}
	}
	if got != "1000" {
		t.Errorf("%s: afterwards %s", h.name, got)
	}
	st.Close()
}

func TestHostileScripts(t *testing.T) {
	t.Parallel()
	for _, h := range hostileScripts(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			h.run(t, nil)
		})
	}
}

// hostileChild is the variable that makes TestHostileMemory the measured process.
const hostileChild = "LUA_TEST_HOSTILE_CHILD"

// TestHostileMemory runs the memory bombs in a process of their own with
// GOMEMLIMIT 24 MB above what it has at its start, and measures at every slice
// that what the limit is about stays below it.
func TestHostileMemory(t *testing.T) {
	if os.Getenv(hostileChild) != "" {
		measureHostile(t)
		return
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("takes seconds")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostileMemory$", "-test.v")
	cmd.Env = append(os.Environ(), hostileChild+"=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

func measureHostile(t *testing.T) {
	scripts := hostileScripts(t)
	runtime.GC()
	debug.FreeOSMemory()
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	used := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
	}
	const room = 24 << 20
	start := used()
	debug.SetMemoryLimit(start + room)
	for _, h := range scripts {
		if !strings.HasPrefix(h.name, "bomb_") && !strings.HasPrefix(h.name, "deep_") {
			continue
		}
		debug.FreeOSMemory()
		peak, began := int64(0), time.Now()
		look := func() { peak = max(peak, used()-start) }
		t.Run(h.name, func(t *testing.T) { // of its own: it keeps the state
			h.run(t, look)
			look()
		})
		// The limit is soft: Go's collector may lag behind, the more so on a busy
		// machine, so this bound is twice the room: what is counted wrongly goes far
		// beyond. The log has the figures.
		if peak > 2*room {
			t.Errorf("%s: %d bytes above the start", h.name, peak)
		}
		t.Logf("%-24s %5.1f MB %v", h.name, float64(peak)/(1<<20), time.Since(began).Round(time.Millisecond))
	}
}

// TestRetainedMemory: what a state keeps after Go's collection is at most 1.25
// times what it counts and 1 MB.
func TestRetainedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("forces collections; not in parallel")
	}
	const n = 100_000
	for name, src := range map[string]string{
		"tables":      "for i = 1, N do keep[i] = {i, i} end",
		"records":     "for i = 1, N do keep[i] = {x = i, y = i, z = {}} end",
		"hash":        "for i = 1, N do keep['k' .. i] = i end",
		"integers":    "for i = 1, N * 10 do keep[i] = i end",
		"floats":      "for i = 1, N * 10 do keep[i] = i / 2 end",
		"mixed":       "for i = 1, N do keep[i] = i % 2 == 0 and i or 'x' .. i end",
		"strings":     "for i = 1, N do keep[i] = ('s'):rep(i % 100) .. i end",
		"big strings": "for i = 1, 20 do keep[i] = ('s'):rep(N) .. i end",
		"closures":    "for i = 1, N do local a, b = i, {} keep[i] = function() a = a + 1 return a, b end end",
		"coroutines":  "for i = 1, N // 10 do local co = coroutine.wrap(function(a, b) coroutine.yield(a) end) co(i, i) keep[i] = co end",
		"shrunk":      "for i = 1, N do keep[i] = {i} end for i = 1, N do keep[i] = nil end for i = 1, 100 do keep[i] = i end",
		"functions":   "for i = 1, N // 50 do keep[i] = load('local a = ... return function() return a + ' .. i .. ' end') end",
		"weak":        "setmetatable(keep, {__mode = 'k'}) hold = {} for i = 1, N do hold[i] = {} keep[hold[i]] = i end",
	} {
		var before, after runtime.MemStats
		st, _ := newHostState(t, Options{MaxHandles: 1 << 30})
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := st.Usage().Bytes
		if e, _ := runLimited(t, st, "keep = {} "+strings.ReplaceAll(src, "N", strconv.Itoa(n))+" collectgarbage()", RunOptions{}); e.Err != nil {
			t.Errorf("%s: %v", name, e.Err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		kept, counted := int64(after.HeapAlloc)-int64(before.HeapAlloc), st.Usage().Bytes-start
		if limit := counted + counted/4 + 1<<20; kept > limit {
			t.Errorf("%s: %d bytes kept, %d counted: %.2f", name, kept, counted, float64(kept)/float64(counted))
		}
		t.Logf("%-12s kept %9d counted %9d  %.2f", name, kept, counted, float64(kept)/float64(counted))
		runtime.KeepAlive(st)
	}
}
