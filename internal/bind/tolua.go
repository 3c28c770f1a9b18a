package bind

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// TimeFormat is how scripts see timestamps: RFC 3339 in UTC with milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// smallResult is how much a value may add without being held against the memory
// limit.
const smallResult = 256 << 10

// ToLua converts a Go value: scalars, json.Number, []byte and time.Time, lists
// (marked as arrays, nil elements become JSON.null), maps (keys in order; nil
// members are absent), json.RawMessage, script.Object, script.Record, errors as
// error values, and other structs through their JSON. a is the running call or
// the state. The error is a fault: too_large, memory_limit or internal.
func (b *Binding) ToLua(a Allocator, v any) (lua.Value, error) {
	m := &maker{a: a, growth: growth{b: b}}
	return m.make(v, 0)
}

// Allocator makes Lua objects: a *lua.Call, whose allocations may be refused,
// or a *lua.State.
type Allocator = allocator

// growth counts what a value under construction adds to the state. Its parts
// are not reachable yet, so a walk of the state does not see them.
type growth struct {
	b           *Binding
	added, next int64 // next: when to look again
}

// fits adds n bytes and reports whether they fit in the state's memory.
func (g *growth) fits(n int) bool {
	g.added += int64(n)
	if g.added < smallResult || g.added < g.next {
		return true
	}
	g.next = g.added + max(smallResult, g.added/2)
	return g.b.st.Room(g.added)
}

type maker struct {
	a allocator
	growth
}

// charge refuses a result that cannot fit.
func (m *maker) charge(n int) error {
	if m.fits(n) {
		return nil
	}
	return fault.Errorf(fault.MemoryLimit, "the result does not fit in the interpreter's memory").
		WithHint("[runtime.security] max_memory_bytes is the limit")
}

func (m *maker) string(s string) (lua.Value, error) {
	if err := m.charge(40 + len(s)); err != nil {
		return lua.Nil, err
	}
	return m.a.NewString(s), nil
}

func (m *maker) make(v any, depth int) (lua.Value, error) {
	if depth > 2*maxDepth {
		return lua.Nil, fault.Errorf(fault.TooLarge, "the result is nested deeper than %d", 2*maxDepth)
	}
	switch v := v.(type) {
	case nil:
		return lua.Nil, nil
	case bool:
		return lua.Boolean(v), nil
	case int:
		return lua.Integer(int64(v)), nil
	case int64:
		return lua.Integer(v), nil
	case float64:
		return lua.Float(v), nil
	case string:
		return m.string(v)
	case []byte:
		return m.string(string(v))
	case []any:
		return list(m, v, depth)
	case map[string]any:
		return object(m, v, depth)
	case lua.Value:
		return v, nil
	case script.Null:
		return m.b.Null(), nil
	case Closing:
		return m.b.st.NewUserdata(closingType, v), nil
	case script.Object:
		return m.b.handle(v)
	case *script.Object:
		return m.b.handle(*v)
	case script.Record:
		return m.record(v, depth)
	case *script.Record:
		return m.record(*v, depth)
	}
	return m.other(v, depth)
}

// other converts the less common types.
func (m *maker) other(v any, depth int) (lua.Value, error) {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case json.RawMessage:
		return m.raw(v)
	case time.Time:
		return m.string(v.UTC().Format(TimeFormat))
	case time.Duration:
		return lua.Float(float64(v) / float64(time.Millisecond)), nil
	case []string:
		return list(m, v, depth)
	case []map[string]any:
		return list(m, v, depth)
	case map[string]string:
		return object(m, v, depth)
	case error:
		return m.b.ErrorValue(v, "", ""), nil
	}
	return m.reflected(reflect.ValueOf(v), depth)
}

// reflected converts named and generic types.
func (m *maker) reflected(v reflect.Value, depth int) (lua.Value, error) {
	switch v.Kind() {
	case reflect.Bool:
		return lua.Boolean(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return lua.Integer(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := v.Uint(); u > math.MaxInt64 {
			return lua.Float(float64(u)), nil
		}
		return lua.Integer(int64(v.Uint())), nil
	case reflect.Float32, reflect.Float64:
		return lua.Float(v.Float()), nil
	case reflect.String:
		return m.string(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return lua.Nil, nil
		}
		if v.Elem().Kind() != reflect.Struct {
			return m.make(v.Elem().Interface(), depth+1)
		}
	case reflect.Slice, reflect.Array:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = v.Index(i).Interface()
		}
		return list(m, items, depth)
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			members := make(map[string]any, v.Len())
			for it := v.MapRange(); it.Next(); {
				members[it.Key().String()] = it.Value().Interface()
			}
			return object(m, members, depth)
		}
	}
	raw, err := json.Marshal(v.Interface())
	if err != nil {
		return lua.Nil, fault.Errorf(fault.Internal, "a %s is no value for a script: %w", v.Type(), err)
	}
	return m.raw(raw)
}

func number(n json.Number) (lua.Value, error) {
	if !strings.ContainsAny(string(n), ".eE") {
		if i, err := n.Int64(); err == nil {
			return lua.Integer(i), nil
		}
	}
	f, err := n.Float64()
	if err != nil {
		return lua.Nil, fault.Errorf(fault.Internal, "%q is no number", bounded(string(n)))
	}
	return lua.Float(f), nil
}

func (m *maker) raw(raw json.RawMessage) (lua.Value, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return lua.Nil, nil
	}
	if err := m.charge(2 * len(raw)); err != nil {
		return lua.Nil, err
	}
	return m.b.ParseJSON(m.a, string(raw), ParseOptions{MaxDepth: 2 * maxDepth})
}

func (m *maker) record(r script.Record, depth int) (lua.Value, error) {
	v, err := object(m, r.Fields, depth)
	if err != nil {
		return v, err
	}
	t, _ := v.AsTable()
	meta, _ := m.b.st.Deref(m.b.recordMeta).AsTable()
	if text, ok := r.Fields["text"].(string); !ok || text != r.Text {
		meta = m.b.st.TableOf(m.b.lib.metas.record)
		text, err := m.string(r.Text)
		if err != nil {
			return v, err
		}
		_ = m.b.st.RawSet(meta, m.b.st.NewString(recordTextKey), text) // a string key of a fresh table
	}
	m.b.st.SetMetatable(t, meta)
	return v, nil
}

func list[T any](m *maker, items []T, depth int) (lua.Value, error) {
	if err := m.charge(64 + 16*len(items)); err != nil {
		return lua.Nil, err
	}
	t := m.a.NewTable(len(items), 0)
	t.MarkArray(true)
	for i, item := range items {
		v, err := m.make(item, depth+1)
		if err != nil {
			return lua.Nil, err
		}
		if v.IsNil() {
			v = m.b.Null()
		}
		if err := m.b.st.RawSet(t, lua.Integer(int64(i)+1), v); err != nil {
			return lua.Nil, err
		}
	}
	return t.Value(), nil
}

func object[T any](m *maker, members map[string]T, depth int) (lua.Value, error) {
	if err := m.charge(64 + 32*len(members)); err != nil {
		return lua.Nil, err
	}
	t := m.a.NewTable(0, len(members))
	for _, name := range sortedKeys(members) {
		v, err := m.make(members[name], depth+1)
		if err != nil {
			return lua.Nil, err
		}
		if v.IsNil() || IsNull(v) {
			continue // null as a member: absent
		}
		k, err := m.string(name)
		if err != nil {
			return lua.Nil, err
		}
		if k.IsNil() {
			return lua.Nil, errRaised // refused
		}
		if err := m.b.st.RawSet(t, k, v); err != nil {
			return lua.Nil, err
		}
	}
	return t.Value(), nil
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
