package agent

import (
	"context"
	"slices"
	"time"

	"github.com/llmspell/llmspell/llm"
)

// Turn is one message of a conversation and when it was made.
type Turn struct {
	llm.Message
	Time time.Time
}

// History returns the conversation so far.
func (a *Agent) History() []Turn {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.history)
}

// ClearHistory forgets the conversation.
func (a *Agent) ClearHistory() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history = nil
}

// SetHistory replaces the conversation. Errors: fault.InvalidArgument unless it
// begins with a user message and every tool call is followed by its results.
func (a *Agent) SetHistory(ctx context.Context, messages []llm.Message) error {
	at := now(ctx)
	turns := make([]Turn, len(messages))
	for i, m := range messages {
		turns[i] = Turn{Message: m, Time: at}
	}
	return a.RestoreHistory(turns)
}

// RestoreHistory is SetHistory with the times of the messages.
func (a *Agent) RestoreHistory(turns []Turn) error {
	if err := checkHistory(turns); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.history = a.trim(turns, a.spec.MaxConversation)
	return nil
}

func checkHistory(messages []Turn) error {
	open := map[string]bool{} // calls without a result yet
	for i, m := range messages {
		if len(open) > 0 && m.Role != llm.ToolRole {
			return invalid("history[%d]: a tool call before it has no result", i+1)
		}
		switch m.Role {
		case llm.User:
		case llm.Assistant:
			for _, c := range m.ToolCalls {
				if c.ID == "" || c.Name == "" {
					return invalid("history[%d]: a tool call needs id and name", i+1)
				}
				open[c.ID] = true
			}
		case llm.ToolRole:
			if !open[m.ToolCallID] {
				return invalid("history[%d]: tool result %q answers no call before it", i+1, m.ToolCallID)
			}
			delete(open, m.ToolCallID)
		default:
			return invalid("history[%d]: role must be user, assistant or tool, got %q", i+1, m.Role)
		}
	}
	if len(open) > 0 {
		return invalid("history: the last tool call has no result")
	}
	if len(messages) > 0 && messages[0].Role != llm.User {
		return invalid("history[1]: a conversation begins with a user message")
	}
	return nil
}

// remember appends a finished exchange.
func (a *Agent) remember(ctx context.Context, messages []llm.Message) {
	at := now(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range messages {
		a.history = append(a.history, Turn{Message: m, Time: at})
	}
	a.history = a.trim(a.history, a.spec.MaxConversation)
}

// trim drops the oldest exchanges, each from a user message to the next, until at
// most n messages within the memory limit are left. The newest one stays whole.
func (a *Agent) trim(history []Turn, n int) []Turn {
	limit := int64(a.spec.MaxMemoryMB) << 20
	for len(history) > n || size(history) > limit {
		next := 1
		for next < len(history) && history[next].Role != llm.User {
			next++
		}
		if next >= len(history) {
			break
		}
		history = history[next:]
	}
	return slices.Clip(history)
}

func size(history []Turn) int64 {
	var n int64
	for _, t := range history {
		n += int64(len(t.Content) + len(t.ToolCallID))
		for _, c := range t.ToolCalls {
			n += int64(len(c.ID) + len(c.Name) + len(c.Arguments))
		}
	}
	return n
}

// conversation is what goes to the model before this turn's messages.
func (a *Agent) conversation() []llm.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.trim(a.history, max(1, a.spec.MaxConversation-1))
	out := make([]llm.Message, 0, len(kept)+1)
	for _, t := range kept {
		out = append(out, t.Message)
	}
	return out
}
