package lua

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

//go:generate go run ./internal/loopgen/cmd

// The debugger works in a second copy of the run loop, made from the first by
// go generate, which looks for a reason to stop before each instruction. It
// takes over at the end of a fuel slice. While no debugger is attached the
// ordinary loop runs, which knows nothing of all this.
//
// A stop is a suspension: the fiber is data, no goroutine waits, and the host
// goes on with State.Continue.

// Debugger stops fibers of a state at breakpoints and on request. Its methods
// may be called from any goroutine, also while the state runs.
type Debugger struct {
	attached atomic.Bool
	pause    atomic.Bool
	version  atomic.Uint64 // of breaks
	mu       sync.Mutex
	breaks   map[string][]int // lines by chunk name

	// Of the running goroutine.
	resumed bool   // the next instruction is the one the fiber stopped at
	built   uint64 // version of bits
	bits    map[*Proto][]uint64
	proto   *Proto // bits of proto, the one looked at last
	current []uint64
}

// Debugger returns the debugger of the state, which is not attached at first.
func (s *State) Debugger() *Debugger {
	if d := s.debugger.Load(); d != nil {
		return d
	}
	s.debugger.CompareAndSwap(nil, &Debugger{breaks: map[string][]int{}, bits: map[*Proto][]uint64{}})
	return s.debugger.Load()
}

// Attach makes the state run in the debug loop from the next run, resumption or
// end of a slice on, and heed breakpoints and Pause.
func (d *Debugger) Attach() { d.attached.Store(true) }

// Detach makes the state run in the ordinary loop again. Breakpoints stay set,
// stopped fibers stay stopped.
func (d *Debugger) Detach() {
	d.attached.Store(false)
	d.pause.Store(false)
}

// Pause stops the running fiber at its next instruction, or the next fiber that
// runs. It does nothing if the debugger is not attached.
func (d *Debugger) Pause() {
	if d.attached.Load() {
		d.pause.Store(true)
	}
}

// SetBreakpoints replaces the breakpoints of all chunks compiled under a name.
// A breakpoint on a line without code is one on the next line that has some,
// see Chunk.CodeLines. A fiber stops when it comes to the line: not again for
// further calls of it, but again in each iteration of a loop on it.
func (d *Debugger) SetBreakpoints(chunk string, lines ...int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(lines) == 0 {
		delete(d.breaks, chunk)
	} else {
		d.breaks[chunk] = slices.Clone(lines)
	}
	d.version.Add(1)
}

// CodeLines returns the lines of the chunk that have code, in order.
func (c *Chunk) CodeLines() []int {
	var lines []int
	for _, p := range c.protos {
		for _, n := range p.lines {
			lines = append(lines, int(n))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// StopReason says why a debugger stopped a fiber.
type StopReason uint8

const (
	stopReasonNone    StopReason = iota
	StoppedBreakpoint            // it came to a line with a breakpoint
	StoppedPause                 // Debugger.Pause
)

// Stopped is a fiber that a debugger stopped. Continue makes it go on, Cancel
// and Stop end it.
type Stopped struct {
	Fiber  Fiber
	Reason StopReason
	Chunk  string // name of the chunk, as given to Compile
	Line   int
}

// Continue lets a stopped fiber go on.
func (s *State) Continue(f Fiber) Outcome {
	if !s.isStopped(f) || !s.between() {
		return s.refuseRun(fmt.Errorf("fiber %d is not stopped", f))
	}
	s.findFiber(f).stopReason = stopReasonNone
	s.Debugger().resumed = s.debugging()
	return s.Resume(f, nil)
}

func (s *State) isStopped(id Fiber) bool {
	f := s.findFiber(id)
	return f != nil && f.stopReason != stopReasonNone
}

// stoppedAt says where fiber f stopped.
func (s *State) stoppedAt(f *fiber) Stopped {
	at := s.stackFrame(f.current, f.current.nf-1, true)
	return Stopped{Fiber: f.id, Reason: f.stopReason, Chunk: at.Chunk, Line: at.Line}
}

// runLoops runs one of the two loops, and the other when the debugger was
// attached or detached.
func (s *State) runLoops(act action) {
	outer := s.inDebug
	for {
		s.inDebug = s.debugging()
		if s.inDebug {
			s.runDebug(act)
		} else {
			s.run(act)
		}
		if s.exit != exitSwitch {
			break
		}
		act = actRun
	}
	s.inDebug = outer
}

func (s *State) debugging() bool {
	d := s.debugger.Load()
	return d != nil && d.attached.Load()
}

// debugStop reports whether the debug loop must be left before the instruction
// at ip of frame f. Where a fiber cannot be suspended it does not stop.
func (s *State) debugStop(f *frame, ip unsafe.Pointer) bool {
	f.ip = ip
	d := s.debugger.Load()
	if !d.attached.Load() {
		s.exit = exitSwitch
		return true
	}
	if d.resumed || s.nested > 0 || s.inGC {
		d.resumed = false
		return false
	}
	reason := d.reason(f)
	if reason == stopReasonNone {
		return false
	}
	s.fiber.paused, s.fiber.stopReason = true, reason
	s.exit = exitSuspended
	return true
}

// reason says why to stop before the next instruction of f.
func (d *Debugger) reason(f *frame) StopReason {
	if d.pause.Load() && d.pause.CompareAndSwap(true, false) {
		return StoppedPause
	}
	if v := d.version.Load(); v != d.built {
		d.built, d.proto = v, nil
		clear(d.bits)
	}
	if p := f.cl.proto; p != d.proto {
		d.proto, d.current = p, d.protoBits(p)
	}
	if pc := f.pc() + 1; d.current != nil && d.current[pc/64]>>(pc%64)&1 != 0 {
		return StoppedBreakpoint
	}
	return stopReasonNone
}

// protoBits returns a bit for each instruction of p at which to stop, nil for
// none: where a line with a breakpoint begins, or a loop jumps back to it, but
// not where an expression over several lines comes back to its first.
func (d *Debugger) protoBits(p *Proto) []uint64 {
	if bits, ok := d.bits[p]; ok {
		return bits
	}
	d.mu.Lock()
	wanted := d.breaks[p.source]
	d.mu.Unlock()
	var bits []uint64
	if len(wanted) > 0 && p.chunk != nil {
		lines := p.chunk.CodeLines()
		for _, line := range wanted {
			if i, _ := slices.BinarySearch(lines, line); i < len(lines) {
				bits = p.markLine(bits, int32(lines[i]))
			}
		}
	}
	d.bits[p] = bits
	return bits
}

func (p *Proto) markLine(bits []uint64, line int32) []uint64 {
	mark := func(pc int) {
		if bits == nil {
			bits = make([]uint64, len(p.code)/64+1)
		}
		bits[pc/64] |= 1 << (pc % 64)
	}
	for pc, i := range p.code {
		if p.lines[pc] == line && (pc == 0 || p.lines[pc-1] < line) {
			mark(pc)
		}
		switch i.op() {
		case opJMPBACK, opFORLOOP, opTFORLOOP:
			if to := pc + 1 + i.d(); to >= 0 && to < len(p.code) && p.lines[to] == line {
				mark(to)
			}
		}
	}
	return bits
}

// StackFrame is a function on the call stack of a fiber that waits or is
// stopped.
type StackFrame struct {
	Function string // name, as its caller called it if that is known
	Chunk    string // name of the chunk; "" for a Go function
	Line     int    // -1 if unknown

	th    *Thread
	index int
	top   bool // its next instruction was not begun
}

// Variable is a local variable or upvalue. Value is valid until the state runs.
type Variable struct {
	Name  string
	Value Value
}

// Stack returns the functions that fiber f is in, innermost first, through all
// coroutines it runs; nil if f neither waits nor is stopped. The frames are
// valid until the state runs.
func (s *State) Stack(f Fiber) []StackFrame {
	fb := s.findFiber(f)
	if fb == nil || !fb.waiting || !s.between() {
		return nil
	}
	var stack []StackFrame
	for th := fb.current; th != nil; th = th.parent {
		for i := th.nf - 1; i >= 0; i-- {
			f := &th.frames[i]
			if f.isLua() || f.fn != nil {
				stack = append(stack, s.stackFrame(th, i, fb.paused && th == fb.current && i == th.nf-1))
			}
		}
	}
	return stack
}

func (s *State) stackFrame(th *Thread, i int, top bool) StackFrame {
	f := &th.frames[i]
	out := StackFrame{Line: -1, th: th, index: i, top: top}
	a := activation{th: th, frame: i}
	out.Function, _ = s.calledName(&a)
	if !f.isLua() {
		if out.Function == "" {
			out.Function = f.fn.shortName()
		}
		return out
	}
	p := f.cl.proto
	out.Chunk = p.source
	if pc := out.pc(); pc < len(p.lines) {
		out.Line = int(p.lines[pc])
	}
	switch {
	case out.Function != "":
	case p.lineDefined == 0:
		out.Function = "main chunk"
	default:
		out.Function = p.name
	}
	return out
}

// pc is the instruction the frame executes or stands at.
func (x *StackFrame) pc() int {
	pc := x.th.frames[x.index].pc()
	if x.top {
		pc++
	}
	return max(pc, 0)
}

// lua returns the frame, nil for a Go function.
func (x *StackFrame) lua() *frame {
	if f := &x.th.frames[x.index]; f.isLua() {
		return f
	}
	return nil
}

// Locals returns the variables in scope, in order of declaration, then the
// extra arguments of a vararg function, each named "(vararg)".
func (x *StackFrame) Locals() []Variable {
	f := x.lua()
	if f == nil {
		return nil
	}
	var vars []Variable
	pc := x.pc()
	for _, l := range f.cl.proto.locals {
		if l.start <= pc && pc < l.end {
			vars = append(vars, Variable{l.name, x.th.stack[int(f.base)+int(l.reg)]})
		}
	}
	for i := range int(f.nvar) {
		vars = append(vars, Variable{"(vararg)", x.th.stack[int(f.base)-int(f.nvar)+i]})
	}
	return vars
}

// Upvalues returns the variables of enclosing functions that the function uses.
func (x *StackFrame) Upvalues() []Variable {
	f := x.lua()
	if f == nil {
		return nil
	}
	var vars []Variable
	for i, u := range f.cl.upvals {
		vars = append(vars, Variable{f.cl.proto.upvals[i].name, *u.v})
	}
	return vars
}
