package luamod

import (
	"encoding/json"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// agentOutput is an AgentOutput of the scripting contract.
func agentOutput(o agent.Output) script.Record {
	calls := make([]any, 0, len(o.ToolCalls))
	for i := range o.ToolCalls {
		calls = append(calls, toolRecord(&o.ToolCalls[i]))
	}
	metadata := map[string]any{
		"agent": o.Agent, "execution_time_ms": o.Duration.Milliseconds(),
		"token_count": o.Usage.PromptTokens + o.Usage.CompletionTokens, "attempts": int64(o.Attempts),
	}
	for key, v := range map[string]string{"provider": o.Provider, "model": o.Model, "request_id": o.RequestID} {
		if v != "" {
			metadata[key] = v
		}
	}
	return script.Record{Text: o.Text, Fields: map[string]any{
		"text": o.Text, "data": o.Data, "tool_calls": calls, "media": []any{}, "usage": usageTable(o.Usage),
		"iterations": int64(o.Iterations), "truncated": o.Truncated, "finish_reason": o.Finish, "metadata": metadata,
	}}
}

func toolRecord(r *agent.ToolRecord) map[string]any {
	m := map[string]any{
		"id": r.ID, "name": r.Name, "arguments": r.Arguments,
		"duration_ms": r.Duration.Milliseconds(),
	}
	if r.Result != nil {
		m["result"] = r.Result.Table()
	}
	if r.Err != nil {
		m["error"] = r.Err.Error()
	}
	return m
}

func usageTable(u agent.Usage) map[string]any {
	m := map[string]any{
		"prompt_tokens": u.PromptTokens, "completion_tokens": u.CompletionTokens,
		"total_tokens": u.PromptTokens + u.CompletionTokens, "cached_tokens": u.CachedTokens,
		"llm_calls": u.LLMCalls, "tool_calls": u.ToolCalls,
	}
	if u.CostUSD != nil {
		m["cost_usd"] = *u.CostUSD
	}
	return m
}

func chunkTable(e agent.Event) map[string]any {
	m := map[string]any{"type": string(e.Type), "index": int64(e.Index)}
	if e.Type == agent.EventText {
		m["text"] = e.Text
	}
	if e.Tool != nil {
		m["tool"] = toolRecord(e.Tool)
	}
	if e.Usage != nil {
		m["usage"] = usageTable(*e.Usage)
	}
	return m
}

func historyTable(turns []agent.Turn) []any {
	out := make([]any, 0, len(turns))
	for _, t := range turns {
		m := map[string]any{"role": string(t.Role), "content": t.Content, "timestamp": t.Time}
		if t.ToolCallID != "" {
			m["tool_call_id"] = t.ToolCallID
		}
		if t.IsError {
			m["is_error"] = true
		}
		if len(t.ToolCalls) > 0 {
			calls := make([]any, 0, len(t.ToolCalls))
			for _, c := range t.ToolCalls {
				calls = append(calls, map[string]any{"id": c.ID, "name": c.Name, "arguments": c.Arguments})
			}
			m["tool_calls"] = calls
		}
		out = append(out, m)
	}
	return out
}

// messageFields are the fields of a message of set_history.
func messageFields() []script.Param {
	return []script.Param{
		{Name: "role", Type: script.TypeString, Required: true, Enum: []string{"user", "assistant", "tool"}},
		{Name: "content", Type: script.TypeString},
		{Name: "tool_call_id", Type: script.TypeString, Doc: "Of a tool message: the call it answers."},
		{Name: "is_error", Type: script.TypeBoolean},
		{Name: "timestamp", Type: script.TypeString, Doc: "As history gives it; not kept."},
		{Name: "tool_calls", Type: script.TypeArray, Elem: script.TypeOptions, Fields: []script.Param{
			{Name: "id", Type: script.TypeString, Required: true},
			{Name: "name", Type: script.TypeString, Required: true},
			{Name: "arguments", Type: script.TypeTable},
		}},
	}
}

func messages(list []any) ([]llm.Message, error) {
	out := make([]llm.Message, 0, len(list))
	for _, v := range list {
		m, _ := v.(map[string]any)
		f := fieldSet(m)
		message := llm.Message{
			Role: llm.Role(f.text("role")), Content: f.text("content"),
			ToolCallID: f.text("tool_call_id"), IsError: f.flag("is_error"),
		}
		calls, _ := f["tool_calls"].([]any)
		for _, c := range calls {
			call, _ := c.(map[string]any)
			g := fieldSet(call)
			arguments, err := g.document("arguments")
			if err != nil {
				return nil, err
			}
			if arguments == nil || string(arguments) == "[]" {
				arguments = json.RawMessage("{}")
			}
			message.ToolCalls = append(message.ToolCalls, llm.ToolCall{ID: g.text("id"), Name: g.text("name"), Arguments: arguments})
		}
		out = append(out, message)
	}
	return out, nil
}

// configTable shows a definition with its secrets hidden.
func configTable(a *agent.Agent) map[string]any {
	s := a.Spec()
	p, model := a.Target()
	m := map[string]any{
		"name": a.Name(), "type": s.Type, "provider": p, "model": model,
		"allowed_tools": textList(s.AllowedTools), "tool_choice": s.ToolChoice, "strict": s.Strict,
		"max_conversation_length": int64(s.MaxConversation), "max_execution_time": s.MaxExecutionTime.Seconds(),
		"max_memory_mb": int64(s.MaxMemoryMB), "max_iterations": int64(s.MaxIterations),
		"max_tool_calls": int64(s.MaxToolCalls), "max_recursion_depth": int64(s.MaxRecursionDepth),
	}
	for key, v := range map[string]string{"description": s.Description, "system_prompt": s.SystemPrompt, "base_url": s.BaseURL} {
		if v != "" {
			m[key] = v
		}
	}
	if s.APIKey != "" {
		m["api_key"] = "[redacted]"
	}
	if len(s.Schema) > 0 {
		m["schema"] = s.Schema
	}
	if s.MaxTokens > 0 {
		m["max_tokens"] = int64(s.MaxTokens)
	}
	if s.Retries != nil {
		m["retries"] = int64(*s.Retries)
	}
	if len(s.Fallbacks) > 0 {
		m["fallbacks"] = textList(s.Fallbacks)
	}
	if len(s.Stop) > 0 {
		m["stop"] = textList(s.Stop)
	}
	for key, n := range map[string]*float64{"temperature": s.Temperature, "top_p": s.TopP} {
		if n != nil {
			m[key] = *n
		}
	}
	if s.Seed != nil {
		m["seed"] = *s.Seed
	}
	return m
}

func textList(list []string) []any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s)
	}
	return out
}

func listEntry(a *agent.Agent) map[string]any {
	p, model := a.Target()
	return map[string]any{
		"name": a.Name(), "type": a.Spec().Type, "provider": p, "model": model,
		"state": string(a.State()), "description": a.Spec().Description,
	}
}

func stateHistory(changes []agent.Change) []any {
	out := make([]any, 0, len(changes))
	for _, c := range changes {
		m := map[string]any{"from": string(c.From), "to": string(c.To), "timestamp": c.Time}
		if c.Reason != "" {
			m["reason"] = c.Reason
		}
		out = append(out, m)
	}
	return out
}

func metricsTable(a *agent.Agent) map[string]any {
	m := a.Metrics()
	out := map[string]any{
		"agent_id": a.Name(), "requests_total": m.Total, "requests_failed": m.Failed, "requests_active": m.Active,
		"tool_invocations": m.ToolCalls, "tokens_total": m.Usage.PromptTokens + m.Usage.CompletionTokens,
		"history_bytes": m.HistoryBytes,
	}
	if m.Usage.CostUSD != nil {
		out["cost_usd"] = *m.Usage.CostUSD
	}
	return out
}

func performanceTable(a *agent.Agent) map[string]any {
	m := a.Metrics()
	done := m.Total - m.Active
	success := 1.0
	if done > 0 {
		success = float64(done-m.Failed) / float64(done)
	}
	return map[string]any{
		"total_executions": done, "success_rate": success, "error_rate": 1 - success,
		"avg_execution_time_ms": float64(m.Average) / float64(time.Millisecond),
		"p95_ms":                float64(m.P95) / float64(time.Millisecond),
	}
}

func healthTable(a *agent.Agent, at time.Time) map[string]any {
	m := map[string]any{"status": "healthy", "timestamp": at}
	if !a.Healthy() {
		m["status"] = "unhealthy"
	} else if a.LastError() != nil {
		m["status"] = "degraded"
	}
	if err := a.LastError(); err != nil {
		m["message"] = err.Error()
	}
	return m
}

func toolMetadata(s tool.Spec) map[string]any {
	return map[string]any{"name": s.Name, "description": s.Description, "version": s.Version, "schema": s.JSONSchema()}
}

func hierarchy(a *agent.Agent) map[string]any {
	m := map[string]any{"name": a.Name()}
	if s := a.Strategy(); s != "" {
		m["strategy"] = string(s)
	}
	children := []any{}
	for _, child := range a.Members() {
		children = append(children, hierarchy(child))
	}
	m["children"] = children
	return m
}

func capabilitiesTable(c provider.Capabilities) map[string]any {
	m := map[string]any{
		"supports_streaming": c.Streaming, "supports_tools": c.Tools, "supports_multimodal": c.Multimodal,
		"supports_json_schema": c.JSONSchema, "available_models": textList(c.Models),
	}
	if c.MaxContextTokens > 0 {
		m["max_context_tokens"] = int64(c.MaxContextTokens)
	}
	return m
}

func agentNotFound(name string) error {
	return fault.Errorf(fault.NotFound, "there is no agent named %q in this session", name).WithHint("Agent.list_instances() names the agents")
}
