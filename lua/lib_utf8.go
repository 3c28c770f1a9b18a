package lua

var utf8Lib = []libFunc{
	{"char", utf8Char},
	{"codepoint", utf8Codepoint},
	{"codes", utf8Codes},
	{"len", utf8Len},
	{"offset", utf8Offset},
}

var utf8Consts = []libConst{
	{"charpattern", "[\x00-\x7F\xC2-\xFD][\x80-\xBF]*"},
}

const (
	maxUnicode = 0x10FFFF
	maxUTF     = 0x7FFFFFFF // what the original UTF-8 of up to six bytes holds
)

// utf8Decode decodes the sequence at the start of s. size is 0 if it is not
// valid; strict refuses surrogates and values above 10FFFF.
func utf8Decode(s string, strict bool) (code uint32, size int) {
	if s == "" {
		return 0, 0
	}
	first := s[0]
	if first < 0x80 {
		return uint32(first), 1
	}
	limits := [...]uint32{^uint32(0), 0x80, 0x800, 0x10000, 0x200000, 0x4000000}
	n := 0
	x := uint32(first)
	for ; x&0x40 != 0; x <<= 1 {
		n++
		if n >= len(s) || s[n]&0xC0 != 0x80 {
			return 0, 0
		}
		code = code<<6 | uint32(s[n]&0x3F)
	}
	code |= (x & 0x7F) << (n * 5)
	if n > 5 || code > maxUTF || code < limits[n] {
		return 0, 0
	}
	if strict && (code > maxUnicode || 0xD800 <= code && code <= 0xDFFF) {
		return 0, 0
	}
	return code, n + 1
}

// utf8Encode appends the UTF-8 form of code, up to six bytes.
func utf8Encode(b []byte, code uint32) []byte {
	if code < 0x80 {
		return append(b, byte(code))
	}
	var tail [6]byte
	n := 0
	first := uint32(0x3F) // what fits in the first byte
	for {
		n++
		tail[len(tail)-n] = 0x80 | byte(code&0x3F)
		code >>= 6
		first >>= 1
		if code <= first {
			break
		}
	}
	b = append(b, byte(^first<<1)|byte(code))
	return append(b, tail[len(tail)-n:]...)
}

func isContinuation(s string, i int64) bool {
	return i >= 0 && i < int64(len(s)) && s[i]&0xC0 == 0x80
}

// utf8Pos is the position rule of utf8: negative counts from the end, before
// the start is 0.
func utf8Pos(pos int64, n int) int64 {
	switch {
	case pos >= 0:
		return pos
	case -pos > int64(n) || pos == -pos:
		return 0
	}
	return int64(n) + pos + 1
}

func utf8Char(c *Call) Status {
	var out buffer
	var scratch [8]byte
	for i := range c.NArgs() {
		x, ok := c.CheckInteger(i)
		if !ok {
			return c.Failed()
		}
		if uint64(x) > maxUTF {
			return c.ArgError(i, "value out of range")
		}
		if !out.add(c, string(utf8Encode(scratch[:0], uint32(x)))) || !c.Fuel(1) {
			return c.Failed()
		}
	}
	return c.Return1(out.value(c))
}

func utf8Codepoint(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	i, ok := c.OptInteger(1, 1)
	if !ok {
		return c.Failed()
	}
	i = utf8Pos(i, len(s))
	j, ok := c.OptInteger(2, i)
	if !ok {
		return c.Failed()
	}
	j = utf8Pos(j, len(s))
	if i < 1 {
		return c.ArgError(1, "out of bounds")
	}
	if j > int64(len(s)) {
		return c.ArgError(2, "out of bounds")
	}
	if i > j {
		return c.Return()
	}
	if j-i >= maxResults {
		return c.Errorf("stack overflow (string slice too long)")
	}
	strict := !c.Arg(3).Truthy()
	for at := i - 1; at < j; {
		code, size := utf8Decode(s[at:], strict)
		if size == 0 {
			return c.Errorf("invalid UTF-8 code")
		}
		if !c.Fuel(1) {
			return c.Failed()
		}
		c.Push(Integer(int64(code)))
		at += int64(size)
	}
	return c.Return()
}

func utf8Len(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	i, ok := c.OptInteger(1, 1)
	if !ok {
		return c.Failed()
	}
	j, ok := c.OptInteger(2, -1)
	if !ok {
		return c.Failed()
	}
	i, j = utf8Pos(i, len(s))-1, utf8Pos(j, len(s))-1
	if i < 0 || i > int64(len(s)) {
		return c.ArgError(1, "initial position out of bounds")
	}
	if j >= int64(len(s)) {
		return c.ArgError(2, "final position out of bounds")
	}
	if !c.Fuel(copyFuel(8 * int(max(j-i, 0)))) {
		return c.Failed()
	}
	strict := !c.Arg(3).Truthy()
	n := int64(0)
	for i <= j {
		_, size := utf8Decode(s[i:], strict)
		if size == 0 {
			c.Push(Nil)
			return c.Return1(Integer(i + 1))
		}
		i += int64(size)
		n++
	}
	return c.Return1(Integer(n))
}

func utf8Offset(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	n, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	start := int64(1)
	if n <= 0 {
		start = int64(len(s)) + 1
	}
	i, ok := c.OptInteger(2, start)
	if !ok {
		return c.Failed()
	}
	i = utf8Pos(i, len(s)) - 1
	if i < 0 || i > int64(len(s)) {
		return c.ArgError(2, "position out of bounds")
	}
	if !c.Fuel(copyFuel(8 * len(s))) {
		return c.Failed()
	}
	if n == 0 {
		for i > 0 && isContinuation(s, i) {
			i--
		}
		return c.Return1(Integer(i + 1))
	}
	if isContinuation(s, i) {
		return c.Errorf("initial position is a continuation byte")
	}
	for ; n < 0 && i > 0; n++ {
		for i--; i > 0 && isContinuation(s, i); i-- {
		}
	}
	if n > 0 {
		for n--; n > 0 && i < int64(len(s)); n-- {
			for i++; isContinuation(s, i); i++ {
			}
		}
	}
	if n == 0 {
		return c.Return1(Integer(i + 1))
	}
	return c.Return1(Nil)
}

var (
	utf8CodesStrict = NewFunction("utf8.codes.iterator", func(c *Call) Status { return utf8NextCode(c, true) })
	utf8CodesLax    = NewFunction("utf8.codes.laxiterator", func(c *Call) Status { return utf8NextCode(c, false) })
)

func utf8Codes(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	if isContinuation(s, 0) {
		return c.ArgError(0, "invalid UTF-8 code")
	}
	iterator := utf8CodesStrict
	if c.Arg(1).Truthy() {
		iterator = utf8CodesLax
	}
	c.Push(iterator.Value())
	c.Push(c.stringArg(0, s))
	return c.Return1(Integer(0))
}

func utf8NextCode(c *Call, strict bool) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	pos, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	n := uint64(pos)
	if n < uint64(len(s)) {
		for isContinuation(s, int64(n)) {
			n++
		}
	}
	if n >= uint64(len(s)) {
		return c.Return()
	}
	code, size := utf8Decode(s[n:], strict)
	if size == 0 || isContinuation(s, int64(n)+int64(size)) {
		return c.Errorf("invalid UTF-8 code")
	}
	c.Push(Integer(int64(n) + 1))
	return c.Return1(Integer(int64(code)))
}
