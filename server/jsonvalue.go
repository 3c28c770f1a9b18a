package server

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
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

// goValue turns decoded JSON (with json.Number) into script data: a number
// without fraction or exponent that fits 64 bits is an int64, any other a float64.
func goValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return f
	case []any:
		for i := range v {
			v[i] = goValue(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = goValue(v[k])
		}
	}
	return v
}
