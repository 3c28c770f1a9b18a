package standard

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/anthropic"
	"github.com/llmspell/llmspell/llm/openai"
	"github.com/llmspell/llmspell/llm/replay"
)

const (
	ollamaURL = "http://localhost:11434/v1"
	geminiURL = "https://generativelanguage.googleapis.com/v1beta/openai/"
)

// newProvider makes the client of a provider table. Timeout and retries are the
// engine's.
func newProvider(name string, p config.Provider) (llm.Provider, error) {
	key := p.Key().Reveal()
	compatible := openai.Params{Name: name, BaseURL: p.BaseURL, Key: key}
	switch p.ProviderType {
	case "anthropic":
		return anthropic.New(anthropic.Params{Name: name, BaseURL: p.BaseURL, Key: key})
	case "ollama":
		compatible.BaseURL = cmp.Or(withVersion(p.BaseURL), ollamaURL)
	case "gemini":
		compatible.BaseURL = cmp.Or(p.BaseURL, geminiURL)
	case "openai", "openai-compatible":
	default:
		return nil, fault.Errorf(fault.InvalidArgument, "provider_type %q is not known", p.ProviderType)
	}
	return openai.New(compatible)
}

// withVersion adds the path of Ollama's OpenAI API to a bare server address.
func withVersion(base string) string {
	if u, err := url.Parse(base); err == nil && u.Host != "" && strings.Trim(u.Path, "/") == "" {
		return u.JoinPath("v1").String()
	}
	return base
}

// models is where the kernel's model calls go.
type models struct {
	config      *config.Config
	newProvider func(name string, p config.Provider) (llm.Provider, error)
	fixed       map[string]llm.Provider
}

func newModels(p Params, owned *closers) (models, error) {
	m := models{config: p.Config, newProvider: newProvider}
	switch {
	case p.Record != "" && p.Replay != "":
		return m, fault.Errorf(fault.InvalidArgument, "record and replay exclude each other")
	case p.Record != "":
		return m, m.record(p, owned)
	case p.Replay != "":
		return m, m.replay(p.Replay)
	}
	return m, nil
}

// record lets every call be written to the file.
func (m *models) record(p Params, owned *closers) error {
	var secrets []string
	for _, s := range p.Config.Secrets() {
		secrets = append(secrets, s.Reveal())
	}
	rec, err := replay.Create(p.Record, replay.Params{Secrets: secrets})
	if err != nil {
		return err
	}
	owned.add(rec.Close)
	m.newProvider = func(name string, c config.Provider) (llm.Provider, error) {
		client, err := newProvider(name, c)
		if err != nil {
			return nil, err
		}
		return rec.Wrap(name, client), nil
	}
	return nil
}

// replay puts the recording in the place of every configured provider, and of
// the recorded one.
func (m *models) replay(path string) error {
	player, err := replay.Open(path)
	if err != nil {
		return err
	}
	info := player.Info()
	c := *m.config
	c.Providers = maps.Clone(c.Providers)
	if c.Providers == nil {
		c.Providers = map[string]config.Provider{}
	}
	if _, ok := c.Providers[info.Provider]; !ok && info.Provider != "" {
		c.Providers[info.Provider] = config.Provider{ProviderType: info.Provider}
	}
	m.fixed = map[string]llm.Provider{}
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		table := c.Providers[name]
		table.Enabled = true
		table.DefaultModel = cmp.Or(table.DefaultModel, info.Model)
		c.Providers[name] = table
		m.fixed[name] = player
	}
	c.DefaultProvider = cmp.Or(c.DefaultProvider, info.Provider)
	m.config = &c
	return nil
}
