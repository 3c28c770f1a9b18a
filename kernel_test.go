package llmspell_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

func TestExecute(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	for _, c := range []struct{ code, text, value, output string }{
		{"return 42", "42", "42", ""},
		{"6*7", "42", "42", ""},
		{"return 'a', nil, {1, 2}", `["a",null,[1,2]]`, `["a",null,[1,2]]`, ""},
		{"print('hi', 1)", "", "null", "hi\t1\n"},
		{"return {x = 1}", `{"x":1}`, `{"x":1}`, ""},
	} {
		r := execute(t, k, c.code)
		value := string(r.Value)
		if value == "" {
			value = "null"
		}
		if r.String() != c.text || value != c.value || r.Output != c.output {
			t.Errorf("%s: text %q, value %s, output %q; want %q, %s, %q", c.code, r, value, r.Output, c.text, c.value, c.output)
		}
		if r.RunID == "" || r.Duration <= 0 || r.Usage.Instructions <= 0 || r.SessionID != "" {
			t.Errorf("%s: incomplete result %+v", c.code, r)
		}
	}
}

func TestFailingScriptsAreErrors(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	for name, c := range map[string]struct {
		code string
		want fault.Code
		line int
	}{
		"syntax":  {"local x =\nreturn +", fault.ScriptSyntax, 2},
		"runtime": {"\nlocal t = nil\nreturn t.x", fault.ScriptFailed, 3},
		"raised":  {"error({code = 'mine', message = 'no'})", "mine", 0},
	} {
		result, err := k.Run(t.Context(), llmspell.Request{Code: "print('before')\n" + c.code})
		e, ok := errors.AsType[*llmspell.ScriptError](err)
		if !ok {
			t.Errorf("%s: %v (%T), want a ScriptError", name, err, err)
			continue
		}
		if e.Code != c.want || c.line > 0 && e.Line != c.line+1 || e.RunID == "" {
			t.Errorf("%s: %+v, want code %s in line %d", name, e, c.want, c.line+1)
		}
		if name != "syntax" && (e.Output != "before\n" || result.Output != "before\n") {
			t.Errorf("%s: output %q, %q", name, e.Output, result.Output)
		}
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	var out, errOut strings.Builder
	r, err := k.Run(t.Context(), llmspell.Request{
		Code: "io.stdout:write('out'); io.stderr:write('err'); return ARGS.name, ARGS[1], io.read('l')",
		Args: map[string]any{"name": "x"}, Positional: []any{int64(7)},
		Stdin: strings.NewReader("typed\n"), Stdout: &out, Stderr: &errOut,
	})
	if err != nil || string(r.Value) != `["x",7,"typed"]` {
		t.Errorf("value %s, %v", r.Value, err)
	}
	if out.String() != "out" || errOut.String() != "err" || r.Output != "out" {
		t.Errorf("stdout %q, stderr %q, output %q", &out, &errOut, r.Output)
	}
}

func TestTwoKernels(t *testing.T) {
	t.Parallel()
	a, b := openKernel(t, ""), openKernel(t, "[runtime.security]\nmax_instructions = 100000")
	s := newSession(t, a)
	execute(t, s, "x = 'of a'")
	if _, err := b.Session(t.Context(), s.ID()); !errors.Is(err, llmspell.ErrNotFound) {
		t.Errorf("kernel b knows a's session: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if r := execute(t, s, "return x"); r.String() != "of a" {
		t.Errorf("after b was closed a's session says %q", r)
	}
	if _, err := b.Execute(t.Context(), "return 1"); !errors.Is(err, llmspell.ErrClosed) {
		t.Errorf("closed kernel: %v", err)
	}
}

func TestInfrastructureServesOneKernel(t *testing.T) {
	t.Parallel()
	p := newParts(t, "")
	infra, err := llmspell.NewInfrastructure(p.infra)
	if err != nil {
		t.Fatal(err)
	}
	defer infra.Close()
	p.kernel.Infrastructure = infra
	a, err := llmspell.New(t.Context(), p.kernel)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := llmspell.New(t.Context(), p.kernel); fault.CodeOf(err) != fault.InvalidState {
		t.Errorf("second kernel: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := llmspell.New(t.Context(), p.kernel)
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	b.Close()
}

func TestOverload(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime]\nmax_concurrent_scripts = 1\n[kernel]\nmax_queue = 1\nmax_queue_total = 2")
	s := newSession(t, k)
	const forever = "while true do end"
	running, err := k.Start(t.Context(), llmspell.Request{Code: forever, SessionID: s.ID()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Start(t.Context(), llmspell.Request{Code: forever, SessionID: s.ID()}); err != nil {
		t.Fatal(err)
	}
	_, err = s.Execute(t.Context(), "return 1")
	if fault.CodeOf(err) != fault.Overloaded {
		t.Errorf("third execution of the session: %v", err)
	}
	queued, err := k.Start(t.Context(), llmspell.Request{Code: forever})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Execute(t.Context(), "return 1"); fault.CodeOf(err) != fault.Overloaded {
		t.Errorf("third waiting execution: %v", err)
	}
	if n := len(k.Runs("")); n != 3 {
		t.Errorf("%d runs are listed, want 3: refused ones are none", n)
	}
	queued.Cancel()
	if _, err := queued.Wait(t.Context()); codeOf(err) != fault.Interrupted || queued.Info().Status != llmspell.RunCancelled {
		t.Errorf("cancelled while queued: %v, %s", err, queued.Info().Status)
	}
	running.Cancel()
	running.Cancel()
	if _, err := running.Wait(t.Context()); codeOf(err) != fault.Interrupted {
		t.Errorf("cancelled while running: %v", err)
	}
}

func codeOf(err error) fault.Code {
	if e, ok := errors.AsType[*llmspell.ScriptError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*llmspell.LimitError](err); ok {
		return e.Code
	}
	return fault.CodeOf(err)
}

func TestRunEvents(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	run, err := k.Start(t.Context(), llmspell.Request{Code: "print('a') return Agent.query('hello')"})
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for e, err := range run.Events(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, e.Type)
		if data, err := json.Marshal(e.Data); err != nil || data[0] != '{' {
			t.Errorf("data of %s: %s, %v", e.Type, data, err)
		}
	}
	for _, want := range []string{"run.queued", "run.started", "output", "llm.started", "llm.delta", "llm.finished", "run.succeeded"} {
		if !slices.Contains(types, want) {
			t.Errorf("no %s in %v", want, types)
		}
	}
	result, err := run.Wait(t.Context())
	if err != nil || result.String() != "echo: hello" || result.Usage.LLMCalls != 1 || result.Usage.PromptTokens != 10 || *result.Usage.CostUSD != 0.015 {
		t.Errorf("result %+v, %v", result, err)
	}
	found, err := k.LookupRun("", run.ID())
	if err != nil || found.Info().Status != llmspell.RunSucceeded || found.Info().Result.String() != "echo: hello" {
		t.Errorf("look-up: %v", err)
	}
}

func TestRequestEventsComeInOrderBeforeRunReturns(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	var seqs []int64
	var last string
	_, err := k.Run(t.Context(), llmspell.Request{
		Code:   "for i = 1, 3 do print(i) end error('x')",
		Events: func(e llmspell.Event) { seqs, last = append(seqs, e.Seq), e.Type },
	})
	if err == nil || last != "run.failed" || len(seqs) < 4 {
		t.Errorf("%v, last %s, %v", err, last, seqs)
	}
	for i, n := range seqs {
		if n != int64(i+1) {
			t.Errorf("order %v", seqs)
		}
	}
}

func TestInteractiveInput(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	run, err := k.Start(t.Context(), llmspell.Request{Code: "return io.read('l') .. io.read('l')", Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	for e := range run.Events(t.Context(), 0) {
		if e.Type == "input.requested" {
			if err := run.Input("ab"); err != nil {
				t.Error(err)
			}
		}
	}
	if r, err := run.Wait(t.Context()); err != nil || r.String() != "abab" {
		t.Errorf("%s, %v", r, err)
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	slow := startWaiting(t, k)
	drained := make(chan error, 1)
	go func() { drained <- k.Drain(context.Background()) }()
	eventually(t, "refusal", func() bool {
		_, err := k.Execute(t.Context(), "return 1")
		return errors.Is(err, llmspell.ErrShuttingDown)
	})
	if _, err := k.NewSession(t.Context(), llmspell.SessionParams{}); !errors.Is(err, llmspell.ErrShuttingDown) {
		t.Errorf("new session: %v", err)
	}
	select {
	case err := <-drained:
		t.Fatalf("drained before the execution ended: %v", err)
	default:
	}
	if err := slow.Input("go on"); err != nil {
		t.Fatal(err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if r, err := slow.Wait(t.Context()); err != nil || r.String() != "go on" {
		t.Errorf("%s, %v", r, err)
	}
}

// startWaiting starts a run and returns when it waits for input.
func startWaiting(t *testing.T, k *llmspell.Kernel) *llmspell.Run {
	t.Helper()
	run, err := k.Start(t.Context(), llmspell.Request{Code: "return io.read('l')", Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range run.Events(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "input.requested" {
			break
		}
	}
	return run
}

func TestShutdownInterruptsAtTheDeadline(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "[runtime]\nmax_concurrent_scripts = 1")
	running, err := k.Start(t.Context(), llmspell.Request{Code: "while true do end"})
	if err != nil {
		t.Fatal(err)
	}
	queued, err := k.Start(t.Context(), llmspell.Request{Code: "return 1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := k.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	for _, run := range []*llmspell.Run{running, queued} {
		_, err := run.Wait(t.Context())
		if !errors.Is(err, llmspell.ErrShuttingDown) || !strings.Contains(err.Error(), "shutting down") {
			t.Errorf("%v, want shutting down", err)
		}
	}
	if err := k.Close(); err != nil {
		t.Errorf("Close after Shutdown: %v", err)
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	p := newParts(t, "")
	k := p.open(t)
	next := *p.config
	next.Runtime.Security.MaxInstructions = 50_000
	next.Kernel.Port = 1234
	report, err := k.Reload(t.Context(), &next)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(report.Applied, []string{"runtime.security.max_instructions"}) || !slices.Equal(report.RestartRequired, []string{"kernel.port"}) {
		t.Errorf("report %+v", report)
	}
	if _, err := k.Execute(t.Context(), "while true do end"); codeOf(err) != fault.InstructionLimit {
		t.Errorf("the new limit is not in force: %v", err)
	}
	st := k.ReloadStatus()
	if !st.OK || !slices.Equal(st.RestartRequired, []string{"kernel.port"}) || k.Config() != &next {
		t.Errorf("status %+v", st)
	}
	bad := next
	bad.Runtime.MaxConcurrentScripts = 0
	if _, err := k.Reload(t.Context(), &bad); err == nil {
		t.Error("an invalid configuration was taken")
	}
	if st := k.ReloadStatus(); st.OK || k.Config() != &next {
		t.Errorf("after a failed reload: %+v", st)
	}
}

func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	file := filepath.Join(t.TempDir(), "run.jsonl")
	const code = "return os.time(), math.random(1000000), Agent.query('hi')"
	recorded, err := k.Run(t.Context(), llmspell.Request{Code: code, Record: file})
	if err != nil {
		t.Fatal(err)
	}
	other := newParts(t, "")
	other.infra.Providers = map[string]llm.Provider{"fake": &llmtest.Scripted{}} // has no model
	replayed, err := other.open(t).Run(t.Context(), llmspell.Request{Code: code, Replay: file})
	if err != nil || string(replayed.Value) != string(recorded.Value) {
		t.Errorf("replayed %s, %v; recorded %s", replayed.Value, err, recorded.Value)
	}
	if _, err := k.Run(t.Context(), llmspell.Request{Code: "return 1", Replay: file}); fault.CodeOf(err) != fault.Nondeterminism {
		t.Errorf("replay with another script: %v", err)
	}
}

func TestModulesAndTools(t *testing.T) {
	t.Parallel()
	p := newParts(t, "")
	p.kernel.Modules = []script.Module{{Name: "Clock", Doc: "Clock.", Funcs: []script.Func{{
		Name: "zone", Doc: "Zone.", Returns: []script.Return{{Type: script.TypeString}},
		Call: func(context.Context, script.Args) ([]any, error) { return []any{"UTC"}, nil },
	}}}}
	p.kernel.Tools = []tool.Tool{shout{}}
	k := p.open(t)
	if r := execute(t, k, "return Clock.zone(), Tool.execute('shout', {text = 'hi'}).text"); string(r.Value) != `["UTC","HI"]` {
		t.Errorf("value %s", r.Value)
	}
	if c, ok := k.Infrastructure().ComponentRegistry().Find("tool", "shout"); !ok || c.Description == "" {
		t.Errorf("component %+v, %t", c, ok)
	}
}

// shout is a tool.
type shout struct{}

func (shout) Spec() tool.Spec {
	return tool.Spec{Name: "shout", Description: "Upper case.", Category: "utility", Version: "1.0.0",
		Params: []tool.Param{{Name: "text", Type: "string", Required: true}}}
}

func (shout) Execute(_ context.Context, p map[string]any) (tool.Result, error) {
	return tool.Result{Success: true, Text: strings.ToUpper(p["text"].(string))}, nil
}

func TestNewChecksItsParams(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]llmspell.Params{"config": {}, "infrastructure": {Config: config.Default()}} {
		if _, err := llmspell.New(t.Context(), p); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
