package luamod

import (
	"context"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/script"
)

// Provider returns the rows of the global Provider.
func Provider(m *provider.Manager) script.Module {
	name := []script.Param{{Name: "name", Type: script.TypeString, Required: true, Doc: "Name as in list(), or the provider's."}}
	return script.Module{
		Name: "Provider",
		Doc:  "The configured model providers.",
		Funcs: []script.Func{
			{
				Name: "list", Doc: "All providers, without network or secrets.",
				Returns: []script.Return{{Type: script.TypeArray, Doc: "entries {name, provider, model, type, enabled, default, capabilities}"}},
				Call: func(context.Context, script.Args) ([]any, error) {
					out := []any{}
					for _, i := range m.List() {
						out = append(out, providerEntry(i))
					}
					return []any{out}, nil
				},
			},
			{
				Name: "get", Doc: "One provider, nil if there is none of that name.", Params: name,
				Returns: []script.Return{{Type: script.TypeTable, Optional: true}},
				Call: func(_ context.Context, a script.Args) ([]any, error) {
					if i, ok := m.Get(a.String(0)); ok {
						return []any{providerEntry(i)}, nil
					}
					return []any{nil}, nil
				},
			},
			{
				Name: "getCapabilities", Aliases: []string{"get_capabilities"}, Doc: "What a provider's models can do, nil if there is none of that name.", Params: name,
				Returns: []script.Return{{Type: script.TypeTable, Optional: true}},
				Call: func(_ context.Context, a script.Args) ([]any, error) {
					if i, ok := m.Get(a.String(0)); ok {
						return []any{capabilitiesTable(i.Capabilities)}, nil
					}
					return []any{nil}, nil
				},
			},
			{
				Name: "isAvailable", Aliases: []string{"is_available"}, Doc: "Whether a provider is enabled and has its key.", Params: name,
				Returns: []script.Return{{Type: script.TypeBoolean}},
				Call: func(_ context.Context, a script.Args) ([]any, error) {
					return []any{m.IsAvailable(a.String(0))}, nil
				},
			},
			{
				Name: "models", Doc: "Asks a provider for its models.", Params: name, Blocking: true,
				Returns: []script.Return{{Type: script.TypeArray, Doc: "entries {id, context_tokens?, price_input?, price_output?}, prices in USD per million tokens"}},
				Call:    func(ctx context.Context, a script.Args) ([]any, error) { return providerModels(ctx, m, a.String(0)) },
			},
			{
				Name: "embed", Doc: "Turns texts into vectors.", Blocking: true,
				Params: []script.Param{
					{Name: "text", Type: script.TypeString, Also: []script.Type{script.TypeArray}, Elem: script.TypeString, Required: true, Doc: "A text or an array of texts."},
					{Name: "opts", Type: script.TypeOptions, Fields: []script.Param{
						{Name: "provider", Type: script.TypeString}, {Name: "model", Type: script.TypeString},
					}},
				},
				Returns: []script.Return{{Type: script.TypeTable, Doc: "{vectors, model, dimensions, usage}"}},
				Call:    func(ctx context.Context, a script.Args) ([]any, error) { return providerEmbed(ctx, m, a) },
			},
		},
	}
}

func providerEntry(i provider.Info) map[string]any {
	return map[string]any{
		"name": i.Name, "provider": i.Provider, "model": i.Model, "type": i.Type,
		"enabled": i.Enabled, "default": i.Default, "capabilities": capabilitiesTable(i.Capabilities),
	}
}

func providerModels(ctx context.Context, m *provider.Manager, name string) ([]any, error) {
	models, err := m.Models(ctx, name)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(models))
	for _, model := range models {
		entry := map[string]any{"id": model.ID}
		if model.ContextTokens > 0 {
			entry["context_tokens"] = int64(model.ContextTokens)
		}
		if p := model.Price; p != nil {
			entry["price_input"], entry["price_output"] = p.Input, p.Output
		}
		out = append(out, entry)
	}
	return []any{out}, nil
}

func providerEmbed(ctx context.Context, m *provider.Manager, a script.Args) ([]any, error) {
	texts := fieldSet{"text": a.At(0)}.texts("text")
	if s, ok := a.At(0).(string); ok {
		texts = []string{s}
	}
	if len(texts) == 0 {
		return nil, fault.Errorf(fault.InvalidArgument, "Provider.embed: text must hold at least one text")
	}
	opts := fieldSet(a.Map(1))
	e, err := m.Embed(ctx, provider.Spec{Provider: opts.text("provider"), Model: opts.text("model")}, texts)
	if err != nil {
		return nil, err
	}
	vectors := make([]any, 0, len(e.Vectors))
	dimensions := 0
	for _, v := range e.Vectors {
		numbers := make([]any, len(v))
		for i, f := range v {
			numbers[i] = float64(f)
		}
		vectors = append(vectors, numbers)
		dimensions = len(v)
	}
	return []any{map[string]any{
		"vectors": vectors, "model": e.Model, "dimensions": int64(dimensions),
		"usage": usageTable(agent.Usage{Usage: e.Usage, LLMCalls: 1}),
	}}, nil
}
