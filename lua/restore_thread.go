package lua

import "slices"

// restoredFiber is a fiber of a snapshot.
type restoredFiber struct {
	id      Fiber
	paused  bool
	token   []byte
	threads []*Thread // innermost first
	lost    bool
}

// knownFrameFlags are the flags of frames that a snapshot may hold: a nested run
// is never saved.
const knownFrameFlags = fDeliver | fTail | fPcall | fXpcall | fStep | fHandler | fYieldable | fWaiting | fClosing | fUnwinding |
	fFinalize

// thread reads a coroutine. checkThread verifies it when everything it refers
// to is there.
func (d *decoder) thread(th *Thread) {
	th.status, th.kill = threadStatus(d.byte()), killMode(d.byte())
	flags := d.byte()
	th.failed, th.wrap, th.lost = flags&threadFailed != 0, flags&threadWrap != 0, flags&threadLost != 0
	if flags&threadContext != 0 {
		d.context(th)
	}
	th.err = d.value()
	th.cdepth, th.depth = d.number(2*maxCDepth), d.number(maxCDepth)
	size, frames := d.number(maxSlots+2*extraSlots), d.number(maxFrames+2*extraFrames)
	live := d.count(1)
	if d.err != nil || live > size || !d.need(16*int64(size)+int64(frameSize)*int64(frames)) {
		d.fail("stack out of range")
		return
	}
	if size > 0 {
		th.stack = make([]Value, size)
	}
	if frames > 0 {
		th.frames = make([]frame, frames)
	}
	for i := range live {
		th.stack[i] = d.value()
	}
	th.top = d.number(size)
	th.wait = d.pending(size)
	for n := d.count(1); n > 0 && d.err == nil; n-- {
		th.tbc = append(th.tbc, int32(d.number(size-1)))
	}
	d.openUpvals(th, live)
	n := d.count(6)
	if n > frames {
		d.fail("more frames than room")
	}
	for i := 0; i < n && d.err == nil; i++ {
		d.frame(&th.frames[i], size)
		th.nf = i + 1
	}
}

func (d *decoder) context(th *Thread) {
	n := d.uint()
	if n < uint64(len(d.ctxs)) {
		th.ctx = d.ctxs[n]
		return
	}
	data := []byte(d.text())
	c := d.s.options.Codec
	var ctx any
	if n != uint64(len(d.ctxs)) {
		d.fail("unknown context")
	}
	if d.err == nil && c != nil && c.DecodeContext != nil {
		var err error
		if ctx, err = c.DecodeContext(d.s, data); err != nil {
			d.fail("context: %w", err)
		}
	}
	d.ctxs = append(d.ctxs, ctx)
	th.ctx = ctx
}

func (d *decoder) pending(size int) pending {
	w := pending{ret: d.number(size), nres: d.results(), flags: frameFlags(d.number(int(fDeliver)))}
	w.fn = d.goFunction()
	return w
}

// results reads a number of results wanted.
func (d *decoder) results() int {
	n := d.int()
	if n < -1 || n > maxRegisters+10 {
		d.fail("results out of range")
		return 0
	}
	return int(n)
}

// goFunction reads a Go function or nil.
func (d *decoder) goFunction() *Function {
	v := d.value()
	switch v.Kind() {
	case KindNil:
		return nil
	case KindFunction:
		return v.function()
	}
	d.fail("no Go function")
	return nil
}

// openUpvals reads the list of open upvalues, whose slots go down.
func (d *decoder) openUpvals(th *Thread, live int) {
	last := len(th.stack)
	at := &th.open
	for n := d.count(1); n > 0 && d.err == nil; n-- {
		u := d.upval()
		o, ok := d.open[u]
		if d.err != nil {
			return
		}
		if !ok || o.th != th || o.slot >= last || u.next != nil || u.v != &u.closed {
			d.fail("open upvalue out of order")
			return
		}
		last = o.slot
		u.slot, u.v = int32(o.slot), &th.stack[o.slot]
		*at = u
		at = &u.next
		delete(d.open, u)
	}
}

// link verifies that every open upvalue was found on its thread.
func (d *decoder) link() {
	if d.err == nil && len(d.open) > 0 {
		d.fail("open upvalues without thread")
	}
}

func (d *decoder) frame(f *frame, size int) {
	flags := d.uint()
	f.flags = frameFlags(flags)
	if flags > 1<<31 || f.flags&^knownFrameFlags != 0 {
		d.fail("unknown kind of frame")
		return
	}
	f.base, f.ret = int32(d.number(size)), int32(d.number(size-1))
	f.nres = int32(d.results())
	extra := d.int()
	if extra < -1 || extra > int64(size) {
		d.fail("frame out of range")
	}
	f.extra = int32(extra)
	if f.flags&fGo == 0 {
		d.luaFrame(f, size)
		return
	}
	f.fn = d.goFunction()
	if f.flags&fStep != 0 {
		f.step = d.step()
	}
	if f.base != f.ret || f.fn == nil && f.flags&(fHandler|fFinalize) == 0 {
		d.fail("frame out of range")
	}
}

func (d *decoder) luaFrame(f *frame, size int) {
	v := d.value()
	if v.Kind() != KindClosure {
		d.fail("a Lua frame without closure")
		return
	}
	f.cl = v.closure()
	p := f.cl.proto
	changed := d.changed[p]
	pc := d.number(maxCode)
	f.nvar = int32(d.number(size))
	switch {
	case changed:
		pc = 0 // the thread is lost
	case pc > len(p.code):
		d.fail("instruction out of range")
		return
	}
	f.setPC(pc)
	if f.base <= f.ret || int(f.base)+p.maxStack > size && !changed || f.nvar > f.base-f.ret-1 || f.nvar > 0 && !p.isVararg {
		d.fail("frame out of range")
	}
}

// maxCode bounds instruction numbers.
const maxCode = 1 << 30

// readFibers reads the waiting fibers.
func (d *decoder) readFibers() {
	last := Fiber(0)
	main := false
	for n := d.count(4); n > 0 && d.err == nil; n-- {
		f := &restoredFiber{id: Fiber(d.uint())}
		f.paused = d.byte() == 1
		if token := d.text(); token != "" || !f.paused {
			f.token = []byte(token)
		}
		for m := d.count(1); m > 0 && d.err == nil; m-- {
			v := d.value()
			if v.Kind() != KindThread || d.chained[v.thread()] {
				d.fail("a fiber without thread")
				return
			}
			d.chained[v.thread()] = true
			f.threads = append(f.threads, v.thread())
		}
		if len(f.threads) == 0 || len(f.threads) > maxCDepth || f.id <= last || int64(f.id) > d.counts.lastFiber {
			d.fail("fiber out of range")
			return
		}
		last = f.id
		main = main || int64(f.id) == d.counts.main
		d.fibers = append(d.fibers, f)
	}
	if len(d.fibers) > 0 && !main {
		d.fail("a run without main fiber")
	}
}

// checkThreads verifies all threads: what the run loop relies on without
// looking must hold for every frame.
func (d *decoder) checkThreads() {
	if d.err != nil {
		return
	}
	for _, f := range d.fibers {
		for i, th := range f.threads {
			want := threadNormal
			if i == 0 {
				want = threadRunning
			}
			if th.status != want || th.lost {
				d.fail("a fiber with a thread that does not run")
				return
			}
			if i+1 < len(f.threads) {
				th.parent = f.threads[i+1]
			}
		}
		d.checkWaiting(f.threads[0], f.paused)
	}
	for _, v := range d.objs {
		if v.Kind() == KindThread && d.err == nil {
			d.checkThread(v.thread())
		}
	}
	if th := d.s.rootPool; th != nil && (th.nf > 0 || len(th.stack) == 0 || d.chained[th] || th.open != nil || th.kill != killNone) {
		d.fail("pool is in use")
	}
}

// checkWaiting verifies the thread that waits in a host call or at the end of a
// slice.
func (d *decoder) checkWaiting(th *Thread, paused bool) {
	if th.nf == 0 {
		d.fail("a fiber without frames")
		return
	}
	f := &th.frames[th.nf-1]
	if !paused {
		if f.flags&fWaiting == 0 {
			d.fail("a fiber that does not wait")
		}
		return
	}
	if !f.isLua() || d.changed[f.cl.proto] {
		if !f.isLua() {
			d.fail("a paused fiber without Lua frame")
		}
		return
	}
	d.checkBetween(th, f, nil)
}

// checkBetween verifies a Lua frame that goes on with its next instruction and
// takes no results; above is the frame of __gc functions called there.
func (d *decoder) checkBetween(th *Thread, f, above *frame) {
	p := f.cl.proto
	if d.changed[p] {
		return
	}
	pc := f.pc() + 1
	if pc >= len(p.code) || f.flags&fUnwinding != 0 {
		d.fail("a frame between instructions is at a wrong one")
		return
	}
	if i := p.code[pc]; i.usesTop() { // a debugger stops here too
		from := int(f.base) + int(i.a())
		switch i.op() {
		case opCALL, opTAILCALL:
			from++
		case opSETLIST:
			from = int(f.base) + int(i.b())
		}
		if th.top < from || above != nil {
			d.fail("open values out of range")
		}
	}
	if above != nil && (above.nres != 0 || int(above.base) < int(f.base)+p.maxStack) {
		d.fail("frames overlap")
	}
}

func (d *decoder) checkThread(th *Thread) {
	switch {
	case th.status > threadDead || th.kill > killCancel:
		d.fail("unknown state of a thread")
	case !d.chained[th] && th.status == threadNormal:
		d.fail("a thread that waits for nothing")
	case !d.chained[th] && th.status == threadRunning && th.nf > 0:
		d.fail("a thread that runs outside of a fiber")
	case th.status != threadDead && !th.lost && len(th.stack) == 0:
		d.fail("a thread without stack")
	case th.status != threadDead && th.lost:
		d.fail("a lost thread that is alive")
	case !slices.IsSorted(th.tbc):
		d.fail("variables to close out of order")
	}
	if d.err != nil {
		return
	}
	if th.kill != killNone {
		th.nny++
	}
	for i := range th.nf {
		f := &th.frames[i]
		if f.flags.forbidsYield() {
			th.nny++
		}
		if f.flags&fStep != 0 && (f.step == nil) != (f.flags&fWaiting != 0) {
			d.fail("a step without state")
		}
		if f.flags&fWaiting != 0 && i < th.nf-1 && th.kill == killNone {
			d.fail("a frame that waits below another")
		}
		if i == 0 {
			if f.flags&fBase == 0 || f.ret != 0 {
				d.fail("a thread without first frame")
			}
			continue
		}
		if f.flags&fBase != 0 {
			d.fail("two first frames")
		}
		if below := &th.frames[i-1]; f.flags&fFinalize != 0 && f.flags&fDeliver == 0 && below.isLua() {
			d.checkBetween(th, below, f)
			continue
		}
		if f.flags&fHandler != 0 && f.flags&fDeliver == 0 {
			continue // an error is handled: what is below only unwinds
		}
		d.checkCallee(th, &th.frames[i-1], int(f.ret), int(f.nres), f.flags&fDeliver)
	}
	d.checkPending(th)
}

// checkPending verifies the call that a thread yielded or resumed in.
func (d *decoder) checkPending(th *Thread) {
	w := &th.wait
	switch {
	case d.err != nil || th.status == threadDead || th.status == threadRunning:
		return
	case th.nf == 0:
		if th.status == threadNormal && w.flags&fBase == 0 || w.ret >= len(th.stack) {
			d.fail("a thread waits in no call")
		}
	case w.flags&fBase != 0 || w.ret >= len(th.stack) || th.status == threadNormal && w.ret+1 >= len(th.stack):
		d.fail("a thread waits in a wrong call")
	default:
		d.checkCallee(th, &th.frames[th.nf-1], w.ret, w.nres, w.flags)
	}
}

// checkCallee verifies that frame f can take over the results of the call that
// it made, which go to slot ret.
func (d *decoder) checkCallee(th *Thread, f *frame, ret, nres int, flags frameFlags) {
	if ret < int(f.base) {
		d.fail("results below their frame")
		return
	}
	if !f.isLua() {
		if flags&fCont == 0 {
			d.fail("a Go frame takes no results")
		}
		return
	}
	p := f.cl.proto
	if d.changed[p] {
		return
	}
	pc := f.pc()
	if f.flags&fUnwinding != 0 {
		if flags&fCont == 0 || ret == 0 {
			d.fail("a frame that unwinds takes no results")
		}
		return
	}
	if pc < 0 || pc >= len(p.code) {
		d.fail("a call at no instruction")
		return
	}
	i := p.code[pc]
	op, at := i.op(), int(f.base)+int(i.a())
	ok := pc+1 < len(p.code) || op.endsPath()
	switch {
	case flags&fCont == 0:
		ok = ok && (op == opCALL && ret == at && nres == int(i.c())-1 || op == opTFORCALL && ret == at+4 && nres == int(i.c()))
	case op == opCONCAT:
		ok = ok && f.extra >= 2 && int(f.extra) <= int(i.c()) && nres == 1
	case op == opRETURN:
		ok = ok && f.flags&fClosing != 0 && int(f.extra) >= at && nres == 0
	case op == opTAILCALL:
		ok = ok && nres == -1
	case op == opCLOSE:
		ok = ok && nres == 0
	case op == opSETTABUP || op >= opSETTABLE && op <= opSETFIELD:
		ok = ok && nres == 0
	default:
		ok = ok && nres == 1 && op.hasMetamethod()
	}
	if !ok {
		d.fail("a call at a wrong instruction")
	}
}

// hasMetamethod reports whether an instruction may call a metamethod.
func (op opcode) hasMetamethod() bool {
	return op >= opGETTABUP && op <= opCONCAT && op != opNOT || op >= opEQ && op <= opGEK && op != opEQK
}
