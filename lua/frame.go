package lua

import "unsafe"

// frame is one activation on a thread: of a Lua function, or of a Go function
// that waits for something.
//
// A frame says where its results go: to stack slot ret (always the slot of the
// called function), nres of them, and, by fCont and fBase, who takes them over.
type frame struct {
	cl    *Closure       // Lua function
	ip    unsafe.Pointer // its next instruction
	fn    *Function      // Go function; may be nil in a handler frame
	step  Step           // continuation of a step frame
	base  int32          // first register; in Go frames the slot of the function
	ret   int32
	nres  int32 // results wanted, -1 = all
	nvar  int32 // extra arguments of a vararg function, below base
	extra int32 // top of an open RETURN while it closes variables; operands left of CONCAT; results a step wants
	flags frameFlags
}

type frameFlags uint32

const (
	fCont      frameFlags = 1 << iota // the frame below takes the results over
	fBase                             // first function of a coroutine or fiber
	fTail                             // was tail called
	fPcall                            // Go frame of pcall: stops errors
	fXpcall                           // Go frame of xpcall: handler at base+1
	fStep                             // Go frame of a step function
	fEntry                            // Go frame below a nested run
	fHandler                          // Go frame below a message handler
	fYieldable                        // step frame across which a coroutine can yield
	fWaiting                          // Go frame of a suspended host call
	fClosing                          // Lua frame whose RETURN closes variables; extra is the end of its results
	fFinalize                         // Go frame below __gc functions: stops errors
	fUnwinding                        // Lua frame whose variables are being closed by an error

	// fDeliver are the flags of a callee that make its return more than a copy.
	fDeliver = fCont | fBase
	// fGo are the kinds of Go frames.
	fGo = fPcall | fXpcall | fStep | fEntry | fHandler | fWaiting | fFinalize
	// fNoYield are the frames across which a coroutine cannot yield.
	fNoYield = fStep | fEntry | fHandler | fFinalize
)

// forbidsYield reports whether a frame is counted in Thread.nny.
func (k frameFlags) forbidsYield() bool { return k&fNoYield != 0 && k&fYieldable == 0 }

const frameSize = unsafe.Sizeof(frame{})

// Limits on depth.
const (
	maxFrames   = 200_000   // frames of a thread
	maxSlots    = 2_000_000 // stack slots of a thread
	extraFrames = 250       // more while a message handler runs
	extraSlots  = 8_000
	maxCDepth   = 200 // nested resumes, steps, handlers and nested runs
	goSlots     = 20  // free slots a Go function finds
)

// pc returns the number of the instruction that f executes.
func (f *frame) pc() int {
	return int((uintptr(f.ip)-uintptr(unsafe.Pointer(unsafe.SliceData(f.cl.proto.code))))/8) - 1
}

// setPC makes instruction n the next one.
func (f *frame) setPC(n int) { f.ip = unsafe.Add(codeStart(f.cl.proto), n*8) }

// instr returns the instruction that f executes.
func (f *frame) instr() Instr { return f.cl.proto.code[f.pc()] }

// line returns the source line f executes, -1 if unknown.
func (f *frame) line() int {
	pc := max(f.pc(), 0)
	if p := f.cl.proto; pc < len(p.lines) {
		return int(p.lines[pc])
	}
	return -1
}

func (f *frame) isLua() bool { return f.flags&fGo == 0 }

// pushGo adds a Go frame for the function in slot base.
func (s *State) pushGo(th *Thread, fn *Function, kind frameFlags, base, nres int, flags frameFlags) (*frame, bool) {
	if th.nf == len(th.frames) && !s.growFrames(th) {
		return nil, false
	}
	if kind.forbidsYield() {
		if th.cdepth+th.nny >= maxCDepth {
			s.runtimeError("C stack overflow")
			return nil, false
		}
		th.nny++
	}
	f := &th.frames[th.nf]
	th.nf++
	if f.fn != fn {
		f.fn = fn
	}
	f.base, f.ret, f.nres, f.nvar, f.extra, f.flags = int32(base), int32(base), int32(nres), 0, 0, kind|flags
	return f, true
}

// popFrame drops the top frame.
func (th *Thread) popFrame() {
	th.nf--
	f := &th.frames[th.nf]
	if f.flags&fGo != 0 {
		if f.flags.forbidsYield() {
			th.nny--
		}
		if f.flags&fStep != 0 {
			f.step = nil
		}
	}
}

// activation is a function on the call stack of a thread, for messages and the
// debug library.
type activation struct {
	th    *Thread
	frame int       // index in th.frames, -1 for a running Go function without frame
	fn    Value     // the function; Nil if unknown
	goFn  *Function // set for Go functions
}

// lua returns the frame of a Lua function, nil for Go functions.
func (a *activation) lua() *frame {
	if a.frame < 0 {
		return nil
	}
	if f := &a.th.frames[a.frame]; f.isLua() {
		return f
	}
	return nil
}

// activation returns level 0, 1, ... of th: 0 is the running function.
func (s *State) activation(th *Thread, level int) (activation, bool) {
	if level < 0 {
		return activation{}, false
	}
	if c := &s.call; c.active && !c.framed && c.th == th {
		if level == 0 {
			return activation{th: th, frame: -1, fn: c.fn.Value(), goFn: c.fn}, true
		}
		level--
	} else if fn := th.wait.fn; fn != nil && th.status != threadRunning && th.nf > 0 {
		if level == 0 {
			return activation{th: th, frame: -1, fn: fn.Value(), goFn: fn}, true
		}
		level--
	}
	for i := th.nf - 1; i >= 0; i-- {
		f := &th.frames[i]
		if !f.isLua() && f.fn == nil {
			continue
		}
		if level > 0 {
			level--
			continue
		}
		if f.isLua() {
			return activation{th: th, frame: i, fn: Value{p: &f.cl.header}}, true
		}
		return activation{th: th, frame: i, fn: f.fn.Value(), goFn: f.fn}, true
	}
	return activation{}, false
}

// activations is the number of levels that activation knows.
func (s *State) activations(th *Thread) int {
	n := 0
	if c := &s.call; c.active && !c.framed && c.th == th || th.wait.fn != nil && th.status != threadRunning && th.nf > 0 {
		n++
	}
	for i := range th.nf {
		if f := &th.frames[i]; f.isLua() || f.fn != nil {
			n++
		}
	}
	return n
}

// caller returns the Lua frame that called the activation's function by an
// instruction, nil if it was not called from Lua code.
func (s *State) caller(a *activation) *frame {
	i := a.frame
	if i < 0 {
		i = a.th.nf
	} else if a.th.frames[i].flags&(fTail|fBase) != 0 {
		return nil
	}
	if i == 0 {
		return nil
	}
	if f := &a.th.frames[i-1]; f.isLua() && f.flags&fUnwinding == 0 {
		return f
	}
	return nil
}

// calledName returns how the caller named the activation's function: a name
// and "global", "local", "method", "field", "upvalue", "constant",
// "metamethod", "for iterator" or "".
func (s *State) calledName(a *activation) (name, what string) {
	if f := s.caller(a); f != nil {
		return f.callName()
	}
	if i := a.frame; i > 0 && a.th.frames[i-1].flags&fFinalize != 0 {
		return "__gc", "metamethod"
	}
	return "", ""
}

// where returns "chunk:line: " of the function at level, "" if it is no Lua function.
func (s *State) where(th *Thread, level int) string {
	if a, ok := s.activation(th, level); ok {
		if f := a.lua(); f != nil {
			return f.position()
		}
	}
	return ""
}

// calledAs returns the name of the running Go function for messages and
// whether it was called as a method.
func (c *Call) calledAs() (name string, isMethod bool) {
	if a, ok := c.state.activation(c.th, 0); ok {
		if n, what := c.state.calledName(&a); what != "" {
			return n, what == "method"
		}
		if full, ok := c.state.loadedName(a.fn); ok {
			return full, false
		}
	}
	return "?", false
}
