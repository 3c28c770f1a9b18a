package schema

import (
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/llmspell/llmspell/fault"
)

// maxApplied is how many subschemas may apply to one and the same value.
const maxApplied = 10_000

// checkRefs refuses a schema that validating would not finish with, in time or
// at all: one where references lead back to a schema for the same value, or
// multiply the schemas for it.
func checkRefs(root *jsonschema.Schema) error {
	w := refWalk{root: root, applied: map[*jsonschema.Schema]int{}, seen: map[*jsonschema.Schema]bool{}}
	return w.everywhere(root)
}

type refWalk struct {
	root    *jsonschema.Schema
	applied map[*jsonschema.Schema]int // subschemas for the same value; onPath while being counted
	seen    map[*jsonschema.Schema]bool
}

const onPath = -1

// everywhere starts a count at every subschema.
func (w *refWalk) everywhere(s *jsonschema.Schema) error {
	if s == nil || w.seen[s] {
		return nil
	}
	w.seen[s] = true
	if _, err := w.count(s); err != nil {
		return err
	}
	for _, c := range append(inPlace(s), below(s)...) {
		if err := w.everywhere(c); err != nil {
			return err
		}
	}
	return nil
}

// count returns how many schemas apply to a value of s.
func (w *refWalk) count(s *jsonschema.Schema) (int, error) {
	switch n := w.applied[s]; {
	case n == onPath:
		return 0, fault.Errorf(fault.InvalidArgument, "schema: a $ref leads back to itself")
	case n > 0:
		return n, nil
	}
	w.applied[s] = onPath
	next := inPlace(s)
	if s.DynamicRef != "" {
		return 0, fault.Errorf(fault.InvalidArgument, "schema: $dynamicRef is not supported")
	}
	if s.Ref != "" {
		target, err := w.target(s.Ref)
		if err != nil {
			return 0, err
		}
		next = append(next, target)
	}
	total := 1
	for _, c := range next {
		if c == nil {
			continue
		}
		n, err := w.count(c)
		if err != nil {
			return 0, err
		}
		if total += n; total > maxApplied {
			return 0, fault.Errorf(fault.InvalidArgument, "schema: more than %d subschemas apply to one value", maxApplied)
		}
	}
	w.applied[s] = total
	return total, nil
}

// target resolves "#" and "#/$defs/NAME", the references that are supported.
func (w *refWalk) target(ref string) (*jsonschema.Schema, error) {
	if ref == "#" {
		return w.root, nil
	}
	for prefix, defs := range map[string]map[string]*jsonschema.Schema{"#/$defs/": w.root.Defs, "#/definitions/": w.root.Definitions} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
			if s := defs[name]; s != nil {
				return s, nil
			}
		}
	}
	return nil, fault.Errorf(fault.InvalidArgument, "schema: $ref %.100q: only # and names in $defs are followed", ref)
}

// inPlace lists the subschemas that apply to the same value as s.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	out := append([]*jsonschema.Schema{s.Not, s.If, s.Then, s.Else}, s.AllOf...)
	out = append(append(out, s.AnyOf...), s.OneOf...)
	for _, d := range s.DependentSchemas {
		out = append(out, d)
	}
	for _, d := range s.DependencySchemas {
		out = append(out, d)
	}
	return out
}

// below lists the subschemas that apply to parts of the value, and definitions.
func below(s *jsonschema.Schema) []*jsonschema.Schema {
	out := []*jsonschema.Schema{
		s.Items, s.AdditionalItems, s.Contains, s.UnevaluatedItems, s.AdditionalProperties,
		s.PropertyNames, s.UnevaluatedProperties, s.ContentSchema,
	}
	out = append(append(out, s.PrefixItems...), s.ItemsArray...)
	for _, m := range []map[string]*jsonschema.Schema{s.Properties, s.PatternProperties, s.Defs, s.Definitions} {
		for _, c := range m {
			out = append(out, c)
		}
	}
	return out
}
