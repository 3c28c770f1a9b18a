package anthropic_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/anthropic"
)

// TestNoEnvironment sets every variable the SDK knows: none may reach the server.
func TestNoEnvironment(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went to the address of the environment")
	}))
	defer other.Close()
	t.Setenv("ANTHROPIC_BASE_URL", other.URL)
	t.Setenv("ANTHROPIC_API_KEY", "from-environment")
	t.Setenv("ANTHROPIC_AUTH_TOKEN", "from-environment")
	t.Setenv("ANTHROPIC_PROFILE", "from-environment")
	t.Setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Custom: from-environment")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range []string{"Authorization", "X-Api-Key", "X-Custom", "Traceparent"} {
			if v := r.Header.Get(h); v != "" {
				t.Errorf("header %s: %s", h, v)
			}
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	p, err := anthropic.New(anthropic.Params{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = llm.Collect(p.Stream(t.Context(), llm.Request{Model: "m", Messages: []llm.Message{{Role: llm.User, Content: "hi"}}}))
	if fault.CodeOf(err) != fault.ProviderFailed {
		t.Fatalf("got %v", err)
	}
}

func TestSeedIsRefused(t *testing.T) {
	t.Parallel()
	p, err := anthropic.New(anthropic.Params{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = llm.Collect(p.Stream(t.Context(), llm.Request{Model: "m", Seed: new(int64(1)), Messages: []llm.Message{{Role: llm.User, Content: "hi"}}}))
	if fault.CodeOf(err) != fault.InvalidArgument {
		t.Fatalf("got %v", err)
	}
}
