package lua

import (
	"math"
	"sort"
	"strings"
)

// Functions the call machinery or other functions refer to.
var (
	nextFunction  = newBuiltin("next", builtinNext, baseNext)
	pcallFunction = newBuiltin("pcall", builtinPcall, basePcallError)
)

// baseLib returns the base library.
func baseLib() []*Function {
	return []*Function{
		NewFunction("assert", baseAssert),
		NewFunction("collectgarbage", baseCollectGarbage),
		NewFunction("dofile", baseDofile),
		NewFunction("error", baseError),
		NewFunction("getmetatable", baseGetMetatable),
		NewFunction("ipairs", baseIpairs),
		NewFunction("load", baseLoad),
		NewFunction("loadfile", baseLoadfile),
		nextFunction,
		NewFunction("pairs", basePairs),
		pcallFunction,
		NewFunction("print", basePrint),
		NewFunction("rawequal", baseRawEqual),
		NewFunction("rawget", baseRawGet),
		NewFunction("rawlen", baseRawLen),
		NewFunction("rawset", baseRawSet),
		NewFunction("select", baseSelect),
		NewFunction("setmetatable", baseSetMetatable),
		NewFunction("tonumber", baseToNumber),
		NewFunction("tostring", baseToString),
		NewFunction("type", baseType),
		NewFunction("warn", baseWarn),
		newBuiltin("xpcall", builtinXpcall, baseXpcallError),
	}
}

func baseAssert(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	if c.Arg(0).Truthy() {
		return c.returnArgs(0)
	}
	if c.n > 1 {
		return c.Raise(c.Arg(1))
	}
	return c.Raise(c.state.errorString("assertion failed!"))
}

func baseError(c *Call) Status {
	level, ok := c.OptInteger(1, 1)
	if !ok {
		return c.Failed()
	}
	v := c.Arg(0)
	if v.isString() && level > 0 && level <= math.MaxInt32 {
		if pos := c.Where(int(level)); pos != "" {
			v = c.state.errorString(pos + v.str())
		}
	}
	return c.Raise(v)
}

// basePcallError and baseXpcallError are reached for bad arguments only.
func basePcallError(c *Call) Status {
	c.CheckAny(0)
	return c.Failed()
}

func baseXpcallError(c *Call) Status { return c.TypeError(1, "function") }

func baseGetMetatable(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	mt := c.state.metatable(c.Arg(0))
	if mt == nil {
		return c.Return1(Nil)
	}
	if v := mt.event(evMetatable); !v.IsNil() {
		return c.Return1(v)
	}
	return c.Return1(mt.Value())
}

func baseSetMetatable(c *Call) Status {
	t, ok := c.CheckTable(0)
	if !ok {
		return c.Failed()
	}
	meta, isTable := c.Arg(1).AsTable()
	if !isTable && (c.n < 2 || !c.Arg(1).IsNil()) {
		return c.TypeError(1, "nil or table")
	}
	s := c.state
	if t.flags&flagFrozen != 0 {
		s.frozenError()
		return c.Failed()
	}
	if t.meta != nil && !t.meta.event(evMetatable).IsNil() {
		return c.Errorf("cannot change a protected metatable")
	}
	s.SetMetatable(t, meta)
	return c.Return1(c.Arg(0))
}

var ipairsStep = NewFunction("ipairs.next", func(c *Call) Status {
	n, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	n++
	t := c.Arg(0)
	if tab, ok := t.AsTable(); ok {
		v := tab.getInt(n)
		if v.p != nil || tab.meta == nil {
			return c.indexPair(n, v)
		}
	}
	v, fn, ok := c.state.index(t, Integer(n))
	switch {
	case !ok:
		if !v.IsNil() || c.state.err.IsNil() {
			return c.Raise(c.state.errorString("attempt to index a " + c.state.typeName(v) + " value"))
		}
		return c.Failed()
	case fn.p != nil:
		return c.CallThen(ipairsResult(n), 1, fn, v, Integer(n))
	}
	return c.indexPair(n, v)
})

func (c *Call) indexPair(n int64, v Value) Status {
	if v.IsNil() {
		return c.Return1(Nil)
	}
	c.Push(Integer(n))
	c.Push(v)
	return c.Return()
}

// ipairsResult goes on with index n after __index was called.
type ipairsResult int64

func (n ipairsResult) Resume(c *Call) Status { return c.indexPair(int64(n), c.Arg(0)) }

func baseIpairs(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	c.Push(ipairsStep.Value())
	c.Push(c.Arg(0))
	c.Push(Integer(0))
	return c.Return()
}

func baseNext(c *Call) Status {
	t, ok := c.CheckTable(0)
	if !ok {
		return c.Failed()
	}
	k, v, ok := t.next(c.Arg(1))
	if !ok {
		return c.Raise(c.state.errorString(invalidNextKey))
	}
	if k.IsNil() {
		return c.Return1(Nil)
	}
	c.Push(k)
	c.Push(v)
	return c.Return()
}

func basePairs(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	if h := c.state.metaEvent(c.Arg(0), evPairs); !h.IsNil() {
		return c.CallThen(returnAll{}, 3, h, c.Arg(0))
	}
	c.Push(nextFunction.Value())
	c.Push(c.Arg(0))
	c.Push(Nil)
	return c.Return()
}

// returnAll returns what the callee returned.
type returnAll struct{}

func (returnAll) yieldable() {}

func (returnAll) Resume(c *Call) Status { return c.returnArgs(0) }

func baseRawEqual(c *Call) Status {
	if !c.CheckAny(0) || !c.CheckAny(1) {
		return c.Failed()
	}
	return c.Return1(Boolean(rawEqual(c.Arg(0), c.Arg(1))))
}

func baseRawGet(c *Call) Status {
	t, ok := c.CheckTable(0)
	if !ok || !c.CheckAny(1) {
		return c.Failed()
	}
	return c.Return1(t.get(c.Arg(1)))
}

func baseRawLen(c *Call) Status {
	v := c.Arg(0)
	switch v.Kind() {
	case KindTable:
		return c.Return1(Integer(v.table().Len()))
	case KindString:
		return c.Return1(Integer(int64(len(v.str()))))
	}
	return c.TypeError(0, "table or string")
}

func baseRawSet(c *Call) Status {
	t, ok := c.CheckTable(0)
	if !ok || !c.CheckAny(1) || !c.CheckAny(2) {
		return c.Failed()
	}
	k, err := normKey(c.Arg(1))
	if err != nil {
		return c.Raise(c.state.errorString(err.Error()))
	}
	if !c.state.rawSet(t, k, c.Arg(2)) {
		return c.Failed()
	}
	return c.Return1(c.Arg(0))
}

func baseSelect(c *Call) Status {
	if c.Arg(0).isString() && c.Arg(0).str() == "#" {
		return c.Return1(Integer(int64(c.n - 1)))
	}
	n, ok := c.CheckInteger(0)
	if !ok {
		return c.Failed()
	}
	switch {
	case n < 0:
		if n += int64(c.n); n < 1 {
			return c.ArgError(0, "index out of range")
		}
	case n == 0:
		return c.ArgError(0, "index out of range")
	case n >= int64(c.n):
		return c.Return()
	}
	return c.returnArgs(int(n))
}

func baseType(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	return c.Return1(typeNameValues[c.Arg(0).Kind()])
}

var typeNameValues = makeTypeNameValues()

func makeTypeNameValues() (names [len(typeNames)]Value) {
	for i, s := range typeNames {
		names[i] = internConstant(s)
	}
	return names
}

func baseToNumber(c *Call) Status {
	v := c.Arg(0)
	if c.Arg(1).IsNil() {
		if v.isNumber() {
			return c.Return1(v)
		}
		if v.isString() {
			if n, ok := parseNumber(v.str()); ok {
				return c.Return1(n)
			}
			return c.Return1(Nil)
		}
		if !c.CheckAny(0) {
			return c.Failed()
		}
		return c.Return1(Nil)
	}
	base, ok := c.CheckInteger(1)
	if !ok {
		return c.Failed()
	}
	if !v.isString() {
		return c.TypeError(0, "string")
	}
	if base < 2 || base > 36 {
		return c.ArgError(1, "base out of range")
	}
	return c.Return1(parseBase(v.str(), uint64(base)))
}

// parseBase reads an integer in a base from 2 to 36, wrapping around.
func parseBase(s string, base uint64) Value {
	s = trimSpace(s)
	neg := strings.HasPrefix(s, "-")
	if neg {
		s = s[1:]
	}
	if s == "" {
		return Nil
	}
	var n uint64
	for i := range len(s) {
		d := uint64(36)
		switch ch := s[i]; {
		case isDigit(ch):
			d = uint64(ch - '0')
		case (ch|0x20)-'a' < 26:
			d = uint64(ch|0x20-'a') + 10
		}
		if d >= base {
			return Nil
		}
		n = n*base + d
	}
	if neg {
		n = -n
	}
	return Integer(int64(n))
}

func baseToString(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	v := c.Arg(0)
	if v.isString() {
		return c.Return1(v)
	}
	if h := c.state.metaEvent(v, evToString); !h.IsNil() {
		return c.CallThen(stringResult{}, 1, h, v)
	}
	return c.Return1(c.NewString(c.state.ToStringRaw(v)))
}

const badToString = "'__tostring' must return a string"

// stringResult returns the string a __tostring returned.
type stringResult struct{}

func (stringResult) Resume(c *Call) Status {
	switch v := c.Arg(0); {
	case v.isString():
		return c.Return1(v)
	case v.isNumber():
		return c.Return1(c.NewString(formatNumber(v)))
	}
	return c.Errorf(badToString)
}

// printStep writes the arguments of print one by one; __tostring of an
// argument may suspend.
type printStep struct {
	args []Value
	next int
}

func (p *printStep) markValues(mark func(Value)) {
	for _, v := range p.args[p.next:] {
		mark(v)
	}
}

func basePrint(c *Call) Status {
	sys := c.system()
	if sys.Stdout == nil {
		return c.notAvailable("print")
	}
	var buf [256]byte
	line := buf[:0]
	for i := range c.n {
		v := c.Arg(i)
		if !c.state.metaEvent(v, evToString).IsNil() && !v.isString() {
			if len(line) > 0 {
				c.printBytes(line)
			}
			p := &printStep{next: i}
			for j := range c.n {
				p.args = append(p.args, c.Arg(j))
			}
			return p.callToString(c)
		}
		if i > 0 {
			line = append(line, '\t')
		}
		switch {
		case v.isString():
			line = append(line, v.str()...)
		case v.isNumber():
			line = appendNumber(line, v)
		default:
			line = append(line, c.state.ToStringRaw(v)...)
		}
	}
	c.printBytes(append(line, '\n'))
	return c.Return()
}

// printBytes writes to stdout; printing never raises.
func (c *Call) printBytes(b []byte) {
	_, _ = c.system().Stdout.Write(b)
}

func (p *printStep) callToString(c *Call) Status {
	v := p.args[p.next]
	return c.CallThen(p, 1, c.state.metaEvent(v, evToString), v)
}

func (p *printStep) Resume(c *Call) Status {
	v := c.Arg(0)
	if !v.isString() && !v.isNumber() {
		return c.Errorf(badToString)
	}
	for {
		if p.next > 0 {
			c.printBytes([]byte{'\t'})
		}
		c.printBytes([]byte(c.state.ToStringRaw(v)))
		p.next++
		if p.next == len(p.args) {
			c.printBytes([]byte{'\n'})
			return c.Return()
		}
		v = p.args[p.next]
		if !v.isString() && !c.state.metaEvent(v, evToString).IsNil() {
			return p.callToString(c)
		}
	}
}

// baseWarn writes warnings to stderr, as lua does after "@on"; control messages
// are accepted and have no effect on the host.
func baseWarn(c *Call) Status {
	var b strings.Builder
	for i := range max(c.n, 1) {
		msg, ok := c.CheckString(i)
		if !ok {
			return c.Failed()
		}
		b.WriteString(msg)
	}
	msg := b.String()
	if c.n == 1 && strings.HasPrefix(msg, "@") {
		switch msg {
		case "@on":
			c.state.warnings = true
		case "@off":
			c.state.warnings = false
		}
		return c.Return()
	}
	c.state.warning(msg)
	return c.Return()
}

// warning writes a warning if they are on.
func (s *State) warning(msg string) {
	if sys := s.options.System; s.warnings && sys != nil && sys.Stderr != nil {
		_, _ = sys.Stderr.Write([]byte("Lua warning: " + msg + "\n"))
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
