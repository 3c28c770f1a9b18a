package lua

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hostStep is a Step of the tests' host.
type hostStep struct{ n int64 }

func (h hostStep) Resume(c *Call) Status { return c.Return1(Integer(h.n)) }

var hostCaller = NewFunction("host.call", func(c *Call) Status { return c.CallThen(hostStep{7}, 0, c.Arg(0)) })

// hostAdder is a Go closure: its upvalue is what it adds.
var hostAdder = NewFunction("host.adder", func(c *Call) Status {
	n, _ := c.CheckInteger(0)
	by, _ := c.Upvalue(0).AsInteger()
	return c.Return1(Integer(n + by))
})

// agentType survives by name, boxType not at all.
var agentType = &UserType{
	Name:     "Agent",
	Methods:  map[string]*Function{"name": NewFunction("Agent:name", func(c *Call) Status { return c.Return1(c.NewString(agentName(c))) })},
	ToString: func(data any) string { return "Agent: " + *data.(*string) },
	Hidden:   true,
	Charge:   100,
	Encode:   func(data any) ([]byte, error) { return []byte(*data.(*string)), nil },
	Decode: func(_ *State, data []byte) (any, error) {
		if string(data) == "gone" {
			return nil, errors.New("agent gone is no more")
		}
		s := string(data)
		return &s, nil
	},
}

func agentName(c *Call) string {
	u, _ := c.Arg(0).AsUserdata()
	if p, ok := u.Data().(*string); ok {
		return *p
	}
	return "?"
}

var boxType = &UserType{Name: "Box", Methods: map[string]*Function{"open": NewFunction("Box:open", func(c *Call) Status { return c.Return1(Boolean(true)) })}}

// hostCodec is the codec of the tests' host.
func hostCodec() *Codec {
	return &Codec{
		Types: []*UserType{agentType, boxType, nullTestType},
		Steps: []StepCodec{{
			Name: "host", Step: hostStep{},
			Encode: func(w *StepWriter, s Step) { w.Int(s.(hostStep).n) },
			Decode: func(r *StepReader) Step { return hostStep{r.Int()} },
		}},
		Functions:     []*Function{hostAdder},
		EncodeContext: func(ctx any) ([]byte, error) { return []byte(ctx.(string)), nil },
		DecodeContext: func(_ *State, data []byte) (any, error) { return string(data), nil },
	}
}

var nullTestType = &UserType{Name: "null", Hidden: true, ToString: func(any) string { return "null" }}

// fullHost makes a state as a kernel would; without leaves out modules.
func fullHost(without ...string) func(st *State) error {
	return func(st *State) error {
		if err := testHost(st); err != nil {
			return err
		}
		null := st.NewUserdata(nullTestType, nil)
		st.Permanent("JSON.null", null)
		for _, name := range []string{"Tool", "Mod", "New"} {
			if slices.Contains(without, name) {
				continue
			}
			t := st.NewTable(0, 2)
			_ = st.RawSet(t, st.NewString("f"), NewFunction(name+".f", func(c *Call) Status { return c.Return1(c.NewString(name)) }).Value())
			_ = st.RawSet(t, st.NewString("null"), null)
			_ = st.RawSet(t, st.NewString("inner"), st.NewTable(0, 0).Value())
			st.Freeze(t, name)
			if err := st.RawSet(st.Globals(), st.NewString(name), t.Value()); err != nil {
				return err
			}
		}
		_ = st.RawSet(st.Globals(), st.NewString("call"), hostCaller.Value())
		return nil
	}
}

func fullState(t testing.TB, o Options, without ...string) *State {
	t.Helper()
	st, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := fullHost(without...)(st); err != nil {
		t.Fatal(err)
	}
	return st
}

func runShow(t testing.TB, st *State, src string) string {
	t.Helper()
	return show(st, st.Run(mustLoad(t, st, src), nil, RunOptions{}).endOf())
}

func hostOptions() Options {
	return Options{Codec: hostCodec(), Seed: 3, RefusalError: func(s *State, kind, msg string) Value {
		return s.NewString(kind + ": " + msg)
	}}
}

func TestSnapshotPermanents(t *testing.T) {
	t.Parallel()
	st := fullState(t, hostOptions(), "New")
	if got := runShow(t, st, `
		m, n, inner, key = Mod, Tool.null, Tool.inner, {[Mod] = "m", [Tool.null] = "n"}
		id = tostring(Mod) mine = {x = 1} inner.mine = mine Tool = nil f = Mod.f`); got != "" {
		t.Fatal(got)
	}
	data, lost := mustSnapshot(t, st)
	if len(lost) > 0 {
		t.Errorf("unsaved: %v", lost)
	}
	next, lost := mustRestore(t, data, hostOptions(), RestoreOptions{Setup: fullHost("New")})
	if len(lost) > 0 {
		t.Errorf("not restored: %v", lost)
	}
	got := runShow(t, next, `return m == Mod, m.f(), n == Mod.null, type(inner), key[Mod], key[n], tostring(Mod) == id, Tool, f(), pcall(rawset, Mod, 1, 1), mine.x`)
	if want := "true Mod true table m n true nil Mod false 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// A new module appears, one that is gone is nil and raises where it was kept.
	next, lost, err := Restore(data, hostOptions(), RestoreOptions{Setup: fullHost("Mod")})
	if err != nil {
		t.Fatal(err)
	}
	if len(lost) == 0 {
		t.Error("a module that is gone is not listed")
	}
	got = runShow(t, next, `return Mod, New.f(), select(2, pcall(function() return m.f end)), select(2, pcall(f)), key[m]`)
	if want := "nil New restore: the value was not restored restore: the function Mod.f was not restored m"; strings.ReplaceAll(got, "test:1: ", "") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSnapshotUserdata(t *testing.T) {
	t.Parallel()
	st := fullState(t, hostOptions())
	set := func(name string, typ *UserType, id string) {
		_ = st.RawSet(st.Globals(), st.NewString(name), st.NewUserdata(typ, &id))
	}
	set("a", agentType, "alice")
	set("g", agentType, "gone")
	set("b", boxType, "box")
	if got := runShow(t, st, `cache = {[1] = {conn = b}} b = nil x = {a} add = nil return a:name()`); got != "alice" {
		t.Fatal(got)
	}
	_ = st.RawSet(st.Globals(), st.NewString("add"), st.NewClosure(hostAdder, Integer(5)))
	data, lost := mustSnapshot(t, st)
	if len(lost) != 1 || lost[0].Path != "_G.cache[1].conn" || lost[0].Type != "Box" {
		t.Errorf("unsaved: %v", lost)
	}
	if _, _, err := st.Snapshot(SnapshotOptions{Strict: true}); err == nil || !strings.Contains(err.Error(), "_G.cache[1].conn (Box)") {
		t.Errorf("strict: %v", err)
	}
	next, lost := mustRestore(t, data, hostOptions(), RestoreOptions{Setup: fullHost()})
	if len(lost) != 2 || lost[0].Path != "_G.g" || lost[1].Path != "_G.cache[1].conn" {
		t.Errorf("not restored: %v", lost)
	}
	got := runShow(t, next, `return x[1] == a, a:name(), tostring(a), add(2), type(g), tostring(g), select(2, pcall(function() return g:name() end)),
		select(2, pcall(function() cache[1].conn.x = 1 end)), getmetatable(g)`)
	if want := "true alice Agent: alice 7 userdata Agent (not restored) restore: the Agent was not restored restore: the Box _G.cache[1].conn was not restored false"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// A newer program gives old handles its new methods.
	newer := *agentType
	newer.Methods = map[string]*Function{"name": agentType.Methods["name"], "extra": NewFunction("Agent:extra", func(c *Call) Status { return c.Return1(Integer(1)) })}
	o := hostOptions()
	o.Codec.Types = []*UserType{&newer, boxType, nullTestType}
	next, _, err := Restore(data, o, RestoreOptions{Setup: fullHost()})
	if err != nil {
		t.Fatal(err)
	}
	if got := runShow(t, next, `return a:extra(), a:name()`); got != "1 alice" {
		t.Errorf("got %q", got)
	}
	// Without the type the handle is lost, but its id is kept for a later restore.
	o = hostOptions()
	o.Codec.Types = []*UserType{nullTestType}
	next, lost, err = Restore(data, o, RestoreOptions{Setup: fullHost()})
	lost = slices.DeleteFunc(lost, func(u Unsaved) bool { return u.Type == "function" })
	if err != nil || len(lost) != 3 {
		t.Fatal(err, lost)
	}
	if got := runShow(t, next, `return pcall(function() return #a end)`); got != "false restore: the Agent was not restored" {
		t.Errorf("got %q", got)
	}
	data, _ = mustSnapshot(t, next)
	next, _, err = Restore(data, hostOptions(), RestoreOptions{Setup: fullHost()})
	if err != nil {
		t.Fatal(err)
	}
	if got := runShow(t, next, `return tostring(a)`); got != "Agent: alice" {
		t.Errorf("got %q", got)
	}
}

func TestSnapshotFiles(t *testing.T) {
	t.Parallel()
	sys, _ := testSystem("line 1\nline 2\n")
	o := Options{System: sys, RefusalError: hostOptions().RefusalError}
	st, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	id := st.NewFile(sys.Stdout)
	_ = st.RawSet(st.Globals(), st.NewString("f"), id)
	if got := runShow(t, st, `c = io.stdin line = io.read() return line`); got != "line 1" {
		t.Fatal(got)
	}
	data, lost := mustSnapshot(t, st)
	if len(lost) != 1 || lost[0].Path != "_G.f" {
		t.Errorf("unsaved: %v", lost)
	}
	next, _ := mustRestore(t, data, o, RestoreOptions{})
	got := runShow(t, next, `return io.read(), io.type(f), select(2, pcall(f.read, f)), select(2, pcall(f.close, f)), io.close and 1`)
	if want := "line 2 closed file restore: the file was not restored restore: the file was not restored 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSnapshotHostSteps(t *testing.T) {
	t.Parallel()
	st := fullState(t, hostOptions())
	st.Run(mustLoad(t, st, `local n = call(function() wait("x") end) return n, ctx`), nil, RunOptions{})
	main := st.Waiting().Suspended[0].Fiber
	st.fibers[0].root.ctx = "context"
	data, _ := mustSnapshot(t, st)
	next, _ := mustRestore(t, data, hostOptions(), RestoreOptions{Setup: fullHost()})
	if next.fibers[0].root.ctx != "context" {
		t.Error("the context is lost")
	}
	if got := show(next, next.Resume(main, nil).endOf()); got != "7 nil" {
		t.Errorf("got %q", got)
	}
	o := hostOptions()
	o.Codec.Steps = nil
	if _, _, err := Restore(data, o, RestoreOptions{Setup: fullHost()}); err == nil {
		t.Error("restores a step without codec")
	}
	st.options.Codec = o.Codec
	data, lost := mustSnapshot(t, st)
	if len(lost) != 1 || lost[0].Type != "lua.hostStep" {
		t.Errorf("unsaved: %v", lost)
	}
	next, _ = mustRestore(t, data, o, RestoreOptions{Setup: fullHost()})
	if got := show(next, next.Resume(main, nil).endOf()); !strings.Contains(got, "restore: the lua.hostStep was not restored") {
		t.Errorf("got %q", got)
	}
}

func TestSnapshotFibers(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	st.Run(mustLoad(t, st, `
		function job(name) local co <close> = setmetatable({}, {__close = function() log = (log or "") .. name end}) return wait(name) end
		return wait("main")`), nil, RunOptions{Fuel: 100_000})
	job := st.RawGetString(st.Globals(), "job")
	f1, _ := st.Spawn(job, []Value{st.NewString("one")})
	f2, _ := st.Spawn(job, []Value{st.NewString("two")})
	ref := st.Ref(st.NewString("kept"))
	o := st.options
	fuel := st.Usage().Fuel
	st = hop(t, st, o)
	if st.Usage().Fuel != fuel || st.ToStringRaw(st.Deref(ref)) != "kept" {
		t.Error("fuel or references differ")
	}
	out := st.Cancel(f1)
	if len(out.Ended) != 1 || out.Ended[0].Err == nil {
		t.Fatalf("%+v", out)
	}
	st = hop(t, st, o)
	out = st.Resume(f2, []Value{Integer(2)})
	if len(out.Ended) != 1 || show(st, &out.Ended[0]) != "2" {
		t.Fatalf("%+v", out)
	}
	st = hop(t, st, o)
	if out = st.ResumeError(st.main, st.NewString("bad")); out.Main() == nil || out.Main().Err.Message != "bad" {
		t.Fatalf("%+v", out)
	}
	if got := runShow(t, hop(t, st, o), `return log`); got != "onetwo" {
		t.Errorf("log %q", got)
	}
}

// TestSnapshotOtherCompiler pretends that the code of a snapshot was compiled
// differently.
func TestSnapshotOtherCompiler(t *testing.T) {
	t.Parallel()
	o := Options{RefusalError: hostOptions().RefusalError}
	st, _ := newHostState(t, o)
	o = st.options
	st.Run(mustLoad(t, st, `
		local n = 0 function inc() n = n + 1 return n end
		co = coroutine.create(function() local k = 5 get = function() return k end coroutine.yield() end) coroutine.resume(co)
		fresh = coroutine.wrap(function() return 1 end)
		inc() wait("x")`), nil, RunOptions{})
	for _, p := range st.RawGetString(st.Globals(), "inc").closure().proto.chunk.protos {
		p.hash++
	}
	data, _, err := st.Snapshot(SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	next, lost, err := Restore(data, o, RestoreOptions{Setup: testHost})
	if err != nil {
		t.Fatal(err)
	}
	if len(lost) != 2 || !slices.ContainsFunc(lost, func(u Unsaved) bool { return u.Path == "_G.co" }) {
		t.Errorf("not restored: %v", lost)
	}
	if len(next.Waiting().Suspended) > 0 {
		t.Error("a fiber with changed code goes on")
	}
	got := runShow(t, next, `return inc(), coroutine.status(co), coroutine.resume(co)`)
	if want := "2 dead false restore: attempt to resume a coroutine that was not restored"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := runShow(t, next, `return get(), fresh()`); got != "5 1" {
		t.Errorf("got %q", got)
	}
}

func TestSnapshotRefused(t *testing.T) {
	t.Parallel()
	st, _ := newHostState(t, Options{})
	var err error
	during := NewFunction("test.during", func(c *Call) Status {
		_, _, err = c.State().Snapshot(SnapshotOptions{})
		return c.Return()
	})
	_ = st.RawSet(st.Globals(), st.NewString("during"), during.Value())
	st.Run(mustLoad(t, st, `during()`), nil, RunOptions{})
	if err == nil {
		t.Error("a running state can be saved")
	}
	st.Close()
	if _, _, err := st.Snapshot(SnapshotOptions{}); err == nil {
		t.Error("a closed state can be saved")
	}
}

// snapshotProgram makes one of each kind.
const snapshotProgram = `
	t = {} for i = 1, 200 do t["k" .. i] = {i, i / 2, tostring(i)} t[t["k" .. i]] = i end
	co = coroutine.wrap(function() local x = 1 f = function() return x end coroutine.yield(math.random()) end) co()
	s, g, l = ("abc"):gmatch("."), string.rep, load("return 1, 'two'")
	setmetatable(t, {__gc = print, __mode = "k"})
	for k in pairs(t) do last = k end
	wait("x")`

func programSnapshot(t testing.TB) []byte {
	t.Helper()
	st, _ := newHostState(t, Options{Seed: 5})
	st.Run(mustLoad(t, st, snapshotProgram), nil, RunOptions{})
	data, _ := mustSnapshot(t, st)
	return data
}

// TestSnapshotTwoProcesses compares the snapshot of one script in two processes.
func TestSnapshotTwoProcesses(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(programSnapshot(t))
	mine := hex.EncodeToString(sum[:])
	const env = "LUA_TEST_SNAPSHOT"
	if os.Getenv(env) != "" {
		fmt.Println("sum=" + mine)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSnapshotTwoProcesses$", "-test.v")
	cmd.Env = append(os.Environ(), env+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("sum="+mine)) {
		t.Errorf("snapshots differ: %s here, there\n%s", mine, out)
	}
}

// TestEveryStepHasACodec finds all types of the package with the method of a
// Step.
func TestEveryStepHasACodec(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, c := range stepCodecs() {
		typ := reflect.TypeOf(c.Step)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if have[typ.Name()] || have["codec "+c.Name] {
			t.Errorf("two codecs for %s", typ.Name())
		}
		have[typ.Name()], have["codec "+c.Name] = true, true
	}
	eachDecl(t, func(d ast.Decl) {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || f.Name.Name != "Resume" || len(f.Type.Params.List) != 1 {
			return
		}
		typ := f.Recv.List[0].Type
		if p, ok := typ.(*ast.StarExpr); ok {
			typ = p.X
		}
		if name := typ.(*ast.Ident).Name; !have[name] {
			t.Errorf("Step %s has no codec in steps.go", name)
		}
	})
}

// TestEveryFunctionIsPermanent finds the names of all functions of the package
// and looks them up as a restore does.
func TestEveryFunctionIsPermanent(t *testing.T) {
	t.Parallel()
	index := functionIndexes[StdlibStandard]()
	for _, b := range boundFunctions() {
		index[b.base.name] = b.base
	}
	eachDecl(t, func(d ast.Decl) {
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if id, ok := call.Fun.(*ast.Ident); !ok || id.Name != "NewFunction" && id.Name != "newBuiltin" {
				return true
			}
			if lit, ok := call.Args[0].(*ast.BasicLit); ok {
				if name, _ := strconv.Unquote(lit.Value); index[name] == nil {
					t.Errorf("no function named %q is found", name)
				}
			}
			return true
		})
	})
}

func eachDecl(t *testing.T, visit func(ast.Decl)) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := goparser.ParseFile(gotoken.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			visit(d)
		}
	}
}

// TestSnapshotOfStoppedFiber saves at every instruction, where the debugger may
// stop a fiber.
func TestSnapshotOfStoppedFiber(t *testing.T) {
	t.Parallel()
	const src = `
		local function three() return 1, 2, 3 end
		local r, n = {}, 0
		for i = 1, 2 do
			local x <close> = setmetatable({}, {__close = function() n = n + 1 end})
			r = {i, three()}
			n = n + select("#",
				three())
			for k, v in pairs(r) do n = n + v end
			local co = coroutine.wrap(function(...) local a = ... coroutine.yield(a, ...) return three() end)
			n = n + co(5) + (co())
		end
		return n, table.unpack(r)`
	st, _ := newHostState(t, Options{})
	o := st.options
	st.Debugger().Attach()
	st.Debugger().Pause()
	out := st.Run(mustLoad(t, st, src), nil, RunOptions{})
	stops := 0
	for ; out.Main() == nil; stops++ {
		data, _ := mustSnapshot(t, st)
		st, _ = mustRestore(t, data, o, RestoreOptions{Setup: testHost})
		main := st.Waiting().Suspended[0].Fiber
		st.Debugger().Attach()
		st.Debugger().resumed = true
		st.Debugger().Pause()
		out = st.Resume(main, nil)
	}
	plain, _ := newHostState(t, Options{})
	want := runShow(t, plain, src)
	if got := show(st, out.Main()); got != want || stops < 50 {
		t.Errorf("got %q after %d stops, want %q", got, stops, want)
	}
}

// TestSnapshotWhileUnwinding saves states whose __close functions wait while
// something is being ended.
func TestSnapshotWhileUnwinding(t *testing.T) {
	t.Parallel()
	const mk = `local function mk(n) return setmetatable({}, {__close = function(_, e) log = (log or "") .. n .. tostring(e) .. wait(n) end}) end `
	tests := []struct{ name, src, want, log string }{
		{"cancel", `local a <close> = mk("a") pcall(function() local b <close> = mk("b") wait("X") end) log = "caught"`, "error: cancelled", "bnil<b>anil<a>"},
		{"cancel in coroutine", `local a <close> = mk("a") coroutine.wrap(function() local b <close> = mk("b") pcall(wait, "X") end)()`, "error: cancelled", "bnil<b>anil<a>"},
		{"close", `local co = coroutine.create(function() local b <close> = mk("b") coroutine.yield() end) coroutine.resume(co) return coroutine.close(co)`, "true", "bnil<b>"},
		{"wrap", `local f = coroutine.wrap(function() local b <close> = mk("b") error("e", 0) end) return pcall(f)`, "false e", "be<b>"},
		{"error in close", `return pcall(function() local a <close> = mk("a") local b <close> = setmetatable({}, {__close = function() wait("b") error("E", 0) end}) end)`, "false E", "aE<a>"},
		{"exit", `local a <close> = mk("a") os.exit(3, true)`, "error: exit", "anil<a>"},
		{"handler", `return xpcall(function() local a <close> = mk("a") error("e", 0) end, function(m) return wait("h") .. m end)`, "false <h>e", "a<h>e<a>"},
		{"for", `for i in next, {1}, nil, mk("a") do end return 1`, "1", "anil<a>"},
		{"goto", `do local a <close> = mk("a") goto out end ::out:: return 1`, "1", "anil<a>"},
		{"break", `while true do local a <close> = mk("a") break end return 1`, "1", "anil<a>"},
		{"tail", `local function f() local a <close> = mk("a") return wait("t") end return f()`, "<t>", "anil<a>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st, _ := newHostState(t, Options{})
			o := st.options
			out := st.Run(mustLoad(t, st, mk+tt.src), nil, RunOptions{})
			for out.Main() == nil {
				st = hop(t, st, o)
				s := st.Waiting().Suspended[0]
				if string(s.Token) == "X" {
					out = st.Cancel(s.Fiber)
					continue
				}
				out = st.Resume(s.Fiber, []Value{st.NewString("<" + string(s.Token) + ">")})
			}
			if got := show(st, out.Main()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := runShow(t, hop(t, st, o), "return log"); got != tt.log {
				t.Errorf("log %q, want %q", got, tt.log)
			}
		})
	}
}
