package luamod

import (
	"context"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

func (m *agentModule) compositeRows() []script.Func {
	members := script.Param{
		Name: "agents", Type: script.TypeArray, Elem: script.TypeString, ElemAlso: []script.Type{script.TypeHandle}, Class: "Agent",
		Doc: "Agents or their names.",
	}
	routing := script.Param{
		Name: "routing", Type: script.TypeString, Also: []script.Type{script.TypeOptions, script.TypeFunction},
		Doc: "sequential, parallel, vote, fallback, a table, or a function (input, names) that returns one name or several.",
		Fields: []script.Param{
			{Name: "strategy", Type: script.TypeString, Required: true, Enum: []string{"sequential", "parallel", "vote", "fallback"}},
			{Name: "threshold", Type: script.TypeNumber, Min: new(0.0), Max: new(1.0), Doc: "Share that a vote must pass; 0.5."},
			{Name: "fallback_agent", Type: script.TypeString, Also: []script.Type{script.TypeHandle}, Class: "Agent"},
			{Name: "timeout_ms", Type: script.TypeInteger, Min: new(1.0)},
		},
	}
	need := func(p script.Param) script.Param { p.Required = true; return p }
	return []script.Func{
		{
			Name: "create_composite", Doc: "Makes an agent of agents.", Blocking: true,
			Params: []script.Param{
				{Name: "name", Type: script.TypeString, Also: []script.Type{script.TypeOptions}, Required: true, Fields: []script.Param{
					{Name: "name", Type: script.TypeString, Required: true}, need(members), need(routing),
				}},
				members, routing,
			},
			Returns: agentReturn(), Call: m.composite,
		},
		{
			Name: "wrap_as_tool", Doc: "Registers a tool that asks an agent; its parameter `input` is the question.", Blocking: true,
			Params: []script.Param{
				{Name: "agent", Type: script.TypeString, Also: []script.Type{script.TypeHandle}, Class: "Agent", Required: true},
				{Name: "opts", Type: script.TypeOptions, Required: true, Fields: []script.Param{
					{Name: "tool_name", Type: script.TypeString, Required: true},
					{Name: "description", Type: script.TypeString},
					{Name: "category", Type: script.TypeString, Default: "agent"},
					{Name: "parameters", Type: script.TypeArray, Elem: script.TypeOptions, Doc: "Further parameters, told to the agent beside the question.", Fields: []script.Param{
						{Name: "name", Type: script.TypeString, Required: true},
						{Name: "type", Type: script.TypeString, Enum: []string{"string", "integer", "number", "boolean", "array", "object"}},
						{Name: "description", Type: script.TypeString},
						{Name: "required", Type: script.TypeBoolean},
						{Name: "default", Type: script.TypeAny},
						{Name: "enum", Type: script.TypeArray, Elem: script.TypeString},
					}},
				}},
			},
			Returns: []script.Return{{Type: script.TypeString, Doc: "the tool's name"}}, Call: m.wrap,
		},
	}
}

// agentOf finds the agent that a name or handle means.
func (m *agentModule) agentOf(ctx context.Context, v any) (*agent.Agent, error) {
	if a, ok := v.(*agent.Agent); ok {
		return a, nil
	}
	name, _ := v.(string)
	a, ok := m.Agents.Get(ctx, name)
	if !ok {
		return nil, agentNotFound(name)
	}
	return a, nil
}

func (m *agentModule) composite(ctx context.Context, a script.Args) ([]any, error) {
	name, list, route := a.String(0), a.At(1), a.At(2)
	if f := fieldSet(a.Map(0)); f != nil {
		name, list, route = f.text("name"), f["agents"], f["routing"]
	}
	if list == nil || route == nil {
		return nil, fault.Errorf(fault.InvalidArgument, "Agent.create_composite: agents and routing are required")
	}
	members := []*agent.Agent{}
	elements, _ := list.([]any)
	for _, v := range elements {
		member, err := m.agentOf(ctx, v)
		if err != nil {
			return nil, err
		}
		members = append(members, member)
	}
	r, err := m.routing(ctx, route)
	if err != nil {
		return nil, err
	}
	made, err := m.Agents.CreateComposite(ctx, name, members, r)
	if err != nil {
		return nil, err
	}
	return []any{m.handle(made)}, nil
}

func (m *agentModule) routing(ctx context.Context, v any) (agent.Routing, error) {
	switch v := v.(type) {
	case string:
		return agent.Routing{Strategy: agent.Strategy(v)}, nil
	case *script.Function:
		return agent.Routing{Strategy: agent.Custom, Choose: chooser(v)}, nil
	}
	m2, _ := v.(map[string]any)
	f := fieldSet(m2)
	r := agent.Routing{Strategy: agent.Strategy(f.text("strategy")), Timeout: f.millis("timeout_ms")}
	if n := f.number("threshold"); n != nil {
		r.Threshold = *n
	}
	if fallback := f["fallback_agent"]; fallback != nil {
		var err error
		if r.Fallback, err = m.agentOf(ctx, fallback); err != nil {
			return r, err
		}
	}
	return r, nil
}

// chooser asks a script function which members answer.
func chooser(fn *script.Function) func(context.Context, string, []string) ([]string, error) {
	return func(ctx context.Context, input string, names []string) ([]string, error) {
		got, err := fn.Call(ctx, input, textList(names))
		if err != nil {
			return nil, err
		}
		if len(got) > 0 {
			switch v := got[0].(type) {
			case string:
				return []string{v}, nil
			case []any:
				return fieldSet{"names": v}.texts("names"), nil
			}
		}
		return nil, fault.Errorf(fault.InvalidArgument, "routing: the function must return a name or an array of names")
	}
}

func (m *agentModule) wrap(ctx context.Context, a script.Args) ([]any, error) {
	wrapped, err := m.agentOf(ctx, a.At(0))
	if err != nil {
		return nil, err
	}
	f := fieldSet(a.Map(1))
	p := agent.WrapParams{Name: f.text("tool_name"), Description: f.text("description"), Category: f.text("category")}
	rows, _ := f["parameters"].([]any)
	for _, v := range rows {
		row, _ := v.(map[string]any)
		g := fieldSet(row)
		p.Params = append(p.Params, tool.Param{
			Name: g.text("name"), Type: g.text("type"), Description: g.text("description"),
			Required: g.flag("required"), Default: g["default"], Enum: g.texts("enum"),
		})
	}
	return one(m.Agents.WrapAsTool(ctx, wrapped, p))
}
