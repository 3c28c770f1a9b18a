package bind

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
)

// Limits of data that crosses between Lua and Go.
const (
	maxDepth = 128
	maxSize  = 16 << 20 // bytes of JSON, or of what would be JSON
)

// errRaised says that the error is already set on the lua.Call.
var errRaised = errors.New("raised in the VM")

// sink receives a value from a walker, part by part: scalars, and containers as
// open, parts, close, each part of an object preceded by its key.
type sink interface {
	scalar(v lua.Value) // nil, boolean, number or string; JSON.null as nil
	text(s string)      // a string that stands for something else (lenient)
	open(array bool, n int)
	key(k string)
	close()
}

// walker takes a Lua value apart by the rules of the scripting contract 0.3.
type walker struct {
	st  *lua.State
	c   *lua.Call // to call __tojson and charge fuel; nil: __tojson is ignored
	out sink

	lenient bool
	utf8    bool // refuse (strict) or mark (lenient) strings that are not UTF-8
	handle  func(u *lua.Userdata) (any, bool)
	value   func(v any) // sink of what handle answered

	path  []pathStep
	open  []*lua.Table
	size  int
	nodes int
}

type pathStep struct {
	key   string
	index int // of an array element when key is ""
}

// walk visits v. Its errors are faults that name the place, or errRaised.
func (w *walker) walk(v lua.Value) error {
	w.nodes++
	if w.c != nil && w.nodes%512 == 0 && !w.c.Fuel(512) {
		return errRaised
	}
	switch v.Kind() {
	case lua.KindNil, lua.KindTrue, lua.KindFalse, lua.KindInt:
		return w.scalar(v, 8)
	case lua.KindFloat:
		if f, _ := v.AsFloat(); math.IsNaN(f) || math.IsInf(f, 0) {
			return w.nonFinite(f)
		}
		return w.scalar(v, 8)
	case lua.KindString:
		return w.string(v)
	case lua.KindTable:
		t, _ := v.AsTable()
		return w.table(t)
	}
	return w.opaque(v)
}

func (w *walker) scalar(v lua.Value, size int) error {
	if err := w.grow(size); err != nil {
		return err
	}
	w.out.scalar(v)
	return nil
}

func (w *walker) grow(n int) error {
	if w.size += n; w.size > maxSize {
		return fault.Errorf(fault.TooLarge, "value at %s is larger than %d MiB", w.place(), maxSize>>20)
	}
	return nil
}

func (w *walker) nonFinite(f float64) error {
	if !w.lenient {
		return w.refuse("%s is not a JSON number", strconv.FormatFloat(f, 'g', -1, 64))
	}
	switch {
	case math.IsNaN(f):
		w.out.text("NaN")
	case f > 0:
		w.out.text("Infinity")
	default:
		w.out.text("-Infinity")
	}
	return nil
}

func (w *walker) string(v lua.Value) error {
	s, _ := v.AsString()
	if w.utf8 && !utf8.ValidString(s) {
		if !w.lenient {
			return fault.Errorf(fault.InvalidUTF8, "string at %s is not UTF-8", w.place()).WithDetail("path", w.place())
		}
		if err := w.grow(len(s)*4/3 + 16); err != nil {
			return err
		}
		w.out.open(false, 1)
		w.out.key("$base64")
		w.out.text(base64Text(s))
		w.out.close()
		return nil
	}
	return w.scalar(v, len(s)+2)
}

// opaque visits what is no data.
func (w *walker) opaque(v lua.Value) error {
	if IsNull(v) {
		w.out.scalar(lua.Nil)
		return nil
	}
	u, isUserdata := v.AsUserdata()
	if isUserdata && w.handle != nil {
		if data, ok := w.handle(u); ok {
			w.value(data)
			return nil
		}
	}
	if isUserdata {
		if done, err := w.toJSON(v); done || err != nil {
			return err
		}
	}
	if !w.lenient {
		return w.refuse("a %s cannot be stored as data", typeName(v))
	}
	text := "<" + v.TypeName() + ">"
	if isUserdata {
		text = "<" + w.st.ToStringRaw(v) + ">"
	}
	w.out.text(text)
	return nil
}

func (w *walker) refuse(format string, args ...any) error {
	e := fault.Errorf(fault.NotSerializable, format, args...)
	e.Message = "value at " + w.place() + ": " + e.Message
	return e.WithDetail("path", w.place())
}

// place is the path of the value under visit: $.a.b[3].
func (w *walker) place() string {
	var b strings.Builder
	b.WriteByte('$')
	for i, s := range w.path {
		if i == 20 {
			b.WriteString("...")
			break
		}
		switch {
		case s.key == "" && s.index > 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case isName(s.key):
			b.WriteString("." + s.key)
		default:
			b.WriteString("[" + strconv.Quote(bounded(s.key)) + "]")
		}
	}
	return b.String()
}

func (w *walker) table(t *lua.Table) error {
	if len(w.open) >= maxDepth {
		return w.refuse("nested deeper than %d", maxDepth)
	}
	if slices.Contains(w.open, t) {
		return w.refuse("the table contains itself")
	}
	if t.Metatable() != nil {
		if done, err := w.toJSON(t.Value()); done || err != nil {
			return err
		}
	}
	w.open = append(w.open, t)
	err := w.members(t)
	w.open = w.open[:len(w.open)-1]
	return err
}

func (w *walker) members(t *lua.Table) error {
	n, isArray := arrayLen(t)
	if isArray && (n > 0 || t.IsArrayMarked()) {
		if err := w.grow(2 + n); err != nil {
			return err
		}
		w.out.open(true, n)
		for i := range n {
			w.path = append(w.path, pathStep{index: i + 1})
			if err := w.walk(w.st.RawGet(t, lua.Integer(int64(i)+1))); err != nil {
				return err
			}
			w.path = w.path[:len(w.path)-1]
		}
		w.out.close()
		return nil
	}
	members, err := w.sorted(t)
	if err != nil {
		return err
	}
	w.out.open(false, len(members))
	for _, m := range members {
		w.path = append(w.path, pathStep{key: m.key})
		w.out.key(m.key)
		if err := w.walk(m.value); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
	}
	w.out.close()
	return nil
}

type member struct {
	key   string
	value lua.Value
}

// sorted returns the members of an object by key.
func (w *walker) sorted(t *lua.Table) ([]member, error) {
	var out []member
	for k, v, ok := t.Next(lua.Nil); ok; k, v, ok = t.Next(k) {
		key, err := w.keyText(k)
		if err != nil {
			return nil, err
		}
		if err := w.grow(len(key) + 4); err != nil {
			return nil, err
		}
		out = append(out, member{key, v})
	}
	slices.SortStableFunc(out, func(a, b member) int { return strings.Compare(a.key, b.key) })
	for i := 1; i < len(out); i++ {
		if out[i].key != out[i-1].key {
			continue
		}
		if !w.lenient {
			return nil, w.refuse("two keys with the text %q", bounded(out[i].key))
		}
	}
	return slices.CompactFunc(slices.Clone(reverseRuns(out)), func(a, b member) bool { return a.key == b.key }), nil
}

// reverseRuns reverses each run of equal keys, so that the last one is first.
func reverseRuns(m []member) []member {
	for i := 0; i < len(m); {
		j := i + 1
		for j < len(m) && m[j].key == m[i].key {
			j++
		}
		slices.Reverse(m[i:j])
		i = j
	}
	return m
}

func (w *walker) keyText(k lua.Value) (string, error) {
	switch k.Kind() {
	case lua.KindString:
		s, _ := k.AsString()
		if !w.utf8 || utf8.ValidString(s) {
			return s, nil
		}
		if !w.lenient {
			return "", fault.Errorf(fault.InvalidUTF8, "a key of the table at %s is not UTF-8", w.place())
		}
		return strings.ToValidUTF8(s, "\uFFFD"), nil
	case lua.KindInt, lua.KindFloat:
		return w.st.ToStringRaw(k), nil
	}
	if !w.lenient {
		return "", w.refuse("a %s is no key of an object", typeName(k))
	}
	return w.st.ToStringRaw(k), nil
}

// toJSON visits what __tojson makes of v.
func (w *walker) toJSON(v lua.Value) (done bool, err error) {
	if w.c == nil {
		return false, nil
	}
	f := w.c.Metafield(v, "__tojson")
	if !f.IsFunction() {
		return false, nil
	}
	if len(w.path) >= maxDepth {
		return true, w.refuse("nested deeper than %d", maxDepth)
	}
	results, ok := w.c.CallNested(f, v)
	if !ok {
		return true, errRaised
	}
	var r lua.Value
	if len(results) > 0 {
		r = results[0]
	}
	if r == v {
		return true, w.refuse("__tojson returned the value itself")
	}
	w.path = append(w.path, pathStep{key: "__tojson()"})
	err = w.walk(r)
	w.path = w.path[:len(w.path)-1]
	return true, err
}

// arrayLen returns n and whether t's keys are exactly 1..n (0 for an empty table).
func arrayLen(t *lua.Table) (n int, isArray bool) {
	length := t.Len()
	count := int64(0)
	for k, _, ok := t.Next(lua.Nil); ok; k, _, ok = t.Next(k) {
		i, isInt := k.AsInteger()
		if !isInt || i < 1 || i > length {
			return 0, false
		}
		count++
	}
	return int(count), count == length
}

// IsArray reports whether t is written as a JSON array.
func IsArray(t *lua.Table) bool {
	n, isArray := arrayLen(t)
	return isArray && (n > 0 || t.IsArrayMarked())
}
