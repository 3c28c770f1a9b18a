package provider_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
)

func entry(name, typ, model string) provider.Entry {
	return provider.Entry{Name: name, Type: typ, Provider: llmtest.Fake(), DefaultModel: model, Enabled: true, KeyPresent: true, MaxRetries: 3}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	openrouter := entry("openrouter", "openai-compatible", "")
	openrouter.Models = []llm.ModelInfo{{ID: "meta/llama"}, {ID: "special"}}
	off := entry("off", "ollama", "m")
	off.Enabled = false
	noKey := entry("nokey", "openai-compatible", "m")
	noKey.KeyPresent, noKey.KeyHint = false, "set NOKEY_API_KEY"
	m := provider.New(provider.Params{Default: "fake", Entries: []provider.Entry{
		entry("fake", "fake", "echo"), entry("openai", "openai", "gpt-4o-mini"), entry("anthropic", "anthropic", "claude-haiku-4-5"),
		entry("open", "openai-compatible", "x"), openrouter, off, noKey,
	}})
	tests := []struct {
		spec provider.Spec
		want string // "provider/model", or "!code text"
	}{
		{provider.Spec{}, "fake/echo"},
		{provider.Spec{Model: "fake/count"}, "fake/count"},
		{provider.Spec{Model: "openrouter/deepseek/x:free"}, "openrouter/deepseek/x:free"},
		{provider.Spec{Model: "deepseek/x", Provider: "openrouter"}, "openrouter/deepseek/x"},
		{provider.Spec{Model: "openrouter/y", Provider: "openrouter"}, "openrouter/y"},
		{provider.Spec{Model: "meta/llama"}, "openrouter/meta/llama"},
		{provider.Spec{Model: "special"}, "openrouter/special"},
		{provider.Spec{Model: "gpt-4o"}, "openai/gpt-4o"},
		{provider.Spec{Model: "o3-mini"}, "openai/o3-mini"},
		{provider.Spec{Model: "claude-opus-4-1"}, "anthropic/claude-opus-4-1"},
		{provider.Spec{Model: "count"}, "fake/count"},
		{provider.Spec{Provider: "openai"}, "openai/gpt-4o-mini"},
		{provider.Spec{Provider: "openrouter"}, "!invalid_argument model is required"},
		{provider.Spec{Model: "opneai/gpt-4o"}, `!provider_not_configured did you mean "openai"`},
		{provider.Spec{Model: "nope/x"}, "!provider_not_configured [providers.nope]"},
		{provider.Spec{Provider: "nope"}, "!provider_not_configured [providers.nope]"},
		{provider.Spec{Model: "off/m"}, "!provider_not_configured enabled = true"},
		{provider.Spec{Model: "nokey/m"}, "!provider_not_configured set NOKEY_API_KEY"},
		{provider.Spec{Model: "fake/echo", BaseURL: "http://x"}, "!invalid_argument base_url"},
	}
	for _, tt := range tests {
		target, err := m.Resolve(t.Context(), tt.spec)
		if want, isError := strings.CutPrefix(tt.want, "!"); isError {
			wantFault(t, err, want)
		} else if err != nil || target.String() != tt.want {
			t.Errorf("%+v: got %v, %v, want %s", tt.spec, target, err, tt.want)
		}
	}
}

// wantFault checks a fault against "code text", the text being part of message or hint.
func wantFault(t *testing.T, err error, want string) {
	t.Helper()
	code, text, _ := strings.Cut(want, " ")
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || string(f.Code) != code || !strings.Contains(f.Message+" "+f.Hint, text) {
		t.Errorf("got %v (%+v), want %s", err, f, want)
	}
}

func TestResolveDefaults(t *testing.T) {
	t.Parallel()
	none := provider.New(provider.Params{})
	_, err := none.Resolve(t.Context(), provider.Spec{Model: "fake/echo"})
	wantFault(t, err, "provider_not_configured OPENAI_API_KEY")

	only := provider.New(provider.Params{Entries: []provider.Entry{entry("fake", "fake", "echo")}})
	if target, err := only.Resolve(t.Context(), provider.Spec{}); err != nil || target.String() != "fake/echo" {
		t.Errorf("got %v, %v", target, err)
	}
	two := provider.New(provider.Params{Entries: []provider.Entry{entry("a", "fake", "echo"), entry("b", "fake", "x")}})
	_, err = two.Resolve(t.Context(), provider.Spec{Model: "y"})
	wantFault(t, err, "provider_not_configured a, b")
}

func call(t *testing.T, m *provider.Manager, model string) provider.Call {
	t.Helper()
	target, err := m.Resolve(t.Context(), provider.Spec{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	return provider.Call{Target: target, Request: llm.Request{Messages: []llm.Message{{Role: llm.User, Content: "hi"}}}}
}

func TestChat(t *testing.T) {
	t.Parallel()
	m := provider.New(provider.Params{Entries: []provider.Entry{entry("fake", "fake", "echo")}})
	var events []string
	run := &gate.Run{Emit: func(event string, _ any) { events = append(events, event) }, Local: gate.NewLocal()}
	ctx := gate.With(t.Context(), run)
	out, err := m.Chat(ctx, call(t, m, ""))
	if err != nil || out.Response.Text != "echo: hi" || out.Attempts != 1 {
		t.Fatalf("got %+v, %v", out, err)
	}
	if n := run.Usage.PromptTokens.Load(); n != 10 || run.Usage.CostNanoUSD.Load() != 15_000_000 || run.Usage.LLMCalls.Load() != 1 {
		t.Errorf("usage: %d tokens, %d nano-USD, %d calls", n, run.Usage.CostNanoUSD.Load(), run.Usage.LLMCalls.Load())
	}
	if got := strings.Join(events, " "); got != "llm.started llm.delta llm.finished" {
		t.Errorf("events: %s", got)
	}
}

func TestStreamStops(t *testing.T) {
	t.Parallel()
	m := provider.New(provider.Params{Entries: []provider.Entry{entry("fake", "fake", "stream")}})
	out, err := m.Stream(t.Context(), call(t, m, ""), func(llm.Chunk) bool { return false })
	if err != nil || !out.Stopped || out.Response.Text != "a" {
		t.Errorf("got %+v, %v", out, err)
	}
}

// flaky fails its first calls with err and then echoes.
type flaky struct {
	mu    sync.Mutex
	fails []error
	calls []time.Time
	part  string // sent before failing
}

func (f *flaky) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		f.mu.Lock()
		f.calls = append(f.calls, time.Now())
		var err error
		if len(f.fails) > 0 {
			err, f.fails = f.fails[0], f.fails[1:]
		}
		f.mu.Unlock()
		if err == nil {
			for c, err := range llmtest.Fake().Stream(ctx, r) {
				if !yield(c, err) {
					return
				}
			}
			return
		}
		if f.part != "" && !yield(llm.Chunk{Kind: llm.ChunkText, Text: f.part}, nil) {
			return
		}
		yield(llm.Chunk{}, err)
	}
}

func failing(code fault.Code, retryable bool, afterMS int64) error {
	return &fault.Error{Code: code, Message: "no", Retryable: retryable, RetryAfterMS: afterMS}
}

func flakyManager(f *flaky, change func(*provider.Entry)) *provider.Manager {
	e := entry("fake", "fake", "echo")
	e.Provider = f
	if change != nil {
		change(&e)
	}
	return provider.New(provider.Params{Entries: []provider.Entry{e}})
}

func TestRetries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		fails    []error
		part     string
		retries  *int
		attempts int
		code     fault.Code
		atLeast  time.Duration
	}{
		{name: "recovers", fails: []error{failing(fault.ProviderFailed, true, 0), failing(fault.RateLimited, true, 0)}, attempts: 3},
		{name: "retry after", fails: []error{failing(fault.RateLimited, true, 45_000)}, attempts: 2, atLeast: 45 * time.Second},
		{name: "final", fails: []error{failing(fault.ProviderAuth, false, 0)}, attempts: 1, code: fault.ProviderAuth},
		{name: "gives up", fails: []error{failing(fault.ProviderFailed, true, 0), failing(fault.ProviderFailed, true, 0)}, retries: new(1), attempts: 2, code: fault.ProviderFailed},
		{name: "none", fails: []error{failing(fault.ProviderFailed, true, 0)}, retries: new(0), attempts: 1, code: fault.ProviderFailed},
		{name: "after output", fails: []error{failing(fault.ProviderFailed, true, 0)}, part: "Hel", attempts: 1, code: fault.ProviderFailed},
		{name: "too long a wait", fails: []error{failing(fault.RateLimited, true, 3_600_000)}, attempts: 1, code: fault.RateLimited},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := flakyManager(&flaky{fails: tt.fails, part: tt.part}, nil)
				c := call(t, m, "")
				c.Retries = tt.retries
				start := time.Now()
				out, err := m.Chat(t.Context(), c)
				if out.Attempts != tt.attempts && err == nil {
					t.Errorf("%d attempts, want %d", out.Attempts, tt.attempts)
				}
				if tt.code == "" && err != nil || tt.code != "" && fault.CodeOf(err) != tt.code {
					t.Errorf("error %v, want %q", err, tt.code)
				}
				if f, ok := errors.AsType[*fault.Error](err); ok && f.Details["attempts"] != int64(tt.attempts) {
					t.Errorf("details %v, want %d attempts", f.Details, tt.attempts)
				}
				if out.Response.Text != tt.part && tt.part != "" {
					t.Errorf("text %q, want %q", out.Response.Text, tt.part)
				}
				if took := time.Since(start); took < tt.atLeast {
					t.Errorf("took %s, want at least %s", took, tt.atLeast)
				}
			})
		})
	}
}

// TestRetryAfterHoldsAll: what one run is told to wait, every run waits.
func TestRetryAfterHoldsAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{fails: []error{failing(fault.RateLimited, true, 20_000)}}
		m := flakyManager(f, nil)
		start := time.Now()
		go func() { _, _ = m.Chat(t.Context(), call(t, m, "")) }()
		synctest.Wait()
		if _, err := m.Chat(t.Context(), call(t, m, "")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 20*time.Second {
			t.Errorf("the second run waited %s only", took)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{}
		m := flakyManager(f, func(e *provider.Entry) { e.RequestsPerMinute = 6 })
		start := time.Now()
		for range 3 {
			if _, err := m.Chat(t.Context(), call(t, m, "")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("3 calls at 6 a minute took %s, want 20s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Chat(ctx, call(t, m, "")); fault.CodeOf(err) != fault.RateLimited {
			t.Errorf("got %v, want rate_limited", err)
		}
	})
}

func TestMaxConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := flakyManager(&flaky{}, func(e *provider.Entry) { e.Provider, e.MaxConcurrent, e.Timeout = llmtest.Fake(), 1, time.Minute })
		done := make(chan error, 1)
		slow := call(t, m, "fake/slow")
		slow.Retries = new(0)
		go func() {
			_, err := m.Chat(t.Context(), slow)
			done <- err
		}()
		synctest.Wait()
		start := time.Now()
		if _, err := m.Chat(t.Context(), call(t, m, "fake/echo")); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("the second call waited %s, want 1m", took)
		}
		if err := <-done; fault.CodeOf(err) != fault.Timeout {
			t.Errorf("the slow call: %v, want timeout", err)
		}
	})
}

func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := flakyManager(&flaky{fails: []error{failing(fault.RateLimited, true, 60_000)}}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := m.Chat(ctx, call(t, m, ""))
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; fault.CodeOf(err) != fault.Interrupted || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestReplay passes calls through a gate that records, then through one that
// answers from the record: the chunks must be the same, and nothing may be sent.
func TestReplay(t *testing.T) {
	t.Parallel()
	var record json.RawMessage
	recording := gate.New(func(ctx context.Context, c *gate.Call, next gate.Handler) (any, error) {
		v, err := next(ctx, c)
		if err == nil {
			record, err = gate.Encode(v)
		}
		return v, err
	})
	answering := gate.New(func(_ context.Context, c *gate.Call, _ gate.Handler) (any, error) { return c.Decode(record) })
	tests := []struct {
		name string
		p    llm.Provider
		stop int
		text string
		code fault.Code
	}{
		{name: "whole", p: llmtest.Fake(), text: "abc"},
		{name: "left", p: llmtest.Fake(), stop: 2, text: "ab"},
		{name: "failed", p: &flaky{fails: []error{failing(fault.ProviderFailed, true, 0)}, part: "Hel"}, text: "Hel", code: fault.ProviderFailed},
	}
	for _, tt := range tests {
		e := entry("fake", "fake", "stream")
		e.Provider = tt.p
		m := provider.New(provider.Params{Entries: []provider.Entry{e}})
		for _, g := range []*gate.Gate{recording, answering} {
			run := &gate.Run{Gate: g}
			text, n := "", 0
			out, err := m.Stream(gate.With(t.Context(), run), call(t, m, ""), func(c llm.Chunk) bool {
				text += c.Text
				n++
				return n != tt.stop
			})
			if text != tt.text || out.Response.Text != tt.text || out.Stopped != (tt.stop > 0) {
				t.Errorf("%s: text %q, outcome %+v", tt.name, text, out)
			}
			if tt.code != "" && fault.CodeOf(err) != tt.code || tt.code == "" && err != nil {
				t.Errorf("%s: error %v", tt.name, err)
			}
			if tt.name == "whole" && (run.Usage.PromptTokens.Load() != 10 || run.Usage.CostNanoUSD.Load() != 15_000_000) {
				t.Errorf("usage was not counted: %d", run.Usage.PromptTokens.Load())
			}
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	m := provider.New(provider.Params{Entries: []provider.Entry{entry("fake", "fake", "echo")}})
	before := call(t, m, "")
	m.Replace([]provider.Entry{entry("other", "fake", "json")}, "")
	if out, err := m.Chat(t.Context(), before); err != nil || out.Response.Text != "echo: hi" {
		t.Errorf("a target of before: %+v, %v", out, err)
	}
	if out, err := m.Chat(t.Context(), call(t, m, "")); err != nil || out.Response.Text != `{"n":1}` {
		t.Errorf("a new target: %+v, %v", out, err)
	}
	if m.IsAvailable("fake") || !m.IsAvailable("llm/other/json") {
		t.Errorf("list: %+v", m.List())
	}
}

type metrics struct{ calls, retries []string }

func (m *metrics) Call(p, model, outcome string, _ time.Duration, _ llm.Usage) {
	m.calls = append(m.calls, p+" "+model+" "+outcome)
}
func (m *metrics) Retry(p string, reason fault.Code) {
	m.retries = append(m.retries, p+" "+string(reason))
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &metrics{}
		e := entry("fake", "fake", "echo")
		e.Provider = &flaky{fails: []error{failing(fault.ProviderFailed, true, 0)}}
		m := provider.New(provider.Params{Entries: []provider.Entry{e}, Metrics: seen})
		for _, model := range []string{"echo", "made-up"} {
			_, _ = m.Chat(t.Context(), call(t, m, model)) // the second fails, which is counted
		}
		if got := strings.Join(append(seen.calls, seen.retries...), ", "); got != "fake echo ok, fake other model_not_found, fake provider_error" {
			t.Errorf("metrics: %s", got)
		}
	})
}

func TestPrices(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ, baseURL, model string
		prices              map[string]provider.Price
		want                *float64
	}{
		{typ: "openai", model: "gpt-4o-mini", want: new(0.00007425)},
		{typ: "openai", model: "gpt-4o-mini-2024-07-18", want: new(0.00007425)},
		{typ: "anthropic", model: "claude-haiku-4-5-20251001", want: new(0.000541)},
		{typ: "openai", model: "unheard-of"},
		{typ: "openai", baseURL: "http://localhost/v1", model: "gpt-4o-mini"},
		{typ: "openai-compatible", baseURL: "http://localhost/v1", model: "m", prices: map[string]provider.Price{"m": {Input: 1, Output: 1}}, want: new(0.0002)},
	}
	for _, tt := range tests {
		usage := llm.Usage{PromptTokens: 100, CachedTokens: 10, CompletionTokens: 100}
		if tt.typ == "anthropic" {
			usage.CompletionTokens = 90
		}
		e := entry("p", tt.typ, tt.model)
		e.BaseURL, e.Prices = tt.baseURL, tt.prices
		e.Provider = &llmtest.Scripted{Usage: usage, Models: map[string]llmtest.Model{
			tt.model: func(context.Context, llm.Request, func(llm.Chunk)) error { return nil },
		}}
		m := provider.New(provider.Params{Entries: []provider.Entry{e}})
		out, err := m.Chat(t.Context(), call(t, m, ""))
		if err != nil {
			t.Fatal(err)
		}
		got := out.Response.Usage.CostUSD
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%s %s: cost %v, want %v", tt.typ, tt.model, deref(got), deref(tt.want))
		}
	}
}

func deref(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

func TestModelsAndEmbedRefused(t *testing.T) {
	t.Parallel()
	m := provider.New(provider.Params{Entries: []provider.Entry{entry("fake", "fake", "echo")}})
	_, err := m.Models(t.Context(), "fake")
	wantFault(t, err, "invalid_argument cannot list")
	_, err = m.Embed(t.Context(), provider.Spec{}, []string{"x"})
	wantFault(t, err, "invalid_argument model is required")
	_, err = m.Embed(t.Context(), provider.Spec{Model: "e"}, []string{"x"})
	wantFault(t, err, "invalid_argument no embedding")
}
