package provider

import (
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/llmspell/llmspell/llm"
)

// Entry is one configured provider. The zero value of a limit means no limit.
type Entry struct {
	Name         string       // key of its configuration table; "openai"
	Type         string       // openai, anthropic, openai-compatible, ollama, gemini, replay ...
	Provider     llm.Provider // nil when it cannot be made yet (no key)
	DefaultModel string
	Enabled      bool
	KeyPresent   bool   // a key is there, or none is needed
	KeyHint      string // what to do about a missing key: "set OPENAI_API_KEY or [providers.openai] api_key"
	BaseURL      string // as configured; "" = the vendor's
	Models       []llm.ModelInfo
	Prices       map[string]Price // override the built-in table, by model

	RequestsPerMinute int
	TokensPerMinute   int
	MaxConcurrent     int

	MaxRetries int // after the first attempt
	Retry      Retry
	Timeout    time.Duration // of one attempt; 0 = only the caller's deadline

	MaxTokens       int            // default of a request's MaxTokens
	Temperature     *float64       // default of a request's Temperature
	Options         map[string]any // passed to the provider unread
	EmbeddingModel  string         // default of Embed
	MultimodalInput bool           // models take images
}

// Retry is exponential back-off with full jitter. Zero fields take 1 s, 30 s, 2.
type Retry struct {
	InitialDelay time.Duration
	MaxDelay     time.Duration
	Multiplier   float64
}

func (r Retry) withDefaults() Retry {
	if r.InitialDelay <= 0 {
		r.InitialDelay = time.Second
	}
	if r.MaxDelay <= 0 {
		r.MaxDelay = 30 * time.Second
	}
	if r.Multiplier < 1 {
		r.Multiplier = 2
	}
	return r
}

// state is an Entry at work: with its limiter, shared by all runs.
type state struct {
	Entry
	*limiter
}

func newState(e Entry, before *state) *state {
	e.Retry = e.Retry.withDefaults()
	s := &state{Entry: e}
	// A reload that leaves the limits alone must not refill them.
	if before != nil && before.RequestsPerMinute == e.RequestsPerMinute &&
		before.TokensPerMinute == e.TokensPerMinute && before.MaxConcurrent == e.MaxConcurrent {
		s.limiter = before.limiter
		return s
	}
	s.limiter = newLimiter(e)
	return s
}

// perMinute makes a limiter of n events a minute that lets a second's worth
// through at once.
func perMinute(n int) *rate.Limiter {
	if n <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(n)/60), max(1, n/60))
}

// label is the metric label of a model: its name where the configuration knows
// it, else "other", so that scripts cannot grow the number of series.
func (s *state) label(model string) string {
	if model == s.DefaultModel || s.lists(model) {
		return model
	}
	if _, ok := s.price(model); ok {
		return model
	}
	return "other"
}

func (s *state) lists(model string) bool {
	for _, m := range s.Models {
		if m.ID == model {
			return true
		}
	}
	return false
}

// family tells whether model carries a name of the vendor that s speaks to.
func (s *state) family(model string) bool {
	prefixes := map[string][]string{
		"openai":    {"gpt-", "o1", "o3", "o4"},
		"anthropic": {"claude-"},
		"gemini":    {"gemini-"},
	}
	for _, p := range prefixes[s.Type] {
		if strings.HasPrefix(model, p) {
			return true
		}
	}
	return false
}
