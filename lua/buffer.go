package lua

import "strings"

// maxString is the longest string a library builds, as in C Lua.
const maxString = 1<<31 - 1

// buffer builds a string and charges for it ahead of the bytes, twice as much
// each time it runs out, so that building stays linear. The zero buffer is
// ready for use.
type buffer struct {
	b       strings.Builder
	charged int
}

// grow makes room for n more bytes. false: refused, the error is set.
func (b *buffer) grow(c *Call, n int) bool {
	need := b.b.Len() + n
	if need <= b.charged {
		return true
	}
	if need > maxString {
		c.Errorf("resulting string too large")
		return false
	}
	want := max(need, min(2*b.charged, maxString), 64)
	if !c.Charge(want - b.charged) {
		return false
	}
	b.b.Grow(want - b.b.Len())
	b.charged = want
	return true
}

// add appends s.
func (b *buffer) add(c *Call, s string) bool {
	if !b.grow(c, len(s)) {
		return false
	}
	b.b.WriteString(s)
	return true
}

func (b *buffer) addByte(c *Call, x byte) bool {
	if !b.grow(c, 1) {
		return false
	}
	b.b.WriteByte(x)
	return true
}

// value returns what was built as a Lua string, without the room left over.
func (b *buffer) value(c *Call) Value {
	s := b.b.String()
	if spare := b.b.Cap() - len(s); spare > 64 && spare > len(s)/8 {
		s = strings.Clone(s)
	}
	return c.NewStringCharged(s)
}

// copyFuel is the fuel for handling n bytes at memory speed.
func copyFuel(n int) int { return 1 + n/32 }
