package luamod_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/luamod"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/state"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/store/memstore"
	"github.com/llmspell/llmspell/tool"
)

// multiply is a calculator for products and sums of two numbers.
type multiply struct{}

func (multiply) Spec() tool.Spec {
	return tool.Spec{
		Name: "calculator", Description: "Calculates.", Category: "utility", Version: "1.0.0", Effect: tool.Read,
		Params: []tool.Param{{Name: "input", Type: "string", Required: true}},
	}
}

func (multiply) Execute(_ context.Context, p map[string]any) (tool.Result, error) {
	var a, b int64
	var op rune
	if _, err := fmt.Sscanf(p["input"].(string), "%d%c%d", &a, &op, &b); err != nil {
		return tool.Result{}, fault.Errorf(fault.ToolFailed, "calculator: %w", err)
	}
	if op == '*' {
		return tool.OK("evaluate", "result", map[string]any{"result": a * b}), nil
	}
	return tool.OK("evaluate", "result", map[string]any{"result": a + b}), nil
}

// agentLibrary compiles the globals Agent and Provider over the fake provider.
func agentLibrary(t testing.TB) *bind.Library {
	t.Helper()
	box, err := toolbox.New(multiply{})
	if err != nil {
		t.Fatal(err)
	}
	fake := llmtest.Fake()
	fake.Models["system"] = func(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
		send(llm.Chunk{Kind: llm.ChunkText, Text: r.System})
		return nil
	}
	models := provider.New(provider.Params{Entries: []provider.Entry{{
		Name: "fake", Type: "fake", Provider: fake, DefaultModel: "echo", Enabled: true, KeyPresent: true,
		Models: []llm.ModelInfo{{ID: "echo", ContextTokens: 1000}},
	}}})
	memory := memstore.New(memstore.Params{})
	t.Cleanup(func() { memory.Close() })
	lib, err := bind.NewLibrary(
		bind.Module{Module: luamod.Provider(models)},
		bind.Module{Module: luamod.Agent(luamod.AgentParams{Agents: agent.New(agent.Params{Models: models, Tools: box}), Providers: models, State: state.New(state.Params{KV: memory.KV()})})},
	)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// runAgents runs code in a fresh interpreter and returns its value as JSON, or
// "! " and the error.
func runAgents(t testing.TB, lib *bind.Library, code string) string {
	t.Helper()
	local := gate.NewLocal()
	defer local.Close()
	in, err := interp.New(interp.Params{Library: lib, Seed: 1, Local: local})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	run := &gate.Run{ID: "run_1", Tenant: "default", StartedAt: clock, Now: func() time.Time { return clock }, Local: local}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	res, err := in.Execute(ctx, interp.Request{
		Code: "function E(f, ...) local ok, e = pcall(f, ...) return ok and 'ok' or e.code end " + code, Run: run,
	})
	if err != nil {
		return "! " + err.Error()
	}
	return string(res.Value)
}

type scriptCase struct{ name, code, want string }

func checkScripts(t *testing.T, cases []scriptCase) {
	t.Helper()
	lib := agentLibrary(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := runAgents(t, lib, c.code); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.code, got, c.want)
			}
		})
	}
}

// TestAgentConformance holds the cases A1-A12 of the scripting contract.
func TestAgentConformance(t *testing.T) {
	t.Parallel()
	checkScripts(t, []scriptCase{
		{"A1", `return Agent.query("hi")`, `"echo: hi"`},
		{"A2", `local b = Agent.builder() b:name("n") b:model("fake/echo") return b:build():execute{text="a"}.text`, `"echo: a"`},
		{"A3", `local a = Agent.create{model="fake/count"} a:execute("x") return a:execute("y").text, a:complete("z")`, `["messages=3","messages=5"]`},
		{"A4", `local o = Agent.create{model="fake/tools", tools={"calculator"}}:execute("go") return o.text, #o.tool_calls`, `["got 42",1]`},
		{"A5", `local o = Agent.create{model="fake/loop", tools={"calculator"}, max_tool_calls=2}:execute("x") return o.finish_reason, #o.tool_calls, o.truncated`, `["tool_limit",2,true]`},
		{"A6", `local s = "" local o = Agent.create{model="fake/stream"}:stream("x", function(c) s = s..(c.text or "!") end) return s, o.text`, `["abc!","abc"]`},
		{"A7", `local o = Agent.create{model="fake/stream"}:stream("x", function() return false end) return o.finish_reason, o.text`, `["cancelled","a"]`},
		{"A8", `local o = Agent.create{model="fake/json"}:execute("x") return o.data, o.text`, `[{"n":1},"{\"n\":1}"]`},
		{"A9", `return E(Agent.create, {model="nope/x"}), E(Agent.create, {model="fake/echo", temprature=1})`, `["provider_not_configured","invalid_argument"]`},
		{"A10", `return Agent.create{model="fake/down", retries=0, fallbacks={"fake/echo"}}:complete("x")`, `"echo: x"`},
		{"A11", `local a, b = Agent.create{name="a"}, Agent.create{name="b"} return Agent.create_composite("c", {a, "b"}, "sequential"):complete("x")`, `"echo: echo: x"`},
		{"A12", `local a = Agent.create{model="fake/slow"} return E(a.execute, a, {text="x", timeout_ms=50})`, `"timeout"`},
	})
}

func TestAgentScripts(t *testing.T) {
	t.Parallel()
	checkScripts(t, []scriptCase{
		{"text of an output", `local o = Agent.create{}:execute("x") return tostring(o), o.."!", "="..o`, `["echo: x","echo: x!","=echo: x"]`},
		{"usage", `local o = Agent.create{}:execute("x") return o.usage.total_tokens, o.usage.cost_usd, o.metadata.model, o.metadata.attempts`, `[15,0.015,"echo",1]`},
		{"iterator", `local s = "" for c in Agent.create{model="fake/stream"}:stream("x") do s = s..(c.text or "!") end return s`, `"abc!"`},
		{"iterator left", `local a = Agent.create{model="fake/stream"} for c in a:stream("x") do if c.text == "b" then break end end return a:get_state(), a:complete("y")`, `["Ready","abc"]`},
		{"iterator dropped", `local a = Agent.create{model="fake/stream"} local next = a:stream("x") next() return a:get_state()`, `"Running"`},
		{"invokeStream", `local r = Agent.create{model="fake/stream"}:invokeStream("x", function() end) return r.success, r.chunks_received, r.output.text`, `[true,4,"abc"]`},
		{"error in fn", `return E(function() Agent.create{model="fake/stream"}:stream("x", function() error({code="mine", message="m"}) end) end)`, `"mine"`},
		{"builder", `return Agent.builder():name("n"):allow_tool("calculator"):temperature(0.5):build():get_config().allowed_tools`, `["calculator"]`},
		{"builder checks", `return E(function() Agent.builder():temperature(3) end), E(function() Agent.builder():model("nope/x"):build() end)`, `["invalid_argument","provider_not_configured"]`},
		{"model table", `local c = Agent.create{model={provider="fake", model_id="count", temperature=0.5}}:get_config() return c.model, c.temperature`, `["count",0.5]`},
		{"registry", `Agent.create{name="b"} Agent.create{name="a"} return Agent.register{name="c"}, Agent.list_instances(), Agent.get("a").name, Agent.get("x"), #Agent.list()`, `["c",["a","b","c"],"a",null,3]`},
		{"already exists", `Agent.create{name="a"} return E(Agent.create, {name="a"}), E(Agent.create, {name="a", replace=true})`, `["already_exists","ok"]`},
		{"same object", `local a = Agent.create{name="a"} return Agent.get("a") == a, tostring(a)`, `[true,"Agent: a"]`},
		{"history", `local a = Agent.create{} a:execute("x") local h = a:history() a:set_history(h) return #h, h[1].role, h[2].content, h[1].timestamp, #a:history()`, `[2,"user","echo: x","2026-01-02T03:04:05.000Z",2]`},
		{"set_history checks", `local a = Agent.create{} return E(a.set_history, a, {{role="tool", content="x", tool_call_id="y"}})`, `"invalid_argument"`},
		{"tool history", `local a = Agent.create{model="fake/tools", tools={"calculator"}} a:execute("x") local h = a:history() a:set_history(h) return #h, h[2].tool_calls[1].arguments.input, h[3].tool_call_id`, `[4,"6*7","call_1"]`},
		{"fork", `local a = Agent.create{model="fake/count"} a:execute("x") return a:fork():execute("y").text, #a:history()`, `["messages=3",2]`},
		{"invokeTool", `local a = Agent.create{tools={"calculator"}} local r = a:invokeTool("calculator", {input="6*7"}) return r.result.result, r.text, E(a.invokeTool, a, "nope"), E(function() Agent.create{}:invokeTool("calculator", {input="1+1"}) end)`, `[42,"42","tool_not_found","policy_denied"]`},
		{"tool lists", `local a = Agent.create{tools={"calc*"}} return a:discover_tools(), a:has_tool("calculator"), a:has_tool("x"), a:get_tool_metadata("calculator").schema.type, a:get_tool_metadata("x")`, `[["calculator"],true,false,"object",null]`},
		{"states", `local a = Agent.create{} a:pause() local s = a:get_state() return s, E(a.execute, a, "x"), E(a.start, a), #a:get_state_history()`, `["Paused","invalid_state","invalid_state",1]`},
		{"set_error", `local a = Agent.create{} a:set_error("why") local e = a:get_last_error() local h = a:is_healthy() a:recover() return e.message, h, a:is_healthy(), a:get_last_error()`, `["why",false,true,null]`},
		{"metrics", `local a = Agent.create{} a:execute("x") local m, p = a:get_metrics(), a:get_performance() return m.requests_total, m.tokens_total, p.success_rate, a:get_health().status`, `[1,15,1.0,"healthy"]`},
		{"destroy", `local a = Agent.create{name="a"} a:destroy() return Agent.get("a"), E(a.execute, a, "x")`, `[null,"invalid_state"]`},
		{"templates", `local a = Agent.create_from_template("s", "summarizer", {temperature=0.9}) return #Agent.list_templates(), a.name, a:get_config().temperature, E(Agent.create_from_template, "x", "nope")`, `[6,"s",0.9,"not_found"]`},
		{"template table", `return Agent.create_from_template{template="assistant", params={name="q"}}.name`, `"q"`},
		{"wrap_as_tool", `local n = Agent.wrap_as_tool(Agent.create{name="h"}, {tool_name="ask_h"}) local a = Agent.create{tools={n}} return n, a:invokeTool(n, {input="q"}).text`, `["ask-h","echo: q"]`},
		{"routing function", `local a, b = Agent.create{name="a", model="fake/echo"}, Agent.create{name="b", model="fake/json"} return Agent.create_composite("c", {a, b}, function(input, names) return names[2] end):complete("x")`, `"{\"n\":1}"`},
		{"vote", `return E(function() Agent.create_composite{name="c", agents={Agent.create{}, Agent.create{model="fake/json"}}, routing="vote"}:execute("x") end)`, `"no_consensus"`},
		{"hierarchy", `Agent.create_composite("c", {Agent.create{name="a"}}, "fallback") return Agent.get_hierarchy("c"), Agent.get("c").type`, `[{"children":[{"children":[],"name":"a"}],"name":"c","strategy":"fallback"},"composite"]`},
		{"capabilities", `Agent.create{name="a", tools={"calculator"}} Agent.create{name="b"} return Agent.discover_by_capability("streaming"), Agent.discover_by_capability("calculator"), Agent.list_capabilities().a.capabilities.supports_context`, `[["a","b"],["a"],true]`},
		{"info", `Agent.create{name="a"} return Agent.get_info("llm").name, Agent.get_info("a").details.state, E(Agent.get_info, "nope"), Agent.discover()[1].type`, `["llm","Ready","not_found","llm"]`},
		{"details hide the key", `Agent.create{name="a"} return Agent.get_details("a").api_key, Agent.get_details("a").usage.llm_calls`, `[null,0]`},
		{"own server", `return E(Agent.create, {model="fake/echo", base_url="http://x"})`, `"invalid_argument"`},
		{"empty text", `local a = Agent.create{} return E(a.execute, a, ""), E(a.execute, a, {instruction="x"})`, `["invalid_argument","invalid_argument"]`},
		{"schema", `local a = Agent.create{model="fake/json", schema={type="object", properties={n={type="integer"}}, required={"n"}}} return a:execute("x").data.n, E(a.execute, a, {text="x", schema={type="array"}})`, `[1,"malformed_response"]`},
		{"query options", `return Agent.query("x", {model="fake/json"}), E(Agent.query, "x", {name="n"}), E(Agent.query, "x", {model="fake/slow", timeout_ms=20})`, `["{\"n\":1}","invalid_argument","timeout"]`},
		{"contexts", `local id = Agent.create_context{data={a=1, b=2}, user_id="u"}
local kid, copy, same, alone = Agent.create_child_context(id), Agent.create_child_context(id, nil, "copy"), Agent.create_child_context(id, nil, "share"), Agent.create_child_context(id, nil, "isolate")
Agent.update_context(id, "a", 10) Agent.update_context(kid, "b", nil) Agent.update_context(same, "c", 3)
return Agent.get_context_data(id), Agent.get_context_data(kid), Agent.get_context_data(copy), Agent.get_context_data(alone), Agent.get_context_data(id, "c"), Agent.get_context_data(id, "x")`, `[{"a":10,"b":2,"c":3},{"a":10,"c":3},{"a":1,"b":2},{},3,null]`},
		{"unknown context", `return E(Agent.get_context_data, "x"), E(Agent.update_context, "x", "k", 1), Agent.remove_context("x"), E(Agent.create_child_context, "x")`, `["not_found","not_found",false,"not_found"]`},
		{"execute_with_context", `local id = Agent.create_context{data={a={1}}, user_id="u"} local a = Agent.create{model="fake/system", system_prompt="s"} return a:execute_with_context("x", id).text, E(a.execute_with_context, a, "x", "no")`, `["s\n\nContext: {\"a\":[1],\"user_id\":\"u\"}","not_found"]`},
	})
}

func TestProviderScripts(t *testing.T) {
	t.Parallel()
	checkScripts(t, []scriptCase{
		{"list", `local p = Provider.list()[1] return #Provider.list(), p.name, p.default, p.capabilities.max_context_tokens, p.capabilities.available_models`, `[1,"llm/fake/echo",true,1000,["echo"]]`},
		{"get", `return Provider.get("fake").model, Provider.get("llm/fake/echo").type, Provider.get("x")`, `["echo","fake",null]`},
		{"capabilities", `return Provider.getCapabilities("fake").supports_tools, Provider.getCapabilities("x"), Provider.isAvailable("fake"), Provider.is_available("x")`, `[true,null,true,false]`},
		{"errors", `return E(Provider.models, "fake"), E(Provider.models, "x"), E(Provider.embed, "t"), E(Provider.embed, {})`, `["invalid_argument","provider_not_configured","invalid_argument","invalid_argument"]`},
	})
}

// TestAgentRowsAreDocumented keeps the reference complete.
func TestAgentRowsAreDocumented(t *testing.T) {
	t.Parallel()
	m := luamod.Agent(luamod.AgentParams{})
	rows := m.Funcs
	for _, c := range m.Classes {
		rows = append(rows, c.Methods...)
	}
	for _, row := range rows {
		if strings.TrimSpace(row.Doc) == "" || row.Call == nil {
			t.Errorf("row %s lacks a doc or a function", row.Name)
		}
	}
}
