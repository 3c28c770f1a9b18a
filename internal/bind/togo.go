package bind

import (
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// ToGo converts a value by the strict rules: nil, bool, int64, float64, string
// with any bytes, []any, map[string]any, script.Null for JSON.null. Tables are
// copied. c may be nil outside a call; __tojson is then ignored. The error is a
// fault, or one that only Raise understands.
func (b *Binding) ToGo(c *lua.Call, v lua.Value) (any, error) { return b.toGo(c, v) }

func (b *Binding) toGo(c *lua.Call, v lua.Value) (any, error) {
	return b.convert(&walker{st: b.st, c: c}, v)
}

// ResultToGo is ToGo for what a callback returned: handles arrive as their Go
// values.
func (b *Binding) ResultToGo(v lua.Value) (any, error) {
	if u, ok := v.AsUserdata(); ok && u.Type() != nullType {
		return u.Data(), nil
	}
	return b.convert(&walker{st: b.st, handle: func(u *lua.Userdata) (any, bool) { return u.Data(), true }}, v)
}

// LenientToGo never fails: what is no data becomes text, cycles and what is too
// deep or large become nil. For logs and captured entries.
func (b *Binding) LenientToGo(v lua.Value) any {
	out, err := b.convert(&walker{st: b.st, lenient: true, utf8: true}, v)
	if err != nil {
		return map[string]any{"value_error": err.Error()}
	}
	return out
}

func (b *Binding) convert(w *walker, v lua.Value) (any, error) {
	switch v.Kind() { // without a builder
	case lua.KindNil:
		return nil, nil
	case lua.KindTrue, lua.KindFalse:
		return v.Truthy(), nil
	case lua.KindInt:
		i, _ := v.AsInteger()
		return i, nil
	}
	build := &builder{}
	w.out, w.value = build, build.add
	if err := w.walk(v); err != nil {
		return nil, err
	}
	return build.root, nil
}

// builder is the sink that makes Go values.
type builder struct {
	root  any
	stack []container
}

type container struct {
	list   []any
	object map[string]any // nil for a list
	key    string
}

func (b *builder) add(v any) {
	if len(b.stack) == 0 {
		b.root = v
		return
	}
	top := &b.stack[len(b.stack)-1]
	if top.object != nil {
		top.object[top.key] = v
		return
	}
	top.list = append(top.list, v)
}

func (b *builder) scalar(v lua.Value) {
	switch v.Kind() {
	case lua.KindTrue, lua.KindFalse:
		b.add(v.Truthy())
	case lua.KindInt:
		i, _ := v.AsInteger()
		b.add(i)
	case lua.KindFloat:
		f, _ := v.AsFloat()
		b.add(f)
	case lua.KindString:
		s, _ := v.AsString()
		b.add(s)
	default:
		b.add(script.Null{})
	}
}

func (b *builder) text(s string) { b.add(s) }
func (b *builder) key(k string)  { b.stack[len(b.stack)-1].key = k }

func (b *builder) open(array bool, n int) {
	if array {
		b.stack = append(b.stack, container{list: make([]any, 0, n)})
		return
	}
	b.stack = append(b.stack, container{object: make(map[string]any, n)})
}

func (b *builder) close() {
	top := b.stack[len(b.stack)-1]
	b.stack = b.stack[:len(b.stack)-1]
	if top.object != nil {
		b.add(top.object)
		return
	}
	b.add(top.list)
}
