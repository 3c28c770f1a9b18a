package lua

import (
	"reflect"
	"strings"
	"sync"
)

// Every Step type of this package has a codec here, so that a fiber that waits
// below it can be saved; TestEveryStepHasACodec fails for one that has none. A
// decoder must not trust what it reads: it checks what the Step's Resume relies
// on (non-nil tables, positions within strings, lengths).

func (w *StepWriter) Value(v Value)   { w.e.value(v) }
func (w *StepWriter) Int(n int64)     { w.e.int(n) }
func (w *StepWriter) Bool(v bool)     { w.e.bool(v) }
func (w *StepWriter) String(s string) { w.e.text(s) }

// Values writes a list.
func (w *StepWriter) Values(list []Value) { w.e.values(list) }

func (r *StepReader) Value() Value     { return r.d.value() }
func (r *StepReader) Int() int64       { return r.d.int() }
func (r *StepReader) Bool() bool       { return r.d.byte() == 1 }
func (r *StepReader) String() string   { return r.d.text() }
func (r *StepReader) Values() []Value  { return r.d.values() }
func (r *StepReader) Fail(what string) { r.d.fail("step: %s", what) }

// index reads an integer from 0 to most.
func (r *StepReader) index(most int) int {
	n := r.Int()
	if n < 0 || n > int64(most) {
		r.Fail("number out of range")
		return 0
	}
	return int(n)
}

// table reads a table.
func (r *StepReader) table() *Table {
	if t, ok := r.Value().AsTable(); ok {
		return t
	}
	r.Fail("no table")
	return newTable(0, 0, 0)
}

// charge reads a number of bytes charged for n bytes that were built.
func (r *StepReader) charge(n int) int {
	c := r.index(maxString)
	if c > 2*n+readChunk {
		r.Fail("charge out of range")
	}
	return c
}

// stepCodecs are the codecs of this package's Steps.
var stepCodecs = sync.OnceValue(func() []StepCodec {
	return []StepCodec{
		{"sort", &sorter{}, encodeSorter, decodeSorter},
		{"sort length", &sortHead{},
			func(w *StepWriter, s Step) { h := s.(*sortHead); encodeSorter(w, h.s); w.Values(h.args) },
			decodeSortHead},
		{"list", &listStep{}, encodeListStep, decodeListStep},
		{"extreme", &extremeStep{}, encodeExtreme, decodeExtreme},
		{"gsub", &substitution{}, encodeSubstitution, decodeSubstitution},
		{"ipairs", ipairsResult(0),
			func(w *StepWriter, s Step) { w.Int(int64(s.(ipairsResult))) },
			func(r *StepReader) Step { return ipairsResult(r.Int()) }},
		{"return", returnAll{}, noFields, func(*StepReader) Step { return returnAll{} }},
		{"tostring", stringResult{}, noFields, func(*StepReader) Step { return stringResult{} }},
		{"print", &printStep{}, encodePrint, decodePrint},
		{"format", &objectStep{}, encodeFormat, decodeFormat},
		{"gc", &gcStep{},
			func(w *StepWriter, s Step) { w.Value(s.(*gcStep).result) },
			func(r *StepReader) Step { return &gcStep{result: r.Value()} }},
		{"load", &loadStep{}, encodeLoad, decodeLoad},
		{"file", &fileStep{}, encodeFile, decodeFile},
		{"require", &requiring{}, encodeRequiring, decodeRequiring},
		{"time", &timeStep{}, encodeTime, decodeTime},
		{"searching", searching{},
			func(w *StepWriter, s Step) { q := s.(searching); w.String(q.name); w.Bool(q.preload) },
			func(r *StepReader) Step { return searching{name: r.String(), preload: r.Bool()} }},
		{"module", moduleLoading{},
			func(w *StepWriter, s Step) { w.String(s.(moduleLoading).name) },
			func(r *StepReader) Step { return moduleLoading{r.String()} }},
		{"searchpath", &pathSearch{}, encodePathSearch, decodePathSearch},
		{"open", opening{}, encodeOpening, decodeOpening},
		{"read", &fileReader{}, encodeReader, decodeReader},
		{"lost", lostStep{},
			func(w *StepWriter, s Step) { w.String(s.(lostStep).name) },
			func(r *StepReader) Step { return lostStep{r.String()} }},
	}
})

func noFields(*StepWriter, Step) {}

// step writes a continuation, or "" for none.
func (e *encoder) step(s Step) {
	if s == nil {
		e.text("")
		return
	}
	c := findStepCodec(e.s.options.Codec, func(c *StepCodec) bool { return reflect.TypeOf(c.Step) == reflect.TypeOf(s) })
	if c == nil {
		name := reflect.TypeOf(s).String()
		e.extra = append(e.extra, Unsaved{Path: "a call in progress", Type: name, Reason: "there is no codec for this Step"})
		e.step(lostStep{name})
		return
	}
	e.text(c.Name)
	c.Encode(&StepWriter{e}, s)
}

// step reads a continuation.
func (d *decoder) step() Step {
	name := d.text()
	if name == "" || d.err != nil {
		return nil
	}
	c := findStepCodec(d.s.options.Codec, func(c *StepCodec) bool { return c.Name == name })
	if c == nil {
		d.fail("no codec for steps named %q", name)
		return nil
	}
	s := c.Decode(&StepReader{d})
	if s == nil {
		d.fail("step %q is missing", name)
	}
	return s
}

func findStepCodec(host *Codec, is func(*StepCodec) bool) *StepCodec {
	own := stepCodecs()
	for i := range own {
		if is(&own[i]) {
			return &own[i]
		}
	}
	if host != nil {
		for i := range host.Steps {
			if is(&host.Steps[i]) {
				return &host.Steps[i]
			}
		}
	}
	return nil
}

func encodeLog(w *StepWriter, o *opLog) { w.Values(o.done[:o.n]) }

func decodeLog(r *StepReader, o *opLog) {
	done := r.Values()
	if len(done) >= maxTurnOps {
		r.Fail("too many operations in a turn")
		return
	}
	o.n = copy(o.done[:], done)
}

func encodeSorter(w *StepWriter, step Step) {
	s := step.(*sorter)
	w.Value(s.l.v)
	w.Value(s.fn)
	w.Bool(s.asked)
	w.Bool(s.answer)
	w.Bool(s.meta != nil)
	if s.meta != nil {
		encodeLog(w, &s.meta.log)
	}
	for _, v := range []Value{s.pivot, s.u, s.v} {
		w.Value(v)
	}
	h := s.heap
	for _, n := range []int64{int64(s.state), s.lo, s.up, int64(s.budget), s.p, s.i, s.j, h.root, h.size, h.node, h.child, int64(len(s.todo))} {
		w.Int(n)
	}
	for _, t := range s.todo {
		w.Int(t.lo)
		w.Int(t.up)
		w.Int(int64(t.budget))
	}
}

func decodeSorter(r *StepReader) Step {
	s := &sorter{l: list{v: r.Value()}, fn: r.Value(), asked: r.Bool(), answer: r.Bool()}
	s.l.t, _ = s.l.v.AsTable()
	if r.Bool() {
		s.meta = new(sortMeta)
		decodeLog(r, &s.meta.log)
	} else if s.l.t == nil || !s.asked {
		r.Fail("no list")
	}
	for _, v := range []*Value{&s.pivot, &s.u, &s.v} {
		*v = r.Value()
	}
	s.state = sortState(r.index(int(heapNode)))
	h := &s.heap
	position := func() int64 {
		n := r.Int()
		if n < -1 || n > 1<<32 {
			r.Fail("position out of range")
			return 0
		}
		return n
	}
	s.lo, s.up, s.budget, s.p, s.i, s.j = position(), position(), int(position()), position(), position(), position()
	h.root, h.size, h.node, h.child = position(), position(), position(), position()
	for n := r.index(r.d.left()); n > 0 && r.d.err == nil; n-- {
		s.todo = append(s.todo, interval{position(), position(), int(position())})
	}
	if h.size > max(s.up-s.lo+1, 0) || h.root > h.size/2 || h.node > h.size || h.child > 2*h.node+2 {
		r.Fail("heap out of range")
	}
	return s
}

func decodeSortHead(r *StepReader) Step {
	h := &sortHead{}
	s, ok := decodeSorter(r).(*sorter)
	if !ok || s.meta == nil {
		r.Fail("no list")
	}
	h.s, h.args = s, r.Values()
	return h
}

func encodeExtreme(w *StepWriter, step Step) {
	x := step.(*extremeStep)
	w.Bool(x.greatest)
	w.Value(x.best)
	w.Values(x.rest)
}

func decodeExtreme(r *StepReader) Step {
	x := &extremeStep{greatest: r.Bool(), best: r.Value(), rest: r.Values()}
	if len(x.rest) == 0 {
		r.Fail("nothing to compare")
	}
	return x
}

func encodeListStep(w *StepWriter, step Step) {
	l := step.(*listStep)
	encodeLog(w, &l.log)
	w.Int(int64(l.fn))
	w.Int(int64(l.phase))
	w.Values(l.args)
	w.Value(l.src)
	w.Value(l.dst)
	for _, n := range []int64{l.from, l.to, l.n, l.k, l.pos} {
		w.Int(n)
	}
	w.Bool(l.backwards)
	w.Value(l.value)
	w.Values(l.vals)
	w.Int(int64(cap(l.vals)))
	encodeBuffer(w, &l.out)
	w.String(l.sep)
}

func decodeListStep(r *StepReader) Step {
	l := &listStep{}
	decodeLog(r, &l.log)
	l.fn, l.phase = listFunc(r.index(int(listConcat))), listPhase(r.index(int(listTail)))
	l.args, l.src, l.dst = r.Values(), r.Value(), r.Value()
	for _, n := range []*int64{&l.from, &l.to, &l.n, &l.k, &l.pos} {
		*n = r.Int()
	}
	l.backwards, l.value = r.Bool(), r.Value()
	vals, room := r.Values(), r.index(2*maxResults)
	switch {
	case l.k < 0 || room < len(vals) || room > 2*len(vals)+64:
		r.Fail("list out of range")
	case room > 0:
		l.vals = append(make([]Value, 0, room), vals...)
	}
	decodeBuffer(r, &l.out)
	l.sep = r.String()
	return l
}

func encodeBuffer(w *StepWriter, b *buffer) {
	w.String(b.b.String())
	w.Int(int64(b.charged))
}

func decodeBuffer(r *StepReader, b *buffer) {
	s := r.String()
	b.charged = r.charge(len(s))
	if b.charged < len(s) {
		r.Fail("charge out of range")
	}
	b.b.WriteString(s)
}

func encodeSubstitution(w *StepWriter, step Step) {
	g := step.(*substitution)
	w.Value(g.source)
	w.Value(g.repl)
	w.String(g.m.src)
	w.String(g.m.pat)
	w.Int(int64(g.m.work))
	w.Bool(g.anchored)
	w.Bool(g.changed)
	for _, n := range []int{g.start, g.pos, g.from, g.to, g.last} {
		w.Int(int64(n))
	}
	w.Int(g.n)
	w.Int(g.limit)
	encodeBuffer(w, &g.out)
}

func decodeSubstitution(r *StepReader) Step {
	g := &substitution{source: r.Value(), repl: r.Value()}
	g.m.src, g.m.pat, g.m.work = r.String(), r.String(), r.index(1<<30)
	g.anchored, g.changed = r.Bool(), r.Bool()
	n := len(g.m.src)
	g.start, g.pos, g.from, g.to = r.index(len(g.m.pat)), r.index(n), r.index(n), r.index(n)
	if g.from > g.to {
		r.Fail("match out of range")
		g.from = g.to
	}
	if g.last = int(r.Int()); g.last < -1 || g.last > n {
		r.Fail("match out of range")
	}
	g.n, g.limit = r.Int(), r.Int()
	decodeBuffer(r, &g.out)
	return g
}

func encodePrint(w *StepWriter, step Step) {
	p := step.(*printStep)
	w.Values(p.args)
	w.Int(int64(p.next))
}

func decodePrint(r *StepReader) Step {
	p := &printStep{args: r.Values()}
	p.next = r.index(max(len(p.args)-1, 0))
	if len(p.args) == 0 {
		r.Fail("nothing to print")
	}
	return p
}

func encodeFormat(w *StepWriter, step Step) {
	o := step.(*objectStep)
	w.Values(o.args)
	w.Int(int64(len(o.objects)))
	for _, i := range o.objects {
		w.Int(int64(i))
	}
}

func decodeFormat(r *StepReader) Step {
	o := &objectStep{args: r.Values()}
	n := r.index(len(o.args))
	if n == 0 {
		r.Fail("nothing to format")
	}
	for range n {
		o.objects = append(o.objects, r.index(max(len(o.args)-1, 0)))
	}
	return o
}

func encodeLoad(w *StepWriter, step Step) {
	l := step.(*loadStep)
	w.String(l.name)
	w.String(l.mode)
	w.Value(l.env)
	w.Bool(l.hasEnv)
	w.Value(l.reader)
	w.String(l.source.String())
}

func decodeLoad(r *StepReader) Step {
	l := &loadStep{name: r.String(), mode: r.String(), env: r.Value(), hasEnv: r.Bool(), reader: r.Value()}
	l.source.WriteString(r.String())
	return l
}

func encodeFile(w *StepWriter, step Step) {
	f := step.(*fileStep)
	w.Bool(f.do)
	w.String(f.mode)
	w.Value(f.env)
	w.Bool(f.hasEnv)
	w.Bool(f.called)
}

func decodeFile(r *StepReader) Step {
	return &fileStep{do: r.Bool(), mode: r.String(), env: r.Value(), hasEnv: r.Bool(), called: r.Bool()}
}

func encodeRequiring(w *StepWriter, step Step) {
	q := step.(*requiring)
	encodeLog(w, &q.log)
	w.Int(int64(q.phase))
	w.String(q.name)
	w.Bool(q.searchers != nil)
	if q.searchers != nil {
		w.Value(q.searchers.Value())
	}
	w.Int(q.index)
	w.String(q.tried.String())
	w.Value(q.module)
	w.Value(q.data)
}

func decodeRequiring(r *StepReader) Step {
	q := &requiring{}
	decodeLog(r, &q.log)
	q.phase, q.name = requirePhase(r.index(int(requireStore))), r.String()
	if r.Bool() {
		q.searchers = r.table()
	} else if q.phase == requireSearch {
		r.Fail("no searchers")
	}
	q.index = r.Int()
	q.tried.WriteString(r.String())
	q.module, q.data = r.Value(), r.Value()
	return q
}

func encodePathSearch(w *StepWriter, step Step) {
	p := step.(*pathSearch)
	w.String(strings.Join(p.places, ";"))
	w.Bool(len(p.places) > 0)
	w.String(p.place)
	w.String(p.tried.String())
}

func decodePathSearch(r *StepReader) Step {
	p, places := &pathSearch{}, r.String()
	if r.Bool() {
		p.places = strings.Split(places, ";")
	}
	p.place = r.String()
	p.tried.WriteString(r.String())
	return p
}

func encodeOpening(w *StepWriter, step Step) {
	o := step.(opening)
	w.String(o.path)
	w.Int(int64(o.then))
	w.Values(o.formats)
}

func decodeOpening(r *StepReader) Step {
	return opening{path: r.String(), then: openUse(r.index(int(openLines))), formats: r.Values()}
}

func encodeReader(w *StepWriter, step Step) {
	f := step.(*fileReader)
	w.Value(f.self)
	w.Values(f.formats)
	w.Values(f.results)
	w.Int(int64(f.scanned))
	w.Bool(f.iterator)
	w.Bool(f.closeAtEnd)
}

// decodeReader finds the file later: userdata get their data last.
func decodeReader(r *StepReader) Step {
	f := &fileReader{self: r.Value(), formats: r.Values(), results: r.Values()}
	f.scanned, f.iterator, f.closeAtEnd = int(r.Int()), r.Bool(), r.Bool()
	d := r.d
	d.later = append(d.later, func() {
		file, ok := fileData(f.self)
		valid := ok && f.scanned >= 0 && f.scanned <= len(file.in) && len(f.results) < len(f.formats)
		for _, v := range f.formats {
			valid = valid && validFormat(v)
		}
		if !valid {
			d.fail("step: file reader out of range")
		}
		f.file = file
	})
	return f
}

func encodeTime(w *StepWriter, step Step) {
	o := step.(*timeStep)
	encodeLog(w, &o.log)
	w.Value(o.table)
	w.Bool(o.stored)
	w.Int(o.unix)
	for _, n := range o.normal {
		w.Int(n)
	}
	w.Bool(o.dst)
}

func decodeTime(r *StepReader) Step {
	o := &timeStep{}
	decodeLog(r, &o.log)
	o.table, o.stored, o.unix = r.Value(), r.Bool(), r.Int()
	for i := range o.normal {
		o.normal[i] = r.Int()
	}
	o.dst = r.Bool()
	return o
}
