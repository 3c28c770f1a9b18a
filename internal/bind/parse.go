package bind

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
)

// ParseOptions modify ParseJSON.
type ParseOptions struct {
	KeepNull bool // null as a member is JSON.null; else the member is absent
	MaxDepth int  // 0 = 128
}

// allocator makes Lua objects: the running call, whose allocations may be
// refused, or the state.
type allocator interface {
	NewString(s string) lua.Value
	NewTable(narray, nfields int) *lua.Table
}

// ParseJSON reads JSON straight into Lua values: members in document order,
// arrays marked, null in an array is JSON.null. The error is a fault with line
// and column, or one that only Raise understands.
func (b *Binding) ParseJSON(a allocator, text string, o ParseOptions) (lua.Value, error) {
	if o.MaxDepth <= 0 {
		o.MaxDepth = maxDepth
	}
	p := &parser{a: a, s: text, o: o, null: b.Null(), growth: growth{b: b}}
	p.c, _ = a.(*lua.Call)
	p.space()
	v, err := p.value(0)
	if err != nil {
		return lua.Nil, err
	}
	p.space()
	if p.i < len(p.s) {
		return lua.Nil, p.fail("text after the value")
	}
	if IsNull(v) && !o.KeepNull {
		return lua.Nil, nil
	}
	return v, nil
}

// What a table and a member or element are counted as.
const (
	tableSize = 180
	valueSize = 32
)

type parser struct {
	a     allocator
	c     *lua.Call // nil outside a call
	s     string
	i     int
	o     ParseOptions
	null  lua.Value
	nodes int
	growth
}

func (p *parser) fail(format string, args ...any) error {
	line := 1 + strings.Count(p.s[:p.i], "\n")
	column := p.i - strings.LastIndexByte(p.s[:p.i], '\n')
	e := fault.Errorf(fault.ParseError, "JSON line %d, column %d: %s", line, column, fmt.Sprintf(format, args...))
	return e.WithDetail("line", int64(line)).WithDetail("column", int64(column))
}

// unexpected tells what stands at the current place.
func (p *parser) unexpected(wanted string) error {
	if p.i >= len(p.s) {
		return p.fail("the text ends where %s should follow", wanted)
	}
	r, _ := utf8.DecodeRuneInString(p.s[p.i:])
	return p.fail("expected %s, found %q", wanted, r)
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// step accounts for one value of about size bytes, so that a large text can be
// interrupted and stops at the memory limit.
func (p *parser) step(size int) error {
	p.nodes++
	if p.c != nil && p.nodes%256 == 0 && !p.c.Fuel(1024) {
		return errRaised
	}
	if p.fits(size) {
		return nil
	}
	if p.c == nil {
		return fault.Errorf(fault.MemoryLimit, "the value does not fit in the interpreter's memory")
	}
	p.c.Charge(math.MaxInt32) // does not fit either: sets the error of a refusal
	return errRaised
}

func (p *parser) value(depth int) (lua.Value, error) {
	if depth > p.o.MaxDepth {
		return lua.Nil, p.fail("nested deeper than %d", p.o.MaxDepth)
	}
	if err := p.step(valueSize); err != nil {
		return lua.Nil, err
	}
	if p.i >= len(p.s) {
		return lua.Nil, p.unexpected("a value")
	}
	switch c := p.s[p.i]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.string()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.word("true"):
		return lua.Boolean(true), nil
	case p.word("false"):
		return lua.Boolean(false), nil
	case p.word("null"):
		return p.null, nil
	}
	return lua.Nil, p.unexpected("a value")
}

func (p *parser) word(w string) bool {
	if strings.HasPrefix(p.s[p.i:], w) {
		p.i += len(w)
		return true
	}
	return false
}

func (p *parser) object(depth int) (lua.Value, error) {
	if err := p.step(tableSize); err != nil {
		return lua.Nil, err
	}
	t := p.a.NewTable(0, 4)
	p.i++
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '}' {
		p.i++
		return t.Value(), nil
	}
	for {
		if p.i >= len(p.s) || p.s[p.i] != '"' {
			return lua.Nil, p.unexpected("a member name in quotes")
		}
		k, err := p.string()
		if err != nil {
			return lua.Nil, err
		}
		p.space()
		if p.i >= len(p.s) || p.s[p.i] != ':' {
			return lua.Nil, p.unexpected("':'")
		}
		p.i++
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return lua.Nil, err
		}
		if IsNull(v) && !p.o.KeepNull {
			v = lua.Nil
		}
		if err := p.b.st.RawSet(t, k, v); err != nil {
			return lua.Nil, err
		}
		if done, err := p.next('}', "',' or '}'"); done || err != nil {
			return t.Value(), err
		}
	}
}

func (p *parser) array(depth int) (lua.Value, error) {
	if err := p.step(tableSize); err != nil {
		return lua.Nil, err
	}
	t := p.a.NewTable(4, 0)
	t.MarkArray(true)
	p.i++
	p.space()
	if p.i < len(p.s) && p.s[p.i] == ']' {
		p.i++
		return t.Value(), nil
	}
	for n := int64(1); ; n++ {
		v, err := p.value(depth + 1)
		if err != nil {
			return lua.Nil, err
		}
		if err := p.b.st.RawSet(t, lua.Integer(n), v); err != nil {
			return lua.Nil, err
		}
		if done, err := p.next(']', "',' or ']'"); done || err != nil {
			return t.Value(), err
		}
	}
}

// next goes past a comma, or past the end of the container.
func (p *parser) next(end byte, wanted string) (done bool, err error) {
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != ',' && p.s[p.i] != end {
		return false, p.unexpected(wanted)
	}
	done = p.s[p.i] == end
	p.i++
	if !done {
		p.space()
	}
	return done, nil
}

func (p *parser) number() (lua.Value, error) {
	start := p.i
	digits := func() int {
		from := p.i
		for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
			p.i++
		}
		return p.i - from
	}
	at := func(set string) bool {
		if p.i < len(p.s) && strings.IndexByte(set, p.s[p.i]) >= 0 {
			p.i++
			return true
		}
		return false
	}
	at("-")
	lead := p.i
	integral := true
	if n := digits(); n == 0 || n > 1 && p.s[lead] == '0' {
		return lua.Nil, p.fail("malformed number")
	}
	if at(".") {
		integral = false
		if digits() == 0 {
			return lua.Nil, p.unexpected("a digit")
		}
	}
	if at("eE") {
		integral = false
		at("+-")
		if digits() == 0 {
			return lua.Nil, p.unexpected("a digit")
		}
	}
	text := p.s[start:p.i]
	if integral {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return lua.Integer(n), nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return lua.Nil, p.fail("number out of range")
	}
	return lua.Float(f), nil
}

func (p *parser) string() (lua.Value, error) {
	start := p.i + 1
	end := start
	for end < len(p.s) && p.s[end] != '"' && p.s[end] != '\\' && p.s[end] >= 0x20 {
		end++
	}
	if end < len(p.s) && p.s[end] == '"' { // no escapes
		text := p.s[start:end]
		if !utf8.ValidString(text) {
			return lua.Nil, p.fail("string is not UTF-8")
		}
		p.i = end + 1
		return p.newString(text)
	}
	buf := []byte(p.s[start:end])
	for p.i = end; ; {
		if p.i >= len(p.s) {
			return lua.Nil, p.fail("the text ends inside a string")
		}
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			if !utf8.Valid(buf) {
				return lua.Nil, p.fail("string is not UTF-8")
			}
			return p.newString(string(buf))
		case c == '\\':
			var err error
			if buf, err = p.escape(buf); err != nil {
				return lua.Nil, err
			}
		case c < 0x20:
			return lua.Nil, p.fail("control character in a string")
		default:
			buf = append(buf, c)
			p.i++
		}
	}
}

func (p *parser) newString(s string) (lua.Value, error) {
	if err := p.step(40 + len(s)); err != nil {
		return lua.Nil, err
	}
	v := p.a.NewString(s)
	if v.IsNil() {
		return v, errRaised // refused
	}
	return v, nil
}

// escapes are the escapes of one letter.
const escapes = "\"\"\\\\//b\bf\fn\nr\rt\t"

func (p *parser) escape(buf []byte) ([]byte, error) {
	p.i++
	if p.i >= len(p.s) {
		return buf, p.fail("the text ends inside a string")
	}
	c := p.s[p.i]
	if c == 'u' {
		p.i++
		r, err := p.hex4()
		if err != nil {
			return buf, err
		}
		if utf16.IsSurrogate(r) && strings.HasPrefix(p.s[p.i:], `\u`) {
			back := p.i
			p.i += 2
			low, err := p.hex4()
			if err != nil {
				return buf, err
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return utf8.AppendRune(buf, pair), nil
			}
			p.i = back
		}
		return utf8.AppendRune(buf, r), nil // a lone surrogate becomes U+FFFD
	}
	for i := 0; i < len(escapes); i += 2 {
		if escapes[i] == c {
			p.i++
			return append(buf, escapes[i+1]), nil
		}
	}
	return buf, p.fail("unknown escape \\%c", c)
}

func (p *parser) hex4() (rune, error) {
	if p.i+4 > len(p.s) {
		return 0, p.fail("the text ends inside an escape")
	}
	n, err := strconv.ParseUint(p.s[p.i:p.i+4], 16, 16)
	if err != nil || p.s[p.i] == '+' {
		return 0, p.fail("\\u needs four hexadecimal digits")
	}
	p.i += 4
	return rune(n), nil
}
