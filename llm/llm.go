// Package llm is the contract between llmspell and language models: providers,
// requests, streamed replies, tools as models see them, usage and errors.
// Adapters live beside it (llm/openai, llm/anthropic) and pass the conformance
// suite of llm/llmtest.
package llm

import (
	"context"
	"encoding/json"
	"iter"
)

// Provider gives access to the models of one vendor or server. Implementations
// are safe for concurrent use, keep no conversation, do not retry, and never
// put credentials into errors.
type Provider interface {
	// Stream sends one request and yields the reply as it comes. The last chunk
	// is a ChunkDone with finish reason and usage; an error ends the sequence.
	// Leaving the loop cancels the request. Errors are *fault.Error.
	Stream(ctx context.Context, r Request) iter.Seq2[Chunk, error]
}

// ModelLister is implemented by providers that can name their models.
type ModelLister interface {
	Models(ctx context.Context) ([]ModelInfo, error)
}

// Embedder is implemented by providers with embedding models. One vector per text.
type Embedder interface {
	Embed(ctx context.Context, model string, texts []string) (Embeddings, error)
}

// Embeddings is the answer of an Embedder.
type Embeddings struct {
	Model   string      `json:"model"`
	Vectors [][]float32 `json:"vectors"`
	Usage   Usage       `json:"usage"`
}

// ModelInfo describes a model; zero fields are unknown.
type ModelInfo struct {
	ID            string `json:"id"`
	ContextTokens int    `json:"context_tokens,omitempty"`
}

// DefaultModel names no model: a server of one's own answers with the first one
// it lists.
const DefaultModel = "default"

// Request is one model call. It is a value: adapters never modify it.
type Request struct {
	Model       string          `json:"model"`
	System      string          `json:"system,omitempty"`
	Messages    []Message       `json:"messages"`
	Tools       []ToolSpec      `json:"tools,omitempty"`
	ToolChoice  string          `json:"tool_choice,omitempty"` // "auto" (default), "none", "required" or a tool name
	MaxTokens   int             `json:"max_tokens,omitempty"`  // 0 = the provider's default
	Temperature *float64        `json:"temperature,omitempty"`
	TopP        *float64        `json:"top_p,omitempty"`
	Stop        []string        `json:"stop,omitempty"`
	Seed        *int64          `json:"seed,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`  // JSON Schema the reply must match
	Options     map[string]any  `json:"options,omitempty"` // passed to the provider unread
}

// Role is who a message is from.
type Role string

const (
	User      Role = "user"
	Assistant Role = "assistant"
	ToolRole  Role = "tool" // the result of one tool call
)

// Message is one turn of a conversation.
type Message struct {
	Role       Role       `json:"role"`
	Content    string     `json:"content"`
	ToolCalls  []ToolCall `json:"tool_calls,omitempty"`   // of an assistant message
	ToolCallID string     `json:"tool_call_id,omitempty"` // of a tool message
	IsError    bool       `json:"is_error,omitempty"`     // of a tool message
}

// ToolCall is a model's wish to call a tool. Arguments is a JSON object, or a
// JSON string holding what the model sent when that was no object.
type ToolCall struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// ToolSpec is a tool as a model sees it. Parameters is a JSON Schema of type object.
type ToolSpec struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

// ChunkKind tells what a Chunk carries.
type ChunkKind string

const (
	ChunkText     ChunkKind = "text"      // Text is the next piece of the reply
	ChunkToolCall ChunkKind = "tool_call" // ToolCall is complete
	ChunkDone     ChunkKind = "done"      // Finish, Usage, Model, RequestID
)

// Chunk is one piece of a streamed reply.
type Chunk struct {
	Kind      ChunkKind `json:"kind"`
	Text      string    `json:"text,omitempty"`
	ToolCall  *ToolCall `json:"tool_call,omitempty"`
	Finish    Finish    `json:"finish,omitempty"`
	Usage     Usage     `json:"usage,omitzero"`
	Model     string    `json:"model,omitempty"` // as the provider named it
	RequestID string    `json:"request_id,omitempty"`
}

// Finish is why a reply ended.
type Finish string

const (
	FinishStop   Finish = "stop"
	FinishLength Finish = "length"
	FinishTools  Finish = "tool_calls"
	FinishFilter Finish = "content_filter"
)

// Usage counts tokens. PromptTokens includes CachedTokens. CostUSD is nil when
// no price is known.
type Usage struct {
	PromptTokens     int64    `json:"prompt_tokens"`
	CompletionTokens int64    `json:"completion_tokens"`
	CachedTokens     int64    `json:"cached_tokens"`
	CostUSD          *float64 `json:"cost_usd,omitempty"`
}

// Add returns the sum of u and v.
func (u Usage) Add(v Usage) Usage {
	u.PromptTokens += v.PromptTokens
	u.CompletionTokens += v.CompletionTokens
	u.CachedTokens += v.CachedTokens
	switch {
	case v.CostUSD == nil:
	case u.CostUSD == nil:
		u.CostUSD = v.CostUSD
	default:
		sum := *u.CostUSD + *v.CostUSD
		u.CostUSD = &sum
	}
	return u
}

// Response is a whole reply.
type Response struct {
	Text      string     `json:"text"`
	ToolCalls []ToolCall `json:"tool_calls,omitempty"`
	Finish    Finish     `json:"finish"`
	Usage     Usage      `json:"usage"`
	Model     string     `json:"model,omitempty"`
	RequestID string     `json:"request_id,omitempty"`
}

// Collect reads a stream to its end.
func Collect(stream iter.Seq2[Chunk, error]) (Response, error) {
	var r Response
	for c, err := range stream {
		if err != nil {
			return r, err
		}
		r.Add(c)
	}
	return r, nil
}

// Add appends a chunk to r.
func (r *Response) Add(c Chunk) {
	switch c.Kind {
	case ChunkText:
		r.Text += c.Text
	case ChunkToolCall:
		r.ToolCalls = append(r.ToolCalls, *c.ToolCall)
	case ChunkDone:
		r.Finish, r.Usage, r.Model, r.RequestID = c.Finish, c.Usage, c.Model, c.RequestID
	}
}
