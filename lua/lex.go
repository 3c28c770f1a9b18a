package lua

import (
	"strings"
	"unicode/utf8"
)

// maxSource is the size of the largest source text Compile takes, in bytes.
const maxSource = 10 << 20

// tokenKind is a token's type: the byte itself for single-byte tokens, else one
// of the values below.
type tokenKind int16

const (
	tokAnd tokenKind = iota + 257
	tokBreak
	tokDo
	tokElse
	tokElseif
	tokEnd
	tokFalse
	tokFor
	tokFunction
	tokGoto
	tokIf
	tokIn
	tokLocal
	tokNil
	tokNot
	tokOr
	tokRepeat
	tokReturn
	tokThen
	tokTrue
	tokUntil
	tokWhile
	tokIDiv
	tokConcat
	tokDots
	tokEQ
	tokGE
	tokLE
	tokNE
	tokShl
	tokShr
	tokDoubleColon
	tokEOF
	tokFloat
	tokInteger
	tokName
	tokString
)

var tokenNames = [...]string{
	"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
	"not", "or", "repeat", "return", "then", "true", "until", "while",
	"//", "..", "...", "==", ">=", "<=", "~=", "<<", ">>", "::",
	"<eof>", "<number>", "<integer>", "<name>", "<string>",
}

var keywords = makeKeywords()

func makeKeywords() map[string]tokenKind {
	m := map[string]tokenKind{}
	for k := tokAnd; k <= tokWhile; k++ {
		m[tokenNames[k-tokAnd]] = k
	}
	return m
}

// quote returns the kind as messages show it.
func (k tokenKind) quote() string {
	switch {
	case k >= tokEOF:
		return tokenNames[k-tokAnd]
	case k >= tokAnd:
		return "'" + tokenNames[k-tokAnd] + "'"
	case k >= ' ' && k < 0x7f:
		return "'" + string(rune(k)) + "'"
	}
	return "'<\\" + formatNumber(Integer(int64(k))) + ">'"
}

// pos is a position in the source: line and byte column, both from 1.
type pos struct{ line, col int32 }

func (p pos) at() pos { return p }

// token is one lexical element.
type token struct {
	pos
	kind       tokenKind
	start, end int      // byte range in the source
	endLine    int32    // line of the last byte
	val        constant // of a number or string
	level      int      // of a long string's brackets; -1 for other tokens
}

// text returns the token as error messages show it, with quotes. A string is
// shown with its escapes replaced.
func (l *lexer) text(t *token) string {
	switch t.kind {
	case tokName, tokInteger, tokFloat:
		return quoteNear(l.src[t.start:t.end])
	case tokString:
		if t.level < 0 {
			q := l.src[t.start : t.start+1]
			return quoteNear(q + t.val.s + q)
		}
		eqs := strings.Repeat("=", t.level)
		return quoteNear("[" + eqs + "[" + t.val.s + "]" + eqs + "]")
	case 0:
		return ""
	}
	return t.kind.quote()
}

// quoteNear quotes source text, which C Lua cuts at a zero byte.
func quoteNear(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	return "'" + s + "'"
}

// lexer splits a source text into tokens. Errors are panics of *SyntaxError,
// which parse recovers.
type lexer struct {
	chunk     string // printable name
	src       string
	off       int
	line      int32
	lineStart int // offset of the first byte of line
	start     pos // of the token in progress
	buf       []byte
}

// fail raises a syntax error at the token in progress.
func (l *lexer) fail(msg, near string) {
	panic(&SyntaxError{
		Chunk: l.chunk, Line: int(l.line), Col: int(l.start.col), Msg: msg, Near: near,
		Incomplete: near == tokEOF.quote(),
	})
}

// peek returns the byte at distance i from the current one, or -1.
func (l *lexer) peek(i int) int {
	if l.off+i < len(l.src) {
		return int(l.src[l.off+i])
	}
	return -1
}

func (l *lexer) current() int { return l.peek(0) }

// newline skips one line break: \n, \r, \r\n or \n\r.
func (l *lexer) newline() {
	c := l.src[l.off]
	l.off++
	if n := l.current(); (n == '\n' || n == '\r') && byte(n) != c {
		l.off++
	}
	l.line++
	l.lineStart = l.off
}

// next returns the next token; after the end, tokEOF for ever.
func (l *lexer) next() token {
	l.skipSpace()
	l.start = pos{l.line, int32(l.off - l.lineStart + 1)}
	t := token{pos: l.start, start: l.off, level: -1}
	l.scan(&t)
	t.end, t.endLine = l.off, l.line
	return t
}

// skipSpace skips white space and comments.
func (l *lexer) skipSpace() {
	for {
		switch l.current() {
		case '\n', '\r':
			l.newline()
		case ' ', '\t', '\v', '\f':
			l.off++
		case '-':
			if l.peek(1) != '-' {
				return
			}
			l.skipComment()
		default:
			return
		}
	}
}

func (l *lexer) skipComment() {
	l.start = pos{l.line, int32(l.off - l.lineStart + 1)}
	l.off += 2
	if l.current() == '[' {
		if level, ok := l.longBracket(); ok {
			l.longString(level, "comment")
			return
		}
	}
	for c := l.current(); c != -1 && c != '\n' && c != '\r'; c = l.current() {
		l.off++
	}
}

// longBracket reports whether the current '[' opens a long bracket. It moves
// behind it only if it does.
func (l *lexer) longBracket() (level int, ok bool) {
	for l.peek(1+level) == '=' {
		level++
	}
	if l.peek(1+level) != '[' {
		return level, false
	}
	l.off += 2 + level
	return level, true
}

// longString reads behind an opening long bracket up to the closing one.
func (l *lexer) longString(level int, what string) string {
	first := l.line
	if c := l.current(); c == '\n' || c == '\r' {
		l.newline()
	}
	closing := "]" + strings.Repeat("=", level) + "]"
	l.buf = l.buf[:0]
	begin := l.off
	for {
		switch c := l.current(); c {
		case -1:
			line := formatNumber(Integer(int64(first)))
			l.fail("unfinished long "+what+" (starting at line "+line+")", tokEOF.quote())
		case ']':
			if strings.HasPrefix(l.src[l.off:], closing) {
				l.buf = append(l.buf, l.src[begin:l.off]...)
				l.off += len(closing)
				if what == "comment" {
					return ""
				}
				return string(l.buf)
			}
			l.off++
		case '\n', '\r':
			l.buf = append(l.buf, l.src[begin:l.off]...)
			l.buf = append(l.buf, '\n')
			l.newline()
			begin = l.off
		default:
			l.off++
		}
	}
}

// scan reads the token at the current byte, which is no white space.
func (l *lexer) scan(t *token) {
	c := l.current()
	switch {
	case c == -1:
		t.kind = tokEOF
	case isNameStart(c):
		l.name(t)
	case isDigit(byte(c)):
		l.number(t)
	case c == '"' || c == '\'':
		t.kind = tokString
		t.val = stringConstant(l.shortString(c))
	case c == '.':
		l.dot(t)
	case c == '[':
		l.bracket(t)
	default:
		l.symbol(t, c)
	}
}

func isNameStart(c int) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (l *lexer) name(t *token) {
	for c := l.current(); isNameStart(c) || c >= '0' && c <= '9'; c = l.current() {
		l.off++
	}
	t.kind = tokName
	if k, ok := keywords[l.src[t.start:l.off]]; ok {
		t.kind = k
	}
}

// symbol reads an operator or a single byte of no meaning.
func (l *lexer) symbol(t *token, c int) {
	t.kind = tokenKind(c)
	l.off++
	second := l.current()
	pair := func(b int, k tokenKind) {
		if second == b {
			t.kind = k
			l.off++
		}
	}
	switch c {
	case '=':
		pair('=', tokEQ)
	case '<':
		if pair('=', tokLE); second == '<' {
			pair('<', tokShl)
		}
	case '>':
		if pair('=', tokGE); second == '>' {
			pair('>', tokShr)
		}
	case '/':
		pair('/', tokIDiv)
	case '~':
		pair('=', tokNE)
	case ':':
		pair(':', tokDoubleColon)
	}
}

func (l *lexer) dot(t *token) {
	switch {
	case l.peek(1) == '.' && l.peek(2) == '.':
		t.kind = tokDots
		l.off += 3
	case l.peek(1) == '.':
		t.kind = tokConcat
		l.off += 2
	case l.peek(1) >= '0' && l.peek(1) <= '9':
		l.number(t)
	default:
		t.kind = '.'
		l.off++
	}
}

func (l *lexer) bracket(t *token) {
	level, ok := l.longBracket()
	switch {
	case ok:
		t.kind, t.level = tokString, level
		t.val = stringConstant(l.longString(level, "string"))
	case level > 0:
		l.fail("invalid long string delimiter", quoteNear(l.src[l.off:l.off+1+level]))
	default:
		t.kind = '['
		l.off++
	}
}

// number reads what could be a numeral as liberally as C Lua and converts it.
func (l *lexer) number(t *token) {
	exponent := byte('e')
	if l.current() == '0' && l.peek(1)|0x20 == 'x' {
		exponent = 'p'
		l.off += 2
	}
	for {
		c := l.current()
		switch {
		case c == -1:
		case byte(c)|0x20 == exponent:
			l.off++
			if s := l.current(); s == '-' || s == '+' {
				l.off++
			}
			continue
		case isHex(byte(c)) || c == '.':
			l.off++
			continue
		case isNameStart(c):
			l.off++ // a letter that touches the numeral makes it malformed
		}
		break
	}
	text := l.src[t.start:l.off]
	v, ok := parseNumber(text)
	if !ok {
		l.fail("malformed number", quoteNear(text))
	}
	t.kind = tokInteger
	if v.isFloat() {
		t.kind = tokFloat
	}
	t.val = numberConstant(v)
}

// shortString reads a string in quotes. buf holds what messages show: the
// quote, the bytes so far and the escape sequence in progress.
func (l *lexer) shortString(quote int) string {
	l.buf = append(l.buf[:0], byte(quote))
	l.off++
	for {
		c := l.current()
		switch c {
		case quote:
			l.off++
			return string(l.buf[1:])
		case -1:
			l.fail("unfinished string", tokEOF.quote())
		case '\n', '\r':
			l.fail("unfinished string", quoteNear(string(l.buf)))
		case '\\':
			l.escape()
		default:
			l.buf = append(l.buf, byte(c))
			l.off++
		}
	}
}

var simpleEscapes = map[int]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\', '"': '"', '\'': '\'',
}

// escape replaces the escape sequence at the current backslash.
func (l *lexer) escape() {
	mark := len(l.buf)
	l.save()
	c := l.current()
	if b, ok := simpleEscapes[c]; ok {
		l.off++
		l.buf = append(l.buf[:mark], b)
		return
	}
	switch {
	case c == 'x':
		l.save()
		b := l.hexDigit()<<4 | l.hexDigit()
		l.buf = append(l.buf[:mark], byte(b))
	case c == 'u':
		l.unicodeEscape(mark)
	case c == '\n' || c == '\r':
		l.newline()
		l.buf = append(l.buf[:mark], '\n')
	case c == 'z':
		l.buf = l.buf[:mark]
		l.off++
		l.skipEscapedSpace()
	case c == -1:
		l.fail("unfinished string", tokEOF.quote())
	default:
		l.decimalEscape(mark)
	}
}

// save moves the current byte to buf.
func (l *lexer) save() {
	l.buf = append(l.buf, l.src[l.off])
	l.off++
}

// escapeCheck fails with the current byte shown if ok is false.
func (l *lexer) escapeCheck(ok bool, msg string) {
	if ok {
		return
	}
	if l.current() != -1 {
		l.save()
	}
	l.fail(msg, quoteNear(string(l.buf)))
}

func (l *lexer) hexDigit() int {
	c := l.current()
	l.escapeCheck(c != -1 && isHex(byte(c)), "hexadecimal digit expected")
	l.save()
	return int(hexValue(byte(c)))
}

func (l *lexer) skipEscapedSpace() {
	for {
		switch l.current() {
		case '\n', '\r':
			l.newline()
		case ' ', '\t', '\v', '\f':
			l.off++
		default:
			return
		}
	}
}

func (l *lexer) decimalEscape(mark int) {
	isDec := func(c int) bool { return c >= '0' && c <= '9' }
	l.escapeCheck(isDec(l.current()), "invalid escape sequence")
	v := 0
	for i := 0; i < 3 && isDec(l.current()); i++ {
		v = v*10 + l.current() - '0'
		l.save()
	}
	l.escapeCheck(v <= 255, "decimal escape too large")
	l.buf = append(l.buf[:mark], byte(v))
}

// unicodeEscape reads \u{XXX}, up to 2^31-1.
func (l *lexer) unicodeEscape(mark int) {
	l.save()
	l.escapeCheck(l.current() == '{', "missing '{'")
	l.save()
	r := l.hexDigit()
	for c := l.current(); c != -1 && isHex(byte(c)); c = l.current() {
		l.escapeCheck(r <= 0x7FFFFFFF>>4, "UTF-8 value too large")
		r = r<<4 | l.hexDigit()
	}
	l.escapeCheck(l.current() == '}', "missing '}'")
	l.off++
	l.buf = appendUTF8(l.buf[:mark], uint32(r))
}

// appendUTF8 appends the original UTF-8 encoding of r < 2^31: up to six bytes,
// surrogates included.
func appendUTF8(b []byte, r uint32) []byte {
	if r < utf8.RuneSelf {
		return append(b, byte(r))
	}
	var tail [6]byte
	i := len(tail)
	limit := uint32(0x3f) // largest value of the first byte's payload
	for {
		i--
		tail[i] = byte(0x80 | r&0x3f)
		r >>= 6
		limit >>= 1
		if r <= limit {
			break
		}
	}
	i--
	tail[i] = byte(^limit<<1) | byte(r)
	return append(b, tail[i:]...)
}
