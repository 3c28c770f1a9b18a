package lua

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// mustSnapshot takes a snapshot twice, which must give equal bytes.
func mustSnapshot(t testing.TB, st *State) ([]byte, []Unsaved) {
	t.Helper()
	data, lost, err := st.Snapshot(SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := st.Snapshot(SnapshotOptions{})
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("a second snapshot differs (%v)", err)
	}
	return data, lost
}

// mustRestore restores a snapshot, whose snapshot must be the same bytes.
func mustRestore(t testing.TB, data []byte, o Options, r RestoreOptions) (*State, []Unsaved) {
	t.Helper()
	st, lost, err := Restore(data, o, r)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := st.Snapshot(SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		a, _ := unseal(data, 1<<30)
		b, _ := unseal(again, 1<<30)
		i := 0
		for i < min(len(a), len(b)) && a[i] == b[i] {
			i++
		}
		t.Fatalf("snapshot(restore(b)) differs from b at %d of %d, %d bytes: %x, %x", i, len(a), len(b), a[i:min(i+30, len(a))], b[i:min(i+30, len(b))])
	}
	return st, lost
}

// testHost makes the functions of the tests' host in a state.
func testHost(st *State) error {
	for _, f := range []*Function{wait, nest} {
		if err := st.RawSet(st.Globals(), st.NewString(f.shortName()), f.Value()); err != nil {
			return err
		}
	}
	return nil
}

// hop saves a state and restores it.
func hop(t testing.TB, st *State, o Options) *State {
	t.Helper()
	data, _ := mustSnapshot(t, st)
	next, _ := mustRestore(t, data, o, RestoreOptions{Setup: testHost, Run: st.limits})
	if got, want := next.Usage().Bytes, st.Usage().Bytes; got != want {
		t.Errorf("counted bytes %d become %d", want, got)
	}
	next.walk(false)
	st.walk(false)
	if next.mem != st.mem {
		t.Errorf("live bytes %d become %d", st.mem, next.mem)
	}
	return next
}

// TestSnapshotValues runs a first chunk, restores the state, and runs a second
// one.
func TestSnapshotValues(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, before, after, want string }{
		{"scalars", `a, b, c, d, e = nil, true, 1 << 62, -0.5, "x\0y"`, `return a, b, c, d, e`, "nil true 4611686018427387904 -0.5 x\x00y"},
		{"floats", `a, b, c, d = 0.0/0.0, 1/0, -0.0, 3.0`, `return a ~= a, b, 1/c, d`, "true inf -inf 3.0"},
		{"identity", `t = {} u = t s = tostring(t)`, `return t == u, tostring(t) == s`, "true true"},
		{"cycle", `t = {} t.t = t t[t] = t`, `return t.t.t[t] == t`, "true"},
		{"array", `t = {1, 2, nil, 4} u = {} for i = 1, 100 do u[i] = i end for i = 100, 51, -1 do u[i] = nil end`, `return #t, #u, u[50]`, "4 50 50"},
		{"mixed array", `t = {1, "a", {2}, false, 2.5}`, `return #t, t[2], t[3][1], t[4], t[5]`, "5 a 2 false 2.5"},
		{"order", `t = {} for i = 20, 1, -1 do t["k" .. i] = i end t.k5 = nil`, `local r = {} for k, v in pairs(t) do r[#r + 1] = v end return table.concat(r, ",")`,
			"20,19,18,17,16,15,14,13,12,11,10,9,8,7,6,4,3,2,1"},
		{"removed keys", `t = {a = 1, b = 2, c = 3} t.b = nil t.d = 4 t.b = 5`, `local r = {} for k, v in pairs(t) do r[#r + 1] = k .. v end return table.concat(r)`, "a1b5c3d4"},
		{"next while removing", `t = {a = 1, b = 2, c = 3} k = next(t) t[k] = nil`, `return (next(t, k))`, "b"},
		{"keys", `t = {[1.5] = 1, [true] = 2, [-7] = 3, [print] = 4}`, `return t[1.5], t[true], t[-7], t[print]`, "1 2 3 4"},
		{"metatable", `mt = {__index = function(_, k) return k .. "!" end} t = setmetatable({}, mt)`, `return t.x, getmetatable(t) == mt`, "x! true"},
		{"weak", `t = setmetatable({}, {__mode = "v"}) k = {} t.x = k`, `local has = t.x == k k = nil collectgarbage() return has, t.x`, "true nil"},
		{"weak keys", `t = setmetatable({}, {__mode = "k"}) t[{}] = 1 t[t] = 2 collectgarbage()`, `local n = 0 for k in pairs(t) do n = n + 1 end return n`, "1"},
		{"finalizer", `t = setmetatable({}, {__gc = function() done = true end})`, `t = nil collectgarbage() return done`, "true"},
		{"closure", `local n = 1 function inc() n = n + 1 return n end function get() return n end inc()`, `return inc(), get()`, "3 3"},
		{"nested closures", `function mk() local a = 1 return function() local b = 10 return function() a = a + 1 b = b + 1 return a + b end end end f = mk() g, h = f(), f()`,
			`return g(), g(), h()`, "13 15 15"},
		{"debug identity", `local n = 1 function f() return n end function g() return n end id = debug.upvalueid(f, 1)`,
			`return id == debug.upvalueid(g, 1), debug.upvalueid(f, 1) == id`, "true true"},
		{"load", `f = load("local a = ... return function() a = a + 1 return a end")(5) f()`, `return f(), f()`, "7 8"},
		{"load text", `f = load("return 'a long enough constant of a private chunk'")`, `return f()`, "a long enough constant of a private chunk"},
		{"library function", `f = string.rep g = ("x").upper`, `return f("ab", 2), g("q")`, "abab Q"},
		{"library table", `string.extra = 1 math.pi = nil`, `return string.extra, math.pi, ("x"):rep(2), math.huge`, "1 nil xx inf"},
		{"gmatch", `f = ("a b c"):gmatch("%a") f()`, `local a, b, c = f(), f(), f() return a, b, c`, "b c nil"},
		{"ipairs", `f, s, c = ipairs({5, 6})`, `return f(s, c)`, "1 5"},
		{"coroutine new", `co = coroutine.create(function(...) return ... end)`, `return coroutine.resume(co, 1, 2)`, "true 1 2"},
		{"coroutine", `co = coroutine.wrap(function(a) while true do a = a + coroutine.yield(a) end end) co(1)`, `return co(2), co(3)`, "3 6"},
		{"coroutine dead", `co = coroutine.create(function() end) coroutine.resume(co)`, `return coroutine.status(co), coroutine.resume(co)`, "dead false cannot resume dead coroutine"},
		{"coroutine failed", `co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() closed = true end}) error("e", 0) end) coroutine.resume(co)`,
			`local a, b = coroutine.close(co) return a, b, closed`, "false e true"},
		{"open upvalue", `co = coroutine.wrap(function() local n = 1 get = function() n = n + 1 return n end coroutine.yield() return n end) co()`, `return get(), get(), co()`, "2 3 3"},
		{"open upvalue of garbage", `coroutine.wrap(function() local n = 1 get = function() n = n + 1 return n end coroutine.yield() end)()`, `return get(), get()`, "2 3"},
		{"in pcall", `co = coroutine.wrap(function() return pcall(function() error(coroutine.yield(), 0) end) end) co()`, `return co("e")`, "false e"},
		{"in xpcall", `co = coroutine.wrap(function() return xpcall(function() error(coroutine.yield(), 0) end, function(m) return m .. "!" end) end) co()`, `return co("e")`, "false e!"},
		{"in metamethod", `co = coroutine.wrap(function() return setmetatable({}, {__add = function(a, b) return coroutine.yield() + b end}) + 5 end) co()`, `return co(2)`, "7"},
		{"in index", `co = coroutine.wrap(function() return setmetatable({}, {__index = function(_, k) return k .. coroutine.yield() end}).foo end) co()`, `return co("x")`, "foox"},
		{"in comparison", `co = coroutine.wrap(function() local m = {__lt = function() return coroutine.yield() end} if setmetatable({}, m) < setmetatable({}, m) then return "less" end return "not" end) co()`, `return co(true)`, "less"},
		{"in concat", `co = coroutine.wrap(function() return "a" .. "b" .. setmetatable({}, {__concat = function(a, b) return coroutine.yield() .. b end}) .. "d" end) co()`, `return co("x")`, "abxd"},
		{"in iterator", `co = coroutine.wrap(function() local r = 0 for v in coroutine.yield do r = r + v end return r end) co()`, `co(1) co(2) return co(nil)`, "3"},
		{"in pairs", `co = coroutine.wrap(function() local r = "" for k, v in pairs({a = 1, b = 2, c = 3}) do coroutine.yield() r = r .. k .. v end return r end) co()`, `co() co() return co()`, "a1b2c3"},
		{"in for", `co = coroutine.wrap(function() local r = 0 for i = 1, 3 do r = r + i coroutine.yield() end for x = 1.0, 2.0, 0.5 do r = r + x coroutine.yield() end return r end) for i = 1, 5 do co() end`, `co() return co()`, "10.5"},
		{"vararg", `co = coroutine.wrap(function(...) coroutine.yield() return select("#", ...), ... end) co(1, nil, 3)`, `return co()`, "3 1 nil 3"},
		{"close", `log = "" co = coroutine.wrap(function() local a <close> = setmetatable({}, {__close = function() log = log .. "a" end}) local b <close> = setmetatable({}, {__close = function() log = log .. "b" coroutine.yield() log = log .. "c" end}) coroutine.yield() return 7 end) co()`,
			`co() local r = co() return r, log`, "7 bca"},
		{"closing", `log = "" co = coroutine.wrap(function() local a <close> = setmetatable({}, {__close = function(_, e) log = log .. tostring(e) coroutine.yield(1) log = log .. "+" end}) error("E", 0) end) co()`,
			`local ok, e = pcall(co) return ok, e, log`, "false E E+"},
		{"nested coroutines", `outer = coroutine.wrap(function() local inner = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end) coroutine.yield(inner()) coroutine.yield(inner()) end) first = outer()`, `return first, outer()`, "1 2"},
		{"tail call", `local function g() coroutine.yield() return debug.traceback("t", 1):match("tail") end co = coroutine.wrap(function() return g() end) co()`, `return co()`, "tail"},
		{"random", `math.randomseed(42) a = math.random(1000)`, `local b = math.random(1000) math.randomseed(42) math.random(1000) return b == math.random(1000)`, "true"},
		{"modules", `package.loaded.m = {v = 1} package.preload.p = function() return {v = 2} end`, `return require("m").v, require("p").v`, "1 2"},
		{"long strings", `s = ("x"):rep(1000) t = {[s] = 1}`, `return #s, t[("x"):rep(1000)]`, "1000 1"},
		{"env", `f = load("x = 1 return x", "c", "t", {})`, `return f(), x`, "1 nil"},
		{"goto and const", `co = coroutine.wrap(function() local k <const> = 5 local i = 0 ::top:: i = i + 1 coroutine.yield(i + k) if i < 3 then goto top end end) co()`, `return co(), co()`, "7 8"},
		{"closed file", `f = setmetatable({}, {}) g = _G`, `return g == _G, _G._G == g`, "true true"},
		{"standard files", `out = io.stdout io.stdout:write("")`, `return io.type(out), out == io.stdout, io.output() == out`, "file true true"},
		{"type metatable", `m = getmetatable(io.stdout)`, `return m == getmetatable(io.stdin), m.__name`, "true FILE*"},
		{"warnings", `warn("@on") collectgarbage("stop") collectgarbage("setpause", 50) collectgarbage("generational")`, `return collectgarbage("isrunning"), collectgarbage("setpause", 1), collectgarbage("incremental")`, "false 50 generational"},
	}
	for _, mode := range []testSwitches{{}, {slice: 1, tightStack: true, walkAlways: true}} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s/%v", tt.name, mode.tightStack), func(t *testing.T) {
				t.Parallel()
				st, _ := newHostState(t, Options{test: mode, Seed: 7})
				o := st.options
				if out := st.Run(mustLoad(t, st, tt.before), nil, RunOptions{}); out.Main().Err != nil {
					t.Fatal(out.Main().Err)
				}
				next := hop(t, st, o)
				for _, s := range []*State{st, next} {
					if got := show(s, s.Run(mustLoad(t, s, tt.after), nil, RunOptions{}).endOf()); got != tt.want {
						t.Errorf("got %q, want %q", got, tt.want)
					}
				}
				if st.mem != next.mem || st.serial != next.serial {
					t.Errorf("after the same operations: %d bytes, serial %d; in the restored state %d, %d", st.mem, st.serial, next.mem, next.serial)
				}
			})
		}
	}
}

// TestSnapshotSuspended restores at every host call of the suspend tests.
func TestSnapshotSuspended(t *testing.T) {
	t.Parallel()
	for _, mode := range []testSwitches{{}, {slice: 1, tightStack: true, walkAlways: true}} {
		for _, tt := range suspendTests {
			t.Run(fmt.Sprintf("%s/%v", tt.name, mode.tightStack), func(t *testing.T) {
				t.Parallel()
				st, _ := newHostState(t, Options{test: mode})
				o := st.options
				out := st.Run(mustLoad(t, st, tt.src), nil, RunOptions{})
				var tokens []string
				for out.Main() == nil {
					st = hop(t, st, o)
					s := st.Waiting().Suspended[0]
					tokens = append(tokens, string(s.Token))
					out = st.Resume(s.Fiber, []Value{st.NewString("<" + string(s.Token) + ">")})
				}
				if got := suspendResult(st, out); strings.Join(tokens, ",") != tt.tokens || got != tt.want {
					t.Errorf("tokens %q, got %q; want %q, %q", tokens, got, tt.tokens, tt.want)
				}
			})
		}
	}
}

// runHopping runs a program as runHere does, restoring it at slice ends.
func runHopping(t testing.TB, source string, slice int64, most int) string {
	t.Helper()
	out := &sink{}
	sys := NewOSSystem()
	sys.Stdout, sys.Stdin = out, &sink{}
	o := Options{System: sys, Seed: 1, test: testSwitches{pause: true, slice: slice}}
	st, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	chunk, err := Compile("@program.lua", source, CompileOptions{})
	if err != nil {
		return "lua5.4: " + err.Error()
	}
	outcome := st.Run(st.Load(chunk), nil, RunOptions{Deadline: time.Now().Add(2 * time.Minute)})
	for n := 0; outcome.Main() == nil; n++ {
		if n < most {
			data, _, err := st.Snapshot(SnapshotOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if n%16 == 0 {
				st, _ = mustRestore(t, data, o, RestoreOptions{Run: st.limits})
			} else if st, _, err = Restore(data, o, RestoreOptions{Run: st.limits}); err != nil {
				t.Fatal(err)
			}
		} else {
			st.test.pause = false
		}
		outcome = st.Resume(st.Waiting().Suspended[0].Fiber, nil)
	}
	end := outcome.Main()
	if end.Err != nil && end.Err.Stop != StopExit {
		fmt.Fprintf(out, "lua5.4: %s\n", end.Err.Message)
	}
	st.Close()
	return out.String()
}

// TestDifferentialSnapshot is the mode "snapshot and restore at every slice end"
// of the differential rig, against the plain mode.
func TestDifferentialSnapshot(t *testing.T) {
	t.Parallel()
	slices, most := []int64{5000, 37}, 200
	if testing.Short() {
		slices, most = slices[:1], 20
	}
	for _, file := range corpus(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := comparable(runHere(t, string(src), testSwitches{}))
			for _, slice := range slices {
				if diff := firstDifference(comparable(runHopping(t, string(src), slice, most)), want); diff != "" {
					t.Errorf("slice %d: %s", slice, diff)
				}
			}
		})
	}
}

// TestGeneratedSnapshot does the same with generated programs.
func TestGeneratedSnapshot(t *testing.T) {
	t.Parallel()
	count := uint64(*genCount)
	if testing.Short() {
		count /= 10
	}
	for i := range count {
		seed := *genSeed + i
		src := generateProgram(seed)
		want := comparable(runHere(t, src, testSwitches{}))
		got := comparable(runHopping(t, src, 1+int64(seed%50), 60))
		if diff := firstDifference(got, want); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// TestSnapshotKnowsFields holds the fields of what a snapshot saves. A new field
// must be saved or be known not to need it.
func TestSnapshotKnowsFields(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v    any
		want string
	}{
		{State{}, stateFields},
		{Thread{}, "object stack frames nf top open tbc parent status nny cdepth wait err failed kill wrap lost depth ctx"},
		{frame{}, "cl ip fn step base ret nres nvar extra flags"},
		{pending{}, "ret nres flags fn"},
		{upval{}, "v closed slot epoch next id"},
		{Closure{}, "object proto ps k hints upvals"},
		{Function{}, "object name fn builtin upvals"},
		{Userdata{}, "object typ data meta"},
		{Table{}, "object filter meta arr alen acap ents index absent islot weak amode"},
		{fiber{}, "id root current token waiting paused stopReason"},
		{libState{}, "rng matcher substitution pointers input output dirty loaded preload packageTable"},
		{luaFile{}, "f standard stream closed lost path base in eof inCost process out outMode outSize written dirty"},
	} {
		typ := reflect.TypeOf(tt.v)
		var names []string
		for i := range typ.NumField() {
			names = append(names, typ.Field(i).Name)
		}
		got, want := strings.Join(names, " "), strings.Join(strings.Fields(tt.want), " ")
		if got != want {
			t.Errorf("%s has the fields\n%s\nknown are\n%s", typ, got, want)
		}
	}
}

// stateFields are saved, or made by New, or mean nothing between runs: th to
// granted but the counters, hostValues, ended to results, nested.
const stateFields = `
	th budget mem mark serial rq call err stop exitCode exit traceback
	reraise reraised globals registry stringMeta typeMetas chunks perms lostMeta lib options memErr
	broken closed run32 limits fuel granted sinceSlice walkDue gcStopped inGC closing hostValues
	refusals held peak walks frozen threads handles epoch gray finalizers dueGC fibers
	fiber lastFiber main ended suspended results rootPool nested nestedName nestedPending gcPause gcStepMul
	gcGenerational warnings exiting refs freeRef test debugger inDebug`

// TestSnapshotIsNotObservable runs a program three times: as it is, with
// snapshots taken at every pause, and restored at every pause. All counters and
// the snapshots at every pause must be the same.
func TestSnapshotIsNotObservable(t *testing.T) {
	t.Parallel()
	const src = `
		local weak, kept, n = setmetatable({}, {__mode = "k"}), {}, 0
		for i = 1, 300 do
			local t = setmetatable({i, x = "s" .. i}, {__gc = function() n = n + 1 end})
			weak[t] = i
			if i % 3 == 0 then kept[#kept + 1] = t end
			if i % 50 == 0 then kept = {table.unpack(kept, 1, 5)} for k = 6, #kept do kept[k] = nil end end
			local co = coroutine.wrap(function() for j = 1, 3 do coroutine.yield(("x"):rep(100 * j)) end end)
			co() kept.co = co
			pcall(table.sort, kept, function(a, b) return a[1] > b[1] end)
		end
		local left = 0 for _ in pairs(weak) do left = left + 1 end
		return n, left, #kept, collectgarbage("count"), tostring({})`
	for _, test := range []testSwitches{{pause: true, slice: 777}, {pause: true, slice: 999, walkAlways: true}} {
		if testing.Short() && test.walkAlways {
			continue
		}
		o := Options{Seed: 1, MemoryLimit: 300 << 10, test: test}
		var want, ends []string
		for mode := range 3 {
			st, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			out := st.Run(mustLoad(t, st, src), nil, RunOptions{Fuel: 10_000_000})
			at := 0
			for ; out.Main() == nil; at++ {
				if mode > 0 {
					data, _ := mustSnapshot(t, st)
					if mode == 1 {
						want = append(want, string(data))
					} else if at >= len(want) || want[at] != string(data) {
						t.Fatalf("snapshot %d differs after restores", at)
					}
					if mode == 2 {
						st, _ = mustRestore(t, data, o, RestoreOptions{Run: st.limits})
					}
				}
				out = st.Resume(st.Waiting().Suspended[0].Fiber, nil)
			}
			u := st.Usage()
			ends = append(ends, fmt.Sprintf("%s; %d pauses, %d units, %d bytes, peak %d, serial %d", show(st, out.Main()), at, u.Fuel, u.Bytes, u.Peak, st.serial))
		}
		if ends[0] != ends[1] || ends[0] != ends[2] {
			t.Errorf("plain:    %s\nsaved:    %s\nrestored: %s", ends[0], ends[1], ends[2])
		}
		t.Log(ends[0])
	}
}
