package openai_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/openai"
)

// TestNoEnvironment sets every variable the SDK knows: none may reach the server.
func TestNoEnvironment(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request went to the address of the environment")
	}))
	defer other.Close()
	t.Setenv("OPENAI_BASE_URL", other.URL)
	t.Setenv("OPENAI_API_KEY", "from-environment")
	t.Setenv("OPENAI_ADMIN_KEY", "from-environment")
	t.Setenv("OPENAI_ORG_ID", "from-environment")
	t.Setenv("OPENAI_PROJECT_ID", "from-environment")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: from-environment")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range []string{"Authorization", "OpenAI-Organization", "OpenAI-Project", "X-Custom"} {
			if v := r.Header.Get(h); v != "" {
				t.Errorf("header %s: %s", h, v)
			}
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\n")
	}))
	defer server.Close()
	p, err := openai.New(openai.Params{BaseURL: server.URL + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := llm.Collect(p.Stream(t.Context(), llm.Request{Model: "m", Messages: []llm.Message{{Role: llm.User, Content: "hi"}}}))
	if err != nil || r.Text != "ok" || r.Usage != (llm.Usage{}) {
		t.Fatalf("got %+v, %v", r, err)
	}
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"object":"list","model":"e","data":[{"object":"embedding","index":1,"embedding":[0,1]},{"object":"embedding","index":0,"embedding":[1,0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
	}))
	defer server.Close()
	p, err := openai.New(openai.Params{BaseURL: server.URL + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.Embed(t.Context(), "e", []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Vectors) != 2 || e.Vectors[0][1] != 0.5 || e.Vectors[1][1] != 1 || e.Usage.PromptTokens != 4 {
		t.Errorf("got %+v", e)
	}
	if _, err := p.Embed(t.Context(), "e", []string{"a", "b", "c"}); err == nil {
		t.Error("a missing vector was not noticed")
	}
}
