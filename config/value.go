package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// maxDuration bounds every duration, so that sums cannot overflow.
const maxDuration = 100 * 365 * 24 * time.Hour

// want is what the key accepts, for messages.
func (e *entry) want() string {
	switch e.kind {
	case kindBool:
		return "true or false"
	case kindInt:
		return "an integer"
	case kindFloat:
		return "a number"
	case kindDuration:
		return `seconds as an integer, or text such as "90s", "5m", "24h"`
	case kindMillis:
		return "milliseconds as an integer"
	case kindUmask:
		return `0 to 0o777, or text such as "077"`
	case kindList, kindPathList:
		return "an array of strings"
	case kindTable:
		return "a table"
	case kindStrings:
		return "a table of strings"
	case kindEnum:
		return "one of " + strings.Join(e.enum(), ", ")
	}
	return "a string"
}

func (e *entry) wrong(v any) error {
	return fmt.Errorf("must be %s, not %s", e.want(), typeName(v))
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// decode turns a TOML value into the key's Go value: bool, int64, float64, string,
// time.Duration, []string, map[string]any or map[string]string.
func (e *entry) decode(v any) (any, error) {
	switch e.kind {
	case kindBool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case kindInt:
		if i, ok := v.(int64); ok {
			return i, nil
		}
	case kindFloat:
		switch f := v.(type) {
		case int64:
			return float64(f), nil
		case float64:
			if !math.IsNaN(f) && !math.IsInf(f, 0) {
				return f, nil
			}
			return nil, errors.New("must be a finite number")
		}
	case kindString, kindEnum, kindPath, kindSecret:
		if s, ok := v.(string); ok {
			return s, checkText(s)
		}
	case kindDuration, kindMillis, kindUmask:
		return e.decodeScaled(v)
	case kindList, kindPathList:
		return e.decodeList(v)
	case kindTable:
		if m, ok := v.(map[string]any); ok {
			return maps.Clone(m), nil
		}
	case kindStrings:
		return e.decodeStrings(v)
	}
	return nil, e.wrong(v)
}

func checkText(s string) error {
	if strings.ContainsRune(s, 0) {
		return errors.New("must not contain a NUL character")
	}
	return nil
}

func (e *entry) decodeScaled(v any) (any, error) {
	switch x := v.(type) {
	case int64:
		switch e.kind {
		case kindUmask:
			return x, nil
		case kindMillis:
			return scale(x, time.Millisecond)
		}
		return scale(x, time.Second)
	case string:
		switch e.kind {
		case kindUmask:
			n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimPrefix(x, "0o"), "0O"), 8, 32)
			if err != nil {
				return nil, fmt.Errorf("must be %s", e.want())
			}
			return int64(n), nil
		case kindDuration:
			return parseDuration(x)
		}
	}
	return nil, e.wrong(v)
}

func scale(n int64, unit time.Duration) (time.Duration, error) {
	if n < 0 || n > int64(maxDuration/unit) {
		return 0, errors.New("must be between 0 and 100 years")
	}
	return time.Duration(n) * unit, nil
}

// parseDuration reads integer seconds, Go durations, and whole days as "30d".
func parseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return scale(n, time.Second)
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseInt(days, 10, 64); err == nil {
			return scale(n, 24*time.Hour)
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New(`must be seconds as an integer, or text such as "90s", "5m", "24h"`)
	}
	if d < 0 || d > maxDuration {
		return 0, errors.New("must be between 0 and 100 years")
	}
	return d, nil
}

func (e *entry) decodeList(v any) (any, error) {
	if s, ok := v.(string); ok && e.Path == "profile" {
		v = []any{s}
	}
	items, ok := v.([]any)
	if !ok {
		return nil, e.wrong(v)
	}
	out := make([]string, len(items))
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("must be an array of strings; item %d is %s", i+1, typeName(item))
		}
		if err := checkText(s); err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

func (e *entry) decodeStrings(v any) (any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, e.wrong(v)
	}
	out := make(map[string]string, len(m))
	for name, item := range m {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("must be a table of strings; %s is %s", name, typeName(item))
		}
		out[name] = s
	}
	return out, nil
}

// parseText reads a value from a variable, a bare word of a flag, or the table.
func (e *entry) parseText(s string) (any, error) {
	switch e.kind {
	case kindBool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return nil, errors.New("must be true or false")
		}
		return b, nil
	case kindInt, kindMillis:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("must be %s", e.want())
		}
		return e.decode(n)
	case kindFloat:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, errors.New("must be a number")
		}
		return e.decode(f)
	case kindList, kindPathList:
		if !strings.HasPrefix(strings.TrimSpace(s), "[") {
			return splitList(s), nil
		}
	case kindTable, kindStrings:
	default:
		return e.decode(s)
	}
	v, err := tomlScalar(s)
	if err != nil {
		return nil, fmt.Errorf("must be %s, in TOML syntax", e.want())
	}
	return e.decode(v)
}

func splitList(s string) []string {
	out := []string{}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// tomlScalar reads s as the right-hand side of a TOML key. One value on one line
// only, so that it cannot add keys.
func tomlScalar(s string) (any, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("more than one line")
	}
	var m map[string]any
	if err := toml.Unmarshal([]byte("v = "+s), &m); err != nil {
		return nil, err
	}
	return m["v"], nil
}

// assign stores a decoded value in field.
func assign(field reflect.Value, v any) {
	switch field.Interface().(type) {
	case Secret:
		field.Set(reflect.ValueOf(NewSecret(v.(string))))
		return
	case *float64:
		f := v.(float64)
		field.Set(reflect.ValueOf(&f))
		return
	}
	rv := reflect.ValueOf(v)
	if l, ok := v.([]string); ok {
		rv = reflect.ValueOf(slices.Clone(l))
	}
	field.Set(rv.Convert(field.Type()))
}

// display is the value as a user would write it in TOML, with secrets redacted:
// bool, int64, float64, string, []string, map[string]any, or nil if unset.
func (e *entry) display(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if v.IsZero() && (e.Default == "" || e.derived()) && v.Kind() != reflect.Slice && v.Kind() != reflect.Bool {
		return nil
	}
	switch x := v.Interface().(type) {
	case Secret:
		return redactedText
	case time.Duration:
		if e.kind == kindMillis {
			return x.Milliseconds()
		}
		if x%time.Second == 0 {
			return int64(x / time.Second)
		}
		return x.String()
	case []string:
		return append([]string{}, x...)
	case map[string]string:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = redactedText
		}
		return out
	case map[string]any:
		return redactTable(x)
	case int, int64:
		return v.Int()
	}
	return v.Interface()
}

// redactTable copies a table that is read by others, hiding what by its name may
// be a credential.
func redactTable(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = redactValue(k, v)
	}
	return out
}

func redactValue(name string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		return redactTable(x)
	case []any:
		items := make([]any, len(x))
		for i, item := range x {
			items[i] = redactValue(name, item)
		}
		return items
	}
	name = strings.ToLower(name)
	for _, word := range []string{"key", "token", "secret", "password", "auth", "credential", "dsn"} {
		if strings.Contains(name, word) && !strings.HasSuffix(name, "_tokens") {
			return redactedText
		}
	}
	return v
}
