package lua

import (
	"bytes"
	"strings"
)

// maxNumeral is the longest numeral the format "n" reads.
const maxNumeral = 200

// fileReader reads formats from a file. Input that has to be waited for comes
// in by Resume; each attempt at a format works on what is buffered and asks for
// more, so nothing is lost in between.
type fileReader struct {
	file    *luaFile
	self    Value
	formats []Value
	results []Value
	few     [3]Value // where results begin
	scanned int      // bytes of the present line searched already

	// iterator is set for file:lines: the results of the iteration.
	iterator, closeAtEnd bool
}

// fillInput is called by readers of an InputFile; a function of its own, so
// that it may suspend.
var fillInput = NewFunction("io.fill", func(c *Call) Status {
	f, ok := fileData(c.Arg(0))
	if !ok || f.f == nil {
		return c.Return1(Nil)
	}
	return f.f.(InputFile).Fill(c)
})

// readFormats reads with the formats in the arguments from first on.
func readFormats(c *Call, f *luaFile, self Value, first int) Status {
	r := &fileReader{file: f, self: self}
	for i := first; i < c.NArgs(); i++ {
		v := c.Arg(i)
		var ok bool
		if v.isNumber() {
			_, ok = c.CheckInteger(i)
		} else {
			_, ok = c.CheckString(i)
		}
		if !ok {
			return c.Failed()
		}
		if !validFormat(v) {
			return c.ArgError(i, "invalid format")
		}
		r.formats = append(r.formats, v)
	}
	return r.start(c)
}

// validFormat reports whether v is a format: a count, or n, l, L or a, which
// may have a '*' before and anything behind it.
func validFormat(v Value) bool {
	if v.isNumber() {
		_, ok := toInteger(v)
		return ok
	}
	s, ok := v.AsString()
	s = strings.TrimPrefix(s, "*")
	return ok && s != "" && strings.IndexByte("nlLa", s[0]) >= 0
}

func (r *fileReader) start(c *Call) Status {
	if len(r.formats) == 0 {
		r.formats = defaultFormats
	}
	r.results = r.few[:0]
	r.file.eof = false
	if err := r.file.flushOut(); err != nil {
		return c.FileResult(err, "")
	}
	return r.run(c)
}

// defaultFormats is what a read without formats reads.
var defaultFormats = []Value{makeShared("l")}

// run reads formats until all are done, one fails or input has to be waited for.
func (r *fileReader) run(c *Call) Status {
	for len(r.results) < len(r.formats) {
		v, done := r.read(c, r.formats[len(r.results)])
		if !done {
			if c.refused {
				return c.Failed()
			}
			if _, waits := r.file.f.(InputFile); waits {
				return c.CallThen(r, 1, fillInput.Value(), r.self)
			}
			if err := r.file.fill(c); err != nil {
				return r.failed(c, err)
			}
			if !c.Fuel(copyFuel(defaultBuffer)) {
				return c.Failed()
			}
			continue
		}
		r.scanned = 0
		r.results = append(r.results, v)
		if v.IsNil() {
			break
		}
	}
	return r.finish(c)
}

// Resume takes input an InputFile delivered; nil is its end.
func (r *fileReader) Resume(c *Call) Status {
	switch s, ok := c.Arg(0).AsString(); {
	case !c.usable(r.file):
		return c.Failed()
	case !ok:
		r.file.eof = true
	case !r.file.append(c, s):
		return c.Failed()
	}
	return r.run(c)
}

func (r *fileReader) failed(c *Call, err error) Status {
	if r.iterator {
		msg, _ := errorText(err)
		return c.Errorf("%s", msg)
	}
	return c.FileResult(err, "")
}

func (r *fileReader) finish(c *Call) Status {
	if r.iterator && r.results[0].IsNil() {
		if r.closeAtEnd && !r.file.closed {
			_ = r.file.close()
		}
		return c.Return()
	}
	for _, v := range r.results {
		c.Push(v)
	}
	return c.Return()
}

// read tries one format. done = false: more input is needed.
func (r *fileReader) read(c *Call, format Value) (v Value, done bool) {
	f := r.file
	if n, ok := toInteger(format); ok && format.isNumber() {
		return r.readCount(c, n)
	}
	switch strings.TrimPrefix(format.str(), "*")[0] {
	case 'n':
		return r.readNumber()
	case 'a':
		if !f.eof {
			return Nil, false
		}
		return r.take(c, len(f.in), len(f.in)), true
	case 'L':
		return r.readLine(c, true)
	}
	return r.readLine(c, false)
}

// take consumes n bytes and returns the first of them.
func (r *fileReader) take(c *Call, n, keep int) Value {
	v := emptyString
	if keep > 0 {
		v = c.NewString(string(r.file.in[:keep]))
	}
	r.file.consume(n)
	return v
}

func (r *fileReader) readCount(c *Call, n int64) (Value, bool) {
	f := r.file
	have := int64(len(f.in))
	want := max(n, 1) // even 0 bytes need to know whether there are more
	if have < want && !f.eof {
		return Nil, false
	}
	if have == 0 {
		return Nil, true
	}
	size := int(max(min(n, have), 0))
	return r.take(c, size, size), true
}

func (r *fileReader) readLine(c *Call, keepEnd bool) (Value, bool) {
	f := r.file
	i := bytes.IndexByte(f.in[r.scanned:], '\n')
	switch {
	case i >= 0:
		i += r.scanned
		keep := i
		if keepEnd {
			keep++
		}
		return r.take(c, i+1, keep), true
	case !f.eof:
		r.scanned = len(f.in)
		return Nil, false
	case len(f.in) == 0:
		return Nil, true
	}
	return r.take(c, len(f.in), len(f.in)), true
}

// readNumber reads the longest prefix of a numeral, as C Lua does: what does
// not make a number is consumed and gives nil.
func (r *fileReader) readNumber() (Value, bool) {
	f := r.file
	blank := 0
	for blank < len(f.in) && strings.IndexByte(" \t\n\v\f\r", f.in[blank]) >= 0 {
		blank++
	}
	f.consume(blank)
	s := numeralScanner{in: f.in}
	s.scan()
	if s.i == len(f.in) && !f.eof && !s.long {
		return Nil, false
	}
	text := string(f.in[:s.i])
	f.consume(s.i)
	if s.long {
		return Nil, true
	}
	v, ok := parseNumber(text)
	if !ok {
		return Nil, true
	}
	return v, true
}

// numeralScanner finds the longest prefix of in that may be a numeral.
type numeralScanner struct {
	in   []byte
	i    int
	long bool
}

// accept takes one of two characters.
func (s *numeralScanner) accept(set string) bool {
	if s.i >= len(s.in) || strings.IndexByte(set, s.in[s.i]) < 0 {
		return false
	}
	return s.advance()
}

func (s *numeralScanner) advance() bool {
	if s.i >= maxNumeral {
		s.long = true
		return false
	}
	s.i++
	return true
}

func (s *numeralScanner) digits(hex bool) int {
	n := 0
	for s.i < len(s.in) && (isDigit(s.in[s.i]) || hex && isHex(s.in[s.i])) && s.advance() {
		n++
	}
	return n
}

func (s *numeralScanner) scan() {
	count, hex := 0, false
	s.accept("-+")
	if s.accept("0") {
		if s.accept("xX") {
			hex = true
		} else {
			count = 1
		}
	}
	count += s.digits(hex)
	if s.accept(".") {
		count += s.digits(hex)
	}
	mark := "eE"
	if hex {
		mark = "pP"
	}
	if count > 0 && s.accept(mark) {
		s.accept("-+")
		s.digits(false)
	}
}

func (r *fileReader) markValues(mark func(Value)) {
	mark(r.self)
	for _, v := range r.results {
		mark(v)
	}
}
