package luamod

import (
	"context"
	"maps"

	"github.com/llmspell/llmspell/script"
)

// agentBuilder collects the fields of an agent. It belongs to one script.
type agentBuilder struct{ fields fieldSet }

// builderClass has a setter for every agent field; each changes the builder in
// place and returns it.
func (m *agentModule) builderClass() *script.Class {
	class := &script.Class{
		Name: "AgentBuilder", Doc: "A definition of an agent in steps.",
		String: func(any) string { return "AgentBuilder" },
	}
	returns := []script.Return{{Type: script.TypeHandle, Class: "AgentBuilder", Doc: "the builder itself"}}
	for _, field := range agentFields() {
		name := field.Name
		value := field
		value.Required = true
		class.Methods = append(class.Methods, script.Func{
			Name: name, Doc: "Sets " + name + ". " + field.Doc, Params: []script.Param{value}, Returns: returns,
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				a.Self.(*agentBuilder).fields[name] = a.At(0)
				return []any{script.Object{Class: class, Value: a.Self}}, nil
			},
		})
	}
	class.Methods = append(class.Methods,
		script.Func{
			Name: "allow_tool", Doc: "Adds one name or glob to allowed_tools.", Returns: returns,
			Params: []script.Param{{Name: "name", Type: script.TypeString, Required: true}},
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				b := a.Self.(*agentBuilder)
				list, _ := b.fields["allowed_tools"].([]any)
				b.fields["allowed_tools"] = append(list[:len(list):len(list)], a.At(0))
				return []any{script.Object{Class: class, Value: b}}, nil
			},
		},
		script.Func{
			Name: "build", Doc: "Makes an agent of the definition; each call makes another.", Blocking: true, Returns: agentReturn(),
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				made, err := m.create(ctx, maps.Clone(a.Self.(*agentBuilder).fields))
				if err != nil {
					return nil, err
				}
				return []any{m.handle(made)}, nil
			},
		},
	)
	return class
}
