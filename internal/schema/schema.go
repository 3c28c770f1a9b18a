// Package schema compiles JSON Schemas that come from outside, such as those of
// Lua tools, so that validating with them always ends: the library recurses
// until the stack overflows, which no recover stops, on a schema that refers to
// itself for the same value.
//
//	s, err := schema.Compile([]byte(`{"type":"object","required":["name"]}`))
//	err = s.Validate(map[string]any{"name": "x"})
package schema

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/llmspell/llmspell/fault"
)

// MaxBytes is the largest schema.
const MaxBytes = 64 << 10

// Compile reads a schema and resolves its references. A text that is no JSON
// Schema, that is too large, that refers to other documents or to itself
// without end is fault.InvalidArgument.
func Compile(raw json.RawMessage) (*jsonschema.Resolved, error) {
	if len(raw) > MaxBytes {
		return nil, fault.Errorf(fault.InvalidArgument, "schema: longer than %d bytes", MaxBytes)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "schema: %w", err)
	}
	if err := checkRefs(&s); err != nil {
		return nil, err
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "schema: %w", err)
	}
	return resolved, nil
}
