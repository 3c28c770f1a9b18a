package lua

import (
	"strings"
)

var packageLib = []libFunc{
	{"searchpath", packageSearchpath},
}

const (
	defaultPath   = "./?.lua;./?/init.lua"
	packageConfig = "/\n;\n?\n!\n-\n" // directory and path separators, mark, and two unused ones
)

var (
	requireFunction = NewFunction("require", packageRequire)
	searchPreload   = NewFunction("package.searchers.preload", preloadSearcher)
	searchLua       = NewFunction("package.searchers.lua", luaSearcher)
	loadModule      = NewFunction("package.searchers.load", func(c *Call) Status {
		name, _ := c.CheckString(0)
		path, _ := c.CheckString(1)
		return c.system().LoadModule(c, name, path)
	})
)

// setupPackage fills the package table, defines require and records the other
// libraries in package.loaded.
func setupPackage(s *State, t *Table) {
	globals := s.Globals()
	loaded, preload, searchers := s.NewTable(0, 12), s.NewTable(0, 0), s.NewTable(2, 0)
	set := func(t *Table, name string, v Value) {
		_ = s.RawSet(t, internConstant(name), v) // a string key in a table of our own
	}
	for _, name := range []string{"coroutine", "string", "table", "math", "utf8", "os", "io", "debug"} {
		if lib := s.RawGetString(globals, name); !lib.IsNil() {
			set(loaded, name, lib)
		}
	}
	set(loaded, "_G", globals.Value())
	set(loaded, "package", t.Value())
	_ = s.RawSet(searchers, Integer(1), searchPreload.Value())
	_ = s.RawSet(searchers, Integer(2), searchLua.Value())
	set(t, "loaded", loaded.Value())
	set(t, "preload", preload.Value())
	set(t, "searchers", searchers.Value())
	set(t, "path", s.NewString(defaultPath))
	set(t, "config", s.NewString(packageConfig))
	set(globals, "require", requireFunction.Value())
	s.lib.loaded, s.lib.preload = s.Ref(loaded.Value()), s.Ref(preload.Value())
	s.lib.packageTable = s.Ref(t.Value())
}

// requiring is a require in progress: it asks one searcher after the other and
// then runs the loader found.
type requiring struct {
	name      string
	searchers *Table
	index     int64 // searcher that was called last
	tried     strings.Builder
	loading   bool  // the loader was called
	data      Value // second argument of the loader
}

func (r *requiring) markValues(mark func(Value)) {
	mark(r.searchers.Value())
	mark(r.data)
}

func packageRequire(c *Call) Status {
	name, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	loaded := c.state.Deref(c.state.lib.loaded)
	v, ok := c.Index(loaded, c.NewString(name))
	if !ok {
		return c.Failed()
	}
	if v.Truthy() {
		return c.Return1(v)
	}
	v, ok = c.Index(c.state.Deref(c.state.lib.packageTable), c.NewString("searchers"))
	if !ok {
		return c.Failed()
	}
	searchers, ok := v.AsTable()
	if !ok {
		return c.Errorf("'package.searchers' must be a table")
	}
	r := &requiring{name: name, searchers: searchers}
	return r.nextSearcher(c)
}

func (r *requiring) nextSearcher(c *Call) Status {
	r.index++
	searcher := c.state.RawGet(r.searchers, Integer(r.index))
	if searcher.IsNil() {
		return c.Errorf("module '%s' not found:%s", r.name, r.tried.String())
	}
	return c.CallThen(r, 2, searcher, c.NewString(r.name))
}

// Resume takes the answer of a searcher, or the module the loader made.
func (r *requiring) Resume(c *Call) Status {
	if r.loading {
		return r.loaded(c)
	}
	switch v := c.Arg(0); {
	case v.IsFunction():
		r.loading, r.data = true, c.Arg(1)
		return c.CallThen(r, 1, v, c.NewString(r.name), r.data)
	case v.isString() || v.isNumber():
		text, _ := c.CheckString(0)
		if !c.Charge(len(text)) {
			return c.Failed()
		}
		r.tried.WriteString("\n\t")
		r.tried.WriteString(text)
	}
	return r.nextSearcher(c)
}

func (r *requiring) loaded(c *Call) Status {
	loaded, key := c.state.Deref(c.state.lib.loaded), c.NewString(r.name)
	v := c.Arg(0)
	if !v.IsNil() && !c.SetIndex(loaded, key, v) {
		return c.Failed()
	}
	v, ok := c.Index(loaded, key)
	if !ok {
		return c.Failed()
	}
	if v.IsNil() {
		v = Boolean(true)
		if !c.SetIndex(loaded, key, v) {
			return c.Failed()
		}
	}
	c.Push(v)
	return c.Return1(r.data)
}

func preloadSearcher(c *Call) Status {
	name, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	v, ok := c.Index(c.state.Deref(c.state.lib.preload), c.NewString(name))
	if !ok {
		return c.Failed()
	}
	if v.IsNil() {
		return c.Return1(c.NewString("no field package.preload['" + name + "']"))
	}
	c.Push(v)
	return c.Return1(c.NewString(":preload:"))
}

// luaSearcher asks the System for the module's source.
func luaSearcher(c *Call) Status {
	name, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	path, ok := c.Index(c.state.Deref(c.state.lib.packageTable), c.NewString("path"))
	if !ok {
		return c.Failed()
	}
	if !path.isString() {
		return c.Errorf("'package.path' must be a string")
	}
	if c.system().LoadModule == nil {
		return c.Return1(c.NewString("no module loader"))
	}
	return c.CallThen(moduleLoading{name}, 2, loadModule.Value(), c.NewString(name), path)
}

// moduleLoading compiles the source the System found for a module.
type moduleLoading struct{ name string }

// Resume takes source and file name, or nil and the places tried.
func (m moduleLoading) Resume(c *Call) Status {
	source, ok := c.Arg(0).AsString()
	if !ok {
		return c.Return1(c.Arg(1))
	}
	file, _ := c.Arg(1).AsString()
	fn, msg, ok := c.loadSource("@"+file, source)
	if !ok {
		return c.Failed()
	}
	if msg != "" {
		return c.Errorf("error loading module '%s' from file '%s':\n\t%s", m.name, file, msg)
	}
	c.Push(fn)
	return c.Return1(c.NewString(file))
}

// pathSearch is a package.searchpath in progress.
type pathSearch struct {
	places []string // not tried yet
	place  string   // being tried
	tried  strings.Builder
}

func packageSearchpath(c *Call) Status {
	var args [4]string
	for i, def := range []string{"", "", ".", "/"} {
		var ok bool
		if i < 2 {
			args[i], ok = c.CheckString(i)
		} else {
			args[i], ok = c.OptString(i, def)
		}
		if !ok {
			return c.Failed()
		}
	}
	name, path, sep, rep := args[0], args[1], args[2], args[3]
	if sep != "" {
		name = strings.ReplaceAll(name, sep, rep)
	}
	size := len(path) + strings.Count(path, "?")*len(name)
	if size > maxString || !c.Charge(size) || !c.Fuel(copyFuel(size)) {
		return c.Failed()
	}
	s := &pathSearch{places: strings.Split(strings.ReplaceAll(path, "?", name), ";")}
	return s.next(c)
}

func (s *pathSearch) next(c *Call) Status {
	if len(s.places) == 0 {
		c.Push(Nil)
		return c.Return1(c.NewString(s.tried.String()))
	}
	s.place, s.places = s.places[0], s.places[1:]
	return c.CallThen(s, 1, openFile.Value(), c.NewString(s.place), c.NewString("r"))
}

// Resume takes what opening one place gave.
func (s *pathSearch) Resume(c *Call) Status {
	if f, ok := fileData(c.Arg(0)); ok {
		_ = f.close() // it was opened to see that it can be
		return c.Return1(c.NewString(s.place))
	}
	if s.tried.Len() > 0 {
		s.tried.WriteString("\n\t")
	}
	s.tried.WriteString("no file '" + s.place + "'")
	return s.next(c)
}
