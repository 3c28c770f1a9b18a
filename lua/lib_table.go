package lua

import (
	"math"
)

var tableLib = []libFunc{
	{"concat", tableConcat},
	{"insert", tableInsert},
	{"move", tableMove},
	{"pack", tablePack},
	{"remove", tableRemove},
	{"sort", tableSort},
	{"unpack", tableUnpack},
}

// list is a table, or a value with the metamethods of one, as the table
// functions see it: integer keys and a length. Only one that needs no
// metamethod is used here, raw; a listStep works on the others.
type list struct {
	v   Value
	t   *Table // nil for other values
	raw bool
}

// listOps are the operations a table function needs of its list.
type listOps uint8

const (
	opsRead listOps = 1 << iota
	opsWrite
	opsLength
)

// list returns argument i, which must be a table or have metamethods for ops.
func (c *Call) list(i int, ops listOps) (list, bool) {
	v := c.Arg(i)
	if t, ok := v.AsTable(); ok {
		return list{v, t, t.meta == nil || t.meta.plainList()}, true
	}
	missing := func(op listOps, name string) bool { return ops&op != 0 && c.Metafield(v, name).IsNil() }
	if missing(opsRead, "__index") || missing(opsWrite, "__newindex") || missing(opsLength, "__len") {
		c.TypeError(i, "table")
		return list{}, false
	}
	return list{v: v}, true
}

// plainList reports whether a table with metatable mt can be used raw.
func (mt *Table) plainList() bool {
	return mt.event(evIndex).p == nil && mt.event(evNewindex).p == nil && mt.event(evLen).p == nil
}

// moveElements sets dst[to + k] = src[from + k] for k = 0 .. n-1, backwards if
// that is needed to keep what was not read yet.
func moveElements(c *Call, src, dst *Table, from, to, n int64, backwards bool) bool {
	for k := range n {
		if k%256 == 0 && !c.Fuel(int(min(n-k, 256))) {
			return false
		}
		i := k
		if backwards {
			i = n - 1 - k
		}
		if !c.tableSetInt(dst, to+i, src.getInt(from+i)) {
			return false
		}
	}
	return true
}

func tableInsert(c *Call) Status {
	l, ok := c.list(0, opsRead|opsWrite|opsLength)
	switch {
	case !ok:
		return c.Failed()
	case !l.raw:
		return c.listStep(listInsert)
	}
	n := l.t.Len()
	pos, ok := c.insertAt(n)
	if !ok || pos <= n && !moveElements(c, l.t, l.t, pos, pos+1, n+1-pos, true) {
		return c.Failed()
	}
	if !c.tableSetInt(l.t, pos, c.Arg(c.n-1)) {
		return c.Failed()
	}
	return c.Return()
}

// insertAt checks the arguments of insert for a list of length n and returns
// the position.
func (c *Call) insertAt(n int64) (pos int64, ok bool) {
	end := int64(uint64(n) + 1)
	switch c.n {
	case 2:
		return end, true
	case 3:
		if pos, ok = c.CheckInteger(1); ok && uint64(pos)-1 >= uint64(end) {
			c.ArgError(1, "position out of bounds")
			return 0, false
		}
		return pos, ok
	}
	c.Errorf("wrong number of arguments to 'insert'")
	return 0, false
}

func tableRemove(c *Call) Status {
	l, ok := c.list(0, opsRead|opsWrite|opsLength)
	switch {
	case !ok:
		return c.Failed()
	case !l.raw:
		return c.listStep(listRemove)
	}
	n := l.t.Len()
	pos, ok := c.removeAt(n)
	if !ok {
		return c.Failed()
	}
	v := l.t.getInt(pos)
	if pos < n {
		if !moveElements(c, l.t, l.t, pos+1, pos, n-pos, false) {
			return c.Failed()
		}
		pos = n
	}
	if !c.tableSetInt(l.t, pos, Nil) {
		return c.Failed()
	}
	return c.Return1(v)
}

// removeAt is insertAt for remove.
func (c *Call) removeAt(n int64) (pos int64, ok bool) {
	pos, ok = c.OptInteger(1, n)
	if ok && pos != n && uint64(pos)-1 > uint64(n) {
		c.ArgError(0, "position out of bounds")
		return 0, false
	}
	return pos, ok
}

func tableMove(c *Call) Status {
	src, ok := c.list(0, opsRead)
	if !ok {
		return c.Failed()
	}
	var at [3]int64
	for i := range at {
		if at[i], ok = c.CheckInteger(i + 1); !ok {
			return c.Failed()
		}
	}
	from, end, to := at[0], at[1], at[2]
	dst, target := src, 0
	if !c.Arg(4).IsNil() {
		target = 4
	}
	if dst, ok = c.list(target, opsWrite); !ok {
		return c.Failed()
	}
	if end < from {
		return c.Return1(dst.v)
	}
	if from <= 0 && end >= math.MaxInt64+from {
		return c.ArgError(2, "too many elements to move")
	}
	n := end - from + 1
	if to > math.MaxInt64-n+1 {
		return c.ArgError(3, "destination wrap around")
	}
	backwards := !(to > end || to <= from || src.v != dst.v)
	if !src.raw || !dst.raw {
		return c.listMove(src.v, dst.v, from, to, n, backwards)
	}
	if !moveElements(c, src.t, dst.t, from, to, n, backwards) {
		return c.Failed()
	}
	return c.Return1(dst.v)
}

func tablePack(c *Call) Status {
	n := c.NArgs()
	if !c.Fuel(n) {
		return c.Failed()
	}
	t := c.NewTable(n, 1)
	for i := range n {
		if !c.tableSetInt(t, int64(i+1), c.Arg(i)) {
			return c.Failed()
		}
	}
	if !c.rawSet(t, c.NewString("n"), Integer(int64(n))) {
		return c.Failed()
	}
	return c.Return1(t.Value())
}

func tableUnpack(c *Call) Status {
	t, isTable := c.Arg(0).AsTable()
	if !isTable || t.meta != nil && !t.meta.plainList() {
		return c.listStep(listUnpack)
	}
	from, ok := c.OptInteger(1, 1)
	if !ok {
		return c.Failed()
	}
	to, ok := t.Len(), true
	if !c.Arg(2).IsNil() {
		if to, ok = c.CheckInteger(2); !ok {
			return c.Failed()
		}
	}
	if from > to {
		return c.Return()
	}
	if uint64(to)-uint64(from) >= maxResults {
		return c.Errorf("too many results to unpack")
	}
	if !c.Fuel(int(to - from)) {
		return c.Failed()
	}
	for k := range to - from + 1 {
		c.Push(t.getInt(from + k))
	}
	return c.Return()
}

func tableConcat(c *Call) Status {
	l, ok := c.list(0, opsRead|opsLength)
	switch {
	case !ok:
		return c.Failed()
	case !l.raw:
		return c.listStep(listConcat)
	}
	sep, from, to, ok := c.concatArgs(l.t.Len())
	var out buffer
	if !ok || !out.grow(c, concatSize(l.t, sep, from, to)) {
		return c.Failed()
	}
	for i := from; i <= to; i++ {
		if !concatElement(c, &out, l.t.getInt(i), i) || i < to && !out.add(c, sep) {
			return c.Failed()
		}
		if i == math.MaxInt64 {
			break
		}
	}
	return c.Return1(out.value(c))
}

// concatArgs returns the arguments of concat for a list of length n.
func (c *Call) concatArgs(n int64) (sep string, from, to int64, ok bool) {
	if sep, ok = c.OptString(1, ""); ok {
		if from, ok = c.OptInteger(2, 1); ok {
			to, ok = c.OptInteger(3, n)
		}
	}
	return sep, from, to, ok
}

// concatElement appends v, the element at index i.
func concatElement(c *Call, out *buffer, v Value, i int64) bool {
	switch v.Kind() {
	case KindString:
		return c.Fuel(copyFuel(len(v.str()))) && out.add(c, v.str())
	case KindInt, KindFloat:
		var scratch [32]byte
		return c.Fuel(2) && out.add(c, string(appendNumber(scratch[:0], v)))
	}
	c.Errorf("invalid value (%s) at index %d in table for 'concat'", c.state.typeName(v), i)
	return false
}

// concatSize returns the length of the strings in the array part of a range,
// so that most results are charged and built in one piece.
func concatSize(t *Table, sep string, from, to int64) int {
	if from < 1 || to > t.Len() || from > to {
		return 0
	}
	n := 0
	for i := from - 1; i < to; i++ {
		n += len(sep)
		if v := t.arrayAt(int(i)); v.isString() {
			n += len(v.str())
		}
		if n > maxString {
			return maxString + 1
		}
	}
	return n - len(sep)
}
