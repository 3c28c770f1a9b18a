package lua

import (
	"fmt"
	"strconv"
	"strings"
)

// doRaise raises s.err at the running function. A message handler runs before
// anything is unwound.
func (s *State) doRaise() action {
	th, c := s.th, &s.call
	if s.stop != StopNone {
		return s.leave(exitStopped)
	}
	// An error that comes out of a nested run has been handled there.
	again := s.reraise && s.err == s.reraised
	s.reraise = false
	catcher := th.catcher()
	switch {
	case catcher < 0 && th.kill != killNone:
		th.failed = true
	case catcher < 0 && th == s.fiber.root:
		if s.err != s.memErr && !again {
			s.traceback = s.tracebackText(th, 0)
		}
	case catcher < 0 && !th.hasEntry():
		if !th.wrap {
			return s.failThread()
		}
		th.kill, th.failed = killWrap, true
	case catcher >= 0 && th.frames[catcher].flags&fXpcall != 0 && s.err != s.memErr && !again:
		return s.callHandler(&th.frames[catcher])
	}
	c.active = false
	return actUnwind
}

// catcher returns the number of the frame that stops an error, -1 if none.
func (th *Thread) catcher() int {
	for i := th.nf - 1; i >= 0; i-- {
		if th.frames[i].flags&(fPcall|fXpcall|fFinalize) != 0 {
			return i
		}
	}
	return -1
}

// startKill makes doUnwind go to the bottom of th: its pcalls stop nothing.
func (th *Thread) startKill(mode killMode) {
	th.kill = mode
	th.nny++
	for i := range th.nf {
		if f := &th.frames[i]; f.flags&(fPcall|fXpcall) != 0 {
			f.flags = f.flags&^(fPcall|fXpcall) | fWaiting
		}
	}
}

func (th *Thread) hasEntry() bool {
	for i := range th.nf {
		if th.frames[i].flags&fEntry != 0 {
			return true
		}
	}
	return false
}

// callHandler calls the message handler of an xpcall on top of the failed
// function.
func (s *State) callHandler(x *frame) action {
	th, c := s.th, &s.call
	handler := th.stack[x.base+1]
	at, fn := s.liveSlots(th), (*Function)(nil)
	if c.active && !c.framed {
		fn = c.fn
	}
	c.active = false
	th.depth++
	if need := at + 3 + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actUnwind
	}
	err := s.err
	if _, ok := s.pushGo(th, fn, fHandler, at, 1, 0); !ok {
		th.depth = 0
		s.err = s.errorString("error in error handling")
		return actUnwind
	}
	th.stack[at+1], th.stack[at+2] = handler, err
	s.rq = request{a: at + 1, n: 1, nres: 1, flags: fCont}
	return actCall
}

// doUnwind pops frames until one stops the error s.err.
func (s *State) doUnwind() action {
	th := s.th
	for th.nf > 0 {
		f := &th.frames[th.nf-1]
		if f.isLua() {
			if th.hasTBC(int(f.base)) {
				f.flags |= fUnwinding
				return s.closeVariable(int(f.base)+f.cl.proto.maxStack, true)
			}
			if th.open != nil {
				th.closeUpvals(int(f.base))
			}
		} else if f.flags&(fPcall|fXpcall) != 0 {
			return s.catch(f)
		} else if f.flags&fFinalize != 0 {
			return s.finalizerFailed(f)
		} else if f.flags&fEntry != 0 {
			return s.leave(exitFailed)
		}
		th.popFrame()
	}
	return s.endThread()
}

// catch makes pcall or xpcall return false and the error.
func (s *State) catch(f *frame) action {
	th, at := s.th, int(f.base)
	th.depth = 0
	th.stack[at], th.stack[at+1] = Boolean(false), s.err
	s.err = Nil
	s.rq.a, s.rq.n = at, 2
	return s.popInto(f)
}

// hasTBC reports whether a to-be-closed variable lives at slot or above.
func (th *Thread) hasTBC(slot int) bool {
	n := len(th.tbc)
	return n > 0 && int(th.tbc[n-1]) >= slot
}

// closeVariable calls __close of the last to-be-closed variable, with the call
// placed at a free slot.
func (s *State) closeVariable(at int, failing bool) action {
	th := s.th
	if need := at + 4 + goSlots; need > len(th.stack) && !s.growStack(th, need) {
		return actRaise
	}
	slot := int(th.tbc[len(th.tbc)-1])
	th.tbc = th.tbc[:len(th.tbc)-1]
	v, err := th.stack[slot], Nil
	if failing {
		err = s.err
		th.stack[at] = err // taken back when the call is done
		at++
	}
	th.closeUpvals(slot)
	h := s.metaEvent(v, evClose)
	if h.IsNil() {
		s.runtimeError("attempt to call a nil value (metamethod 'close')")
		return actRaise
	}
	th.stack[at], th.stack[at+1], th.stack[at+2] = h, v, err
	s.rq = request{a: at, n: 2, nres: 0, flags: fCont}
	return actCall
}

// errorString makes the string of an error message: charged, never refused.
func (s *State) errorString(msg string) Value {
	s.chargeHost(chargeString + int64(len(msg)))
	return makeString(msg)
}

// runtimeError sets an error with the position of the running Lua function.
// It returns false for the convenience of its callers.
func (s *State) runtimeError(format string, args ...any) bool {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	level := 0
	if s.call.active {
		level = 1
	}
	s.err = s.errorString(s.where(s.th, level) + msg)
	return false
}

// position returns "chunk:line: ".
func (f *frame) position() string {
	line := "?"
	if n := f.line(); n > 0 {
		line = strconv.Itoa(n)
	}
	return chunkID(f.cl.proto.source) + ":" + line + ": "
}

// idSize is LUA_IDSIZE of C Lua, with the ending zero byte.
const idSize = 60

// chunkID is the printable form of a chunk name.
func chunkID(source string) string {
	const room = idSize - 1
	source, _, _ = strings.Cut(source, "\x00")
	switch {
	case strings.HasPrefix(source, "="):
		return source[1:min(len(source), room+1)]
	case strings.HasPrefix(source, "@"):
		if name := source[1:]; len(name) <= room {
			return name
		}
		return "..." + source[len(source)-(room-3):]
	}
	const pre, post, dots = "[string \"", "\"]", "..."
	line, _, more := strings.Cut(source, "\n")
	limit := room - len(pre) - len(post) - len(dots)
	if !more && len(line) < limit {
		return pre + line + post
	}
	return pre + line[:min(len(line), limit)] + dots + post
}

// typeName is the type of v for messages: __name of its metatable or its Lua type.
func (s *State) typeName(v Value) string {
	switch v.Kind() {
	case KindTable, KindUserdata:
		if name := s.metaEvent(v, evName); name.isString() {
			return name.str()
		}
	}
	return v.TypeName()
}

// variable describes the operand in register reg of the running instruction
// for messages: " (local 'x')" or "".
func (f *frame) variable(reg int) string {
	if kind, name := f.cl.proto.describeReg(f.pc(), reg); kind != "" {
		return " (" + kind + " '" + name + "')"
	}
	return ""
}

// callName returns how the running call instruction names its function.
func (f *frame) callName() (name, what string) {
	what, name = f.cl.proto.callName(f.pc())
	return name, what
}

// callError is "attempt to call a nil value (global 'f')".
func (s *State) callError(f Value) {
	extra := ""
	th := s.th
	if th.nf > 0 && s.rq.flags&fBase == 0 {
		if top := &th.frames[th.nf-1]; top.isLua() && top.flags&fUnwinding == 0 {
			if name, what := top.callName(); what != "" {
				extra = " (" + what + " '" + name + "')"
			}
		}
	}
	s.runtimeError("attempt to call a %s value%s", s.typeName(f), extra)
}

// tracebackText is luaL_traceback without message.
func (s *State) tracebackText(th *Thread, level int) string {
	const first, last = 10, 11 // levels shown of a long stack
	total := s.activations(th)
	var b strings.Builder
	b.WriteString("stack traceback:")
	skip := 0
	if total-level > first+last+1 {
		skip = total - level - first - last
	}
	for i := level; i < total; i++ {
		if skip > 0 && i == level+first {
			fmt.Fprintf(&b, "\n\t...\t(skipping %d levels)", skip-1)
			i += skip
		}
		a, _ := s.activation(th, i)
		s.traceLine(&b, &a)
	}
	return b.String()
}

func (s *State) traceLine(b *strings.Builder, a *activation) {
	f := a.lua()
	b.WriteString("\n\t")
	if f == nil {
		b.WriteString("[C]: in ")
	} else {
		b.WriteString(chunkID(f.cl.proto.source))
		if n := f.line(); n > 0 {
			fmt.Fprintf(b, ":%d", n)
		}
		b.WriteString(": in ")
	}
	name, what := s.calledName(a)
	full, known := s.loadedName(a.fn)
	switch {
	case known:
		b.WriteString("function '" + full + "'")
	case what != "":
		b.WriteString(what + " '" + name + "'")
	case f != nil && f.cl.proto.lineDefined == 0:
		b.WriteString("main chunk")
	case f != nil:
		fmt.Fprintf(b, "function <%s:%d>", chunkID(f.cl.proto.source), f.cl.proto.lineDefined)
	default:
		b.WriteString("?")
	}
	if f != nil && f.flags&fTail != 0 {
		b.WriteString("\n\t(...tail calls...)")
	}
}

// Traceback returns what debug.traceback() gives inside this call; level 1 is
// the caller.
func (c *Call) Traceback(level int) string { return c.state.tracebackText(c.th, level) }
