package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
)

func TestCompile(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`{"type":"object","properties":{"a":{"$ref":"#"}}}`:                         true,
		`{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"items":{"$ref":"#/$defs/a~1b"}}}}`: true,
		`{"definitions":{"x":{"type":"integer"}},"$ref":"#/definitions/x"}`:         true,
		`true`:                             true,
		`{"type":"object","$ref":"#"}`:     false,
		`{"allOf":[{"not":{"$ref":"#"}}]}`: false,
		`{"$ref":"#/$defs/a","$defs":{"a":{"if":{"$ref":"#/$defs/b"}},"b":{"oneOf":[{"$ref":"#/$defs/a"}]}}}`: false,
		`{"properties":{"x":{"$ref":"#/properties/y"}}}`:                                                      false,
		`{"properties":{"x":{"$dynamicRef":"#x"}}}`:                                                           false,
		`{"properties":{"x":{"$ref":"https://example.com/s.json"}}}`:                                          false,
		`{"dependentSchemas":{"a":{"$ref":"#"}}}`:                                                             false,
		`{"type":5}`:      false,
		`{"pattern":"("}`: false,
		`{"properties":{"a":{"type":"integer","default":"x"}}}`: false,
		`[`: false,
		`{"title":"` + strings.Repeat("x", MaxBytes) + `"}`: false,
	} {
		s, err := Compile(json.RawMessage(text))
		if ok != (err == nil) || !ok && fault.CodeOf(err) != fault.InvalidArgument {
			t.Errorf("Compile(%.100s) = %v", text, err)
		}
		if err == nil { // and validating ends
			_ = s.Validate(map[string]any{"a": map[string]any{"a": nil}})
		}
	}
}

func TestMultiplying(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	for i := range 40 {
		fmt.Fprintf(&b, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	b.WriteString(`"d40":{}}}`)
	if _, err := Compile(json.RawMessage(b.String())); fault.CodeOf(err) != fault.InvalidArgument || !strings.Contains(err.Error(), "apply to one value") {
		t.Errorf("2^40 subschemas: %v", err)
	}
}

// FuzzCompile validates with whatever compiles: it must end, and not panic.
func FuzzCompile(f *testing.F) {
	f.Add(`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}}`, `{"a":[1,{}]}`)
	f.Add(`{"properties":{"a":{"$ref":"#"}},"unevaluatedProperties":{"$ref":"#"},"contains":{"$ref":"#"}}`, `[[[]]]`)
	f.Fuzz(func(t *testing.T, text, value string) {
		s, err := Compile(json.RawMessage(text))
		if err != nil {
			return
		}
		var v any
		if json.Unmarshal([]byte(value), &v) == nil {
			_ = s.Validate(v)
		}
	})
}
