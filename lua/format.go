package lua

import (
	"fmt"
	"math"
	"strings"
)

// Flags each group of conversions accepts.
const (
	flagsFloat   = "-+ #0"
	flagsHex     = "-#0"
	flagsInteger = "-+ 0"
	flagsU       = "-0"
	flagsChar    = "-"

	// maxSpec is the length a conversion specification must stay below.
	maxSpec = 22
)

// conversion is a parsed conversion specification such as %-5.2f.
type conversion struct {
	text                          string // with '%'
	verb                          byte
	minus, plus, space, alt, zero bool
	width                         int
	precision                     int // -1: none
}

func strFormat(c *Call) Status {
	format, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	if objects := objectArgs(c, format); len(objects) > 0 {
		return resolveObjects(c, objects)
	}
	return formatArgs(c, format)
}

// formatArgs formats arguments of which none needs a call.
func formatArgs(c *Call, format string) Status {
	var out buffer
	arg := 0
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			break
		}
		if !out.add(c, format[:i]) || !c.Fuel(copyFuel(i)) {
			return c.Failed()
		}
		format = format[i:]
		if len(format) > 1 && format[1] == '%' {
			if !out.addByte(c, '%') {
				return c.Failed()
			}
			format = format[2:]
			continue
		}
		if arg++; arg >= c.NArgs() {
			return c.ArgError(arg, "no value")
		}
		text := specText(format)
		if len(text) > maxSpec {
			return c.Errorf("invalid format (too long)")
		}
		format = format[len(text):]
		if !formatItem(c, &out, text, arg) {
			return c.Failed()
		}
	}
	if !out.add(c, format) || !c.Fuel(copyFuel(len(format))) {
		return c.Failed()
	}
	return c.Return1(out.value(c))
}

// specText returns the conversion specification at the start of s with its
// verb, which may be missing at the end of the text.
func specText(s string) string {
	i := 1
	for i < len(s) && strings.IndexByte("-+ #0123456789.", s[i]) >= 0 {
		i++
	}
	return s[:min(i+1, len(s))]
}

// parse checks the specification against what its verb allows.
func (v *conversion) parse(c *Call, flags string, precision bool) bool {
	s := v.text[1:]
	for s != "" && strings.IndexByte(flags, s[0]) >= 0 {
		switch s[0] {
		case '-':
			v.minus = true
		case '+':
			v.plus = true
		case ' ':
			v.space = true
		case '#':
			v.alt = true
		case '0':
			v.zero = true
		}
		s = s[1:]
	}
	v.precision = -1
	if s == "" || s[0] != '0' {
		v.width, s = twoDigits(s)
		if precision && s != "" && s[0] == '.' {
			v.precision, s = twoDigits(s[1:])
		}
	}
	if len(s) != 1 || !isAlpha(s[0]) {
		c.Errorf("invalid conversion specification: '%s'", v.text)
		return false
	}
	return true
}

func twoDigits(s string) (int, string) {
	n := 0
	for range 2 {
		if s == "" || !isDigit(s[0]) {
			break
		}
		n = n*10 + int(s[0]-'0')
		s = s[1:]
	}
	return n, s
}

// formatItem adds argument arg as text says. false: the error is set.
func formatItem(c *Call, out *buffer, text string, arg int) bool {
	v := conversion{text: text}
	if len(text) > 1 {
		v.verb = text[len(text)-1]
	}
	switch v.verb {
	case 'c':
		if !v.parse(c, flagsChar, false) {
			return false
		}
		x, ok := c.CheckInteger(arg)
		return ok && out.add(c, v.pad("", string([]byte{byte(x)}), false))
	case 'd', 'i':
		return formatInteger(c, out, &v, arg, flagsInteger)
	case 'u':
		return formatInteger(c, out, &v, arg, flagsU)
	case 'o', 'x', 'X':
		return formatInteger(c, out, &v, arg, flagsHex)
	case 'a', 'A':
		if !v.parse(c, flagsFloat, true) {
			return false
		}
		x, ok := c.CheckNumber(arg)
		return ok && out.add(c, v.float(x))
	case 'e', 'E', 'f', 'g', 'G':
		x, ok := c.CheckNumber(arg)
		return ok && v.parse(c, flagsFloat, true) && out.add(c, v.float(x))
	case 'p':
		if !v.parse(c, flagsChar, false) {
			return false
		}
		return out.add(c, v.pad("", pointerText(c, c.Arg(arg)), false))
	case 'q':
		if len(text) != 2 {
			c.Errorf("specifier '%%q' cannot have modifiers")
			return false
		}
		return addLiteral(c, out, arg)
	case 's':
		return formatString(c, out, &v, arg)
	}
	c.Errorf("invalid conversion '%s' to 'format'", text)
	return false
}

func formatInteger(c *Call, out *buffer, v *conversion, arg int, flags string) bool {
	x, ok := c.CheckInteger(arg)
	return ok && v.parse(c, flags, true) && out.add(c, v.integer(x))
}

func formatString(c *Call, out *buffer, v *conversion, arg int) bool {
	s := c.state.ToStringRaw(c.Arg(arg)) // resolveObjects called __tostring
	if !c.Fuel(copyFuel(len(s))) {
		return false
	}
	if len(v.text) == 2 {
		return out.add(c, s)
	}
	if strings.IndexByte(s, 0) >= 0 {
		c.ArgError(arg, "string contains zeros")
		return false
	}
	if !v.parse(c, flagsChar, true) {
		return false
	}
	if v.precision >= 0 {
		s = s[:min(len(s), v.precision)]
	}
	return out.add(c, v.pad("", s, false))
}

// pointerText is what %p shows: the number tostring shows for objects, a hash
// of the content for strings. Long strings are told apart by the ordinal of the
// call, so that the text never depends on addresses.
func pointerText(c *Call, v Value) string {
	if v.isString() {
		s := v.str()
		h := contentHash(s)
		if len(s) > 40 {
			c.state.lib.pointers++
			h += c.state.lib.pointers
		}
		return fmt.Sprintf("0x%08x", h&(1<<48-1))
	}
	if id, ok := objectID(v); ok {
		return fmt.Sprintf("0x%08x", id)
	}
	return "(null)"
}

// contentHash is FNV-1a: equal in every process.
func contentHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// addLiteral adds the argument as a Lua literal (%q).
func addLiteral(c *Call, out *buffer, arg int) bool {
	switch v := c.Arg(arg); v.Kind() {
	case KindString:
		return addQuoted(c, out, v.str())
	case KindInt:
		if v.rawInt() == math.MinInt64 {
			return out.add(c, "0x8000000000000000")
		}
		return out.add(c, formatNumber(v))
	case KindFloat:
		switch f := v.rawFloat(); {
		case math.IsInf(f, 1):
			return out.add(c, "1e9999")
		case math.IsInf(f, -1):
			return out.add(c, "-1e9999")
		case f != f:
			return out.add(c, "(0/0)")
		default:
			hex := conversion{verb: 'a', precision: -1}
			return out.add(c, hex.float(f))
		}
	case KindNil:
		return out.add(c, "nil")
	case KindTrue:
		return out.add(c, "true")
	case KindFalse:
		return out.add(c, "false")
	}
	c.ArgError(arg, "value has no literal form")
	return false
}

func addQuoted(c *Call, out *buffer, s string) bool {
	if !c.Fuel(copyFuel(len(s))) || !out.addByte(c, '"') {
		return false
	}
	for i := range len(s) {
		x := s[i]
		ok := true
		switch {
		case x == '"' || x == '\\' || x == '\n':
			ok = out.addByte(c, '\\') && out.addByte(c, x)
		case isControl(x):
			form := "\\%d"
			if i+1 < len(s) && isDigit(s[i+1]) {
				form = "\\%03d"
			}
			ok = out.add(c, fmt.Sprintf(form, x))
		default:
			ok = out.addByte(c, x)
		}
		if !ok {
			return false
		}
	}
	return out.addByte(c, '"')
}
