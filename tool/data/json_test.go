package data

import (
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool/tooltest"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	q := func(input any, query string) map[string]any { return map[string]any{"input": input, "query": query} }
	op := func(name string, m map[string]any) map[string]any { m["operation"] = name; return m }
	schema := map[string]any{"type": "object", "required": []any{"a"}}
	tooltest.Run(t, NewJSON(), []tooltest.Case{
		{Params: q(`{"a":[1,2.0]}`, ".a"), Want: map[string]any{"output": []any{int64(1), 2.0}, "count": int64(1)}},
		{Params: q(`{"a":[1,2]}`, ".a[]"), Want: map[string]any{"output": []any{int64(1), int64(2)}, "count": int64(2)}},
		{Params: q(map[string]any{"a": map[string]any{"b": "x"}}, ".a.b"), Want: map[string]any{"output": "x"}},
		{Params: map[string]any{"input": "5"}, Want: map[string]any{"output": int64(5)}},
		{Params: q("{}", ".x"), Want: map[string]any{"output": nil}},
		{Params: q("{}", "empty"), Want: map[string]any{"output": []any{}, "count": int64(0)}},
		{Params: q("{", "."), Fails: fault.ToolFailed, Says: "input"},
		{Params: q("{}", ".["), Fails: fault.ToolFailed, Says: "query"},
		{Params: q("1", ".a"), Fails: fault.ToolFailed},
		{Params: map[string]any{"input": "1", "schema": "{}"}, Fails: fault.InvalidArgument},
		{Params: op("validate", map[string]any{"input": `{"a":1}`, "schema": schema}), Want: map[string]any{"valid": true, "errors": []any{}}},
		{Params: op("validate", map[string]any{"input": map[string]any{}, "schema": `{"required":["a"]}`}), Verdict: map[string]any{"valid": false}, Says: "a"},
		{Params: op("validate", map[string]any{"input": `{`, "schema": schema}), Verdict: map[string]any{"valid": false}},
		{Params: op("validate", map[string]any{"input": `1`, "schema": `{"type":7}`}), Fails: fault.InvalidArgument, Says: "schema"},
		{Params: op("validate", map[string]any{"input": `1`}), Fails: fault.InvalidArgument, Says: "schema"},
		{Params: op("merge", map[string]any{"input": `[{"a":{"x":1},"b":1},{"a":{"y":2},"b":[2]}]`}),
			Want: map[string]any{"output": map[string]any{"a": map[string]any{"x": int64(1), "y": int64(2)}, "b": []any{int64(2)}}}},
		{Params: op("merge", q(`[{"a":1},{"b":2}]`, "keys")), Want: map[string]any{"output": []any{"a", "b"}}},
		{Params: op("merge", q(`[1]`, ".")), Fails: fault.InvalidArgument, Says: "element 1"},
		{Params: op("merge", q(`{}`, ".")), Fails: fault.InvalidArgument},
		{Params: op("stream", q("{\"n\":1}\n{\"n\":2}\n", ".n+1")), Want: map[string]any{"output": []any{int64(2), int64(3)}, "count": int64(2)}},
		{Params: op("stream", q("1 [2] x", ".")), Fails: fault.ToolFailed, Says: "value 3"},
		{Params: op("stream", q([]any{int64(1), int64(2)}, "select(.>1)")), Want: map[string]any{"output": []any{int64(2)}}},
		{Params: op("stream", q("", ".")), Want: map[string]any{"output": []any{}, "count": int64(0)}},
		{Params: map[string]any{"query": "."}, Fails: fault.InvalidArgument, Says: "input"},
	})
}
