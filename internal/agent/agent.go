// Package agent is the engine behind agents: a model with instructions, a
// conversation and tools, run in a loop until it answers or meets a limit.
//
//	e := agent.New(agent.Params{Models: manager, Tools: toolbox})
//	a, err := e.Create(ctx, agent.Spec{Model: "openai/gpt-4o", AllowedTools: []string{"calculator"}})
//	out, err := a.Execute(ctx, agent.Input{Text: "What is 6*7?"}, nil)
package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/tool"
)

// Models is what agents need of the provider manager.
type Models interface {
	Resolve(ctx context.Context, spec provider.Spec) (provider.Target, error)
	Stream(ctx context.Context, c provider.Call, deliver func(llm.Chunk) bool) (provider.Outcome, error)
}

// Tools is what agents need of the tool registry, *toolbox.Registry. Invoke
// checks the parameters against the tool's schema and passes the gate.
type Tools interface {
	Spec(ctx context.Context, name string) (tool.Spec, bool)
	List(ctx context.Context, f toolbox.Filter) []toolbox.Info
	Invoke(ctx context.Context, name string, params map[string]any) (toolbox.Output, error)
	Register(ctx context.Context, t tool.Tool, replace bool) error
}

// Params configures an Engine.
type Params struct {
	Models Models
	Tools  Tools
}

// Engine makes agents. Safe for concurrent use.
type Engine struct {
	models   Models
	tools    Tools
	detached registry // of callers outside a session
}

// New returns an Engine.
func New(p Params) *Engine { return &Engine{models: p.Models, tools: p.Tools} }

// maxNamed bounds the named agents of one session.
const maxNamed = 10_000

// registry holds the named agents of one session.
type registry struct {
	mu     sync.Mutex
	agents map[string]*Agent
	ids    atomic.Int64
}

type registryKey struct{}

// session returns the registry of ctx's session.
func (e *Engine) session(ctx context.Context) *registry {
	run := gate.Of(ctx)
	if run == nil || run.Local == nil {
		return &e.detached
	}
	return gate.LocalValue(run.Local, registryKey{}, func() (*registry, func()) {
		r := &registry{}
		return r, r.close
	})
}

func (r *registry) close() {
	r.mu.Lock()
	agents := r.agents
	r.agents = nil
	r.mu.Unlock()
	for _, a := range agents {
		a.end()
	}
}

// put keeps a under its name.
func (r *registry) put(a *Agent, replace bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, ok := r.agents[a.name]; ok {
		if !replace {
			return fault.Errorf(fault.AlreadyExists, "an agent named %q exists in this session", a.name).
				WithHint("choose another name, or pass replace = true")
		}
		before.end()
	}
	if r.agents == nil {
		r.agents = map[string]*Agent{}
	}
	if len(r.agents) >= maxNamed {
		return fault.Errorf(fault.HandleLimit, "more than %d named agents in one session", maxNamed).WithHint("destroy those no longer used")
	}
	r.agents[a.name] = a
	return nil
}

func (r *registry) remove(a *Agent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.agents[a.name] == a {
		delete(r.agents, a.name)
	}
}

// Create checks spec without network and makes an agent, which is kept in the
// session if it was given a name. Errors: fault.InvalidArgument,
// fault.ProviderNotConfigured, fault.ToolNotFound, fault.AlreadyExists.
func (e *Engine) Create(ctx context.Context, spec Spec) (*Agent, error) {
	named := spec.Name != ""
	spec = spec.withDefaults()
	if err := spec.validate(); err != nil {
		return nil, err
	}
	targets, err := e.targets(ctx, spec)
	if err != nil {
		return nil, err
	}
	if err := e.checkTools(ctx, spec.AllowedTools, spec.ToolChoice); err != nil {
		return nil, err
	}
	if !named {
		spec.Name = madeUpName(ctx)
	}
	a := e.newAgent(ctx, spec)
	a.targets = targets
	if named {
		if err := a.home.put(a, spec.Replace); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (e *Engine) newAgent(ctx context.Context, spec Spec) *Agent {
	home := e.session(ctx)
	return &Agent{
		engine: e, home: home, name: spec.Name, id: home.ids.Add(1), spec: spec,
		life: life{state: Ready},
	}
}

// targets resolves the model and the fallbacks.
func (e *Engine) targets(ctx context.Context, spec Spec) ([]provider.Target, error) {
	first, err := e.models.Resolve(ctx, provider.Spec{
		Model: spec.Model, Provider: spec.Provider, BaseURL: spec.BaseURL, APIKey: spec.APIKey,
	})
	if err != nil {
		return nil, err
	}
	targets := []provider.Target{first}
	for _, model := range spec.Fallbacks {
		t, err := e.models.Resolve(ctx, provider.Spec{Model: model})
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// checkTools refuses names of tools that do not exist; globs may match nothing.
func (e *Engine) checkTools(ctx context.Context, patterns []string, choice string) error {
	for _, p := range patterns {
		if isGlob(p) {
			continue
		}
		if _, ok := e.tools.Spec(ctx, p); !ok {
			return fault.Errorf(fault.ToolNotFound, "allowed_tools: there is no tool %q", p).
				WithHint("Tool.list() names the tools")
		}
	}
	switch choice {
	case "", "auto", "none", "required":
		return nil
	}
	if !allows(patterns, choice) {
		return invalid("tool_choice %q is neither auto, none, required nor an allowed tool", choice)
	}
	return nil
}

// usable lists the enabled tools that the patterns allow, by name.
func (e *Engine) usable(ctx context.Context, patterns ...[]string) []tool.Spec {
	var out []tool.Spec
	for _, info := range e.tools.List(ctx, toolbox.Filter{Enabled: new(true)}) {
		if slices.ContainsFunc(patterns, func(p []string) bool { return !allows(p, info.Name) }) {
			continue
		}
		if spec, ok := e.tools.Spec(ctx, info.Name); ok {
			out = append(out, spec)
		}
	}
	return out
}

func isGlob(s string) bool {
	return slices.ContainsFunc([]byte(s), func(c byte) bool { return c == '*' || c == '?' || c == '[' })
}

// Get returns the session's agent of that name.
func (e *Engine) Get(ctx context.Context, name string) (*Agent, bool) {
	r := e.session(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.agents[name]
	return a, ok
}

// List returns the session's named agents, by name.
func (e *Engine) List(ctx context.Context) []*Agent {
	r := e.session(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*Agent, 0, len(r.agents))
	for _, a := range r.agents {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *Agent) int { return cmp.Compare(a.name, b.name) })
	return out
}

// madeUpName is agent_<8 hex>, from the run's random source so that a replayed
// run makes the same names.
func madeUpName(ctx context.Context) string {
	var b [4]byte
	if run := gate.Of(ctx); run != nil && run.Rand != nil {
		run.Rand(b[:])
	} else {
		_, _ = rand.Read(b[:]) // never fails
	}
	return "agent_" + hex.EncodeToString(b[:])
}

// Agent is one agent. Safe for concurrent use; one execution at a time.
type Agent struct {
	engine  *Engine
	home    *registry
	name    string
	id      int64
	spec    Spec
	targets []provider.Target
	routing *composite // of a composite agent

	mu       sync.Mutex
	history  []Turn
	usage    Usage
	life     life
	counters counters
}

// Name returns the agent's name.
func (a *Agent) Name() string { return a.name }

// Spec returns what the agent was made from, defaults filled in.
func (a *Agent) Spec() Spec { return a.spec }

// Target returns the agent's model, "" and "" for a composite.
func (a *Agent) Target() (providerName, model string) {
	if len(a.targets) == 0 {
		return "", ""
	}
	return a.targets[0].Provider, a.targets[0].Model
}

// Usage returns the totals of all executions.
func (a *Agent) Usage() Usage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.usage
}

// Fork returns an agent with the same definition and history, kept in the
// session when a name is given.
func (a *Agent) Fork(ctx context.Context, name string) (*Agent, error) {
	if err := a.Alive(); err != nil {
		return nil, err
	}
	spec := a.spec
	spec.Name, spec.Replace = name, false
	if name == "" {
		spec.Name = madeUpName(ctx)
	}
	b := a.engine.newAgent(ctx, spec)
	b.targets, b.routing = a.targets, a.routing
	b.history = a.History()
	if name == "" {
		return b, nil
	}
	return b, b.home.put(b, false)
}

// Destroy ends the agent. Idempotent.
func (a *Agent) Destroy() {
	a.home.remove(a)
	a.end()
}

// now is the run's clock.
func now(ctx context.Context) time.Time {
	if run := gate.Of(ctx); run != nil && run.Now != nil {
		return run.Now()
	}
	return time.Now()
}

func emit(ctx context.Context, event string, data map[string]any) {
	if run := gate.Of(ctx); run != nil && run.Emit != nil {
		run.Emit(event, data)
	}
}
