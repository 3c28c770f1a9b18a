package lua

import (
	"encoding/binary"
	"math"
	"strings"
)

func (d *decoder) left() int { return len(d.b) - d.pos }

func (d *decoder) truncated() {
	d.fail("%w", errTruncated)
	d.pos = len(d.b)
}

func (d *decoder) byte() byte {
	if d.pos >= len(d.b) {
		d.truncated()
		return 0
	}
	d.pos++
	return d.b[d.pos-1]
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.b[d.pos:])
	if size <= 0 {
		d.truncated()
		return 0
	}
	d.pos += size
	return n
}

func (d *decoder) int() int64 {
	n, size := binary.Varint(d.b[d.pos:])
	if size <= 0 {
		d.truncated()
		return 0
	}
	d.pos += size
	return n
}

func (d *decoder) word() uint64 {
	if d.left() < 8 {
		d.truncated()
		return 0
	}
	d.pos += 8
	return binary.LittleEndian.Uint64(d.b[d.pos-8:])
}

// count reads a number of items of at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.uint()
	if n > uint64(d.left()/size) {
		d.truncated()
		return 0
	}
	return int(n)
}

// number reads a number from 0 to most.
func (d *decoder) number(most int) int {
	n := d.uint()
	if most < 0 || n > uint64(most) {
		d.fail("number %d out of range", n)
		return 0
	}
	return int(n)
}

func (d *decoder) raw() []byte {
	n := d.count(1)
	d.pos += n
	return d.b[d.pos-n : d.pos]
}

func (d *decoder) text() string { return string(d.raw()) }

// value reads any value.
func (d *decoder) value() Value { return d.tagged(tag(d.byte())) }

func (d *decoder) tagged(t tag) Value {
	if d.err != nil {
		return Nil
	}
	switch t {
	case tagNil:
	case tagFalse, tagTrue:
		return Boolean(t == tagTrue)
	case tagInt:
		return Integer(d.int())
	case tagFloat:
		return Float(math.Float64frombits(d.word()))
	case tagNewString:
		return d.string()
	case tagString:
		if n := d.uint(); n < uint64(len(d.strings)) {
			return d.strings[n]
		}
		d.fail("unknown string")
	case tagObject:
		if n := d.uint(); n < uint64(len(d.objs)) {
			return d.objs[n]
		}
		d.fail("unknown object")
	case tagNewFunc:
		return d.function()
	case tagFunc:
		if n := d.uint(); n < uint64(len(d.funcs)) {
			return d.funcs[n].Value()
		}
		d.fail("unknown function")
	case tagPermanent:
		if n := d.uint(); n < uint64(len(d.perms)) {
			return d.permanentValue(&d.perms[n])
		}
		d.fail("unknown permanent")
	default:
		d.fail("unknown value %d", t)
	}
	return Nil
}

func (d *decoder) string() Value {
	v, kind := Nil, d.byte()
	switch kind {
	case stringOwn:
		s := d.text()
		if d.need(chargeString + int64(len(s))) {
			v = makeString(s)
		}
	case stringShared:
		v = internConstant(d.text())
	case stringConst:
		n := d.number(len(d.chunks) - 1)
		s := d.text()
		if d.err != nil {
			break
		}
		c := d.chunks[n]
		var ok bool
		if v, ok = c.constants()[s]; !ok {
			v = makeShared(s) // another compiler
		}
	default:
		d.fail("unknown string")
	}
	d.strings = append(d.strings, v)
	return v
}

// constants returns the string constants of a chunk.
func (c *restoredChunk) constants() map[string]Value {
	if c.consts == nil {
		c.consts = map[string]Value{}
		for _, p := range c.chunk.protos {
			for _, k := range p.k {
				if k.isString() {
					c.consts[k.str()] = k
				}
			}
		}
	}
	return c.consts
}

// function reads the name of a permanent function. One that is gone is replaced
// by a function that raises.
func (d *decoder) function() Value {
	name := d.text()
	if d.err != nil {
		return Nil
	}
	f := d.namedFunction(name)
	if f == nil {
		f = lostFunction(name)
		d.unsaved = append(d.unsaved, Unsaved{Path: name, Type: "function", Reason: "there is no function of this name any more"})
	}
	d.funcs = append(d.funcs, f)
	return f.Value()
}

func (d *decoder) namedFunction(name string) *Function {
	if f := d.functions[name]; f != nil {
		return f
	}
	return d.own[name]
}

func (d *decoder) values() []Value {
	n := d.count(1)
	if n == 0 || !d.need(16*int64(n)) {
		return nil
	}
	list := make([]Value, 0, n)
	for range n {
		list = append(list, d.value())
	}
	if d.err != nil {
		return nil
	}
	return list
}

// tableValue reads a table; a failure gives an empty one.
func (d *decoder) tableValue() *Table {
	if t, ok := d.value().AsTable(); ok {
		return t
	}
	d.fail("no table")
	return newTable(0, 0, 0)
}

func (d *decoder) optionalTable() *Table {
	v := d.value()
	if v.IsNil() {
		return nil
	}
	t, ok := v.AsTable()
	if !ok {
		d.fail("no table")
	}
	return t
}

func (d *decoder) body() {
	if d.byte() != byte(d.s.options.Stdlib) {
		d.fail("the snapshot has another standard library")
	}
	for n := d.count(5); n > 0 && d.err == nil; n-- {
		d.chunk()
	}
	for n := d.count(3); n > 0 && d.err == nil; n-- {
		d.permanent()
	}
	d.directory()
	for _, v := range d.objs {
		if d.err != nil {
			return
		}
		d.contents(v)
	}
	d.state()
	for _, check := range d.later {
		if d.err != nil {
			return
		}
		check()
	}
	d.link()
	d.checkThreads()
}

func (d *decoder) chunk() {
	name, source, flags := d.text(), d.text(), d.byte()
	n := d.count(8)
	if d.err != nil || !d.need(int64(len(source))) {
		return
	}
	compile := Compile
	if c := d.s.options.Codec; c != nil && c.Compile != nil && flags&2 == 0 {
		compile = c.Compile
	}
	c, err := compile(name, source, CompileOptions{Expression: flags&1 != 0})
	if err != nil {
		d.fail("chunk %s: %w", chunkID(name), err)
		return
	}
	if flags&2 != 0 {
		c.makePrivate()
	}
	if len(c.protos) != n {
		d.fail("chunk %s has %d functions, the snapshot %d", chunkID(name), len(c.protos), n)
		return
	}
	rc := &restoredChunk{chunk: c, protos: make([]*protoState, n)}
	rc.protos[0] = newProtoState(c.main, d.s.chunkState(c))
	d.need(c.chargeBytes() - int64(len(source)))
	for i, p := range c.protos {
		for j, sub := range p.protos {
			rc.protos[sub.index] = rc.protos[i].child(j)
		}
		if d.word() != p.hash {
			d.changed[p] = true
		}
	}
	d.chunks = append(d.chunks, rc)
}

func (d *decoder) permanent() {
	name, kind, serial := d.text(), Kind(d.byte()), d.uint()
	if d.err != nil {
		return
	}
	d.known[permanentPrefix+name] = true
	d.hiddenType(name)
	p := restoredPermanent{name: name, kind: kind, serial: serial}
	if v := d.fresh[name]; v.Kind() == kind && kind > KindString && v.p.flags&flagShared == 0 {
		v.setSerial(serial)
		p.v = v
	}
	d.perms = append(d.perms, p)
}

// hiddenType makes the metatable of a hidden type that the fresh state has not
// used yet.
func (d *decoder) hiddenType(name string) {
	typeName, ok := strings.CutPrefix(name, typePrefix)
	if _, have := d.fresh[name]; !ok || have {
		return
	}
	t := d.userType(typeName)
	if t == nil || !t.Hidden {
		return
	}
	mt := d.s.typeMetatable(t)
	mt.flags |= flagPermanent
	d.fresh[name] = mt.Value()
	if index, ok := mt.get(eventNames[evIndex]).AsTable(); ok {
		index.flags |= flagPermanent
		d.fresh[name+"."+eventStrings[evIndex]] = index.Value()
	}
}

// restoredPermanent is a permanent of a snapshot; v is Nil as long as it is not
// there.
type restoredPermanent struct {
	name   string
	kind   Kind
	serial uint64
	v      Value
}

// permanentValue returns a permanent, or makes what stands for it if it is gone.
func (d *decoder) permanentValue(p *restoredPermanent) Value {
	if p.v.IsNil() {
		p.v = d.lostPermanent(p.name, p.kind)
		if p.v.p.flags&flagShared == 0 {
			p.v.setSerial(p.serial)
		}
		d.unsaved = append(d.unsaved, Unsaved{Path: p.name, Type: typeNameOf(p.kind), Reason: "there is no permanent of this name any more"})
	}
	return p.v
}

func typeNameOf(k Kind) string {
	if int(k) < len(typeNames) {
		return typeNames[k]
	}
	return "unknown"
}

// lostPermanent returns what stands for a permanent that is gone.
func (d *decoder) lostPermanent(name string, kind Kind) Value {
	s := d.s
	var v Value
	switch kind {
	case KindClosure, KindFunction:
		return lostFunction(name).Value()
	case KindTable:
		t := newTable(0, 0, 0)
		t.flags |= flagFrozen
		t.meta = s.lostMetatable()
		v = t.Value()
	default:
		v = s.newLost(lostType(name, 0), &lostObject{path: name}).Value()
	}
	s.Permanent(name, v)
	return v
}

func (s *State) newLost(t *UserType, data *lostObject) *Userdata {
	return &Userdata{object: object{header: header{kind: KindUserdata}}, typ: t, data: data, meta: s.lostMetatable()}
}

// directory makes the objects, still empty.
func (d *decoder) directory() {
	n := d.count(2)
	if !d.need(16 * int64(n)) {
		return
	}
	d.objs = make([]Value, 0, n)
	last := uint64(0)
	for range n {
		kind, delta := Kind(d.byte()), d.uint()
		if delta == 0 || delta > math.MaxInt64/2 || last+delta > math.MaxInt64/2 {
			d.fail("serial out of range")
		}
		last += delta
		if d.err != nil {
			return
		}
		v := d.blank(kind, last)
		if d.err != nil {
			return
		}
		d.objs = append(d.objs, v)
	}
}

// blank makes an object of a kind.
func (d *decoder) blank(kind Kind, serial uint64) Value {
	o := object{header: header{kind: kind}, serial: serial}
	switch kind {
	case KindTable:
		n := d.number(maxArray)
		if fieldCapacity(n) != n {
			d.fail("capacity out of range")
		}
		if d.need(chargeTable + chargeEntry*int64(n)) {
			return newTable(serial, 0, n).Value()
		}
	case KindClosure:
		c := d.number(len(d.chunks) - 1)
		if len(d.chunks) == 0 {
			d.fail("a closure without chunk")
		}
		if d.err != nil {
			return Nil
		}
		ps := d.chunks[c].protos[d.number(len(d.chunks[c].protos)-1)]
		if d.need(chargeClosure + 8*int64(len(ps.proto.upvals))) {
			cl := d.s.newClosure(ps)
			cl.serial = serial
			return cl.Value()
		}
	case KindFunction:
		if d.need(chargeFunction) {
			return (&Function{object: o}).Value()
		}
	case KindThread:
		if d.need(chargeThread) {
			return (&Thread{object: o}).Value()
		}
	case KindUserdata:
		if d.need(chargeUserdata) {
			u := &Userdata{object: o, typ: brokenType}
			return u.Value()
		}
	default:
		d.fail("unknown kind of object")
	}
	return Nil
}

// brokenType is the type of a userdata before its contents are read.
var brokenType = lostType("userdata", 0)

func (d *decoder) contents(v Value) {
	switch v.Kind() {
	case KindTable:
		d.table(v.table())
	case KindClosure:
		cl := v.closure()
		if d.uint() != uint64(len(cl.upvals)) {
			d.fail("a function captures other variables than in the snapshot")
			return
		}
		for i := range cl.upvals {
			cl.upvals[i] = d.upval()
		}
	case KindFunction:
		d.boundFunction(v.function())
	case KindThread:
		d.thread(v.thread())
	case KindUserdata:
		d.userdata(v.userdata())
	}
}

// boundFunction reads a Go function with upvalues.
func (d *decoder) boundFunction(f *Function) {
	name := d.text()
	upvals := d.values()
	if d.err != nil {
		return
	}
	f.name, f.upvals = name, upvals
	if b := d.bound[name]; b != nil {
		f.fn, f.builtin = b.base.fn, b.base.builtin
		d.later = append(d.later, func() {
			if !b.check(d.s, f.upvals) {
				d.fail("function %s has wrong upvalues", name)
			}
		})
		return
	}
	base := d.own[name]
	if base == nil {
		base = lostFunction(name)
		d.lost[&f.header] = Unsaved{Path: name, Type: "function", Reason: "there is no function of this name any more"}
	}
	f.fn, f.builtin = base.fn, base.builtin
}

func (d *decoder) table(t *Table) {
	flags := d.byte()
	if flags&tableArray != 0 {
		t.flags |= flagArray
	}
	if flags&tableFrozen != 0 {
		t.flags |= flagFrozen
	}
	if flags&tableMeta != 0 {
		t.meta = d.tableValue()
	}
	d.array(t)
	if flags&tableTemplate != 0 {
		d.template(t, d.text())
		return
	}
	n := d.count(2)
	if d.err != nil {
		return
	}
	borrowed := flags&tableBorrowed != 0
	if borrowed {
		if cap(t.ents) > 0 || !d.need(chargeEntry*int64(n)) {
			d.fail("borrowed entries have a capacity")
			return
		}
		t.ents = make([]entry, 0, n)
		t.makeIndex()
	}
	if n > cap(t.ents) {
		d.fail("more entries than capacity")
		return
	}
	for range n {
		d.entry(t, borrowed)
		if d.err != nil {
			return
		}
	}
	if i := t.find(Integer(int64(t.arrayLen()) + 1)); i >= 0 && t.ents[i].val.p != nil {
		d.fail("an element is among the entries")
	}
	if borrowed {
		t.flags |= flagBorrowed
	}
}

// template makes t borrow from a table of the standard library.
func (d *decoder) template(t *Table, name string) {
	tp := d.s.templateByName(name)
	if tp == nil || cap(t.ents) > 0 {
		d.fail("unknown library %q", name)
		return
	}
	n := len(tp.table.ents)
	t.ents, t.index, t.filter = tp.table.ents[:n:n], tp.table.index, tp.table.filter
	t.flags |= flagBorrowed
}

func (d *decoder) array(t *Table) {
	mode := arrayMode(d.byte())
	capacity := d.number(maxArray)
	n := d.count(1)
	if mode > arrayBoxed || n > capacity || mode == arrayNone && n > 0 {
		d.fail("array part out of range")
	}
	if d.err != nil || !d.need(arrayBytes(mode, capacity)) {
		return
	}
	t.restoreArray(mode, capacity, n)
	v := Nil
	for i := range n {
		v = d.value()
		if d.err != nil {
			return
		}
		if mode == arrayPlain && !v.plain() {
			d.fail("an object in an array of numbers")
			return
		}
		t.setArrayAt(i, v)
	}
	if n > 0 && v.IsNil() {
		d.fail("array part ends with nil")
	}
}

// entry reads one entry and appends it.
func (d *decoder) entry(t *Table, borrowed bool) {
	kind := tag(d.byte())
	if kind == tagCleared {
		if v := d.value(); !v.IsNil() {
			d.fail("a cleared key has a value")
		}
		t.add(Value{p: &clearedKey}, Nil)
		return
	}
	k := d.tagged(kind)
	v := Nil
	if kind := tag(d.byte()); kind == tagOriginal {
		name, _ := k.AsString()
		v = d.originals[name]
	} else {
		v = d.tagged(kind)
	}
	if d.err != nil {
		return
	}
	norm, err := normKey(k)
	switch {
	case err != nil || norm.p != k.p:
		d.fail("bad key")
	case k.isInt() && k.n-1 < uint64(t.arrayLen()) && v.p != nil:
		d.fail("an element is among the entries")
	case t.find(k) >= 0:
		d.fail("key occurs twice")
	case borrowed && (ownObject(k) || ownObject(v)):
		d.fail("a borrowed table has objects")
	default:
		t.add(k, v)
	}
}

// ownObject reports whether v belongs to a state.
func ownObject(v Value) bool { return v.Kind() >= KindString && v.p.flags&flagShared == 0 }

func (d *decoder) upval() *upval {
	n := d.uint()
	if n < uint64(len(d.upvals)) {
		return d.upvals[n]
	}
	if n != uint64(len(d.upvals)) || !d.need(chargeUpval) {
		d.fail("unknown upvalue")
		return newUpval(Nil)
	}
	u := newUpval(Nil)
	d.upvals = append(d.upvals, u)
	flags := d.byte()
	if flags&2 != 0 {
		id, ok := d.value().AsUserdata()
		if !ok {
			d.fail("no upvalue identity")
		}
		u.id = id
	}
	if flags&1 == 0 {
		u.closed = d.value()
		return u
	}
	at := d.number(len(d.objs) - 1)
	slot := d.number(maxSlots + extraSlots)
	if d.err != nil {
		return u
	}
	if d.objs[at].Kind() != KindThread {
		d.fail("no thread")
		return u
	}
	d.open[u] = openAt{d.objs[at].thread(), slot}
	return u
}

func (d *decoder) userdata(u *Userdata) {
	name := d.text()
	charge, how := d.number(1<<30), d.byte()
	if !d.need(int64(charge)) {
		return
	}
	switch how {
	case userTombstone:
		path := d.text()
		d.lost[&u.header] = Unsaved{Path: path, Type: name, Reason: "was not saved"}
		if name == fileType.Name {
			u.typ, u.data = fileType, &luaFile{closed: true, lost: true, path: path}
			break
		}
		d.bury(u, name, charge, &lostObject{path: path})
		return
	case userUpvalue:
		u.typ = upvalueIDs
	case userFile:
		u.typ, u.data = fileType, d.file()
	case userEncoded:
		data := d.text()
		typ := d.userType(name)
		if typ == nil || typ.Decode == nil {
			d.lost[&u.header] = Unsaved{Type: name, Reason: "there is no such type any more"}
			d.bury(u, name, charge, &lostObject{data: []byte(data), encoded: true})
			return
		}
		u.typ = typ
		d.later = append(d.later, func() { d.decodeUser(u, []byte(data), charge) })
	default:
		d.fail("unknown userdata")
		return
	}
	if u.typ != fileType && u.typ != upvalueIDs && d.userType(name) == nil || u.typ.Name != name {
		d.fail("wrong type of userdata")
	}
	d.users = append(d.users, u)
}

// bury makes u a tombstone.
func (d *decoder) bury(u *Userdata, name string, charge int, l *lostObject) {
	u.typ, u.data, u.meta = lostType(name, charge), l, d.s.lostMetatable()
}

func (d *decoder) decodeUser(u *Userdata, data []byte, charge int) {
	v, err := u.typ.Decode(d.s, data)
	if err == nil {
		u.data = v
		return
	}
	name := u.typ.Name
	d.lost[&u.header] = Unsaved{Type: name, Reason: err.Error()}
	d.bury(u, name, charge, &lostObject{data: data, encoded: true})
}

// file reads a standard or closed file.
func (d *decoder) file() *luaFile {
	stream, flags := d.byte(), d.byte()
	f := &luaFile{
		stream: stream, standard: stream > 0, closed: flags&fileClosed != 0, eof: flags&fileEOF != 0,
		written: flags&fileWritten != 0, process: flags&fileProcess != 0, outMode: bufferMode(d.byte()),
		outSize: d.number(maxString), inCost: d.number(maxString),
	}
	f.base = append([]byte(nil), d.raw()...)
	f.in = f.base
	f.out = append([]byte(nil), d.raw()...)
	sys := d.s.options.System
	switch {
	case stream > 3 || f.outMode > bufferNone || stream == 0 && !f.closed || f.closed && len(f.in)+len(f.out) > 0:
		d.fail("file out of range")
	case !d.need(int64(len(f.in) + len(f.out))):
	case f.closed || sys == nil:
	case stream == 1:
		f.f = sys.Stdin
	case stream == 2:
		f.f = sys.Stdout
	case stream == 3:
		f.f = sys.Stderr
	}
	if flags&fileDirty != 0 && d.err == nil {
		f.dirty = true
		d.s.lib.dirty = append(d.s.lib.dirty, f)
	}
	return f
}
