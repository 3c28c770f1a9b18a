// Package provider is the engine behind models: it knows the configured
// providers, resolves model names, and makes calls through the gate with
// limits, retries, usage and cost.
//
//	m := provider.New(provider.Params{Entries: entries})
//	t, err := m.Resolve(ctx, provider.Spec{Model: "openai/gpt-4o"})
//	out, err := m.Chat(ctx, provider.Call{Target: t, Request: llm.Request{Messages: msgs}})
package provider

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/llm"
)

// Metrics receives what calls did. model is a configured name or "other".
// Implementations are safe for concurrent use and quick.
type Metrics interface {
	// Call reports a finished call; outcome is "ok", "stopped" or a fault code.
	Call(provider, model, outcome string, took time.Duration, u llm.Usage)
	// Retry reports that an attempt failed with reason and is repeated.
	Retry(provider string, reason fault.Code)
}

// Params configures a Manager.
type Params struct {
	Entries []Entry
	Default string  // name of the default provider; "" = the only enabled one
	Metrics Metrics // nil = none

	// Dial makes a provider for an agent that names its own server or key. It
	// applies the network policy and sends the configured key only to the
	// configured origin. nil = scripts cannot do that.
	Dial func(ctx context.Context, e Entry, baseURL, key string) (llm.Provider, error)
}

// Manager holds the configured providers. Safe for concurrent use. It starts no
// goroutines and needs no Close.
type Manager struct {
	params  Params
	replace sync.Mutex
	current atomic.Pointer[generation]
}

// generation is one set of providers. Immutable.
type generation struct {
	byName      map[string]*state
	names       []string // sorted
	defaultName string
}

// New returns a Manager of the given providers.
func New(p Params) *Manager {
	m := &Manager{params: p}
	m.Replace(p.Entries, p.Default)
	return m
}

// Replace puts a new set of providers in place of the current one. Calls in
// progress and Targets resolved before keep theirs.
func (m *Manager) Replace(entries []Entry, defaultName string) {
	m.replace.Lock()
	defer m.replace.Unlock()
	before := m.current.Load()
	g := &generation{byName: map[string]*state{}, defaultName: defaultName}
	for _, e := range entries {
		var old *state
		if before != nil {
			old = before.byName[e.Name]
		}
		g.byName[e.Name] = newState(e, old)
		g.names = append(g.names, e.Name)
	}
	slices.Sort(g.names)
	m.current.Store(g)
}

// Info describes a provider without its secrets.
type Info struct {
	Name         string // "llm/openai/gpt-4o"
	Provider     string
	Model        string
	Type         string
	Enabled      bool
	Default      bool
	Available    bool // enabled and with its key
	Capabilities Capabilities
}

// Capabilities are what a provider's models can do, as far as is known offline.
type Capabilities struct {
	Streaming        bool
	Tools            bool
	Multimodal       bool
	JSONSchema       bool
	MaxContextTokens int // of the default model, else the largest known; 0 = unknown
	Models           []string
}

// List describes all providers, by name.
func (m *Manager) List() []Info {
	g := m.current.Load()
	out := make([]Info, 0, len(g.names))
	for _, name := range g.names {
		out = append(out, g.info(name))
	}
	return out
}

// Get describes one provider, named as in List or by its plain name.
func (m *Manager) Get(name string) (Info, bool) {
	g := m.current.Load()
	if rest, ok := strings.CutPrefix(name, "llm/"); ok {
		name = g.prefix(rest)
		if name == "" || g.info(name).Name != "llm/"+rest {
			return Info{}, false
		}
	}
	if _, ok := g.byName[name]; !ok {
		return Info{}, false
	}
	return g.info(name), true
}

// IsAvailable reports whether a provider is enabled and has its key.
func (m *Manager) IsAvailable(name string) bool {
	i, ok := m.Get(name)
	return ok && i.Available
}

func (g *generation) info(name string) Info {
	st := g.byName[name]
	byDefault, _ := g.defaultProvider()
	i := Info{
		Name: "llm/" + st.Name + "/" + st.DefaultModel, Provider: st.Name, Model: st.DefaultModel, Type: st.Type,
		Enabled: st.Enabled, Default: st == byDefault, Available: st.Enabled && st.KeyPresent && st.Provider != nil,
		Capabilities: Capabilities{Streaming: true, Tools: true, JSONSchema: true, Multimodal: st.MultimodalInput, Models: []string{}},
	}
	for _, m := range st.Models {
		i.Capabilities.Models = append(i.Capabilities.Models, m.ID)
		i.Capabilities.MaxContextTokens = max(i.Capabilities.MaxContextTokens, m.ContextTokens)
	}
	for _, m := range st.Models {
		if m.ID == st.DefaultModel && m.ContextTokens > 0 {
			i.Capabilities.MaxContextTokens = m.ContextTokens
		}
	}
	return i
}

// Model is a model that a provider offers, with its price where known.
type Model struct {
	llm.ModelInfo
	Price *Price `json:"price,omitempty"`
}

// Models asks a provider for its models. Errors: fault.ProviderNotConfigured,
// fault.InvalidArgument where the provider cannot list, and those of the provider.
func (m *Manager) Models(ctx context.Context, name string) ([]Model, error) {
	g := m.current.Load()
	if info, ok := m.Get(name); ok {
		name = info.Provider
	}
	st, _, err := g.find(Spec{Provider: name})
	if err != nil {
		return nil, err
	}
	if st.Provider == nil || !st.KeyPresent {
		return nil, notReady(st)
	}
	lister, ok := st.Provider.(llm.ModelLister)
	if !ok {
		return nil, fault.Errorf(fault.InvalidArgument, "provider %q cannot list its models", st.Name)
	}
	return gate.Do(ctx, gate.Call{
		Kind: gate.LLM, Op: "models", Target: st.Name, Effect: gate.Read, Timeout: st.Timeout,
	}, func(ctx context.Context) ([]Model, error) {
		infos, err := lister.Models(ctx)
		if err != nil {
			return nil, err
		}
		out := make([]Model, 0, len(infos))
		for _, i := range infos {
			model := Model{ModelInfo: i}
			if p, ok := st.price(i.ID); ok {
				model.Price = &p
			}
			out = append(out, model)
		}
		return out, nil
	})
}

// Embed turns texts into vectors. Errors: those of Resolve and of the provider;
// fault.InvalidArgument where it has no embeddings.
func (m *Manager) Embed(ctx context.Context, spec Spec, texts []string) (llm.Embeddings, error) {
	st, model, err := m.current.Load().find(spec)
	if err != nil {
		return llm.Embeddings{}, err
	}
	if model == "" {
		model = st.EmbeddingModel
	}
	if model == "" && st.Type == "openai" && st.vendor() {
		model = "text-embedding-3-small"
	}
	if model == "" {
		return llm.Embeddings{}, fault.Errorf(fault.InvalidArgument, "model is required: provider %q has no default embedding model", st.Name)
	}
	if st.Provider == nil || !st.KeyPresent {
		return llm.Embeddings{}, notReady(st)
	}
	embedder, ok := st.Provider.(llm.Embedder)
	if !ok {
		return llm.Embeddings{}, fault.Errorf(fault.InvalidArgument, "provider %q has no embedding models", st.Name).
			WithHint("name another with {provider = ...}")
	}
	target := Target{Provider: st.Name, Model: model, state: st}
	e, err := gate.Do(ctx, gate.Call{
		Kind: gate.Embed, Op: "embed", Target: target.String(), Args: map[string]any{"texts": texts}, Effect: gate.Idempotent,
	}, func(ctx context.Context) (llm.Embeddings, error) {
		return m.embed(ctx, target, embedder, texts)
	})
	if err == nil {
		count(ctx, e.Usage)
	}
	return e, err
}

func (m *Manager) embed(ctx context.Context, t Target, embedder llm.Embedder, texts []string) (llm.Embeddings, error) {
	var out llm.Embeddings
	size := 0
	for _, s := range texts {
		size += len(s)
	}
	_, err := m.attempts(ctx, t, t.state.MaxRetries, size/4, func(ctx context.Context) (bool, error) {
		var err error
		out, err = embedder.Embed(ctx, t.Model, texts)
		return false, err
	})
	out.Usage = t.state.priced(t.Model, out.Usage)
	return out, err
}
