// Package llmtest holds what tests of language models need: [Fake], a provider
// of scripted models, and [Run], the conformance suite of adapters, which plays
// recorded HTTP answers to the adapter under test:
//
//	llmtest.Run(t, llmtest.OpenAI, func(t testing.TB, p llmtest.Params) llm.Provider {
//		provider, err := openai.New(openai.Params{BaseURL: p.BaseURL, Key: p.Key, HTTPClient: p.Client})
//		...
//		return provider
//	})
package llmtest

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
)

//go:embed testdata
var recordings embed.FS

// Wire names a set of recorded answers.
type Wire string

// The wire formats with recordings.
const (
	OpenAI    Wire = "openai"
	Anthropic Wire = "anthropic"
)

// Key is the API key that Run gives to providers; it must appear in no error.
const Key = "sk-test-secret"

// Params tells an Open function where to connect.
type Params struct {
	BaseURL string
	Key     string
	Client  *http.Client
}

// Open makes the provider under test.
type Open func(t testing.TB, p Params) llm.Provider

// Run checks that a provider keeps the contract of package llm over the given
// wire format.
func Run(t *testing.T, wire Wire, open Open) {
	t.Helper()
	s := suite{wire: wire, open: open}
	t.Run("text", s.text)
	t.Run("every byte boundary", s.boundaries)
	t.Run("tool calls in fragments", s.toolCalls)
	t.Run("length", s.length)
	t.Run("statuses", s.statuses)
	t.Run("error inside the stream", s.streamError)
	t.Run("connection dropped", s.dropped)
	t.Run("malformed event", s.malformed)
	t.Run("endless line", s.endless)
	t.Run("unreachable", s.unreachable)
	t.Run("cancel", s.cancel)
	t.Run("deadline", s.deadline)
	t.Run("consumer leaves", s.leave)
	t.Run("request", s.request)
	t.Run("models", s.models)
}

type suite struct {
	wire Wire
	open Open
}

func (s suite) recording(t testing.TB, name string) string {
	t.Helper()
	b, err := recordings.ReadFile("testdata/" + string(s.wire) + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// roundTrip answers every request with one canned answer.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, contentType string, body io.Reader, header http.Header) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		h := header.Clone()
		if h == nil {
			h = http.Header{}
		}
		h.Set("Content-Type", contentType)
		h.Set("X-Request-Id", "req_1")
		return &http.Response{
			StatusCode: status, Header: h, Body: io.NopCloser(body), Request: r,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		}, nil
	}
}

// canned returns a provider that gets the given answer to every request.
func (s suite) canned(t testing.TB, status int, body io.Reader, header http.Header) llm.Provider {
	contentType := "text/event-stream"
	if status >= 400 {
		contentType = "application/json"
	}
	return s.open(t, Params{
		BaseURL: "http://provider.test", Key: Key,
		Client: &http.Client{Transport: answer(status, contentType, body, header)},
	})
}

// request is what the suite asks when the question does not matter.
func request() llm.Request {
	return llm.Request{Model: "some-model", Messages: []llm.Message{{Role: llm.User, Content: "hi"}}}
}

func (s suite) text(t *testing.T) {
	t.Parallel()
	p := s.canned(t, 200, strings.NewReader(s.recording(t, "text.sse")), nil)
	r, err := llm.Collect(p.Stream(t.Context(), request()))
	if err != nil {
		t.Fatal(err)
	}
	wantHello(t, r)
	if r.Finish != llm.FinishStop || r.RequestID != "req_1" || r.Model == "" {
		t.Errorf("finish %q, request id %q, model %q", r.Finish, r.RequestID, r.Model)
	}
	want := llm.Usage{PromptTokens: 21, CompletionTokens: 7, CachedTokens: 5}
	if r.Usage != want {
		t.Errorf("usage = %+v, want %+v", r.Usage, want)
	}
}

func wantHello(t *testing.T, r llm.Response) {
	t.Helper()
	if want := "Hello, wörld 👋\n"; r.Text != want {
		t.Fatalf("text = %q, want %q", r.Text, want)
	}
}

// splitReader gives the bytes before at in one read, those after in another.
type splitReader struct {
	s  string
	at int
}

func (r *splitReader) Read(p []byte) (int, error) {
	if r.s == "" {
		return 0, io.EOF
	}
	part := r.s
	if r.at > 0 {
		part = r.s[:r.at]
	}
	n := copy(p, part)
	r.s, r.at = r.s[n:], max(0, r.at-n)
	return n, nil
}

func (s suite) boundaries(t *testing.T) {
	t.Parallel()
	body := s.recording(t, "text.sse")
	for at := range len(body) {
		p := s.canned(t, 200, &splitReader{body, at}, nil)
		r, err := llm.Collect(p.Stream(t.Context(), request()))
		if err != nil {
			t.Fatalf("split at byte %d: %v", at, err)
		}
		wantHello(t, r)
	}
}

func (s suite) toolCalls(t *testing.T) {
	t.Parallel()
	p := s.canned(t, 200, strings.NewReader(s.recording(t, "tools.sse")), nil)
	r, err := llm.Collect(p.Stream(t.Context(), request()))
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.ToolCall{
		{ID: "call_a", Name: "calculator", Arguments: json.RawMessage(`{"input":"6*7"}`)},
		{ID: "call_b", Name: "now", Arguments: json.RawMessage(`{}`)},
	}
	if len(r.ToolCalls) != len(want) {
		t.Fatalf("got %d tool calls, want %d", len(r.ToolCalls), len(want))
	}
	for i, c := range r.ToolCalls {
		if c.ID != want[i].ID || c.Name != want[i].Name || string(c.Arguments) != string(want[i].Arguments) {
			t.Errorf("call %d = %s %s %s, want %s %s %s", i, c.ID, c.Name, c.Arguments, want[i].ID, want[i].Name, want[i].Arguments)
		}
	}
	if r.Finish != llm.FinishTools || r.Usage.PromptTokens != 50 || r.Usage.CompletionTokens != 20 {
		t.Errorf("finish %q, usage %+v", r.Finish, r.Usage)
	}
}

func (s suite) length(t *testing.T) {
	t.Parallel()
	p := s.canned(t, 200, strings.NewReader(s.recording(t, "length.sse")), nil)
	r, err := llm.Collect(p.Stream(t.Context(), request()))
	if err != nil || r.Text != "Hel" || r.Finish != llm.FinishLength {
		t.Fatalf("got %+v, %v", r, err)
	}
}

// wantFault checks err and that it does not give the key away.
func wantFault(t *testing.T, err error, code fault.Code, retryable bool) *fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("error is %T (%v), want *fault.Error", err, err)
	}
	if f.Code != code || f.Retryable != retryable {
		t.Errorf("code %q retryable %v, want %q %v (%v)", f.Code, f.Retryable, code, retryable, err)
	}
	all, _ := json.Marshal(f.Details)
	for e := error(f); e != nil; e = errors.Unwrap(e) {
		all = append(all, e.Error()...)
	}
	if strings.Contains(string(all), Key) {
		t.Errorf("the error contains the key: %s", all)
	}
	if f.Details["provider"] == nil {
		t.Errorf("details lack the provider: %v", f.Details)
	}
	return f
}

func (s suite) statuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		status    int
		body      string
		header    http.Header
		code      fault.Code
		retryable bool
		afterMS   int64
	}{
		{name: "401", status: 401, code: fault.ProviderAuth},
		{name: "404", status: 404, code: fault.ModelNotFound},
		{name: "400", status: 400, code: fault.ContextTooLong},
		{name: "429", status: 429, header: http.Header{"Retry-After": {"2"}}, code: fault.RateLimited, retryable: true, afterMS: 2000},
		{name: "429 in ms", status: 429, header: http.Header{"Retry-After-Ms": {"250"}}, code: fault.RateLimited, retryable: true, afterMS: 250},
		{name: "500", status: 500, code: fault.ProviderFailed, retryable: true},
		{name: "502 with html", status: 502, body: "<html>Bad Gateway</html>", code: fault.ProviderFailed, retryable: true},
		{name: "404 of a proxy", status: 404, body: "404 page not found", code: fault.ProviderFailed},
		{name: "400 plain", status: 400, body: `{"error":{"message":"temperature: must be a number","type":"invalid_request_error"}}`, code: fault.InvalidArgument},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := tt.body
			if body == "" {
				body = s.recording(t, strings.Fields(tt.name)[0]+".json")
			}
			p := s.canned(t, tt.status, strings.NewReader(body), tt.header)
			_, err := llm.Collect(p.Stream(t.Context(), request()))
			f := wantFault(t, err, tt.code, tt.retryable)
			if f.RetryAfterMS != tt.afterMS {
				t.Errorf("retry after %d ms, want %d", f.RetryAfterMS, tt.afterMS)
			}
			if f.Details["status"] != int64(tt.status) || f.Details["request_id"] != "req_1" {
				t.Errorf("details = %v", f.Details)
			}
		})
	}
}

// partial collects a stream that must deliver "Hel" and then fail.
func partial(t *testing.T, p llm.Provider, code fault.Code, retryable bool) {
	t.Helper()
	r, err := llm.Collect(p.Stream(t.Context(), request()))
	wantFault(t, err, code, retryable)
	if r.Text != "Hel" {
		t.Errorf("text before the error = %q, want %q", r.Text, "Hel")
	}
}

func (s suite) streamError(t *testing.T) {
	t.Parallel()
	partial(t, s.canned(t, 200, strings.NewReader(s.recording(t, "error.sse")), nil), fault.ProviderFailed, true)
}

func (s suite) malformed(t *testing.T) {
	t.Parallel()
	partial(t, s.canned(t, 200, strings.NewReader(s.recording(t, "malformed.sse")), nil), fault.MalformedResponse, false)
}

func (s suite) dropped(t *testing.T) {
	t.Parallel()
	head := s.firstText(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, head)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	partial(t, s.open(t, Params{BaseURL: server.URL, Key: Key, Client: server.Client()}), fault.ProviderFailed, true)

	// The server closes the stream in good order, but too early.
	partial(t, s.canned(t, 200, strings.NewReader(head), nil), fault.ProviderFailed, true)
}

// firstText is a stream up to the end of its first event with text.
func (s suite) firstText(t testing.TB) string {
	before, after, ok := strings.Cut(s.recording(t, "length.sse"), "Hel")
	event, _, found := strings.Cut(after, "\n\n")
	if !ok || !found {
		t.Fatal("length.sse has no event with the text Hel")
	}
	return before + "Hel" + event + "\n\n"
}

// endlessReader sends one line that never ends.
type endlessReader struct{ sent int64 }

func (r *endlessReader) Read(p []byte) (int, error) {
	if r.sent == 0 {
		r.sent += int64(copy(p, "data: "))
		return int(r.sent), nil
	}
	for i := range p {
		p[i] = 'x'
	}
	r.sent += int64(len(p))
	return len(p), nil
}

func (s suite) endless(t *testing.T) {
	t.Parallel()
	body := &endlessReader{}
	_, err := llm.Collect(s.canned(t, 200, body, nil).Stream(t.Context(), request()))
	wantFault(t, err, fault.MalformedResponse, false)
	if body.sent > 128<<20 {
		t.Errorf("the provider read %d bytes of one line", body.sent)
	}
}

func (s suite) unreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	p := s.open(t, Params{BaseURL: server.URL, Key: Key})
	_, err := llm.Collect(p.Stream(t.Context(), request()))
	wantFault(t, err, fault.ProviderFailed, true)
}

// hanging returns a provider whose server never answers, and a channel that is
// closed when the request reached it.
func (s suite) hanging(t *testing.T) (llm.Provider, <-chan struct{}) {
	t.Helper()
	arrived := make(chan struct{})
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		close(arrived)
		<-r.Context().Done()
		return nil, r.Context().Err()
	})}
	return s.open(t, Params{BaseURL: "http://provider.test", Key: Key, Client: client}), arrived
}

func (s suite) cancel(t *testing.T) {
	t.Parallel()
	p, arrived := s.hanging(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := llm.Collect(p.Stream(ctx, request()))
	f := wantFault(t, err, fault.Interrupted, false)
	if !errors.Is(f, context.Canceled) {
		t.Errorf("the cause of %v is not context.Canceled", err)
	}
}

func (s suite) deadline(t *testing.T) {
	t.Parallel()
	p, _ := s.hanging(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := llm.Collect(p.Stream(ctx, request()))
	wantFault(t, err, fault.Timeout, false)
}

// leave checks that breaking out of the loop ends the request.
func (s suite) leave(t *testing.T) {
	t.Parallel()
	head := s.firstText(t)
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, head)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	}))
	defer server.Close()
	p := s.open(t, Params{BaseURL: server.URL, Key: Key, Client: server.Client()})
	for c, err := range p.Stream(t.Context(), request()) {
		if err != nil || c.Text != "Hel" {
			t.Fatalf("first chunk %+v, %v", c, err)
		}
		break
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Fatal("the request goes on after the consumer left")
	}
}

func (s suite) models(t *testing.T) {
	t.Parallel()
	p := s.open(t, Params{BaseURL: "http://provider.test", Key: Key, Client: &http.Client{
		Transport: answer(200, "application/json", strings.NewReader(s.recording(t, "models.json")), nil),
	}})
	lister, ok := p.(llm.ModelLister)
	if !ok {
		t.Skip("the provider lists no models")
	}
	models, err := lister.Models(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(models) == 0 || models[0].ID == "" || models[len(models)-1].ContextTokens == 0 {
		t.Errorf("models = %+v", models)
	}
}
