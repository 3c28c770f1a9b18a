package luamod_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/luamod"
	"github.com/llmspell/llmspell/internal/state"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/store/memstore"
	"github.com/llmspell/llmspell/tool/data"
	"github.com/llmspell/llmspell/tool/file"
	"github.com/llmspell/llmspell/tool/system"
	"github.com/llmspell/llmspell/tool/text"
)

// effects is a session with the globals Tool, State and JSON over the stock
// tools, an empty store and one directory.
type effects struct {
	in      *interp.Interp
	local   *gate.Local
	dir     string
	modules []script.Module
}

func newEffects(t *testing.T) *effects {
	t.Helper()
	dir := t.TempDir()
	box, err := file.Open(file.Params{Roots: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := toolbox.New(
		data.NewCalculator(), data.NewJSON(), file.NewOperations(), system.NewDatetime(), system.NewUUID(),
		text.NewBase64(), text.NewHash(), text.NewManipulator(),
	)
	if err != nil {
		t.Fatal(err)
	}
	reg.SetPolicy(toolbox.Policy{FileAccess: true, Files: box})
	st := memstore.New(memstore.Params{})
	e := &effects{local: gate.NewLocal(), dir: dir}
	e.modules = []script.Module{luamod.Tool(reg), luamod.State(state.New(state.Params{KV: st.KV()}))}
	lib, err := bind.NewLibrary(luamod.JSON(), bind.Module{Module: e.modules[0]}, bind.Module{Module: e.modules[1]})
	if err != nil {
		t.Fatal(err)
	}
	if e.in, err = interp.New(interp.Params{Library: lib, Seed: 1, Local: e.local}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.in.Close()
		e.local.Close()
		st.Close()
		box.Close()
	})
	return e
}

// run executes code in the session and returns its value as JSON, or "! " and
// the error.
func (e *effects) run(t *testing.T, code string) string {
	t.Helper()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := &gate.Run{ID: "run_1", SessionID: "s1", Tenant: "default", StartedAt: clock, Gate: gate.New(gate.Timeout(0)),
		Now: func() time.Time { return clock }, Rand: func(p []byte) { clear(p) }, Local: e.local}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	prelude := fmt.Sprintf("function E(f, ...) local ok, e = pcall(f, ...) return ok and 'ok' or e.code end TMP = %q ", e.dir)
	res, err := e.in.Execute(ctx, interp.Request{Code: prelude + code, Run: run})
	if err != nil {
		return "! " + err.Error()
	}
	return string(res.Value)
}

func checkEffects(t *testing.T, cases []scriptCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := newEffects(t).run(t, c.code); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.code, got, c.want)
			}
		})
	}
}

// TestToolStateConformance holds the cases T1-T7 and S1-S3 of the scripting
// contract. In T7 the number of tools is that of this version.
func TestToolStateConformance(t *testing.T) {
	t.Parallel()
	checkEffects(t, []scriptCase{
		{"T1", `local r = Tool.execute("calculator", {input="2+2*3"}) return r.success, r.result.result, r.text`, `[true,8,"8"]`},
		{"T2", `return Tool.execute("hash-calculator", {operation="hash", algorithm="md5", input="abc"}).result.hash`, `"900150983cd24fb0d6963f7d28e17f72"`},
		{"T3", `return Tool.execute("uuid-generator", {version="v5", namespace="dns", name="example.com"}).result.uuid`, `"cfbff0d1-9375-5685-968c-48ce8b15ae17"`},
		{"T4", `local p = TMP.."/d/x.json" Tool.execute("file-operations", {operation="write", path=p, input='{"result":1}'}) local r = Tool.execute("file-operations", {operation="read", path=p}) return r.text, r.success`, `["{\"result\":1}",true]`},
		{"T5", `return E(Tool.execute, "file-operations", {operation="read", path="/etc/passwd"}), E(Tool.execute, "process-executor", {executable="echo"}), E(Tool.execute, "calculator", {inptu="1"})`, `["policy_denied","policy_denied","invalid_argument"]`},
		{"T6", `Tool.register{name="twice", description="d", parameters={{name="n", type="integer", required=true}}, handler=function(p) return p.n * 2 end} return Tool.execute("twice", {n=4}).result, E(Tool.execute, "twice", {n="4"}), Tool.twice.name`, `[8,"invalid_argument","twice"]`},
		{"T7", `return #Tool.list(), Tool.exists("text_manipulator"), Tool.get("nope")`, `[8,true,null]`},
		{"S1", `local v = State.save("custom", ":d:x", {a=1.0, b={}}) return v > 0, State.load("custom", ":d:x"), State.list_keys("custom"), State.load("global", ":d:x", "no")`, `[true,{"a":1.0,"b":{}},[":d:x"],"no"]`},
		{"S2", `local v = State.set("k", 1) return State.cas("global", "k", v + 99, 2), State.cas("global", "k", v, 2), (State.get("k"))`, `[false,true,2]`},
		{"S3", `State.incr("global", "n") return State.incr("global", "n", 4), State.update("global", "n", function(o) return o * 2 end), E(State.save, "global", "n", 1, {if_version=1})`, `[5,10,"conflict"]`},
	})
}

func TestToolScripts(t *testing.T) {
	t.Parallel()
	checkEffects(t, []scriptCase{
		{"output", `local r = Tool.execute("base64_encoder", {operation="encode", input="\0\255"}) return r.operation, r.result.output, r.metadata.tool, r.metadata.response.result.output, r.metadata.execution_time_ms >= 0`,
			`["encode","AP8=","base64-encoder","AP8=",true]`},
		{"bytes", `return #Tool.execute("base64-encoder", {operation="decode", input="AP8="}).text`, `2`},
		{"float", `return math.type(Tool.execute("calculator", {input="1.0+1"}).result.result), Tool.execute("calculator", {input="3.0"}).text`, `["float","3.0"]`},
		{"verdict", `local r = Tool.execute("json-processor", {operation="validate", input="{}", schema={required={"a"}}}) return r.success, r.result.valid`, `[false,false]`},
		{"empty array", `return Tool.execute("json-processor", {input="[]"}).result.output`, `[]`},
		{"null", `return Tool.execute("json-processor", {input="[null]"}).result.output[1] == JSON.null`, `true`},
		{"handle", `local t = Tool["text-manipulator"] return tostring(t), t.name, t.category, t.version, t.nope, t:execute{input="a", operation="uppercase"}.text`,
			`["Tool: text-manipulator","text-manipulator","utility","1.0.0",null,"A"]`},
		{"schema", `local s = Tool.get("calculator").schema return s.name, #s.parameters, s.parameters[1].name, s.parameters[1].default, s.parameters[1].required, s.parameters[1].enum[1]`,
			`["calculator",3,"operation","evaluate",false,"evaluate"]`},
		{"JSON Schema", `return Tool.schema("calculator").properties.input.type, Tool.calculator:getSchema().additionalProperties, E(Tool.schema, "nope")`, `["string",false,"tool_not_found"]`},
		{"module names win", `return type(Tool.list), Tool.nope, type(Tool.calculator)`, `["function",null,"userdata"]`},
		{"list", `local n = {} for i, t in ipairs(Tool.list{category="filesystem"}) do n[i] = t.name..":"..tostring(t.enabled) end return n, #Tool.discover{tag="JSON"}, #Tool.list{enabled=false}`,
			`[["file-operations:true"],1,0]`},
		{"strict filter", `return E(Tool.list, {categry="x"}), E(Tool.execute, "calculator", {1})`, `["invalid_argument","invalid_argument"]`},
		{"categories", `Tool.register{name="x", description="d", handler=print} return Tool.categories()`, `["custom","data","filesystem","utility"]`},
		{"hint", `local ok, e = pcall(Tool.execute, "calculater", {}) return e.code, e.hint`, `["tool_not_found","did you mean \"calculator\"?"]`},
		{"register again", `local d = {name="x", description="d", handler=function() return 1 end} Tool.register(d) local e = E(Tool.register, d) d.replace = true d.handler = function() return 2 end Tool.register(d) return e, Tool.x:execute().result, E(Tool.register, {name="calculator", description="d", handler=print, replace=true})`,
			`["already_exists",2,"already_exists"]`},
		{"handler answers", `local n = 0 local function t(f) n = n + 1 Tool.register{name="t"..n, description="d", handler=f} local ok, r = pcall(Tool.execute, "t"..n) return ok and {r.success, r.result, r.text} or r.code..": "..r.message end
			return t(function() return "s" end), t(function() return {success=false, message="m"} end), t(function() return nil, "why" end), t(function() end), t(function() return {a=1} end)`,
			`[[true,"s","s"],{"1":false,"3":"m"},"tool_failed: tool t3: why",{"1":true,"3":""},[true,{"a":1},"{\"a\":1}"]]`},
		{"handler context", `Tool.register{name="c", description="d", timeout_ms=5000, handler=function(p, c) return {success=true, result={c.run_id, c.deadline_ms > 0 and c.deadline_ms <= 5000}} end} return Tool.execute("c").result`, `["run_1",true]`},
		{"handler calls tools", `Tool.register{name="c", description="d", handler=function(p) return Tool.execute("calculator", {input=p.e}).result.result + 1 end, parameters={type="object", properties={e={type="string", default="1+1"}}, additionalProperties=false}} return Tool.execute("c").result, Tool.c:execute{e="5"}.result, E(Tool.execute, "c", {f=1})`,
			`[3,6,"invalid_argument"]`},
		{"handler raises", `Tool.register{name="c", description="d", handler=function() error({code="mine", message="m"}) end} return E(Tool.execute, "c")`, `"mine"`},
		{"bad rows", `local function r(p) return E(Tool.register, {name="x", description="d", handler=print, parameters=p}) end return r{{name="a", type="text"}}, r{{nam="a"}}, r{{name="a"}, {name="a"}}, r{5}, r{{name="a", type="integer", default="x"}}, r{type="string"}, r{{name="a", enum={1}}}, Tool.exists("x")`,
			`["invalid_argument","invalid_argument","invalid_argument","invalid_argument","invalid_argument","invalid_argument","invalid_argument",false]`},
		{"underscore", `local t = Tool.register{name="my_tool", description="d", handler=function() return 1 end} return t.name, Tool.my_tool:execute().result, Tool.exists("my-tool"), E(Tool.register, {name="my.tool", description="d", handler=print})`, `["my-tool",1,true,"invalid_argument"]`},
		{"unregister", `Tool.register{name="x", description="d", handler=print} local t = Tool.x return Tool.unregister("x"), Tool.unregister("x"), Tool.unregister("calculator"), E(t.execute, t)`, `[true,false,false,"tool_not_found"]`},
		{"clock", `return Tool.execute("datetime-handler", {operation="now"}).text`, `"2026-01-02T03:04:05Z"`},
	})
}

func TestStateScripts(t *testing.T) {
	t.Parallel()
	checkEffects(t, []scriptCase{
		{"bytes", `State.set("k", "\0\255") return State.get("k") == "\0\255"`, `true`},
		{"types", `State.set("k", {1, 1.0, JSON.array(), JSON.null, true}) local v = State.get("k") return math.type(v[1]), math.type(v[2]), v[3], v[4] == JSON.null, v[5]`, `["integer","float",[],true,true]`},
		{"no data", `return E(State.set, "k", print), E(State.save, "global", "k"), E(State.save, "global", "", 1), E(State.save, "global", "k", ("x"):rep(2^20))`, `["not_serializable","invalid_argument","invalid_argument","too_large"]`},
		{"get", `return State.get("k"), select(2, State.get("k")), State.get("k", {default=5}), select(2, State.get("k", {scope="custom:x", default=1}))`, `[null,0,5,0]`},
		{"set nil", `State.set("k", 1) local v = State.set("k", nil) return v, State.exists("global", "k"), E(State.set, "k", nil, {if_version=7})`, `[0,false,"conflict"]`},
		{"scopes", `State.set("k", 1, {scope="session"}) return State.load("session:s1", "k"), State.load("global", "k"), E(State.load, "session:other", "k"), E(State.load, "user:bob", "k")`, `[1,null,"forbidden","forbidden"]`},
		{"list", `State.set("a", "x") State.set("b", 1, {ttl_seconds=60}) local l = State.list("global", {limit=1}) local m = State.list("global", {after="a"}) return #l, l[1].key, l[1].size, l[1].version > 0, #l[1].updated_at, m[1].key, m[1].expires_at ~= nil, #State.list()`, `[1,"a",3,true,24,"b",true,2]`},
		{"cas", `return E(State.cas, "global", "k", 0), (State.cas("global", "k", 0, "v")), select(2, State.cas("global", "k", 0, "w")) > 0`, `["invalid_argument",true,true]`},
		{"update", `State.set("n", 1) return State.update("global", "n", function(o) return nil end), State.exists("global", "n"), State.update("global", "n", function(o) return {old=o == nil} end), E(State.update, "global", "n", function() error({code="mine", message="m"}) end)`,
			`[null,false,{"old":true},"mine"]`},
		{"update calls", `State.set("n", 1) return State.update("global", "n", function(o) return o + Tool.execute("calculator", {input="2+3"}).result.result end)`, `6`},
		{"incr", `State.set("s", "x") return State.incr("custom:c", "n", 0.5), State.incr("custom:c", "n"), E(State.incr, "global", "s")`, `[0.5,1.5,"invalid_state"]`},
		{"ttl", `State.set("k", 1) local a = State.ttl("global", "k") local b = State.ttl("global", "k", 100) local c = State.ttl("global", "k", 0) return a, b > 90 and b <= 100, c, State.ttl("global", "no"), E(State.ttl, "global", "no", 5)`, `[null,true,null,null,"not_found"]`},
		{"clear", `State.save("custom:c", "a1", 1) State.save("custom:c", "a2", 1) State.save("custom:c", "b", 1) return State.clear("custom:c", "a"), State.list_keys("custom:c")`, `[2,["b"]]`},
		{"components", `State.agent_set("x", "k", 1) State.tool_set("x", "k", 2) State.save("workflow:x", "s", 3) return State.agent_get("x", "k"), State.tool_get("x", "k"), State.workflow_get("x", "s"), State.workflow_list("x"), State.agent_get("y", "k"), State.load("agent:x", "k")`, `[1,2,3,["s"],null,1]`},
		{"strict options", `return E(State.save, "global", "k", 1, {ttl=5}), E(State.save, "global", "k", 1, {ttl_seconds=0}), E(State.save, 5, "k", 1)`, `["invalid_argument","invalid_argument","invalid_argument"]`},
	})
}

// TestToolStateExamples runs the examples of the rows.
func TestToolStateExamples(t *testing.T) {
	t.Parallel()
	for _, m := range newEffects(t).modules {
		rows := m.Funcs
		for _, c := range m.Classes {
			rows = append(rows, c.Methods...)
		}
		for _, f := range rows {
			t.Run(m.Name+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				if f.Doc == "" || f.Example == "" {
					t.Fatal("no doc or no example")
				}
				if got := newEffects(t).run(t, f.Example); len(got) > 1 && got[:2] == "! " {
					t.Errorf("%s\n%s", f.Example, got)
				}
			})
		}
	}
}
