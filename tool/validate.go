package tool

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/schema"
)

// Validator checks parameters against one spec. Safe for concurrent use.
type Validator struct {
	spec   Spec
	schema *jsonschema.Resolved // nil: spec.Params
}

// NewValidator compiles the spec's schema, or fails with fault.InvalidArgument
// if it is no JSON Schema of an object.
func NewValidator(spec Spec) (*Validator, error) {
	v := &Validator{spec: spec}
	if len(spec.Schema) == 0 {
		return v, nil
	}
	resolved, err := schema.Compile(spec.Schema)
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "tool %s: parameters: %w", spec.Name, err)
	}
	if resolved.Schema().Type != "object" {
		return nil, fault.Errorf(fault.InvalidArgument, `tool %s: parameters: the schema's type must be "object"`, spec.Name)
	}
	v.schema = resolved
	return v, nil
}

// Validate is NewValidator and [Validator.Validate] in one.
func Validate(spec Spec, params map[string]any) (map[string]any, error) {
	v, err := NewValidator(spec)
	if err != nil {
		return nil, err
	}
	return v.Validate(params)
}

// Validate returns a copy of params with defaults filled in, or
// fault.InvalidArgument naming the tool, the field and what was expected, with
// the nearest name as hint.
func (v *Validator) Validate(params map[string]any) (map[string]any, error) {
	if v.schema == nil {
		return checkFields(v.spec.Name, "", v.spec.Params, params)
	}
	out, _ := convert(params, v.schema.Schema(), 0).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	if unknown := undeclared(v.schema.Schema(), out); unknown != "" {
		return nil, unknownField(v.spec.Name, unknown, slices.Sorted(maps.Keys(v.schema.Schema().Properties)))
	}
	if err := v.schema.ApplyDefaults(&out); err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "tool %s: %v", v.spec.Name, err)
	}
	out, _ = convert(out, v.schema.Schema(), 0).(map[string]any) // a default decodes as float64
	if err := v.schema.Validate(out); err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "tool %s: %s", v.spec.Name, schemaMessage(err))
	}
	return out, nil
}

func checkFields(tool, path string, fields []Param, params map[string]any) (map[string]any, error) {
	for _, name := range sortedKeys(params) {
		if !slices.ContainsFunc(fields, func(p Param) bool { return p.Name == name }) {
			return nil, unknownField(tool, path+name, names(fields))
		}
	}
	out := make(map[string]any, len(fields))
	for _, p := range fields {
		v, given := params[p.Name]
		if !given || v == nil {
			if p.Required {
				return nil, fault.Errorf(fault.InvalidArgument, "tool %s: missing required parameter %q (%s)", tool, path+p.Name, expected(p)).
					WithDetail("field", path+p.Name)
			}
			if p.Default != nil {
				out[p.Name] = clone(p.Default)
			}
			continue
		}
		c, err := checkField(tool, path, p, v)
		if err != nil {
			return nil, err
		}
		out[p.Name] = c
	}
	return out, nil
}

func checkField(tool, path string, p Param, v any) (any, error) {
	c, ok := conform(v, p.Type)
	if !ok {
		return nil, fault.Errorf(fault.InvalidArgument, "tool %s: parameter %q: expected %s, got %s", tool, path+p.Name, expected(p), typeName(v)).
			WithDetail("field", path+p.Name)
	}
	if s, ok := c.(string); ok && len(p.Enum) > 0 && !slices.Contains(p.Enum, s) {
		e := fault.Errorf(fault.InvalidArgument, "tool %s: parameter %q: %q is not one of %s", tool, path+p.Name, cut(s), strings.Join(p.Enum, ", ")).
			WithDetail("field", path+p.Name)
		if near := fault.Nearest(s, p.Enum); near != "" {
			e.Hint = "did you mean \"" + near + "\"?"
		}
		return nil, e
	}
	if m, ok := c.(map[string]any); ok && len(p.Fields) > 0 {
		return checkFields(tool, path+p.Name+".", p.Fields, m)
	}
	return c, nil
}

func unknownField(tool, field string, known []string) error {
	e := fault.Errorf(fault.InvalidArgument, "tool %s: unknown parameter %q", tool, cut(field)).WithDetail("field", cut(field))
	last := field[strings.LastIndexByte(field, '.')+1:]
	switch near := fault.Nearest(last, known); {
	case near != "":
		e.Hint = "did you mean \"" + near + "\"?"
	case len(known) == 0:
		e.Hint = "the tool takes no parameters"
	default:
		e.Hint = "known: " + strings.Join(known, ", ")
	}
	return e
}

func expected(p Param) string {
	if p.Type == "" {
		return "any value"
	}
	return p.Type
}

// convert applies conform along a schema's types, so that what the schema calls
// an integer arrives as int64.
func convert(v any, s *jsonschema.Schema, depth int) any {
	if s == nil || depth > 64 {
		return v
	}
	if c, ok := conform(v, s.Type); ok {
		v = c
	}
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = convert(e, s.Properties[k], depth+1)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = convert(e, s.Items, depth+1)
		}
		return out
	}
	return v
}

// undeclared returns the first member of params that a closed schema does not name.
func undeclared(s *jsonschema.Schema, params map[string]any) string {
	closed := s.AdditionalProperties != nil && s.AdditionalProperties.Not != nil && len(s.PatternProperties) == 0
	if !closed {
		return ""
	}
	for _, name := range sortedKeys(params) {
		if s.Properties[name] == nil {
			return name
		}
	}
	return ""
}

// schemaMessage shortens the validator's chain of locations.
func schemaMessage(err error) string {
	return cut(strings.TrimPrefix(err.Error(), "validating root: "))
}

func cut(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "..."
	}
	return s
}

func clone(v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = clone(e)
		}
		return out
	case int:
		return int64(t)
	}
	return v
}
