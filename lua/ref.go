package lua

// Ref holds a value across calls: a key of the state's registry.
type Ref uint64

// Ref returns a new reference to v. A reference to nil needs no release.
func (s *State) Ref(v Value) Ref {
	if v.IsNil() {
		return 0
	}
	r := s.freeRef
	if r != 0 {
		s.freeRef = Ref(s.registry.getInt(int64(r)).n)
	} else {
		s.refs++
		r = Ref(s.refs)
	}
	k := Integer(int64(r))
	s.chargeHost(s.registry.growth(k, v))
	s.registry.set(k, v)
	return r
}

// Deref returns the value r refers to.
func (s *State) Deref(r Ref) Value {
	switch {
	case r == 0:
		return Nil
	case r >= permRef:
		if i := r &^ permRef; i < Ref(len(s.perms)) {
			return s.perms[i].v
		}
		return Nil
	}
	return s.registry.getInt(int64(r))
}

// Release ends r; the value may then be collected.
func (s *State) Release(r Ref) {
	if r == 0 || int64(r) > s.refs {
		return
	}
	s.registry.set(Integer(int64(r)), Integer(int64(s.freeRef)))
	s.freeRef = r
}
