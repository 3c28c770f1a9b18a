package luamod

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// Tool is the global Tool: the registry of tools, calls, and tools that scripts
// define. Tool.<name> is the handle of a tool.
func Tool(r *toolbox.Registry) script.Module {
	m := &toolModule{r: r}
	m.class = m.handleClass()
	return script.Module{
		Name:    "Tool",
		Doc:     "Tools: built-in ones and those that scripts register. Tool.calculator is the handle of the tool calculator; in names, _ stands for -.",
		Funcs:   append(m.lookupRows(), m.callRows()...),
		Classes: []*script.Class{m.class},
		Lookup: func(ctx context.Context, key string) any {
			return m.handle(ctx, key)
		},
	}
}

type toolModule struct {
	r     *toolbox.Registry
	class *script.Class
}

// handle returns the handle of a tool, nil if there is none.
func (m *toolModule) handle(ctx context.Context, name string) any {
	spec, ok := m.r.Spec(ctx, name)
	if !ok {
		return nil
	}
	return script.Object{Class: m.class, Value: &spec}
}

func toolName() script.Param {
	return script.Param{Name: "name", Type: script.TypeString, Required: true, Doc: "name of the tool"}
}

func toolParams() script.Param {
	return script.Param{Name: "params", Type: script.TypeTable, Doc: "parameters by name, as the tool's schema says"}
}

func toolOutputReturn() []script.Return {
	return []script.Return{{Type: script.TypeTable, Name: "output", Doc: "success, operation?, message?, result, text, metadata{tool, execution_time_ms, response}"}}
}

func (m *toolModule) lookupRows() []script.Func {
	filter := []script.Param{{Name: "filter", Type: script.TypeOptions, Fields: []script.Param{
		{Name: "category", Type: script.TypeString, Doc: "only tools of this category"},
		{Name: "tag", Type: script.TypeString, Doc: "part of the name or the description"},
		{Name: "enabled", Type: script.TypeBoolean, Doc: "only tools that policy allows (true) or disables (false)"},
	}}}
	listing := []script.Return{{Type: script.TypeArray, Doc: "{name, description, version, category, enabled, policy?}, by name; policy is the gate that disables the tool"}}
	return []script.Func{{
		Name: "list", Doc: "Lists the tools, also those that policy disables.",
		Params: filter, Returns: listing, Call: m.list,
		Example: `for _, t in ipairs(Tool.list{category = "utility"}) do print(t.name, t.description) end`,
	}, {
		Name: "discover", Doc: "Finds tools by a filter: the same as list.",
		Params: filter, Returns: listing, Call: m.list,
		Example: `return #Tool.discover{tag = "json"} > 0`,
	}, {
		Name: "get", Doc: "Returns the handle of a tool, nil if there is none.",
		Params:  []script.Param{toolName()},
		Returns: []script.Return{{Type: script.TypeHandle, Class: "Tool", Optional: true}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return []any{m.handle(ctx, a.String(0))}, nil
		},
		Example: `local t = Tool.get("calculator") return t.name, t:execute{input = "6*7"}.text`,
	}, {
		Name: "schema", Doc: "Returns the JSON Schema of a tool's parameters. Raises tool_not_found.",
		Params:  []script.Param{toolName()},
		Returns: []script.Return{{Type: script.TypeTable}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			spec, ok := m.r.Spec(ctx, a.String(0))
			if !ok {
				return nil, fault.Errorf(fault.ToolNotFound, "no tool %q", a.String(0)).WithHint("Tool.list() names the tools")
			}
			return toolSchema(spec)
		},
		Example: `return Tool.schema("calculator").properties.input.type`,
	}, {
		Name: "exists", Doc: "Tells whether there is a tool of this name.",
		Params:  []script.Param{toolName()},
		Returns: []script.Return{{Type: script.TypeBoolean}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			_, ok := m.r.Spec(ctx, a.String(0))
			return []any{ok}, nil
		},
		Example: `return Tool.exists("text_manipulator")`,
	}, {
		Name: "categories", Doc: "Lists the categories that tools have, sorted.",
		Returns: []script.Return{{Type: script.TypeArray, Doc: "names"}},
		Call: func(ctx context.Context, _ script.Args) ([]any, error) {
			out := []any{}
			for _, c := range m.r.Categories(ctx) {
				out = append(out, c)
			}
			return []any{out}, nil
		},
		Example: `return Tool.categories()[1]`,
	}}
}

func (m *toolModule) callRows() []script.Func {
	return []script.Func{{
		Name: "execute", Blocking: true,
		Doc:     "Runs a tool. A verdict such as HTTP 404 or an invalid document is success=false. Raises tool_not_found, invalid_argument, tool_failed, policy_denied, timeout.",
		Params:  []script.Param{toolName(), toolParams()},
		Returns: toolOutputReturn(),
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return m.execute(ctx, a.String(0), a.At(1))
		},
		Example: `return Tool.execute("calculator", {input = "2+2*3"}).result.result`,
	}, {
		Name: "register",
		Doc:  "Defines a tool that this session's scripts, agents and workflows can call. Raises already_exists.",
		Params: []script.Param{{Name: "definition", Type: script.TypeOptions, Required: true, Fields: []script.Param{
			{Name: "name", Type: script.TypeString, Required: true, Doc: "letters, digits and -"},
			{Name: "description", Type: script.TypeString, Required: true, Doc: "what it does, for models too"},
			{Name: "handler", Type: script.TypeFunction, Required: true, Doc: "handler(params, ctx) returns the result, a table with success, or nil and a message; ctx = {run_id, agent?, workflow?, deadline_ms}"},
			{Name: "parameters", Type: script.TypeTable, Doc: "JSON Schema, or an array of {name, type?, description?, required?, default?, enum?}"},
			{Name: "category", Type: script.TypeString, Default: "custom"},
			{Name: "version", Type: script.TypeString, Default: "1.0.0"},
			{Name: "timeout_ms", Type: script.TypeInteger, Default: int64(30_000), Min: new(1.0), Max: new(86_400_000.0)},
			{Name: "parallel_safe", Type: script.TypeBoolean, Default: false, Doc: "calls may overlap in an agent's loop"},
			{Name: "replace", Type: script.TypeBoolean, Default: false, Doc: "take the place of an earlier tool of this session"},
		}}},
		Returns: []script.Return{{Type: script.TypeHandle, Class: "Tool"}},
		Call:    m.register,
		Example: `Tool.register{name = "twice", description = "Doubles n.", parameters = {{name = "n", type = "integer", required = true}},
  handler = function(p) return p.n * 2 end}
return Tool.execute("twice", {n = 4}).result`,
	}, {
		Name: "unregister", Doc: "Removes a tool that this session registered; false if there is none.",
		Params:  []script.Param{toolName()},
		Returns: []script.Return{{Type: script.TypeBoolean}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return []any{m.r.Unregister(ctx, a.String(0))}, nil
		},
		Example: `return Tool.unregister("twice")`,
	}}
}

func (m *toolModule) list(ctx context.Context, a script.Args) ([]any, error) {
	f := fieldSet(a.Map(0))
	filter := toolbox.Filter{Category: f.text("category"), Tag: f.text("tag")}
	if on, ok := f["enabled"].(bool); ok {
		filter.Enabled = &on
	}
	out := []any{}
	for _, i := range m.r.List(ctx, filter) {
		entry := map[string]any{"name": i.Name, "description": i.Description, "version": i.Version, "category": i.Category, "enabled": i.Enabled}
		if i.Policy != "" {
			entry["policy"] = i.Policy
		}
		out = append(out, entry)
	}
	return []any{out}, nil
}

// execute calls a tool with params, which may be nil or an empty array.
func (m *toolModule) execute(ctx context.Context, name string, params any) ([]any, error) {
	if list, ok := params.([]any); ok && len(list) > 0 {
		return nil, fault.Errorf(fault.InvalidArgument, "tool %s: expected parameters by name, got an array", toolbox.Canonical(name))
	}
	fields, _ := params.(map[string]any)
	out, err := m.r.Invoke(ctx, name, fields)
	if err != nil {
		return nil, err
	}
	return []any{out.Table()}, nil
}

func (m *toolModule) register(ctx context.Context, a script.Args) ([]any, error) {
	f := fieldSet(a.Map(0))
	handler := f["handler"].(*script.Function)
	spec := tool.Spec{
		Name: f.text("name"), Description: f.text("description"), Category: f.text("category"), Version: f.text("version"),
		Timeout: time.Duration(f.whole("timeout_ms")) * time.Millisecond, ParallelSafe: f.flag("parallel_safe"),
	}
	err := toolParameters(&spec, f["parameters"])
	if err == nil {
		err = m.r.Register(ctx, toolbox.NewScripted(spec, handler), f.flag("replace"))
	}
	if err != nil {
		handler.Release()
		return nil, err
	}
	return []any{m.handle(ctx, spec.Name)}, nil
}

// toolParameters reads what a script gives as parameters: rows or a schema.
func toolParameters(spec *tool.Spec, v any) error {
	switch t := v.(type) {
	case map[string]any:
		if len(t) == 0 {
			return nil
		}
		schema := maps.Clone(t)
		if schema["type"] == nil {
			schema["type"] = "object"
		}
		raw, err := json.Marshal(plainJSON(schema))
		if err != nil {
			return fault.Errorf(fault.InvalidArgument, "Tool.register: parameters: %w", err)
		}
		spec.Schema = raw
	case []any:
		for i, e := range t {
			row, ok := e.(map[string]any)
			if !ok {
				return fault.Errorf(fault.InvalidArgument, "Tool.register: parameters[%d]: expected a table", i+1)
			}
			p, err := toolParameter(row, i+1)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(spec.Params, func(q tool.Param) bool { return q.Name == p.Name }) {
				return fault.Errorf(fault.InvalidArgument, "Tool.register: parameters[%d]: name %q is used twice", i+1, p.Name)
			}
			spec.Params = append(spec.Params, p)
		}
	}
	return nil
}

var toolParameterFields = []string{"name", "type", "description", "required", "default", "enum"}

func toolParameter(row map[string]any, at int) (tool.Param, error) {
	bad := func(format string, args ...any) (tool.Param, error) {
		e := fault.Errorf(fault.InvalidArgument, format, args...)
		e.Message = "Tool.register: parameters[" + strconv.Itoa(at) + "]: " + e.Message
		return tool.Param{}, e
	}
	for _, k := range slices.Sorted(maps.Keys(row)) {
		if !slices.Contains(toolParameterFields, k) {
			return bad("unknown field %q; known: %s", k, strings.Join(toolParameterFields, ", "))
		}
	}
	f := fieldSet(row)
	p := tool.Param{Name: f.text("name"), Type: f.text("type"), Description: f.text("description"), Required: f.flag("required"), Default: row["default"]}
	if p.Name == "" {
		return bad(`missing "name"`)
	}
	if p.Type == "any" {
		p.Type = ""
	}
	if !slices.Contains([]string{"", "string", "integer", "number", "boolean", "array", "object"}, p.Type) {
		return bad("type %q is not one of any, string, integer, number, boolean, array, object", p.Type)
	}
	if list, ok := row["enum"].([]any); ok {
		for _, v := range list {
			s, ok := v.(string)
			if !ok {
				return bad("enum: expected strings")
			}
			p.Enum = append(p.Enum, s)
		}
	}
	if p.Default != nil {
		probe := tool.Spec{Name: "default", Params: []tool.Param{{Name: p.Name, Type: p.Type, Enum: p.Enum}}}
		checked, err := tool.Validate(probe, map[string]any{p.Name: p.Default})
		if err != nil {
			return bad("%v", err)
		}
		p.Default = checked[p.Name]
	}
	return p, nil
}

func (m *toolModule) handleClass() *script.Class {
	spec := func(self any) *tool.Spec { return self.(*tool.Spec) }
	return &script.Class{
		Name: "Tool", Doc: "Handle of a tool.",
		Fields: []script.Param{
			{Name: "name", Type: script.TypeString}, {Name: "description", Type: script.TypeString},
			{Name: "version", Type: script.TypeString}, {Name: "category", Type: script.TypeString},
			{Name: "schema", Type: script.TypeTable, Doc: "{name, description, parameters[{name, type, description, required, default?, enum?}]}"},
		},
		Get: func(self any, field string) any {
			switch s := spec(self); field {
			case "name":
				return s.Name
			case "description":
				return s.Description
			case "version":
				return s.Version
			case "category":
				return s.Category
			case "schema":
				return map[string]any{"name": s.Name, "description": s.Description, "parameters": toolRows(*s)}
			}
			return nil
		},
		String: func(self any) string { return "Tool: " + spec(self).Name },
		Methods: []script.Func{{
			Name: "execute", Blocking: true, Doc: "Runs the tool, as Tool.execute does.",
			Params: []script.Param{toolParams()}, Returns: toolOutputReturn(),
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return m.execute(ctx, spec(a.Self).Name, a.At(0))
			},
			Example: `return Tool.calculator:execute{input = "1+1"}.text`,
		}, {
			Name: "getSchema", Aliases: []string{"get_schema"}, Doc: "Returns the JSON Schema of the parameters.",
			Returns: []script.Return{{Type: script.TypeTable}},
			Call:    func(_ context.Context, a script.Args) ([]any, error) { return toolSchema(*spec(a.Self)) },
			Example: `return Tool.calculator:getSchema().type`,
		}},
	}
}

func toolSchema(s tool.Spec) ([]any, error) {
	v, err := canon.ParseJSON(s.JSONSchema())
	if err != nil {
		return nil, err
	}
	return []any{v}, nil
}

// toolRows lists the parameters as rows, also those of a JSON Schema.
func toolRows(s tool.Spec) []any {
	out := []any{}
	v, err := canon.ParseJSON(s.JSONSchema())
	schema, _ := v.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	if err != nil || properties == nil {
		return out
	}
	required, _ := schema["required"].([]any)
	names := slices.Sorted(maps.Keys(properties))
	if len(s.Schema) == 0 { // in the order of the spec
		names = nil
		for _, p := range s.Params {
			names = append(names, p.Name)
		}
	}
	for _, name := range names {
		p, _ := properties[name].(map[string]any)
		row := map[string]any{"name": name, "type": "any", "description": "", "required": slices.Contains(required, any(name))}
		for _, k := range []string{"type", "description", "default", "enum"} {
			if v, ok := p[k]; ok {
				row[k] = v
			}
		}
		out = append(out, row)
	}
	return out
}
