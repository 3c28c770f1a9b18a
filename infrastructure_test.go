package llmspell_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/tool"
)

func newInfrastructure(t *testing.T, p parts) *llmspell.Infrastructure {
	t.Helper()
	i, err := llmspell.NewInfrastructure(p.infra)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

func TestInfrastructureLifecycle(t *testing.T) {
	t.Parallel()
	i := newInfrastructure(t, newParts(t, ""))
	_, _, err := i.StateManager().Get(t.Context(), "", "global", "k")
	if fault.CodeOf(err) != fault.StorageUnavailable {
		t.Errorf("state before Start: %v", err)
	}
	if _, err := i.SessionManager().Create(t.Context(), llmspell.SessionParams{}); fault.CodeOf(err) != fault.InvalidState {
		t.Errorf("session without a kernel: %v", err)
	}
	for range 2 {
		if err := i.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := i.StoreInfo(t.Context()); err != nil || info.Backend != "memory" {
		t.Errorf("store %+v, %v", info, err)
	}
	if _, ok := i.RAG(); ok {
		t.Error("RAG is there")
	}
	if _, ok := i.MemoryManager(); ok {
		t.Error("MemoryManager is there")
	}
	for range 2 {
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Start(t.Context()); !errors.Is(err, llmspell.ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}
}

func TestStartFailureNamesTheComponent(t *testing.T) {
	t.Parallel()
	p := newParts(t, "")
	broken := errors.New("disk on fire")
	p.infra.OpenStore = func(context.Context, *config.Config) (store.Store, error) { return nil, broken }
	err := newInfrastructure(t, p).Start(t.Context())
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "Store") || !strings.Contains(err.Error(), "storage.backend") {
		t.Errorf("got %v", err)
	}
	p.infra.Tools = []tool.Tool{shout{}, shout{}}
	if _, err := llmspell.NewInfrastructure(p.infra); fault.CodeOf(err) != fault.AlreadyExists || !strings.Contains(err.Error(), "ToolRegistry") {
		t.Errorf("a tool given twice: %v", err)
	}
}

func TestStateManager(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	m, ctx := k.Infrastructure().StateManager(), t.Context()
	value := map[string]any{"n": int64(1), "f": 1.5, "list": []any{"a", true}}
	version, err := m.Put(ctx, "acme", "custom:prefs", "a", value, llmspell.StateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := m.Get(ctx, "acme", "custom:prefs", "a")
	if err != nil || !ok || got.Version != version || !cmp.Equal(got.Value, any(value)) {
		t.Errorf("got %+v, %t, %v", got, ok, err)
	}
	if _, ok, err := m.Get(ctx, "", "custom:prefs", "a"); ok || err != nil {
		t.Errorf("another tenant sees it: %t, %v", ok, err)
	}
	if _, err := m.Put(ctx, "acme", "custom:prefs", "a", "x", llmspell.StateOptions{IfVersion: new(version + 1)}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("wrong version: %v", err)
	}
	next, err := m.Update(ctx, "acme", "custom:prefs", "count", func(old any) (any, error) {
		n, _ := old.(int64)
		return n + 1, nil
	})
	if err != nil || next != int64(1) {
		t.Errorf("Update: %v, %v", next, err)
	}
	keys, err := m.List(ctx, "acme", "custom:prefs", "", "", 10)
	if err != nil || len(keys) != 2 || keys[0].Key != "a" || keys[0].Version != version {
		t.Errorf("List: %+v, %v", keys, err)
	}
	if existed, err := m.Delete(ctx, "acme", "custom:prefs", "a"); err != nil || !existed {
		t.Errorf("Delete: %t, %v", existed, err)
	}

	// Scripts and Go share it.
	s := newSession(t, k)
	execute(t, s, "State.save('global', 'g', 7) State.save('session', 'own', 8)")
	for scope, key := range map[string]string{"global": "g", "session:" + s.ID(): "own"} {
		if got, ok, err := m.Get(ctx, "", scope, key); err != nil || !ok {
			t.Errorf("%s %s: %+v, %v", scope, key, got, err)
		}
	}
	if n, err := m.Clear(ctx, "", "global", ""); err != nil || n != 1 {
		t.Errorf("Clear: %d, %v", n, err)
	}
}

func TestSessionManager(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	m := k.Infrastructure().SessionManager()
	s, err := m.Create(t.Context(), llmspell.SessionParams{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.List("acme")) != 1 || len(m.List("")) != 0 {
		t.Errorf("lists %v, %v", m.List("acme"), m.List(""))
	}
	if err := m.Close(t.Context(), "", s.ID()); !errors.Is(err, llmspell.ErrNotFound) {
		t.Errorf("another tenant closes it: %v", err)
	}
	if err := m.Close(t.Context(), "acme", s.ID()); err != nil {
		t.Error(err)
	}
	if _, err := m.Get(t.Context(), "acme", s.ID()); !errors.Is(err, llmspell.ErrNotFound) {
		t.Errorf("closed session: %v", err)
	}
}

func TestProviderManager(t *testing.T) {
	t.Parallel()
	i := newInfrastructure(t, newParts(t, "[providers.other]\nprovider_type = \"openai\"\n"))
	m, ctx := i.ProviderManager(), t.Context()
	ref, err := m.Resolve(ctx, "")
	if err != nil || ref.String() != "fake/echo" {
		t.Fatalf("resolved %v, %v", ref, err)
	}
	req := llm.Request{Messages: []llm.Message{{Role: llm.User, Content: "hi"}}}
	if r, err := m.Chat(ctx, ref, req); err != nil || r.Text != "echo: hi" || r.Usage.PromptTokens != 10 {
		t.Errorf("Chat: %+v, %v", r, err)
	}
	var text string
	for c, err := range m.Stream(ctx, llmspell.ModelRef{Provider: "fake", Model: "stream"}, req) {
		if err != nil {
			t.Fatal(err)
		}
		text += c.Text
		if text == "ab" {
			break
		}
	}
	if text != "ab" {
		t.Errorf("streamed %q", text)
	}
	for _, err := range m.Stream(ctx, llmspell.ModelRef{Provider: "none"}, req) {
		if fault.CodeOf(err) != fault.ProviderNotConfigured {
			t.Errorf("unknown provider: %v", err)
		}
	}
	if _, err := m.Embed(ctx, ref, []string{"a"}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("Embed without embedder: %v", err)
	}
	for _, p := range m.List() {
		if p.Available != (p.Name == "fake") || p.Default != (p.Name == "fake") || (p.Problem == "") != p.Available {
			t.Errorf("provider %+v", p)
		}
	}
}

func TestToolRegistry(t *testing.T) {
	t.Parallel()
	k := openKernel(t, "")
	m := k.Infrastructure().ToolRegistry()
	if err := m.Register(shout{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Register(shout{}); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("twice: %v", err)
	}
	if spec, ok := m.Lookup("shout"); !ok || spec.Description != "Upper case." {
		t.Errorf("Lookup: %+v, %t", spec, ok)
	}
	if r, err := m.Invoke(t.Context(), "shout", map[string]any{"text": "a"}); err != nil || r.Text != "A" {
		t.Errorf("Invoke: %+v, %v", r, err)
	}
	for name, c := range map[string]struct {
		tool   string
		params map[string]any
		code   fault.Code
	}{
		"unknown": {"none", nil, fault.ToolNotFound},
		"missing": {"shout", nil, fault.InvalidArgument},
		"extra":   {"shout", map[string]any{"text": "a", "x": 1}, fault.InvalidArgument},
	} {
		if _, err := m.Invoke(t.Context(), c.tool, c.params); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := execute(t, k, "return Tool.execute('shout', {text = 'late'}).text"); r.String() != "LATE" {
		t.Errorf("a tool registered after the kernel was made: %s", r)
	}
}

func TestDefinitionRegistries(t *testing.T) {
	t.Parallel()
	p := newParts(t, "")
	p.infra.Tools = []tool.Tool{shout{}}
	i := newInfrastructure(t, p)
	if err := i.AgentRegistry().Register(llmspell.AgentSpec{Name: "writer", Description: "writes prose"}); err != nil {
		t.Fatal(err)
	}
	step := []llmspell.WorkflowStep{{Name: "one", Tool: "shout"}}
	if err := i.WorkflowFactory().Register(llmspell.WorkflowSpec{Name: "flow", Type: "sequential", Steps: step}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"agent twice":    i.AgentRegistry().Register(llmspell.AgentSpec{Name: "writer"}),
		"agent name":     i.AgentRegistry().Register(llmspell.AgentSpec{Name: "no spaces"}),
		"workflow type":  i.WorkflowFactory().Register(llmspell.WorkflowSpec{Name: "x", Type: "circular", Steps: step}),
		"workflow steps": i.WorkflowFactory().Register(llmspell.WorkflowSpec{Name: "x", Type: "loop"}),
		"workflow step":  i.WorkflowFactory().Register(llmspell.WorkflowSpec{Name: "x", Type: "loop", Steps: []llmspell.WorkflowStep{{}}}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := i.WorkflowFactory().New(t.Context(), llmspell.WorkflowSpec{}); err == nil || !strings.Contains(err.Error(), "not available in this version") {
		t.Errorf("New: %v", err)
	}
	found := func(query string) []string {
		var names []string
		for _, c := range i.ComponentRegistry().Search(query) {
			names = append(names, c.Kind+" "+c.Name)
		}
		return names
	}
	for query, want := range map[string][]string{
		"": {"tool shout", "agent writer", "workflow flow"}, "PROSE writes": {"agent writer"}, "upper": {"tool shout"}, "nothing": nil,
	} {
		if got := found(query); !slices.Equal(got, want) {
			t.Errorf("search %q: %v, want %v", query, got, want)
		}
	}
	if c, ok := i.ComponentRegistry().Find("workflow", "flow"); !ok || c.Name != "flow" {
		t.Errorf("Find: %+v, %t", c, ok)
	}
	if _, ok := i.ComponentRegistry().Find("agent", "flow"); ok {
		t.Error("found under another kind")
	}
}

// recorder is a Metrics that keeps what it got.
type recorder struct {
	mu    sync.Mutex
	calls []string
}

func (r *recorder) add(parts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, strings.Join(parts, " "))
}

func (r *recorder) Execution(source, outcome string, _ time.Duration) {
	r.add("execution", source, outcome)
}

func (r *recorder) LLMCall(provider, model, outcome string, _ time.Duration, _ llm.Usage) {
	r.add("llm", provider, model, outcome)
}
func (r *recorder) LLMRetry(provider, reason string) { r.add("retry", provider, reason) }
func (r *recorder) ToolCall(name, outcome string, _ time.Duration) {
	r.add("tool", name, outcome)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	p := newParts(t, "[runtime.security]\nmax_instructions = 100000")
	all, observed := &recorder{}, &recorder{}
	p.kernel.Metrics = all
	p.kernel.Tools = []tool.Tool{shout{}}
	k := p.open(t)
	remove := k.Observe(observed)
	execute(t, k, `
		Tool.execute('shout', {text = 'a'})
		Tool.register{name = 'mine', description = 'mine', parameters = {}, handler = function() return {} end}
		Tool.execute('mine', {})
		return Agent.query('x')`)
	remove()
	if _, err := k.Run(t.Context(), llmspell.Request{Code: "while true do end", Source: "cli"}); err == nil {
		t.Error("no error")
	}
	if _, err := k.Execute(t.Context(), "error('x')"); err == nil {
		t.Error("no error")
	}
	want := []string{"tool shout ok", "tool other ok", "llm fake echo ok", "execution embed ok"}
	if diff := cmp.Diff(want, observed.calls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(want, "execution cli limit", "execution embed error"), all.calls); diff != "" {
		t.Error(diff)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p := newParts(t, "[providers.other]\nprovider_type = \"openai\"\n[kernel.health]\nmemory_threshold_mb = 1\n[runtime]\nmax_concurrent_scripts = 1")
	p.config.Paths.StateDir = filepath.Join(t.TempDir(), "not", "made", "yet")
	failing := &failingStore{}
	open := p.infra.OpenStore
	p.infra.OpenStore = func(ctx context.Context, c *config.Config) (store.Store, error) {
		st, err := open(ctx, c)
		failing.Store = st
		return failing, err
	}
	k := p.open(t)
	statuses := func() map[string]string {
		out := map[string]string{}
		for name, c := range k.Health(t.Context()) {
			out[name] = c.Status
			if c.Since.IsZero() || c.Detail == "" {
				t.Errorf("%s: %+v", name, c)
			}
		}
		return out
	}
	want := map[string]string{"storage": "healthy", "providers": "degraded", "scheduler": "healthy", "disk": "healthy", "memory": "degraded"}
	if diff := cmp.Diff(want, statuses()); diff != "" {
		t.Error(diff)
	}
	since := k.Health(t.Context())["storage"].Since
	failing.fail.Store(true)
	c := k.Health(t.Context())["storage"]
	if c.Status != "unhealthy" || !c.Since.After(since) || !strings.Contains(c.Detail, "gone") {
		t.Errorf("storage outage: %+v", c)
	}
	failing.fail.Store(false)
	if c := k.Health(t.Context())["storage"]; c.Status != "healthy" {
		t.Errorf("after it: %+v", c)
	}

	small := *p.config
	small.Kernel.Health.QueueThreshold, small.Kernel.Health.DiskFreeMB = 1, 1<<40
	if _, err := k.Reload(t.Context(), &small); err != nil {
		t.Fatal(err)
	}
	var runs []*llmspell.Run
	for range 3 { // one runs, two wait
		r, err := k.Start(t.Context(), llmspell.Request{Code: "while true do end"})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	if got := statuses(); got["scheduler"] != "degraded" || got["disk"] != "degraded" {
		t.Errorf("two waiting, no disk: %v", got)
	}
	for _, r := range slices.Backward(runs) {
		r.Cancel()
	}
}
