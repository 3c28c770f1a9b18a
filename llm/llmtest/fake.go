package llmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
)

// Scripted is a provider without a model: each model name is a function.
// Safe for concurrent use if its functions are.
type Scripted struct {
	// Models maps a model's name to what it does. A Model yields text and tool
	// calls; the ChunkDone is added by Scripted.
	Models map[string]Model
	// Usage is what every call reports.
	Usage llm.Usage
}

// Model is a scripted model. A returned error ends the stream.
type Model func(ctx context.Context, r llm.Request, send func(llm.Chunk)) error

// Fake returns the provider of the scripting contract's conformance cases: the
// models echo, count, tools, loop, json, stream, down and slow. Each call costs
// 10 prompt and 5 completion tokens and 0.015 USD.
func Fake() *Scripted {
	return &Scripted{
		Usage: llm.Usage{PromptTokens: 10, CompletionTokens: 5, CostUSD: new(0.015)},
		Models: map[string]Model{
			"echo": echo, "count": count, "tools": tools, "loop": loop,
			"json": func(_ context.Context, _ llm.Request, send func(llm.Chunk)) error { text(send, `{"n":1}`); return nil },
			"stream": func(_ context.Context, _ llm.Request, send func(llm.Chunk)) error {
				text(send, "a", "b", "c")
				return nil
			},
			"down": down, "slow": slow,
		},
	}
}

// Stream implements [llm.Provider].
func (s *Scripted) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		model, ok := s.Models[r.Model]
		if !ok {
			yield(llm.Chunk{}, fault.Errorf(fault.ModelNotFound, "the scripted provider has no model %q", r.Model).WithDetail("model", r.Model))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		left, called := false, false
		err := model(ctx, r, func(c llm.Chunk) {
			if left {
				return
			}
			called = called || c.Kind == llm.ChunkToolCall
			if !yield(c, nil) {
				left = true
				cancel()
			}
		})
		switch {
		case left:
		case err != nil:
			yield(llm.Chunk{}, err)
		case ctx.Err() != nil:
			yield(llm.Chunk{}, cancelled(ctx))
		default:
			done := llm.Chunk{Kind: llm.ChunkDone, Finish: llm.FinishStop, Usage: s.Usage, Model: r.Model}
			if called {
				done.Finish = llm.FinishTools
			}
			yield(done, nil)
		}
	}
}

var _ llm.Provider = (*Scripted)(nil)

func text(send func(llm.Chunk), parts ...string) {
	for _, p := range parts {
		send(llm.Chunk{Kind: llm.ChunkText, Text: p})
	}
}

func echo(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
	text(send, "echo: "+lastUser(r))
	return nil
}

func lastUser(r llm.Request) string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == llm.User {
			return r.Messages[i].Content
		}
	}
	return ""
}

func count(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
	n := 0
	for _, m := range r.Messages {
		if m.Role == llm.User || m.Role == llm.Assistant {
			n++
		}
	}
	text(send, fmt.Sprintf("messages=%d", n))
	return nil
}

// tools asks for 6*7 and answers with the last result.
func tools(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
	if n := len(r.Messages); n > 0 && r.Messages[n-1].Role == llm.ToolRole {
		text(send, "got "+resultText(r.Messages[n-1].Content))
		return nil
	}
	calculate(send, "call_1", "6*7")
	return nil
}

// resultText takes the value out of a tool result: its text member when it is an
// object with one, else the content as it is.
func resultText(content string) string {
	var result struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal([]byte(content), &result) == nil && result.Text != nil {
		return *result.Text
	}
	return content
}

func loop(_ context.Context, r llm.Request, send func(llm.Chunk)) error {
	n := 1
	for _, m := range r.Messages {
		if m.Role == llm.ToolRole {
			n++
		}
	}
	calculate(send, fmt.Sprintf("call_%d", n), fmt.Sprintf("1+%d", n))
	return nil
}

func calculate(send func(llm.Chunk), id, input string) {
	args, _ := json.Marshal(map[string]string{"input": input}) // a map of strings marshals
	send(llm.Chunk{Kind: llm.ChunkToolCall, ToolCall: &llm.ToolCall{ID: id, Name: "calculator", Arguments: args}})
}

func down(_ context.Context, r llm.Request, _ func(llm.Chunk)) error {
	f := fault.Errorf(fault.ProviderFailed, "fake answered 503: down").WithDetail("status", int64(503)).WithDetail("model", r.Model)
	f.Retryable = true
	return f
}

func slow(ctx context.Context, _ llm.Request, _ func(llm.Chunk)) error {
	<-ctx.Done()
	return cancelled(ctx)
}

func cancelled(ctx context.Context) error {
	code := fault.Interrupted
	if ctx.Err() == context.DeadlineExceeded {
		code = fault.Timeout
	}
	return &fault.Error{Code: code, Message: "the scripted model was stopped: " + strings.TrimPrefix(ctx.Err().Error(), "context "), Cause: ctx.Err()}
}
