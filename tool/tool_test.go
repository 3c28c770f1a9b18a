package tool_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

var spec = tool.Spec{Name: "t", Params: []tool.Param{
	{Name: "text", Type: "string", Required: true, Description: "d"},
	{Name: "mode", Type: "string", Enum: []string{"fast", "slow"}, Default: "fast"},
	{Name: "n", Type: "integer", Default: 3},
	{Name: "f", Type: "number"},
	{Name: "on", Type: "boolean"},
	{Name: "list", Type: "array"},
	{Name: "any"},
	{Name: "opts", Type: "object", Default: map[string]any{}, Fields: []tool.Param{{Name: "width", Type: "integer"}}},
	{Name: "free", Type: "object"},
}}

type m = map[string]any

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want m }{
		{m{"text": "a"}, m{"text": "a", "mode": "fast", "n": int64(3), "opts": m{}}},
		{m{"text": "\xff", "n": 5.0, "f": int64(2), "on": false, "list": []any{"x"}, "any": 1.5, "opts": m{"width": 2.0}, "free": m{"a": "b"}},
			m{"text": "\xff", "mode": "fast", "n": int64(5), "f": int64(2), "on": false, "list": []any{"x"}, "any": 1.5, "opts": m{"width": int64(2)}, "free": m{"a": "b"}}},
		{m{"text": "a", "mode": "slow", "list": m{}, "free": []any{}, "n": nil}, m{"text": "a", "mode": "slow", "n": int64(3), "opts": m{}, "list": []any{}, "free": m{}}},
	} {
		got, err := tool.Validate(spec, c.in)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("Validate(%v) = %v, %v; want %v", c.in, got, err, c.want)
		}
	}
	got, err := tool.Validate(spec, m{"text": "a"})
	if err != nil {
		t.Fatal(err)
	}
	got["opts"].(m)["width"] = int64(1)
	if again, _ := tool.Validate(spec, m{"text": "a"}); len(again["opts"].(m)) != 0 {
		t.Error("a default is shared between calls")
	}
}

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in         m
		says, hint string
	}{
		{m{}, `missing required parameter "text" (string)`, ""},
		{m{"text": int64(5)}, `"text": expected string, got integer`, ""},
		{m{"tetx": "a", "text": "a"}, `unknown parameter "tetx"`, `"text"`},
		{m{"zzzzzzzz": 1, "text": "a"}, `unknown parameter "zzzzzzzz"`, "known: text"},
		{m{"text": "a", "mode": "fats"}, `"fats" is not one of fast, slow`, `"fast"`},
		{m{"text": "a", "n": 1.5}, "expected integer, got number", ""},
		{m{"text": "a", "n": math.Inf(1)}, "expected integer, got number", ""},
		{m{"text": "a", "n": 1e300}, "expected integer, got number", ""},
		{m{"text": "a", "n": "1"}, "expected integer, got string", ""},
		{m{"text": "a", "on": "true"}, "expected boolean, got string", ""},
		{m{"text": "a", "list": m{"a": 1}}, "expected array, got object", ""},
		{m{"text": "a", "opts": m{"widht": int64(1)}}, `"opts.widht"`, `"width"`},
		{m{"text": "a", "opts": m{"width": "1"}}, `"opts.width": expected integer`, ""},
	} {
		_, err := tool.Validate(spec, c.in)
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Code != fault.InvalidArgument || !strings.Contains(e.Message, c.says) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("Validate(%v) = %v (hint %q)", c.in, err, e.Hint)
		}
	}
}

func TestSchemaSpec(t *testing.T) {
	t.Parallel()
	s := tool.Spec{Name: "s", Schema: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer","default":4,"maximum":10},
		"l":{"type":"array","items":{"type":"integer"}}},"required":["l"],"additionalProperties":false}`)}
	got, err := tool.Validate(s, m{"l": []any{1.0, int64(2)}})
	if want := (m{"n": int64(4), "l": []any{int64(1), int64(2)}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
	for says, in := range map[string]m{
		`unknown parameter "m"`: {"l": []any{}, "m": int64(1)}, "required": {}, "maximum": {"l": []any{}, "n": int64(11)}, "integer": {"l": []any{"1"}},
	} {
		if _, err := tool.Validate(s, in); fault.CodeOf(err) != fault.InvalidArgument || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: %v, want %q", in, err, says)
		}
	}
	for _, bad := range []string{`{"type":"string"}`, `{}`, `[`, `{"type":"object","$ref":"#"}`} {
		if _, err := tool.NewValidator(tool.Spec{Name: "s", Schema: json.RawMessage(bad)}); fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("schema %s: %v", bad, err)
		}
	}
}

func TestJSONSchema(t *testing.T) {
	t.Parallel()
	var got m
	if err := json.Unmarshal(spec.JSONSchema(), &got); err != nil {
		t.Fatal(err)
	}
	properties := got["properties"].(m)
	if got["type"] != "object" || got["additionalProperties"] != false || !reflect.DeepEqual(got["required"], []any{"text"}) || len(properties) != len(spec.Params) {
		t.Errorf("schema %v", got)
	}
	if opts := properties["opts"].(m); opts["additionalProperties"] != false || opts["properties"].(m)["width"].(m)["type"] != "integer" {
		t.Errorf("nested %v", opts)
	}
	if mode := properties["mode"].(m); mode["default"] != "fast" || !reflect.DeepEqual(mode["enum"], []any{"fast", "slow"}) {
		t.Errorf("enum %v", mode)
	}
	if l := spec.LLM(); l.Name != "t" || string(l.Parameters) != string(spec.JSONSchema()) {
		t.Errorf("LLM %+v", l)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"calculator", "text-manipulator", "input", "limit"}
	for in, want := range map[string]string{
		"calculater": "calculator", "Calculator": "calculator", "inptu": "input", "text_manipulator": "text-manipulator", "imput": "input",
		"xyz": "", "": "", strings.Repeat("a", 1000): "", "limits": "limit",
	} {
		if got := fault.Nearest(in, names); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", in, got, want)
		}
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	env := tool.EnvOf(t.Context())
	p := make([]byte, 16)
	env.Rand(p)
	if env.Now().IsZero() || reflect.DeepEqual(p, make([]byte, 16)) {
		t.Error("the default environment has no clock or randomness")
	}
	if _, err := env.NeedFiles(); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("NeedFiles: %v", err)
	}
	mine := &tool.Env{Run: "r"}
	if tool.EnvOf(tool.WithEnv(t.Context(), mine)) != mine {
		t.Error("WithEnv is lost")
	}
}
