package lua

import "unsafe"

// Thread is a coroutine or, as the root of a fiber, a Lua call stack of the
// host.
type Thread struct {
	object
	stack  []Value
	frames []frame
	nf     int     // frames in use
	top    int     // end of the values an open CALL or VARARG left
	open   *upval  // open upvalues, highest slot first
	tbc    []int32 // slots of to-be-closed variables, lowest first

	parent *Thread // resumer while running or normal
	status threadStatus
	nny    int     // frames that forbid yielding
	cdepth int     // nesting below this thread
	wait   pending // the call that resume (in the parent) or yield (in the coroutine) waits in
	err    Value   // of a coroutine that died of an error
	failed bool    // died of err
	kill   killMode
	wrap   bool // being resumed through coroutine.wrap
	lost   bool // dead because a restore could not bring its frames back
	depth  int  // frames allowed above maxFrames: a handler of a stack overflow runs
	ctx    any  // the host's context, see State.SetContext
}

type threadStatus uint8

const (
	threadSuspended threadStatus = iota
	threadRunning
	threadNormal
	threadDead
)

// killMode says why a thread is unwound to its bottom, past every pcall.
type killMode uint8

const (
	killNone   killMode = iota
	killClose           // coroutine.close: report to the closer
	killWrap            // an error in a wrapped coroutine: raise in the caller
	killCancel          // State.Cancel: go on with the parent
)

// pending is where the results of a call go.
type pending struct {
	ret   int
	nres  int
	flags frameFlags
	fn    *Function // that waits, for tracebacks
}

// firstStack is the number of slots of a new thread: its function. The first
// resume makes it as large as that needs.
const firstStack = 1

func (s *State) newThread(fn Value) *Thread {
	th := &Thread{object: object{header: header{kind: KindThread}, serial: s.nextSerial()}}
	th.stack = make([]Value, firstStack)
	th.stack[0] = fn
	if s.th != nil {
		th.ctx = s.th.ctx
	}
	return th
}

// Value returns the thread as a value.
func (th *Thread) Value() Value { return Value{p: &th.header} }

// upval is a variable captured by closures: open while its slot is live.
type upval struct {
	v      *Value // &closed once closed
	closed Value
	slot   int32
	epoch  uint32
	next   *upval    // in the list of open ones
	id     *Userdata // made by debug.upvalueid
}

// findUpval returns the open upvalue of a slot.
func (s *State) findUpval(th *Thread, slot int) *upval {
	at := &th.open
	for *at != nil && int((*at).slot) > slot {
		at = &(*at).next
	}
	if *at != nil && int((*at).slot) == slot {
		return *at
	}
	s.chargeHost(chargeUpval)
	u := &upval{v: &th.stack[slot], slot: int32(slot), next: *at}
	*at = u
	return u
}

// closeUpvals closes the upvalues of slots >= slot.
func (th *Thread) closeUpvals(slot int) {
	for u := th.open; u != nil && int(u.slot) >= slot; u = th.open {
		u.closed = *u.v
		u.v = &u.closed
		th.open = u.next
		u.next = nil
	}
}

// stackReserve is what a growing stack gets beyond what it needs.
const stackReserve = 8

// growStack makes th.stack at least need slots long. On failure a stack
// overflow is set as the error.
func (s *State) growStack(th *Thread, need int) bool {
	limit := maxSlots
	if th.depth > 0 {
		limit += extraSlots
	}
	if need > limit {
		return s.stackOverflow()
	}
	size := min(max(2*len(th.stack), need+stackReserve), max(limit, need))
	if s.test.tightStack {
		size = need
	}
	if !s.chargeStack(th, 16*int64(size)) {
		return s.stackOverflow()
	}
	th.moveStack(size)
	return true
}

// trim gives back what a running thread has beyond four times its use, n slots
// being live. No pointer into stack and frames may be held.
func (th *Thread) trim(n int) {
	if len(th.stack) > 4*(n+stackReserve) {
		th.moveStack(n + stackReserve)
	}
	if len(th.frames) > 4*(th.nf+2) {
		th.moveFrames(th.nf + 2)
	}
}

// trimIdle cuts a suspended coroutine to what it uses.
func (th *Thread) trimIdle(n int) {
	if len(th.stack) > n+stackReserve {
		th.moveStack(n)
	}
	if len(th.frames) > th.nf+1 {
		th.moveFrames(th.nf)
	}
}

func (th *Thread) moveFrames(size int) {
	moved := make([]frame, size)
	copy(moved, th.frames[:th.nf])
	th.frames = moved
}

// moveStack gives th a stack of that size.
func (th *Thread) moveStack(size int) {
	moved := make([]Value, size)
	copy(moved, th.stack)
	th.stack = moved
	for u := th.open; u != nil; u = u.next {
		u.v = &moved[u.slot]
	}
}

// growFrames makes room for one more frame.
func (s *State) growFrames(th *Thread) bool {
	limit := maxFrames
	if th.depth > 0 {
		limit += extraFrames
	}
	if th.nf >= limit {
		return s.stackOverflow()
	}
	size := min(max(4, 2*len(th.frames)), limit)
	if !s.chargeStack(th, int64(size)*int64(frameSize)) {
		return s.stackOverflow()
	}
	th.moveFrames(size)
	return true
}

// smallStack is what the root of a fiber gets also at the memory limit: enough
// to run "t = nil".
const smallStack = 8 << 10

// chargeStack is charge for stacks: growth that is refused is an overflow.
func (s *State) chargeStack(th *Thread, n int64) bool {
	if n <= smallStack && s.fiber != nil && th == s.fiber.root {
		s.chargeHost(n)
		return true
	}
	return s.charge(n)
}

func (s *State) stackOverflow() bool {
	if s.stop == StopNone {
		s.runtimeError("stack overflow")
	}
	return false
}

// liveSlots returns the number of stack slots that may hold live values.
func (s *State) liveSlots(th *Thread) int {
	if c := &s.call; c.th == th && c.active {
		// The registers of the caller from the called function on are dead.
		n := c.n + c.nret
		if c.step != nil {
			n = c.ncall + 1
		}
		return min(c.base+1+n, len(th.stack))
	}
	n := 1
	if th.nf > 0 {
		f := &th.frames[th.nf-1]
		n = int(f.base) + 2
		if f.isLua() {
			n = int(f.base) + f.cl.proto.maxStack
		}
	}
	n = max(n, th.top, th.wait.ret+1)
	if s.th == th {
		n = max(n, s.rq.a+s.rq.n+1)
	}
	return min(n, len(th.stack))
}

// die makes th unusable and lets go of its stack.
func (th *Thread) die() {
	th.closeUpvals(0)
	th.stack, th.frames, th.tbc = nil, nil, nil
	th.nf, th.top, th.nny = 0, 0, 0
	th.status, th.parent, th.kill = threadDead, nil, killNone
	th.wait = pending{}
}

// Closure is a Lua function with its captured variables.
type Closure struct {
	object
	proto  *Proto
	ps     *protoState
	k      unsafe.Pointer // constants
	hints  unsafe.Pointer // slot hints of this state
	upvals []*upval
}

// protoState is what one state keeps for a prototype: hints and the states of
// the inner prototypes.
type protoState struct {
	proto *Proto
	hints []uint8
	inner []*protoState
	chunk *chunkState
}

// chunkState counts a chunk once per state.
type chunkState struct {
	chunk  *Chunk
	charge int64
	epoch  uint32
}

func newProtoState(p *Proto, c *chunkState) *protoState {
	ps := &protoState{proto: p, chunk: c}
	if p.nhints > 0 {
		ps.hints = make([]uint8, p.nhints)
		for i := range ps.hints {
			ps.hints[i] = noHint
		}
	}
	if len(p.protos) > 0 {
		ps.inner = make([]*protoState, len(p.protos))
	}
	return ps
}

// noHint is no entry's number.
const noHint = 255

// child returns the state of inner prototype i.
func (ps *protoState) child(i int) *protoState {
	c := ps.inner[i]
	if c == nil {
		c = newProtoState(ps.proto.protos[i], ps.chunk)
		ps.inner[i] = c
	}
	return c
}

func (s *State) newClosure(ps *protoState) *Closure {
	n := len(ps.proto.upvals)
	var cl *Closure
	switch n {
	case 1:
		x := new(struct {
			Closure
			u [1]*upval
		})
		cl = &x.Closure
		cl.upvals = x.u[:]
	case 2:
		x := new(struct {
			Closure
			u [2]*upval
		})
		cl = &x.Closure
		cl.upvals = x.u[:]
	default:
		cl = new(Closure)
		if n > 0 {
			cl.upvals = make([]*upval, n)
		}
	}
	cl.kind = KindClosure
	cl.serial = s.nextSerial()
	cl.proto, cl.ps = ps.proto, ps
	cl.k = unsafe.Pointer(unsafe.SliceData(ps.proto.k))
	cl.hints = unsafe.Pointer(unsafe.SliceData(ps.hints))
	return cl
}

// Value returns the closure as a value.
func (cl *Closure) Value() Value { return Value{p: &cl.header} }
