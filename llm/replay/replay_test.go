package replay_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
	"github.com/llmspell/llmspell/llm/replay"
)

func ask(model, text string) llm.Request {
	return llm.Request{Model: model, Messages: []llm.Message{{Role: llm.User, Content: text}}, Options: map[string]any{"k": "v"}}
}

var when = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// recordAll records one call per request and returns the file's path.
func recordAll(t *testing.T, secrets []string, requests ...llm.Request) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.replay.jsonl")
	rec, err := replay.Create(path, replay.Params{Now: func() time.Time { return when }, Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	p := rec.Wrap("fake", llmtest.Fake())
	for _, r := range requests {
		_, _ = llm.Collect(p.Stream(t.Context(), r)) // the error is part of the recording
	}
	if err := errors.Join(rec.Close(), rec.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func openPlayer(t *testing.T, path string) *replay.Player {
	t.Helper()
	p, err := replay.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	path := recordAll(t, nil, ask("echo", "one"), ask("stream", "two"), ask("tools", "three"), ask("down", "four"))
	p := openPlayer(t, path)
	want := replay.Info{Recorded: when, Provider: "fake", Model: "echo", Calls: 4}
	if p.Info() != want {
		t.Errorf("info = %+v, want %+v", p.Info(), want)
	}
	// Out of order, and under another model's name: the request decides.
	r, err := llm.Collect(p.Stream(t.Context(), ask("whatever", "two")))
	if err != nil || r.Text != "abc" || r.Usage.PromptTokens != 10 || *r.Usage.CostUSD != 0.015 {
		t.Errorf("got %+v, %v", r, err)
	}
	r, err = llm.Collect(p.Stream(t.Context(), ask("echo", "one")))
	if err != nil || r.Text != "echo: one" {
		t.Errorf("got %+v, %v", r, err)
	}
	r, err = llm.Collect(p.Stream(t.Context(), ask("echo", "three")))
	if err != nil || len(r.ToolCalls) != 1 || r.ToolCalls[0].Name != "calculator" {
		t.Errorf("got %+v, %v", r, err)
	}
	_, err = llm.Collect(p.Stream(t.Context(), ask("down", "four")))
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.ProviderFailed || !f.Retryable {
		t.Errorf("got %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestNotRecorded(t *testing.T) {
	t.Parallel()
	p := openPlayer(t, recordAll(t, nil, ask("echo", "one")))
	_, err := llm.Collect(p.Stream(t.Context(), ask("echo", "other")))
	if fault.CodeOf(err) != fault.Nondeterminism || !strings.Contains(err.Error(), `messages[1].content: recorded "one", now "other"`) {
		t.Errorf("got %v", err)
	}
	// A recorded call answers again when it is asked again.
	for range 2 {
		if r, err := llm.Collect(p.Stream(t.Context(), ask("echo", "one"))); err != nil || r.Text != "echo: one" {
			t.Errorf("got %+v, %v", r, err)
		}
	}
	_, err = llm.Collect(p.Stream(t.Context(), ask("echo", "other")))
	if fault.CodeOf(err) != fault.Nondeterminism {
		t.Errorf("got %v", err)
	}
}

func TestConsumerLeaves(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	rec := replay.NewRecorder(nopCloser{&out}, replay.Params{})
	for range rec.Wrap("fake", llmtest.Fake()).Stream(t.Context(), ask("stream", "x")) {
		break
	}
	p, err := replay.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	r, err := llm.Collect(p.Stream(t.Context(), ask("stream", "x")))
	if r.Text != "a" || fault.CodeOf(err) != fault.Nondeterminism {
		t.Errorf("got %+v, %v", r, err)
	}
}

type nopCloser struct{ *bytes.Buffer }

func (nopCloser) Close() error { return nil }

func TestNoSecrets(t *testing.T) {
	t.Parallel()
	path := recordAll(t, []string{`se"cret`}, ask("echo", `my se"cret here`))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(`se\"cret`)) || !bytes.Contains(b, []byte("echo: my [redacted] here")) || bytes.Contains(b, []byte("options")) {
		t.Errorf("recording:\n%s", b)
	}
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	rec := replay.NewRecorder(full{}, replay.Params{})
	r, err := llm.Collect(rec.Wrap("fake", llmtest.Fake()).Stream(t.Context(), ask("echo", "x")))
	if err != nil || r.Text != "echo: x" {
		t.Errorf("a failing recorder disturbs the call: %v", err)
	}
	if rec.Close() == nil {
		t.Error("Close does not report the failed write")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }
func (full) Close() error              { return nil }

func TestReadErrors(t *testing.T) {
	t.Parallel()
	const head = `{"llmspell_replay":1,"recorded":"2026-01-02T03:04:05Z"}` + "\n"
	tests := []struct{ name, text, want string }{
		{"empty", "", "empty"},
		{"no header", `{"hash":"x"}`, "line 1: not a recording"},
		{"version", `{"llmspell_replay":2}`, "line 1: not a recording"},
		{"not json", head + "{", "line 2"},
		{"kind", head + `{"request":{},"chunks":[{"kind":"odd"}]}`, "unknown kind"},
		{"tool call", head + `{"request":{},"chunks":[{"kind":"tool_call"}]}`, "incomplete tool call"},
		{"open end", head + `{"request":{},"chunks":[{"kind":"text","text":"x"}]}`, "a call ends with"},
		{"done twice", head + `{"request":{},"chunks":[{"kind":"done"},{"kind":"done"}]}`, "not the last"},
		{"long line", head + strings.Repeat(" ", replay.MaxLine+1), "line 2"},
	}
	for _, tt := range tests {
		_, err := replay.Read(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := replay.Open(filepath.Join(t.TempDir(), "no")); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"llmspell_replay":1}` + "\n" + `{"request":{"messages":[{"role":"user","content":"hi"}]},"chunks":[{"kind":"text","text":"x"},{"kind":"done"}]}`))
	f.Add([]byte(`{"llmspell_replay":1}` + "\n" + `{"request":{},"chunks":[{"kind":"tool_call","tool_call":{"name":"a","arguments":{}}},{"kind":"done"}]}`))
	f.Add([]byte("\n\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := replay.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		// Whatever was accepted must play without a panic.
		_, _ = llm.Collect(p.Stream(context.Background(), ask("m", "hi")))
		_, _ = llm.Collect(p.Stream(context.Background(), llm.Request{}))
	})
}
