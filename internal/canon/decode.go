package canon

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/script"
)

// Decode reads one canonical value. Plain JSON is canonical too, except for
// objects with a key that starts with "$".
func Decode(raw []byte) (any, error) {
	v, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return untag(v, 0)
}

// ParseJSON reads one plain JSON value by the rules of the scripting contract:
// a number without fraction or exponent that fits is int64, any other float64;
// null in an array is script.Null, as an object member it is absent.
func ParseJSON(raw []byte) (any, error) {
	v, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return FromDecoded(v)
}

func parse(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fault.Errorf(fault.ParseError, "JSON ends early")
		}
		return nil, fault.Errorf(fault.ParseError, "not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.Errorf(fault.ParseError, "more text after the JSON value")
	}
	return v, nil
}

// Number converts a JSON number.
func Number(n json.Number) any {
	s := n.String()
	if !strings.ContainsAny(s, ".eE") {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i
		}
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range gives ±Inf
	return f
}

// FromDecoded turns what encoding/json decoded with UseNumber into script values
// by the rules of ParseJSON. It changes v in place; the only error is too deep
// nesting.
func FromDecoded(v any) (any, error) { return walk(v, 0, nil) }

func untag(v any, depth int) (any, error) { return walk(v, depth, tagged) }

// walk turns what encoding/json made into script values. tag, if set, answers
// tagged objects.
func walk(v any, depth int, tag func(map[string]any, int) (any, bool, error)) (any, error) {
	if depth > MaxDepth {
		return nil, fault.Errorf(fault.ParseError, "value nests deeper than %d levels", MaxDepth)
	}
	switch t := v.(type) {
	case json.Number:
		return Number(t), nil
	case []any:
		for i, e := range t {
			if e == nil {
				t[i] = script.Null{}
				continue
			}
			w, err := walk(e, depth+1, tag)
			if err != nil {
				return nil, err
			}
			t[i] = w
		}
	case map[string]any:
		if tag != nil && len(t) == 1 {
			if w, is, err := tag(t, depth); is || err != nil {
				return w, err
			}
		}
		for k, e := range t {
			if e == nil {
				delete(t, k)
				continue
			}
			w, err := walk(e, depth+1, tag)
			if err != nil {
				return nil, err
			}
			t[k] = w
		}
	}
	return v, nil
}

func tagged(m map[string]any, depth int) (any, bool, error) {
	for k, v := range m {
		switch k {
		case "$int":
			s, _ := v.(string)
			n, err := strconv.ParseInt(s, 10, 64)
			return n, true, bad(err)
		case "$float":
			s, _ := v.(string)
			f, ok := map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}[s]
			if !ok {
				return nil, true, fault.Errorf(fault.ParseError, "bad $float form")
			}
			return f, true, nil
		case "$bytes":
			s, _ := v.(string)
			b, err := base64.StdEncoding.DecodeString(s)
			return string(b), true, bad(err)
		case "$map":
			out, err := pairs(v, depth)
			return out, true, err
		}
	}
	return nil, false, nil
}

func pairs(v any, depth int) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fault.Errorf(fault.ParseError, "bad $map form")
	}
	out := make(map[string]any, len(list))
	for _, e := range list {
		pair, ok := e.([]any)
		if !ok || len(pair) != 2 {
			return nil, fault.Errorf(fault.ParseError, "bad $map form")
		}
		k, err := untag(pair[0], depth+1)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if !ok {
			return nil, fault.Errorf(fault.ParseError, "bad $map form")
		}
		w, err := untag(pair[1], depth+1)
		if err != nil {
			return nil, err
		}
		if w != nil {
			out[key] = w
		}
	}
	return out, nil
}

func bad(err error) error {
	if err != nil {
		return fault.Errorf(fault.ParseError, "bad tagged value: %w", err)
	}
	return nil
}
