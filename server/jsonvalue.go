package server

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
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

// stateJSON is a state value as the wire tells it, by the rules of POST
// /execute: floats keep their fraction, integers all digits, non-finite numbers
// are strings, and text that is not UTF-8 is {"$base64": ...}.
type stateJSON struct{ v any }

func (s stateJSON) MarshalJSON() ([]byte, error) {
	switch v := s.v.(type) {
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case float64:
		return floatJSON(v), nil
	case string:
		if !utf8.ValidString(v) {
			return json.Marshal(map[string]string{"$base64": base64.StdEncoding.EncodeToString([]byte(v))})
		}
		return json.Marshal(v)
	case []any:
		list := make([]stateJSON, len(v))
		for i := range v {
			list[i].v = v[i]
		}
		return json.Marshal(list)
	case map[string]any:
		members := make(map[string]stateJSON, len(v))
		for k := range v {
			members[k] = stateJSON{v[k]}
		}
		return json.Marshal(members)
	}
	return canon.Encode(s.v) // booleans and null
}

func floatJSON(f float64) []byte {
	switch {
	case math.IsNaN(f):
		return []byte(`"NaN"`)
	case math.IsInf(f, 1):
		return []byte(`"Infinity"`)
	case math.IsInf(f, -1):
		return []byte(`"-Infinity"`)
	}
	return []byte(canon.FormatFloat(f))
}

// finite refuses decoded JSON with a number beyond the range of a float.
func finite(v any) error {
	switch v := v.(type) {
	case float64:
		if math.IsInf(v, 0) {
			return fault.Errorf(fault.InvalidArgument, "a number is beyond the range of a float")
		}
	case []any:
		for _, item := range v {
			if err := finite(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, item := range v {
			if err := finite(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// goValue turns a member that decode read into script data. Bodies do not nest
// deep enough for the error.
func goValue(v any) any {
	out, _ := canon.FromDecoded(v)
	return out
}
