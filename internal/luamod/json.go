package luamod

import (
	"context"
	"maps"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/jsonq"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// JSON is the global JSON: text to values and back, queries, validation.
func JSON() bind.Module {
	return bind.Module{
		Module: script.Module{
			Name:   "JSON",
			Doc:    "JSON text to values and back. Arrays that come from JSON stay arrays when empty; floats keep their fraction.",
			Fields: map[string]any{"null": script.Null{}},
			Funcs:  append(jsonTextRows(), jsonDataRows()...),
		},
		Raw: map[string]lua.GoFunc{
			"parse": jsonParse, "stringify": jsonStringify,
			"array": jsonArray, "object": jsonObject, "is_array": jsonIsArray,
		},
	}
}

func jsonTextRows() []script.Func {
	one, depth, spaces := 1.0, 1000.0, 16.0
	zero := 0.0
	return []script.Func{{
		Name: "parse", Aliases: []string{"decode"},
		Doc: "Reads a JSON text. A member that is null is absent, a null in an array is JSON.null. Raises parse_error with line and column in details.",
		Params: []script.Param{
			{Name: "text", Type: script.TypeString, Required: true},
			{Name: "options", Type: script.TypeOptions, Fields: []script.Param{
				{Name: "null", Type: script.TypeString, Enum: []string{"drop", "keep"}, Doc: "keep: a null member is JSON.null; default drop"},
				{Name: "max_depth", Type: script.TypeInteger, Min: &one, Max: &depth, Doc: "levels of nesting; default 128"},
			}},
		},
		Returns: []script.Return{{Type: script.TypeAny, Name: "value", Optional: true}},
		Example: `return JSON.parse('{"a":[1,2.0]}').a[2]`,
	}, {
		Name: "stringify", Aliases: []string{"encode"},
		Doc: "Writes a value as JSON with sorted keys. Raises not_serializable naming the place of what is no data.",
		Params: []script.Param{
			{Name: "value", Type: script.TypeAny},
			{Name: "options", Type: script.TypeOptions, Also: []script.Type{script.TypeBoolean}, Fields: []script.Param{
				{Name: "pretty", Type: script.TypeBoolean, Doc: "indent by two spaces"},
				{Name: "indent", Type: script.TypeInteger, Min: &zero, Max: &spaces, Doc: "spaces a level"},
				{Name: "lenient", Type: script.TypeBoolean, Doc: "write text in place of what is no data"},
			}, Doc: "true stands for {pretty=true}"},
		},
		Returns: []script.Return{{Type: script.TypeString, Name: "text"}},
		Example: `return JSON.stringify{b=1, a={1, 2.0}}`,
	}, {
		Name: "array", Doc: "Marks a table as an array, so that it is [] when empty. Without one it makes an empty array.",
		Params:  []script.Param{{Name: "t", Type: script.TypeTable}},
		Returns: []script.Return{{Type: script.TypeTable}},
		Example: `return JSON.stringify(JSON.array())`,
	}, {
		Name: "object", Doc: "Takes the mark of an array off a table. Without one it makes an empty table.",
		Params:  []script.Param{{Name: "t", Type: script.TypeTable}},
		Returns: []script.Return{{Type: script.TypeTable}},
	}, {
		Name: "is_array", Doc: "Tells whether a table is written as a JSON array.",
		Params:  []script.Param{{Name: "t", Type: script.TypeAny}},
		Returns: []script.Return{{Type: script.TypeBoolean}},
	}}
}

func jsonDataRows() []script.Func {
	return []script.Func{{
		Name: "query", Doc: "Runs a query in the jq language on a value.", Blocking: true,
		Params: []script.Param{
			{Name: "value", Type: script.TypeAny},
			{Name: "query", Type: script.TypeString, Required: true},
		},
		Returns: []script.Return{{Type: script.TypeArray, Name: "results"}},
		Example: `return JSON.query({a={1, 2}}, ".a[]")`,
		Call:    jsonQuery,
	}, {
		Name: "validate", Doc: "Checks a value against a JSON Schema (draft 2020-12).", Blocking: true,
		Params: []script.Param{
			{Name: "value", Type: script.TypeAny},
			{Name: "schema", Type: script.TypeTable, Also: []script.Type{script.TypeBoolean}, Required: true},
		},
		Returns: []script.Return{
			{Type: script.TypeBoolean, Name: "ok"},
			{Type: script.TypeArray, Name: "problems", Doc: "the first problem found, {path, message}; path points into the schema"},
		},
		Call: jsonValidate,
	}, {
		Name: "merge", Doc: "Applies a JSON merge patch (RFC 7386): members of patch replace those of value, JSON.null removes one.",
		Params:  []script.Param{{Name: "value", Type: script.TypeAny}, {Name: "patch", Type: script.TypeAny}},
		Returns: []script.Return{{Type: script.TypeAny, Name: "merged"}},
		Call: func(_ context.Context, a script.Args) ([]any, error) {
			return []any{mergePatch(a.At(0), a.At(1))}, nil
		},
	}}
}

func jsonParse(c *lua.Call) lua.Status {
	text, _ := c.Arg(0).AsString()
	var o bind.ParseOptions
	if t, ok := c.Arg(1).AsTable(); ok {
		null, _ := c.State().RawGetString(t, "null").AsString()
		o.KeepNull = null == "keep"
		depth, _ := c.State().RawGetString(t, "max_depth").AsInteger()
		o.MaxDepth = int(depth)
	}
	v, err := bind.HostOf(c).Binding().ParseJSON(c, text, o)
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.Return1(v)
}

func jsonStringify(c *lua.Call) lua.Status {
	var o bind.EncodeOptions
	pretty := c.Arg(1).Truthy()
	if t, ok := c.Arg(1).AsTable(); ok {
		pretty = c.State().RawGetString(t, "pretty").Truthy()
		o.Lenient = c.State().RawGetString(t, "lenient").Truthy()
		n, _ := c.State().RawGetString(t, "indent").AsInteger()
		o.Indent = int(n)
	}
	if pretty && o.Indent == 0 {
		o.Indent = 2
	}
	text, err := bind.HostOf(c).Binding().AppendJSON(nil, c, c.Arg(0), o)
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.Return1(c.NewString(string(text)))
}

func jsonArray(c *lua.Call) lua.Status  { return markArray(c, true) }
func jsonObject(c *lua.Call) lua.Status { return markArray(c, false) }

func markArray(c *lua.Call, on bool) lua.Status {
	t, ok := c.Arg(0).AsTable()
	if !ok {
		t = c.NewTable(0, 0)
	}
	t.MarkArray(on)
	return c.Return1(t.Value())
}

func jsonIsArray(c *lua.Call) lua.Status {
	t, ok := c.Arg(0).AsTable()
	return c.Return1(lua.Boolean(ok && bind.IsArray(t)))
}

func jsonQuery(ctx context.Context, a script.Args) ([]any, error) {
	results, err := jsonq.Query(ctx, a.At(0), a.String(1))
	if err != nil {
		return nil, err
	}
	return []any{results}, nil
}

func jsonValidate(_ context.Context, a script.Args) ([]any, error) {
	found, err := jsonq.Validate(a.At(0), a.At(1))
	if err != nil {
		return nil, err
	}
	problems := make([]any, len(found))
	for i, p := range found {
		problems[i] = map[string]any{"path": p.Path, "message": p.Message}
	}
	return []any{len(found) == 0, problems}, nil
}

func mergePatch(value, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out := map[string]any{}
	if v, ok := value.(map[string]any); ok {
		out = maps.Clone(v)
	}
	for k, change := range p {
		if _, remove := change.(script.Null); remove {
			delete(out, k)
			continue
		}
		out[k] = mergePatch(out[k], change)
	}
	return out
}
