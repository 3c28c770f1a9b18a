package server

import (
	"reflect"

	"github.com/llmspell/llmspell/internal/canon"
)

// jsonType names a Go kind as JSON Schema does.
func jsonType(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Map, reflect.Struct:
		return "object"
	}
	return "integer"
}

// goValue turns a member that decode read into script data. Bodies do not nest
// deep enough for the error.
func goValue(v any) any {
	out, _ := canon.FromDecoded(v)
	return out
}
