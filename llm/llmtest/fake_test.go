package llmtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/llm/llmtest"
)

func user(text string) llm.Message { return llm.Message{Role: llm.User, Content: text} }

func TestFake(t *testing.T) {
	t.Parallel()
	result := llm.Message{Role: llm.ToolRole, Content: "42"}
	tests := []struct {
		model    string
		messages []llm.Message
		text     string
		call     string
		finish   llm.Finish
		code     fault.Code
	}{
		{model: "echo", messages: []llm.Message{user("a"), {Role: llm.Assistant, Content: "b"}}, text: "echo: a", finish: llm.FinishStop},
		{model: "count", messages: []llm.Message{user("a"), result, {Role: llm.Assistant}, user("b")}, text: "messages=3", finish: llm.FinishStop},
		{model: "tools", messages: []llm.Message{user("a")}, call: `{"input":"6*7"}`, finish: llm.FinishTools},
		{model: "tools", messages: []llm.Message{user("a"), result}, text: "got 42", finish: llm.FinishStop},
		{model: "tools", messages: []llm.Message{{Role: llm.ToolRole, Content: `{"text":"7"}`}}, text: "got 7", finish: llm.FinishStop},
		{model: "loop", messages: []llm.Message{user("a"), result, result}, call: `{"input":"1+3"}`, finish: llm.FinishTools},
		{model: "json", messages: []llm.Message{user("a")}, text: `{"n":1}`, finish: llm.FinishStop},
		{model: "stream", messages: []llm.Message{user("a")}, text: "abc", finish: llm.FinishStop},
		{model: "down", messages: []llm.Message{user("a")}, code: fault.ProviderFailed},
		{model: "nope", messages: []llm.Message{user("a")}, code: fault.ModelNotFound},
	}
	for _, tt := range tests {
		r, err := llm.Collect(llmtest.Fake().Stream(t.Context(), llm.Request{Model: tt.model, Messages: tt.messages}))
		if tt.code != "" {
			if fault.CodeOf(err) != tt.code {
				t.Errorf("%s: error %v, want %s", tt.model, err, tt.code)
			}
			continue
		}
		if err != nil || r.Text != tt.text || r.Finish != tt.finish {
			t.Errorf("%s: %+v, %v", tt.model, r, err)
		}
		if tt.call != "" && (len(r.ToolCalls) != 1 || string(r.ToolCalls[0].Arguments) != tt.call) {
			t.Errorf("%s: calls %+v, want %s", tt.model, r.ToolCalls, tt.call)
		}
		if r.Usage.PromptTokens != 10 || r.Usage.CompletionTokens != 5 || *r.Usage.CostUSD != 0.015 {
			t.Errorf("%s: usage %+v", tt.model, r.Usage)
		}
	}
}

func TestFakeSlow(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := llm.Collect(llmtest.Fake().Stream(ctx, llm.Request{Model: "slow"}))
	if fault.CodeOf(err) != fault.Timeout || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
