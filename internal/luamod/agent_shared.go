package luamod

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/state"
	"github.com/llmspell/llmspell/script"
)

const (
	// sharedPrefix begins the State keys of shared memory.
	sharedPrefix = "shared:"
	// savedKey is where save_state puts a conversation, in scope agent:<name>.
	savedKey = "agent.history"
)

// sharedScope reads "global" or {type, id} as a scope of State.
func sharedScope(v any) (string, error) {
	f, ok := v.(map[string]any)
	if !ok {
		if v != "global" {
			return "", fault.Errorf(fault.InvalidArgument, "Agent shared memory: scope must be \"global\" or {type, id}, got %q", v)
		}
		return "global", nil
	}
	kind, id := fieldSet(f).text("type"), fieldSet(f).text("id")
	switch {
	case kind == "global":
		return kind, nil
	case id == "":
		return "", fault.Errorf(fault.InvalidArgument, "Agent shared memory: scope of type %q needs an id", kind)
	}
	return kind + ":" + id, nil
}

// sharedRows are the functions by which agents and scripts share values.
func (m *agentModule) sharedRows() []script.Func {
	scope := script.Param{
		Name: "scope", Type: script.TypeString, Also: []script.Type{script.TypeOptions}, Required: true, Doc: `"global", or a table`,
		Fields: []script.Param{
			{Name: "type", Type: script.TypeString, Required: true, Enum: []string{"session", "workflow", "agent", "user", "global"}},
			{Name: "id", Type: script.TypeString, Doc: "required but for global"},
		},
	}
	key := script.Param{Name: "key", Type: script.TypeString, Required: true}
	return []script.Func{
		{
			Name: "set_shared_memory", Doc: "Stores a value that agents share; nil removes it. It is kept in State, under shared:<key>.", Blocking: true,
			Params: []script.Param{scope, key, {Name: "value"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				at, err := sharedScope(a.At(0))
				if err != nil {
					return nil, err
				}
				if a.At(2) == nil {
					_, err = m.State.Delete(ctx, at, sharedPrefix+a.String(1))
					return nil, err
				}
				_, err = m.State.Save(ctx, at, sharedPrefix+a.String(1), a.At(2), state.Options{})
				return nil, err
			},
		},
		{
			Name: "get_shared_memory", Doc: "A value that agents share, else the default.", Blocking: true,
			Params:  []script.Param{scope, key, {Name: "default"}},
			Returns: []script.Return{{Name: "value", Optional: true}},
			Example: `Agent.set_shared_memory("global", "topic", "lua") return Agent.get_shared_memory("global", "topic")`,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				at, err := sharedScope(a.At(0))
				if err != nil {
					return nil, err
				}
				v, _, err := stateModule{m.State}.load(ctx, at, sharedPrefix+a.String(1), a.At(2))
				return one(v, err)
			},
		},
		{
			Name: "list_shared_memory", Doc: "The keys of the values that agents share, sorted.", Blocking: true,
			Params:  []script.Param{scope},
			Returns: []script.Return{{Type: script.TypeArray}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				at, err := sharedScope(a.At(0))
				if err != nil {
					return nil, err
				}
				keys, err := m.State.Keys(ctx, at, sharedPrefix)
				out := make([]any, len(keys))
				for i, k := range keys {
					out[i] = strings.TrimPrefix(k, sharedPrefix)
				}
				return one(out, err)
			},
		},
	}
}

// savedRows keep a conversation in State under the agent's name.
func (m *agentModule) savedRows() []script.Func {
	scope := func(a script.Args) string { return "agent:" + self(a).Name() }
	boolean := []script.Return{{Type: script.TypeBoolean}}
	return []script.Func{
		{
			Name: "save_state", Doc: "Keeps the conversation in State under the agent's name; it outlives the session.", Blocking: true,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				raw, err := json.Marshal(self(a).History())
				if err != nil {
					return nil, err
				}
				_, err = m.State.Save(ctx, scope(a), savedKey, string(raw), state.Options{})
				return nil, err
			},
		},
		{
			Name: "load_state", Doc: "Replaces the conversation by the kept one; false if there is none.", Blocking: true, Returns: boolean,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				v, version, err := m.State.Load(ctx, scope(a), savedKey)
				if err != nil || version == 0 {
					return one(false, err)
				}
				text, _ := v.(string)
				var turns []agent.Turn
				if err := json.Unmarshal([]byte(text), &turns); err != nil {
					return nil, fault.Errorf(fault.InvalidState, "the state kept of agent %q is no conversation: %w", self(a).Name(), err).
						WithHint("delete_state removes it")
				}
				return one(true, self(a).RestoreHistory(turns))
			},
		},
		{
			Name: "delete_state", Doc: "Forgets the kept conversation and tells whether there was one.", Blocking: true, Returns: boolean,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return one(m.State.Delete(ctx, scope(a), savedKey))
			},
		},
	}
}

// afterEnd are the methods that still answer when the agent was destroyed.
var afterEnd = []string{"get_state", "get_state_history", "get_last_error", "is_healthy", "destroy", "terminate"}

// ofLiving makes the methods of a destroyed agent raise invalid_state.
func ofLiving(rows []script.Func) []script.Func {
	for i, row := range rows {
		if slices.Contains(afterEnd, row.Name) {
			continue
		}
		rows[i].Call = func(ctx context.Context, a script.Args) ([]any, error) {
			if err := self(a).Alive(); err != nil {
				return nil, err
			}
			return row.Call(ctx, a)
		}
	}
	return rows
}
