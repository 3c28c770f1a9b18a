package lua

import (
	"encoding/binary"
	"fmt"
)

func (e *encoder) uint(n uint64)  { e.b = binary.AppendUvarint(e.b, n) }
func (e *encoder) int(n int64)    { e.b = binary.AppendVarint(e.b, n) }
func (e *encoder) word(n uint64)  { e.b = binary.LittleEndian.AppendUint64(e.b, n) }
func (e *encoder) text(s string)  { e.uint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) bytes(b []byte) { e.uint(uint64(len(b))); e.b = append(e.b, b...) }
func (e *encoder) bool(v bool)    { e.b = append(e.b, asBit(v, 1)) }

// asBit returns b if v.
func asBit(v bool, b byte) byte {
	if v {
		return b
	}
	return 0
}

func (e *encoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

// value writes any value.
func (e *encoder) value(v Value) {
	switch v.Kind() {
	case KindNil:
		e.b = append(e.b, byte(tagNil))
	case KindFalse:
		if v.p == &clearedKey {
			e.b = append(e.b, byte(tagCleared))
			return
		}
		e.b = append(e.b, byte(tagFalse))
	case KindTrue:
		e.b = append(e.b, byte(tagTrue))
	case KindInt:
		e.b = append(e.b, byte(tagInt))
		e.int(v.rawInt())
	case KindFloat:
		e.b = append(e.b, byte(tagFloat))
		e.word(v.n)
	case KindString:
		e.string(v)
	default:
		e.object(v)
	}
}

// string writes a string: its number, or at the first use its kind and content.
// One object stays one object, which memory counts depend on.
func (e *encoder) string(v Value) {
	n, chunk := e.strings[v.p], 0
	if n == 0 {
		chunk = e.consts[v.p]
		if v.p.flags&flagShared != 0 && chunk == 0 {
			n = e.shared[v.str()] // equal strings of the process are one after a restore
		}
	}
	if n > 0 {
		e.b = append(e.b, byte(tagString))
		e.uint(uint64(n - 1))
		return
	}
	e.nstrings++
	e.strings[v.p] = e.nstrings
	e.b = append(e.b, byte(tagNewString))
	switch {
	case chunk > 0:
		e.b = append(e.b, stringConst)
		e.uint(uint64(chunk - 1))
	case v.p.flags&flagShared != 0:
		e.shared[v.str()] = e.nstrings
		e.b = append(e.b, stringShared)
	default:
		e.b = append(e.b, stringOwn)
	}
	e.text(v.str())
}

func (e *encoder) object(v Value) {
	switch {
	case v.p.flags&flagShared != 0:
		if v.Kind() != KindFunction {
			e.fail("a shared %s cannot be saved", v.TypeName())
			return
		}
		f := v.function()
		if n, ok := e.funcs[f.name]; ok {
			e.b = append(e.b, byte(tagFunc))
			e.uint(uint64(n))
			return
		}
		e.funcs[f.name] = len(e.funcs)
		e.b = append(e.b, byte(tagNewFunc))
		e.text(f.name)
	case e.isPermanent(v):
		e.b = append(e.b, byte(tagPermanent))
		e.uint(uint64(e.permNums[v.p]))
	default:
		n := e.numbers[v.p]
		if n == 0 {
			e.fail("a %s was not reached", v.TypeName())
		}
		e.b = append(e.b, byte(tagObject))
		e.uint(uint64(n - 1))
	}
}

// optional writes a table or nil.
func (e *encoder) optional(t *Table) {
	if t == nil {
		e.value(Nil)
		return
	}
	e.value(t.Value())
}

func (e *encoder) body() {
	e.b = append(e.b, byte(e.s.options.Stdlib))
	e.uint(uint64(len(e.chunks)))
	for _, c := range e.chunks {
		e.text(c.name)
		e.text(c.source)
		e.b = append(e.b, asBit(c.expression, 1)|asBit(c.private, 2))
		e.uint(uint64(len(c.protos)))
		for _, p := range c.protos {
			e.word(p.hash)
		}
	}
	e.uint(uint64(len(e.perms)))
	for _, p := range e.perms {
		e.text(p.name)
		e.b = append(e.b, byte(p.v.Kind()))
		e.uint(p.v.serial())
	}
	e.uint(uint64(len(e.objs)))
	last := uint64(0)
	for _, v := range e.objs {
		e.b = append(e.b, byte(v.Kind()))
		e.uint(v.serial() - last)
		last = v.serial()
		e.shape(v)
	}
	for _, v := range e.objs {
		e.contents(v)
	}
	e.state()
}

// shape writes what an object needs to be made before anything refers to it.
func (e *encoder) shape(v Value) {
	switch v.Kind() {
	case KindTable:
		t := v.table()
		if t.flags&flagBorrowed == 0 {
			e.uint(uint64(cap(t.ents)))
		} else {
			e.uint(0)
		}
	case KindClosure:
		p := v.closure().proto
		e.uint(uint64(e.chunkOf[p.chunk]))
		e.uint(uint64(p.index))
	}
}

func (e *encoder) contents(v Value) {
	switch v.Kind() {
	case KindTable:
		e.table(v.table())
	case KindClosure:
		cl := v.closure()
		e.uint(uint64(len(cl.upvals)))
		for _, u := range cl.upvals {
			e.upval(u)
		}
	case KindFunction:
		f := v.function()
		e.text(f.name)
		e.uint(uint64(len(f.upvals)))
		for _, u := range f.upvals {
			e.value(u)
		}
	case KindThread:
		e.thread(v.thread())
	case KindUserdata:
		e.userdata(v.userdata())
	}
}

// Flags of tables.
const (
	tableArray byte = 1 << iota
	tableFrozen
	tableBorrowed
	tableTemplate // borrowed from a template of the standard library
	tableMeta
)

func (e *encoder) table(t *Table) {
	borrowed := t.flags&flagBorrowed != 0
	from := 0
	if borrowed {
		from = e.s.borrowedFrom(t)
	}
	e.b = append(e.b, asBit(t.flags&flagArray != 0, tableArray)|asBit(t.flags&flagFrozen != 0, tableFrozen)|
		asBit(borrowed, tableBorrowed)|asBit(from > 0, tableTemplate)|asBit(t.meta != nil, tableMeta))
	if t.meta != nil {
		e.value(t.meta.Value())
	}
	e.b = append(e.b, byte(t.amode))
	e.uint(uint64(t.arrayCap()))
	n := t.arrayLen()
	e.uint(uint64(n))
	for i := range n {
		e.value(t.arrayAt(i))
	}
	if from > 0 {
		e.text(e.s.templateName(from))
		return
	}
	e.uint(uint64(len(t.ents)))
	for i := range t.ents {
		x := &t.ents[i]
		e.value(x.key)
		if t == e.s.globals && x.key.isString() && isOriginal(x.key.str(), x.val, e.permNames) {
			e.b = append(e.b, byte(tagOriginal))
			continue
		}
		e.value(x.val)
	}
}

// upval writes a captured variable: its number, and at the first use where its
// value is. One whose thread cannot be reached any more is as good as closed.
func (e *encoder) upval(u *upval) {
	n := e.upvals[u]
	if n > 0 {
		e.uint(uint64(n - 1))
		return
	}
	e.uint(uint64(len(e.upvals)))
	e.upvals[u] = uint32(len(e.upvals)) + 1
	th := e.openOn[u]
	e.b = append(e.b, asBit(th != nil, 1)|asBit(u.id != nil, 2))
	if u.id != nil {
		e.value(u.id.Value())
	}
	if th != nil {
		e.uint(uint64(e.numbers[&th.header] - 1))
		e.uint(uint64(u.slot))
	} else {
		e.value(*u.v)
	}
}

// How a userdata is saved.
const (
	userTombstone byte = iota
	userEncoded
	userUpvalue // made by debug.upvalueid
	userFile
)

func (e *encoder) userdata(u *Userdata) {
	e.text(u.typ.Name)
	e.uint(uint64(u.typ.Charge))
	switch data := u.data.(type) {
	case *lostObject:
		if u.typ.lost {
			e.lostAgain(u, data)
			return
		}
	case *luaFile:
		if u.typ == fileType {
			e.file(u, data)
			return
		}
	}
	if u.typ == upvalueIDs {
		e.b = append(e.b, userUpvalue)
		return
	}
	reason := "values of this type cannot be saved"
	if encode := u.typ.Encode; encode != nil {
		id, err := encode(u.data)
		if err == nil {
			e.b = append(e.b, userEncoded)
			e.bytes(id)
			return
		}
		reason = err.Error()
	}
	e.tombstone(u, reason)
}

// lostAgain writes a tombstone of an earlier restore as it was found.
func (e *encoder) lostAgain(u *Userdata, data *lostObject) {
	if data.encoded {
		e.b = append(e.b, userEncoded)
		e.bytes(data.data)
		return
	}
	e.lost[&u.header] = Unsaved{Path: data.path, Type: u.typ.Name, Reason: "was not restored"}
	e.b = append(e.b, userTombstone)
	e.text(data.path)
}

// tombstone notes that u is lost. The path is searched at once, as it is part
// of the snapshot.
func (e *encoder) tombstone(u *Userdata, reason string) {
	if e.tombstones == nil {
		e.tombstones = e.s.findPaths(func(v Value) bool { return v.Kind() == KindUserdata })
	}
	path := e.tombstones[&u.header]
	e.lost[&u.header] = Unsaved{Path: path, Type: u.typ.Name, Reason: reason}
	e.b = append(e.b, userTombstone)
	e.text(path)
}

// Flags of files.
const (
	fileClosed byte = 1 << iota
	fileEOF
	fileWritten
	fileDirty
	fileProcess
)

// file writes a standard file or a closed one; others are lost.
func (e *encoder) file(u *Userdata, f *luaFile) {
	switch {
	case f.lost:
		e.lost[&u.header] = Unsaved{Path: f.path, Type: u.typ.Name, Reason: "was not restored"}
		e.b = append(e.b, userTombstone)
		e.text(f.path)
		return
	case !f.closed && !f.standard:
		e.tombstone(u, "an open file cannot be saved")
		return
	}
	e.b = append(e.b, userFile, f.stream)
	e.b = append(e.b, asBit(f.closed, fileClosed)|asBit(f.eof, fileEOF)|asBit(f.written, fileWritten)|
		asBit(f.dirty, fileDirty)|asBit(f.process, fileProcess))
	e.b = append(e.b, byte(f.outMode))
	e.uint(uint64(f.outSize))
	e.uint(uint64(f.inCost))
	e.bytes(f.in)
	e.bytes(f.out)
}
