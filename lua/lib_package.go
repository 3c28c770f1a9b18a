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
	log       opLog
	phase     requirePhase
	name      string
	searchers *Table
	index     int64 // searcher that was called last
	tried     strings.Builder
	module    Value // result
	data      Value // second argument of the loader, second result
}

type requirePhase uint8

const (
	requireLookup requirePhase = iota // reads package.loaded and package.searchers
	requireSearch                     // a searcher was called
	requireLoad                       // the loader was called
	requireStore                      // stores what the loader returned
	requireFound                      // the module was loaded before
)

func (r *requiring) markValues(mark func(Value)) {
	r.log.markValues(mark)
	if r.searchers != nil {
		mark(r.searchers.Value())
	}
	mark(r.module)
	mark(r.data)
}

func (r *requiring) heldBytes() int64 { return int64(r.tried.Len()) }

func packageRequire(c *Call) Status {
	name, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	r := &requiring{name: name}
	return r.log.run(c, r)
}

// turn looks the module up, or stores it.
func (r *requiring) turn(c *Call) turnResult {
	loaded, key := c.state.Deref(c.state.lib.loaded), c.NewString(r.name)
	if r.phase == requireStore {
		return r.store(c, loaded, key)
	}
	v, ok := r.log.get(c, loaded, key)
	if !ok {
		return turnFailed
	}
	if v.Truthy() {
		r.module, r.phase = v, requireFound
		return turnDone
	}
	v, ok = r.log.get(c, c.state.Deref(c.state.lib.packageTable), c.NewString("searchers"))
	if !ok {
		return turnFailed
	}
	if r.searchers, ok = v.AsTable(); !ok {
		c.Errorf("'package.searchers' must be a table")
		return turnFailed
	}
	r.phase = requireSearch
	return turnDone
}

// store is the last turn: what the loader returned becomes package.loaded[name],
// true if that is nil then.
func (r *requiring) store(c *Call, loaded, key Value) turnResult {
	if !r.module.IsNil() && !r.log.set(c, loaded, key, r.module) {
		return turnFailed
	}
	v, ok := r.log.get(c, loaded, key)
	if !ok {
		return turnFailed
	}
	if v.IsNil() {
		v = Boolean(true)
		if !r.log.set(c, loaded, key, v) {
			return turnFailed
		}
	}
	r.module = v
	return turnDone
}

func (r *requiring) finish(c *Call) Status {
	switch r.phase {
	case requireFound:
		return c.Return1(r.module)
	case requireSearch:
		r.log.n = 0
		return r.nextSearcher(c)
	}
	c.Push(r.module)
	return c.Return1(r.data)
}

func (r *requiring) nextSearcher(c *Call) Status {
	r.index++
	searcher := c.state.RawGet(r.searchers, Integer(r.index))
	if searcher.IsNil() {
		return c.Errorf("module '%s' not found:%s", r.name, r.tried.String())
	}
	return c.CallThen(r, 2, searcher, c.NewString(r.name))
}

// Resume takes the answer of a searcher, the module the loader made, or the
// result of a metamethod.
func (r *requiring) Resume(c *Call) Status {
	switch r.phase {
	case requireLoad:
		r.phase, r.module = requireStore, c.Arg(0)
		return r.log.run(c, r)
	case requireLookup, requireStore:
		return r.log.resume(c, r)
	}
	switch v := c.Arg(0); {
	case v.IsFunction():
		r.phase, r.data = requireLoad, c.Arg(1)
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

// searching is a searcher that reads a field of package.
type searching struct {
	name    string
	preload bool // the field of package.preload; else package.path
}

func preloadSearcher(c *Call) Status { return searchField(c, true) }

// luaSearcher asks the System for the module's source.
func luaSearcher(c *Call) Status { return searchField(c, false) }

func searchField(c *Call, preload bool) Status {
	name, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	s := searching{name, preload}
	from, key := c.state.lib.packageTable, "path"
	if preload {
		from, key = c.state.lib.preload, name
	}
	k := c.NewString(key)
	v, fn, ok := c.index(c.state.Deref(from), k)
	switch {
	case !ok:
		return c.Failed()
	case fn.p != nil:
		return c.CallThen(s, 1, fn, v, k)
	}
	return s.found(c, v)
}

func (s searching) Resume(c *Call) Status { return s.found(c, c.Arg(0)) }

func (s searching) found(c *Call, v Value) Status {
	switch {
	case s.preload && v.IsNil():
		return c.Return1(c.NewString("no field package.preload['" + s.name + "']"))
	case s.preload:
		c.Push(v)
		return c.Return1(c.NewString(":preload:"))
	case !v.isString():
		return c.Errorf("'package.path' must be a string")
	case c.system().LoadModule == nil:
		return c.Return1(c.NewString("no module loader"))
	}
	return c.CallThen(moduleLoading{s.name}, 2, loadModule.Value(), c.NewString(s.name), v)
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
