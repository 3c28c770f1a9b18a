// Package canon is the canonical encoding of script values: JSON with sorted
// keys that gives back exactly what went in. What plain JSON cannot say has a
// tagged form:
//
//	1, 1.0            integer and float are kept apart: 1 and 1.0
//	{"$int":"…"}      an integer beyond 2^53
//	{"$float":"nan"}  nan, inf, -inf
//	{"$bytes":"…"}    a string that is not UTF-8, base64
//	{"$map":[[k,v]…]} an object with a key that starts with "$" or is not UTF-8
//
// Values are nil, bool, int64, float64, string, []any, map[string]any and
// script.Null. State, the journal and recorded tool results use it:
//
//	raw, err := canon.Encode(map[string]any{"n": 1.0}) // {"n":1.0}
//	v, err := canon.Decode(raw)
package canon

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/script"
)

// MaxDepth is how deep a value may nest.
const MaxDepth = 128

const maxExact = 1 << 53 // integers up to here survive every JSON reader

// Value makes any script value a JSON member in canonical form.
type Value struct{ V any }

func (v Value) MarshalJSON() ([]byte, error) { return Encode(v.V) }

func (v *Value) UnmarshalJSON(raw []byte) (err error) {
	v.V, err = Decode(raw)
	return err
}

// Encode returns the canonical form of v, or fault.NotSerializable naming the
// path of what cannot be encoded.
func Encode(v any) ([]byte, error) {
	e := encoder{}
	if err := e.value(v, "$", 0); err != nil {
		return nil, err
	}
	return e.buf, nil
}

type encoder struct{ buf []byte }

func (e *encoder) value(v any, path string, depth int) error {
	if depth > MaxDepth {
		return fault.Errorf(fault.NotSerializable, "value nests deeper than %d levels", MaxDepth)
	}
	switch t := v.(type) {
	case nil, script.Null:
		e.raw("null")
	case bool:
		e.buf = strconv.AppendBool(e.buf, t)
	case int:
		e.integer(int64(t))
	case int64:
		e.integer(t)
	case float64:
		e.float(t)
	case string:
		e.text(t)
	case []any:
		return e.list(t, path, depth)
	case map[string]any:
		return e.object(t, path, depth)
	default:
		return fault.Errorf(fault.NotSerializable, "%s: a %T cannot be stored", path, v)
	}
	return nil
}

func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) integer(n int64) {
	if n > maxExact || n < -maxExact {
		e.raw(`{"$int":"` + strconv.FormatInt(n, 10) + `"}`)
		return
	}
	e.buf = strconv.AppendInt(e.buf, n, 10)
}

func (e *encoder) float(f float64) {
	switch {
	case math.IsNaN(f):
		e.raw(`{"$float":"nan"}`)
	case math.IsInf(f, 1):
		e.raw(`{"$float":"inf"}`)
	case math.IsInf(f, -1):
		e.raw(`{"$float":"-inf"}`)
	default:
		e.raw(FormatFloat(f))
	}
}

// FormatFloat writes a finite float so that it reads back as a float, with a
// fraction or an exponent.
func FormatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func (e *encoder) text(s string) {
	if !utf8.ValidString(s) {
		e.raw(`{"$bytes":"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}`)
		return
	}
	e.quote(s)
}

func (e *encoder) quote(s string) {
	e.buf = append(e.buf, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			e.buf = append(e.buf, '\\', c)
		case c == '\n':
			e.raw(`\n`)
		case c < 0x20:
			const hex = "0123456789abcdef"
			e.buf = append(e.buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			e.buf = append(e.buf, c)
		}
	}
	e.buf = append(e.buf, '"')
}

func (e *encoder) list(l []any, path string, depth int) error {
	e.raw("[")
	for i, v := range l {
		if i > 0 {
			e.raw(",")
		}
		if err := e.value(v, path+"["+strconv.Itoa(i+1)+"]", depth+1); err != nil {
			return err
		}
	}
	e.raw("]")
	return nil
}

func (e *encoder) object(m map[string]any, path string, depth int) error {
	keys := slices.Sorted(maps.Keys(m))
	plain := !slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, "$") || !utf8.ValidString(k) })
	open, mid, end := "{", ":", "}"
	if !plain {
		open, mid, end = `{"$map":[`, ",", "]}"
	}
	e.raw(open)
	for i, k := range keys {
		if i > 0 {
			e.raw(",")
		}
		if !plain {
			e.raw("[")
		}
		e.text(k)
		e.raw(mid)
		if err := e.value(m[k], path+"."+k, depth+1); err != nil {
			return err
		}
		if !plain {
			e.raw("]")
		}
	}
	e.raw(end)
	return nil
}

var _ json.Marshaler = Value{}
