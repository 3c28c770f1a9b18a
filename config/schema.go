package config

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// variablePattern lets a schema accept ${VAR} in place of a value of any form.
const variablePattern = `\$\{`

// Schema is the JSON Schema (2020-12) of a configuration file, with defaults,
// descriptions, and x-reload ("reload" or "restart") per key. Keys that have not
// landed carry x-pending.
func Schema() json.RawMessage {
	root := tableSchema(bound().root, nil)
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	root.Title = "llmspell configuration"
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("config: schema: " + err.Error())
	}
	return data
}

func tableSchema(n *node, names []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}}
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		c := n.children[name]
		var sub *jsonschema.Schema
		switch path := append(slices.Clone(names), name); {
		case c.dropped != "":
			continue
		case c.entry != nil:
			sub = c.entry.schema()
		case c.alias != nil:
			sub = aliasSchema(path, c)
		default:
			if sub = tableSchema(c, path); len(sub.Properties) == 0 && len(c.children) > 0 && c.children["*"] == nil {
				continue // only dropped names below
			}
		}
		if name == "*" {
			s.AdditionalProperties = sub
			continue
		}
		s.Properties[name] = sub
	}
	return s
}

func aliasSchema(path []string, n *node) *jsonschema.Schema {
	target := strings.Join(n.alias, ".")
	s := bound().byPath[target].schema()
	if strings.Join(path, ".") == "logging.json_format" {
		s = &jsonschema.Schema{Type: "boolean"}
	}
	s.Description = "alias of " + target
	s.Deprecated = true
	s.Default = nil
	return s
}

// schema describes one key. A string pattern does not constrain numbers, and a
// range does not constrain strings, so both stand side by side.
func (e *entry) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{Description: e.Doc, Extra: map[string]any{"x-reload": string(e.Reload)}}
	if e.pending {
		s.Extra["x-pending"] = true
	}
	s.WriteOnly = e.kind == kindSecret
	switch e.kind {
	case kindBool:
		s.Types, s.Pattern = []string{"boolean", "string"}, variablePattern
	case kindInt, kindMillis:
		s.Types, s.Pattern = []string{"integer", "string"}, variablePattern
	case kindFloat:
		s.Types, s.Pattern = []string{"number", "string"}, variablePattern
	case kindDuration:
		s.Types, s.Pattern = []string{"integer", "string"}, `^[0-9]|`+variablePattern
	case kindUmask:
		s.Types, s.Pattern = []string{"integer", "string"}, `^(0[oO])?[0-7]+$|`+variablePattern
		s.Minimum, s.Maximum = new(0.0), new(511.0)
	case kindEnum:
		s.AnyOf = []*jsonschema.Schema{{Enum: anys(e.enum())}, {Type: "string", Pattern: variablePattern}}
		if e.Path == "rag.vector_storage.hnsw.metric" {
			s.AnyOf[0].Enum = append(s.AnyOf[0].Enum, "innerproduct")
		}
	case kindList, kindPathList:
		s.Type, s.Items = "array", &jsonschema.Schema{Type: "string"}
		if e.Path == "profile" {
			s.Type, s.Types = "", []string{"array", "string"}
		}
	case kindTable:
		s.Type = "object"
	case kindStrings:
		s.Type, s.AdditionalProperties = "object", &jsonschema.Schema{Type: "string"}
	default:
		s.Type = "string"
	}
	if e.kind != kindEnum && e.kind != kindUmask {
		e.bound(s)
	}
	s.Default = e.defaultJSON()
	return s
}

func (e *entry) bound(s *jsonschema.Schema) {
	lo, hi, exclusive := e.limits()
	s.Maximum = hi
	if exclusive {
		s.ExclusiveMinimum = lo
	} else {
		s.Minimum = lo
	}
}

func (e *entry) defaultJSON() json.RawMessage {
	v := e.defaultValue()
	if v == nil {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic("config: default of " + e.Path + ": " + err.Error())
	}
	return data
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
