package lua

import (
	"cmp"
	"slices"
	"strconv"
)

// encoder writes the body of a snapshot. Objects are numbered in order of
// serial, upvalues and strings in order of their first use in the body.
type encoder struct {
	s   *State
	b   []byte
	err error

	perms     []permanent
	permNames map[*header]string
	permNums  map[*header]int

	objs       []Value // every object of the state that can be reached
	gray       []Value
	numbers    map[*header]uint32 // of objects, plus one
	upvals     map[*upval]uint32  // numbers of the upvalues written so far, plus one
	strings    map[*header]uint32 // likewise of strings
	shared     map[string]uint32  // those of the process by content
	nstrings   uint32
	chunks     []*Chunk
	chunkOf    map[*Chunk]int
	consts     map[*header]int    // chunk of each string constant, plus one
	funcs      map[string]int     // numbers of the permanent functions written so far
	openOn     map[*upval]*Thread // whose stack holds an open upvalue
	ctxs       map[any]int        // contexts written so far
	tombstones map[*header]string // paths of all userdata, once one is lost
	lost       map[*header]Unsaved
	extra      []Unsaved // what is lost and no object
}

func newEncoder(s *State) *encoder {
	e := &encoder{
		s: s, numbers: map[*header]uint32{}, upvals: map[*upval]uint32{}, strings: map[*header]uint32{},
		chunkOf: map[*Chunk]int{}, consts: map[*header]int{}, funcs: map[string]int{},
		lost: map[*header]Unsaved{}, shared: map[string]uint32{}, perms: s.permanentTree(),
		permNames: map[*header]string{}, permNums: map[*header]int{},
	}
	for i, p := range e.perms {
		e.permNames[p.v.p], e.permNums[p.v.p] = p.name, i
	}
	return e
}

// edgeKind says how one object refers to another.
type edgeKind uint8

const (
	edgeField edgeKind = iota // label is the key
	edgeKey
	edgeMeta
	edgeUpvalue
	edgeStack
	edgeOther
)

// eachChild visits what an object refers to. The label of a field is its key,
// that of an upvalue its number.
func (s *State) eachChild(v Value, visit func(kind edgeKind, label, child Value)) {
	switch v.Kind() {
	case KindTable:
		t := v.table()
		if t.meta != nil {
			visit(edgeMeta, Nil, t.meta.Value())
		}
		for i, x := range t.arrayValues() {
			visit(edgeField, Integer(int64(i)+1), x)
		}
		if t.flags&flagBorrowed != 0 {
			return
		}
		for i := range t.ents {
			x := &t.ents[i]
			visit(edgeField, x.key, x.val)
			visit(edgeKey, Nil, x.key)
		}
	case KindClosure:
		for i, u := range v.closure().upvals {
			visit(edgeUpvalue, Integer(int64(i)), *u.v)
			if u.id != nil {
				visit(edgeOther, Nil, u.id.Value())
			}
		}
	case KindFunction:
		for i, u := range v.function().upvals {
			visit(edgeUpvalue, Integer(int64(i)), u)
		}
	case KindThread:
		s.eachOfThread(v.thread(), visit)
	}
}

func (s *State) eachOfThread(th *Thread, visit func(kind edgeKind, label, child Value)) {
	other := func(v Value) { visit(edgeOther, Nil, v) }
	other(th.err)
	if th.parent != nil {
		other(th.parent.Value())
	}
	if th.wait.fn != nil {
		other(th.wait.fn.Value())
	}
	if len(th.stack) == 0 {
		return
	}
	for i, x := range th.stack[:s.liveSlots(th)] {
		visit(edgeStack, Integer(int64(i)), x)
	}
	for i := range th.nf {
		f := &th.frames[i]
		if f.isLua() {
			other(f.cl.Value())
		} else if f.fn != nil {
			other(f.fn.Value())
		}
		if f.flags&fStep == 0 {
			continue
		}
		switch m := f.step.(type) {
		case marker:
			m.markValues(other)
		case ValueHolder:
			m.MarkValues(other)
		}
	}
	for u := th.open; u != nil; u = u.next {
		if u.id != nil {
			other(u.id.Value())
		}
	}
}

// root is a value that a state refers to.
type root struct {
	name string
	v    Value
}

// roots are what a snapshot starts from, in a fixed order.
func (s *State) snapshotRoots() []root {
	roots := []root{{"_G", s.globals.Value()}, {"registry", s.registry.Value()}, {"memory error", s.memErr}}
	if s.stringMeta != nil {
		roots = append(roots, root{"string metatable", s.stringMeta.Value()})
	}
	for _, m := range s.sortedTypes() {
		roots = append(roots, root{m.typ.Name + " metatable", m.meta.Value()})
	}
	for _, f := range s.fibers {
		roots = append(roots, root{"fiber " + strconv.FormatUint(uint64(f.id), 10), f.root.Value()})
		for th := f.current; th != nil; th = th.parent {
			roots = append(roots, root{"fiber", th.Value()})
		}
	}
	if s.rootPool != nil {
		roots = append(roots, root{"pool", s.rootPool.Value()})
	}
	for _, v := range s.finalizers {
		roots = append(roots, root{"finalizers", v})
	}
	for _, v := range s.dueGC {
		roots = append(roots, root{"finalizers", v})
	}
	return roots
}

type typeMeta struct {
	typ  *UserType
	meta *Table
}

// sortedTypes returns the metatables of userdata types by age.
func (s *State) sortedTypes() []typeMeta {
	var all []typeMeta
	for t, m := range s.typeMetas {
		all = append(all, typeMeta{t, m})
	}
	slices.SortFunc(all, func(a, b typeMeta) int { return cmp.Compare(a.meta.serial, b.meta.serial) })
	return all
}

// isSaved reports whether v is an object that the snapshot holds itself.
func isSaved(v Value) bool {
	return v.Kind() > KindString && v.p.flags&(flagShared|flagPermanent) == 0
}

// collect finds the objects.
func (e *encoder) collect() {
	for _, r := range e.s.snapshotRoots() {
		e.reach(r.v)
	}
	visit := func(_ edgeKind, _, child Value) { e.reach(child) }
	for len(e.gray) > 0 {
		v := e.gray[len(e.gray)-1]
		e.gray = e.gray[:len(e.gray)-1]
		e.s.eachChild(v, visit)
	}
}

func (e *encoder) reach(v Value) {
	if v.p == nil || v.p.kind <= KindString || v.p.flags&flagShared != 0 || e.isPermanent(v) {
		return
	}
	if _, ok := e.numbers[v.p]; ok {
		return
	}
	e.numbers[v.p] = 0
	e.objs = append(e.objs, v)
	e.gray = append(e.gray, v)
}

// isPermanent reports whether v has a name now; the flag may be older.
func (e *encoder) isPermanent(v Value) bool {
	if v.p.flags&flagPermanent == 0 {
		return false
	}
	_, ok := e.permNums[v.p]
	return ok
}

// sort numbers the objects and lists the chunks in order of first use.
func (e *encoder) sort() {
	slices.SortFunc(e.objs, func(a, b Value) int { return cmp.Compare(a.serial(), b.serial()) })
	e.openOn = map[*upval]*Thread{}
	for i, v := range e.objs {
		e.numbers[v.p] = uint32(i) + 1
		switch v.Kind() {
		case KindThread:
			th := v.thread()
			for u := th.open; u != nil; u = u.next {
				e.openOn[u] = th
			}
		case KindClosure:
			c := v.closure().proto.chunk
			if _, ok := e.chunkOf[c]; !ok {
				e.chunkOf[c] = len(e.chunks)
				e.chunks = append(e.chunks, c)
			}
		}
	}
	for i, c := range e.chunks {
		for _, p := range c.protos {
			for _, k := range p.k {
				if k.isString() && knownNames[k.str()].p != k.p && e.consts[k.p] == 0 {
					e.consts[k.p] = i + 1
				}
			}
		}
	}
}

// unsavedPaths lists what the encoder met and could not save, with the shortest
// way to it.
func (e *encoder) unsavedPaths() []Unsaved {
	list := e.extra
	if len(e.lost) == 0 {
		return list
	}
	paths := e.s.findPaths(func(v Value) bool { _, ok := e.lost[v.p]; return ok })
	for _, v := range e.objs {
		if u, ok := e.lost[v.p]; ok {
			if u.Path == "" {
				u.Path = paths[v.p]
			}
			list = append(list, u)
		}
	}
	return list
}

// findPaths searches the heap breadth first and returns the way to each wanted
// object.
func (s *State) findPaths(wanted func(Value) bool) map[*header]string {
	came := map[*header]pathStep{}
	found := map[*header]string{}
	var queue, hits []Value
	reach := func(v Value, how pathStep) {
		if !isSaved(v) {
			return
		}
		if _, ok := came[v.p]; ok {
			return
		}
		came[v.p] = how
		queue = append(queue, v)
		if wanted(v) {
			hits = append(hits, v)
		}
	}
	for _, r := range s.snapshotRoots() { // what the globals reach first is named after them
		reach(r.v, pathStep{root: r.name})
		for ; len(queue) > 0; queue = queue[1:] {
			v := queue[0]
			s.eachChild(v, func(kind edgeKind, label, child Value) {
				reach(child, pathStep{from: v.p, kind: kind, label: label})
			})
		}
	}
	for _, v := range hits {
		path := ""
		for p := v.p; ; {
			st := came[p]
			if st.from == nil {
				path = st.root + path
				break
			}
			path = st.text(s) + path
			p = st.from
		}
		found[v.p] = path
	}
	return found
}

// pathStep is how findPaths came to an object.
type pathStep struct {
	from  *header // nil: a root
	root  string
	kind  edgeKind
	label Value
}

// maxPathLabel bounds what of a key is shown.
const maxPathLabel = 40

func (p pathStep) text(s *State) string {
	switch p.kind {
	case edgeField:
		if k, ok := p.label.AsString(); ok {
			if isIdentifier(k) {
				return "." + k
			}
			return "[" + strconv.Quote(k[:min(len(k), maxPathLabel)]) + "]"
		}
		return "[" + s.ToStringRaw(p.label) + "]"
	case edgeKey:
		return ".<key>"
	case edgeMeta:
		return ".<metatable>"
	case edgeUpvalue:
		return ".<upvalue " + s.ToStringRaw(p.label) + ">"
	case edgeStack:
		return ".<stack " + s.ToStringRaw(p.label) + ">"
	}
	return ".<frame>"
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c|0x20)-'a' >= 26 && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxPathLabel
}
