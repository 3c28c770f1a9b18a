package bind

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/llmspell/llmspell/lua"
)

// EncodeOptions modify AppendJSON.
type EncodeOptions struct {
	Lenient bool // result and log rules; else strict
	Indent  int  // spaces a level; 0 = compact
}

// AppendJSON appends v as JSON with sorted keys to dst. c may be nil outside a
// call; __tojson is then ignored. The error is a fault, or one that only Raise
// understands; dst is then unchanged.
func (b *Binding) AppendJSON(dst []byte, c *lua.Call, v lua.Value, o EncodeOptions) ([]byte, error) {
	e := &encoder{buf: dst, indent: min(max(o.Indent, 0), 16)}
	w := &walker{st: b.st, c: c, out: e, lenient: o.Lenient, utf8: true}
	if err := w.walk(v); err != nil {
		return dst, err
	}
	return e.buf, nil
}

// encoder is the sink that writes JSON.
type encoder struct {
	buf    []byte
	indent int
	levels []level
	keyed  bool // a key was just written
}

type level struct {
	array bool
	parts int
}

// part begins a value or a key: the comma, and the line where indented.
func (e *encoder) part() {
	if len(e.levels) == 0 {
		return
	}
	if e.keyed {
		e.keyed = false
		return
	}
	top := &e.levels[len(e.levels)-1]
	if top.parts > 0 {
		e.buf = append(e.buf, ',')
	}
	top.parts++
	e.newline()
}

func (e *encoder) newline() {
	if e.indent > 0 {
		e.buf = append(e.buf, '\n')
		e.buf = append(e.buf, bytes.Repeat([]byte{' '}, e.indent*len(e.levels))...)
	}
}

func (e *encoder) scalar(v lua.Value) {
	e.part()
	switch v.Kind() {
	case lua.KindTrue, lua.KindFalse:
		e.buf = strconv.AppendBool(e.buf, v.Truthy())
	case lua.KindInt:
		i, _ := v.AsInteger()
		e.buf = strconv.AppendInt(e.buf, i, 10)
	case lua.KindFloat:
		f, _ := v.AsFloat()
		e.buf = AppendFloat(e.buf, f)
	case lua.KindString:
		s, _ := v.AsString()
		e.buf = appendString(e.buf, s)
	default:
		e.buf = append(e.buf, "null"...)
	}
}

func (e *encoder) text(s string) {
	e.part()
	e.buf = appendString(e.buf, s)
}

func (e *encoder) open(array bool, _ int) {
	e.part()
	e.levels = append(e.levels, level{array: array})
	if array {
		e.buf = append(e.buf, '[')
	} else {
		e.buf = append(e.buf, '{')
	}
}

func (e *encoder) key(k string) {
	e.part()
	e.buf = append(appendString(e.buf, k), ':')
	if e.indent > 0 {
		e.buf = append(e.buf, ' ')
	}
	e.keyed = true
}

func (e *encoder) close() {
	top := e.levels[len(e.levels)-1]
	e.levels = e.levels[:len(e.levels)-1]
	if top.parts > 0 {
		e.newline()
	}
	if top.array {
		e.buf = append(e.buf, ']')
	} else {
		e.buf = append(e.buf, '}')
	}
}

// AppendFloat writes a finite float so that it reads back as one: always with a
// fraction or an exponent.
func AppendFloat(dst []byte, f float64) []byte {
	start := len(dst)
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if !bytes.ContainsAny(dst[start:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

func base64Text(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
