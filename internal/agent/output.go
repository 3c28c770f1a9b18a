package agent

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/script"
)

// Input is one question to an agent. The fields after Timeout replace the
// agent's own for this call.
type Input struct {
	Text        string
	Instruction string         // put in front of the text
	Parameters  map[string]any // told to the model beside the text
	Context     map[string]any // told to the model in the system message
	Timeout     time.Duration  // 0 = the agent's

	Temperature  *float64
	MaxTokens    int
	Stop         []string
	Seed         *int64
	Schema       json.RawMessage
	ToolChoice   string
	AllowedTools []string // nil = the agent's; never more than those
}

// Reasons why an execution ended.
const (
	FinishStop      = "stop"
	FinishLength    = "length"
	FinishToolLimit = "tool_limit"
	FinishRepeated  = "repeated_call"
	FinishFilter    = "content_filter"
	FinishCancelled = "cancelled"
)

// Output is an agent's answer.
type Output struct {
	Text       string
	Data       any // decoded value of a reply that is JSON; nil otherwise
	ToolCalls  []ToolRecord
	Usage      Usage
	Iterations int
	Truncated  bool
	Finish     string

	Agent, Provider, Model string
	Duration               time.Duration
	RequestID              string // of the last model call
	Attempts               int    // model requests sent, retries included
}

// ToolRecord is one tool call of an execution.
type ToolRecord struct {
	ID        string
	Name      string
	Arguments any             // map[string]any, or the text that was no object
	Result    *toolbox.Output // nil when the call failed
	Err       error
	Duration  time.Duration
}

// EventType tells what an Event carries.
type EventType string

// The events of a streamed execution.
const (
	EventText       EventType = "text"
	EventToolCall   EventType = "tool_call"
	EventToolResult EventType = "tool_result"
	EventDone       EventType = "done"
)

// Event is a piece of a streamed execution.
type Event struct {
	Type  EventType
	Index int // from 1
	Text  string
	Tool  *ToolRecord
	Usage *Usage // of EventDone
}

// Listener takes the events of an execution. It returns false to stop, which
// makes the output so far the result, or an error, which fails the execution.
type Listener func(Event) (bool, error)

// jsonData decodes a reply whose whole text, or only fenced block, is a JSON
// object or array.
func jsonData(text string) (any, bool) {
	text = strings.TrimSpace(text)
	if v, ok := decodeContainer(text); ok {
		return v, true
	}
	if block, ok := onlyFence(text); ok {
		return decodeContainer(block)
	}
	return nil, false
}

func decodeContainer(text string) (any, bool) {
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return nil, false
	}
	return decodeJSON(text)
}

// onlyFence returns the content of the only fenced block of text.
func onlyFence(text string) (string, bool) {
	parts := strings.Split(text, "```")
	if len(parts) != 3 {
		return "", false
	}
	block := parts[1]
	if first, rest, ok := strings.Cut(block, "\n"); ok && !strings.ContainsAny(first, "{[") {
		block = rest // the fence's language
	}
	return strings.TrimSpace(block), true
}

// decodeJSON decodes to script values: int64, float64, string, bool, []any with
// script.Null for null, map[string]any without null members.
func decodeJSON(text string) (any, bool) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.More() {
		return nil, false
	}
	if _, err := dec.Token(); err == nil {
		return nil, false
	}
	return scriptValue(v), true
}

func scriptValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // out of range gives an infinity, as reading it in Lua does
		return f
	case []any:
		for i := range v {
			if v[i] == nil {
				v[i] = script.Null{}
				continue
			}
			v[i] = scriptValue(v[i])
		}
	case map[string]any:
		for k, member := range v {
			if member == nil {
				delete(v, k)
				continue
			}
			v[k] = scriptValue(member)
		}
	}
	return v
}

func finishOf(f llm.Finish) string {
	switch f {
	case llm.FinishLength:
		return FinishLength
	case llm.FinishFilter:
		return FinishFilter
	}
	return FinishStop
}
