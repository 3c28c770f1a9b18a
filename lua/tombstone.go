package lua

// A tombstone stands for a value that a snapshot could not save or a restore
// not bring back: any use of it raises a RefusalRestore. A function becomes a
// function, anything else a userdata of the lost type, a file a file.

// lostObject is the data of a tombstone.
type lostObject struct {
	path    string // where the snapshot found it
	data    []byte // what the type's Encode gave, for a later restore
	encoded bool   // data is set
}

// lostAccess are the metamethods of tombstones.
var lostAccess = NewFunction("lost.access", func(c *Call) Status {
	what := "value"
	for i := range 2 {
		if u, ok := c.Arg(i).AsUserdata(); ok && u.typ.lost {
			what = u.typ.Name
			if l, ok := u.data.(*lostObject); ok && l.path != "" {
				what += " " + l.path
			}
			break
		}
	}
	return c.notRestorable(what)
})

// lostClose is __close of tombstones: there is nothing left to close.
var lostClose = NewFunction("lost.close", func(c *Call) Status { return c.Return() })

// notRestorable raises the error of a use of something lost.
func (c *Call) notRestorable(what string) Status {
	c.state.err = c.state.refusal(RefusalRestore, "the "+what+" was not restored", true)
	return StatusError
}

// lostFunction returns what stands for a permanent function that is gone. It
// keeps the name, so that a later snapshot refers to it again.
func lostFunction(name string) *Function {
	return NewFunction(name, func(c *Call) Status { return c.notRestorable("function " + name) })
}

// lostMetatable returns the state's metatable of tombstones. It is no part of
// snapshots and memory counts.
func (s *State) lostMetatable() *Table {
	if s.lostMeta != nil {
		return s.lostMeta
	}
	t := newTable(0, 0, int(eventCount))
	for i, name := range eventNames {
		switch event(i) {
		case evGC, evMode, evName, evToString, evMetatable:
		case evClose:
			t.set(name, lostClose.Value())
		default:
			t.set(name, lostAccess.Value())
		}
	}
	t.set(eventNames[evMetatable], Boolean(false))
	t.flags |= flagShared | flagFrozen
	s.lostMeta = t
	return t
}

// lostType returns the type of tombstones for objects of a type.
func lostType(name string, charge int) *UserType {
	return &UserType{Name: name, Charge: charge, lost: true, Hidden: true, ToString: func(any) string { return name + " (not restored)" }}
}

// lostStep continues a function whose state could not be restored.
type lostStep struct{ name string }

func (l lostStep) Resume(c *Call) Status { return c.notRestorable(l.name) }
