package lua

import (
	"strings"
)

var debugLib = []libFunc{
	{"getinfo", debugGetinfo},
	{"getlocal", debugGetlocal},
	{"getmetatable", debugGetmetatable},
	{"getupvalue", debugGetupvalue},
	{"setlocal", debugSetlocal},
	{"setupvalue", debugSetupvalue},
	{"traceback", debugTraceback},
	{"upvalueid", debugUpvalueid},
	{"upvaluejoin", debugUpvaluejoin},
}

// threadArg returns the optional thread in argument 0 (Nil: the running one)
// and the number of arguments it takes.
func (c *Call) threadArg() (th Value, shift int) {
	if v := c.Arg(0); v.Kind() == KindThread {
		return v, 1
	}
	return Nil, 0
}

func debugTraceback(c *Call) Status {
	th, shift := c.threadArg()
	msg := c.Arg(shift)
	if !msg.IsNil() && !msg.isString() && !msg.isNumber() {
		return c.Return1(msg)
	}
	text, ok := c.OptString(shift, "")
	if !ok {
		return c.Failed()
	}
	def := int64(1)
	if shift == 1 {
		def = 0
	}
	level, ok := c.OptInteger(shift+1, def)
	if !ok {
		return c.Failed()
	}
	return c.Return1(c.NewString(c.traceback(th, text, !msg.IsNil(), clampLevel(level))))
}

// clampLevel keeps stack levels in the range of stacks.
func clampLevel(level int64) int { return int(max(-1, min(level, 1<<30))) }

func debugGetinfo(c *Call) Status {
	th, shift := c.threadArg()
	options, ok := c.OptString(shift+1, "flnSrtu")
	if !ok {
		return c.Failed()
	}
	if strings.HasPrefix(options, ">") {
		return c.ArgError(shift+1, "invalid option '>'")
	}
	if strings.Trim(options, "SlnrutLf") != "" {
		return c.ArgError(shift+1, "invalid option")
	}
	var f debugFrame
	active := true
	if v := c.Arg(shift); v.IsFunction() {
		f, active = debugFrame{fn: v, proto: closureProto(v), line: -1}, false
	} else {
		level, ok := c.CheckInteger(shift)
		if !ok {
			return c.Failed()
		}
		if level < 0 {
			return c.Return1(Nil)
		}
		if f, ok = c.debugFrame(th, clampLevel(level)); !ok {
			return c.Return1(Nil)
		}
	}
	t := c.NewTable(0, 12)
	info := frameInfo{c: c, t: t, ok: true}
	for _, option := range []byte(options) {
		info.add(option, f, active)
	}
	if !info.ok {
		return c.Failed()
	}
	return c.Return1(t.Value())
}

// frameInfo builds the table of getinfo.
type frameInfo struct {
	c  *Call
	t  *Table
	ok bool
}

func (i *frameInfo) set(name string, v Value) {
	i.ok = i.ok && i.c.rawSet(i.t, internConstant(name), v)
}

func (i *frameInfo) setString(name, s string) { i.set(name, i.c.NewString(s)) }
func (i *frameInfo) setInt(name string, n int) {
	i.set(name, Integer(int64(n)))
}

func (i *frameInfo) add(option byte, f debugFrame, active bool) {
	switch option {
	case 'S':
		i.addSource(f)
	case 'l':
		i.setInt("currentline", f.line)
	case 'n':
		i.setString("namewhat", f.nameWhat)
		if f.name != "" {
			i.setString("name", f.name)
		}
	case 'r':
		i.setInt("ftransfer", 0)
		i.setInt("ntransfer", 0)
	case 't':
		i.set("istailcall", Boolean(f.tail))
	case 'u':
		i.addUpvalues(f)
	case 'L':
		i.addLines(f)
	case 'f':
		i.set("func", f.fn)
	}
}

func (i *frameInfo) addSource(f debugFrame) {
	if f.proto == nil {
		i.setString("source", "=[C]")
		i.setString("short_src", "[C]")
		i.setString("what", "C")
		i.setInt("linedefined", -1)
		i.setInt("lastlinedefined", -1)
		return
	}
	what := "Lua"
	if f.proto.lineDefined == 0 {
		what = "main"
	}
	i.setString("source", f.proto.source)
	i.setString("short_src", chunkID(f.proto.source))
	i.setString("what", what)
	i.setInt("linedefined", f.proto.lineDefined)
	i.setInt("lastlinedefined", f.proto.lastLine)
}

func (i *frameInfo) addUpvalues(f debugFrame) {
	if f.proto == nil {
		n := 0
		for {
			if _, _, ok := closureUpvalue(f.fn, n+1); !ok {
				break
			}
			n++
		}
		i.setInt("nups", n)
		i.setInt("nparams", 0)
		i.set("isvararg", Boolean(true))
		return
	}
	i.setInt("nups", len(f.proto.upvals))
	i.setInt("nparams", f.proto.nparams)
	i.set("isvararg", Boolean(f.proto.isVararg))
}

func (i *frameInfo) addLines(f debugFrame) {
	if f.proto == nil {
		return
	}
	lines := i.c.NewTable(0, 0)
	for pc, line := range f.proto.lines {
		if pc == 0 && f.proto.isVararg && len(f.proto.lines) > 1 && int(line) == f.proto.lineDefined {
			continue // the preparation of the arguments is no line of the source
		}
		if line > 0 && i.ok {
			i.ok = i.c.rawSet(lines, Integer(int64(line)), Boolean(true))
		}
	}
	i.set("activelines", lines.Value())
}

func debugGetlocal(c *Call) Status {
	th, shift := c.threadArg()
	n, ok := c.CheckInteger(shift + 1)
	if !ok {
		return c.Failed()
	}
	if v := c.Arg(shift); v.IsFunction() {
		name := parameterName(closureProto(v), n)
		if name == "" {
			return c.Return1(Nil)
		}
		return c.Return1(c.NewString(name))
	}
	level, ok := c.checkLevel(th, shift)
	if !ok {
		return c.Failed()
	}
	name, v, ok := c.frameLocal(th, level, clampIndex(n))
	if !ok {
		return c.Return1(Nil)
	}
	c.Push(c.NewString(name))
	return c.Return1(v)
}

// checkLevel accepts the level of an active function as argument i.
func (c *Call) checkLevel(th Value, i int) (int, bool) {
	level, ok := c.CheckInteger(i)
	if !ok {
		return 0, false
	}
	if level >= 0 {
		if _, ok := c.debugFrame(th, clampLevel(level)); ok {
			return clampLevel(level), true
		}
	}
	c.ArgError(i, "level out of range")
	return 0, false
}

// clampIndex keeps an index of locals in the range of int32.
func clampIndex(n int64) int { return int(max(-1<<31, min(n, 1<<31-1))) }

// parameterName returns the name of parameter n, "" if there is none.
func parameterName(p *Proto, n int64) string {
	if p == nil || n < 1 || n > int64(p.nparams) {
		return ""
	}
	return p.locals[n-1].name
}

func debugSetlocal(c *Call) Status {
	th, shift := c.threadArg()
	n, ok := c.CheckInteger(shift + 1)
	if !ok {
		return c.Failed()
	}
	level, ok := c.checkLevel(th, shift)
	if !ok || !c.CheckAny(shift+2) {
		return c.Failed()
	}
	name, ok := c.setFrameLocal(th, level, clampIndex(n), c.Arg(shift+2))
	if !ok {
		return c.Return1(Nil)
	}
	return c.Return1(c.NewString(name))
}

// debugGetmetatable honours __metatable only where it is false: values whose
// host keeps their metatable to itself.
func debugGetmetatable(c *Call) Status {
	if !c.CheckAny(0) {
		return c.Failed()
	}
	v := c.Arg(0)
	if protected := c.Metafield(v, "__metatable"); protected.Kind() == KindFalse {
		return c.Return1(protected)
	}
	if mt := c.state.metatable(v); mt != nil {
		return c.Return1(mt.Value())
	}
	return c.Return1(Nil)
}

// upvalueArgs reads a function and an upvalue number from argument i on.
func (c *Call) upvalueArgs(i int) (fn Value, n int, ok bool) {
	index, ok := c.CheckInteger(i + 1)
	if !ok {
		return Nil, 0, false
	}
	if fn = c.Arg(i); !fn.IsFunction() {
		c.TypeError(i, "function")
		return Nil, 0, false
	}
	return fn, clampIndex(index), true
}

func debugGetupvalue(c *Call) Status {
	fn, n, ok := c.upvalueArgs(0)
	if !ok {
		return c.Failed()
	}
	name, v, ok := closureUpvalue(fn, n)
	if !ok {
		return c.Return()
	}
	c.Push(c.NewString(name))
	return c.Return1(v)
}

func debugSetupvalue(c *Call) Status {
	if !c.CheckAny(2) {
		return c.Failed()
	}
	fn, n, ok := c.upvalueArgs(0)
	if !ok {
		return c.Failed()
	}
	name, ok := c.setClosureUpvalue(fn, n, c.Arg(2))
	if !ok {
		return c.Return()
	}
	return c.Return1(c.NewString(name))
}

func debugUpvalueid(c *Call) Status {
	fn, n, ok := c.upvalueArgs(0)
	if !ok {
		return c.Failed()
	}
	id, ok := c.upvalueID(fn, n)
	if !ok {
		return c.Return1(Nil)
	}
	return c.Return1(id)
}

func debugUpvaluejoin(c *Call) Status {
	var fns [2]Value
	var ns [2]int
	for i := range fns {
		var ok bool
		if fns[i], ns[i], ok = c.upvalueArgs(2 * i); !ok {
			return c.Failed()
		}
		if _, _, ok = closureUpvalue(fns[i], ns[i]); !ok {
			return c.ArgError(2*i+1, "invalid upvalue index")
		}
	}
	for i, fn := range fns {
		if fn.Kind() != KindClosure {
			return c.ArgError(2*i, "Lua function expected")
		}
	}
	joinUpvalues(fns[0], ns[0], fns[1], ns[1])
	return c.Return()
}
