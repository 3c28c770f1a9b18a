package lua

// Flags of threads.
const (
	threadFailed byte = 1 << iota
	threadWrap
	threadLost
	threadContext
)

// thread writes a coroutine: its live slots, its frames, and where it waits.
func (e *encoder) thread(th *Thread) {
	ctx := e.context(th.ctx)
	e.b = append(e.b, byte(th.status), byte(th.kill),
		asBit(th.failed, threadFailed)|asBit(th.wrap, threadWrap)|asBit(th.lost, threadLost)|asBit(ctx != nil, threadContext))
	if ctx != nil {
		e.contextRef(th.ctx, ctx)
	}
	e.value(th.err)
	e.uint(uint64(th.cdepth))
	e.uint(uint64(th.depth))
	e.uint(uint64(len(th.stack)))
	e.uint(uint64(len(th.frames)))
	live := 0
	if len(th.stack) > 0 {
		live = e.s.liveSlots(th)
	}
	e.uint(uint64(live))
	for _, v := range th.stack[:live] {
		e.value(v)
	}
	e.uint(uint64(th.top))
	e.pending(&th.wait)
	e.uint(uint64(len(th.tbc)))
	for _, slot := range th.tbc {
		e.uint(uint64(slot))
	}
	open := 0
	for u := th.open; u != nil; u = u.next {
		open++
	}
	e.uint(uint64(open))
	for u := th.open; u != nil; u = u.next {
		e.upval(u)
	}
	e.uint(uint64(th.nf))
	for i := range th.nf {
		e.frame(&th.frames[i])
	}
}

func (e *encoder) pending(w *pending) {
	e.uint(uint64(w.ret))
	e.int(int64(w.nres))
	e.uint(uint64(w.flags))
	e.function(w.fn)
}

// function writes a Go function or nil.
func (e *encoder) function(f *Function) {
	if f == nil {
		e.value(Nil)
		return
	}
	e.value(f.Value())
}

func (e *encoder) frame(f *frame) {
	e.uint(uint64(f.flags))
	e.uint(uint64(f.base))
	e.uint(uint64(f.ret))
	e.int(int64(f.nres))
	e.int(int64(f.extra))
	if f.isLua() {
		e.value(f.cl.Value())
		e.uint(uint64(f.pc() + 1))
		e.uint(uint64(f.nvar))
		return
	}
	e.function(f.fn)
	if f.flags&fStep != 0 {
		e.step(f.step)
	}
}

// context returns the host's context as bytes.
func (e *encoder) context(ctx any) []byte {
	c := e.s.options.Codec
	if ctx == nil || c == nil || c.EncodeContext == nil {
		return nil
	}
	if _, ok := e.ctxs[ctx]; ok {
		return []byte{}
	}
	data, err := c.EncodeContext(ctx)
	if err != nil {
		e.fail("context: %w", err)
	}
	return data
}

// contextRef writes a context, or its number if it was written before.
func (e *encoder) contextRef(ctx any, data []byte) {
	if n, ok := e.ctxs[ctx]; ok {
		e.uint(uint64(n))
		return
	}
	if e.ctxs == nil {
		e.ctxs = map[any]int{}
	}
	e.uint(uint64(len(e.ctxs)))
	e.ctxs[ctx] = len(e.ctxs)
	e.bytes(data)
}

// Flags of states.
const (
	stateRun byte = 1 << iota
	stateWalkDue
	stateGCStopped
	stateGCGenerational
	stateInGC
	stateWarnings
	stateExiting
)

// state writes what belongs to no object.
func (e *encoder) state() {
	s := e.s
	e.b = append(e.b, asBit(s.inRun(), stateRun)|asBit(s.walkDue, stateWalkDue)|asBit(s.gcStopped, stateGCStopped)|
		asBit(s.gcGenerational, stateGCGenerational)|asBit(s.inGC, stateInGC)|asBit(s.warnings, stateWarnings)|
		asBit(s.exiting, stateExiting))
	for _, n := range [...]int64{
		int64(s.serial), s.mem, s.mark, s.peak, s.fuelUsed(), int64(s.refusals), int64(s.threads), int64(s.handles),
		s.gcPause, s.gcStepMul, s.refs, int64(s.freeRef), int64(s.lastFiber), int64(s.main), int64(s.exitCode),
	} {
		e.int(n)
	}
	e.value(s.globals.Value())
	e.value(s.registry.Value())
	e.value(s.memErr)
	e.optional(s.stringMeta)
	e.types()
	e.library()
	e.values(s.finalizers)
	e.values(s.dueGC)
	e.originals()
	if s.rootPool == nil {
		e.value(Nil)
	} else {
		e.value(s.rootPool.Value())
	}
	e.uint(uint64(len(s.fibers)))
	for _, f := range s.fibers {
		e.fiber(f)
	}
}

func (e *encoder) values(list []Value) {
	e.uint(uint64(len(list)))
	for _, v := range list {
		e.value(v)
	}
}

func (e *encoder) types() {
	all := e.s.sortedTypes()
	e.uint(uint64(len(all)))
	for _, m := range all {
		e.text(m.typ.Name)
		e.value(m.meta.Value())
	}
}

func (e *encoder) library() {
	l := &e.s.lib
	for _, n := range l.rng {
		e.word(n)
	}
	e.uint(l.pointers)
	for _, r := range [...]Ref{l.input, l.output, l.loaded, l.preload, l.packageTable} {
		e.uint(uint64(r))
	}
}

// originals writes the globals that the session has been offered, so that a
// restoring host knows which of its globals are new to it.
func (e *encoder) originals() {
	set := templateSets[e.s.options.Stdlib]()
	var names []string
	t := &set.globals.table
	for k, _, ok := t.Next(Nil); ok; k, _, ok = t.Next(k) {
		names = append(names, k.str())
	}
	for i := range set.libs {
		names = append(names, set.libs[i].name)
	}
	if e.s.lib.loaded != 0 {
		names = append(names, "require")
	}
	e.uint(uint64(len(names)))
	for _, n := range names {
		e.text(n)
	}
}

// fiber writes a waiting fiber: its threads from the innermost to the root.
func (e *encoder) fiber(f *fiber) {
	e.uint(uint64(f.id))
	e.bool(f.paused)
	e.bytes(f.token)
	n := 0
	for th := f.current; th != nil; th = th.parent {
		n++
	}
	e.uint(uint64(n))
	for th := f.current; th != nil; th = th.parent {
		e.value(th.Value())
	}
}
