package lua

// walker marks what can be reached from a state's roots and sums the charges.
// It moves nothing and frees nothing: Go's collector does that.
type walker struct {
	s     *State
	epoch uint32
	gray  []Value
	sum   int64
	seen  int // objects since the last poll

	weak       bool     // honour __mode
	ephemerons []*Table // weak keys, strong values
	weakTables []*Table // every weak table reached
	threads    int
	handles    int
	constants  map[*header]struct{} // big shared strings counted
}

const (
	weakKeys   uint8 = 1
	weakValues uint8 = 2
)

// walkPoll is the number of objects between two polls of the interrupt.
const walkPoll = 1000

// mayClear reports whether an automatic walk may clear weak tables and find
// objects for __gc: not while Go code may hold values that no root reaches, nor
// while __gc functions run or collectgarbage("stop") holds.
func (s *State) mayClear() bool {
	return !s.call.active && s.nested == 0 && !s.hostValues && !s.inGC && !s.gcStopped
}

// walk counts the live heap. Clearing walks also clear weak tables and find
// objects whose __gc is due.
func (s *State) walk(clearing bool) {
	s.walks++
	s.epoch++
	w := &walker{s: s, epoch: s.epoch, weak: clearing, gray: s.gray[:0]}
	w.roots()
	done := w.drain()
	if !clearing {
		for _, v := range s.finalizers {
			w.mark(v)
		}
		done = done && w.drain()
	} else if done {
		done = w.finish()
	}
	s.gray = w.gray[:0]
	if cap(s.gray) > 1<<12 {
		s.gray = nil
	}
	if !done {
		return // interrupted: the epoch moves on with the next walk
	}
	for c, cs := range s.chunks {
		if cs.epoch != w.epoch {
			delete(s.chunks, c)
		}
	}
	s.mem = w.sum + s.nestedPending
	if c := &s.call; c.active && !(c.framed && holdsBytes(s.th)) {
		s.mem += c.pending
	}
	s.threads, s.handles = w.threads, w.handles
	s.setMark()
	if s.finalizersDue() {
		s.endSlice()
	}
	if p := s.options.Pool; p != nil {
		p.hold(&s.held, s.mem)
	}
}

func (w *walker) roots() {
	s := w.s
	w.mark(s.globals.Value())
	w.mark(s.registry.Value())
	w.mark(s.err)
	w.mark(s.memErr)
	if s.stringMeta != nil {
		w.mark(s.stringMeta.Value())
	}
	for _, t := range s.typeMetas {
		w.mark(t.Value())
	}
	for _, p := range s.perms {
		w.mark(p.v)
	}
	for _, f := range s.fibers {
		for th := f.current; th != nil; th = th.parent {
			w.mark(th.Value())
		}
	}
	for th := s.th; th != nil; th = th.parent {
		w.mark(th.Value())
	}
	for _, v := range s.dueGC {
		w.mark(v)
	}
}

// mark reaches a value. Objects of the process are neither entered nor counted.
func (w *walker) mark(v Value) {
	if v.p == nil || v.p.kind < KindString {
		return
	}
	if v.p.flags&flagShared != 0 {
		if v.p.kind == KindString && len(v.str()) >= bigConstant {
			w.shared(v)
		}
		return
	}
	if v.p.epoch == w.epoch {
		return
	}
	v.p.epoch = w.epoch
	if v.p.kind == KindString {
		w.sum += chargeString + int64(len(v.str()))
		w.seen++
		return
	}
	w.gray = append(w.gray, v)
}

// bigConstant is the length from which constants of shared chunks are counted
// where they are used: they may outlive their chunk.
const bigConstant = 256

// shared counts a big constant once, without marking it.
func (w *walker) shared(v Value) {
	if _, ok := w.constants[v.p]; ok {
		return
	}
	if w.constants == nil {
		w.constants = map[*header]struct{}{}
	}
	w.constants[v.p] = struct{}{}
	w.sum += chargeString + int64(len(v.str()))
}

func (w *walker) marked(v Value) bool {
	return v.p == nil || v.p.kind < KindString || v.p.flags&flagShared != 0 || v.p.epoch == w.epoch
}

// drain enters gray objects until none is left. false: the run must stop.
func (w *walker) drain() bool {
	for len(w.gray) > 0 {
		v := w.gray[len(w.gray)-1]
		w.gray = w.gray[:len(w.gray)-1]
		w.enter(v)
		w.seen++
		if w.seen >= walkPoll {
			w.s.fuel += int64(w.seen)
			w.seen = 0
			if stop := w.s.mustStop(); stop != StopNone && w.s.inRun() && w.s.stop == StopNone {
				w.s.stop = stop
				return false
			}
		}
	}
	return true
}

func (w *walker) enter(v Value) {
	switch v.p.kind {
	case KindTable:
		w.table(v.table())
	case KindClosure:
		w.closure(v.closure())
	case KindFunction:
		f := v.function()
		w.sum += chargeFunction + 16*int64(len(f.upvals))
		for _, u := range f.upvals {
			w.mark(u)
		}
	case KindThread:
		w.thread(v.thread())
	case KindUserdata:
		u := v.userdata()
		w.handles++
		w.sum += chargeUserdata + int64(u.typ.Charge)
		if u.meta != nil {
			w.mark(u.meta.Value())
		}
	}
}

func (w *walker) table(t *Table) {
	w.sum += chargeTable + t.arrayCharge()
	if t.meta != nil {
		w.mark(t.meta.Value())
		if w.weak {
			if t.weak = weakMode(t.meta); t.weak != 0 {
				w.weakTable(t)
				return
			}
		}
	}
	for _, v := range t.arrayValues() {
		w.mark(v)
	}
	if t.flags&flagBorrowed != 0 {
		return // keys and functions of the process
	}
	w.sum += chargeEntry * int64(cap(t.ents))
	for i := range t.ents {
		w.mark(t.ents[i].key)
		w.mark(t.ents[i].val)
	}
}

func weakMode(mt *Table) (mode uint8) {
	if m := mt.get(eventNames[evMode]); m.isString() {
		for _, c := range []byte(m.str()) {
			switch c {
			case 'k':
				mode |= weakKeys
			case 'v':
				mode |= weakValues
			}
		}
	}
	return mode
}

// weakTable enters the strong half of a weak table. Strings count as values:
// they are never cleared.
func (w *walker) weakTable(t *Table) {
	w.weakTables = append(w.weakTables, t)
	w.sum += chargeEntry * int64(cap(t.ents))
	for i := range t.ents {
		e := &t.ents[i]
		if t.weak&weakKeys == 0 || e.key.isString() {
			w.mark(e.key)
		}
		if e.val.isString() {
			w.mark(e.val)
		}
	}
	if t.weak == weakKeys {
		for _, v := range t.arrayValues() {
			w.mark(v)
		}
		w.ephemerons = append(w.ephemerons, t)
	} else {
		for _, v := range t.arrayValues() {
			if v.isString() {
				w.mark(v)
			}
		}
	}
}

// converge marks values of ephemerons whose keys are reached until nothing
// changes. Like C Lua it goes through them in alternate directions, so that
// chains take few passes; what a pass looks at costs fuel.
func (w *walker) converge() bool {
	backwards := false
	for changed := true; changed; backwards = !backwards {
		changed = false
		for i := range w.ephemerons {
			if backwards {
				i = len(w.ephemerons) - 1 - i
			}
			if w.reachValues(w.ephemerons[i], backwards) {
				changed = true
			}
			if !w.drain() {
				return false
			}
		}
	}
	return true
}

// reachValues marks the values in t of reached keys. false: there were no new ones.
func (w *walker) reachValues(t *Table, backwards bool) (changed bool) {
	n := len(t.ents)
	w.seen += n / 8
	for i := range n {
		if backwards {
			i = n - 1 - i
		}
		if e := &t.ents[i]; e.val.p != nil && w.marked(e.key) && !w.marked(e.val) {
			w.mark(e.val)
			changed = true
			if !w.drain() {
				return true
			}
		}
	}
	return changed
}

// finish ends a clearing walk in C Lua's order: weak values go before objects
// with __gc are brought back, weak keys after.
func (w *walker) finish() bool {
	if !w.converge() {
		return false
	}
	before := len(w.weakTables)
	for _, t := range w.weakTables {
		w.clearValues(t)
	}
	s := w.s
	alive := s.finalizers[:0]
	var due []Value
	for _, v := range s.finalizers {
		if w.marked(v) {
			alive = append(alive, v)
		} else {
			due = append(due, v)
		}
	}
	clear(s.finalizers[len(alive):])
	s.finalizers = alive
	for i := len(due) - 1; i >= 0; i-- { // last registered first
		v := due[i]
		v.p.flags &^= flagFinalizer
		s.dueGC = append(s.dueGC, v)
		w.mark(v)
	}
	if !w.drain() || !w.converge() {
		return false
	}
	for i, t := range w.weakTables {
		w.clearKeys(t)
		if i >= before {
			w.clearValues(t)
		}
	}
	return true
}

func (w *walker) clearValues(t *Table) {
	if t.weak&weakValues == 0 {
		return
	}
	for i, v := range t.arrayValues() {
		if !w.marked(v) {
			t.setArrayAt(i, Nil)
		}
	}
	t.trim()
	for i := range t.ents {
		if e := &t.ents[i]; e.val.p != nil && !w.marked(e.val) {
			e.val = Nil
		}
	}
}

// clearKeys removes entries with unreached keys. The key itself goes too: it
// would keep the object.
func (w *walker) clearKeys(t *Table) {
	cleared := false
	for i := range t.ents {
		if e := &t.ents[i]; !w.marked(e.key) {
			e.key, e.val = Value{p: &clearedKey}, Nil
			cleared = true
		}
	}
	if cleared {
		t.makeIndex()
	}
}

// clearedKey is the key of an entry whose weak key was collected. No Lua value
// equals it.
var clearedKey = header{kind: KindFalse, flags: flagShared}

func (w *walker) closure(cl *Closure) {
	w.sum += chargeClosure + 8*int64(len(cl.upvals))
	for _, u := range cl.upvals {
		if u == nil || u.epoch == w.epoch {
			continue
		}
		u.epoch = w.epoch
		w.sum += chargeUpval
		w.mark(*u.v) // an open one keeps its value, not its thread
	}
	if c := cl.ps.chunk; c.epoch != w.epoch {
		c.epoch = w.epoch
		w.sum += c.charge
	}
}

func (w *walker) thread(th *Thread) {
	w.threads++
	defer func() {
		w.sum += chargeThread + 16*int64(len(th.stack)) + int64(frameSize)*int64(len(th.frames))
	}()
	w.mark(th.err)
	if th.parent != nil {
		w.mark(th.parent.Value())
	}
	if len(th.stack) == 0 {
		return
	}
	n := w.s.liveSlots(th)
	for _, v := range th.stack[:n] {
		w.mark(v)
	}
	if th.status == threadSuspended && th != w.s.th {
		th.trimIdle(n)
	}
	for i := range th.nf {
		f := &th.frames[i]
		if f.isLua() {
			w.mark(f.cl.Value())
		} else if f.fn != nil {
			w.mark(f.fn.Value())
		}
		if f.flags&fStep == 0 {
			continue
		}
		if h, ok := f.step.(holder); ok {
			w.sum += h.heldBytes()
		}
		switch m := f.step.(type) {
		case marker:
			m.markValues(w.mark)
		case ValueHolder:
			m.MarkValues(w.mark)
		}
	}
	for u := th.open; u != nil; u = u.next {
		if u.epoch != w.epoch {
			u.epoch = w.epoch
			w.sum += chargeUpval
		}
	}
}

// marker is the ValueHolder of this package's own steps.
type marker interface {
	markValues(mark func(Value))
}

// holder is a step with text in it that was charged and is no string yet.
type holder interface {
	heldBytes() int64
}

// holdsBytes reports whether the step on top of th is a holder.
func holdsBytes(th *Thread) bool {
	if th == nil || th.nf == 0 {
		return false
	}
	_, ok := th.frames[th.nf-1].step.(holder)
	return ok
}
