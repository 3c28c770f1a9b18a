package lua

// metatable returns the metatable of any value, nil if it has none.
func (s *State) metatable(v Value) *Table {
	switch v.Kind() {
	case KindTable:
		return v.table().meta
	case KindString:
		return s.stringMeta
	case KindUserdata:
		return v.userdata().meta
	}
	return nil
}

// event returns the metamethod ev of metatable t and remembers its absence.
func (t *Table) event(ev event) Value {
	if t.absent&(1<<ev) != 0 {
		return Nil
	}
	i := t.findName(eventNames[ev])
	if i < 0 || t.ents[i].val.p == nil {
		t.absent |= 1 << ev
		return Nil
	}
	if ev == evIndex && i < noHint {
		t.islot = uint8(i)
	}
	return t.ents[i].val
}

// metaEvent returns the metamethod ev of v or Nil.
func (s *State) metaEvent(v Value, ev event) Value {
	if mt := s.metatable(v); mt != nil {
		return mt.event(ev)
	}
	return Nil
}

// maxMetaChain bounds chains of __index and __newindex, as in C Lua.
const maxMetaChain = 2000

// index reads o[k]. If a function must be called for it, call is that function
// and v the value it is called with. ok = false: o cannot be indexed; v is then
// the value at fault.
func (s *State) index(o, k Value) (v, call Value, ok bool) {
	for range maxMetaChain {
		var h Value
		if o.Kind() == KindTable {
			t := o.table()
			if v := t.get(k); v.p != nil {
				return v, Nil, true
			}
			if t.meta == nil {
				return Nil, Nil, true
			}
			if h = t.meta.event(evIndex); h.p == nil {
				return Nil, Nil, true
			}
		} else if h = s.metaEvent(o, evIndex); h.p == nil {
			return o, Nil, false
		}
		if h.IsFunction() {
			return o, h, true
		}
		o = h
	}
	s.runtimeError("'__index' chain too long; possibly a loop")
	return Nil, Nil, false
}

// setIndex stores o[k] = v. If a function must be called for it, call is that
// function and o the value it is called with. ok = false: s.err is set, or, if
// it is not (fault), o cannot be indexed.
func (s *State) setIndex(o, k, v Value) (target, call Value, fault, ok bool) {
	for range maxMetaChain {
		var h Value
		if o.Kind() == KindTable {
			t := o.table()
			if t.meta == nil || t.meta.absent&(1<<evNewindex) != 0 {
				return o, Nil, false, s.rawSet(t, k, v)
			}
			if old := t.get(k); old.p != nil {
				return o, Nil, false, s.rawSet(t, k, v)
			}
			if h = t.meta.event(evNewindex); h.p == nil {
				return o, Nil, false, s.rawSet(t, k, v)
			}
		} else if h = s.metaEvent(o, evNewindex); h.p == nil {
			return o, Nil, true, false
		}
		if h.IsFunction() {
			return o, h, false, true
		}
		o = h
	}
	s.runtimeError("'__newindex' chain too long; possibly a loop")
	return Nil, Nil, false, false
}

// rawSet stores with charge and checks, without metamethods. false: s.err is set.
func (s *State) rawSet(t *Table, k, v Value) bool {
	if t.flags&flagFrozen != 0 {
		return s.frozenError()
	}
	k, err := normKey(k)
	if err != nil {
		return s.runtimeError("%s", err.Error())
	}
	if n := t.growth(k, v); n > 0 && !s.charge(n) {
		return false
	}
	t.set(k, v)
	return true
}

func (s *State) frozenError() bool {
	s.err = s.refusal(RefusalFrozen, frozenMessage, true)
	return false
}

// registerFinalizer notes an object whose new metatable has __gc.
func (s *State) registerFinalizer(v Value, mt *Table) {
	if mt == nil || s.closing || v.p.flags&flagFinalizer != 0 || mt.event(evGC).IsNil() {
		return
	}
	v.p.flags |= flagFinalizer
	s.finalizers = append(s.finalizers, v)
}
