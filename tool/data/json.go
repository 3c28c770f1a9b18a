package data

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/internal/jsonq"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// JSON is the json-processor tool.
type JSON struct{}

// NewJSON returns the json-processor tool.
func NewJSON() *JSON { return &JSON{} }

const (
	maxJSON     = 16 << 20 // bytes of input text
	maxMessages = 100_000  // values of a stream
)

func (*JSON) Spec() tool.Spec {
	return tool.Spec{
		Name: "json-processor", Version: "1.0.0", Category: "data", Effect: tool.Read, ParallelSafe: true,
		Description: "Queries JSON with the jq language, validates it against a JSON Schema, merges objects, and processes streams of JSON values.",
		Tags:        []string{"json", "jq", "schema"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Enum: []string{"query", "validate", "merge", "stream"}, Default: "query",
				Description: "query: jq over input; validate: input against schema; merge: the objects of the array input, later ones win, then query; stream: query over each of the JSON values in the text or array input"},
			{Name: "input", Required: true, Description: "JSON text, or a value"},
			{Name: "query", Type: "string", Default: ".", Description: "jq program"},
			{Name: "schema", Description: "JSON Schema, as a value or text"},
		},
	}
}

func (*JSON) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	op, program := p["operation"].(string), p["query"].(string)
	if op == "validate" {
		return validate(p)
	}
	if _, given := p["schema"]; given {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, "json-processor: %s takes no schema", op).WithDetail("field", "schema")
	}
	if op == "stream" {
		return stream(ctx, p["input"], program)
	}
	v, err := parse("input", p["input"])
	if err != nil {
		return tool.Result{}, err
	}
	if op == "merge" {
		if v, err = merge(v); err != nil {
			return tool.Result{}, err
		}
	}
	out, err := jsonq.Query(ctx, v, program)
	if err != nil {
		return tool.Result{}, jqError(err)
	}
	return tool.OK(op, "output", map[string]any{"output": one(out), "count": int64(len(out))}), nil
}

// one returns the only result itself, and several as an array.
func one(results []any) any {
	if len(results) != 1 {
		return results
	}
	if results[0] == (script.Null{}) {
		return nil
	}
	return results[0]
}

func jqError(err error) error {
	if fault.CodeOf(err) == fault.ParseError {
		return fault.Errorf(fault.ToolFailed, "json-processor: query: %w", err)
	}
	return err
}

// parse reads a text as JSON; any other value is taken as it is.
func parse(field string, v any) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v, nil
	}
	if len(text) > maxJSON {
		return nil, fault.Errorf(fault.TooLarge, "json-processor: %s is larger than %d bytes", field, maxJSON)
	}
	out, err := canon.ParseJSON([]byte(text))
	if err != nil {
		return nil, fault.Errorf(fault.ToolFailed, "json-processor: %s: %w", field, err)
	}
	return out, nil
}

func validate(p map[string]any) (tool.Result, error) {
	given, ok := p["schema"]
	if !ok {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, `json-processor: validate needs "schema"`).WithDetail("field", "schema")
	}
	schema, err := parse("schema", given)
	if err != nil {
		return tool.Result{}, err
	}
	errs := []any{}
	v, err := parse("input", p["input"])
	if fault.CodeOf(err) == fault.TooLarge {
		return tool.Result{}, err
	}
	if err != nil { // a text that is no JSON is an invalid document
		errs = append(errs, map[string]any{"path": "$", "message": err.Error()})
	} else {
		problems, err := jsonq.Validate(v, schema)
		if err != nil {
			return tool.Result{}, err
		}
		for _, p := range problems {
			errs = append(errs, map[string]any{"path": p.Path, "message": p.Message})
		}
	}
	r := tool.Verdict("validate", "valid", map[string]any{"valid": len(errs) == 0, "errors": errs})
	if len(errs) > 0 {
		r.Message = errs[0].(map[string]any)["message"].(string)
	}
	return r, nil
}

// merge joins the objects of an array; nested objects are merged too.
func merge(v any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fault.Errorf(fault.InvalidArgument, "json-processor: merge takes an array of objects")
	}
	out := map[string]any{}
	for i, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, fault.Errorf(fault.InvalidArgument, "json-processor: merge: element %d is no object", i+1)
		}
		out = overlay(out, m)
	}
	return out, nil
}

func overlay(a, b map[string]any) map[string]any {
	out := make(map[string]any, len(a)+len(b))
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		old, isMap := out[k].(map[string]any)
		if m, ok := v.(map[string]any); ok && isMap {
			v = overlay(old, m)
		}
		out[k] = v
	}
	return out
}

func stream(ctx context.Context, input any, program string) (tool.Result, error) {
	values, err := streamValues(input)
	if err != nil {
		return tool.Result{}, err
	}
	out := []any{}
	for _, v := range values {
		got, err := jsonq.Query(ctx, v, program)
		if err != nil {
			return tool.Result{}, jqError(err)
		}
		if out = append(out, got...); len(out) > maxMessages {
			return tool.Result{}, fault.Errorf(fault.TooLarge, "json-processor: stream: more than %d results", maxMessages)
		}
	}
	return tool.OK("stream", "output", map[string]any{"output": out, "count": int64(len(out))}), nil
}

// streamValues reads JSON values that follow one another, as in JSON Lines.
func streamValues(input any) ([]any, error) {
	text, ok := input.(string)
	if list, isList := input.([]any); isList {
		return list, nil
	}
	if !ok {
		return []any{input}, nil
	}
	if len(text) > maxJSON {
		return nil, fault.Errorf(fault.TooLarge, "json-processor: input is larger than %d bytes", maxJSON)
	}
	d := json.NewDecoder(strings.NewReader(text))
	var out []any
	for {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err == nil && len(out) == maxMessages {
			return nil, fault.Errorf(fault.TooLarge, "json-processor: stream: more than %d values", maxMessages)
		}
		var v any
		if err == nil {
			v, err = canon.ParseJSON(raw)
		}
		if err != nil {
			return nil, fault.Errorf(fault.ToolFailed, "json-processor: input: value %d: %w", len(out)+1, err)
		}
		out = append(out, v)
	}
}
