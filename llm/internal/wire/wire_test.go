package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := []struct {
		header http.Header
		want   time.Duration
	}{
		{http.Header{}, 0},
		{http.Header{"Retry-After": {"3"}}, 3 * time.Second},
		{http.Header{"Retry-After": {"0.5"}}, 500 * time.Millisecond},
		{http.Header{"Retry-After": {"3"}, "Retry-After-Ms": {"20"}}, 20 * time.Millisecond},
		{http.Header{"Retry-After": {now.Add(time.Minute).Format(http.TimeFormat)}}, time.Minute},
		{http.Header{"Retry-After": {now.Add(-time.Minute).Format(http.TimeFormat)}}, 0},
		{http.Header{"Retry-After": {"1e300"}}, time.Hour},
		{http.Header{"Retry-After": {"-5"}}, 0},
		{http.Header{"Retry-After": {"NaN"}}, 0},
		{http.Header{"Retry-After": {"soon"}}, 0},
	}
	for _, tt := range tests {
		if got := RetryAfter(tt.header, func() time.Time { return now }); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.header, got, tt.want)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "{}", " \n": "{}", `{"a": 1}`: `{"a":1}`, `[1]`: `"[1]"`, `{"a":`: `"{\"a\":"`, "{} {}": `"{} {}"`,
	} {
		if got := string(Arguments(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status int
		body   string
		code   fault.Code
		text   string
	}{
		{400, `{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`, fault.ContextTooLong, "available context size"},
		{400, `{"error":{"code":"content_filter","message":"filtered"}}`, fault.ContentFiltered, "filtered"},
		{429, `{"error":{"code":"insufficient_quota","message":"You exceeded your quota"}}`, fault.RateLimited, "quota"},
		{400, `{"error":"plain text"}`, fault.InvalidArgument, "plain text"},
		{400, `{"message":"outside"}`, fault.InvalidArgument, "outside"},
		{529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, fault.ProviderFailed, "Overloaded"},
		{418, ``, fault.InvalidArgument, "I'm a teapot"},
		{500, strings.Repeat("x", 1000), fault.ProviderFailed, "Internal Server Error"},
		{400, `{"error":{"message":"` + strings.Repeat("é", 1000) + `"}}`, fault.InvalidArgument, "…"},
	}
	for _, tt := range tests {
		x := &Exchange{Provider: "p", Model: "m"}
		f := x.answer(tt.status, []byte(tt.body))
		if f.Code != tt.code || !strings.Contains(f.Message, tt.text) || len(f.Message) > 600 {
			t.Errorf("%d %.60s: got %s %q", tt.status, tt.body, f.Code, f.Message)
		}
	}
}

// TestRedirect: a key in a header of its own must not follow to another origin.
func TestRedirect(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed to another origin") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	res, err := Client(server.Client()).Get(server.URL)
	if err == nil {
		_ = res.Body.Close()
		t.Fatal("no error")
	}
	x := &Exchange{Provider: "p"}
	if f := x.Fault(context.Background(), err); !strings.Contains(f.Message, "base_url") || strings.Contains(f.Message, other.URL) {
		t.Errorf("got %q", f.Message)
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	x := &Exchange{Provider: "p", Key: "sk-1"}
	f := x.Fault(context.Background(), errors.New("bad header value sk-1"))
	if strings.Contains(f.Message+f.Cause.Error(), "sk-1") {
		t.Errorf("the key is in %v, %v", f, f.Cause)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(429, []byte(`{"error":{"code":"x","message":"y","type":"z"}}`), `{"a":1}`)
	f.Add(0, []byte(`{"error":"x"}`), "")
	f.Fuzz(func(t *testing.T, status int, body []byte, arguments string) {
		fl := (&Exchange{Provider: "p"}).answer(status, body)
		if fl.Code == "" || fl.Message == "" {
			t.Errorf("answer %d %q has no code or message", status, body)
		}
		if !json.Valid(Arguments(arguments)) {
			t.Errorf("Arguments(%q) is no JSON", arguments)
		}
	})
}
