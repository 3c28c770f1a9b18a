package anthropic_test

import (
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/anthropic"
	"github.com/llmspell/llmspell/llm/llmtest"
)

func open(t testing.TB, p llmtest.Params) llm.Provider {
	t.Helper()
	provider, err := anthropic.New(anthropic.Params{BaseURL: p.BaseURL, Key: p.Key, HTTPClient: p.Client})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func TestConformance(t *testing.T) {
	t.Parallel()
	llmtest.Run(t, llmtest.Anthropic, open)
}

func TestNew(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params anthropic.Params
		code   fault.Code
	}{
		{"nothing", anthropic.Params{}, fault.ProviderNotConfigured},
		{"scheme", anthropic.Params{BaseURL: "ftp://x"}, fault.InvalidArgument},
		{"no host", anthropic.Params{BaseURL: "http://"}, fault.InvalidArgument},
	}
	for _, tt := range tests {
		if _, err := anthropic.New(tt.params); fault.CodeOf(err) != tt.code {
			t.Errorf("%s: got %v, want code %s", tt.name, err, tt.code)
		}
	}
}
