package tool

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
)

// JSONSchema returns the schema of the parameters (an object that refuses
// unknown members), for models and validation.
func (s Spec) JSONSchema() json.RawMessage {
	if len(s.Schema) > 0 {
		return s.Schema
	}
	raw, err := json.Marshal(objectSchema(s.Params))
	if err != nil {
		// Only a default that is no JSON data gets here: a mistake in the Spec
		// that the conformance suite finds.
		return json.RawMessage(`{"type":"object"}`)
	}
	return raw
}

type object struct {
	Type        string            `json:"type,omitempty"`
	Description string            `json:"description,omitempty"`
	Enum        []string          `json:"enum,omitempty"`
	Default     any               `json:"default,omitempty"`
	Properties  map[string]object `json:"properties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Additional  *bool             `json:"additionalProperties,omitempty"`
}

func objectSchema(params []Param) object {
	o := object{Type: "object", Properties: map[string]object{}, Additional: new(false)}
	for _, p := range params {
		s := object{Type: p.Type}
		if len(p.Fields) > 0 {
			s = objectSchema(p.Fields)
		}
		s.Description, s.Enum, s.Default = p.Description, p.Enum, p.Default
		o.Properties[p.Name] = s
		if p.Required {
			o.Required = append(o.Required, p.Name)
		}
	}
	return o
}

// names lists the parameters of params.
func names(params []Param) []string {
	out := make([]string, len(params))
	for i, p := range params {
		out[i] = p.Name
	}
	return out
}

// conform converts v to the JSON Schema type typ, by the rules of the scripting
// contract: an integral float is an integer, a number is never a string, an
// empty table is an empty array or object.
func conform(v any, typ string) (any, bool) {
	switch typ {
	case "":
		return v, true
	case "string":
		s, ok := v.(string)
		return s, ok
	case "boolean":
		b, ok := v.(bool)
		return b, ok
	case "number":
		switch v.(type) {
		case int64, float64:
			return v, true
		}
	case "integer":
		switch n := v.(type) {
		case int64:
			return n, true
		case float64:
			if n == math.Trunc(n) && n >= -(1<<63) && n < 1<<63 {
				return int64(n), true
			}
		}
	case "array":
		switch l := v.(type) {
		case []any:
			return l, true
		case map[string]any:
			return []any{}, len(l) == 0
		}
	case "object":
		switch m := v.(type) {
		case map[string]any:
			return m, true
		case []any:
			return map[string]any{}, len(m) == 0
		}
	}
	return v, false
}

// typeName names v's type for error messages.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "value"
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
