package luamod

import (
	"context"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/script"
)

func self(a script.Args) *agent.Agent { return a.Self.(*agent.Agent) }

// inline makes the Call of a method that answers at once.
func inline(f func(*agent.Agent) any) func(context.Context, script.Args) ([]any, error) {
	return func(_ context.Context, a script.Args) ([]any, error) { return []any{f(self(a))}, nil }
}

func (m *agentModule) historyRows() []script.Func {
	return []script.Func{
		{
			Name: "history", Doc: "The conversation so far.",
			Returns: []script.Return{{Type: script.TypeArray, Doc: "messages {role, content, tool_calls?, tool_call_id?, timestamp}"}},
			Call:    inline(func(a *agent.Agent) any { return historyTable(a.History()) }),
		},
		{
			Name: "clear_history", Doc: "Forgets the conversation.",
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				self(a).ClearHistory()
				return nil, nil
			},
		},
		{
			Name: "set_history", Doc: "Replaces the conversation; every tool call must be followed by its result.",
			Params: []script.Param{{Name: "messages", Type: script.TypeArray, Elem: script.TypeOptions, Fields: messageFields(), Required: true}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				list, err := messages(a.List(0))
				if err != nil {
					return nil, err
				}
				return nil, self(a).SetHistory(ctx, list)
			},
		},
		{
			Name: "fork", Doc: "An agent with the same definition and history.", Blocking: true,
			Params: []script.Param{{Name: "name", Type: script.TypeString}}, Returns: agentReturn(),
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				forked, err := self(a).Fork(ctx, a.String(0))
				if err != nil {
					return nil, err
				}
				return []any{m.handle(forked)}, nil
			},
		},
		{
			Name: "usage", Doc: "Tokens, calls and cost of all executions.",
			Returns: []script.Return{{Type: script.TypeTable}},
			Call:    inline(func(a *agent.Agent) any { return usageTable(a.Usage()) }),
		},
	}
}

func (m *agentModule) toolRows() []script.Func {
	name := []script.Param{{Name: "name", Type: script.TypeString, Required: true}}
	return []script.Func{
		{
			Name: "invokeTool", Aliases: []string{"invoke_tool"}, Doc: "Runs a tool that the agent may use.", Blocking: true,
			Params:  append(nameParam(), script.Param{Name: "params", Type: script.TypeTable, Default: map[string]any{}}),
			Returns: []script.Return{{Type: script.TypeTable, Doc: "ToolOutput"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				out, err := self(a).InvokeTool(ctx, a.String(0), a.Map(1))
				if err != nil {
					return nil, err
				}
				return []any{script.Record{Fields: out.Table(), Text: out.Text}}, nil
			},
		},
		{
			Name: "discover_tools", Doc: "The names of the tools the agent may use.",
			Returns: []script.Return{{Type: script.TypeArray}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				out := []any{}
				for _, s := range self(a).Tools(ctx) {
					out = append(out, s.Name)
				}
				return []any{out}, nil
			},
		},
		{
			Name: "has_tool", Doc: "Whether the agent may use a tool.", Params: name,
			Returns: []script.Return{{Type: script.TypeBoolean}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return []any{toolOf(ctx, self(a), a.String(0)) != nil}, nil
			},
		},
		{
			Name: "get_tool_metadata", Doc: "Description and schema of a tool the agent may use, else nil.", Params: name,
			Returns: []script.Return{{Type: script.TypeTable, Optional: true, Doc: "{name, description, version, schema}"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return []any{toolOf(ctx, self(a), a.String(0))}, nil
			},
		},
		{
			Name: "get_all_tool_metadata", Doc: "Description and schema of every tool the agent may use, by name.",
			Returns: []script.Return{{Type: script.TypeTable}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				out := map[string]any{}
				for _, s := range self(a).Tools(ctx) {
					out[s.Name] = toolMetadata(s)
				}
				return []any{out}, nil
			},
		},
	}
}

func toolOf(ctx context.Context, a *agent.Agent, name string) any {
	for _, s := range a.Tools(ctx) {
		if s.Name == strings.ReplaceAll(name, "_", "-") {
			return toolMetadata(s)
		}
	}
	return nil
}

func (m *agentModule) lifeRows() []script.Func {
	table := []script.Return{{Type: script.TypeTable}}
	rows := []script.Func{
		{Name: "get_config", Doc: "The definition, secrets hidden.", Returns: table, Call: inline(func(a *agent.Agent) any { return configTable(a) })},
		{Name: "get_state", Doc: "Ready, Running, Paused, Stopped, Error or Terminated.", Returns: []script.Return{{Type: script.TypeString}},
			Call: inline(func(a *agent.Agent) any { return string(a.State()) })},
		{Name: "is_healthy", Doc: "Whether the agent can work.", Returns: []script.Return{{Type: script.TypeBoolean}},
			Call: inline(func(a *agent.Agent) any { return a.Healthy() })},
		{Name: "get_last_error", Doc: "Why the last execution failed, nil if it did not.", Returns: []script.Return{{Type: script.TypeAny, Optional: true}},
			Call: inline(func(a *agent.Agent) any {
				if err := a.LastError(); err != nil {
					return err
				}
				return nil
			})},
		{Name: "get_state_history", Doc: "The changes of state, oldest first.", Returns: []script.Return{{Type: script.TypeArray, Doc: "entries {from, to, timestamp, reason?}"}},
			Call: inline(func(a *agent.Agent) any { return stateHistory(a.Changes()) })},
		{Name: "get_metrics", Doc: "Counters of the agent.", Returns: table, Call: inline(func(a *agent.Agent) any { return metricsTable(a) })},
		{Name: "get_performance", Doc: "Times and rates of the executions.", Returns: table, Call: inline(func(a *agent.Agent) any { return performanceTable(a) })},
		{Name: "get_health", Doc: "Status healthy, degraded or unhealthy.", Returns: table,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return []any{healthTable(self(a), runTime(ctx))}, nil
			}},
		{Name: "initialize", Doc: "Checks credential and model with the provider.", Blocking: true, Call: m.initialize},
		{Name: "destroy", Doc: "Ends the agent and frees its name.",
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				self(a).Destroy()
				return nil, nil
			}},
	}
	moves := map[agent.Move]string{
		agent.Pause: "Ready to Paused.", agent.Resume: "Paused to Ready.", agent.Stop: "Ready or Paused to Stopped.",
		agent.Start: "Stopped to Ready.", agent.Recover: "Error to Ready.", agent.Terminate: "The same as destroy.",
	}
	for _, move := range []agent.Move{agent.Pause, agent.Resume, agent.Stop, agent.Start, agent.Recover, agent.Terminate} {
		rows = append(rows, script.Func{Name: string(move), Doc: moves[move],
			Call: func(ctx context.Context, a script.Args) ([]any, error) { return nil, self(a).Move(ctx, move, "") }})
	}
	return append(rows, script.Func{
		Name: string(agent.SetError), Doc: "Any state to Error.",
		Params: []script.Param{{Name: "message", Type: script.TypeString, Required: true}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return nil, self(a).Move(ctx, agent.SetError, a.String(0))
		},
	})
}

func runTime(ctx context.Context) time.Time {
	if run := gate.Of(ctx); run != nil && run.Now != nil {
		return run.Now()
	}
	return time.Now()
}

// initialize asks the provider for its models; a provider that cannot list them
// is taken at its word.
func (m *agentModule) initialize(ctx context.Context, a script.Args) ([]any, error) {
	name, model := self(a).Target()
	if name == "" {
		return nil, nil
	}
	models, err := m.Providers.Models(ctx, name)
	if err != nil {
		if fault.CodeOf(err) == fault.InvalidArgument {
			return nil, nil
		}
		return nil, err
	}
	for _, known := range models {
		if known.ID == model || strings.TrimSuffix(known.ID, ":latest") == model {
			return nil, nil
		}
	}
	return nil, fault.Errorf(fault.ModelNotFound, "provider %q does not offer the model %q", name, model).
		WithHint("Provider.models(%q) lists what it offers", name)
}
