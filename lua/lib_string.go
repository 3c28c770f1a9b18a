package lua

import (
	"strings"
)

var stringLib = []libFunc{
	{"byte", strByte},
	{"char", strChar},
	{"find", strFind},
	{"format", strFormat},
	{"gmatch", strGmatch},
	{"gsub", strGsub},
	{"len", strLen},
	{"lower", strLower},
	{"match", strMatch},
	{"pack", strPack},
	{"packsize", strPackSize},
	{"rep", strRep},
	{"reverse", strReverse},
	{"sub", strSub},
	{"unpack", strUnpack},
	{"upper", strUpper},
}

// maxResults bounds the values one library call returns, as C Lua's stack does.
const maxResults = 1_000_000 - 256

// startPos turns a start position argument into 1 .. : negative ones count from
// the end, too small ones become 1.
func startPos(pos int64, n int) int64 {
	switch {
	case pos > 0:
		return pos
	case pos == 0 || pos < -int64(n):
		return 1
	}
	return int64(n) + pos + 1
}

// endPos turns an end position argument into 0 .. n.
func endPos(pos int64, n int) int64 {
	switch {
	case pos > int64(n):
		return int64(n)
	case pos >= 0:
		return pos
	case pos < -int64(n):
		return 0
	}
	return int64(n) + pos + 1
}

// substring returns s[i:j] as a Lua string with memory of its own, so that a
// short piece does not keep a long text alive uncounted.
func (c *Call) substring(s string, i, j int) Value {
	switch j - i {
	case 0:
		return emptyString
	case 1:
		return byteStrings[s[i]]
	}
	if !c.Charge(j - i) {
		c.refuse()
		return Nil
	}
	return c.copyCharged(s[i:j])
}

// emptyString and byteStrings are the shortest strings, one object of each per
// process.
var (
	emptyString = makeShared("")
	byteStrings = func() (all [256]Value) {
		for i := range all {
			all[i] = makeShared(string([]byte{byte(i)}))
		}
		return all
	}()
)

func strLen(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	return c.Return1(Integer(int64(len(s))))
}

func strSub(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	from, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	to, ok := c.OptInteger(2, -1)
	if !ok {
		return c.Failed()
	}
	i, j := startPos(from, len(s)), endPos(to, len(s))
	if i > j {
		return c.Return1(emptyString)
	}
	if i == 1 && j == int64(len(s)) && c.Arg(0).isString() {
		return c.Return1(c.Arg(0))
	}
	if !c.Fuel(copyFuel(int(j - i))) {
		return c.Failed()
	}
	return c.Return1(c.substring(s, int(i-1), int(j)))
}

// shortString is the length up to which results are built on the Go stack and
// copied into an object that holds its bytes.
const shortString = 40

// mapString returns the first argument after f, which keeps the length.
func mapString(c *Call, f func(x byte) byte) Status {
	s, ok := c.CheckString(0)
	if !ok || !c.Fuel(copyFuel(len(s))) || !c.Charge(len(s)) {
		return c.Failed()
	}
	if len(s) <= shortString {
		var short [shortString]byte
		for i := range len(s) {
			short[i] = f(s[i])
		}
		return c.Return1(c.copyCharged(bytesString(short[:len(s)], true)))
	}
	dst := make([]byte, len(s))
	for i := range dst {
		dst[i] = f(s[i])
	}
	return c.Return1(c.NewStringCharged(bytesString(dst, true)))
}

// copyCharged is NewStringCharged of a copy of s.
func (c *Call) copyCharged(s string) Value {
	c.pending = max(0, c.pending-int64(len(s)))
	c.state.chargeHost(chargeString)
	return copyString(s)
}

func strUpper(c *Call) Status {
	return mapString(c, func(x byte) byte {
		if 'a' <= x && x <= 'z' {
			x -= 'a' - 'A'
		}
		return x
	})
}

func strLower(c *Call) Status {
	return mapString(c, func(x byte) byte {
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		return x
	})
}

func strReverse(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok || !c.Fuel(copyFuel(len(s))) || !c.Charge(len(s)) {
		return c.Failed()
	}
	if len(s) <= shortString {
		var short [shortString]byte
		for i := range len(s) {
			short[len(s)-1-i] = s[i]
		}
		return c.Return1(c.copyCharged(bytesString(short[:len(s)], true)))
	}
	dst := make([]byte, len(s))
	for i := range dst {
		dst[len(s)-1-i] = s[i]
	}
	return c.Return1(c.NewStringCharged(bytesString(dst, true)))
}

func strRep(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	n, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	sep, ok := c.OptString(2, "")
	if !ok {
		return c.Failed()
	}
	if n <= 0 || len(s)+len(sep) == 0 {
		return c.Return1(emptyString)
	}
	if int64(len(s)+len(sep)) > maxString/n {
		return c.Errorf("resulting string too large")
	}
	total := int(n)*len(s) + int(n-1)*len(sep)
	if !c.Fuel(copyFuel(total)) || !c.Charge(total) { // fuel first: a walk at its end would forget the charge
		return c.Failed()
	}
	if total <= shortString {
		var short [shortString]byte
		b := short[:0]
		for range n - 1 {
			b = append(append(b, s...), sep...)
		}
		return c.Return1(c.copyCharged(bytesString(append(b, s...), true)))
	}
	if sep == "" {
		return c.Return1(c.NewStringCharged(strings.Repeat(s, int(n))))
	}
	var b strings.Builder
	b.Grow(total)
	for range n - 1 {
		b.WriteString(s)
		b.WriteString(sep)
	}
	b.WriteString(s)
	return c.Return1(c.NewStringCharged(b.String()))
}

func strByte(c *Call) Status {
	s, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	from, ok := c.OptInteger(1, 1)
	if !ok {
		return c.Failed()
	}
	i := startPos(from, len(s))
	to, ok := c.OptInteger(2, from)
	if !ok {
		return c.Failed()
	}
	j := endPos(to, len(s))
	if i > j {
		return c.Return()
	}
	if j-i >= maxResults {
		return c.Errorf("stack overflow (string slice too long)")
	}
	if !c.Fuel(int(j - i)) {
		return c.Failed()
	}
	for _, x := range []byte(s[i-1 : j]) {
		c.Push(Integer(int64(x)))
	}
	return c.Return()
}

func strChar(c *Call) Status {
	n := c.NArgs()
	if !c.Charge(n) || !c.Fuel(n) {
		return c.Failed()
	}
	b := make([]byte, n)
	for i := range b {
		x, ok := c.CheckInteger(i)
		if !ok {
			return c.Failed()
		}
		if uint64(x) > 255 {
			return c.ArgError(i, "value out of range")
		}
		b[i] = byte(x)
	}
	return c.Return1(c.NewStringCharged(string(b)))
}
