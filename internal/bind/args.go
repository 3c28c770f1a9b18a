package bind

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// args checks and converts the arguments of a call by the rows of its function.
func (b *bound) args(c *lua.Call, h Host) (script.Args, []*script.Function, error) {
	var a script.Args
	first, err := b.self(c, &a)
	if err != nil {
		return a, nil, err
	}
	r := &reader{c: c, h: h, fn: b.full}
	n := c.NArgs() - first
	params := b.row.Params
	if n > len(params) && (len(params) == 0 || !params[len(params)-1].Variadic) {
		n = len(params) // further arguments are ignored, as in Lua
	}
	a.Values = make([]any, 0, max(n, len(params)))
	for i := range params {
		p := &params[i]
		if p.Variadic {
			rest := make([]any, 0, max(n-i, 0))
			for k := i; k < n; k++ {
				v, err := r.param(p, c.Arg(first+k), p.Name)
				if err != nil {
					r.release()
					return a, nil, err
				}
				rest = append(rest, v)
			}
			a.Values = append(a.Values, rest)
			break
		}
		v, err := r.param(p, c.Arg(first+i), p.Name)
		if err != nil {
			r.release()
			return a, nil, err
		}
		a.Values = append(a.Values, v)
	}
	return a, r.functions, nil
}

// self takes the handle off the arguments of a method.
func (b *bound) self(c *lua.Call, a *script.Args) (first int, err error) {
	if b.class == nil {
		return 0, nil
	}
	u, ok := c.Arg(0).AsUserdata()
	if !ok || u.Type() != b.utype {
		e := fault.Errorf(fault.InvalidArgument, "%s: expected a handle of type %s before the arguments, got %s",
			b.full, b.class.Name, typeName(c.Arg(0)))
		return 0, e.WithHint("call methods with a colon: handle:%s(...)", b.row.Name)
	}
	a.Self = u.Data()
	return 1, nil
}

// checkRaw checks the types of the arguments of a Raw function without
// converting them.
func (b *bound) checkRaw(c *lua.Call) error {
	for i := range b.row.Params {
		p := &b.row.Params[i]
		v := c.Arg(i)
		if v.IsNil() && !p.Required || b.row.Params[i].Variadic {
			continue
		}
		if v.IsNil() && accepts(p, script.TypeAny) && i < c.NArgs() {
			continue // an explicit nil is a value
		}
		if !takes(p, v) {
			return mismatch(b.full, p, p.Name, v)
		}
		if t, ok := v.AsTable(); ok && accepts(p, script.TypeOptions) {
			r := reader{c: c, h: HostOf(c), fn: b.full}
			if _, err := r.options(p.Fields, t, p.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// takes reports whether the kind of v is one that p declares.
func takes(p *script.Param, v lua.Value) bool {
	if v.IsNil() {
		return false
	}
	if accepts(p, script.TypeAny) {
		return true
	}
	switch v.Kind() {
	case lua.KindTrue, lua.KindFalse:
		return accepts(p, script.TypeBoolean)
	case lua.KindInt:
		return accepts(p, script.TypeInteger) || accepts(p, script.TypeNumber)
	case lua.KindFloat:
		_, integral := asInteger(v)
		return accepts(p, script.TypeNumber) || integral && accepts(p, script.TypeInteger)
	case lua.KindString:
		return accepts(p, script.TypeString)
	case lua.KindTable:
		return accepts(p, script.TypeTable) || accepts(p, script.TypeOptions) || accepts(p, script.TypeArray)
	case lua.KindClosure, lua.KindFunction:
		return accepts(p, script.TypeFunction)
	case lua.KindUserdata:
		u, _ := v.AsUserdata()
		return accepts(p, script.TypeHandle) && (p.Class == "" || u.Type().Name == p.Class)
	}
	return false
}

// reader converts the arguments of one call.
type reader struct {
	c         *lua.Call
	h         Host
	fn        string
	functions []*script.Function
}

// release gives back the functions of a call that did not come about.
func (r *reader) release() {
	for _, f := range r.functions {
		f.Release()
	}
}

// param converts one argument or field; at names it in errors.
func (r *reader) param(p *script.Param, v lua.Value, at string) (any, error) {
	if v.IsNil() {
		if p.Required && !p.Variadic {
			return nil, mismatch(r.fn, p, at, v)
		}
		return p.Default, nil
	}
	if !takes(p, v) {
		return nil, mismatch(r.fn, p, at, v)
	}
	switch v.Kind() {
	case lua.KindTrue, lua.KindFalse:
		return v.Truthy(), nil
	case lua.KindInt, lua.KindFloat:
		if f, ok := v.AsFloat(); ok && f-f != 0 && !accepts(p, script.TypeNumber) { // not finite
			d := r.data(v, at)
			return d.value, d.err
		}
		return r.number(p, v, at)
	case lua.KindString:
		s, _ := v.AsString()
		if len(p.Enum) > 0 {
			return s, CheckEnum(r.fn, at, s, p.Enum)
		}
		return s, nil
	case lua.KindTable:
		t, _ := v.AsTable()
		return r.table(p, t, at)
	case lua.KindClosure, lua.KindFunction:
		if !accepts(p, script.TypeFunction) {
			return nil, r.data(v, at).err // TypeAny: functions are no data
		}
		f := r.h.Function(v)
		r.functions = append(r.functions, f)
		return f, nil
	case lua.KindUserdata:
		if u, _ := v.AsUserdata(); accepts(p, script.TypeHandle) && u.Type() != nullType {
			return u.Data(), nil
		}
	}
	d := r.data(v, at)
	return d.value, d.err
}

func (r *reader) number(p *script.Param, v lua.Value, at string) (any, error) {
	var f float64
	var out any
	if i, ok := v.AsInteger(); ok {
		f, out = float64(i), i
	} else {
		f, _ = v.AsFloat()
		out = f
		if i, ok := asInteger(v); ok && !accepts(p, script.TypeNumber) && !accepts(p, script.TypeAny) {
			out = i
		}
	}
	if p.Min != nil && !(f >= *p.Min) {
		return nil, argError(r.fn, at, fmt.Sprintf("%v is less than %v", out, *p.Min))
	}
	if p.Max != nil && !(f <= *p.Max) {
		return nil, argError(r.fn, at, fmt.Sprintf("%v is more than %v", out, *p.Max))
	}
	return out, nil
}

// table converts a table by the most specific of the accepted types.
func (r *reader) table(p *script.Param, t *lua.Table, at string) (any, error) {
	n, isArray := arrayLen(t)
	switch {
	case accepts(p, script.TypeArray) && (isArray && n > 0 || !accepts(p, script.TypeOptions)):
		if !isArray {
			return nil, argError(r.fn, at, "expected an array, got a table with other keys")
		}
		return r.array(p, t, n, at)
	case accepts(p, script.TypeOptions):
		return r.options(p.Fields, t, at)
	}
	d := r.data(t.Value(), at)
	return d.value, d.err
}

func (r *reader) array(p *script.Param, t *lua.Table, n int, at string) (any, error) {
	out := make([]any, 0, n)
	elem := script.Param{Name: p.Name, Type: p.Elem, Also: p.ElemAlso, Class: p.Class, Fields: p.Fields, Enum: p.Enum, Required: true}
	if p.Elem != script.TypeOptions && !slices.Contains(p.ElemAlso, script.TypeOptions) {
		elem.Fields = nil
	}
	for i := range n {
		v, err := r.param(&elem, r.c.State().RawGet(t, lua.Integer(int64(i)+1)), at+"["+strconv.Itoa(i+1)+"]")
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// options converts a table whose fields are declared.
func (r *reader) options(fields []script.Param, t *lua.Table, at string) (any, error) {
	out := make(map[string]any, len(fields))
	for k, v, ok := t.Next(lua.Nil); ok; k, v, ok = t.Next(k) {
		name, isString := k.AsString()
		i := slices.IndexFunc(fields, func(f script.Param) bool { return isString && f.Name == name })
		if i < 0 {
			if !isString {
				name = r.c.State().ToStringRaw(k)
			}
			return nil, unknownField(r.fn, at, name, fields)
		}
		value, err := r.param(&fields[i], v, fieldPath(at, name))
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	for i := range fields {
		f := &fields[i]
		if _, ok := out[f.Name]; ok {
			continue
		}
		if f.Required {
			return nil, mismatch(r.fn, f, fieldPath(at, f.Name), lua.Nil)
		}
		if f.Default != nil {
			out[f.Name] = f.Default
		}
	}
	return out, nil
}

// fieldPath names a field of an options table; a table that is the only
// argument needs no name of its own.
func fieldPath(at, name string) string { return at + "." + name }

type datum struct {
	value any
	err   error
}

// data converts a value by the strict rules.
func (r *reader) data(v lua.Value, at string) datum {
	value, err := r.h.Binding().toGo(r.c, v)
	if e, ok := err.(*fault.Error); ok {
		e.Message = r.fn + ": " + at + ": " + e.Message
	}
	return datum{value, err}
}

// asInteger returns an integer, or a float that is one.
func asInteger(v lua.Value) (int64, bool) {
	if i, ok := v.AsInteger(); ok {
		return i, true
	}
	f, ok := v.AsFloat()
	if !ok || f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

func argError(fn, at, problem string) *fault.Error {
	e := fault.Errorf(fault.InvalidArgument, "%s: %s: %s", fn, at, problem)
	return e.WithDetail("function", fn).WithDetail("parameter", at)
}

// mismatch is the error of an argument of a wrong type or a missing one.
func mismatch(fn string, p *script.Param, at string, v lua.Value) error {
	expected, got := expectedText(p), typeName(v)
	return argError(fn, at, fmt.Sprintf("expected %s, got %s", expected, got)).
		WithDetail("expected", expected).WithDetail("got", got)
}

func unknownField(fn, at, name string, fields []script.Param) error {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	e := argError(fn, fieldPath(at, bounded(name)), "unknown field")
	return hintNearest(e, name, names)
}

// hintNearest adds the nearest of names as a hint, or all where none is near.
func hintNearest(e *fault.Error, got string, names []string) error {
	if best := fault.Nearest(got, names); best != "" {
		return e.WithHint("did you mean %q?", best)
	}
	if len(names) > 0 {
		return e.WithHint("known are: %s", strings.Join(names, ", "))
	}
	return e
}

// typeName is the type of v as an error names it.
func typeName(v lua.Value) string {
	switch v.Kind() {
	case lua.KindNil:
		return "nil"
	case lua.KindInt:
		return "integer"
	case lua.KindFloat:
		return "float"
	case lua.KindUserdata:
		u, _ := v.AsUserdata()
		return u.Type().Name
	}
	return v.TypeName()
}

// expectedText names what a parameter takes.
func expectedText(p *script.Param) string {
	types := append([]script.Type{p.Type}, p.Also...)
	var names []string
	for _, t := range types {
		name := TypeText(t, p.Class)
		if t == script.TypeArray && p.Elem != script.TypeAny {
			name = "array of " + TypeText(p.Elem, p.Class)
			for _, also := range p.ElemAlso {
				name += "/" + TypeText(also, p.Class)
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// TypeText names a type in messages and reference pages.
func TypeText(t script.Type, class string) string {
	switch t {
	case script.TypeBoolean:
		return "boolean"
	case script.TypeInteger:
		return "integer"
	case script.TypeNumber:
		return "number"
	case script.TypeString:
		return "string"
	case script.TypeTable, script.TypeOptions:
		return "table"
	case script.TypeArray:
		return "array"
	case script.TypeFunction:
		return "function"
	case script.TypeHandle:
		if class == "" {
			return "handle"
		}
		return class
	}
	return "value"
}

// bounded shortens text of the script for messages.
func bounded(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// CheckEnum is the check of an enumerated parameter, for Raw functions.
func CheckEnum(fn, at, got string, allowed []string) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	e := argError(fn, at, fmt.Sprintf("%q is none of %s", bounded(got), strings.Join(allowed, ", ")))
	return hintNearest(e, got, allowed)
}
