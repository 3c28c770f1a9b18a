package lua

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// fuzzOptions restore what a hostile snapshot may hold under small limits.
func fuzzOptions() Options {
	o := hostOptions()
	o.MemoryLimit = 4 << 20
	return o
}

// exercise restores a body and runs what it holds: that must end, and never
// with an internal error of the VM.
func exercise(t testing.TB, body []byte) {
	data, err := seal(body)
	if err != nil {
		t.Fatal(err)
	}
	st, _, err := Restore(data, fuzzOptions(), RestoreOptions{Setup: fullHost(), Run: RunOptions{Fuel: 50_000}})
	if err != nil {
		if strings.Contains(err.Error(), "internal error") {
			t.Fatal(err)
		}
		return
	}
	if _, _, err := st.Snapshot(SnapshotOptions{}); err != nil {
		t.Fatalf("what was restored cannot be saved: %v", err)
	}
	for range 4 {
		w := st.Waiting()
		if len(w.Suspended) == 0 {
			break
		}
		out := st.Resume(w.Suspended[0].Fiber, []Value{st.NewString("x")})
		for _, e := range out.Ended {
			checkBroken(t, e.Err)
		}
	}
	st.Stop(StopInterrupt)
	chunk, err := Compile("=fuzz", fuzzUse, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if out := st.Run(st.Load(chunk), nil, RunOptions{Fuel: 200_000}); out.Main() != nil {
		checkBroken(t, out.Main().Err)
	}
	st.walk(true)
}

func checkBroken(t testing.TB, e *Error) {
	if e != nil && strings.HasPrefix(e.Message, "internal error") {
		t.Fatalf("%s\n%s", e.Message, e.Traceback)
	}
}

// fuzzUse uses everything that can be reached.
const fuzzUse = `
	local seen, todo = {}, {_G or 1}
	for i = 1, 300 do
		local v = todo[i]
		if v == nil then break end
		pcall(function()
			if type(v) == "table" then
				for k, x in next, v do
					for _, y in ipairs{k, x} do if type(y) ~= "number" and type(y) ~= "string" and not seen[y] then seen[y] = true todo[#todo + 1] = y end end
				end
				v.fuzz = #v
				todo[#todo + 1] = getmetatable(v)
			elseif type(v) == "function" then pcall(v, 1, 2)
			elseif type(v) == "thread" then pcall(coroutine.resume, v, 1) pcall(coroutine.close, v)
			end
			local _ = tostring(v), debug and debug.traceback and type(v) == "thread" and debug.traceback(v)
		end)
	end`

// fuzzPrograms leave states with each kind of frame behind.
func fuzzPrograms() []string {
	list := []string{snapshotProgram, `
		local mt = setmetatable({}, {__index = function(t, k) return wait(k) end, __concat = function(a, b) return wait("c") end, __lt = function() return wait("l") end})
		co = coroutine.create(function(...) local x <close> = setmetatable({}, {__close = function() coroutine.yield() end}) coroutine.yield(...) end)
		coroutine.resume(co, 1) coroutine.resume(co)
		for i = 1, 2 do pcall(table.sort, {3, 1, 2}, function(a, b) return a < b and wait("s") end) end
		return mt .. "x", mt < mt, mt.y`}
	for _, tt := range suspendTests {
		list = append(list, tt.src)
	}
	return list
}

func fuzzSeeds(t testing.TB) [][]byte {
	var seeds [][]byte
	for _, src := range fuzzPrograms() {
		st := fullState(t, fuzzOptions())
		st.Run(mustLoad(t, st, src), nil, RunOptions{Fuel: 50_000})
		data, _, err := st.Snapshot(SnapshotOptions{})
		if err != nil {
			t.Fatal(err)
		}
		body, err := unseal(data, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, body)
	}
	return append(seeds, pausedSeeds(t)...)
}

// pausedSeeds are states in the middle of a run.
func pausedSeeds(t testing.TB) (seeds [][]byte) {
	o := fuzzOptions()
	o.test = testSwitches{pause: true, slice: 20, walkAlways: true}
	st := fullState(t, o)
	out := st.Run(mustLoad(t, st, `
		local n, t = 0, setmetatable({}, {__index = function(t, k) for i = 1, 5 do k = k + i end return k end})
		for i = 1, 10 do
			setmetatable({}, {__gc = function() for i = 1, 5 do n = n + i end end})
			local x <close> = setmetatable({}, {__close = function() n = n + 1 end})
			n = n + t[i]
			table.sort({3, 1, 2}, function(a, b) for i = 1, 5 do n = n + 1 end return a < b end)
			;("abc"):gsub(".", function(c) for i = 1, 5 do n = n + 1 end return c .. n end)
			pcall(error, setmetatable({}, {__tostring = function() return "x" end}))
			for k, v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i, t[-i]) end end) do n = n + k end
		end
		return n`), nil, RunOptions{Fuel: 50_000})
	for n := 0; out.Main() == nil; n++ {
		if n%5 == 0 {
			data, _, err := st.Snapshot(SnapshotOptions{})
			if err != nil {
				t.Fatal(err)
			}
			body, err := unseal(data, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			seeds = append(seeds, body)
		}
		out = st.Resume(st.Waiting().Suspended[0].Fiber, nil)
	}
	if len(seeds) < 10 {
		t.Fatalf("%d pauses", len(seeds))
	}
	return seeds
}

// FuzzRestore feeds bodies of snapshots, sealed with a right checksum.
func FuzzRestore(f *testing.F) {
	for _, s := range fuzzSeeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body []byte) { exercise(t, body) })
}

// FuzzUnseal feeds whole snapshots.
func FuzzUnseal(f *testing.F) {
	for _, s := range fuzzSeeds(f) {
		data, err := seal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, _ = Restore(data, fuzzOptions(), RestoreOptions{Setup: fullHost()})
	})
}

// TestRestoreDamaged changes bytes of good snapshots at random.
func TestRestoreDamaged(t *testing.T) {
	t.Parallel()
	seeds := fuzzSeeds(t)
	for _, s := range seeds {
		exercise(t, s)
	}
	limit := 3 * time.Second
	if testing.Short() {
		limit = 300 * time.Millisecond
	}
	r := rand.New(rand.NewPCG(uint64(*genSeed), 1))
	n := 0
	for start := time.Now(); time.Since(start) < limit; n++ {
		body := append([]byte(nil), seeds[r.IntN(len(seeds))]...)
		for range 1 + r.IntN(3) {
			i := r.IntN(len(body))
			if r.IntN(3) > 0 { // frames and state are at the end
				i = len(body) - 1 - r.IntN(min(len(body), 300))
			}
			switch r.IntN(4) {
			case 0:
				body[i] = byte(r.IntN(256))
			case 1:
				body[i]++
			case 2:
				body[i]--
			default:
				body = append(body[:i], body[i+1:]...)
			}
		}
		exercise(t, body)
	}
	t.Logf("%d damaged snapshots", n)
}

func TestUnsealRefuses(t *testing.T) {
	t.Parallel()
	good := programSnapshot(t)
	for name, data := range map[string][]byte{
		"empty": nil, "magic": []byte("LUASNAX" + string(good[7:])), "version": append([]byte("LUASNAP\x63"), good[8:]...),
		"truncated": good[:len(good)-5], "header": good[:12], "checksum": append(append([]byte(nil), good[:12]...), append([]byte{good[12] ^ 1}, good[13:]...)...),
	} {
		if _, _, err := Restore(data, Options{}, RestoreOptions{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, _, err := Restore(good, Options{Stdlib: StdlibBasic}, RestoreOptions{}); err == nil {
		t.Error("restores into another library")
	}
	if _, _, err := Restore(good, Options{MemoryLimit: 1 << 10}, RestoreOptions{}); err != nil {
		t.Errorf("a small state above its limit: %v", err) // the reserve covers it
	}
}

// heapState has about 1 MB of counted bytes.
func heapState(b testing.TB) *State {
	st, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	out := st.Run(mustLoad(b, st, `
		data = {}
		for i = 1, 1800 do
			data[i] = {id = i, name = "name" .. i, tags = {"a", "b", i}, score = i / 3, f = function() return i end}
		end`), nil, RunOptions{})
	if out.Main().Err != nil {
		b.Fatal(out.Main().Err)
	}
	st.walk(false)
	return st
}

func BenchmarkSnapshot(b *testing.B) {
	st := heapState(b)
	size := 0
	for b.Loop() {
		data, _, err := st.Snapshot(SnapshotOptions{})
		if err != nil {
			b.Fatal(err)
		}
		size = len(data)
	}
	b.ReportMetric(float64(st.mem), "heap-bytes")
	b.ReportMetric(float64(size), "snapshot-bytes")
}

func BenchmarkRestore(b *testing.B) {
	data, _, err := heapState(b).Snapshot(SnapshotOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := Restore(data, Options{}, RestoreOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
