package gate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
)

// Encode writes the arguments or the result of a call so that Decode restores
// it exactly. It is JSON, with three additions inside values of type any:
// integral floats keep a fraction (3.0), and what JSON cannot say is written as
// an object of one key: {"$base64": s} for text that is not UTF-8, {"$float":
// s} for NaN and infinities; a key that begins with "$" gets another one.
func Encode(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("null"), nil
	}
	boxed := reflect.New(reflect.TypeOf((*any)(nil)).Elem()).Elem()
	boxed.Set(reflect.ValueOf(v))
	plain, err := rewrite(boxed, escape, 0)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(plain.Interface()); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// Decode restores a value written by Encode.
func Decode[T any](raw json.RawMessage) (T, error) {
	var v T
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return v, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return v, fmt.Errorf("data after the value")
	}
	out, err := rewrite(reflect.ValueOf(&v).Elem(), unescape, 0)
	if err != nil {
		return v, err
	}
	reflect.ValueOf(&v).Elem().Set(out)
	return v, nil
}

// maxDepth bounds the nesting of recorded values.
const maxDepth = 1000

// rewrite returns a copy of v in which f was applied to every scalar and map
// that stands in a slot of type any. Values without such slots are shared.
func rewrite(v reflect.Value, f func(any) (any, error), depth int) (reflect.Value, error) {
	if depth > maxDepth {
		return v, fault.Errorf(fault.NotSerializable, "value is nested deeper than %d", maxDepth)
	}
	switch v.Kind() {
	case reflect.Interface:
		return rewriteAny(v, f, depth)
	case reflect.Pointer:
		if v.IsNil() || !holdsAny(v.Type().Elem(), nil) {
			return v, nil
		}
		inner, err := rewrite(v.Elem(), f, depth+1)
		if err != nil {
			return v, err
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(inner)
		return out, nil
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		if !holdsAny(v.Type(), nil) {
			return v, nil
		}
		return rewriteParts(v, f, depth)
	}
	return v, nil
}

// rewriteAny rewrites what an interface value holds. Only the empty interface
// holds data that f may replace by data of another type.
func rewriteAny(v reflect.Value, f func(any) (any, error), depth int) (reflect.Value, error) {
	if v.IsNil() || v.NumMethod() > 0 {
		return v, nil
	}
	inner, err := rewrite(v.Elem(), f, depth+1)
	if err != nil {
		return v, err
	}
	held, err := f(inner.Interface())
	if err != nil {
		return v, err
	}
	out := reflect.New(v.Type()).Elem()
	if held != nil {
		out.Set(reflect.ValueOf(held))
	}
	return out, nil
}

func rewriteParts(v reflect.Value, f func(any) (any, error), depth int) (reflect.Value, error) {
	out := reflect.New(v.Type()).Elem()
	var failed error
	part := func(p reflect.Value) reflect.Value {
		r, err := rewrite(p, f, depth+1)
		if err != nil && failed == nil {
			failed = err
		}
		return r
	}
	switch v.Kind() {
	case reflect.Struct:
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(part(v.Field(i)))
			}
		}
	case reflect.Map:
		if v.IsNil() {
			return v, nil
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), part(it.Value()))
		}
	default:
		if v.Kind() == reflect.Slice {
			if v.IsNil() {
				return v, nil
			}
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		}
		for i := range v.Len() {
			out.Index(i).Set(part(v.Index(i)))
		}
	}
	return out, failed
}

// holdsAny reports whether values of t may contain a slot of type any. Types
// that encode themselves are left alone.
func holdsAny(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Array:
		return holdsAny(t.Elem(), seen)
	case reflect.Struct:
		if seen[t] {
			return false
		}
		if seen == nil {
			seen = map[reflect.Type]bool{}
		}
		seen[t] = true
		for f := range t.Fields() {
			if f.IsExported() && holdsAny(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

func escape(v any) (any, error) {
	switch v := v.(type) {
	case float64:
		return escapeFloat(v), nil
	case string:
		if !utf8.ValidString(v) {
			return map[string]any{"$base64": base64.StdEncoding.EncodeToString([]byte(v))}, nil
		}
	case map[string]any:
		return escapeKeys(v)
	}
	return v, nil
}

func escapeKeys(m map[string]any) (any, error) {
	for k := range m {
		if !utf8.ValidString(k) {
			return nil, fault.Errorf(fault.InvalidUTF8, "a key is not UTF-8")
		}
	}
	return renameKeys(m, "$", func(k string) string { return "$" + k }), nil
}

// renameKeys returns m with rename applied to the keys that begin with prefix.
func renameKeys(m map[string]any, prefix string, rename func(string) string) map[string]any {
	found := false
	for k := range m {
		found = found || strings.HasPrefix(k, prefix)
	}
	if !found {
		return m
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		if strings.HasPrefix(k, prefix) {
			k = rename(k)
		}
		out[k] = v
	}
	return out
}

func escapeFloat(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return map[string]any{"$float": fmt.Sprint(f)}
	}
	text, _ := json.Marshal(f)
	if bytes.ContainsAny(text, ".e") {
		return json.Number(text)
	}
	return json.Number(text) + ".0"
}

func unescape(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case map[string]any:
		if s, ok := v["$base64"].(string); ok && len(v) == 1 {
			b, err := base64.StdEncoding.DecodeString(s)
			return string(b), err
		}
		if s, ok := v["$float"].(string); ok && len(v) == 1 {
			return specialFloat(s)
		}
		return renameKeys(v, "$$", func(k string) string { return k[1:] }), nil
	}
	return v, nil
}

func specialFloat(s string) (any, error) {
	switch s {
	case "NaN":
		return math.NaN(), nil
	case "+Inf":
		return math.Inf(1), nil
	case "-Inf":
		return math.Inf(-1), nil
	}
	return nil, fmt.Errorf("%q is not a float", s)
}
