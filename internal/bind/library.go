package bind

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// Library is a set of modules, built once per kernel and shared by its states.
type Library struct {
	modules []Module
	globals []global
	classes map[*script.Class]*lua.UserType
	metas   metatables

	shared sync.Map // see Shared
}

// global is a compiled module. What is the same in all states is in the
// template; own are the fields that each state makes for itself.
type global struct {
	name     string
	template *lua.Template
	own      map[string]any
	meta     *lua.Template // of a global with a lookup; nil: the hidden one
}

// NewLibrary compiles the modules. Errors name the row.
func NewLibrary(modules ...Module) (*Library, error) {
	l := &Library{modules: modules, classes: map[*script.Class]*lua.UserType{}, metas: newMetatables()}
	seen := map[string]bool{}
	for _, m := range modules {
		if !isName(m.Name) || seen[m.Name] {
			return nil, fmt.Errorf("module %q: name is no identifier or already used", m.Name)
		}
		seen[m.Name] = true
		for _, class := range m.Classes {
			if err := l.addClass(class); err != nil {
				return nil, fmt.Errorf("module %s: %w", m.Name, err)
			}
		}
		g, err := l.compile(m)
		if err != nil {
			return nil, fmt.Errorf("module %s: %w", m.Name, err)
		}
		l.globals = append(l.globals, g)
	}
	return l, nil
}

// Modules returns the rows, for reference pages and completion.
func (l *Library) Modules() []Module { return l.modules }

// ClassFields returns the names of the fields that handles of a class answer.
func (l *Library) ClassFields(class string) []string {
	var names []string
	for c := range l.classes {
		if c.Name == class {
			for _, f := range c.Fields {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// Shared returns the value under key that all interpreters of the library
// share, making it on first use. It must be safe for concurrent use.
func Shared[T any](l *Library, key any, make func() T) T {
	if v, ok := l.shared.Load(key); ok {
		return v.(T)
	}
	v, _ := l.shared.LoadOrStore(key, make())
	return v.(T)
}

func (l *Library) compile(m Module) (global, error) {
	g := global{name: m.Name, own: map[string]any{}}
	names := map[string]bool{}
	var shared []lua.Field
	add := func(name string, fn *lua.Function) error {
		if !isName(name) || names[name] {
			return fmt.Errorf("function %q: name is no identifier or already used", name)
		}
		names[name] = true
		shared = append(shared, lua.Field{Name: name, Value: fn})
		return nil
	}
	for name := range m.Raw {
		if !slices.ContainsFunc(m.Funcs, func(f script.Func) bool { return f.Name == name }) {
			return g, fmt.Errorf("raw function %q has no row", name)
		}
	}
	for i := range m.Funcs {
		row := &m.Funcs[i]
		b := &bound{full: m.Name + "." + row.Name, row: row, raw: m.Raw[row.Name]}
		fn, err := b.function()
		if err != nil {
			return g, err
		}
		for _, name := range append([]string{row.Name}, row.Aliases...) {
			if err := add(name, fn); err != nil {
				return g, err
			}
		}
	}
	for _, name := range sortedKeys(m.Fields) {
		if names[name] {
			return g, fmt.Errorf("field %q is a function too", name)
		}
		switch v := m.Fields[name].(type) {
		case string, bool, int64, float64:
			shared = append(shared, lua.Field{Name: name, Value: v})
		default:
			g.own[name] = v
		}
	}
	g.template = lua.NewTemplate(shared)
	if m.Lookup != nil {
		g.meta = lua.NewTemplate([]lua.Field{
			{Name: "__metatable", Value: false}, {Name: "__index", Value: lookupFunction(m.Name, m.Lookup)},
		})
	}
	return g, nil
}

// lookupFunction is the __index of a global that answers further names.
func lookupFunction(module string, lookup lookupFunc) *lua.Function {
	return lua.NewFunction(module+".__index", func(c *lua.Call) lua.Status {
		key, ok := c.Arg(1).AsString()
		if !ok {
			return c.Return1(lua.Nil)
		}
		h := HostOf(c)
		ctx := h.Context()
		if ctx == nil {
			return c.Return1(lua.Nil)
		}
		return pushResult(c, h, lookup(ctx, key))
	})
}

func (l *Library) addClass(class *script.Class) error {
	if _, ok := l.classes[class]; ok {
		return nil
	}
	ut := &lua.UserType{Name: class.Name, Methods: map[string]*lua.Function{}, Charge: handleCharge, Hidden: true}
	l.classes[class] = ut
	for i := range class.Methods {
		row := &class.Methods[i]
		b := &bound{full: class.Name + ":" + row.Name, row: row, class: class, utype: ut}
		fn, err := b.function()
		if err != nil {
			return fmt.Errorf("class %s: %w", class.Name, err)
		}
		for _, name := range append([]string{row.Name}, row.Aliases...) {
			if ut.Methods[name] != nil || !isName(name) {
				return fmt.Errorf("class %s: method %q: name is no identifier or already used", class.Name, name)
			}
			ut.Methods[name] = fn
		}
	}
	if class.String != nil {
		ut.ToString = class.String
	}
	ut.Meta = append(ut.Meta, handleEqual(class.Name))
	if get := class.Get; get != nil {
		ut.Get = func(c *lua.Call, data any, key string) lua.Value {
			v, err := HostOf(c).Binding().ToLua(c, get(data, key))
			if err != nil {
				return lua.Nil
			}
			return v
		}
	}
	return nil
}

// handleCharge is what the Go side of a handle is counted as.
const handleCharge = 256

// handleEqual makes two handles of one object equal.
func handleEqual(class string) *lua.Function {
	return lua.NewFunction(class+".__eq", func(c *lua.Call) lua.Status {
		a, ok1 := c.Arg(0).AsUserdata()
		b, ok2 := c.Arg(1).AsUserdata()
		same := ok1 && ok2 && a.Type() == b.Type() && equalData(a.Data(), b.Data())
		return c.Return1(lua.Boolean(same))
	})
}

// equalData compares the Go values of handles; those that cannot be compared
// are equal to nothing.
func equalData(a, b any) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return a == b
}

// InstallParams are what an interpreter tells its binding.
type InstallParams struct {
	MemoryLimit int64    // of the state, to refuse results that cannot fit; 0 = none
	Omit        []string // modules left out
}

// Binding is a library bound to one state.
type Binding struct {
	lib   *Library
	st    *lua.State
	limit int64

	errorMeta, recordMeta, null lua.Ref
	closers                     map[any]*script.Class // handles to close with the state
}

// Install makes the globals of the library in st, whose Host must give the
// returned Binding from then on.
func (l *Library) Install(st *lua.State, p InstallParams) (*Binding, error) {
	b := &Binding{lib: l, st: st, limit: p.MemoryLimit}
	b.null = st.Ref(st.NewUserdata(nullType, nil))
	b.errorMeta = st.Ref(st.TableOf(l.metas.error).Value())
	b.recordMeta = st.Ref(st.TableOf(l.metas.record).Value())
	hidden := st.TableOf(l.metas.hidden)
	for _, g := range l.globals {
		if slices.Contains(p.Omit, g.name) {
			continue
		}
		if err := b.install(g, hidden); err != nil {
			return nil, fmt.Errorf("module %s: %w", g.name, err)
		}
	}
	return b, nil
}

func (b *Binding) install(g global, hidden *lua.Table) error {
	t := b.st.TableOf(g.template)
	for _, name := range sortedKeys(g.own) {
		v, err := b.ToLua(b.st, g.own[name])
		if err != nil {
			return err
		}
		if err := b.st.RawSet(t, b.st.NewString(name), v); err != nil {
			return err
		}
	}
	if g.meta != nil {
		hidden = b.st.TableOf(g.meta)
	}
	b.st.SetMetatable(t, hidden)
	b.st.Freeze(t, g.name)
	return b.st.RawSet(b.st.Globals(), b.st.NewString(g.name), t.Value())
}

// Close ends the handles whose class has a Close.
func (b *Binding) Close() {
	for v, class := range b.closers {
		class.Close(v)
	}
	b.closers = nil
}

// Library returns what the binding was made from.
func (b *Binding) Library() *Library { return b.lib }

// MemoryLimit is that of the state, 0 = none.
func (b *Binding) MemoryLimit() int64 { return b.limit }

// Null returns the state's JSON.null.
func (b *Binding) Null() lua.Value { return b.st.Deref(b.null) }

// handle returns the userdata of an Object.
func (b *Binding) handle(o script.Object) (lua.Value, error) {
	ut := b.lib.classes[o.Class]
	if ut == nil {
		return lua.Nil, fault.Errorf(fault.Internal, "class of %T belongs to no module", o.Value)
	}
	if !b.st.HandlesLeft() {
		return lua.Nil, fault.Errorf(fault.HandleLimit, "too many living handles").WithHint("destroy or drop handles that are no longer used")
	}
	if o.Class.Close != nil {
		if b.closers == nil {
			b.closers = map[any]*script.Class{}
		}
		b.closers[o.Value] = o.Class
	}
	return b.st.NewUserdata(ut, o.Value), nil
}

// nullType is the type of JSON.null.
var nullType = &lua.UserType{Name: "null", Hidden: true, ToString: func(any) string { return "null" }}

// Closing is the fourth value of an iterator: it is called, as a blocking call
// of that name, when a for loop ends, also by break or an error.
type Closing struct {
	Name  string
	Close func(context.Context) error
}

var closingType = &lua.UserType{Name: "closing", Hidden: true, Meta: []*lua.Function{
	lua.NewFunction("closing.__close", func(c *lua.Call) lua.Status {
		u, ok := c.Arg(0).AsUserdata()
		if !ok || HostOf(c).Context() == nil {
			return c.Return()
		}
		closing := u.Data().(Closing)
		return Block(c, closing.Name, func(ctx context.Context) ([]any, error) { return nil, closing.Close(ctx) })
	}),
}}

// IsNull reports whether v is JSON.null.
func IsNull(v lua.Value) bool {
	u, ok := v.AsUserdata()
	return ok && u.Type() == nullType
}

// isName reports whether s is a Lua identifier.
func isName(s string) bool {
	for i, r := range s {
		switch {
		case r == '_', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case i > 0 && r >= '0' && r <= '9':
		default:
			return false
		}
	}
	return s != ""
}
