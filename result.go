package llmspell

import (
	"bytes"
	"encoding/json"
	"math"
	"time"

	"github.com/llmspell/llmspell/internal/gate"
)

// Result is what an execution gave. With an error it still holds output, usage
// and duration.
type Result struct {
	Value           json.RawMessage // the returned value as JSON; null if none, an array if several
	ValueError      string          // why Value is null although something was returned
	Text            string          // the value as tostring; tables as JSON; "" for none
	Output          string          // captured stdout, at most 1 MiB
	OutputTruncated bool
	SessionID       string
	RunID           string
	Usage           Usage
	Duration        time.Duration
	ExitCode        *int // os.exit was called
}

// String returns the result text.
func (r Result) String() string { return r.Text }

// Usage is what an execution consumed.
type Usage struct {
	PromptTokens     int64    `json:"prompt_tokens"`
	CompletionTokens int64    `json:"completion_tokens"`
	CachedTokens     int64    `json:"cached_tokens"`
	CostUSD          *float64 `json:"cost_usd"`
	LLMCalls         int64    `json:"llm_calls"`
	ToolCalls        int64    `json:"tool_calls"`
	Instructions     int64    `json:"instructions"`
	PeakMemoryBytes  int64    `json:"peak_memory_bytes"`
}

// usageOf reads the counters of a run's effects.
func usageOf(u *gate.Usage) Usage {
	out := Usage{
		PromptTokens: u.PromptTokens.Load(), CompletionTokens: u.CompletionTokens.Load(), CachedTokens: u.CachedTokens.Load(),
		LLMCalls: u.LLMCalls.Load(), ToolCalls: u.ToolCalls.Load(),
	}
	if u.CostKnown.Load() {
		out.CostUSD = new(float64(u.CostNanoUSD.Load()) / 1e9)
	}
	return out
}

// MarshalJSON gives the body of POST /execute (kernel contract 5.3).
func (r Result) MarshalJSON() ([]byte, error) {
	body := struct {
		Result          string          `json:"result"`
		Value           json.RawMessage `json:"value"`
		ValueError      string          `json:"value_error,omitempty"`
		Output          string          `json:"output"`
		OutputTruncated bool            `json:"output_truncated,omitempty"`
		ExitCode        *int            `json:"exit_code,omitempty"`
		SessionID       *string         `json:"session_id"`
		RunID           string          `json:"run_id"`
		Usage           Usage           `json:"usage"`
		DurationMS      float64         `json:"duration_ms"`
	}{
		r.Text, r.Value, r.ValueError, r.Output, r.OutputTruncated, r.ExitCode, nil, r.RunID, r.Usage,
		math.Round(r.Duration.Seconds()*1e6) / 1e3,
	}
	if r.SessionID != "" {
		body.SessionID = &r.SessionID
	}
	return marshal(body)
}

// marshal is json.Marshal without escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
