package lua

import (
	"fmt"
	"math"
	"runtime/debug"
)

// RestoreOptions modify Restore.
type RestoreOptions struct {
	// Setup installs the host's globals, frozen tables and permanents, as it does
	// in a new state. It must not run Lua.
	Setup func(s *State) error
	// Run are the limits of the run that goes on, if the snapshot holds one.
	Run RunOptions
	// MaxBytes bounds what a snapshot without Options.MemoryLimit may take; 0 is
	// 1 GiB.
	MaxBytes int64
}

// Restore makes a state from a snapshot. Any damage of data is an error, and
// nothing in it can harm the process: code is compiled from its source text. The
// second result lists what is not there any more; using it raises a
// RefusalRestore. A run that waited goes on with Resume, see State.Waiting.
func Restore(data []byte, o Options, r RestoreOptions) (st *State, unsaved []Unsaved, err error) {
	defer func() {
		if p := recover(); p != nil { // a check is missing: still no reason to crash
			st, unsaved, err = nil, nil, fmt.Errorf("lua: restore: internal error: %v\n%s", p, debug.Stack())
		}
	}()
	s, lost, err := restore(data, o, r)
	if err != nil {
		return nil, nil, fmt.Errorf("lua: restore: %w", err)
	}
	return s, lost, nil
}

// Waiting returns the fibers that wait, as the last outcome did.
func (s *State) Waiting() Outcome {
	if !s.between() {
		return Outcome{main: s.main}
	}
	s.ended = s.ended[:0]
	return s.outcome()
}

func restore(data []byte, o Options, r RestoreOptions) (*State, []Unsaved, error) {
	limit := r.MaxBytes
	switch {
	case o.MemoryLimit > 0:
		limit = o.MemoryLimit + 2*memoryReserve
	case limit <= 0:
		limit = 1 << 30
	}
	body, err := unseal(data, 2*limit+memoryReserve)
	if err != nil {
		return nil, nil, err
	}
	pool := o.Pool
	o.Pool = nil // the fresh state's bytes are not the restored one's
	s, err := New(o)
	if err != nil {
		return nil, nil, err
	}
	if r.Setup != nil {
		if err := r.Setup(s); err != nil {
			return nil, nil, err
		}
	}
	d := newDecoder(s, body, limit)
	d.body()
	if d.err == nil && d.left() > 0 {
		d.fail("bytes left over")
	}
	if d.err != nil {
		return nil, nil, d.err
	}
	d.finish(r)
	s.options.Pool = pool
	if pool != nil && !pool.hold(&s.held, s.mem) {
		return nil, nil, fmt.Errorf("no memory left in the pool")
	}
	return s, d.unsaved, nil
}

// freshGlobal is a global of the new state before the snapshot's replace them.
type freshGlobal struct {
	name string
	v    Value
}

// decoder reads the body of a snapshot into a fresh state. The first failure is
// kept; after it reads give zero values, and loops end.
type decoder struct {
	s     *State
	b     []byte
	pos   int
	err   error
	sum   int64 // counted bytes of what was made
	limit int64

	globals   []freshGlobal
	originals map[string]Value
	known     map[string]bool // names of globals the snapshot was offered
	fresh     map[string]Value
	functions functionIndex
	own       functionIndex // of the host
	bound     map[string]*boundFunction

	chunks  []*restoredChunk
	perms   []restoredPermanent
	objs    []Value
	strings []Value
	funcs   []*Function
	upvals  []*upval
	open    map[*upval]openAt
	ctxs    []any
	later   []func()    // checks that need every object
	users   []*Userdata // that get the metatable of their type
	lost    map[*header]Unsaved
	unsaved []Unsaved
	counts  stateCounts
	fibers  []*restoredFiber
	chained map[*Thread]bool // threads of fibers
	changed map[*Proto]bool  // compiled to other code than the snapshot's
}

// restoredChunk is a chunk compiled again.
type restoredChunk struct {
	chunk  *Chunk
	protos []*protoState
	consts map[string]Value
}

// openAt is where the value of an open upvalue is.
type openAt struct {
	th   *Thread
	slot int
}

func newDecoder(s *State, body []byte, limit int64) *decoder {
	d := &decoder{
		s: s, b: body, limit: limit, originals: map[string]Value{}, known: map[string]bool{}, fresh: map[string]Value{},
		functions: functionIndexes[s.options.Stdlib](), own: functionIndex{}, bound: map[string]*boundFunction{},
		open: map[*upval]openAt{}, lost: map[*header]Unsaved{}, chained: map[*Thread]bool{},
		changed: map[*Proto]bool{},
	}
	names := map[*header]string{}
	for _, p := range s.permanentTree() {
		d.fresh[p.name] = p.v
		names[p.v.p] = p.name
		if t, ok := p.v.AsTable(); ok {
			d.own.addTable(t)
		}
	}
	for k, v, ok := s.globals.Next(Nil); ok; k, v, ok = s.globals.Next(k) {
		name, _ := k.AsString()
		d.own.add(v)
		if name != "" && isOriginal(name, v, names) {
			d.originals[name] = v
			d.globals = append(d.globals, freshGlobal{name, v})
		}
	}
	if c := s.options.Codec; c != nil {
		for _, t := range c.Types {
			d.own.addType(t)
		}
		for _, f := range c.Functions {
			d.own.add(f.Value())
		}
	}
	for _, b := range boundFunctions() {
		d.bound[b.base.name] = &b
	}
	return d
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// need counts n bytes that are about to be allocated.
func (d *decoder) need(n int64) bool {
	if d.err != nil {
		return false
	}
	if d.sum += n; d.sum > d.limit {
		d.fail("the state needs more memory than its limit")
		return false
	}
	return true
}

// stateCounts are the counters of a state in the order of the snapshot.
type stateCounts struct {
	flags byte
	serial, mem, mark, peak, fuel, refusals, threads, handles, pause, stepMul,
	refs, freeRef, lastFiber, main, exitCode int64
}

func (c *stateCounts) list() []*int64 {
	return []*int64{
		&c.serial, &c.mem, &c.mark, &c.peak, &c.fuel, &c.refusals, &c.threads, &c.handles, &c.pause, &c.stepMul,
		&c.refs, &c.freeRef, &c.lastFiber, &c.main, &c.exitCode,
	}
}

// state reads what belongs to no object.
func (d *decoder) state() {
	s, c := d.s, &d.counts
	c.flags = d.byte()
	for _, n := range c.list() {
		*n = d.int()
	}
	globals, registry := d.tableValue(), d.tableValue()
	memErr, stringMeta := d.value(), d.optionalTable()
	d.types()
	d.library()
	finalizers, due := d.objectList(), d.objectList()
	for n := d.count(1); n > 0 && d.err == nil; n-- {
		d.known[d.text()] = true
	}
	pool := d.value()
	if d.err != nil {
		return
	}
	if pool.Kind() == KindThread {
		s.rootPool = pool.thread()
	} else if !pool.IsNil() {
		d.fail("pool is no thread")
	}
	s.globals, s.registry, s.memErr, s.stringMeta = globals, registry, memErr, stringMeta
	s.finalizers, s.dueGC = finalizers, due
	for _, v := range finalizers {
		v.p.flags |= flagFinalizer
	}
	d.readFibers()
	d.checkCounts()
}

// checkCounts verifies the counters against what was restored.
func (d *decoder) checkCounts() {
	c := &d.counts
	last := int64(0)
	if n := len(d.objs); n > 0 {
		last = int64(d.objs[n-1].serial())
	}
	mark := 2*max(c.mem, d.sum) + 2*walkStep
	switch {
	case c.serial < last || c.serial >= math.MaxInt64/2:
		d.fail("serial out of range")
	case c.mem < 0 || c.mem+memoryReserve < d.sum || c.mem > d.limit+memoryReserve || c.mark < 0 || c.mark > mark:
		d.fail("memory counter out of range")
	case c.fuel < 0 || c.peak < 0 || c.refusals < 0 || c.refusals > maxRefusals+1:
		d.fail("counter out of range")
	case c.threads < 0 || c.threads > math.MaxInt32 || c.handles < 0 || c.handles > math.MaxInt32:
		d.fail("counter out of range")
	case c.refs < 0 || c.refs > maxArray || c.freeRef < 0 || c.freeRef > c.refs || c.lastFiber < 0:
		d.fail("counter out of range")
	case c.exitCode != int64(int32(c.exitCode)):
		d.fail("exit code out of range")
	case (c.flags&stateRun != 0) != (len(d.fibers) > 0):
		d.fail("fibers without a run")
	}
	if lib := &d.s.lib; lib.input != 0 || lib.output != 0 {
		_, in := fileData(d.s.Deref(lib.input))
		_, out := fileData(d.s.Deref(lib.output))
		if !in || !out {
			d.fail("default file is no file")
		}
	}
}

func (d *decoder) types() {
	s := d.s
	metas := map[*UserType]*Table{}
	for t, mt := range s.typeMetas {
		if t.Hidden {
			metas[t] = mt
		}
	}
	for n := d.count(2); n > 0 && d.err == nil; n-- {
		typ := d.userType(d.text())
		if d.left() > 0 && tag(d.b[d.pos]) == tagPermanent {
			d.pos++
			d.number(len(d.perms) - 1) // that of a hidden type, made above
			continue
		}
		if t := d.tableValue(); typ != nil && !typ.Hidden {
			metas[typ] = t
		}
	}
	if d.err == nil {
		s.typeMetas = metas
	}
}

// userType finds a type by name.
func (d *decoder) userType(name string) *UserType {
	switch name {
	case fileType.Name:
		return fileType
	case upvalueIDs.Name:
		return upvalueIDs
	}
	if c := d.s.options.Codec; c != nil {
		for _, t := range c.Types {
			if t.Name == name {
				return t
			}
		}
	}
	return nil
}

func (d *decoder) library() {
	l := &d.s.lib
	for i := range l.rng {
		l.rng[i] = d.word()
	}
	l.pointers = d.uint()
	had := [...]bool{l.input != 0, l.loaded != 0}
	for _, r := range [...]*Ref{&l.input, &l.output, &l.loaded, &l.preload, &l.packageTable} {
		*r = Ref(d.uint())
		if *r >= permRef {
			d.fail("reference out of range")
			*r = 0
		}
	}
	if had != [...]bool{l.input != 0, l.loaded != 0} {
		d.fail("the libraries differ")
	}
}

// objectList reads objects of this state.
func (d *decoder) objectList() []Value {
	list := d.values()
	for _, v := range list {
		if !isSaved(v) {
			d.fail("no object")
			return nil
		}
	}
	return list
}

// finish makes the state ready once everything was read and verified.
func (d *decoder) finish(r RestoreOptions) {
	s, c := d.s, &d.counts
	s.serial = uint64(c.serial)
	for _, p := range s.permanentTree() {
		if u, ok := p.v.AsUserdata(); ok && s.typeMetas[u.typ] != nil {
			u.meta = s.typeMetas[u.typ]
		}
		if !d.known[permanentPrefix+p.name] {
			p.v.setSerial(s.nextSerial())
		}
	}
	for _, u := range d.users {
		if u.meta == nil { // no tombstone
			u.meta = s.typeMetatable(u.typ)
		}
	}
	s.freeRef, s.refs = Ref(c.freeRef), c.refs
	s.gcPause, s.gcStepMul = c.pause, c.stepMul
	s.walkDue, s.gcStopped = c.flags&stateWalkDue != 0, c.flags&stateGCStopped != 0
	s.gcGenerational, s.inGC = c.flags&stateGCGenerational != 0, c.flags&stateInGC != 0
	s.warnings, s.exiting = c.flags&stateWarnings != 0, c.flags&stateExiting != 0
	s.refusals, s.exitCode = int(c.refusals), int(c.exitCode)
	s.threads, s.handles = int(c.threads), int(c.handles)
	s.lastFiber, s.main = Fiber(c.lastFiber), Fiber(c.main)
	s.fuel, s.granted, s.budget = c.fuel, 0, 0
	s.walks, s.err = 0, Nil
	d.addGlobals()
	d.startRun(r)
	d.listLost()
	s.mem, s.mark, s.peak = c.mem, c.mark, c.peak
	if q := s.quota(); q > 0 {
		s.mark = min(s.mark, q)
	}
}

// permanentPrefix tells names of permanents from those of globals.
const permanentPrefix = "\x00"

// addGlobals binds the host's globals that the snapshot does not know of.
func (d *decoder) addGlobals() {
	s := d.s
	for _, g := range d.globals {
		if d.known[g.name] || d.known[permanentPrefix+g.name] {
			continue
		}
		if k := internConstant(g.name); s.globals.get(k).IsNil() {
			_ = s.RawSet(s.globals, k, g.v) // globals are not frozen
		}
	}
}

// startRun makes the restored fibers those of the run in progress. Fibers with
// frames in code that compiles differently now are dead.
func (d *decoder) startRun(r RestoreOptions) {
	s := d.s
	if len(d.fibers) == 0 {
		return
	}
	mainLost := false
	for _, f := range d.fibers {
		for _, th := range f.threads {
			f.lost = f.lost || d.changedFrames(th)
		}
		if f.lost {
			mainLost = mainLost || f.id == s.main
		}
	}
	for _, f := range d.fibers {
		if f.lost || mainLost {
			for _, th := range f.threads {
				d.loseThread(th)
			}
			continue
		}
		root := f.threads[len(f.threads)-1]
		s.fibers = append(s.fibers, &fiber{
			id: f.id, root: root, current: f.threads[0], token: f.token, waiting: true, paused: f.paused,
		})
	}
	if len(s.fibers) > 0 {
		s.limits = r.Run
		s.run32.Store(runActive)
	}
}

// listLost fills the list of what was not restored.
func (d *decoder) listLost() {
	for _, v := range d.objs {
		if th := v; th.Kind() == KindThread && !d.chained[th.thread()] && d.changedFrames(th.thread()) {
			d.loseThread(th.thread())
		}
	}
	if len(d.lost) == 0 {
		return
	}
	paths := d.s.findPaths(func(v Value) bool { _, ok := d.lost[v.p]; return ok })
	for _, v := range d.objs {
		u, ok := d.lost[v.p]
		if !ok {
			continue
		}
		if u.Path == "" {
			u.Path = paths[v.p]
		}
		d.unsaved = append(d.unsaved, u)
	}
}

// changedFrames reports whether th has a frame in code that compiles
// differently now.
func (d *decoder) changedFrames(th *Thread) bool {
	for i := range th.nf {
		if f := &th.frames[i]; f.isLua() && d.changed[f.cl.proto] {
			return true
		}
	}
	return false
}

func (d *decoder) loseThread(th *Thread) {
	if th.lost {
		return
	}
	th.die()
	th.lost = true
	d.lost[&th.header] = Unsaved{Type: "thread", Reason: "its code compiles differently now"}
}
