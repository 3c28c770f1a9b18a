package lua

import "time"

// Stdlib selects the standard library of a state.
type Stdlib uint8

const (
	StdlibStandard Stdlib = iota // everything but debug.sethook and what "All" adds
	StdlibNone                   // base without load
	StdlibBasic                  // leaves out io, os (but time, date, clock, difftime), package, debug
)

// Kinds of refusal, see Options.RefusalError.
const (
	RefusalMemory  = "memory"  // an allocation above the limit
	RefusalFrozen  = "frozen"  // a write to a frozen table
	RefusalHandles = "handles" // too many living coroutines or userdata
	RefusalSuspend = "suspend" // a host call that must wait where nothing can wait
	RefusalRestore = "restore" // use of what a restored snapshot could not bring back
)

// Options configure a new State. The zero value is a state without limits,
// without access to the system.
type Options struct {
	Stdlib      Stdlib
	MemoryLimit int64       // counted bytes; 0 = none
	Pool        *MemoryPool // shared limit over several states; nil = none
	System      *System     // files, clock, output, modules; nil: such functions raise "not available"

	// Slice, if not nil, is called by the running goroutine at the end of every
	// fuel slice (about 5,000 units, some 25 us) and may block. The kernel hands
	// its execution slot over here.
	Slice func()

	// Seed is the seed of math.random. 0 draws one from the system's source.
	Seed uint64

	// MaxHandles limits living coroutines and, apart from them, living userdata;
	// 0 = 10,000 of each.
	MaxHandles int

	// Host is the host's own value, for Go functions to find it by State.Host.
	Host any

	// RefusalError makes the error value raised for a refusal of kind. nil: the
	// message as a string. The value for RefusalMemory is made once, when the
	// state is created.
	RefusalError func(s *State, kind, message string) Value

	// Codec saves and restores what the host put into the state; nil: nothing of
	// it survives a snapshot but permanents.
	Codec *Codec

	test testSwitches
}

// testSwitches force rare paths.
type testSwitches struct {
	slice      int64 // fuel of a slice
	tightStack bool  // stacks grow to what is needed only, so at nearly every call
	walkAlways bool  // every allocation makes a walk due
	debug      bool  // the debug loop runs
	pause      bool  // a run pauses at the end of every slice, as if its fiber waited
}

// RunOptions are the limits of one run.
type RunOptions struct {
	Fuel     int64     // 0 = none
	Deadline time.Time // zero = none
}

// Fiber names a root coroutine of the current run. The main fiber of a run has
// the lowest number.
type Fiber uint64

// Stop says why a run ended without its script's consent. Stops cannot be
// caught by pcall and run no Lua while unwinding.
type Stop uint8

const (
	StopNone      Stop = iota
	StopInterrupt      // State.Interrupt
	StopDeadline       // RunOptions.Deadline passed
	StopFuel           // RunOptions.Fuel used up
	StopMemory         // the 9th refused allocation of the run
	StopExit           // os.exit
)

// String returns the reason in words.
func (p Stop) String() string {
	switch p {
	case StopInterrupt:
		return "interrupted"
	case StopDeadline:
		return "time limit reached"
	case StopFuel:
		return "instruction limit reached"
	case StopMemory:
		return "memory limit reached"
	case StopExit:
		return "exit"
	}
	return "none"
}

// Error is an error that ended a fiber.
type Error struct {
	Value     Value  // the error value; a string for a Stop
	Message   string // tostring of the value, computed without running Lua
	Traceback string // as debug.traceback gives it, "" for a memory refusal
	Stop      Stop
	ExitCode  int // for StopExit
}

func (e *Error) Error() string { return e.Message }

// Ended is a fiber that returned (Err nil) or failed.
type Ended struct {
	Fiber  Fiber
	Values []Value
	Err    *Error
}

// Suspension is a fiber that waits in a host call.
type Suspension struct {
	Fiber Fiber
	Token []byte
}

// Outcome is where a state stands when Run, Spawn, Resume or Cancel returns:
// no fiber can go on by itself. It is valid until the next of these calls.
type Outcome struct {
	Ended     []Ended      // fibers that ended during this call, in that order
	Suspended []Suspension // every fiber that waits now, in order of Fiber
	Stopped   []Stopped    // every fiber that a debugger stopped, in that order
	main      Fiber
}

// Main returns the end of the run's main fiber, or nil while it is suspended.
func (o *Outcome) Main() *Ended {
	for i := range o.Ended {
		if o.Ended[i].Fiber == o.main {
			return &o.Ended[i]
		}
	}
	return nil
}

// Usage are the counters of the current or last run and of the state.
type Usage struct {
	Fuel   int64 // used by the run
	Bytes  int64 // counted now: live at the last walk plus allocated since
	Peak   int64 // highest Bytes of the run
	Walks  int64
	Frozen int64 // tables that refuse writes
}
