package provider

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
)

// Spec names a model the way scripts do. All fields may be empty.
type Spec struct {
	Model    string // "gpt-4o", "openai/gpt-4o", "openrouter/a/b"
	Provider string
	BaseURL  string // a server of the script's own
	APIKey   string // for that server
}

// Target is a resolved Spec: a provider that can be called, and a model of it.
// It stays valid across a Replace.
type Target struct {
	Provider string
	Model    string
	state    *state
}

// String is "provider/model".
func (t Target) String() string { return t.Provider + "/" + t.Model }

// Resolve finds the provider and model that spec names, without network.
// Errors: fault.ProviderNotConfigured, fault.InvalidArgument.
func (m *Manager) Resolve(ctx context.Context, spec Spec) (Target, error) {
	g := m.current.Load()
	st, model, err := g.find(spec)
	if err != nil {
		return Target{}, err
	}
	if model == "" {
		model = st.DefaultModel
	}
	if _, lists := st.Provider.(llm.ModelLister); model == "" && lists && !st.vendor() {
		model = llm.DefaultModel
	}
	if model == "" {
		return Target{}, fault.Errorf(fault.InvalidArgument, "model is required: provider %q has no default_model", st.Name).
			WithHint("write model = %q, or set [providers.%s] default_model", st.Name+"/MODEL", st.Name)
	}
	if spec.BaseURL != "" || spec.APIKey != "" {
		return m.custom(ctx, st, model, spec)
	}
	if st.Provider == nil || !st.KeyPresent {
		return Target{}, notReady(st)
	}
	return Target{Provider: st.Name, Model: model, state: st}, nil
}

// custom makes the target of an agent that brings its own server or key.
func (m *Manager) custom(ctx context.Context, st *state, model string, spec Spec) (Target, error) {
	if m.params.Dial == nil {
		return Target{}, fault.Errorf(fault.InvalidArgument, "base_url and api_key are not available to scripts here").
			WithHint("configure a provider table [providers.NAME] with that address")
	}
	p, err := m.params.Dial(ctx, st.Entry, spec.BaseURL, spec.APIKey)
	if err != nil {
		return Target{}, err
	}
	e := st.Entry
	e.Provider = p
	if spec.BaseURL != "" {
		e.BaseURL = spec.BaseURL
	}
	return Target{Provider: st.Name, Model: model, state: &state{Entry: e, limiter: st.limiter}}, nil
}

func notReady(st *state) error {
	return fault.Errorf(fault.ProviderNotConfigured, "provider %q has no API key", st.Name).
		WithHint("%s", cmp.Or(st.KeyHint, fmt.Sprintf("set [providers.%s] api_key", st.Name))).
		WithDetail("provider", st.Name)
}

// find returns the provider and the model part of spec ("" = its default).
func (g *generation) find(spec Spec) (*state, string, error) {
	if len(g.names) == 0 {
		return nil, "", fault.Errorf(fault.ProviderNotConfigured, "no model provider is configured").
			WithHint("set OPENAI_API_KEY, ANTHROPIC_API_KEY or OPENAI_BASE_URL, or add a [providers.NAME] table")
	}
	model := spec.Model
	if spec.Provider != "" {
		st, err := g.enabled(spec.Provider)
		if err != nil {
			return nil, "", err
		}
		return st, strings.TrimPrefix(model, spec.Provider+"/"), nil
	}
	if name := g.prefix(model); name != "" {
		st, err := g.enabled(name)
		return st, model[len(name)+1:], err
	}
	if before, _, ok := strings.Cut(model, "/"); ok {
		// A provider may list models whose names contain a slash.
		if st := g.first(func(s *state) bool { return s.lists(model) }); st != nil {
			return st, model, nil
		}
		return nil, "", g.unknown(before)
	}
	if model != "" {
		if st := g.first(func(s *state) bool { return s.lists(model) || s.DefaultModel == model }); st != nil {
			return st, model, nil
		}
		if st := g.first(func(s *state) bool { return s.family(model) }); st != nil {
			return st, model, nil
		}
	}
	st, err := g.defaultProvider()
	return st, model, err
}

// prefix returns the longest configured provider name before a "/" of spec.
func (g *generation) prefix(spec string) string {
	best := ""
	for _, name := range g.names {
		if len(name) > len(best) && strings.HasPrefix(spec, name+"/") {
			best = name
		}
	}
	return best
}

func (g *generation) enabled(name string) (*state, error) {
	st, ok := g.byName[name]
	if !ok {
		return nil, g.unknown(name)
	}
	if !st.Enabled {
		return nil, fault.Errorf(fault.ProviderNotConfigured, "provider %q is disabled", name).
			WithHint("set [providers.%s] enabled = true", name).WithDetail("provider", name)
	}
	return st, nil
}

func (g *generation) first(match func(*state) bool) *state {
	for _, name := range g.names {
		if st := g.byName[name]; st.Enabled && match(st) {
			return st
		}
	}
	return nil
}

func (g *generation) defaultProvider() (*state, error) {
	if g.defaultName != "" {
		return g.enabled(g.defaultName)
	}
	var on []string
	for _, name := range g.names {
		if g.byName[name].Enabled {
			on = append(on, name)
		}
	}
	switch len(on) {
	case 1:
		return g.byName[on[0]], nil
	case 0:
		return nil, fault.Errorf(fault.ProviderNotConfigured, "every configured provider is disabled").
			WithHint("set [providers.%s] enabled = true", g.names[0])
	}
	return nil, fault.Errorf(fault.ProviderNotConfigured, "several providers are configured and none is the default: %s", strings.Join(on, ", ")).
		WithHint("write the provider in front of the model, or set [providers] default_provider")
}

func (g *generation) unknown(name string) error {
	f := fault.Errorf(fault.ProviderNotConfigured, "provider %q is not configured (configured: %s)", name, strings.Join(g.names, ", ")).
		WithDetail("provider", name)
	if near := fault.Nearest(name, g.names); near != "" {
		return f.WithHint("did you mean %q? A model whose name contains a slash needs its provider in front", near)
	}
	return f.WithHint("add a [providers.%s] table; a model whose name contains a slash needs its provider in front", name)
}
