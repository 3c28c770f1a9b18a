package toolbox

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// fake is a tool made of a function.
type fake struct {
	spec tool.Spec
	do   func(ctx context.Context, p map[string]any) (tool.Result, error)
}

func (f fake) Spec() tool.Spec { return f.spec }
func (f fake) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	return f.do(ctx, p)
}

func newTool(name string, policy string, do func(ctx context.Context, p map[string]any) (tool.Result, error)) fake {
	return fake{tool.Spec{Name: name, Description: "does " + name, Version: "1.0.0", Category: "utility", Policy: policy,
		Params: []tool.Param{{Name: "input", Type: "integer", Default: int64(7)}}}, do}
}

func echo(_ context.Context, p map[string]any) (tool.Result, error) {
	return tool.OK("echo", "value", map[string]any{"value": p["input"], "more": 2.0}), nil
}

type event struct {
	name string
	data map[string]any
}

func newSession(t *testing.T) (context.Context, *gate.Run, *[]event) {
	t.Helper()
	var mu sync.Mutex
	events := &[]event{}
	run := &gate.Run{ID: "r1", Tenant: "t1", Local: gate.NewLocal(), Gate: gate.New(gate.Timeout(0)),
		Now:  func() time.Time { return time.Unix(1, 0) },
		Rand: func(p []byte) { clear(p) },
		Emit: func(name string, data any) {
			mu.Lock()
			defer mu.Unlock()
			if _, err := json.Marshal(data); err != nil {
				t.Errorf("event %s: %v", name, err)
			}
			*events = append(*events, event{name, data.(map[string]any)})
		}}
	t.Cleanup(run.Local.Close)
	return gate.With(t.Context(), run), run, events
}

func newRegistry(t *testing.T, tools ...tool.Tool) *Registry {
	t.Helper()
	r, err := New(tools...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	ctx, run, events := newSession(t)
	r := newRegistry(t, newTool("echo-tool", "", echo))
	out, err := r.Invoke(ctx, "echo_tool", map[string]any{"input": 5.0})
	if err != nil || !out.Success || out.Text != "5" || out.Tool != "echo-tool" {
		t.Fatalf("%+v, %v", out, err)
	}
	data := map[string]any{"value": int64(5), "more": 2.0}
	want := map[string]any{
		"success": true, "operation": "echo", "result": data, "text": "5",
		"metadata": map[string]any{"tool": "echo-tool", "execution_time_ms": int64(0),
			"response": map[string]any{"success": true, "operation": "echo", "result": data}},
	}
	got := out.Table()
	got["metadata"].(map[string]any)["execution_time_ms"] = int64(0)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Table = %v", got)
	}
	if run.Usage.ToolCalls.Load() != 1 {
		t.Errorf("%d calls counted", run.Usage.ToolCalls.Load())
	}
	if len(*events) != 2 || (*events)[0].name != "tool.started" || (*events)[1].name != "tool.finished" ||
		(*events)[0].data["call_id"] != (*events)[1].data["call_id"] || (*events)[1].data["success"] != true || (*events)[1].data["result"] != "5" {
		t.Errorf("events %v", *events)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r    tool.Result
		want string
	}{
		{tool.OK("", "v", map[string]any{"v": 3.0}), "3.0"},
		{tool.OK("", "v", map[string]any{"v": ""}).Say("m"), ""},
		{tool.OK("", "v", map[string]any{"v": false}), "false"},
		{tool.OK("", "v", map[string]any{"v": []any{}}).Say("m"), "m"},
		{tool.OK("", "v", map[string]any{"v": []any{int64(1), 2.0}}), `{"v":[1,2.0]}`},
		{tool.Result{Result: "s"}, "s"},
		{tool.Result{Result: 1e300}, "1e+300"},
		{tool.Result{}, ""},
	} {
		if got := text(c.r); got != c.want {
			t.Errorf("text(%+v) = %q, want %q", c.r, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	ctx, _, events := newSession(t)
	slow := newTool("slow", "", func(ctx context.Context, _ map[string]any) (tool.Result, error) {
		<-ctx.Done()
		return tool.Result{}, ctx.Err()
	})
	slow.spec.Timeout = 5 * time.Millisecond
	r := newRegistry(t,
		newTool("echo", "", echo), newTool("reader", "file", echo), newTool("fetcher", "net", echo), newTool("runner", "process", echo), slow,
		newTool("plain", "", func(context.Context, map[string]any) (tool.Result, error) {
			return tool.Result{}, errors.New("went wrong")
		}),
		newTool("bug", "", func(context.Context, map[string]any) (tool.Result, error) { panic("secret detail") }),
	)
	for _, c := range []struct {
		name   string
		params map[string]any
		code   fault.Code
		says   string
	}{
		{"nope", nil, fault.ToolNotFound, "nope"},
		{"eco", nil, fault.ToolNotFound, "eco"},
		{"echo", map[string]any{"inptu": int64(1)}, fault.InvalidArgument, "inptu"},
		{"echo", map[string]any{"input": "1"}, fault.InvalidArgument, "expected integer, got string"},
		{"echo", map[string]any{"input": 1.5}, fault.InvalidArgument, "expected integer, got number"},
		{"reader", nil, fault.PolicyDenied, "file access"},
		{"fetcher", nil, fault.PolicyDenied, "network"},
		{"runner", nil, fault.PolicyDenied, "processes"},
		{"process_executor", nil, fault.PolicyDenied, "processes"},
		{"csv-analyzer", nil, fault.ToolNotFound, "not available in this version"},
		{"email-sender", nil, fault.ComponentDisabled, "[tools.email]"},
		{"plain", nil, fault.ToolFailed, "went wrong"},
		{"bug", nil, fault.ToolFailed, "unexpectedly"},
		{"slow", nil, fault.Timeout, "slow"},
	} {
		out, err := r.Invoke(ctx, c.name, c.params)
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Code != c.code || !strings.Contains(e.Message, c.says) || strings.Contains(e.Message, "secret") {
			t.Errorf("%s %v = %+v, %v; want %s with %q", c.name, c.params, out, err, c.code, c.says)
			continue
		}
		if c.code == fault.PolicyDenied && !strings.Contains(e.Hint, "allow_") {
			t.Errorf("%s: hint %q", c.name, e.Hint)
		}
		if c.name == "eco" && !strings.Contains(e.Hint, `"echo"`) {
			t.Errorf("hint %q", e.Hint)
		}
	}
	last := (*events)[len(*events)-1]
	if last.name != "tool.finished" || last.data["error"].(map[string]any)["code"] != "timeout" {
		t.Errorf("last event %v", last)
	}
	r.SetPolicy(Policy{NetworkAccess: true, ProcessSpawn: true})
	for _, name := range []string{"fetcher", "runner"} {
		if _, err := r.Invoke(ctx, name, nil); err != nil {
			t.Errorf("%s under an open policy: %v", name, err)
		}
	}
	r.SetPolicy(Policy{Disabled: true})
	if _, err := r.Invoke(ctx, "echo", nil); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("tools off: %v", err)
	}
	dead, cancel := context.WithCancel(ctx)
	cancel()
	r.SetPolicy(Policy{})
	if _, err := r.Invoke(dead, "slow", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	ctx, _, _ := newSession(t)
	var got *tool.Env
	r := newRegistry(t, newTool("env", "", func(ctx context.Context, _ map[string]any) (tool.Result, error) {
		got = tool.EnvOf(ctx)
		return tool.Result{Success: true}, nil
	}))
	if _, err := r.Invoke(ctx, "env", nil); err != nil {
		t.Fatal(err)
	}
	p := []byte{1, 2}
	got.Rand(p)
	if !got.Now().Equal(time.Unix(1, 0)) || p[0] != 0 || got.Run != "r1" || got.Tenant != "t1" || got.Files != nil {
		t.Errorf("env %+v, random %v", got, p)
	}
}

// TestRecord checks that an output survives the journal.
func TestRecord(t *testing.T) {
	t.Parallel()
	in := Output{Tool: "x", Elapsed: 5 * time.Millisecond, Result: tool.Result{Success: true, Operation: "o", Message: "m", Primary: "p", Text: "t\xff",
		Result: map[string]any{"p": 1.0, "i": int64(1), "b": "\x00\xff", "l": []any{script.Null{}}}}}
	raw, err := gate.Encode(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := gate.Decode[Output](raw)
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%s: %+v, %v", raw, out, err)
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	ctx, _, _ := newSession(t)
	odd := newTool("odd", "net", echo)
	odd.spec.Category, odd.spec.Tags = "web", []string{"special"}
	r := newRegistry(t, odd, newTool("b-tool", "", echo), newTool("a-tool", "", echo))
	names := func(f Filter) string {
		var out []string
		for _, i := range r.List(ctx, f) {
			out = append(out, i.Name)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "a-tool b-tool odd"}, {Filter{Category: "web"}, "odd"}, {Filter{Tag: "TOOL"}, "a-tool b-tool"}, {Filter{Tag: "special"}, "odd"},
		{Filter{Enabled: new(true)}, "a-tool b-tool"}, {Filter{Enabled: new(false)}, "odd"},
	} {
		if got := names(c.f); got != c.want {
			t.Errorf("List(%+v) = %q, want %q", c.f, got, c.want)
		}
	}
	if l := r.List(ctx, Filter{Tag: "odd"}); l[0].Enabled || l[0].Policy != "net" {
		t.Errorf("%+v", l)
	}
	if got := r.Categories(ctx); !reflect.DeepEqual(got, []string{"utility", "web"}) {
		t.Errorf("Categories = %v", got)
	}
	for _, bad := range [][]tool.Tool{
		{newTool("x", "", echo), newTool("x", "", echo)}, {newTool("under_score", "", echo)}, {newTool("", "", echo)},
		{fake{spec: tool.Spec{Name: "s", Schema: json.RawMessage(`{"type":"string"}`)}}},
	} {
		if _, err := New(bad...); err == nil {
			t.Errorf("New took %v", bad[0].Spec().Name)
		}
	}
}

func handler(fn func(p, info map[string]any) []any, freed *int) *script.Function {
	return &script.Function{
		Invoke: func(_ context.Context, args ...any) ([]any, error) {
			return fn(args[0].(map[string]any), args[1].(map[string]any)), nil
		},
		Free: func() { *freed++ },
	}
}

func TestSessionTools(t *testing.T) {
	t.Parallel()
	ctx, run, _ := newSession(t)
	other, _, _ := newSession(t)
	r := newRegistry(t, newTool("echo", "", echo))
	freed := 0
	var info map[string]any
	spec := tool.Spec{Name: "twice", Description: "d", Category: "custom", Version: "1.0.0", Timeout: time.Minute,
		Params: []tool.Param{{Name: "n", Type: "integer", Required: true}}}
	twice := NewScripted(spec, handler(func(p, i map[string]any) []any {
		info = i
		return []any{p["n"].(int64) * 2}
	}, &freed))
	if err := r.Register(ctx, twice, false); err != nil {
		t.Fatal(err)
	}
	out, err := r.Invoke(WithCaller(ctx, Caller{Agent: "a"}), "twice", map[string]any{"n": int64(4)})
	if err != nil || out.Result.Result != int64(8) || out.Text != "8" || !out.Success {
		t.Errorf("%+v, %v", out, err)
	}
	if left, _ := info["deadline_ms"].(int64); info["run_id"] != "r1" || info["agent"] != "a" || left < 1000 || left > 60_000 {
		t.Errorf("ctx %v", info)
	}
	if _, err := r.Invoke(ctx, "twice", map[string]any{"n": "4"}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("wrong type: %v", err)
	}
	if _, err := r.Invoke(other, "twice", map[string]any{"n": int64(4)}); fault.CodeOf(err) != fault.ToolNotFound {
		t.Errorf("another session: %v", err)
	}
	if len(r.List(ctx, Filter{})) != 2 || len(r.List(other, Filter{})) != 1 {
		t.Error("listing")
	}
	if err := r.Register(ctx, twice, false); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("twice: %v", err)
	}
	if err := r.Register(ctx, NewScripted(tool.Spec{Name: "echo"}, nil), true); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("over a built-in tool: %v", err)
	}
	answers := map[string][]any{
		"table": {map[string]any{"success": false, "message": "m", "result": []any{}, "operation": "o"}},
		"data":  {map[string]any{"x": int64(1)}}, "none": {}, "fails": {nil, "because"},
	}
	spec.Params = nil
	for name, a := range answers {
		spec.Name = name
		if err := r.Register(ctx, NewScripted(spec, handler(func(_, _ map[string]any) []any { return a }, &freed)), false); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := r.Invoke(ctx, "table", nil); err != nil || out.Success || out.Text != "m" || out.Operation != "o" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := r.Invoke(ctx, "data", nil); err != nil || !out.Success || out.Text != `{"x":1}` {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := r.Invoke(ctx, "none", nil); err != nil || !out.Success || out.Result.Result != nil {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := r.Invoke(ctx, "fails", nil); fault.CodeOf(err) != fault.ToolFailed || !strings.Contains(err.Error(), "because") {
		t.Errorf("%v", err)
	}
	if err := r.Register(ctx, NewScripted(spec, handler(nil, &freed)), true); err != nil || freed != 1 {
		t.Errorf("replace: %v, %d freed", err, freed)
	}
	if !r.Unregister(ctx, "twice") || r.Unregister(ctx, "twice") || r.Unregister(ctx, "echo") || freed != 2 {
		t.Errorf("unregister, %d freed", freed)
	}
	run.Local.Close()
	if freed != 6 {
		t.Errorf("%d functions freed at the end", freed)
	}
	if err := r.Register(t.Context(), twice, false); fault.CodeOf(err) != fault.InvalidState {
		t.Errorf("without a session: %v", err)
	}
}
