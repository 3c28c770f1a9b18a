package lua

import (
	"cmp"
	"slices"
	"sync"
)

// Permanents are values that a snapshot names instead of saving: functions of
// the process by their name, and values of one state that its host makes anew
// in every process: frozen tables and what State.Permanent declares. An object
// that can only be reached through a permanent table belongs to it, under a
// name made of the table's and its key.

// permanent is a value of one state known by name.
type permanent struct {
	name string
	v    Value
}

// permRef marks the Refs that Permanent gives out.
const permRef Ref = 1 << 62

// Permanent declares that v, an object of s, is made anew by the host whenever
// it sets up a state, under a unique name: snapshots hold the name only. The
// returned Ref is valid for this state and is no part of snapshots either.
func (s *State) Permanent(name string, v Value) Ref {
	s.chargeHost(chargeEntry)
	if v.Kind() > KindString && v.p.flags&flagShared == 0 {
		v.p.flags |= flagPermanent
	}
	s.perms = append(s.perms, permanent{name, v})
	return permRef | Ref(len(s.perms)-1)
}

// typePrefix begins the permanent names of hidden metatables of userdata.
const typePrefix = "type "

// permanentTree returns the declared permanents and the objects below them, in
// order of name, and flags them. A table that a script may write has a name but
// its contents have none: they may be the script's.
func (s *State) permanentTree() []permanent {
	var all []permanent
	var deep []bool
	seen := map[*header]bool{}
	add := func(name string, v Value, below bool) {
		if v.Kind() <= KindString || v.p.flags&flagShared != 0 || seen[v.p] {
			return
		}
		seen[v.p] = true
		v.p.flags |= flagPermanent
		all, deep = append(all, permanent{name, v}), append(deep, below)
	}
	for _, p := range s.perms {
		add(p.name, p.v, true)
	}
	for _, m := range s.sortedTypes() {
		if m.typ.Hidden { // scripts cannot get at it
			add(typePrefix+m.typ.Name, m.meta.Value(), true)
		}
	}
	for i := 0; i < len(all); i++ {
		t, ok := all[i].v.AsTable()
		if !ok || !deep[i] && t.flags&flagFrozen == 0 {
			continue
		}
		if t.meta != nil {
			add(all[i].name+".<metatable>", t.meta.Value(), true)
		}
		for k, v, ok := t.Next(Nil); ok; k, v, ok = t.Next(k) {
			if k.isString() || k.isInt() {
				add(all[i].name+"."+s.ToStringRaw(k), v, false)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b permanent) int { return cmp.Compare(a.name, b.name) })
	return all
}

// isOriginal reports whether v is the permanent named name, as a global that
// was never assigned is.
func isOriginal(name string, v Value, perms map[*header]string) bool {
	switch v.Kind() {
	case KindFunction:
		if f := v.function(); f.flags&flagShared != 0 {
			return f.name == name
		}
	case KindTable, KindUserdata:
		return v.p.flags&flagPermanent != 0 && perms[v.p] == name
	}
	return false
}

// functionIndex finds the process-wide functions of a Stdlib by name.
type functionIndex map[string]*Function

func (x functionIndex) add(v Value) {
	if v.Kind() == KindFunction && v.p.flags&flagShared != 0 {
		if f := v.function(); x[f.name] == nil {
			x[f.name] = f
		}
	}
}

func (x functionIndex) addTable(t *Table) {
	for k, v, ok := t.Next(Nil); ok; k, v, ok = t.Next(k) {
		x.add(v)
	}
}

func (x functionIndex) addType(t *UserType) {
	for _, f := range t.Meta {
		x.add(f.Value())
	}
	for _, f := range t.Methods {
		x.add(f.Value())
	}
}

var functionIndexes = [...]func() functionIndex{
	StdlibStandard: sync.OnceValue(func() functionIndex { return indexFunctions(StdlibStandard) }),
	StdlibNone:     sync.OnceValue(func() functionIndex { return indexFunctions(StdlibNone) }),
	StdlibBasic:    sync.OnceValue(func() functionIndex { return indexFunctions(StdlibBasic) }),
}

func indexFunctions(level Stdlib) functionIndex {
	x := functionIndex{}
	set := templateSets[level]()
	x.addTable(&set.globals.table)
	for i := range set.libs {
		x.addTable(&set.libs[i].table)
	}
	for _, f := range hiddenFunctions() {
		x.add(f.Value())
	}
	x.addType(fileType)
	return x
}

// hiddenFunctions are the permanent functions that no library table holds.
func hiddenFunctions() []*Function {
	return []*Function{
		ipairsStep, nextFunction, pcallFunction, userIndex, openFile, fillInput, sourceReader, lostAccess, lostClose,
		requireFunction, finalizeFunction, searchPreload, searchLua, loadModule, utf8CodesStrict, utf8CodesLax,
	}
}

// boundFunction is a function of this package that exists only with upvalues.
// Its code relies on their kinds, which check verifies.
type boundFunction struct {
	base  *Function
	check func(s *State, upvals []Value) bool
}

func boundFunctions() []boundFunction {
	return []boundFunction{
		{wrapped, func(_ *State, u []Value) bool { return len(u) == 1 && u[0].Kind() == KindThread }},
		{gmatchIterator, func(_ *State, u []Value) bool {
			return len(u) == gmatchLast+1 && u[gmatchSource].isString() && u[gmatchPattern].isString() &&
				u[gmatchNext].isInt() && u[gmatchLast].isInt() && u[gmatchNext].rawInt() >= 0 &&
				u[gmatchNext].rawInt() <= int64(len(u[gmatchSource].str()))+1
		}},
		{linesIterator, func(_ *State, u []Value) bool {
			if len(u) < linesFormats || len(u) > linesFormats+maxLineFormats {
				return false
			}
			_, ok := fileData(u[linesFile])
			return ok
		}},
	}
}

// borrowedFrom returns the number of the standard library's template that t
// borrows its entries from, counted from 1 with the globals first; 0 if it is
// none of them.
func (s *State) borrowedFrom(t *Table) int {
	set := templateSets[s.options.Stdlib]()
	same := func(tp *template) bool {
		return len(t.ents) > 0 && len(t.ents) == len(tp.table.ents) && &t.ents[0] == &tp.table.ents[0]
	}
	if same(&set.globals) {
		return 1
	}
	for i := range set.libs {
		if same(&set.libs[i]) {
			return i + 2
		}
	}
	return 0
}

// templateName is the name under which a snapshot refers to a template.
func (s *State) templateName(n int) string {
	set := templateSets[s.options.Stdlib]()
	if n == 1 {
		return set.globals.name
	}
	return set.libs[n-2].name
}

// templateByName is the opposite of templateName.
func (s *State) templateByName(name string) *template {
	set := templateSets[s.options.Stdlib]()
	if name == set.globals.name {
		return &set.globals
	}
	for i := range set.libs {
		if set.libs[i].name == name {
			return &set.libs[i]
		}
	}
	return nil
}
