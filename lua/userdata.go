package lua

import "unsafe"

// UserType describes a kind of userdata. Declared once per process.
type UserType struct {
	Name string // __name; tostring gives "Name: id" unless ToString is set
	// Meta are the metamethods, named after their last part: NewFunction("Agent.__concat", f).
	Meta []*Function
	// Methods are found by indexing an object, before Get is asked.
	Methods map[string]*Function
	// Get is asked for fields that are no method; nil Value = absent.
	Get      func(c *Call, data any, key string) Value
	ToString func(data any) string
	Hidden   bool // the metatable has __metatable = false: scripts cannot get it
	Charge   int  // bytes counted per object beside the header

	// Encode gives what a snapshot keeps of an object, such as its id, and Decode
	// finds the object again. Without both, or if one fails, the object becomes a
	// tombstone, whose use raises a RefusalRestore. Decode must neither make values
	// nor run Lua: the state is not complete yet.
	Encode func(data any) ([]byte, error)
	Decode func(s *State, data []byte) (any, error)

	lost bool // type of tombstones
}

// Userdata is a host object.
type Userdata struct {
	object
	typ  *UserType
	data any
	meta *Table
}

// Type returns the type u was made with.
func (u *Userdata) Type() *UserType { return u.typ }

// Data returns the host's object.
func (u *Userdata) Data() any { return u.data }

// Value returns u as a value.
func (u *Userdata) Value() Value { return Value{p: &u.header} }

// serial returns the identity number of an object.
func (v Value) serial() uint64 { return (*object)(unsafe.Pointer(v.p)).serial }

// setSerial gives an object of a state another identity.
func (v Value) setSerial(n uint64) { (*object)(unsafe.Pointer(v.p)).serial = n }

// NewUserdata returns a host object of type t. It never fails; a host that
// creates objects for scripts asks HandlesLeft first.
func (s *State) NewUserdata(t *UserType, data any) Value {
	s.chargeHost(chargeUserdata + int64(t.Charge))
	s.handles++
	u := &Userdata{
		object: object{header: header{kind: KindUserdata}, serial: s.nextSerial()},
		typ:    t, data: data, meta: s.typeMetatable(t),
	}
	v := u.Value()
	s.registerFinalizer(v, u.meta)
	return v
}

// HandlesLeft reports whether another userdata may live. At the limit it walks
// to count the living ones.
func (s *State) HandlesLeft() bool {
	if s.handles < s.options.MaxHandles {
		return true
	}
	s.walk(false)
	return s.handles < s.options.MaxHandles
}

// NewUserdata is State.NewUserdata for a script: above Options.MaxHandles
// living objects, or without memory, the call fails when it returns.
func (c *Call) NewUserdata(t *UserType, data any) Value {
	s := c.state
	if !s.HandlesLeft() {
		s.err = s.refusal(RefusalHandles, "too many handles", true)
		c.refuse()
		return Nil
	}
	if n := chargeUserdata + int64(t.Charge); !s.charge(n) {
		c.refuse()
		return Nil
	} else {
		s.mem -= n
	}
	return s.NewUserdata(t, data)
}

// typeMetatable returns the state's metatable of a type.
func (s *State) typeMetatable(t *UserType) *Table {
	if mt, ok := s.typeMetas[t]; ok {
		return mt
	}
	mt := s.NewTable(0, len(t.Meta)+4)
	field := func(name string, v Value) { mt.set(internConstant(name), v) }
	if t.Name != "" {
		field("__name", internConstant(t.Name))
	}
	if len(t.Methods) > 0 || t.Get != nil {
		if t.Get == nil {
			m := s.NewTable(0, len(t.Methods))
			for _, name := range sortedKeys(t.Methods) {
				m.set(internConstant(name), t.Methods[name].Value())
			}
			field("__index", m.Value())
		} else {
			field("__index", userIndex.Value())
		}
	}
	if t.Hidden {
		field("__metatable", Boolean(false))
	}
	for _, f := range t.Meta {
		field(f.shortName(), f.Value())
	}
	if s.typeMetas == nil {
		s.typeMetas = map[*UserType]*Table{}
	}
	s.typeMetas[t] = mt
	return mt
}

// userIndex is __index of types with Get.
var userIndex = NewFunction("userdata.__index", func(c *Call) Status {
	u, ok := c.Arg(0).AsUserdata()
	if !ok {
		return c.TypeError(0, "userdata")
	}
	key, ok := c.Arg(1).AsString()
	if !ok {
		return c.Return1(Nil)
	}
	if m := u.typ.Methods[key]; m != nil {
		return c.Return1(m.Value())
	}
	return c.Return1(u.typ.Get(c, u.data, key))
})
