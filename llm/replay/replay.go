// Package replay records model calls to a file and answers from it, so that a
// script that needs a model runs without one. The file is JSON Lines: a header,
// then one line per call.
//
//	rec, err := replay.Create("tour.replay.jsonl", replay.Params{})
//	provider = rec.Wrap("openai", provider) // calls are appended as they end
//	...
//	err = rec.Close()
//
//	player, err := replay.Open("tour.replay.jsonl") // an llm.Provider
package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
)

const (
	formatVersion = 1
	// MaxLine bounds one line of a recording, in bytes.
	MaxLine = 16 << 20
	// maxCalls bounds the calls of a recording.
	maxCalls = 100_000
)

// Info describes a recording.
type Info struct {
	Recorded time.Time // when it was begun
	Provider string    // of the first call
	Model    string    // of the first call
	Calls    int
}

type header struct {
	Format   int       `json:"llmspell_replay"`
	Recorded time.Time `json:"recorded"`
	Provider string    `json:"provider"`
	Model    string    `json:"model"`
}

// record is one call. Stopped says that the consumer left before the end.
type record struct {
	Hash    string      `json:"hash"`
	Request llm.Request `json:"request"`
	Chunks  []llm.Chunk `json:"chunks"`
	Error   *failure    `json:"error,omitempty"`
	Stopped bool        `json:"stopped,omitempty"`
}

type failure struct {
	Code         fault.Code     `json:"code"`
	Message      string         `json:"message"`
	Hint         string         `json:"hint,omitempty"`
	Details      map[string]any `json:"details,omitempty"`
	Retryable    bool           `json:"retryable,omitempty"`
	RetryAfterMS int64          `json:"retry_after_ms,omitempty"`
}

func failureOf(err error) *failure {
	f := faultOf(err)
	return &failure{
		Code: f.Code, Message: f.Message, Hint: f.Hint, Details: f.Details,
		Retryable: f.Retryable, RetryAfterMS: f.RetryAfterMS,
	}
}

func (f *failure) err() error {
	return &fault.Error{
		Code: f.Code, Message: f.Message, Hint: f.Hint, Details: f.Details,
		Retryable: f.Retryable, RetryAfterMS: f.RetryAfterMS,
	}
}

// check refuses a record that a provider could not have produced.
func (r *record) check() error {
	for i, c := range r.Chunks {
		last := i == len(r.Chunks)-1
		switch c.Kind {
		case llm.ChunkText:
		case llm.ChunkToolCall:
			if c.ToolCall == nil || c.ToolCall.Name == "" || len(c.ToolCall.Arguments) == 0 {
				return fmt.Errorf("chunk %d is an incomplete tool call", i+1)
			}
		case llm.ChunkDone:
			if !last {
				return fmt.Errorf("chunk %d is %q but not the last", i+1, c.Kind)
			}
		default:
			return fmt.Errorf("chunk %d has unknown kind %q", i+1, c.Kind)
		}
	}
	complete := len(r.Chunks) > 0 && r.Chunks[len(r.Chunks)-1].Kind == llm.ChunkDone
	if complete == (r.Error != nil || r.Stopped) {
		return fmt.Errorf("a call ends with a %q chunk, an error or stopped=true, and one of them only", llm.ChunkDone)
	}
	return nil
}

// hash identifies a request by what decides its answer: instructions, messages,
// schema and the names of the tools. Model, sampling and the wording of tool
// descriptions do not count, so that a recording survives their change.
func hash(r llm.Request) string {
	tools := make([]string, 0, len(r.Tools))
	for _, t := range r.Tools {
		tools = append(tools, t.Name)
	}
	h := sha256.New()
	// Encoding these types cannot fail but for arguments that are no JSON, which
	// the contract of llm.ToolCall excludes; such a request matches nothing.
	_ = json.NewEncoder(h).Encode([]any{r.System, r.Messages, tools, r.ToolChoice, schemaText(r.Schema)})
	return hex.EncodeToString(h.Sum(nil))
}

func schemaText(raw json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return string(raw)
	}
	return out.String()
}
