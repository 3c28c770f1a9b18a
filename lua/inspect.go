package lua

// What the debug library and %p see of frames and closures.

// debugFrame describes one activation, or a function that is not active.
type debugFrame struct {
	fn             Value
	proto          *Proto // nil for Go functions
	line           int    // -1 if unknown
	name, nameWhat string
	tail           bool
}

func closureProto(fn Value) *Proto {
	if fn.Kind() == KindClosure {
		return fn.closure().proto
	}
	return nil
}

// level returns the activation at a level of th, Nil being the running thread.
func (c *Call) level(th Value, level int) (activation, bool) {
	t := c.th
	if th.Kind() == KindThread {
		t = th.thread()
	}
	return c.state.activation(t, level)
}

func (c *Call) debugFrame(th Value, level int) (debugFrame, bool) {
	a, ok := c.level(th, level)
	if !ok {
		return debugFrame{}, false
	}
	d := debugFrame{fn: a.fn, proto: closureProto(a.fn), line: -1}
	if f := a.lua(); f != nil {
		d.line = f.line()
		d.tail = f.flags&fTail != 0
	}
	d.name, d.nameWhat = c.state.calledName(&a)
	return d, true
}

// traceback is debug.traceback(th, msg, level).
func (c *Call) traceback(th Value, msg string, hasMsg bool, level int) string {
	t := c.th
	if th.Kind() == KindThread {
		t = th.thread()
	}
	text := c.state.tracebackText(t, max(level, 0))
	if hasMsg {
		return msg + "\n" + text
	}
	return text
}

// local returns the stack slot and name of local n of an activation: negative n
// are extra arguments.
func (c *Call) local(th Value, level, n int) (t *Thread, slot int, name string) {
	a, ok := c.level(th, level)
	if !ok {
		return nil, 0, ""
	}
	f := a.lua()
	if f == nil {
		return nil, 0, ""
	}
	if n < 0 {
		if -n > int(f.nvar) {
			return nil, 0, ""
		}
		return a.th, int(f.base) - int(f.nvar) - n - 1, "(vararg)"
	}
	pc := f.pc()
	for i := range f.cl.proto.locals {
		l := &f.cl.proto.locals[i]
		if l.start > pc {
			break
		}
		if pc < l.end {
			if n--; n == 0 {
				return a.th, int(f.base) + int(l.reg), l.name
			}
		}
	}
	return nil, 0, ""
}

func (c *Call) frameLocal(th Value, level, n int) (name string, v Value, ok bool) {
	t, slot, name := c.local(th, level, n)
	if t == nil {
		return "", Nil, false
	}
	return name, t.stack[slot], true
}

func (c *Call) setFrameLocal(th Value, level, n int, v Value) (name string, ok bool) {
	t, slot, name := c.local(th, level, n)
	if t == nil {
		return "", false
	}
	t.stack[slot] = v
	return name, true
}

// closureUpvalue returns upvalue n, counted from 1. Those of Go functions have
// no names.
func closureUpvalue(fn Value, n int) (name string, v Value, ok bool) {
	switch fn.Kind() {
	case KindClosure:
		if cl := fn.closure(); n >= 1 && n <= len(cl.upvals) {
			if name = cl.proto.upvals[n-1].name; name == "" {
				name = "(no name)"
			}
			return name, *cl.upvals[n-1].v, true
		}
	case KindFunction:
		if f := fn.function(); n >= 1 && n <= len(f.upvals) {
			return "", f.upvals[n-1], true
		}
	}
	return "", Nil, false
}

func (c *Call) setClosureUpvalue(fn Value, n int, v Value) (name string, ok bool) {
	// Those of Go functions are not for scripts to change: their code relies on
	// the kinds of the values.
	if name, _, ok = closureUpvalue(fn, n); !ok || fn.Kind() != KindClosure {
		return "", false
	}
	*fn.closure().upvals[n-1].v = v
	return name, true
}

// upvalueIDs is the type of upvalue identities.
var upvalueIDs = &UserType{Name: "upvalue"}

// upvalueID returns a value that is equal for equal variables: one userdata
// per variable of the state.
func (c *Call) upvalueID(fn Value, n int) (Value, bool) {
	if _, _, ok := closureUpvalue(fn, n); !ok {
		return Nil, false
	}
	if fn.Kind() != KindClosure {
		return fn, true
	}
	u := fn.closure().upvals[n-1]
	if u.id == nil {
		u.id = c.state.NewUserdata(upvalueIDs, nil).userdata()
	}
	return u.id.Value(), true
}

// joinUpvalues makes upvalue n1 of f1 refer to upvalue n2 of f2.
func joinUpvalues(f1 Value, n1 int, f2 Value, n2 int) {
	f1.closure().upvals[n1-1] = f2.closure().upvals[n2-1]
}

// objectID returns the identity number tostring shows.
func objectID(v Value) (uint64, bool) {
	switch v.Kind() {
	case KindTable, KindClosure, KindFunction, KindThread, KindUserdata:
		return uint64(uint32(v.serial())), true
	}
	return 0, false
}

// rawSet stores without metamethods. false: an error is set.
func (c *Call) rawSet(t *Table, k, v Value) bool { return c.state.rawSet(t, k, v) }

// tableSetInt is rawSet for an integer key.
func (c *Call) tableSetInt(t *Table, i int64, v Value) bool {
	if n := uint64(i - 1); n < uint64(t.alen) && v.p != nil && t.flags&flagFrozen == 0 && (t.amode == arrayBoxed || v.plain()) {
		t.setArrayAt(int(n), v)
		return true
	}
	return c.state.rawSet(t, Integer(i), v)
}

// loadSource compiles text and binds it to the globals. A syntax error is msg;
// ok = false: an error is set.
func (c *Call) loadSource(name, text string) (fn Value, msg string, ok bool) {
	if !c.Charge(len(text)) || !c.Fuel(len(text)/8+1) {
		return Nil, "", false
	}
	chunk, err := Compile(name, text, CompileOptions{})
	c.pending -= int64(len(text))
	c.state.mem -= int64(len(text))
	if err != nil {
		return Nil, err.Error(), true
	}
	chunk.makePrivate()
	n := chunk.chargeBytes()
	if !c.state.charge(n) {
		return Nil, "", false
	}
	c.state.mem -= n // Load charges
	return c.state.Load(chunk), "", true
}

// Exit ends the run with StopExit. closing: the fiber's __close functions run
// first, and no pcall stops it.
func (c *Call) Exit(code int, closing bool) Status {
	s := c.state
	s.exitCode = code
	if !closing {
		s.stop = StopExit
		return StatusError
	}
	s.exiting = true
	s.err = Nil
	c.th.startKill(killCancel)
	return StatusError
}

func (s *State) seedOption() uint64 { return s.options.Seed }

// loadedName returns the name of a function found in package.loaded:
// "string.rep", "print".
func (s *State) loadedName(fn Value) (string, bool) {
	if !fn.IsFunction() {
		return "", false
	}
	find := func(t *Table) (string, bool) {
		for k, v, ok := t.Next(Nil); ok; k, v, ok = t.Next(k) {
			if k.isString() && rawEqual(v, fn) {
				return k.str(), true
			}
		}
		return "", false
	}
	if name, ok := find(s.globals); ok {
		return name, true
	}
	loaded, ok := s.Deref(s.lib.loaded).AsTable()
	if !ok {
		loaded = s.globals
	}
	for k, v, ok := loaded.Next(Nil); ok; k, v, ok = loaded.Next(k) {
		if t, isTable := v.AsTable(); isTable && k.isString() {
			if name, ok := find(t); ok {
				return k.str() + "." + name, true
			}
		}
	}
	return "", false
}
