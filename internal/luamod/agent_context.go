package luamod

import (
	"context"
	"maps"

	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/script"
)

func contextRows() []script.Func {
	id := script.Param{Name: "id", Type: script.TypeString, Required: true, Doc: "Context id."}
	inheritance := script.Param{
		Name: "inheritance", Type: script.TypeString, Default: "inherit", Enum: []string{"inherit", "copy", "share", "isolate"},
		Doc: "inherit reads through and writes locally, copy takes a snapshot, share reads and writes the parent, isolate has nothing of it.",
	}
	scope := script.Param{Name: "scope", Type: script.TypeString, Also: []script.Type{script.TypeTable}, Doc: "Told to the model."}
	return []script.Func{
		{
			Name: "create_context", Doc: "Makes a set of data for execute_with_context.",
			Params: []script.Param{{Name: "fields", Type: script.TypeOptions, Default: map[string]any{}, Fields: []script.Param{
				{Name: "conversation_id", Type: script.TypeString, Doc: "Told to the model."},
				{Name: "user_id", Type: script.TypeString, Doc: "Told to the model."},
				{Name: "session_id", Type: script.TypeString, Doc: "Told to the model."},
				scope,
				{Name: "inheritance", Type: script.TypeString, Enum: []string{"inherit"}, Doc: "A context without parent has nothing to inherit."},
				{Name: "data", Type: script.TypeTable},
				{Name: "permissions", Type: script.TypeTable, Doc: "Told to the model; what an agent may do is in its allowed_tools."},
			}}},
			Returns: []script.Return{{Type: script.TypeString, Doc: "context id"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				labels := map[string]any{}
				for _, name := range []string{"conversation_id", "user_id", "session_id", "scope", "permissions"} {
					if v := a.Map(0)[name]; v != nil {
						labels[name] = v
					}
				}
				return one(agent.ContextsOf(ctx).Create(agent.ContextParams{Data: fieldSet(a.Map(0)).sub("data"), Labels: labels}))
			},
		},
		{
			Name: "create_child_context", Doc: "Makes a context below another.",
			Params:  []script.Param{{Name: "parent_id", Type: script.TypeString, Required: true}, scope, inheritance},
			Returns: []script.Return{{Type: script.TypeString, Doc: "context id"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				p := agent.ContextParams{Parent: a.String(0), Inheritance: agent.Inheritance(a.String(2))}
				if v := a.At(1); v != nil {
					p.Labels = map[string]any{"scope": v}
				}
				return one(agent.ContextsOf(ctx).Create(p))
			},
		},
		{
			Name: "update_context", Doc: "Sets one value of a context; nil removes it.",
			Params: []script.Param{id, {Name: "key", Type: script.TypeString, Required: true}, {Name: "value", Type: script.TypeAny}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return nil, agent.ContextsOf(ctx).Set(a.String(0), a.String(1), a.At(2))
			},
		},
		{
			Name: "get_context_data", Doc: "One value of a context, nil if absent; all of them without key.",
			Params:  []script.Param{id, {Name: "key", Type: script.TypeString}},
			Returns: []script.Return{{Type: script.TypeAny, Optional: true}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				data, err := agent.ContextsOf(ctx).Data(a.String(0))
				if err != nil || a.At(1) == nil {
					return one(data, err)
				}
				return []any{data[a.String(1)]}, nil
			},
		},
		{
			Name: "remove_context", Doc: "Forgets a context; false if there was none.", Params: []script.Param{id},
			Returns: []script.Return{{Type: script.TypeBoolean}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return []any{agent.ContextsOf(ctx).Remove(a.String(0))}, nil
			},
		},
	}
}

// withContextRow is the method that tells an agent about a context.
func withContextRow() script.Func {
	return script.Func{
		Name: "execute_with_context", Doc: "As execute, telling the model the data of a context in the system message.", Blocking: true,
		Params:  []script.Param{inputParam(), {Name: "context_id", Type: script.TypeString, Required: true}},
		Returns: []script.Return{{Type: script.TypeTable, Doc: "AgentOutput"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			told, err := agent.ContextsOf(ctx).Told(a.String(1))
			if err != nil {
				return nil, err
			}
			in, err := agentInput(a.At(0), nil)
			if err != nil {
				return nil, err
			}
			// What the call itself says about its context wins.
			maps.Copy(told, in.Context)
			in.Context = told
			out, err := self(a).Execute(ctx, in, nil)
			return one(agentOutput(out), err)
		},
	}
}
