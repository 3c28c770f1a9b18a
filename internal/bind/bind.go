// Package bind joins script rows and the VM: it compiles modules to frozen
// globals, checks arguments by their rows, converts values both ways and turns
// faults into Lua error values.
//
//	lib, err := bind.NewLibrary(luamod.JSON(), luamod.Config(cfg))
//	b, err := lib.Install(state, bind.InstallParams{})
//
// A Library is immutable and shared by all interpreters of a kernel; what
// belongs to one interpreter is its [Binding].
package bind

import (
	"context"

	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// Module is a script module whose functions may be written against the VM
// where identity of Lua values matters (JSON.array, Streaming.create). Raw
// replaces the Call of the function of that name; its row stays documentation
// and argument check.
type Module struct {
	script.Module
	Raw map[string]lua.GoFunc
}

// Host is the interpreter that bound functions run in: the lua.Options.Host of
// their state. Its methods are called on the goroutine that runs the state.
type Host interface {
	// Binding returns what Library.Install returned for the state.
	Binding() *Binding
	// Context is that of the running fiber; it carries the gate.Run. nil: no
	// execution is in progress (a finalizer runs while the state closes) and no
	// host call may be made.
	Context() context.Context
	// Begin registers a blocking call and returns the token the fiber waits
	// for. The call is started once the fiber is suspended.
	Begin(p Pending) (token []byte)
	// Function wraps a Lua function for Go code.
	Function(fn lua.Value) *script.Function
}

// Pending is a blocking call on its way to a goroutine of its own.
type Pending struct {
	Name string
	Call func(ctx context.Context) ([]any, error)
	// Where and Traceback tell the place of the call for an error value.
	Where, Traceback string
	// Functions are the script functions among its arguments.
	Functions []*script.Function
}

// HostOf returns the interpreter of a call.
func HostOf(c *lua.Call) Host { return c.State().Host().(Host) }

// Block suspends the fiber of c until call, run on a goroutine of its own,
// returned. It is how Raw functions and the system library wait.
func Block(c *lua.Call, name string, call func(ctx context.Context) ([]any, error)) lua.Status {
	return c.Suspend(HostOf(c).Begin(Pending{Name: name, Call: call, Where: where(c), Traceback: c.Traceback(1)}))
}
