package lua

import (
	"math/bits"
	"unsafe"
)

// The array part of a table. While it holds only numbers and booleans it is
// plain: one word and one kind byte per element, memory without pointers that
// Go's collector never scans. The first object makes it boxed, ordinary values,
// for good. Nils inside are kind KindNil or the zero Value.
//
// What can be observed of it, and so belongs to a snapshot, is length, capacity
// and mode. Other files reach it through
//
//	arrayLen, arrayCap, amode       the three facts
//	arrayAt(i), setArrayAt(i, v)    element i, counted from 0; i < arrayLen
//	arrayValues()                   the elements of a boxed part, nil otherwise
//	arrayCharge()                   its counted bytes
//	restoreArray(mode, cap, len)    a part of nils, to be filled by setArrayAt
//
// The run loop has its own fast paths over the representation.
type arrayMode uint8

const (
	arrayNone  arrayMode = iota // no memory yet; the capacity is what the first element makes room for
	arrayPlain                  // arr: acap words, then acap kind bytes
	arrayBoxed                  // arr: acap Values
)

// maxArray bounds the array part and the entries.
const maxArray = 1 << 30

func (t *Table) arrayLen() int { return int(t.alen) }
func (t *Table) arrayCap() int { return int(t.acap) }

// plain reports whether v can be an element of a plain array part.
func (v Value) plain() bool { return v.p == nil || v.p.kind < KindString }

// kindAt is the kind byte of element i of a plain part.
func (t *Table) kindAt(i int) *Kind {
	return (*Kind)(unsafe.Add(t.arr, uintptr(t.acap)*8+uintptr(i)))
}

func (t *Table) wordAt(i int) *uint64 { return (*uint64)(unsafe.Add(t.arr, uintptr(i)*8)) }

func (t *Table) valueAt(i int) *Value { return (*Value)(unsafe.Add(t.arr, uintptr(i)*16)) }

// arrayAt returns element i < arrayLen.
func (t *Table) arrayAt(i int) Value {
	if t.amode == arrayBoxed {
		return *t.valueAt(i)
	}
	if k := *t.kindAt(i); k != KindNil {
		return Value{&statics[k], *t.wordAt(i)}
	}
	return Nil
}

// setArrayAt replaces element i < arrayLen. The last one must not become nil,
// see trim.
func (t *Table) setArrayAt(i int, v Value) {
	if t.amode == arrayPlain {
		if v.plain() {
			*t.wordAt(i), *t.kindAt(i) = v.n, v.Kind()
			return
		}
		t.resizeArray(int(t.acap), true)
	}
	*t.valueAt(i) = v
}

// arrayValues returns the elements of a boxed part; a part that is not boxed
// holds no objects.
func (t *Table) arrayValues() []Value {
	if t.amode != arrayBoxed {
		return nil
	}
	return unsafe.Slice((*Value)(t.arr), int(t.alen))
}

// arrayBytes is the charge of an array part.
func arrayBytes(mode arrayMode, capacity int) int64 {
	if mode == arrayPlain {
		return 8 * int64(plainWords(capacity))
	}
	return chargeElement * int64(capacity)
}

// plainWords is the number of words a plain part takes with its kinds.
func plainWords(capacity int) int { return capacity + (capacity+7)/8 }

func (t *Table) arrayCharge() int64 { return arrayBytes(t.amode, int(t.acap)) }

// restoreArray gives a new table an array part of nils.
func (t *Table) restoreArray(mode arrayMode, capacity, length int) {
	t.acap = uint32(capacity)
	if mode != arrayNone && capacity > 0 {
		t.resizeArray(capacity, mode == arrayBoxed)
		t.alen = uint32(length)
	}
}

// resizeArray gives the array part capacity n > 0, boxed if it has to be.
func (t *Table) resizeArray(n int, boxed bool) {
	if boxed || t.amode == arrayBoxed {
		grown := make([]Value, n)
		if t.amode == arrayBoxed {
			copy(grown, t.arrayValues())
		} else {
			for i := range int(t.alen) {
				grown[i] = t.arrayAt(i)
			}
		}
		t.arr, t.amode = unsafe.Pointer(unsafe.SliceData(grown)), arrayBoxed
	} else {
		words := make([]uint64, plainWords(n))
		p := unsafe.Pointer(unsafe.SliceData(words))
		if t.alen > 0 {
			copy(words, unsafe.Slice(t.wordAt(0), int(t.alen)))
			copy(unsafe.Slice((*Kind)(unsafe.Add(p, n*8)), int(t.alen)), unsafe.Slice(t.kindAt(0), int(t.alen)))
		}
		t.arr, t.amode = p, arrayPlain
	}
	t.acap = uint32(n)
}

func nextArrayCap(n int) int { return max(4, 2*n) }

// arrayGrowth returns the bytes that storing v at element i <= arrayLen adds,
// with what absorb then takes over.
func (t *Table) arrayGrowth(i int, v Value) int64 {
	need, boxed := i+1, t.amode == arrayBoxed || !v.plain()
	if i == int(t.alen) && t.filter != 0 {
		for e := t.find(Integer(int64(need) + 1)); e >= 0 && t.ents[e].val.p != nil; e = t.find(Integer(int64(need) + 1)) {
			boxed = boxed || !t.ents[e].val.plain()
			need++
		}
	}
	mode := arrayPlain
	if boxed {
		mode = arrayBoxed
	}
	capacity := int(t.acap)
	for capacity < need {
		capacity = nextArrayCap(capacity)
	}
	if capacity == int(t.acap) && (mode == t.amode || t.amode == arrayNone) {
		return 0
	}
	return arrayBytes(mode, capacity)
}

// appendArray appends v to the array part.
func (t *Table) appendArray(v Value) {
	n := int(t.alen)
	switch {
	case n == int(t.acap):
		t.resizeArray(nextArrayCap(n), !v.plain())
	case t.amode == arrayNone, t.amode == arrayPlain && !v.plain():
		t.resizeArray(int(t.acap), !v.plain())
	}
	t.alen++
	t.setArrayAt(n, v)
}

// appendAll appends values, of which the last may be nil; there is no key
// behind them.
func (t *Table) appendAll(vals []Value) {
	boxed := t.amode == arrayBoxed
	for i := range vals {
		if !vals[i].plain() {
			boxed = true
			break
		}
	}
	from, n := int(t.alen), int(t.alen)+len(vals)
	if n > int(t.acap) || t.amode == arrayNone || boxed != (t.amode == arrayBoxed) {
		t.resizeArray(max(n, int(t.acap)), boxed)
	}
	t.alen = uint32(n)
	if boxed {
		copy(t.arrayValues()[from:], vals)
	} else {
		for i, v := range vals {
			*t.wordAt(from + i), *t.kindAt(from + i) = v.n, v.Kind()
		}
	}
	t.trim()
}

// appendGrowth returns the bytes appendAll(vals) adds.
func (t *Table) appendGrowth(vals []Value) int64 {
	boxed := t.amode == arrayBoxed
	for i := 0; i < len(vals) && !boxed; i++ {
		boxed = !vals[i].plain()
	}
	n := int(t.alen) + len(vals)
	mode := arrayPlain
	if boxed {
		mode = arrayBoxed
	}
	switch {
	case n > int(t.acap):
		return arrayBytes(mode, n)
	case t.amode != arrayNone && t.amode != mode:
		return arrayBytes(mode, int(t.acap))
	}
	return 0
}

// setArray stores v if i is in the array part or extends it by one.
func (t *Table) setArray(i int64, v Value) bool {
	n := uint64(i - 1)
	switch {
	case n < uint64(t.alen):
		t.setArrayAt(int(n), v)
		if v.p == nil && n == uint64(t.alen-1) {
			t.trim()
		}
		return true
	case n == uint64(t.alen) && v.p != nil:
		t.push(v)
		return true
	}
	return false
}

// trim drops nils at the end of the array part.
func (t *Table) trim() {
	n := int(t.alen)
	if t.amode == arrayBoxed {
		for n > 0 && t.valueAt(n-1).p == nil {
			n--
		}
	} else {
		for n > 0 && *t.kindAt(n - 1) == KindNil {
			n--
		}
	}
	t.alen = uint32(n)
}

// push appends v to the array part and takes over following integer keys.
func (t *Table) push(v Value) {
	t.appendArray(v)
	if t.filter != 0 {
		t.dropEntry(Integer(int64(t.alen)))
		t.absorb()
	}
}

// absorb moves the entries arrayLen+1, arrayLen+2, ... to the array part.
func (t *Table) absorb() {
	for {
		i := t.find(Integer(int64(t.alen) + 1))
		if i < 0 || t.ents[i].val.p == nil {
			return
		}
		v := t.ents[i].val
		t.ents[i].val = Nil
		t.appendArray(v)
	}
}

// arraySize returns the largest n such that more than half of 1..n are in use,
// counting the key that is about to be added.
func (t *Table) arraySize(key Value) int {
	var counts [32]int // keys in (2^(b-1), 2^b]
	total := 0
	count := func(k Value) {
		if k.isInt() && k.n-1 < maxArray {
			counts[bits.Len64(k.n-1)]++
			total++
		}
	}
	count(key)
	for i := range t.ents {
		if t.ents[i].val.p != nil {
			count(t.ents[i].key)
		}
	}
	if total == 0 {
		return 0
	}
	for i := range int(t.alen) {
		if t.amode == arrayBoxed && t.valueAt(i).p != nil || t.amode == arrayPlain && *t.kindAt(i) != KindNil {
			counts[bits.Len(uint(i))]++
		}
	}
	sum, best := 0, 0
	for b := range counts {
		sum += counts[b]
		if sum > 1<<b/2 {
			best = 1 << b
		}
	}
	return best
}

// moveToArray gives the array part capacity n and moves its keys there.
func (t *Table) moveToArray(n int) {
	last, plain := int(t.alen), true
	for i := range t.ents {
		if e := &t.ents[i]; e.val.p != nil && e.key.isInt() && e.key.n-1 < uint64(n) {
			last = max(last, int(e.key.n))
			plain = plain && e.val.plain()
		}
	}
	from := int(t.alen)
	if last == from {
		return
	}
	if int(t.acap) < n || t.amode == arrayNone || t.amode == arrayPlain && !plain {
		t.resizeArray(max(n, int(t.acap)), !plain)
	}
	t.alen = uint32(last)
	for i := from; i < last; i++ {
		t.setArrayAt(i, Nil)
	}
	for i := range t.ents {
		if e := &t.ents[i]; e.val.p != nil && e.key.isInt() && e.key.n-1 < uint64(last) {
			t.setArrayAt(int(e.key.n-1), e.val)
			e.val = Nil
		}
	}
	t.absorb()
}
