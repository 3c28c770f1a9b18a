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
// functions see it: integer keys and a length. Without the metamethods in
// question it is used raw.
type list struct {
	v             Value
	t             *Table // nil for other values
	rawGet, rawIn bool   // reading, writing needs no metamethod
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
		if t.meta == nil {
			return list{v, t, true, true}, true
		}
		rawGet := c.Metafield(v, "__index").IsNil()
		return list{v, t, rawGet, c.Metafield(v, "__newindex").IsNil()}, true
	}
	missing := func(op listOps, name string) bool { return ops&op != 0 && c.Metafield(v, name).IsNil() }
	if missing(opsRead, "__index") || missing(opsWrite, "__newindex") || missing(opsLength, "__len") {
		c.TypeError(i, "table")
		return list{}, false
	}
	return list{v: v}, true
}

func (l *list) len(c *Call) (int64, bool) {
	if l.t != nil && l.t.meta == nil {
		return l.t.Len(), true
	}
	return c.Len(l.v)
}

func (l *list) get(c *Call, i int64) (Value, bool) {
	if l.rawGet {
		return l.t.getInt(i), true
	}
	return c.Index(l.v, Integer(i))
}

func (l *list) set(c *Call, i int64, v Value) bool {
	if l.rawIn {
		return c.tableSetInt(l.t, i, v)
	}
	return c.SetIndex(l.v, Integer(i), v)
}

// move sets to + k = from + k for k = 0 .. n-1, backwards if that is needed to
// keep what was not read yet.
func (l *list) move(c *Call, from, to, n int64, backwards bool) bool {
	return moveElements(c, l, l, from, to, n, backwards)
}

func moveElements(c *Call, src, dst *list, from, to, n int64, backwards bool) bool {
	for k := range n {
		if k%256 == 0 && !c.Fuel(int(min(n-k, 256))) {
			return false
		}
		i := k
		if backwards {
			i = n - 1 - k
		}
		v, ok := src.get(c, from+i)
		if !ok || !dst.set(c, to+i, v) {
			return false
		}
	}
	return true
}

func tableInsert(c *Call) Status {
	l, ok := c.list(0, opsRead|opsWrite|opsLength)
	if !ok {
		return c.Failed()
	}
	n, ok := l.len(c)
	if !ok {
		return c.Failed()
	}
	end := int64(uint64(n) + 1)
	var pos int64
	var v Value
	switch c.NArgs() {
	case 2:
		pos, v = end, c.Arg(1)
	case 3:
		if pos, ok = c.CheckInteger(1); !ok {
			return c.Failed()
		}
		if uint64(pos)-1 >= uint64(end) {
			return c.ArgError(1, "position out of bounds")
		}
		v = c.Arg(2)
		if !l.move(c, pos, pos+1, end-pos, true) {
			return c.Failed()
		}
	default:
		return c.Errorf("wrong number of arguments to 'insert'")
	}
	if !l.set(c, pos, v) {
		return c.Failed()
	}
	return c.Return()
}

func tableRemove(c *Call) Status {
	l, ok := c.list(0, opsRead|opsWrite|opsLength)
	if !ok {
		return c.Failed()
	}
	n, ok := l.len(c)
	if !ok {
		return c.Failed()
	}
	pos, ok := c.OptInteger(1, n)
	if !ok {
		return c.Failed()
	}
	if pos != n && uint64(pos)-1 > uint64(n) {
		return c.ArgError(0, "position out of bounds")
	}
	v, ok := l.get(c, pos)
	if !ok {
		return c.Failed()
	}
	if pos < n {
		if !l.move(c, pos+1, pos, n-pos, false) {
			return c.Failed()
		}
		pos = n
	}
	if !l.set(c, pos, Nil) {
		return c.Failed()
	}
	return c.Return1(v)
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
	if end >= from {
		if from <= 0 && end >= math.MaxInt64+from {
			return c.ArgError(2, "too many elements to move")
		}
		n := end - from + 1
		if to > math.MaxInt64-n+1 {
			return c.ArgError(3, "destination wrap around")
		}
		forward := to > end || to <= from || src.v != dst.v
		if !moveElements(c, &src, &dst, from, to, n, !forward) {
			return c.Failed()
		}
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
	l := list{v: c.Arg(0)}
	if t, ok := l.v.AsTable(); ok {
		l.t, l.rawGet = t, t.meta == nil || c.Metafield(l.v, "__index").IsNil()
	}
	from, ok := c.OptInteger(1, 1)
	if !ok {
		return c.Failed()
	}
	var to int64
	if c.Arg(2).IsNil() {
		to, ok = l.len(c)
	} else {
		to, ok = c.CheckInteger(2)
	}
	if !ok {
		return c.Failed()
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
		v, ok := l.get(c, from+k)
		if !ok {
			return c.Failed()
		}
		c.Push(v)
	}
	return c.Return()
}

func tableConcat(c *Call) Status {
	l, ok := c.list(0, opsRead|opsLength)
	if !ok {
		return c.Failed()
	}
	n, ok := l.len(c)
	if !ok {
		return c.Failed()
	}
	sep, ok := c.OptString(1, "")
	if !ok {
		return c.Failed()
	}
	from, ok := c.OptInteger(2, 1)
	if !ok {
		return c.Failed()
	}
	to, ok := c.OptInteger(3, n)
	if !ok {
		return c.Failed()
	}
	var out buffer
	if l.rawGet && !out.grow(c, concatSize(l.t, sep, from, to)) {
		return c.Failed()
	}
	var scratch [32]byte
	for i := from; i <= to; i++ {
		v, ok := l.get(c, i)
		if !ok {
			return c.Failed()
		}
		switch v.Kind() {
		case KindString:
			ok = c.Fuel(copyFuel(len(v.str())+len(sep))) && out.add(c, v.str())
		case KindInt, KindFloat:
			ok = c.Fuel(2) && out.add(c, string(appendNumber(scratch[:0], v)))
		default:
			return c.Errorf("invalid value (%s) at index %d in table for 'concat'", c.state.typeName(v), i)
		}
		if !ok || i < to && !out.add(c, sep) {
			return c.Failed()
		}
		if i == math.MaxInt64 {
			break
		}
	}
	return c.Return1(out.value(c))
}

// concatSize returns the length of the strings in the array part of a range,
// so that most results are charged and built in one piece.
func concatSize(t *Table, sep string, from, to int64) int {
	if from < 1 || to > int64(len(t.arr)) || from > to {
		return 0
	}
	n := 0
	for _, v := range t.arr[from-1 : to] {
		n += len(sep)
		if v.isString() {
			n += len(v.str())
		}
		if n > maxString {
			return maxString + 1
		}
	}
	return n - len(sep)
}
