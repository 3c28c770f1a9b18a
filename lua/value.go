package lua

import (
	"math"
	"unsafe"
)

// Kind is the type of a Value. Integers and floats are distinct kinds of the
// Lua type "number"; false and true are distinct kinds of "boolean".
type Kind uint8

// The order is part of the VM: collectable kinds come last, and every static
// kind has one process-wide header.
const (
	KindNil Kind = iota
	KindFalse
	KindTrue
	KindInt
	KindFloat
	KindString
	KindTable
	KindClosure  // a Lua function
	KindFunction // a Go function
	KindThread
	KindUserdata
)

// header is the first field of every object a Value can point to.
type header struct {
	kind  Kind
	flags uint8  // object flags, see flag*
	epoch uint32 // number of the last walk that reached the object
}

const (
	flagShared    uint8 = 1 << iota // owned by the process, not by a state: a walk neither enters nor marks it
	flagFrozen                      // table refuses every write
	flagBorrowed                    // table shares its entries with the process-wide library until the first write
	flagArray                       // table marked as a JSON array by its host
	flagFinalizer                   // object has a __gc metamethod registered
	flagPermanent                   // snapshots name the object, see permanents.go
)

// object is the start of every collectable value but strings. Its serial is the
// order of creation in the state; process-wide functions have one made from
// their name. Identity hashes and tostring use it, never the address.
type object struct {
	header
	serial uint64
}

// Value is any Lua value: 16 bytes. The kind is the first byte of what p points
// to; numbers and booleans point to a static header, nil is the zero Value. n
// holds the integer, the float's bits, or a string's hash; it is 0 for all
// other objects.
type Value struct {
	p *header
	n uint64
}

// statics are the headers of the kinds without an object. Never written.
var statics = [...]header{{kind: KindNil}, {kind: KindFalse}, {kind: KindTrue}, {kind: KindInt}, {kind: KindFloat}}

// Nil is the Lua value nil.
var Nil = Value{}

// Boolean returns b as a Value.
func Boolean(b bool) Value {
	if b {
		return Value{p: &statics[KindTrue]}
	}
	return Value{p: &statics[KindFalse]}
}

// Integer returns i as a Value of subtype integer.
func Integer(i int64) Value { return Value{&statics[KindInt], uint64(i)} }

// Float returns f as a Value of subtype float.
func Float(f float64) Value { return Value{&statics[KindFloat], math.Float64bits(f)} }

// Kind returns the kind of v.
func (v Value) Kind() Kind {
	if v.p == nil {
		return KindNil
	}
	return v.p.kind
}

// IsNil reports whether v is nil.
func (v Value) IsNil() bool { return v.p == nil }

// Truthy reports whether v counts as true in a condition.
func (v Value) Truthy() bool { return v.p != nil && v.p != &statics[KindFalse] }

func (v Value) isInt() bool       { return v.p == &statics[KindInt] }
func (v Value) isFloat() bool     { return v.p == &statics[KindFloat] }
func (v Value) isNumber() bool    { return v.p == &statics[KindInt] || v.p == &statics[KindFloat] }
func (v Value) isString() bool    { return v.p != nil && v.p.kind == KindString }
func (v Value) rawInt() int64     { return int64(v.n) }
func (v Value) rawFloat() float64 { return math.Float64frombits(v.n) }

// str returns the bytes of a string value; v must be a string.
func (v Value) str() string { return (*String)(unsafe.Pointer(v.p)).s }

// table returns the table of a table value; v must be a table.
func (v Value) table() *Table { return (*Table)(unsafe.Pointer(v.p)) }

// AsBoolean returns the boolean v holds.
func (v Value) AsBoolean() (b, ok bool) {
	switch v.Kind() {
	case KindTrue:
		return true, true
	case KindFalse:
		return false, true
	}
	return false, false
}

// AsInteger returns the integer v holds, without conversions.
func (v Value) AsInteger() (int64, bool) {
	if v.isInt() {
		return v.rawInt(), true
	}
	return 0, false
}

// AsFloat returns the float v holds, without conversions.
func (v Value) AsFloat() (float64, bool) {
	if v.isFloat() {
		return v.rawFloat(), true
	}
	return 0, false
}

// AsString returns the bytes of a string value, without conversions.
func (v Value) AsString() (string, bool) {
	if v.isString() {
		return v.str(), true
	}
	return "", false
}

// AsTable returns the table v holds.
func (v Value) AsTable() (*Table, bool) {
	if v.p != nil && v.p.kind == KindTable {
		return v.table(), true
	}
	return nil, false
}

// AsUserdata returns the userdata v holds.
func (v Value) AsUserdata() (*Userdata, bool) {
	if v.p != nil && v.p.kind == KindUserdata {
		return (*Userdata)(unsafe.Pointer(v.p)), true
	}
	return nil, false
}

// IsFunction reports whether v is a Lua or Go function.
func (v Value) IsFunction() bool {
	k := v.Kind()
	return k == KindClosure || k == KindFunction
}

// TypeName returns the name type() gives: "nil", "boolean", "number",
// "string", "table", "function", "thread" or "userdata".
func (v Value) TypeName() string { return typeNames[v.Kind()] }

var typeNames = [...]string{
	KindNil: "nil", KindFalse: "boolean", KindTrue: "boolean", KindInt: "number", KindFloat: "number",
	KindString: "string", KindTable: "table", KindClosure: "function", KindFunction: "function",
	KindThread: "thread", KindUserdata: "userdata",
}

// String is a Lua string object: immutable bytes. Its hash lives in the Value.
type String struct {
	header
	s string
}
