package lua

import (
	"fmt"
	"strings"
	"unsafe"
)

// Status is what a Go function tells the loop when it returns. Go functions
// return the result of a Call method, never a literal.
type Status uint8

const (
	StatusDone    Status = iota // the pushed results are the results
	StatusError                 // the error value is set
	StatusYield                 // coroutine.yield
	StatusSuspend               // the fiber waits for State.Resume
	StatusCall                  // call another function, then resume the Step
)

// GoFunc is the implementation of a Go function. It reads arguments from c,
// pushes results on c, and returns. It must not keep c, nor Values across
// calls that run Lua.
type GoFunc func(c *Call) Status

// Function is a Go function as a Lua object. Functions made by NewFunction
// belong to the process: immutable, shared by all states, and permanents
// written by name in a snapshot.
type Function struct {
	object
	name    string // unique permanent name such as "string.rep"
	fn      GoFunc
	builtin builtin // handled by the call machinery itself
	upvals  []Value
}

// builtin marks the functions that switch frames or coroutines.
type builtin uint8

const (
	builtinNone builtin = iota
	builtinPcall
	builtinXpcall
	builtinResume
	builtinWrapped // what coroutine.wrap returns; upvalue 0 is the coroutine
	builtinYield
	builtinClose
	builtinNext
	builtinFinalize // calls the due __gc functions
)

// NewFunction returns a process-wide function. name identifies it in
// snapshots, tracebacks and messages: "module.function".
func NewFunction(name string, fn GoFunc) *Function {
	return newBuiltin(name, builtinNone, fn)
}

func newBuiltin(name string, b builtin, fn GoFunc) *Function {
	return &Function{
		object:  object{header: header{kind: KindFunction, flags: flagShared}, serial: nameSerial(name)},
		name:    name,
		fn:      fn,
		builtin: b,
	}
}

// nameSerial is an unseeded hash with the top bit set, apart from the serials
// states give out.
func nameSerial(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h>>36 | 1<<63
}

// Value returns f as a Value.
func (f *Function) Value() Value { return Value{p: &f.header} }

// Name returns the permanent name of f.
func (f *Function) Name() string { return f.name }

// shortName is the last part of the permanent name.
func (f *Function) shortName() string { return f.name[strings.LastIndexByte(f.name, '.')+1:] }

func (v Value) function() *Function { return (*Function)(unsafe.Pointer(v.p)) }
func (v Value) closure() *Closure   { return (*Closure)(unsafe.Pointer(v.p)) }
func (v Value) thread() *Thread     { return (*Thread)(unsafe.Pointer(v.p)) }
func (v Value) userdata() *Userdata { return (*Userdata)(unsafe.Pointer(v.p)) }

// AsFunction returns the Go function v holds.
func (v Value) AsFunction() (*Function, bool) {
	if v.Kind() == KindFunction {
		return v.function(), true
	}
	return nil, false
}

// NewClosure returns a Go function with values bound to it, owned by s. Its
// implementation is the shared function base; Call.Upvalue reads the values.
func (s *State) NewClosure(base *Function, upvalues ...Value) Value {
	s.chargeHost(chargeFunction + 16*int64(len(upvalues)))
	f := &Function{
		object:  object{header: header{kind: KindFunction}, serial: s.nextSerial()},
		name:    base.name,
		fn:      base.fn,
		builtin: base.builtin,
		upvals:  append([]Value(nil), upvalues...),
	}
	return f.Value()
}

// Call is one activation of a Go function: its arguments, results and state.
// There is one per state, reused, so calls allocate nothing. Arguments stay
// readable until the function returns, also after Push.
//
// Check methods report a failed check as ok = false with the standard Lua
// message already set ("bad argument #1 to 'rep' (number expected, got nil)");
// the function then returns c.Failed().
type Call struct {
	state   *State
	th      *Thread
	fn      *Function
	base    int  // stack slot of the function; the arguments follow
	n       int  // arguments
	nret    int  // results pushed behind the arguments
	single  bool // Return1 put the only result into the function's slot
	framed  bool // the function has a frame: it goes on after CallThen
	active  bool // a Go function runs now
	refused bool // an allocation failed: the call fails with refusal when it returns
	refusal Value
	pending int64 // bytes charged for what is not built yet: a walk cannot find them

	step  Step   // of CallThen
	want  int    // results of CallThen
	ncall int    // arguments of CallThen, behind the callee at base+1
	token []byte // of Suspend
}

// State returns the state the function runs in.
func (c *Call) State() *State { return c.state }

// NArgs returns the number of arguments.
func (c *Call) NArgs() int { return c.n }

// Arg returns argument i, counted from 0; Nil when absent.
func (c *Call) Arg(i int) Value {
	if uint(i) >= uint(c.n) {
		return Nil
	}
	return c.th.stack[c.base+1+i]
}

// Upvalue returns bound value i of a closure made by NewClosure.
func (c *Call) Upvalue(i int) Value { return c.fn.upvals[i] }

// SetUpvalue replaces bound value i.
func (c *Call) SetUpvalue(i int, v Value) { c.fn.upvals[i] = v }

// Push appends a result.
func (c *Call) Push(v Value) {
	slot := c.base + 1 + c.n + c.nret
	if slot >= len(c.th.stack) && !c.state.growStack(c.th, slot+1) {
		c.refuse()
		return
	}
	c.th.stack[slot] = v
	c.nret++
}

// Return ends the call with what was pushed.
func (c *Call) Return() Status { return StatusDone }

// Return1 pushes v and ends the call.
func (c *Call) Return1(v Value) Status {
	if c.nret == 0 {
		c.th.stack[c.base] = v
		c.single = true
		return StatusDone
	}
	c.Push(v)
	return StatusDone
}

// returnArgs ends the call with its arguments from i on as results.
func (c *Call) returnArgs(i int) Status {
	for ; i < c.n; i++ {
		c.Push(c.Arg(i))
	}
	return StatusDone
}

// Raise raises v as it is.
func (c *Call) Raise(v Value) Status {
	c.state.err = v
	return StatusError
}

// Errorf raises a string prefixed with the position of the calling Lua code.
func (c *Call) Errorf(format string, args ...any) Status {
	return c.Raise(c.state.errorString(c.Where(1) + fmt.Sprintf(format, args...)))
}

// ArgError raises "bad argument #i+1 to 'f' (msg)", adjusted for methods as in C Lua.
func (c *Call) ArgError(i int, msg string) Status {
	name, isMethod := c.calledAs()
	arg := i + 1
	if isMethod {
		arg--
		if arg == 0 {
			return c.Errorf("calling '%s' on bad self (%s)", name, msg)
		}
	}
	return c.Errorf("bad argument #%d to '%s' (%s)", arg, name, msg)
}

// TypeError raises ArgError "expected expected, got T" (T honours __name).
func (c *Call) TypeError(i int, expected string) Status {
	got := "no value"
	if i < c.n {
		got = c.state.typeName(c.Arg(i))
	}
	return c.ArgError(i, expected+" expected, got "+got)
}

// Failed returns the status of an error that a Check method or Charge set.
func (c *Call) Failed() Status { return StatusError }

// CheckInteger accepts an integer, an integral float or a string convertible
// to one ("number has no integer representation" otherwise).
func (c *Call) CheckInteger(i int) (v int64, ok bool) {
	a := c.Arg(i)
	if a.isInt() {
		return a.rawInt(), true
	}
	if n, ok := toInteger(a); ok {
		return n, true
	}
	if _, ok := toNumber(a); ok {
		c.ArgError(i, "number has no integer representation")
	} else {
		c.TypeError(i, "number")
	}
	return 0, false
}

// CheckNumber accepts a number or a numeric string.
func (c *Call) CheckNumber(i int) (v float64, ok bool) {
	a := c.Arg(i)
	if a.isFloat() {
		return a.rawFloat(), true
	}
	if f, ok := toFloat(a); ok {
		return f, true
	}
	c.TypeError(i, "number")
	return 0, false
}

// CheckString accepts a string or a number, which it formats.
func (c *Call) CheckString(i int) (v string, ok bool) {
	a := c.Arg(i)
	switch {
	case a.isString():
		return a.str(), true
	case a.isNumber():
		return formatNumber(a), true
	}
	c.TypeError(i, "string")
	return "", false
}

// CheckTable accepts a table.
func (c *Call) CheckTable(i int) (t *Table, ok bool) {
	if t, ok := c.Arg(i).AsTable(); ok {
		return t, true
	}
	c.TypeError(i, "table")
	return nil, false
}

// CheckAny fails when the argument is absent ("value expected").
func (c *Call) CheckAny(i int) bool {
	if i < c.n {
		return true
	}
	c.ArgError(i, "value expected")
	return false
}

// OptInteger is CheckInteger with def for an absent or nil argument.
func (c *Call) OptInteger(i int, def int64) (v int64, ok bool) {
	if c.Arg(i).IsNil() {
		return def, true
	}
	return c.CheckInteger(i)
}

// OptNumber is CheckNumber with def for an absent or nil argument.
func (c *Call) OptNumber(i int, def float64) (v float64, ok bool) {
	if c.Arg(i).IsNil() {
		return def, true
	}
	return c.CheckNumber(i)
}

// OptString is CheckString with def for an absent or nil argument.
func (c *Call) OptString(i int, def string) (v string, ok bool) {
	if c.Arg(i).IsNil() {
		return def, true
	}
	return c.CheckString(i)
}

// Charge asks for n more bytes of the state's memory before Go code builds
// something of that size, which it then hands to NewStringCharged. false: the
// request was refused and the error "not enough memory" is set.
func (c *Call) Charge(n int) bool {
	if !c.state.charge(int64(n)) {
		return false
	}
	c.pending += int64(n)
	return true
}

// Fuel subtracts n units for work done in Go and polls interrupt, deadline and
// fuel at least every 4,096 units. false: the run must stop; return Failed.
func (c *Call) Fuel(n int) bool { return c.state.useFuel(int64(n)) }

// NewString returns a charged string. A refused allocation makes it return Nil,
// and the call fails with "not enough memory" when it returns, whatever status
// it returns.
func (c *Call) NewString(s string) Value {
	if !c.state.charge(chargeString + int64(len(s))) {
		c.refuse()
		return Nil
	}
	return makeString(s)
}

// NewStringCharged returns a string whose len(s) bytes Charge already counted.
func (c *Call) NewStringCharged(s string) Value {
	c.pending = max(0, c.pending-int64(len(s)))
	c.state.chargeHost(chargeString)
	return makeString(s)
}

// NewTable returns a charged table; refused as NewString is, it returns an
// empty uncharged one.
func (c *Call) NewTable(narray, nfields int) *Table {
	if !c.state.charge(tableCharge(narray, nfields)) {
		c.refuse()
		narray, nfields = 0, 0
	}
	return newTable(c.state.nextSerial(), narray, nfields)
}

// refuse makes the call fail with s.err when it returns.
func (c *Call) refuse() { c.refused, c.refusal = true, c.state.err }

// Suspend leaves the function unfinished: the fiber waits until
// State.Resume gives the results of this call. token says what it waits for.
func (c *Call) Suspend(token []byte) Status {
	c.token = token
	return StatusSuspend
}

// Step is the state of a Go function that calls Lua and goes on afterwards,
// kept in its frame instead of on the Go stack, so that the callee may suspend.
// A Step that holds Values implements ValueHolder too.
type Step interface {
	// Resume continues after the callee returned; c.NArgs and c.Arg are now the
	// callee's results. It returns as a GoFunc does.
	Resume(c *Call) Status
}

// ValueHolder is a Step with Values in it: memory walks count them, and
// collectgarbage neither clears weak references to them nor calls their __gc.
type ValueHolder interface {
	MarkValues(mark func(Value))
}

// CallThen calls fn(args...) and then step.Resume with up to nresults results
// (-1: all). The original arguments are gone: keep what is needed in the step.
func (c *Call) CallThen(step Step, nresults int, fn Value, args ...Value) Status {
	at := c.base + 1
	if need := at + 1 + len(args); need > len(c.th.stack) && !c.state.growStack(c.th, need) {
		return StatusError
	}
	c.th.stack[at] = fn
	copy(c.th.stack[at+1:], args)
	c.step, c.want, c.ncall = step, nresults, len(args)
	return StatusCall
}

// Metafield returns the field of v's metatable, or Nil.
func (c *Call) Metafield(v Value, name string) Value {
	if mt := c.state.metatable(v); mt != nil {
		return mt.get(internConstant(name))
	}
	return Nil
}

// Where returns "chunk:line:" + " " of the Lua function at level (1 = the
// caller), or "".
func (c *Call) Where(level int) string { return c.state.where(c.th, level) }
