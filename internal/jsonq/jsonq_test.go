package jsonq

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/script"
)

func value(t *testing.T, text string) any {
	t.Helper()
	v, err := canon.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, program string
		want        []any
	}{
		{`{"a":[1,2]}`, ".a[]", []any{int64(1), int64(2)}},
		{`{"a":1.0,"b":9007199254740993}`, ".", []any{map[string]any{"a": 1.0, "b": int64(9007199254740993)}}},
		{`[1,null]`, ".", []any{[]any{int64(1), script.Null{}}}},
		{`{}`, ".x", []any{script.Null{}}},
		{`[3,1]`, "sort|map(.+1)", []any{[]any{int64(2), int64(4)}}},
		{`1`, "empty", []any{}},
		{`1`, "1,2|halt", []any{}},
		{`1`, "env|length", []any{int64(0)}},
		{`1`, "9223372036854775807+1", []any{9.223372036854775808e18}},
	} {
		got, err := Query(t.Context(), value(t, c.in), c.program)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s | %s = %#v, %v; want %#v", c.in, c.program, got, err, c.want)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	t.Parallel()
	for program, code := range map[string]fault.Code{
		".[":               fault.ParseError,
		"nosuch(1)":        fault.ParseError,
		`.a`:               fault.ToolFailed,
		`error("x")`:       fault.ToolFailed,
		`input`:            fault.ParseError,
		`import "x" as x;`: fault.ParseError,
		"[range(1e9)]":     fault.TooLarge,
		"range(1e9)":       fault.TooLarge,
		"def f: f; f":      fault.TooLarge,
		`reduce range(45) as $i ("xxxxxxxx"; .+.)`: fault.TooLarge,
		`reduce range(45) as $i ([1,2]; .+.)`:      fault.TooLarge,
	} {
		start := time.Now()
		_, err := Query(t.Context(), int64(1), program)
		if fault.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", program, err, code)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", program, took)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := Query(ctx, int64(1), "range(1e9)|select(.<0)"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, schema string
		valid      bool
		code       fault.Code
	}{
		{`{"a":1}`, `{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`, true, ""},
		{`{"a":"1"}`, `{"type":"object","properties":{"a":{"type":"integer"}}}`, false, ""},
		{`{}`, `{"required":["a"]}`, false, ""},
		{`{"a":{"a":{}}}`, `{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}`, true, ""},
		{`[1,null]`, `{"items":{"$ref":"#/$defs/x"},"$defs":{"x":{"type":["integer","null"]}}}`, true, ""},
		{`1`, `{"$ref":"#"}`, false, fault.InvalidArgument},
		{`1`, `{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}}`, false, fault.InvalidArgument},
		{`1`, `{"$ref":"https://example.com/x.json"}`, false, fault.InvalidArgument},
		{`1`, `{"type":5}`, false, fault.InvalidArgument},
		{`1`, `5`, false, fault.InvalidArgument},
		{`"a"`, `{"pattern":"("}`, false, fault.InvalidArgument},
	} {
		problems, err := Validate(value(t, c.in), value(t, c.schema))
		if c.code != "" {
			if fault.CodeOf(err) != c.code {
				t.Errorf("%s: %v", c.schema, err)
			}
			continue
		}
		if err != nil || (len(problems) == 0) != c.valid {
			t.Errorf("%s against %s: %+v, %v", c.in, c.schema, problems, err)
		}
		for _, p := range problems {
			if p.Path == "" || p.Message == "" {
				t.Errorf("problem %+v", p)
			}
		}
	}
}
