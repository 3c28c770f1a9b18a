package luamod

import (
	"context"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/state"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// AgentParams are the engines behind the global Agent.
type AgentParams struct {
	Agents    *agent.Engine
	Providers *provider.Manager
	State     *state.Engine // keeps shared memory and saved conversations
}

// agentModule holds what the rows of the global Agent share.
type agentModule struct {
	AgentParams
	class   *script.Class // Agent
	builder *script.Class // AgentBuilder
}

// Agent returns the rows of the global Agent.
func Agent(p AgentParams) script.Module {
	m := &agentModule{AgentParams: p}
	m.class = &script.Class{
		Name: "Agent", Doc: "A model with instructions, a conversation and tools.",
		Fields: []script.Param{
			{Name: "name", Type: script.TypeString}, {Name: "type", Type: script.TypeString}, {Name: "model", Type: script.TypeString},
			{Name: "provider", Type: script.TypeString}, {Name: "description", Type: script.TypeString},
		},
		Get:    agentField,
		String: func(self any) string { return "Agent: " + self.(*agent.Agent).Name() },
	}
	m.class.Methods = ofLiving(slices.Concat(m.askRows(), m.historyRows(), m.savedRows(), m.toolRows(), m.lifeRows()))
	m.builder = m.builderClass()
	return script.Module{
		Name: "Agent", Doc: "Agents: models with instructions, a conversation and tools.",
		Classes: []*script.Class{m.class, m.builder},
		Funcs: slices.Concat(m.makeRows(), m.lookupRows(), m.kindRows(), m.abilityRows(),
			m.templateRows(), m.compositeRows(), contextRows(), m.sharedRows()),
	}
}

func agentField(self any, field string) any {
	a := self.(*agent.Agent)
	p, model := a.Target()
	switch field {
	case "name":
		return a.Name()
	case "type":
		return a.Spec().Type
	case "model":
		return model
	case "provider":
		return p
	case "description":
		return a.Spec().Description
	}
	return nil
}

func (m *agentModule) handle(a *agent.Agent) script.Object {
	return script.Object{Class: m.class, Value: a}
}

// one ends a Call with one result.
func one(v any, err error) ([]any, error) {
	if err != nil {
		return nil, err
	}
	return []any{v}, nil
}

// agentReturn documents a result that is an agent.
func agentReturn() []script.Return { return []script.Return{{Type: script.TypeHandle, Class: "Agent"}} }

func (m *agentModule) makeRows() []script.Func {
	fields := script.Param{Name: "fields", Type: script.TypeOptions, Fields: agentFields(), Default: map[string]any{}}
	query := script.Param{
		Name: "opts", Type: script.TypeOptions,
		Fields: append(without(agentFields(), "name", "replace"), script.Param{Name: "timeout_ms", Type: script.TypeInteger, Min: new(1.0)}),
	}
	return []script.Func{
		{
			Name: "query", Doc: "Asks a model once, without conversation or name.", Blocking: true,
			Params:  []script.Param{{Name: "prompt", Type: script.TypeString, Required: true}, query},
			Returns: []script.Return{{Type: script.TypeString, Doc: "the reply"}},
			Example: `print(Agent.query("Say hello."))`,
			Call:    m.query,
		},
		{
			Name: "builder", Doc: "Starts a definition in steps; build() makes the agent.",
			Returns: []script.Return{{Type: script.TypeHandle, Class: "AgentBuilder"}},
			Call: func(context.Context, script.Args) ([]any, error) {
				return []any{script.Object{Class: m.builder, Value: &agentBuilder{fields: fieldSet{}}}}, nil
			},
		},
		{
			Name: "create", Doc: "Makes an agent; one with a name is kept in the session.", Blocking: true,
			Params: []script.Param{fields}, Returns: agentReturn(),
			Example: `local a = Agent.create{system_prompt = "Be brief.", tools = {"calculator"}}
print(a:execute("What is 6*7?").text)`,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				made, err := m.create(ctx, a.Map(0))
				if err != nil {
					return nil, err
				}
				return []any{m.handle(made)}, nil
			},
		},
		{
			Name: "register", Doc: "Makes an agent, keeps it under its name and returns the name.", Blocking: true,
			Params:  []script.Param{{Name: "fields", Type: script.TypeOptions, Fields: requireName(agentFields()), Required: true}},
			Returns: []script.Return{{Type: script.TypeString}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				made, err := m.create(ctx, a.Map(0))
				if err != nil {
					return nil, err
				}
				return []any{made.Name()}, nil
			},
		},
	}
}

func requireName(fields []script.Param) []script.Param {
	for i := range fields {
		if fields[i].Name == "name" {
			fields[i].Required = true
		}
	}
	return fields
}

func (m *agentModule) create(ctx context.Context, fields fieldSet) (*agent.Agent, error) {
	spec, err := agentSpec(fields)
	if err != nil {
		return nil, err
	}
	return m.Agents.Create(ctx, spec)
}

func (m *agentModule) query(ctx context.Context, a script.Args) ([]any, error) {
	made, err := m.create(ctx, a.Map(1))
	if err != nil {
		return nil, err
	}
	out, err := made.Execute(ctx, agent.Input{Text: a.String(0), Timeout: fieldSet(a.Map(1)).millis("timeout_ms")}, nil)
	return one(out.Text, err)
}

func nameParam() []script.Param {
	return []script.Param{{Name: "name", Type: script.TypeString, Required: true}}
}

func (m *agentModule) lookupRows() []script.Func {
	return []script.Func{
		{
			Name: "get", Doc: "The session's agent of that name, nil if there is none.", Params: nameParam(),
			Returns: []script.Return{{Type: script.TypeHandle, Class: "Agent", Optional: true}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				if found, ok := m.Agents.Get(ctx, a.String(0)); ok {
					return []any{m.handle(found)}, nil
				}
				return []any{nil}, nil
			},
		},
		{
			Name: "list", Doc: "The session's named agents.",
			Returns: []script.Return{{Type: script.TypeArray, Doc: "entries {name, type, provider, model, state, description}"}},
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				out := []any{}
				for _, a := range m.Agents.List(ctx) {
					out = append(out, listEntry(a))
				}
				return []any{out}, nil
			},
		},
		{
			Name: "list_instances", Doc: "The names of the session's agents.",
			Returns: []script.Return{{Type: script.TypeArray}},
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				return []any{m.names(ctx, func(*agent.Agent) bool { return true })}, nil
			},
		},
	}
}

func (m *agentModule) kindRows() []script.Func {
	return []script.Func{
		{
			Name: "discover", Doc: "The agent types.",
			Returns: []script.Return{{Type: script.TypeArray, Doc: "entries {type, description}"}},
			Call: func(context.Context, script.Args) ([]any, error) {
				out := []any{}
				for _, k := range agent.Kinds() {
					out = append(out, map[string]any{"type": k.Type, "description": k.Description})
				}
				return []any{out}, nil
			},
		},
		{
			Name: "get_info", Doc: "What an agent type takes; for the name of an agent also its details.", Params: nameParam(),
			Returns: []script.Return{{Type: script.TypeTable}}, Call: m.info,
		},
		{
			Name: "get_details", Doc: "Definition without secrets, state and usage of an agent.", Params: nameParam(),
			Returns: []script.Return{{Type: script.TypeTable}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				found, ok := m.Agents.Get(ctx, a.String(0))
				if !ok {
					return nil, agentNotFound(a.String(0))
				}
				return []any{agentDetails(found)}, nil
			},
		},
		{
			Name: "get_hierarchy", Doc: "A composite agent and its members.", Params: nameParam(),
			Returns: []script.Return{{Type: script.TypeTable, Doc: "{name, strategy?, children}"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				found, ok := m.Agents.Get(ctx, a.String(0))
				if !ok {
					return nil, agentNotFound(a.String(0))
				}
				return []any{hierarchy(found)}, nil
			},
		},
	}
}

func (m *agentModule) abilityRows() []script.Func {
	return []script.Func{
		{
			Name: "list_capabilities", Doc: "What the session's agents can do, by name.",
			Returns: []script.Return{{Type: script.TypeTable}}, Call: m.listCapabilities,
		},
		{
			Name: "discover_by_capability", Doc: "The names of the agents with a capability or tool.",
			Params: []script.Param{{
				Name: "capability", Type: script.TypeString, Also: []script.Type{script.TypeOptions}, Required: true,
				Doc: "streaming, tools, context, multimodal (also with supports_), or a tool's name.",
				Fields: []script.Param{
					{Name: "capability", Type: script.TypeString, Required: true}, {Name: "provider", Type: script.TypeString},
				},
			}},
			Returns: []script.Return{{Type: script.TypeArray}}, Call: m.byCapability,
		},
	}
}

func (m *agentModule) names(ctx context.Context, match func(*agent.Agent) bool) []any {
	out := []any{}
	for _, a := range m.Agents.List(ctx) {
		if match(a) {
			out = append(out, a.Name())
		}
	}
	return out
}

func agentDetails(a *agent.Agent) map[string]any {
	m := configTable(a)
	m["state"] = string(a.State())
	m["usage"] = usageTable(a.Usage())
	return m
}

func (m *agentModule) info(ctx context.Context, a script.Args) ([]any, error) {
	name := a.String(0)
	kind, details := name, map[string]any(nil)
	if found, ok := m.Agents.Get(ctx, name); ok {
		kind, details = found.Spec().Type, agentDetails(found)
	}
	out := map[string]any{
		"name": name, "category": "agent", "complexity": "simple",
		"required_parameters": []any{}, "optional_parameters": []any{}, "details": details,
	}
	switch kind {
	case agent.TypeComposite:
		out["description"], out["complexity"] = "Several agents behind one name.", "complex"
		out["required_parameters"] = []any{"name", "agents", "routing"}
		return []any{out}, nil
	case agent.TypeOrchestrator:
		out["complexity"] = "moderate"
	}
	for _, k := range agent.Kinds() {
		if k.Type == kind {
			out["description"] = k.Description
			optional := []any{}
			for _, f := range agentFields() {
				optional = append(optional, f.Name)
			}
			out["optional_parameters"] = optional
			return []any{out}, nil
		}
	}
	return nil, agentNotFound(name).(*fault.Error).WithHint("Agent.discover() lists the types, Agent.list_instances() the names")
}

// abilities are an agent's capabilities by their keys.
func (m *agentModule) abilities(a *agent.Agent) map[string]any {
	name, _ := a.Target()
	info, _ := m.Providers.Get(name)
	composite := a.Spec().Type == agent.TypeComposite
	return map[string]any{
		"supports_streaming": info.Capabilities.Streaming || composite, "supports_tools": info.Capabilities.Tools,
		"supports_context": true, "supports_multimodal": info.Capabilities.Multimodal,
	}
}

func (m *agentModule) listCapabilities(ctx context.Context, _ script.Args) ([]any, error) {
	out := map[string]any{}
	for _, a := range m.Agents.List(ctx) {
		out[a.Name()] = map[string]any{
			"id": a.Name(), "name": a.Name(), "description": a.Spec().Description,
			"config": configTable(a), "capabilities": m.abilities(a),
		}
	}
	return []any{out}, nil
}

func (m *agentModule) byCapability(ctx context.Context, a script.Args) ([]any, error) {
	want, providerName := a.String(0), ""
	if f := fieldSet(a.Map(0)); f != nil {
		want, providerName = f.text("capability"), f.text("provider")
	}
	key := "supports_" + strings.TrimPrefix(want, "supports_")
	return []any{m.names(ctx, func(a *agent.Agent) bool {
		if p, _ := a.Target(); providerName != "" && p != providerName {
			return false
		}
		if has, ok := m.abilities(a)[key].(bool); ok {
			return has
		}
		return slices.ContainsFunc(a.Tools(ctx), func(s tool.Spec) bool { return s.Name == strings.ReplaceAll(want, "_", "-") })
	})}, nil
}

func (m *agentModule) templateRows() []script.Func {
	return []script.Func{
		{
			Name: "list_templates", Doc: "The names of the ready-made definitions.",
			Returns: []script.Return{{Type: script.TypeArray}},
			Call: func(context.Context, script.Args) ([]any, error) {
				out := []any{}
				for _, t := range agent.Templates() {
					out = append(out, t.Name)
				}
				return []any{out}, nil
			},
		},
		{
			Name: "create_from_template", Doc: "Makes an agent from a ready-made definition; params overlay its fields.", Blocking: true,
			Params: []script.Param{
				{Name: "name", Type: script.TypeString, Also: []script.Type{script.TypeOptions}, Required: true, Fields: []script.Param{
					{Name: "name", Type: script.TypeString},
					{Name: "template", Type: script.TypeString, Required: true},
					{Name: "params", Type: script.TypeOptions, Fields: agentFields()},
				}},
				{Name: "template", Type: script.TypeString},
				{Name: "params", Type: script.TypeOptions, Fields: agentFields()},
			},
			Returns: agentReturn(), Call: m.fromTemplate,
		},
	}
}

func (m *agentModule) fromTemplate(ctx context.Context, a script.Args) ([]any, error) {
	name, template, params := a.String(0), a.String(1), fieldSet(a.Map(2))
	if f := fieldSet(a.Map(0)); f != nil {
		name, template, params = f.text("name"), f.text("template"), f.sub("params")
	}
	i := slices.IndexFunc(agent.Templates(), func(t agent.Template) bool { return t.Name == template })
	if i < 0 {
		return nil, fault.Errorf(fault.NotFound, "Agent.create_from_template: there is no template %q", template).
			WithHint("Agent.list_templates() names them")
	}
	base := agent.Templates()[i].Spec
	spec, err := agentSpec(params)
	if err != nil {
		return nil, err
	}
	if name != "" {
		spec.Name = name
	}
	if spec.SystemPrompt == "" {
		spec.SystemPrompt = base.SystemPrompt
	}
	if spec.Temperature == nil {
		spec.Temperature = base.Temperature
	}
	if spec.Type == "" {
		spec.Type = base.Type
	}
	if spec.Description == "" {
		spec.Description = agent.Templates()[i].Description
	}
	made, err := m.Agents.Create(ctx, spec)
	if err != nil {
		return nil, err
	}
	return []any{m.handle(made)}, nil
}
