package bind

import (
	"context"
	"errors"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
)

// Raised is an error of script code on its way through Go: a callback failed.
// Returned from a row unchanged, it is raised in the script as the value it
// was: a string stays a string. Unwrap gives the fault that Go code sees.
type Raised struct {
	Fault *fault.Error
	Value any  // of an error that is no error table: a string or data
	Plain bool // Value is what to raise
}

func (r *Raised) Error() string { return r.Fault.Error() }
func (r *Raised) Unwrap() error { return r.Fault }

// ErrorValue returns err as a Lua error value (contract 0.5). where is
// "chunk:line" of the call that failed, "" if unknown.
func (b *Binding) ErrorValue(err error, where, traceback string) lua.Value {
	if r, ok := err.(*Raised); ok && r.Plain {
		if v, err := b.ToLua(b.st, r.Value); err == nil {
			return v
		}
	}
	return b.errorTable(asFault(err), where, traceback, 0)
}

// ErrorValue returns e as an error value of a state that has no binding yet.
func (l *Library) ErrorValue(st *lua.State, e *fault.Error) lua.Value {
	b := &Binding{lib: l, st: st}
	t, _ := b.errorTable(e, "", "", 0).AsTable()
	st.SetMetatable(t, st.TableOf(l.metas.error))
	return t.Value()
}

// asFault returns the fault of err; other errors keep their message.
func asFault(err error) *fault.Error {
	if e, ok := err.(*fault.Error); ok {
		return e
	}
	e, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && e.Message == err.Error():
		return e
	case ok: // wrapped with more text
		outer := *e
		outer.Message, outer.Cause = err.Error(), e
		return &outer
	case errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{Code: fault.Timeout, Message: "the call did not finish in time", Cause: err}
	case errors.Is(err, context.Canceled):
		return &fault.Error{Code: fault.Interrupted, Message: "the call was cancelled", Cause: err}
	}
	return &fault.Error{Code: fault.Internal, Message: err.Error()}
}

// maxCauses bounds the chain of causes a script sees.
const maxCauses = 8

func (b *Binding) errorTable(e *fault.Error, where, traceback string, depth int) lua.Value {
	t := b.st.NewTable(0, 6)
	set := func(name string, v any) {
		value, err := b.ToLua(b.st, v)
		if err != nil {
			return // details that do not fit are left out
		}
		_ = b.st.RawSet(t, b.st.NewString(name), value) // a string key of a fresh table
	}
	set("code", string(e.Code))
	set("message", e.Message)
	if e.Hint != "" {
		set("hint", e.Hint)
	}
	if len(e.Details) > 0 {
		set("details", e.Details)
	}
	set("retryable", e.Retryable)
	if e.RetryAfterMS > 0 {
		set("retry_after_ms", e.RetryAfterMS)
	}
	if cause := causeOf(e); cause != nil && depth < maxCauses {
		set("cause", b.errorTable(cause, "", "", depth+1))
	}
	if where != "" {
		set("where", where)
	}
	if traceback != "" {
		set("traceback", traceback)
	}
	if meta, ok := b.st.Deref(b.errorMeta).AsTable(); ok {
		b.st.SetMetatable(t, meta)
	}
	return t.Value()
}

// causeOf returns the fault under e that says something else than e itself.
func causeOf(e *fault.Error) *fault.Error {
	if e.Cause == nil {
		return nil
	}
	c, ok := errors.AsType[*fault.Error](e.Cause)
	if !ok || c.Message == e.Message && c.Code == e.Code {
		return nil
	}
	return c
}

// Error returns the Go error of a value that script code raised: that of an
// error table, of a table with a string message, or of anything else with the
// code script_error. text is the value as the VM's tostring gives it.
func (b *Binding) Error(v lua.Value, text string) *Raised {
	t, ok := v.AsTable()
	if !ok {
		s, isString := v.AsString()
		if !isString {
			s = text
		}
		return &Raised{Fault: &fault.Error{Code: fault.ScriptFailed, Message: s}, Value: b.plain(v), Plain: true}
	}
	e := b.fault(t, 0)
	if b.isErrorTable(t) {
		return &Raised{Fault: e}
	}
	if e.Message == "" {
		e = &fault.Error{Code: fault.ScriptFailed, Message: text}
	}
	return &Raised{Fault: e, Value: b.plain(v), Plain: true}
}

// plain is v as data, its text where it is none.
func (b *Binding) plain(v lua.Value) any {
	data, err := b.ToGo(nil, v)
	if err != nil {
		return b.st.ToStringRaw(v)
	}
	return data
}

func (b *Binding) isErrorTable(t *lua.Table) bool {
	return t.Metatable() != nil &&
		b.st.RawGetString(t.Metatable(), "__tostring") == b.lib.metas.errorText
}

// fault reads an error table; fields of a wrong type are ignored.
func (b *Binding) fault(t *lua.Table, depth int) *fault.Error {
	text := func(name string) string {
		s, _ := b.st.RawGetString(t, name).AsString()
		return s
	}
	e := &fault.Error{Code: fault.Code(text("code")), Message: text("message"), Hint: text("hint")}
	if e.Code == "" {
		e.Code = fault.ScriptFailed
	}
	e.Retryable = b.st.RawGetString(t, "retryable").Truthy()
	e.RetryAfterMS, _ = b.st.RawGetString(t, "retry_after_ms").AsInteger()
	if d, ok := b.st.RawGetString(t, "details").AsTable(); ok {
		if m, ok := b.LenientToGo(d.Value()).(map[string]any); ok && len(m) > 0 {
			e.Details = m
		}
	}
	if c, ok := b.st.RawGetString(t, "cause").AsTable(); ok && depth < maxCauses {
		e.Cause = b.fault(c, depth+1)
	}
	return e
}

// ErrorWhere returns the place and the traceback an error table carries.
func (b *Binding) ErrorWhere(v lua.Value) (where, traceback string) {
	t, ok := v.AsTable()
	if !ok {
		return "", ""
	}
	where, _ = b.st.RawGetString(t, "where").AsString()
	traceback, _ = b.st.RawGetString(t, "traceback").AsString()
	return where, traceback
}

// metatables are those of error tables, records and globals, the same in all
// states.
type metatables struct {
	error, record, hidden *lua.Template
	errorText             lua.Value // __tostring of error tables: what they are known by
}

func newMetatables() metatables {
	errorFuncs := textFunctions("Error", errorText)
	return metatables{
		error:     lua.NewTemplate(append(errorFuncs, lua.Field{Name: "__name", Value: "Error"})),
		record:    lua.NewTemplate(textFunctions("Record", recordText)),
		hidden:    lua.NewTemplate([]lua.Field{{Name: "__metatable", Value: false}}),
		errorText: errorFuncs[0].Value.(*lua.Function).Value(),
	}
}

// textFunctions are the metamethods that make a table read as text.
func textFunctions(name string, text func(*lua.State, *lua.Table) string) []lua.Field {
	operand := func(c *lua.Call, v lua.Value) (string, bool) {
		if t, ok := v.AsTable(); ok && t.Metatable() != nil {
			return text(c.State(), t), true
		}
		switch v.Kind() {
		case lua.KindString, lua.KindInt, lua.KindFloat:
			return c.State().ToStringRaw(v), true
		}
		return "", false
	}
	metas := []lua.Field{
		{Name: "__tostring", Value: lua.NewFunction(name+".__tostring", func(c *lua.Call) lua.Status {
			t, ok := c.CheckTable(0)
			if !ok {
				return c.Failed()
			}
			return c.Return1(c.NewString(text(c.State(), t)))
		})},
		{Name: "__concat", Value: lua.NewFunction(name+".__concat", func(c *lua.Call) lua.Status {
			left, ok1 := operand(c, c.Arg(0))
			right, ok2 := operand(c, c.Arg(1))
			if !ok1 || !ok2 {
				bad := c.Arg(1)
				if !ok1 {
					bad = c.Arg(0)
				}
				return c.Errorf("attempt to concatenate a %s value", bad.TypeName())
			}
			return c.Return1(c.NewString(left + right))
		})},
	}
	if name != "Error" {
		return metas
	}
	methods := errorMethods(text)
	return append(metas,
		lua.Field{Name: "__len", Value: lua.NewFunction(name+".__len", func(c *lua.Call) lua.Status {
			t, ok := c.CheckTable(0)
			if !ok {
				return c.Failed()
			}
			return c.Return1(lua.Integer(int64(len(text(c.State(), t)))))
		})},
		lua.Field{Name: "__index", Value: lua.NewFunction(name+".__index", func(c *lua.Call) lua.Status {
			if key, ok := c.Arg(1).AsString(); ok && methods[key] != nil {
				return c.Return1(methods[key].Value())
			}
			return c.Return1(lua.Nil)
		})})
}

// errorText is tostring of an error table: message [code] (hint: ...).
func errorText(st *lua.State, t *lua.Table) string {
	get := func(name string) string {
		v := st.RawGetString(t, name)
		if v.IsNil() {
			return ""
		}
		return st.ToStringRaw(v)
	}
	var s strings.Builder
	s.WriteString(get("message"))
	if code := get("code"); code != "" {
		s.WriteString(" [" + code + "]")
	}
	if hint := get("hint"); hint != "" {
		s.WriteString(" (hint: " + hint + ")")
	}
	return s.String()
}

// recordTextKey is the field of a record's metatable that holds its text where
// that is not the field "text" of the record itself.
const recordTextKey = "__text"

func recordText(st *lua.State, t *lua.Table) string {
	if s, ok := st.RawGetString(t.Metatable(), recordTextKey).AsString(); ok {
		return s
	}
	s, _ := st.RawGetString(t, "text").AsString()
	return s
}

// errorMethods are the string methods that work on an error value as on its text.
func errorMethods(text func(*lua.State, *lua.Table) string) map[string]*lua.Function {
	methods := map[string]*lua.Function{}
	for _, name := range []string{"byte", "find", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper"} {
		methods[name] = lua.NewFunction("Error."+name, func(c *lua.Call) lua.Status {
			self := c.Arg(0)
			if t, ok := self.AsTable(); ok {
				self = c.NewString(text(c.State(), t))
			}
			lib, ok := c.Metafield(c.NewString(""), "__index").AsTable()
			if !ok {
				return c.Errorf("the string library is not available")
			}
			args := []lua.Value{self}
			for i := 1; i < c.NArgs(); i++ {
				args = append(args, c.Arg(i))
			}
			return c.CallThen(passOn{}, -1, c.State().RawGetString(lib, name), args...)
		})
	}
	return methods
}

// passOn returns the results of the called function.
type passOn struct{}

func (passOn) Resume(c *lua.Call) lua.Status {
	for i := range c.NArgs() {
		c.Push(c.Arg(i))
	}
	return c.Return()
}
