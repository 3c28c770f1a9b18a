package lua

import (
	"math"
	"math/bits"
	"unsafe"
)

// Table is a Lua table: an array part whose last element is never nil, so that
// its length is the table's length, and entries in order of insertion with an
// index on the side. A removed entry keeps its key until the next rehash, so
// that a traversal may remove what it visits.
//
// The array part has two representations; table_array.go has the functions by
// which other files reach it. Only table.go, table_array.go and the run loop
// touch the memory behind arr; alen, acap and amode may be read elsewhere.
//
// Invariant: the key arrayLen+1 is never live in the entries.
type Table struct {
	object
	filter uint64 // bit hash>>58 of every key in ents
	meta   *Table
	arr    unsafe.Pointer // array part, see table_array.go
	alen   uint32
	acap   uint32
	ents   []entry
	index  []uint32 // open addressing, entry number + 1; nil up to unindexed entries
	absent uint32   // as a metatable: events known to be missing; cleared by every new key
	islot  uint8    // as a metatable: entry that held __index
	weak   uint8    // weakKeys, weakValues of the metatable's __mode, set by the walk
	amode  arrayMode
}

type entry struct{ key, val Value }

// unindexed is the number of entries that are searched one by one.
const unindexed = 8

// newTable returns a table with room for that many elements and fields, not
// charged. A few fields share the table's allocation.
func newTable(serial uint64, narray, nfields int) *Table {
	var t *Table
	switch {
	case nfields == 0:
		t = new(Table)
	case nfields <= 2:
		x := new(struct {
			Table
			e [2]entry
		})
		t = &x.Table
		t.ents = x.e[:0]
	case nfields <= 4:
		x := new(struct {
			Table
			e [4]entry
		})
		t = &x.Table
		t.ents = x.e[:0]
	default:
		t = new(Table)
		t.ents = make([]entry, 0, nfields)
		t.makeIndex()
	}
	t.kind = KindTable
	t.serial = serial
	t.acap = uint32(narray)
	return t
}

// fieldCapacity is the entry capacity newTable gives for nfields.
func fieldCapacity(nfields int) int {
	switch {
	case nfields == 0:
		return 0
	case nfields <= 2:
		return 2
	case nfields <= 4:
		return 4
	}
	return nfields
}

// Value returns t as a Value.
func (t *Table) Value() Value { return Value{p: &t.header} }

// Metatable returns t's metatable or nil.
func (t *Table) Metatable() *Table { return t.meta }

// IsArrayMarked reports whether the host marked t as an array.
func (t *Table) IsArrayMarked() bool { return t.flags&flagArray != 0 }

// MarkArray marks or unmarks t as an array; the VM gives it no meaning.
func (t *Table) MarkArray(on bool) {
	if on {
		t.flags |= flagArray
	} else {
		t.flags &^= flagArray
	}
}

// Len returns the border the # operator gives without __len.
func (t *Table) Len() int64 { return int64(t.alen) }

func mixHash(n uint64) uint64 { return n * 0x9E3779B97F4A7C15 }

// hashKey returns the hash of a key that is neither nil nor NaN nor a float
// with an integer value.
func hashKey(k Value) uint64 {
	switch k.p.kind {
	case KindString:
		if k.n&1 != 0 {
			return hashLong(k.str())
		}
		return k.n
	case KindInt, KindFloat:
		return mixHash(k.n + uint64(k.p.kind))
	case KindFalse, KindTrue:
		return mixHash(uint64(k.p.kind))
	}
	return mixHash((*object)(unsafe.Pointer(k.p)).serial + 1<<32)
}

// sameString compares the content of two keys with equal hash words.
func sameString(a, b *header) bool {
	return a.kind == KindString && b.kind == KindString &&
		(*String)(unsafe.Pointer(a)).s == (*String)(unsafe.Pointer(b)).s
}

// find returns the number of the entry with normalised key k, or -1.
func (t *Table) find(k Value) int {
	if t.filter == 0 {
		return -1
	}
	h := k.n
	if k.p.kind != KindString || h&1 != 0 {
		h = hashKey(k)
	}
	if t.filter&(1<<(h>>58)) == 0 {
		return -1
	}
	if t.index == nil {
		for i := range t.ents {
			e := &t.ents[i]
			if e.key.n == k.n && (e.key.p == k.p || sameString(e.key.p, k.p)) {
				return i
			}
		}
		return -1
	}
	mask := uint64(len(t.index) - 1)
	for h >>= 20; ; h++ {
		slot := t.index[h&mask]
		if slot == 0 {
			return -1
		}
		e := &t.ents[slot-1]
		if e.key.n == k.n && (e.key.p == k.p || sameString(e.key.p, k.p)) {
			return int(slot - 1)
		}
	}
}

// findName is find for a short string that is usually the same object as the
// key in the table.
func (t *Table) findName(k Value) int {
	if t.filter&(1<<(k.n>>58)) == 0 {
		return -1
	}
	if t.index == nil {
		for i := range t.ents {
			if t.ents[i].key.p == k.p {
				return i
			}
		}
	}
	return t.find(k)
}

// getInt returns the value of an integer key.
func (t *Table) getInt(i int64) Value {
	if n := uint64(i - 1); n < uint64(t.alen) {
		return t.arrayAt(int(n))
	}
	if t.filter == 0 {
		return Nil
	}
	return t.getEntry(Integer(i))
}

func (t *Table) getEntry(k Value) Value {
	if i := t.find(k); i >= 0 {
		return t.ents[i].val
	}
	return Nil
}

// get returns the value of any key, Nil if there is none.
func (t *Table) get(k Value) Value {
	if k.p == nil {
		return Nil
	}
	switch k.p.kind {
	case KindInt:
		return t.getInt(k.rawInt())
	case KindFloat:
		if i, ok := floatToInteger(k.rawFloat()); ok {
			return t.getInt(i)
		}
	}
	return t.getEntry(k)
}

// keyError is why a key cannot be written.
type keyError string

func (e keyError) Error() string { return string(e) }

const (
	errNilKey keyError = "table index is nil"
	errNaNKey keyError = "table index is NaN"
)

// normKey turns integral floats to integers and refuses nil and NaN.
func normKey(k Value) (Value, error) {
	if k.p == nil {
		return k, errNilKey
	}
	if k.isFloat() {
		f := k.rawFloat()
		if i, ok := floatToInteger(f); ok {
			return Integer(i), nil
		}
		if f != f {
			return k, errNaNKey
		}
	}
	return k, nil
}

// growth returns the bytes that storing v under the normalised key k would
// add, 0 if there is room. Both copies count while one is made from the other.
func (t *Table) growth(k, v Value) int64 {
	if v.p == nil {
		return 0
	}
	if k.isInt() && k.n-1 <= uint64(t.alen) {
		return t.arrayGrowth(int(k.n-1), v)
	}
	if t.flags&flagBorrowed == 0 && (t.hasRoom() || t.find(k) >= 0) {
		return 0
	}
	bytes := chargeEntry * int64(max(4, 2*len(t.ents)))
	if n := t.arraySize(k); n > int(t.acap) {
		bytes += arrayBytes(arrayBoxed, n) // rehash moves integer keys there
	}
	return bytes
}

// set stores v under the normalised key k. The caller has seen to charges,
// frozen tables and metamethods.
func (t *Table) set(k, v Value) {
	if t.flags&flagBorrowed != 0 {
		t.unshare()
	}
	if k.isInt() && t.setArray(int64(k.n), v) {
		return
	}
	if i := t.find(k); i >= 0 {
		e := &t.ents[i]
		if e.val.p == nil {
			t.absent = 0
		}
		e.val = v
		return
	}
	if v.p != nil {
		t.insert(k, v)
	}
}

func (t *Table) dropEntry(k Value) {
	if i := t.find(k); i >= 0 {
		t.ents[i].val = Nil
	}
}

// insert adds a new entry.
func (t *Table) insert(k, v Value) {
	if !t.hasRoom() {
		t.rehash(k)
		if k.isInt() && t.setArray(int64(k.n), v) {
			return
		}
	}
	t.add(k, v)
}

// add appends the entry of a new key; there must be room.
func (t *Table) add(k, v Value) {
	t.absent = 0
	h := hashKey(k)
	n := len(t.ents)
	t.ents = t.ents[:n+1]
	t.ents[n] = entry{k, v}
	t.filter |= 1 << (h >> 58)
	if t.index != nil {
		t.link(h, n+1)
	}
}

// hasRoom reports whether a new key needs no growth.
func (t *Table) hasRoom() bool {
	return len(t.ents) < cap(t.ents) && (t.index != nil || len(t.ents) < unindexed)
}

func (t *Table) link(h uint64, number int) {
	mask := uint64(len(t.index) - 1)
	for h >>= 20; t.index[h&mask] != 0; h++ {
	}
	t.index[h&mask] = uint32(number)
}

// rehash drops removed entries, moves integer keys to the array part where at
// least half of it would be used, and makes room for one more entry (key).
func (t *Table) rehash(key Value) {
	if n := t.arraySize(key); n > int(t.alen) {
		t.moveToArray(n)
	}
	live := 1
	for i := range t.ents {
		if t.ents[i].val.p != nil {
			live++
		}
	}
	size := 4
	for size*3 < live*4 {
		size *= 2
	}
	old := t.ents
	t.ents = make([]entry, 0, size)
	for i := range old {
		if old[i].val.p != nil {
			t.ents = append(t.ents, old[i])
		}
	}
	t.makeIndex()
}

// makeIndex builds filter and index for the present entries.
func (t *Table) makeIndex() {
	t.index = nil
	if cap(t.ents) > unindexed {
		t.index = make([]uint32, 1<<bits.Len(uint(2*cap(t.ents)-1)))
	}
	t.filter = 0
	for i := range t.ents {
		h := hashKey(t.ents[i].key)
		t.filter |= 1 << (h >> 58)
		if t.index != nil {
			t.link(h, i+1)
		}
	}
}

// unshare gives a borrowed table its own entries.
func (t *Table) unshare() {
	t.ents = append(make([]entry, 0, 2*len(t.ents)), t.ents...)
	t.flags &^= flagBorrowed
	t.makeIndex()
}

// next returns the entry after key k; ok = false if k is no key of the table.
// At the end the returned key is Nil.
func (t *Table) next(k Value) (key, val Value, ok bool) {
	i := 0 // position: array part, then entries
	if k.p != nil {
		if i = t.position(k); i < 0 {
			return Nil, Nil, false
		}
	}
	for ; i < int(t.alen); i++ {
		if v := t.arrayAt(i); v.p != nil {
			return Integer(int64(i + 1)), v, true
		}
	}
	for j := i - int(t.alen); j < len(t.ents); j++ {
		if e := &t.ents[j]; e.val.p != nil {
			return e.key, e.val, true
		}
	}
	return Nil, Nil, true
}

// position returns the place after key k, or -1.
func (t *Table) position(k Value) int {
	if k.isFloat() {
		if n, ok := floatToInteger(k.rawFloat()); ok {
			k = Integer(n)
		}
	}
	if k.isInt() && k.n-1 < uint64(t.alen) {
		return int(k.n)
	}
	if k.isFloat() && math.IsNaN(k.rawFloat()) {
		return -1
	}
	if i := t.find(k); i >= 0 {
		return int(t.alen) + i + 1
	}
	if k.isInt() && k.n-1 < uint64(t.acap) { // removed at the end of the array part
		return int(t.alen)
	}
	return -1
}

// Next returns the entry after key k (Nil starts); ok = false at the end or if
// k is no key of t.
func (t *Table) Next(k Value) (key, v Value, ok bool) {
	key, v, ok = t.next(k)
	return key, v, ok && key.p != nil
}
