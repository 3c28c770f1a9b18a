package interp

import (
	"sort"

	"github.com/llmspell/llmspell/lua"
)

// setArgs makes the globals ARGS and arg (scripting contract 0.9). Values that
// cannot be converted are left out; the request was validated before.
func (e *execution) setArgs() {
	st := e.i.st
	named, positional := st.NewTable(0, len(e.r.Args)), st.NewTable(len(e.r.Positional), 0)
	set := func(t *lua.Table, k lua.Value, v any) {
		if value, err := e.i.b.ToLua(st, v); err == nil {
			_ = st.RawSet(t, k, value) // a string or integer key of a fresh table
		}
	}
	for i, v := range e.r.Positional {
		set(named, lua.Integer(int64(i)+1), v)
		set(positional, lua.Integer(int64(i)+1), v)
	}
	names := make([]string, 0, len(e.r.Args))
	for name := range e.r.Args {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		set(named, st.NewString(name), e.r.Args[name])
	}
	script := e.r.ScriptPath
	if script == "" {
		script = e.r.Name
	}
	set(named, lua.Integer(0), script)
	set(positional, lua.Integer(0), script)
	_ = st.RawSet(st.Globals(), st.NewString("ARGS"), named.Value())
	_ = st.RawSet(st.Globals(), st.NewString("arg"), positional.Value())
}

// positional returns the arguments of the main chunk: its varargs.
func (e *execution) positional() []lua.Value {
	values, err := e.values(e.r.Positional)
	if err != nil {
		return nil
	}
	return values
}
