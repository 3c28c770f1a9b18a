package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/tool"
)

// fn is a tool made of a function.
type fn struct {
	spec tool.Spec
	call func(ctx context.Context, params map[string]any) (tool.Result, error)
}

func (f fn) Spec() tool.Spec { return f.spec }
func (f fn) Execute(ctx context.Context, params map[string]any) (tool.Result, error) {
	return f.call(ctx, params)
}

func calculator() tool.Tool {
	return fn{tool.Spec{
		Name: "calculator", Description: "Calculates.", Category: "utility", Version: "1.0.0", Effect: tool.Read,
		Params: []tool.Param{{Name: "input", Type: "string", Required: true}},
	}, func(_ context.Context, p map[string]any) (tool.Result, error) {
		var a, b int64
		var op rune
		if _, err := fmt.Sscanf(p["input"].(string), "%d%c%d", &a, &op, &b); err != nil {
			return tool.Result{}, err
		}
		v := a + b
		if op == '*' {
			v = a * b
		}
		return tool.OK("evaluate", "result", map[string]any{"result": v}), nil
	}}
}

type fixture struct {
	*agent.Engine
	ctx    context.Context
	run    *gate.Run
	tools  *toolbox.Registry
	model  *llmtest.Scripted
	events *eventLog
}

// eventLog keeps the names of emitted events.
type eventLog struct {
	mu    sync.Mutex
	names []string
}

func (l *eventLog) add(event string, _ any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, event)
}

// newFixture makes an engine over the fake provider, with further models.
func newFixture(t *testing.T, models map[string]llmtest.Model, tools ...tool.Tool) fixture {
	t.Helper()
	fake := llmtest.Fake()
	for name, m := range models {
		fake.Models[name] = m
	}
	registry, err := toolbox.New(append(tools, calculator())...)
	if err != nil {
		t.Fatal(err)
	}
	manager := provider.New(provider.Params{Entries: []provider.Entry{{
		Name: "fake", Type: "fake", Provider: fake, DefaultModel: "echo", Enabled: true, KeyPresent: true,
	}}})
	events := &eventLog{}
	run := &gate.Run{Local: gate.NewLocal(), Emit: events.add}
	t.Cleanup(run.Local.Close)
	return fixture{
		Engine: agent.New(agent.Params{Models: manager, Tools: registry}), ctx: gate.With(t.Context(), run), run: run,
		tools: registry, model: fake, events: events,
	}
}

func (f fixture) create(t *testing.T, s agent.Spec) *agent.Agent {
	t.Helper()
	a, err := f.Create(f.ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ask(t *testing.T, f fixture, a *agent.Agent, text string) agent.Output {
	t.Helper()
	out, err := a.Execute(f.ctx, agent.Input{Text: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// says is a model with a fixed reply.
func says(text string) llmtest.Model {
	return func(_ context.Context, _ llm.Request, send func(llm.Chunk)) error {
		send(llm.Chunk{Kind: llm.ChunkText, Text: text})
		return nil
	}
}

// calls is a model that calls tools until each has a result, then says done.
func calls(wanted ...llm.ToolCall) llmtest.Model {
	return func(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
		if last := r.Messages[len(r.Messages)-1]; last.Role == llm.ToolRole {
			send(llm.Chunk{Kind: llm.ChunkText, Text: "done: " + last.Content})
			return nil
		}
		for _, c := range wanted {
			send(llm.Chunk{Kind: llm.ChunkToolCall, ToolCall: &c})
		}
		return nil
	}
}

func toolCall(name, args string) llm.ToolCall {
	return llm.ToolCall{ID: "id_" + name, Name: name, Arguments: json.RawMessage(args)}
}

func TestEcho(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{})
	out := ask(t, f, a, "hi")
	if out.Text != "echo: hi" || out.Finish != agent.FinishStop || out.Iterations != 1 || out.Provider != "fake" || out.Model != "echo" || out.Attempts != 1 {
		t.Errorf("got %+v", out)
	}
	if u := out.Usage; u.PromptTokens != 10 || u.CompletionTokens != 5 || *u.CostUSD != 0.015 || u.LLMCalls != 1 {
		t.Errorf("usage %+v", u)
	}
	if !strings.HasPrefix(a.Name(), "agent_") || len(a.Name()) != len("agent_")+8 {
		t.Errorf("name %q", a.Name())
	}
	if got := strings.Join(f.events.names, " "); got != "agent.started llm.started llm.delta llm.finished agent.finished" {
		t.Errorf("events: %s", got)
	}
	if _, err := a.Execute(f.ctx, agent.Input{Text: " "}, nil); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("empty text: %v", err)
	}
}

func TestConversation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{Model: "fake/count"})
	for _, want := range []string{"messages=1", "messages=3", "messages=5"} {
		if out := ask(t, f, a, "x"); out.Text != want {
			t.Errorf("got %s, want %s", out.Text, want)
		}
	}
	fork, err := a.Fork(f.ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if out := ask(t, f, fork, "x"); out.Text != "messages=7" {
		t.Errorf("fork: %s", out.Text)
	}
	a.ClearHistory()
	if out := ask(t, f, a, "x"); out.Text != "messages=1" {
		t.Errorf("after clear_history: %s", out.Text)
	}
}

func TestTrimKeepsTurnsWhole(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{Model: "fake/tools", AllowedTools: []string{"calculator"}, MaxConversation: 6})
	for range 3 {
		ask(t, f, a, "go") // user, assistant with call, tool, assistant
	}
	var roles []string
	for _, turn := range a.History() {
		roles = append(roles, string(turn.Role))
	}
	if got := strings.Join(roles, " "); got != "user assistant tool assistant" {
		t.Errorf("history: %s", got)
	}
}

func TestTools(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	out := ask(t, f, f.create(t, agent.Spec{Model: "fake/tools", AllowedTools: []string{"calculator"}}), "go")
	if out.Text != "got 42" || len(out.ToolCalls) != 1 || out.Usage.ToolCalls != 1 || out.Usage.PromptTokens != 20 {
		t.Errorf("got %+v", out)
	}
	if r := out.ToolCalls[0]; r.Err != nil || r.Result.Text != "42" || r.ID != "call_1" {
		t.Errorf("record %+v", r)
	}
}

func TestToolFailuresAreToldToTheModel(t *testing.T) {
	t.Parallel()
	broken := fn{tool.Spec{Name: "broken", Description: "d", Category: "utility", Version: "1"}, func(context.Context, map[string]any) (tool.Result, error) {
		return tool.Result{}, errors.New("no luck")
	}}
	limited := fn{tool.Spec{Name: "limited", Description: "d", Category: "utility", Version: "1"}, func(context.Context, map[string]any) (tool.Result, error) {
		return tool.Result{}, fault.Errorf(fault.BudgetExceeded, "over")
	}}
	tests := []struct {
		name, want string
		call       llm.ToolCall
		raised     fault.Code
	}{
		{name: "fails", call: toolCall("broken", `{}`), want: "no luck"},
		{name: "unknown", call: toolCall("nope", `{}`), want: "tool_not_found"},
		{name: "not allowed", call: toolCall("calculator", `{"input":"1+1"}`), want: "policy_denied"},
		{name: "no object", call: toolCall("broken", `"{bad"`), want: "must be a JSON object"},
		{name: "schema", call: toolCall("broken", `{"x":1}`), want: "invalid_argument"},
		{name: "limit", call: toolCall("limited", `{}`), raised: fault.BudgetExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, map[string]llmtest.Model{"m": calls(tt.call)}, broken, limited)
			a := f.create(t, agent.Spec{Model: "fake/m", AllowedTools: []string{"broken", "limited"}})
			out, err := a.Execute(f.ctx, agent.Input{Text: "go"}, nil)
			if fault.CodeOf(err) != tt.raised && tt.raised != "" || tt.raised == "" && err != nil {
				t.Fatalf("error %v, want %q", err, tt.raised)
			}
			if tt.raised == "" && (!strings.Contains(out.Text, tt.want) || out.ToolCalls[0].Err == nil) {
				t.Errorf("the model heard %q, want %q", out.Text, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]llmtest.Model{"same": func(_ context.Context, _ llm.Request, send func(llm.Chunk)) error {
		send(llm.Chunk{Kind: llm.ChunkText, Text: "hm"})
		send(llm.Chunk{Kind: llm.ChunkToolCall, ToolCall: &llm.ToolCall{Name: "calculator", Arguments: json.RawMessage(`{"input":"1+1"}`)}})
		return nil
	}})
	tests := []struct {
		name   string
		spec   agent.Spec
		finish string
		calls  int
	}{
		{"tool calls", agent.Spec{Model: "fake/loop", MaxToolCalls: 2}, agent.FinishToolLimit, 2},
		{"iterations", agent.Spec{Model: "fake/loop", MaxIterations: 4}, agent.FinishToolLimit, 3},
		{"repeated", agent.Spec{Model: "fake/same"}, agent.FinishRepeated, 4},
	}
	for _, tt := range tests {
		tt.spec.AllowedTools = []string{"calc*"}
		out := ask(t, f, f.create(t, tt.spec), "x")
		if out.Finish != tt.finish || len(out.ToolCalls) != tt.calls || !out.Truncated {
			t.Errorf("%s: %s after %d calls, truncated %v", tt.name, out.Finish, len(out.ToolCalls), out.Truncated)
		}
		tt.spec.Strict = true
		if _, err := f.create(t, tt.spec).Execute(f.ctx, agent.Input{Text: "x"}, nil); fault.CodeOf(err) != fault.BudgetExceeded {
			t.Errorf("%s, strict: %v", tt.name, err)
		}
	}
	out := ask(t, f, f.create(t, agent.Spec{Model: "fake/same", AllowedTools: []string{"calculator"}}), "x")
	if out.Text != "hm" || out.ToolCalls[1].Err != nil || out.ToolCalls[2].Err == nil {
		t.Errorf("the third repetition must be answered by an error: %+v", out)
	}
}

func TestParallelTools(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		wait := fn{tool.Spec{Name: "wait", Description: "d", Category: "utility", Version: "1", ParallelSafe: true, Params: []tool.Param{{Name: "n", Type: "integer"}}},
			func(_ context.Context, p map[string]any) (tool.Result, error) {
				if n := now.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second * time.Duration(7-p["n"].(int64)))
				now.Add(-1)
				return tool.OK("wait", "n", map[string]any{"n": p["n"]}), nil
			}}
		var wanted []llm.ToolCall
		for n := range 6 {
			wanted = append(wanted, llm.ToolCall{ID: fmt.Sprint(n), Name: "wait", Arguments: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))})
		}
		f := newFixture(t, map[string]llmtest.Model{"m": calls(wanted...)}, wait)
		out := ask(t, f, f.create(t, agent.Spec{Model: "fake/m", AllowedTools: []string{"wait"}}), "go")
		if most.Load() != 4 {
			t.Errorf("%d tools at once, want 4", most.Load())
		}
		for i, r := range out.ToolCalls {
			if r.ID != fmt.Sprint(i) || r.Result.Text != fmt.Sprint(i) {
				t.Errorf("call %d has result %+v", i, r)
			}
		}
	})
}

func TestSchema(t *testing.T) {
	t.Parallel()
	replies := func(texts ...string) llmtest.Model {
		var n atomic.Int64
		return func(_ context.Context, _ llm.Request, send func(llm.Chunk)) error {
			send(llm.Chunk{Kind: llm.ChunkText, Text: texts[min(int(n.Add(1)), len(texts))-1]})
			return nil
		}
	}
	f := newFixture(t, map[string]llmtest.Model{
		"repairs": replies("sorry", "{\"n\":\"one\"}", "```json\n{\"n\":1}\n```"),
		"never":   replies("no"),
		"native": func(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
			if len(r.Schema) > 0 {
				return fault.Errorf(fault.InvalidArgument, "response_format is not supported")
			}
			if !strings.Contains(r.System, `"integer"`) {
				return fault.Errorf(fault.ProviderFailed, "the schema is not in the instructions: %s", r.System)
			}
			send(llm.Chunk{Kind: llm.ChunkText, Text: `{"n":2}`})
			return nil
		},
	})
	schema := json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`)
	out := ask(t, f, f.create(t, agent.Spec{Model: "fake/repairs", Schema: schema}), "x")
	if m, _ := out.Data.(map[string]any); m["n"] != int64(1) || out.Iterations != 3 {
		t.Errorf("got %+v", out)
	}
	out = ask(t, f, f.create(t, agent.Spec{Model: "fake/native", Schema: schema}), "x")
	if m, _ := out.Data.(map[string]any); m["n"] != int64(2) {
		t.Errorf("got %+v", out)
	}
	a := f.create(t, agent.Spec{Model: "fake/never", Schema: schema})
	if _, err := a.Execute(f.ctx, agent.Input{Text: "x"}, nil); fault.CodeOf(err) != fault.MalformedResponse {
		t.Errorf("got %v", err)
	}
	if len(a.History()) != 0 || a.LastError() == nil {
		t.Errorf("a failed turn is in the history: %v", a.History())
	}
	for _, bad := range []string{`{"type":7}`, `{"type":"object","$ref":"#"}`} {
		if _, err := f.Create(f.ctx, agent.Spec{Schema: json.RawMessage(bad)}); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("schema %s: %v", bad, err)
		}
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]llmtest.Model{
		"fence": says("Here:\n```json\n[1,2.0,null]\n```\nthat is it"), "two": says("```\n[1]\n```\n```\n[2]\n```"), "number": says("42"),
	})
	if out := ask(t, f, f.create(t, agent.Spec{Model: "fake/fence"}), "x"); len(out.Data.([]any)) != 3 || out.Data.([]any)[1] != 2.0 {
		t.Errorf("fence: %v", out.Data)
	}
	for _, model := range []string{"fake/two", "fake/number", "fake/echo"} {
		if out := ask(t, f, f.create(t, agent.Spec{Model: model}), "x"); out.Data != nil {
			t.Errorf("%s: data %v", model, out.Data)
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{Model: "fake/stream"})
	var got []string
	out, err := a.Execute(f.ctx, agent.Input{Text: "x"}, func(e agent.Event) (bool, error) {
		got = append(got, fmt.Sprintf("%d %s %s", e.Index, e.Type, e.Text))
		return true, nil
	})
	if err != nil || out.Text != "abc" || strings.Join(got, ", ") != "1 text a, 2 text b, 3 text c, 4 done " {
		t.Errorf("got %q, %+v, %v", got, out, err)
	}
	out, err = a.Execute(f.ctx, agent.Input{Text: "x"}, func(agent.Event) (bool, error) { return false, nil })
	if err != nil || out.Text != "a" || out.Finish != agent.FinishCancelled {
		t.Errorf("stopped: %+v, %v", out, err)
	}
	if n := len(a.History()); n != 2 {
		t.Errorf("the stopped turn is in the history: %d messages", n)
	}
	mine := errors.New("mine")
	if _, err = a.Execute(f.ctx, agent.Input{Text: "x"}, func(agent.Event) (bool, error) { return true, mine }); !errors.Is(err, mine) {
		t.Errorf("the listener's error: %v", err)
	}
	if a.State() != agent.Ready {
		t.Errorf("state %s", a.State())
	}
	var types []string
	a = f.create(t, agent.Spec{Model: "fake/tools", AllowedTools: []string{"calculator"}})
	if _, err := a.Execute(f.ctx, agent.Input{Text: "x"}, func(e agent.Event) (bool, error) {
		types = append(types, string(e.Type))
		return true, nil
	}); err != nil || strings.Join(types, " ") != "tool_call tool_result text done" {
		t.Errorf("%v, %v", types, err)
	}
}

func TestFallbacks(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	out := ask(t, f, f.create(t, agent.Spec{Model: "fake/down", Retries: new(0), Fallbacks: []string{"fake/echo"}}), "x")
	if out.Text != "echo: x" || out.Model != "echo" {
		t.Errorf("got %+v", out)
	}
	a := f.create(t, agent.Spec{Model: "fake/down", Retries: new(0)})
	if _, err := a.Execute(f.ctx, agent.Input{Text: "x"}, nil); fault.CodeOf(err) != fault.ProviderFailed {
		t.Errorf("got %v", err)
	}
}

func TestTimeoutAndCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		a := f.create(t, agent.Spec{Model: "fake/slow"})
		start := time.Now()
		_, err := a.Execute(f.ctx, agent.Input{Text: "x", Timeout: 50 * time.Millisecond}, nil)
		if fault.CodeOf(err) != fault.Timeout || time.Since(start) != 50*time.Millisecond {
			t.Errorf("got %v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(f.ctx)
		done := make(chan error)
		go func() {
			_, err := a.Execute(ctx, agent.Input{Text: "x"}, nil)
			done <- err
		}()
		synctest.Wait()
		if _, err := a.Execute(f.ctx, agent.Input{Text: "y"}, nil); fault.CodeOf(err) != fault.InvalidState {
			t.Errorf("a second execution at once: %v", err)
		}
		cancel()
		if err := <-done; fault.CodeOf(err) != fault.Interrupted {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestCreateChecks(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.create(t, agent.Spec{Name: "taken"})
	tests := []struct {
		spec agent.Spec
		code fault.Code
	}{
		{agent.Spec{Model: "nope/x"}, fault.ProviderNotConfigured},
		{agent.Spec{Fallbacks: []string{"nope/x"}}, fault.ProviderNotConfigured},
		{agent.Spec{AllowedTools: []string{"nope"}}, fault.ToolNotFound},
		{agent.Spec{Name: "taken"}, fault.AlreadyExists},
		{agent.Spec{Temperature: new(3.0)}, fault.InvalidArgument},
		{agent.Spec{TopP: new(0.0)}, fault.InvalidArgument},
		{agent.Spec{Type: "odd"}, fault.InvalidArgument},
		{agent.Spec{ToolChoice: "calculator"}, fault.InvalidArgument},
		{agent.Spec{AllowedTools: []string{"["}}, fault.InvalidArgument},
		{agent.Spec{MaxIterations: -1}, fault.InvalidArgument},
	}
	for _, tt := range tests {
		if _, err := f.Create(f.ctx, tt.spec); fault.CodeOf(err) != tt.code {
			t.Errorf("%+v: got %v, want %s", tt.spec, err, tt.code)
		}
	}
	f.create(t, agent.Spec{Name: "taken", Replace: true})
	f.create(t, agent.Spec{AllowedTools: []string{"calculator"}, ToolChoice: "calculator"})
}

func TestSessionRegistry(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{Name: "a"})
	f.create(t, agent.Spec{}) // unnamed
	if got, ok := f.Get(f.ctx, "a"); !ok || got != a || len(f.List(f.ctx)) != 1 {
		t.Errorf("list %v", f.List(f.ctx))
	}
	other := gate.With(t.Context(), &gate.Run{Local: gate.NewLocal()})
	if _, ok := f.Get(other, "a"); ok {
		t.Error("another session sees the agent")
	}
	a.Destroy()
	if _, ok := f.Get(f.ctx, "a"); ok {
		t.Error("a destroyed agent is still listed")
	}
	if _, err := a.Execute(f.ctx, agent.Input{Text: "x"}, nil); fault.CodeOf(err) != fault.InvalidState {
		t.Errorf("got %v", err)
	}
	b := f.create(t, agent.Spec{Name: "b"})
	f.run.Local.Close()
	if b.State() != agent.Terminated {
		t.Errorf("state after the session: %s", b.State())
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{})
	steps := []struct {
		move agent.Move
		to   agent.State
		ok   bool
	}{
		{agent.Pause, agent.Paused, true}, {agent.Start, agent.Paused, false}, {agent.Resume, agent.Ready, true},
		{agent.Stop, agent.Stopped, true}, {agent.Resume, agent.Stopped, false}, {agent.Start, agent.Ready, true},
		{agent.SetError, agent.Failed, true}, {agent.Pause, agent.Failed, false}, {agent.Recover, agent.Ready, true},
		{agent.Terminate, agent.Terminated, true}, {agent.Recover, agent.Terminated, false},
	}
	for i, s := range steps {
		err := a.Move(f.ctx, s.move, "why")
		if (err == nil) != s.ok || a.State() != s.to || err != nil && fault.CodeOf(err) != fault.InvalidState {
			t.Fatalf("step %d, %s: %v, state %s", i, s.move, err, a.State())
		}
	}
	if c := a.Changes(); len(c) != 7 || c[4].To != agent.Failed || c[4].Reason != "why" {
		t.Errorf("changes %+v", c)
	}
}

func TestSetHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a := f.create(t, agent.Spec{Model: "fake/count"})
	user := llm.Message{Role: llm.User, Content: "q"}
	call := llm.Message{Role: llm.Assistant, ToolCalls: []llm.ToolCall{toolCall("calculator", `{}`)}}
	result := llm.Message{Role: llm.ToolRole, ToolCallID: "id_calculator", Content: "1"}
	answer := llm.Message{Role: llm.Assistant, Content: "a"}
	for name, bad := range map[string][]llm.Message{
		"no result": {user, call}, "result late": {user, call, answer, result}, "no call": {user, result},
		"assistant first": {answer}, "role": {{Role: "system", Content: "x"}}, "twice": {user, call, result, result},
	} {
		if err := a.SetHistory(f.ctx, bad); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := a.SetHistory(f.ctx, []llm.Message{user, call, result, answer}); err != nil {
		t.Fatal(err)
	}
	if out := ask(t, f, a, "x"); out.Text != "messages=4" {
		t.Errorf("got %s", out.Text)
	}
}

func TestComposites(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]llmtest.Model{"yes": says(" Yes "), "yes2": says("yes"), "no": says("no")})
	make := func(names ...string) []*agent.Agent {
		var out []*agent.Agent
		for _, n := range names {
			out = append(out, f.create(t, agent.Spec{Model: "fake/" + n, Retries: new(0)}))
		}
		return out
	}
	tests := []struct {
		name    string
		members []*agent.Agent
		routing agent.Routing
		text    string
		code    fault.Code
	}{
		{name: "sequential", members: make("echo", "echo"), routing: agent.Routing{Strategy: agent.Sequential}, text: "echo: echo: x"},
		{name: "parallel", members: make("yes2", "no"), routing: agent.Routing{Strategy: agent.Parallel}, text: "yes\n\nno"},
		{name: "vote", members: make("no", "yes", "yes2"), routing: agent.Routing{Strategy: agent.Vote}, text: " Yes "},
		{name: "no consensus", members: make("no", "yes"), routing: agent.Routing{Strategy: agent.Vote}, code: "no_consensus"},
		{name: "vote with fallback", members: make("no", "yes"), routing: agent.Routing{Strategy: agent.Vote, Fallback: make("echo")[0]}, text: "echo: x"},
		{name: "fallback", members: make("down", "no"), routing: agent.Routing{Strategy: agent.Fallback}, text: "no"},
		{name: "all fail", members: make("down", "down"), routing: agent.Routing{Strategy: agent.Fallback}, code: fault.ProviderFailed},
		{name: "custom", members: make("echo", "no"), routing: agent.Routing{Strategy: agent.Custom, Choose: func(_ context.Context, _ string, names []string) ([]string, error) {
			return names[1:], nil
		}}, text: "no"},
	}
	for _, tt := range tests {
		a, err := f.CreateComposite(f.ctx, "", tt.members, tt.routing)
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.Execute(f.ctx, agent.Input{Text: "x"}, nil)
		if out.Text != tt.text || tt.code == "" && err != nil || tt.code != "" && fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %q, %v", tt.name, out.Text, err)
		}
		if tt.name == "sequential" && (out.Usage.PromptTokens != 20 || a.Usage().LLMCalls != 2) {
			t.Errorf("usage of members is not counted: %+v", out.Usage)
		}
	}
	if _, err := f.CreateComposite(f.ctx, "c", nil, agent.Routing{Strategy: agent.Vote}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("no members: %v", err)
	}
	if _, err := f.CreateComposite(f.ctx, "c", make("echo"), agent.Routing{Strategy: "odd"}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("odd strategy: %v", err)
	}
}

func TestAgentAsTool(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]llmtest.Model{
		"boss":  calls(toolCall("helper", `{"input":"q"}`)),
		"again": calls(toolCall("myself", `{"input":"q"}`)),
	})
	name, err := f.WrapAsTool(f.ctx, f.create(t, agent.Spec{}), agent.WrapParams{Name: "helper"})
	if err != nil || name != "helper" {
		t.Fatal(name, err)
	}
	out := ask(t, f, f.create(t, agent.Spec{Model: "fake/boss", AllowedTools: []string{"helper"}}), "x")
	if out.Text != "done: echo: q" || out.Usage.PromptTokens != 30 || out.Usage.LLMCalls != 3 {
		t.Errorf("got %+v", out)
	}
	// An agent whose tool asks a fork of itself, and so on: recursion ends.
	deep := f.create(t, agent.Spec{Model: "fake/boss", AllowedTools: []string{"helper"}, MaxRecursionDepth: 1})
	if _, err := f.WrapAsTool(f.ctx, deep, agent.WrapParams{Name: "deep"}); err != nil {
		t.Fatal(err)
	}
	f.model.Models["outer"] = calls(toolCall("deep", `{"input":"q"}`))
	_, err = f.create(t, agent.Spec{Model: "fake/outer", AllowedTools: []string{"deep"}}).Execute(f.ctx, agent.Input{Text: "x"}, nil)
	if err != nil {
		t.Errorf("recursion must be told to the model: %v", err)
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	var seen llm.Request
	f := newFixture(t, map[string]llmtest.Model{"m": func(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
		seen = r
		send(llm.Chunk{Kind: llm.ChunkText, Text: "ok"})
		return nil
	}})
	a := f.create(t, agent.Spec{Model: "fake/m", SystemPrompt: "sys", Temperature: new(0.1), MaxTokens: 5, Type: agent.TypeOrchestrator})
	_, err := a.Execute(f.ctx, agent.Input{
		Text: "q", Instruction: "do", Parameters: map[string]any{"k": 1}, Context: map[string]any{"c": true},
		Temperature: new(0.9), Seed: new(int64(7)), Stop: []string{"S"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if seen.System != "sys\n\nContext: {\"c\":true}" || seen.Messages[0].Content != "do\n\nq\n\nParameters: {\"k\":1}" ||
		*seen.Temperature != 0.9 || *seen.Seed != 7 || seen.MaxTokens != 5 || !slices.Equal(seen.Stop, []string{"S"}) || len(seen.Tools) != 1 {
		t.Errorf("request %+v", seen)
	}
	if _, err := a.Execute(f.ctx, agent.Input{Text: "q", AllowedTools: []string{}}, nil); err != nil || len(seen.Tools) != 0 {
		t.Errorf("allowed_tools={} still offers %v, %v", seen.Tools, err)
	}
	if *a.Spec().Temperature != 0.1 {
		t.Error("a call-level field changed the agent")
	}
}
