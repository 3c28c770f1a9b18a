package llmspell

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/llm"
)

// ProviderManager gives access to models by name, with the limits, retries and
// prices of the configuration.
type ProviderManager struct {
	engine *provider.Manager
	infra  *Infrastructure
	hints  atomic.Pointer[map[string]string] // what keeps a provider from being used
}

// ProviderInfo describes a configured provider.
type ProviderInfo struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	DefaultModel string `json:"default_model,omitempty"`
	Enabled      bool   `json:"enabled"`
	Default      bool   `json:"default"`
	Available    bool   `json:"available"` // enabled and with its key
	Problem      string `json:"problem,omitempty"`
}

// ModelRef names a model of a provider. Resolve makes one.
type ModelRef struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
}

// String is "provider/model".
func (r ModelRef) String() string { return r.Provider + "/" + r.Model }

// List describes all providers, by name.
func (m *ProviderManager) List() []ProviderInfo {
	hints := *m.hints.Load()
	var out []ProviderInfo
	for _, i := range m.engine.List() {
		info := ProviderInfo{
			Name: i.Provider, Type: i.Type, DefaultModel: i.Model, Enabled: i.Enabled, Default: i.Default, Available: i.Available,
		}
		switch {
		case !i.Enabled:
			info.Problem = "disabled"
		case !i.Available:
			info.Problem = hints[i.Provider]
		}
		out = append(out, info)
	}
	return out
}

// Resolve finds the model that spec names ("openai/gpt-4o", "gpt-4o", "" for
// the default), without network. Errors: fault.ProviderNotConfigured,
// fault.InvalidArgument.
func (m *ProviderManager) Resolve(ctx context.Context, spec string) (ModelRef, error) {
	t, err := m.engine.Resolve(ctx, provider.Spec{Model: spec})
	return ModelRef{t.Provider, t.Model}, err
}

// Chat sends a request to a model and returns the whole reply. Request.Model is
// taken from ref.
func (m *ProviderManager) Chat(ctx context.Context, ref ModelRef, r llm.Request) (llm.Response, error) {
	t, err := m.engine.Resolve(ctx, provider.Spec{Provider: ref.Provider, Model: ref.Model})
	if err != nil {
		return llm.Response{}, err
	}
	out, err := m.engine.Chat(m.infra.within(ctx), provider.Call{Target: t, Request: r})
	return out.Response, err
}

// Stream is Chat that yields the reply as it comes. Leaving the loop cancels
// the request.
func (m *ProviderManager) Stream(ctx context.Context, ref ModelRef, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		t, err := m.engine.Resolve(ctx, provider.Spec{Provider: ref.Provider, Model: ref.Model})
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		left := false
		_, err = m.engine.Stream(m.infra.within(ctx), provider.Call{Target: t, Request: r}, func(c llm.Chunk) bool {
			left = !yield(c, nil)
			return !left
		})
		if err != nil && !left {
			yield(llm.Chunk{}, err)
		}
	}
}

// Embed turns texts into vectors, one per text.
func (m *ProviderManager) Embed(ctx context.Context, ref ModelRef, texts []string) (llm.Embeddings, error) {
	return m.engine.Embed(m.infra.within(ctx), provider.Spec{Provider: ref.Provider, Model: ref.Model}, texts)
}

// replace puts new providers in place of the current ones. Calls in progress
// keep theirs.
func (m *ProviderManager) replace(entries []provider.Entry, defaultName string) {
	hints := map[string]string{}
	for _, e := range entries {
		if !e.KeyPresent {
			hints[e.Name] = "no API key: " + e.KeyHint
		}
	}
	m.hints.Store(&hints)
	m.engine.Replace(entries, defaultName)
}

// entries turns the provider tables of c into engine entries. Clients are made
// for enabled tables with a key; none of them connects.
func (i *Infrastructure) entries(c *config.Config) ([]provider.Entry, error) {
	tables := maps.Clone(c.Providers)
	if tables == nil {
		tables = map[string]config.Provider{}
	}
	for name := range i.params.Providers {
		if _, ok := tables[name]; !ok {
			tables[name] = config.Provider{Enabled: true, ProviderType: name}
		}
	}
	var entries []provider.Entry
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		p := tables[name]
		e := entryOf(name, p)
		client, given := i.params.Providers[name]
		switch {
		case given:
			e.Provider, e.KeyPresent = client, true
		case p.Enabled && e.KeyPresent && i.params.NewProvider != nil:
			var err error
			if e.Provider, err = i.params.NewProvider(name, p); err != nil {
				return nil, fmt.Errorf("providers.%s: %w", name, err)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func entryOf(name string, p config.Provider) provider.Entry {
	prices := map[string]provider.Price{}
	for model, price := range p.Prices {
		prices[model] = provider.Price(price)
	}
	return provider.Entry{
		Name: name, Type: p.ProviderType, DefaultModel: p.DefaultModel, Enabled: p.Enabled,
		KeyPresent: p.Key().IsSet() || !p.NeedsKey(),
		KeyHint:    fmt.Sprintf("set %s or [providers.%s] api_key", p.APIKeyEnv, name),
		BaseURL:    p.BaseURL, Prices: prices,
		RequestsPerMinute: p.RateLimit.RequestsPerMinute, TokensPerMinute: p.RateLimit.TokensPerMinute,
		MaxConcurrent: p.RateLimit.MaxConcurrent,
		MaxRetries:    p.MaxRetries, Timeout: p.Timeout,
		Retry: provider.Retry{
			InitialDelay: p.Retry.InitialDelay, MaxDelay: p.Retry.MaxDelay, Multiplier: p.Retry.BackoffMultiplier,
		},
		MaxTokens: p.MaxTokens, Temperature: p.Temperature, Options: p.Options,
	}
}
