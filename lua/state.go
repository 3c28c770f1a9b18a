package lua

import (
	"fmt"
	"sync/atomic"
)

// State is one Lua interpreter.
type State struct {
	// What the run loop and the allocations use.
	th     *Thread // running thread, nil outside of a run
	budget int64   // fuel left in the slice
	mem    int64   // counted bytes
	mark   int64   // value of mem at which to act
	serial uint64  // last serial given out
	rq     request
	call   Call

	err       Value  // error being raised
	stop      Stop   // set once: the run ends
	exitCode  int    // of StopExit
	exit      exit   // why the run loop was left
	traceback string // of the error that ends the fiber
	reraise   bool   // reraised comes out of a nested run
	reraised  Value

	globals    *Table
	registry   *Table
	stringMeta *Table
	typeMetas  map[*UserType]*Table
	chunks     map[*Chunk]*chunkState
	perms      []permanent // declared by the host
	lostMeta   *Table      // metatable of what a restore could not bring back
	lib        libState

	options Options
	memErr  Value
	broken  error // an internal error: nothing runs any more
	closed  bool

	// fuel.go
	run32      atomic.Uint32
	limits     RunOptions
	fuel       int64 // booked by the run
	granted    int64 // of the current slice
	sinceSlice int64

	// memory.go, walk.go
	walkDue    bool
	gcStopped  bool
	inGC       bool // __gc functions run
	closing    bool // by Close: no more objects get a __gc
	hostValues bool // the host's arguments of Run or Resume are on no stack yet
	refusals   int
	held       int64 // bytes taken from the pool
	peak       int64
	walks      int64
	frozen     int64
	threads    int // living ones at the last walk plus created since
	handles    int
	epoch      uint32
	gray       []Value
	finalizers []Value // objects with __gc, in order of registration
	dueGC      []Value // unreachable, __gc not yet called

	// fibers of the run
	fibers    []*fiber
	fiber     *fiber // running
	lastFiber Fiber
	main      Fiber
	ended     []Ended
	suspended []Suspension
	results   []Value
	rootPool  *Thread // a finished root thread, for the next run

	// nested.go
	nested        int
	nestedName    string
	nestedPending int64 // Call.pending of the functions below nested runs

	// settings of collectgarbage and warn
	gcPause, gcStepMul int64
	gcGenerational     bool
	warnings           bool

	exiting bool  // os.exit(code, true): __close functions run
	refs    int64 // last key of the registry given out
	freeRef Ref   // released keys, chained through the registry
	test    testSwitches

	// debug.go
	debugger atomic.Pointer[Debugger]
	inDebug  bool // the debug loop runs
}

// fiber is a root coroutine.
type fiber struct {
	id      Fiber
	root    *Thread
	current *Thread // innermost thread while the fiber waits
	token   []byte
	waiting bool
	paused  bool // waits between two instructions, not in a host call

	stopReason StopReason // of the debugger that paused it
}

// New returns a state with its standard library.
func New(o Options) (*State, error) {
	if o.MemoryLimit < 0 {
		return nil, fmt.Errorf("lua: MemoryLimit is %d; it must be 0 or more", o.MemoryLimit)
	}
	if o.Stdlib > StdlibBasic {
		return nil, fmt.Errorf("lua: unknown Stdlib %d", o.Stdlib)
	}
	if o.MaxHandles == 0 {
		o.MaxHandles = 10_000
	}
	s := &State{options: o, test: o.test}
	s.call.state = s
	if s.test.debug {
		s.Debugger().Attach()
	}
	s.setMark()
	s.openLibraries()
	s.memErr = s.refusal(RefusalMemory, "not enough memory", false)
	if s.options.Pool != nil && !s.options.Pool.hold(&s.held, s.mem) {
		return nil, fmt.Errorf("lua: no memory left in the pool")
	}
	return s, nil
}

// SetHost replaces the host's own value.
func (s *State) SetHost(v any) { s.options.Host = v }

// Host returns the host's own value.
func (s *State) Host() any { return s.options.Host }

// SetContext attaches a value of the host to the running coroutine. A coroutine
// or fiber starts with its creator's.
func (s *State) SetContext(v any) {
	if s.th != nil {
		s.th.ctx = v
	}
}

// Context returns what SetContext attached to the running coroutine.
func (s *State) Context() any {
	if s.th == nil {
		return nil
	}
	return s.th.ctx
}

func (s *State) systemOption() *System { return s.options.System }

func (s *State) nextSerial() uint64 {
	s.serial++
	return s.serial
}

// refusal makes the error value of a refusal. The plain string takes the
// position of the calling Lua function in front if positioned.
func (s *State) refusal(kind, msg string, positioned bool) Value {
	if f := s.options.RefusalError; f != nil {
		return f(s, kind, msg)
	}
	if positioned && s.th != nil {
		level := 0
		if s.call.active {
			level = 1
		}
		msg = s.where(s.th, level) + msg
	}
	return s.errorString(msg)
}

// Load returns the chunk's main function bound to the state's globals.
func (s *State) Load(c *Chunk) Value {
	cl := s.newClosure(newProtoState(c.main, s.chunkState(c)))
	s.chargeHost(chargeClosure + (8+chargeUpval)*int64(len(cl.upvals)))
	for i := range cl.upvals {
		cl.upvals[i] = newUpval(Nil)
	}
	if len(cl.upvals) > 0 {
		*cl.upvals[0].v = s.globals.Value()
	}
	return cl.Value()
}

// newUpval returns a closed upvalue.
func newUpval(v Value) *upval {
	u := &upval{closed: v}
	u.v = &u.closed
	return u
}

func (s *State) chunkState(c *Chunk) *chunkState {
	if cs, ok := s.chunks[c]; ok {
		return cs
	}
	cs := &chunkState{chunk: c, charge: c.chargeBytes()}
	s.chargeHost(cs.charge)
	if s.chunks == nil {
		s.chunks = map[*Chunk]*chunkState{}
	}
	s.chunks[c] = cs
	return cs
}

// makePrivate gives the string constants of a chunk that only one state has to
// that state, so that its walks count those that outlive the chunk.
func (c *Chunk) makePrivate() {
	c.private = true
	for _, p := range c.protos {
		for _, k := range p.k {
			if k.isString() && knownNames[k.str()].p != k.p {
				k.p.flags &^= flagShared
			}
		}
	}
}

// chargeBytes is what a state is charged for reaching the chunk.
func (c *Chunk) chargeBytes() int64 {
	n := int64(len(c.source))
	for _, p := range c.protos {
		n += chargeProto + chargeInstr*int64(len(p.code)) + chargeConstant*int64(len(p.k)) +
			chargeName*int64(len(p.locals)+len(p.upvals))
		for _, k := range p.k {
			if k.isString() {
				n += chargeString + int64(len(k.str()))
			}
		}
	}
	return n
}

// Usage returns the counters of the current or last run and of the state.
func (s *State) Usage() Usage {
	s.peak = max(s.peak, s.mem)
	return Usage{Fuel: s.fuelUsed(), Bytes: s.mem, Peak: s.peak, Walks: s.walks, Frozen: s.frozen}
}

// Close ends the state: pending __gc functions run under a fuel grant. The
// state cannot be used afterwards.
func (s *State) Close() {
	if s.closed {
		return
	}
	s.dropRun()
	s.runAllFinalizers()
	s.closed = true
	if p := s.options.Pool; p != nil {
		p.hold(&s.held, 0)
	}
}

// Globals returns the table of globals.
func (s *State) Globals() *Table { return s.globals }

// NewString allocates for the host: charged but never refused (up to 1 MiB
// above the quota).
func (s *State) NewString(str string) Value {
	s.chargeHost(chargeString + int64(len(str)))
	return makeString(str)
}

// NewTable is as NewString.
func (s *State) NewTable(narray, nfields int) *Table {
	s.chargeHost(tableCharge(narray, nfields))
	return newTable(s.nextSerial(), narray, nfields)
}

// RawGet reads without metamethods.
func (s *State) RawGet(t *Table, k Value) Value { return t.get(k) }

// RawGetString reads a field without metamethods.
func (s *State) RawGetString(t *Table, k string) Value { return t.get(internConstant(k)) }

// RawSet writes without metamethods. A frozen table, a nil key and a NaN key
// are errors.
func (s *State) RawSet(t *Table, k, v Value) error {
	if t.flags&flagFrozen != 0 {
		return keyError(frozenMessage)
	}
	k, err := normKey(k)
	if err != nil {
		return err
	}
	s.chargeHost(t.growth(k, v))
	t.set(k, v)
	return nil
}

const frozenMessage = "attempt to write to a read-only table"

// Freeze makes every write to t raise and declares it a permanent: snapshots
// refer to it by name.
func (s *State) Freeze(t *Table, name string) {
	if t.flags&flagFrozen == 0 {
		s.frozen++
	}
	t.flags |= flagFrozen
	s.Permanent(name, t.Value())
}

// SetMetatable sets or removes the metatable without asking __metatable.
func (s *State) SetMetatable(t *Table, meta *Table) {
	t.meta = meta
	s.registerFinalizer(t.Value(), meta)
}

// ToStringRaw is tostring(v) without calling metamethods.
func (s *State) ToStringRaw(v Value) string {
	switch v.Kind() {
	case KindNil:
		return "nil"
	case KindFalse:
		return "false"
	case KindTrue:
		return "true"
	case KindInt, KindFloat:
		return formatNumber(v)
	case KindString:
		return v.str()
	case KindUserdata:
		if u := v.userdata(); u.typ.ToString != nil {
			return u.typ.ToString(u.data)
		}
		return fmt.Sprintf("%s: %d", s.typeName(v), v.serial())
	}
	return fmt.Sprintf("%s: 0x%08x", s.typeName(v), uint32(v.serial()))
}
