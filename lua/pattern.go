package lua

const (
	maxCaptures   = 32
	maxMatchDepth = 200 // nested matches of one pattern, C Lua's MAXCCALLS

	captureOpen     = -1 // length of a capture whose ')' was not reached
	capturePosition = -2 // length of a position capture "()"

	noMatch = -1

	// matchPoll is how many steps a match makes between two looks at the fuel.
	matchPoll = 1024
)

type capture struct{ start, len int }

// matcher matches one pattern against one subject by backtracking, as C Lua
// does. Positions are offsets. Every step is charged to the call's fuel, so a
// match that explodes is stopped like any other loop.
type matcher struct {
	call     *Call
	src, pat string
	msg      string // why the pattern is wrong
	stopped  bool   // msg is set, or the fuel ended
	depth    int    // nested matches still allowed
	work     int    // steps not charged yet
	level    int    // captures, open ones included
	captures [maxCaptures]capture
}

// matcher returns the state's matcher set up for src and pat. It serves calls
// that run no Lua before they are done with it.
func (c *Call) matcher(src, pat string) *matcher {
	m := c.state.lib.matcher
	if m == nil {
		m = new(matcher)
		c.state.lib.matcher = m
	}
	m.reset(c, src, pat)
	return m
}

func (m *matcher) reset(c *Call, src, pat string) {
	m.call, m.src, m.pat = c, src, pat
	m.msg, m.stopped, m.work, m.level = "", false, 0, 0
}

// charge charges the steps not charged yet.
func (m *matcher) charge() bool {
	work := m.work
	m.work = 0
	return m.call.Fuel(work)
}

// drop lets the strings go.
func (m *matcher) drop() { m.call, m.src, m.pat = nil, "", "" }

// start matches the pattern from offset p at s and returns the end, or noMatch.
func (m *matcher) start(s, p int) int {
	m.level, m.depth = 0, maxMatchDepth
	return m.match(s, p)
}

// failed is the status after a match that stopped.
func (m *matcher) failed(c *Call) Status {
	if m.msg != "" {
		return c.Errorf("%s", m.msg)
	}
	return c.Failed()
}

func (m *matcher) fail(msg string) int {
	m.msg, m.stopped = msg, true
	return noMatch
}

// spend counts n steps. false: the match has to stop.
func (m *matcher) spend(n int) bool {
	m.work += n
	if m.work < matchPoll {
		return true
	}
	work := m.work
	m.work = 0
	if !m.call.Fuel(work) {
		m.stopped = true
		return false
	}
	return true
}

func (m *matcher) match(s, p int) int {
	if m.depth == 0 {
		return m.fail("pattern too complex")
	}
	m.depth--
	end := m.run(s, p)
	m.depth++
	return end
}

// run matches pat[p:] at s; what needs no backtracking is a loop.
func (m *matcher) run(s, p int) int {
	for {
		if !m.spend(1) {
			return noMatch
		}
		if p == len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.openCapture(s, p+2, capturePosition)
			}
			return m.openCapture(s, p+1, captureOpen)
		case ')':
			return m.closeCapture(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return noMatch
			}
		case '%':
			next, q, special := m.escape(s, p)
			if special {
				if next == noMatch {
					return noMatch
				}
				s, p = next, q
				continue
			}
		}
		end := m.classEnd(p)
		if end < 0 {
			return noMatch
		}
		var suffix byte
		if end < len(m.pat) {
			suffix = m.pat[end]
		}
		switch suffix {
		case '?':
			if m.single(s, p, end) {
				if res := m.match(s+1, end+1); res != noMatch || m.stopped {
					return res
				}
			}
			p = end + 1
		case '*':
			return m.maxExpand(s, p, end)
		case '+':
			if !m.single(s, p, end) {
				return noMatch
			}
			return m.maxExpand(s+1, p, end)
		case '-':
			return m.minExpand(s, p, end)
		default:
			if !m.single(s, p, end) {
				return noMatch
			}
			s, p = s+1, end
		}
	}
}

// escape handles %b, %f and back references at p; special is false for all
// other escapes, which are classes.
func (m *matcher) escape(s, p int) (next, q int, special bool) {
	if p+1 >= len(m.pat) {
		return 0, 0, false
	}
	switch x := m.pat[p+1]; {
	case x == 'b':
		return m.balance(s, p+2), p + 4, true
	case x == 'f':
		return m.frontier(s, p+2)
	case isDigit(x):
		return m.backReference(s, x), p + 2, true
	}
	return 0, 0, false
}

func (m *matcher) frontier(s, p int) (next, q int, special bool) {
	if p >= len(m.pat) || m.pat[p] != '[' {
		return m.fail("missing '[' after '%f' in pattern"), 0, true
	}
	end := m.classEnd(p)
	if end < 0 {
		return noMatch, 0, true
	}
	var before, at byte
	if s > 0 {
		before = m.src[s-1]
	}
	if s < len(m.src) {
		at = m.src[s]
	}
	if !m.inSet(before, p, end-1) && m.inSet(at, p, end-1) {
		return s, end, true
	}
	return noMatch, 0, true
}

func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		return m.fail("malformed pattern (missing arguments to '%b')")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return noMatch
	}
	open, closing := m.pat[p], m.pat[p+1]
	depth := 1
	for i := s + 1; i < len(m.src); i++ {
		if !m.spend(1) {
			return noMatch
		}
		switch x := m.src[i]; x {
		case closing:
			if depth--; depth == 0 {
				return i + 1
			}
		case open:
			depth++
		}
	}
	return noMatch
}

func (m *matcher) backReference(s int, x byte) int {
	i := int(x) - '1'
	if i < 0 || i >= m.level || m.captures[i].len == captureOpen {
		return m.fail("invalid capture index %" + string(rune('0'+i+1)))
	}
	n := m.captures[i].len
	if n == capturePosition || len(m.src)-s < n || !m.spend(copyFuel(n)) {
		return noMatch
	}
	if from := m.captures[i].start; m.src[from:from+n] != m.src[s:s+n] {
		return noMatch
	}
	return s + n
}

func (m *matcher) openCapture(s, p, what int) int {
	if m.level >= maxCaptures {
		return m.fail("too many captures")
	}
	m.captures[m.level] = capture{s, what}
	m.level++
	end := m.match(s, p)
	if end == noMatch {
		m.level--
	}
	return end
}

func (m *matcher) closeCapture(s, p int) int {
	i := m.level - 1
	for i >= 0 && m.captures[i].len != captureOpen {
		i--
	}
	if i < 0 {
		return m.fail("invalid pattern capture")
	}
	m.captures[i].len = s - m.captures[i].start
	end := m.match(s, p)
	if end == noMatch {
		m.captures[i].len = captureOpen
	}
	return end
}

func (m *matcher) maxExpand(s, p, end int) int {
	i := 0
	for m.single(s+i, p, end) {
		i++
		if i%matchPoll == 0 && !m.spend(matchPoll) {
			return noMatch
		}
	}
	for ; i >= 0; i-- {
		if res := m.match(s+i, end+1); res != noMatch || m.stopped {
			return res
		}
	}
	return noMatch
}

func (m *matcher) minExpand(s, p, end int) int {
	for {
		if res := m.match(s, end+1); res != noMatch || m.stopped {
			return res
		}
		if !m.single(s, p, end) {
			return noMatch
		}
		s++
	}
}

// classEnd returns the offset behind the single-character class at p, or -1.
func (m *matcher) classEnd(p int) int {
	x := m.pat[p]
	p++
	switch x {
	case '%':
		if p == len(m.pat) {
			return m.fail("malformed pattern (ends with '%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				return m.fail("malformed pattern (missing ']')")
			}
			x := m.pat[p]
			p++
			if x == '%' {
				p++
			}
		}
		return p + 1
	}
	return p
}

// single reports whether the character at s is in the class pat[p:end].
func (m *matcher) single(s, p, end int) bool {
	if s >= len(m.src) {
		return false
	}
	x := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(x, m.pat[p+1])
	case '[':
		return m.inSet(x, p, end-1)
	}
	return m.pat[p] == x
}

// inSet reports whether x is in the set between '[' at p and ']' at end.
func (m *matcher) inSet(x byte, p, end int) bool {
	in := true
	if m.pat[p+1] == '^' {
		in = false
		p++
	}
	for p++; p < end; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(x, m.pat[p]) {
				return in
			}
		case m.pat[p+1] == '-' && p+2 < end:
			if m.pat[p] <= x && x <= m.pat[p+2] {
				return in
			}
			p += 2
		case m.pat[p] == x:
			return in
		}
	}
	return !in
}

// inClass reports whether x is in the class %class, in the C locale.
func inClass(x, class byte) bool {
	var in bool
	switch class | 0x20 {
	case 'a':
		in = isAlpha(x)
	case 'c':
		in = isControl(x)
	case 'd':
		in = isDigit(x)
	case 'g':
		in = x > ' ' && x < 0x7f
	case 'l':
		in = 'a' <= x && x <= 'z'
	case 'p':
		in = x > ' ' && x < 0x7f && !isAlpha(x) && !isDigit(x)
	case 's':
		in = x == ' ' || '\t' <= x && x <= '\r'
	case 'u':
		in = 'A' <= x && x <= 'Z'
	case 'w':
		in = isAlpha(x) || isDigit(x)
	case 'x':
		in = isDigit(x) || 'a' <= x|0x20 && x|0x20 <= 'f'
	case 'z':
		in = x == 0
	default:
		return class == x
	}
	return in == (class&0x20 != 0)
}

func isAlpha(x byte) bool   { return 'a' <= x|0x20 && x|0x20 <= 'z' }
func isControl(x byte) bool { return x < ' ' || x == 0x7f }
