package lua

import "sync"

// template is a library table built once per process. States get a header that
// borrows its entries until the first write.
type template struct {
	name  string
	table Table
	setup func(s *State, t *Table)
}

// templateSet are the libraries of one Stdlib.
type templateSet struct {
	globals template
	libs    []template
}

var templateSets = [...]func() *templateSet{
	StdlibStandard: sync.OnceValue(func() *templateSet { return buildTemplates(StdlibStandard) }),
	StdlibNone:     sync.OnceValue(func() *templateSet { return buildTemplates(StdlibNone) }),
	StdlibBasic:    sync.OnceValue(func() *templateSet { return buildTemplates(StdlibBasic) }),
}

func buildTemplates(level Stdlib) *templateSet {
	set := &templateSet{}
	var base []*Function
	for _, f := range baseLib() {
		switch f.name {
		case "load", "loadfile", "dofile":
			if level == StdlibNone {
				continue
			}
		}
		base = append(base, f)
	}
	set.globals = functionTemplate("_G", base)
	set.globals.table.set(internConstant("_VERSION"), makeShared("Lua 5.4"))
	if level == StdlibNone {
		return set
	}
	set.libs = append(set.libs, functionTemplate("coroutine", coroutineLib))
	for _, l := range stdLibraries(level) {
		var fns []*Function
		for _, f := range l.funcs {
			fns = append(fns, NewFunction(l.name+"."+f.name, f.fn))
		}
		t := functionTemplate(l.name, fns)
		for _, k := range l.consts {
			t.table.set(internConstant(k.name), constantValue(k.value))
		}
		t.setup = l.setup
		set.libs = append(set.libs, t)
	}
	return set
}

func functionTemplate(name string, fns []*Function) template {
	t := template{name: name, table: *newTable(0, 0, len(fns)+2)}
	for _, f := range fns {
		t.table.set(internConstant(f.shortName()), f.Value())
	}
	return t
}

func constantValue(v any) Value {
	switch v := v.(type) {
	case string:
		return makeShared(v)
	case int64:
		return Integer(v)
	case int:
		return Integer(int64(v))
	case float64:
		return Float(v)
	}
	panic("constant of unknown type")
}

// borrow returns a table that shares the template's entries.
func (s *State) borrow(t *template) *Table {
	s.chargeHost(chargeTable)
	b := &Table{object: object{header: header{kind: KindTable, flags: flagBorrowed}, serial: s.nextSerial()}}
	n := len(t.table.ents)
	b.ents, b.index, b.filter = t.table.ents[:n:n], t.table.index, t.table.filter
	return b
}

// openLibraries makes globals, registry and the library tables.
func (s *State) openLibraries() {
	set := templateSets[s.options.Stdlib]()
	s.registry = s.NewTable(8, 0)
	g := s.borrow(&set.globals)
	s.globals = g
	s.chargeHost(64 * chargeEntry)
	g.unshare()
	g.set(internConstant("_G"), g.Value())
	for i := range set.libs {
		t := &set.libs[i]
		lib := s.borrow(t)
		g.set(internConstant(t.name), lib.Value())
		if t.name == "string" {
			s.stringMeta = s.NewTable(0, 1)
			s.stringMeta.set(eventNames[evIndex], lib.Value())
		}
		if t.setup != nil {
			t.setup(s, lib)
		}
	}
}
