package luamod

import (
	"context"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/script"
)

// Logger is the global Logger: messages with fields. Fields are free-form data;
// what is no data is refused, Debug.logWithData shows it as text.
func Logger() bind.Module {
	fields := script.Param{Name: "fields", Type: script.TypeTable}
	class := &script.Class{Name: "Logger", Doc: "A logger that adds fields to every message."}
	derive := func(f loggerFields) script.Object { return script.Object{Class: class, Value: &f} }

	var rows []script.Func
	for _, level := range levels[:5] {
		doc := "Writes a message of level " + level + "."
		rows = append(rows, script.Func{
			Name: level, Doc: doc, Params: []script.Param{messageParam, fields},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return nil, loggerFields(nil).write(ctx, level, a.String(0), a.At(1))
			},
		})
		class.Methods = append(class.Methods, script.Func{
			Name: level, Doc: doc, Params: []script.Param{messageParam, fields},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return nil, a.Self.(*loggerFields).write(ctx, level, a.String(0), a.At(1))
			},
		})
	}
	with := script.Func{
		Name: "with", Doc: "A logger that adds fields to every message.",
		Params:  []script.Param{{Name: "fields", Type: script.TypeTable, Required: true}},
		Returns: []script.Return{{Type: script.TypeHandle, Class: "Logger"}},
	}
	with.Call = func(_ context.Context, a script.Args) ([]any, error) {
		return []any{derive(loggerFields(nil).merged(a.At(0)))}, nil
	}
	method := with
	method.Call = func(_ context.Context, a script.Args) ([]any, error) {
		return []any{derive(a.Self.(*loggerFields).merged(a.At(0)))}, nil
	}
	class.Methods = append(class.Methods, method)
	return bind.Module{Module: script.Module{
		Name: "Logger", Doc: "Messages with fields to the structured log.",
		Funcs: append(rows, with), Classes: []*script.Class{class},
	}}
}
