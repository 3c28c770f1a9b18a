package lua

import (
	"strings"
)

// patternSpecials are the bytes that make find need the matcher.
const patternSpecials = "^$*+?.([%-"

// capture returns capture i of a match at s:end; without captures the whole
// match is capture 0. false: the error is set.
func (m *matcher) capture(c *Call, i, s, end int) (v Value, ok bool) {
	from, to, position, ok := m.captureRange(c, i, s, end)
	if !ok {
		return Nil, false
	}
	if position {
		return Integer(int64(from) + 1), true
	}
	return c.substring(m.src, from, to), true
}

func (m *matcher) captureRange(c *Call, i, s, end int) (from, to int, position, ok bool) {
	if i >= m.level {
		if i != 0 {
			c.Errorf("invalid capture index %%%d", i+1)
			return 0, 0, false, false
		}
		return s, end, false, true
	}
	switch cp := m.captures[i]; cp.len {
	case captureOpen:
		c.Errorf("unfinished capture")
		return 0, 0, false, false
	case capturePosition:
		return cp.start, cp.start, true, true
	default:
		return cp.start, cp.start + cp.len, false, true
	}
}

// pushCaptures pushes all captures, or the whole match if there are none and
// whole is set.
func (m *matcher) pushCaptures(c *Call, s, end int, whole bool) bool {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		v, ok := m.capture(c, i, s, end)
		if !ok {
			return false
		}
		c.Push(v)
	}
	return true
}

func strFind(c *Call) Status  { return findOrMatch(c, true) }
func strMatch(c *Call) Status { return findOrMatch(c, false) }

func findOrMatch(c *Call, find bool) Status {
	src, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	pat, ok := c.CheckString(1)
	if !ok {
		return c.Failed()
	}
	from, ok := c.OptInteger(2, 1)
	if !ok {
		return c.Failed()
	}
	from = startPos(from, len(src)) - 1
	if from > int64(len(src)) {
		return c.Return1(Nil)
	}
	if find && (c.Arg(3).Truthy() || !strings.ContainsAny(pat, patternSpecials)) {
		return findPlain(c, src, pat, int(from))
	}
	return searchPattern(c, src, pat, int(from), find)
}

func findPlain(c *Call, src, pat string, from int) Status {
	if !c.Fuel(copyFuel(len(src) - from)) {
		return c.Failed()
	}
	i := strings.Index(src[from:], pat)
	if i < 0 {
		return c.Return1(Nil)
	}
	c.Push(Integer(int64(from + i + 1)))
	return c.Return1(Integer(int64(from + i + len(pat))))
}

func searchPattern(c *Call, src, pat string, from int, find bool) Status {
	m := c.matcher(src, pat)
	defer m.drop()
	p, anchored := 0, strings.HasPrefix(pat, "^")
	if anchored {
		p = 1
	}
	for s := from; s <= len(src); s++ {
		end := m.start(s, p)
		if m.stopped {
			return m.failed(c)
		}
		if end != noMatch {
			if find {
				c.Push(Integer(int64(s + 1)))
				c.Push(Integer(int64(end)))
			}
			if !m.pushCaptures(c, s, end, !find) || !m.charge() {
				return c.Failed()
			}
			return c.Return()
		}
		if anchored {
			break
		}
	}
	if !m.charge() {
		return c.Failed()
	}
	return c.Return1(Nil)
}

// Upvalues of a gmatch iterator.
const (
	gmatchSource = iota
	gmatchPattern
	gmatchNext // offset where the next search starts
	gmatchLast // end of the last match, -1 before the first
)

var gmatchIterator = NewFunction("string.gmatch.iterator", gmatchNextMatch)

func strGmatch(c *Call) Status {
	src, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	pat, ok := c.CheckString(1)
	if !ok {
		return c.Failed()
	}
	from, ok := c.OptInteger(2, 1)
	if !ok {
		return c.Failed()
	}
	from = min(startPos(from, len(src))-1, int64(len(src))+1)
	return c.Return1(c.state.NewClosure(gmatchIterator,
		c.stringArg(0, src), c.stringArg(1, pat), Integer(from), Integer(-1)))
}

// stringArg returns argument i as a string value; s is what CheckString gave.
func (c *Call) stringArg(i int, s string) Value {
	if v := c.Arg(i); v.isString() {
		return v
	}
	return c.NewString(s)
}

func gmatchNextMatch(c *Call) Status {
	src, pat := c.Upvalue(gmatchSource).str(), c.Upvalue(gmatchPattern).str()
	last := int(c.Upvalue(gmatchLast).rawInt())
	m := c.matcher(src, pat)
	defer m.drop()
	for s := int(c.Upvalue(gmatchNext).rawInt()); s <= len(src); s++ {
		end := m.start(s, 0)
		if m.stopped {
			return m.failed(c)
		}
		if end != noMatch && end != last {
			c.SetUpvalue(gmatchNext, Integer(int64(end)))
			c.SetUpvalue(gmatchLast, Integer(int64(end)))
			if !m.pushCaptures(c, s, end, true) || !m.charge() {
				return c.Failed()
			}
			return c.Return()
		}
	}
	c.SetUpvalue(gmatchNext, Integer(int64(len(src))+1))
	if !m.charge() {
		return c.Failed()
	}
	return c.Return()
}

// substitution is a gsub in progress. With a function as replacement, or for
// __index, it is the Step that goes on when the function returned.
type substitution struct {
	m        matcher
	out      buffer
	source   Value
	repl     Value
	anchored bool
	start    int // offset of the pattern proper
	pos      int // offset in the subject reached
	last     int // end of the last match
	from, to int // the match being replaced
	n, limit int64
	changed  bool
}

func strGsub(c *Call) Status {
	src, ok := c.CheckString(0)
	if !ok {
		return c.Failed()
	}
	pat, ok := c.CheckString(1)
	if !ok {
		return c.Failed()
	}
	repl := c.Arg(2)
	switch repl.Kind() {
	case KindInt, KindFloat:
		text, _ := c.CheckString(2)
		repl = c.NewString(text)
	case KindString, KindTable, KindClosure, KindFunction:
	default:
		return c.TypeError(2, "string/function/table")
	}
	limit, ok := c.OptInteger(3, int64(len(src))+1)
	if !ok {
		return c.Failed()
	}
	g := c.state.lib.substitution
	if c.state.lib.substitution = nil; g == nil {
		g = &substitution{}
	}
	g.source, g.repl, g.limit, g.last = c.stringArg(0, src), repl, limit, -1
	g.m.reset(c, src, pat)
	if strings.HasPrefix(pat, "^") {
		g.anchored, g.start = true, 1
	}
	return g.run(c)
}

// run makes replacements until the end, or until a function has to be called.
func (g *substitution) run(c *Call) Status {
	m := &g.m
	for g.n < g.limit {
		from := g.pos
		end := m.start(g.pos, g.start)
		for (end == noMatch || end == g.last) && !m.stopped && !g.anchored && g.pos < len(m.src) {
			g.pos++
			end = m.start(g.pos, g.start)
		}
		if m.stopped {
			return m.failed(c)
		}
		if end == noMatch || end == g.last {
			g.pos = from // finish adds the rest
			break
		}
		if !g.out.add(c, m.src[from:g.pos]) {
			return c.Failed()
		}
		g.n++
		g.from, g.to = g.pos, end
		g.pos, g.last = end, end
		switch g.repl.Kind() {
		case KindString:
			g.changed = true
			if !g.addTemplate(c, g.repl.str()) {
				return c.Failed()
			}
		case KindTable:
			if status, ok := g.replaceByTable(c); !ok {
				return status
			}
		default:
			return g.callFunction(c)
		}
		if g.anchored {
			break
		}
	}
	return g.finish(c)
}

func (g *substitution) finish(c *Call) Status {
	rest := g.m.src[min(g.pos, len(g.m.src)):]
	if !g.m.charge() {
		return c.Failed()
	}
	v, n := g.source, g.n
	if g.changed {
		if !g.out.add(c, rest) || !c.Fuel(copyFuel(g.out.b.Len())) {
			return c.Failed()
		}
		v = g.out.value(c)
	}
	g.release(c)
	c.Push(v)
	return c.Return1(Integer(n))
}

// release lets the next gsub of the state use g, whose frame is about to go.
func (g *substitution) release(c *Call) {
	g.m.drop()
	g.out, g.source, g.repl = buffer{}, Nil, Nil
	g.anchored, g.changed, g.start, g.pos, g.from, g.to, g.n = false, false, 0, 0, 0, 0, 0
	c.state.lib.substitution = g
}

func (g *substitution) callFunction(c *Call) Status {
	var few [4]Value
	args := few[:0]
	for i := range max(g.m.level, 1) {
		v, ok := g.m.capture(c, i, g.from, g.to)
		if !ok {
			return c.Failed()
		}
		args = append(args, v)
	}
	return c.CallThen(g, 1, g.repl, args...)
}

// Resume adds what the replacement function returned.
func (g *substitution) Resume(c *Call) Status {
	g.m.call = c
	if !g.addValue(c, c.Arg(0)) {
		return c.Failed()
	}
	if g.anchored {
		return g.finish(c)
	}
	return g.run(c)
}

// replaceByTable adds the replacement a table has for the match. ok = false:
// return status; a function for __index, if that is what status calls, gives
// the replacement to Resume.
func (g *substitution) replaceByTable(c *Call) (status Status, ok bool) {
	key, ok := g.m.capture(c, 0, g.from, g.to)
	if !ok {
		return c.Failed(), false
	}
	v, fn, ok := c.index(g.repl, key)
	switch {
	case ok && fn.p != nil:
		return c.CallThen(g, 1, fn, v, key), false
	case !ok || !g.addValue(c, v):
		return c.Failed(), false
	}
	return StatusDone, true
}

// addValue adds a replacement value; false and nil keep the match.
func (g *substitution) addValue(c *Call, v Value) bool {
	switch v.Kind() {
	case KindNil, KindFalse:
		return g.out.add(c, g.m.src[g.from:g.to])
	case KindString:
		g.changed = true
		return g.out.add(c, v.str())
	case KindInt, KindFloat:
		g.changed = true
		return g.out.add(c, formatNumber(v))
	}
	c.Errorf("invalid replacement value (a %s)", c.state.typeName(v))
	return false
}

// addTemplate adds a replacement string with its %0 to %9 expanded.
func (g *substitution) addTemplate(c *Call, text string) bool {
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			return g.out.add(c, text)
		}
		if !g.out.add(c, text[:i]) {
			return false
		}
		var x byte
		if i+1 < len(text) {
			x = text[i+1]
		}
		switch {
		case x == '%':
			if !g.out.addByte(c, '%') {
				return false
			}
		case x == '0':
			if !g.out.add(c, g.m.src[g.from:g.to]) {
				return false
			}
		case isDigit(x):
			if !g.addCapture(c, int(x-'1')) {
				return false
			}
		default:
			c.Errorf("invalid use of '%%' in replacement string")
			return false
		}
		text = text[i+2:]
	}
}

func (g *substitution) addCapture(c *Call, i int) bool {
	from, to, position, ok := g.m.captureRange(c, i, g.from, g.to)
	if !ok {
		return false
	}
	if position {
		return g.out.add(c, formatNumber(Integer(int64(from)+1)))
	}
	return g.out.add(c, g.m.src[from:to])
}

func (g *substitution) heldBytes() int64 { return int64(g.out.charged) }

func (g *substitution) markValues(mark func(Value)) {
	mark(g.source)
	mark(g.repl)
}
