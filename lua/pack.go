package lua

import (
	"encoding/binary"
	"math"
	"strings"
)

const (
	maxIntSize  = 16 // largest integer size of pack
	nativeAlign = 8
	luaIntSize  = 8
)

type packKind uint8

const (
	packInt    packKind = iota // signed integer
	packUint                   // unsigned integer
	packFloat                  // float and double
	packChar                   // string of fixed size
	packString                 // string behind its length
	packZero                   // zero-terminated string
	packPad                    // padding byte
	packAlign                  // padding for alignment
	packNop                    // changes the mode only
)

// packReader reads the options of a format.
type packReader struct {
	format   string
	big      bool
	maxAlign int
	msg      string // why the format is wrong
	argMsg   string // the same as an error of argument 1
}

// packOption is one option: size is its size in bytes, pad the padding its
// alignment needs before it.
type packOption struct {
	kind      packKind
	size, pad int
}

func newPackReader(format string) packReader { return packReader{format: format, maxAlign: 1} }

// failed raises the error of the format.
func (r *packReader) failed(c *Call) Status {
	if r.argMsg != "" {
		return c.ArgError(0, r.argMsg)
	}
	return c.Errorf("%s", r.msg)
}

// number reads digits, or returns def.
func (r *packReader) number(def int) int {
	if r.format == "" || !isDigit(r.format[0]) {
		return def
	}
	n := 0
	for r.format != "" && isDigit(r.format[0]) && n <= (maxString-9)/10 {
		n = n*10 + int(r.format[0]-'0')
		r.format = r.format[1:]
	}
	return n
}

// intSize reads an integer size of 1 to 16. false: msg is set.
func (r *packReader) intSize(def int) (int, bool) {
	n := r.number(def)
	if n < 1 || n > maxIntSize {
		r.msg = "integral size (" + formatNumber(Integer(int64(n))) + ") out of limits [1,16]"
		return 0, false
	}
	return n, true
}

// option reads one option without its alignment.
func (r *packReader) option() (kind packKind, size int, ok bool) {
	x := r.format[0]
	r.format = r.format[1:]
	switch x {
	case 'b':
		return packInt, 1, true
	case 'B':
		return packUint, 1, true
	case 'h':
		return packInt, 2, true
	case 'H':
		return packUint, 2, true
	case 'l', 'j':
		return packInt, 8, true
	case 'L', 'J', 'T':
		return packUint, 8, true
	case 'f':
		return packFloat, 4, true
	case 'd', 'n':
		return packFloat, 8, true
	case 'i':
		size, ok = r.intSize(4)
		return packInt, size, ok
	case 'I':
		size, ok = r.intSize(4)
		return packUint, size, ok
	case 's':
		size, ok = r.intSize(8)
		return packString, size, ok
	case 'c':
		if size = r.number(-1); size < 0 {
			r.msg = "missing size for format option 'c'"
			return 0, 0, false
		}
		return packChar, size, true
	case 'z':
		return packZero, 0, true
	case 'x':
		return packPad, 1, true
	case 'X':
		return packAlign, 0, true
	case ' ':
	case '<', '=':
		r.big = false
	case '>':
		r.big = true
	case '!':
		r.maxAlign, ok = r.intSize(nativeAlign)
		return packNop, 0, ok
	default:
		r.msg = "invalid format option '" + string([]byte{x}) + "'"
		return 0, 0, false
	}
	return packNop, 0, true
}

// next reads one option that comes after total bytes.
func (r *packReader) next(total int) (o packOption, ok bool) {
	o.kind, o.size, ok = r.option()
	if !ok {
		return o, false
	}
	align := o.size
	if o.kind == packAlign {
		if r.format == "" {
			r.argMsg = "invalid next option for option 'X'"
			return o, false
		}
		var kind packKind
		if kind, align, ok = r.option(); !ok {
			return o, false
		}
		if kind == packChar || align == 0 {
			r.argMsg = "invalid next option for option 'X'"
			return o, false
		}
	}
	switch o.kind {
	case packInt, packUint, packFloat, packString, packAlign:
	default:
		return o, true
	}
	align = min(align, r.maxAlign)
	if align <= 1 {
		return o, true
	}
	if align&(align-1) != 0 {
		r.argMsg = "format asks for alignment not power of 2"
		return o, false
	}
	o.pad = (align - total&(align-1)) & (align - 1)
	return o, true
}

func strPackSize(c *Call) Status {
	format, ok := c.CheckString(0)
	if !ok || !c.Fuel(len(format)) {
		return c.Failed()
	}
	r := newPackReader(format)
	total := 0
	for r.format != "" {
		o, ok := r.next(total)
		if !ok {
			return r.failed(c)
		}
		if o.kind == packString || o.kind == packZero {
			return c.ArgError(0, "variable-length format")
		}
		if total > maxString-(o.size+o.pad) {
			return c.ArgError(0, "format result too large")
		}
		total += o.size + o.pad
	}
	return c.Return1(Integer(int64(total)))
}

func strPack(c *Call) Status {
	format, ok := c.CheckString(0)
	if !ok || !c.Fuel(len(format)) {
		return c.Failed()
	}
	r := newPackReader(format)
	var out buffer
	arg := 0
	for r.format != "" {
		o, ok := r.next(out.b.Len())
		if !ok {
			return r.failed(c)
		}
		if !out.zeros(c, o.pad) {
			return c.Failed()
		}
		if o.kind < packPad {
			arg++
		}
		if !packValue(c, &r, &out, o, arg) {
			return c.Failed()
		}
	}
	return c.Return1(out.value(c))
}

// zeros appends n zero bytes.
func (b *buffer) zeros(c *Call, n int) bool {
	if n == 0 {
		return true
	}
	if !c.Fuel(copyFuel(n)) || !b.grow(c, n) {
		return false
	}
	for ; n > len(zeroBytes); n -= len(zeroBytes) {
		b.b.WriteString(zeroBytes)
	}
	b.b.WriteString(zeroBytes[:n])
	return true
}

var zeroBytes = strings.Repeat("\x00", 4096)

func packValue(c *Call, r *packReader, out *buffer, o packOption, arg int) bool {
	if o.kind < packPad && arg >= c.NArgs() {
		expected := "number"
		if o.kind >= packChar {
			expected = "string"
		}
		c.ArgError(arg, expected+" expected, got nil") // C Lua finds a mark of its own there
		return false
	}
	switch o.kind {
	case packInt, packUint:
		x, ok := c.CheckInteger(arg)
		return ok && checkRange(c, x, o, arg) && out.addInt(c, uint64(x), o.size, r.big, x < 0)
	case packFloat:
		x, ok := c.CheckNumber(arg)
		if !ok {
			return false
		}
		if o.size == 4 {
			return out.addInt(c, uint64(math.Float32bits(float32(x))), 4, r.big, false)
		}
		return out.addInt(c, math.Float64bits(x), 8, r.big, false)
	case packPad:
		return out.addByte(c, 0)
	case packAlign, packNop:
		return true
	}
	s, ok := c.CheckString(arg)
	if !ok || !c.Fuel(copyFuel(len(s))) {
		return false
	}
	switch o.kind {
	case packChar:
		if len(s) > o.size {
			c.ArgError(arg, "string longer than given size")
			return false
		}
		return out.add(c, s) && out.zeros(c, o.size-len(s))
	case packString:
		if o.size < 8 && uint64(len(s)) >= 1<<(8*o.size) {
			c.ArgError(arg, "string length does not fit in given size")
			return false
		}
		return out.addInt(c, uint64(len(s)), o.size, r.big, false) && out.add(c, s)
	default:
		if strings.IndexByte(s, 0) >= 0 {
			c.ArgError(arg, "string contains zeros")
			return false
		}
		return out.add(c, s) && out.addByte(c, 0)
	}
}

func checkRange(c *Call, x int64, o packOption, arg int) bool {
	if o.size >= luaIntSize {
		return true
	}
	if o.kind == packUint {
		if uint64(x) < 1<<(8*o.size) {
			return true
		}
		c.ArgError(arg, "unsigned overflow")
		return false
	}
	limit := int64(1) << (8*o.size - 1)
	if -limit <= x && x < limit {
		return true
	}
	c.ArgError(arg, "integer overflow")
	return false
}

// addInt appends size bytes of x, extended by its sign beyond eight.
func (b *buffer) addInt(c *Call, x uint64, size int, big, negative bool) bool {
	var bytes [maxIntSize]byte
	binary.LittleEndian.PutUint64(bytes[:], x)
	if negative {
		for i := luaIntSize; i < maxIntSize; i++ {
			bytes[i] = 0xff
		}
	}
	if big {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			bytes[i], bytes[j] = bytes[j], bytes[i]
		}
	}
	return b.add(c, string(bytes[:size]))
}

func strUnpack(c *Call) Status {
	format, ok := c.CheckString(0)
	if !ok || !c.Fuel(len(format)) {
		return c.Failed()
	}
	data, ok := c.CheckString(1)
	if !ok {
		return c.Failed()
	}
	from, ok := c.OptInteger(2, 1)
	if !ok {
		return c.Failed()
	}
	from = startPos(from, len(data)) - 1
	if from > int64(len(data)) {
		return c.ArgError(2, "initial position out of string")
	}
	r := newPackReader(format)
	pos, n := int(from), 0
	for r.format != "" {
		o, ok := r.next(pos)
		if !ok {
			return r.failed(c)
		}
		if o.pad+o.size > len(data)-pos {
			return c.ArgError(1, "data string too short")
		}
		pos += o.pad
		if n++; n > maxResults {
			return c.Errorf("stack overflow (too many results)")
		}
		if pos, ok = unpackValue(c, &r, data, pos, o); !ok {
			return c.Failed()
		}
	}
	return c.Return1(Integer(int64(pos) + 1))
}

// unpackValue pushes the value of one option at pos and returns where it ends.
func unpackValue(c *Call, r *packReader, data string, pos int, o packOption) (int, bool) {
	end := pos + o.size
	switch o.kind {
	case packInt, packUint:
		x, ok := readInt(c, data[pos:end], r.big, o.kind == packInt)
		if !ok {
			return 0, false
		}
		c.Push(Integer(x))
	case packFloat:
		x, _ := readInt(c, data[pos:end], r.big, false)
		if o.size == 4 {
			c.Push(Float(float64(math.Float32frombits(uint32(x)))))
		} else {
			c.Push(Float(math.Float64frombits(uint64(x))))
		}
	case packChar:
		if !c.Fuel(copyFuel(o.size)) {
			return 0, false
		}
		c.Push(c.substring(data, pos, end))
	case packString:
		n, ok := readInt(c, data[pos:end], r.big, false)
		if !ok {
			return 0, false
		}
		if uint64(n) > uint64(len(data)-end) {
			c.ArgError(1, "data string too short")
			return 0, false
		}
		pos, end = end, end+int(n)
		if !c.Fuel(copyFuel(end - pos)) {
			return 0, false
		}
		c.Push(c.substring(data, pos, end))
	case packZero:
		n := strings.IndexByte(data[pos:], 0)
		if n < 0 {
			c.ArgError(1, "unfinished string for format 'z'")
			return 0, false
		}
		if !c.Fuel(copyFuel(n)) {
			return 0, false
		}
		c.Push(c.substring(data, pos, pos+n))
		end = pos + n + 1
	}
	return end, true
}

// readInt reads an integer of len(s) bytes; longer ones than Lua's must be
// extensions of those. false: the error is set.
func readInt(c *Call, s string, big, signed bool) (int64, bool) {
	at := func(i int) byte { // byte i, lowest first
		if big {
			return s[len(s)-1-i]
		}
		return s[i]
	}
	var x uint64
	for i := min(len(s), luaIntSize) - 1; i >= 0; i-- {
		x = x<<8 | uint64(at(i))
	}
	if len(s) < luaIntSize {
		if signed {
			shift := uint(64 - 8*len(s))
			return int64(x<<shift) >> shift, true
		}
		return int64(x), true
	}
	var fill byte
	if signed && int64(x) < 0 {
		fill = 0xff
	}
	for i := luaIntSize; i < len(s); i++ {
		if at(i) != fill {
			c.Errorf("%d-byte integer does not fit into Lua Integer", len(s))
			return 0, false
		}
	}
	return int64(x), true
}
