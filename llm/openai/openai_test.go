package openai_test

import (
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/llm/openai"
)

func open(t testing.TB, p llmtest.Params) llm.Provider {
	t.Helper()
	provider, err := openai.New(openai.Params{BaseURL: p.BaseURL, Key: p.Key, HTTPClient: p.Client})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func TestConformance(t *testing.T) {
	t.Parallel()
	llmtest.Run(t, llmtest.OpenAI, open)
}

func TestNew(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params openai.Params
		code   fault.Code
	}{
		{"nothing", openai.Params{}, fault.ProviderNotConfigured},
		{"scheme", openai.Params{BaseURL: "ftp://x"}, fault.InvalidArgument},
		{"no host", openai.Params{BaseURL: "http://"}, fault.InvalidArgument},
	}
	for _, tt := range tests {
		if _, err := openai.New(tt.params); fault.CodeOf(err) != tt.code {
			t.Errorf("%s: got %v, want code %s", tt.name, err, tt.code)
		}
	}
}
