package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// model is a server that speaks the OpenAI API and always gives one answer.
func model(t *testing.T, answer string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/chat/completions" || !strings.Contains(string(body), "What is Go?") {
			http.Error(w, "unexpected request", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, chunk := range []string{
			`{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":%q},"finish_reason":null}]}`,
			`{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
		} {
			if strings.Contains(chunk, "%q") {
				chunk = fmt.Sprintf(chunk, answer)
			}
			fmt.Fprintf(w, "data: %s\n\n", chunk)
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestRun(t *testing.T) {
	srv := model(t, "A programming language.")
	path := filepath.Join(t.TempDir(), "config.toml")
	text := fmt.Sprintf("[storage]\nbackend = \"memory\"\n[providers.local]\nprovider_type = \"openai-compatible\"\nbase_url = \"%s/v1\"\ndefault_model = \"m\"\n", srv.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(t.Context(), path, &out); err != nil {
		t.Fatal(err)
	}
	if want := "Result: A programming language.\n"; out.String() != want {
		t.Errorf("printed %q, want %q", &out, want)
	}
}

func TestRunReportsAMissingConfiguration(t *testing.T) {
	if err := run(t.Context(), filepath.Join(t.TempDir(), "none.toml"), io.Discard); err == nil {
		t.Error("no error")
	}
}
