// Package interp is one interpreter of the kernel: a lua.State with the script
// API bound to it, and the loop that services what its fibers wait for.
//
//	in, err := interp.New(interp.Params{Library: lib})
//	defer in.Close()
//	res, err := in.Execute(ctx, interp.Request{Code: "return 6*7"})
//
// Bytecode runs on the goroutine that called Execute. A blocking host call
// suspends its fiber and runs on a goroutine of its own; script functions that
// it calls become fibers on Execute's goroutine. An idle Interp has no goroutine.
package interp

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// Slots hands out the right to execute bytecode (architecture: at most
// GOMAXPROCS-1 at once). A script inside a host call holds none.
type Slots interface {
	Acquire(ctx context.Context) error
	Release()
	// Yield is called at the end of a fuel slice by a holder. It gives the slot
	// to a waiter if the holder had it for 2 ms, and waits for another.
	Yield()
}

// Params are what an interpreter is made of.
type Params struct {
	Library     *bind.Library // modules, compiled once per kernel
	Slots       Slots         // nil: no limit
	Stdlib      lua.Stdlib
	MemoryLimit int64
	Pool        *lua.MemoryPool
	System      SystemParams
	Seed        uint64
	Local       *gate.Local // the session's engine objects; closed by the session
	Omit        []string    // modules of the library that this interpreter lacks
	MaxHandles  int         // 0 = 10,000
}

// Interp is one interpreter. One goroutine at a time executes; Interrupt is
// safe from any.
type Interp struct {
	p   Params
	st  *lua.State
	b   *bind.Binding
	sys lua.System

	mu     sync.Mutex
	run    *execution // in progress
	freed  []lua.Ref  // functions that Go code released
	closed bool
}

// New returns an interpreter with fresh globals.
func New(p Params) (*Interp, error) {
	if p.Library == nil {
		return nil, errors.New("interp: Params.Library is missing")
	}
	i := &Interp{p: p}
	i.sys = i.system()
	st, err := lua.New(lua.Options{
		Stdlib: p.Stdlib, MemoryLimit: p.MemoryLimit, Pool: p.Pool, System: &i.sys, Seed: p.Seed,
		Slice: i.slice, MaxHandles: p.MaxHandles, Host: (*host)(i), RefusalError: i.refusal,
	})
	if err != nil {
		return nil, err
	}
	i.st = st
	if i.b, err = p.Library.Install(st, bind.InstallParams{MemoryLimit: p.MemoryLimit, Omit: p.Omit}); err != nil {
		st.Close()
		return nil, err
	}
	return i, nil
}

// Request is one execution.
type Request struct {
	Code, Name string // Name: chunk name ("@file", "=name"); default "=execute"
	File       bool   // never rewritten to an expression
	Args       map[string]any
	Positional []any
	ScriptPath string
	Fuel       int64     // 0 = no limit
	Deadline   time.Time // of wall time; zero = none
	Run        *gate.Run // nil: a run without gate and events
	Stdin      io.Reader // nil: end of file
	Stdout     io.Writer // all output, unbounded, in program order with Stderr's; may be nil
	Stderr     io.Writer // output events are their concern too
	OutputCap  int       // captured bytes; 0 = 1 MiB
}

// Result is what an execution gave.
type Result struct {
	Value           []byte // JSON, lenient; nil for none
	ValueError      string
	Text            string
	Output          string
	OutputTruncated bool
	Instructions    int64
	PeakMemory      int64
	ExitCode        *int
}

// errInterrupted is the cause of a context that Interrupt cancelled.
var errInterrupted = errors.New("interrupted")

// Interrupt ends the execution in progress. Harmless when idle.
func (i *Interp) Interrupt() {
	i.mu.Lock()
	run := i.run
	i.mu.Unlock()
	if run != nil {
		run.cancel(errInterrupted)
	}
}

// Usage returns the counted bytes of the interpreter's heap. Not during Execute.
func (i *Interp) Usage() lua.Usage { return i.st.Usage() }

// Close ends the interpreter. Not during Execute. Idempotent.
func (i *Interp) Close() {
	i.mu.Lock()
	closed := i.closed
	i.closed = true
	i.mu.Unlock()
	if closed {
		return
	}
	i.b.Close()
	i.st.Close()
}

// slice is called by the VM at the end of a fuel slice.
func (i *Interp) slice() {
	if i.run != nil {
		i.run.out.flush(false)
	}
	if i.p.Slots != nil {
		i.p.Slots.Yield()
	}
}

// refusal makes the error values of refused operations.
func (i *Interp) refusal(st *lua.State, kind, message string) lua.Value {
	e := &fault.Error{Message: message}
	switch kind {
	case lua.RefusalMemory:
		e.Code = fault.MemoryLimit
		e.Hint = "[runtime.security] max_memory_bytes is the limit"
	case lua.RefusalFrozen:
		e.Code = fault.ReadOnly
	case lua.RefusalHandles:
		e.Code = fault.HandleLimit
	default:
		e.Code = fault.InvalidState
	}
	if i.b == nil { // while the state is being made
		return i.p.Library.ErrorValue(st, e)
	}
	return i.b.ErrorValue(e, "", "")
}

// host is the Interp as bound functions see it. Its methods are called on the
// goroutine that executes.
type host Interp

// effect passes an effect of the system library through the gate.
func effect[T any](i *Interp, c gate.Call, do func(context.Context) (T, error)) (T, error) {
	ctx := (*host)(i).Context()
	if ctx == nil {
		var none T
		return none, fault.Errorf(fault.InvalidState, "%s %s: only possible during an execution", c.Kind, c.Op)
	}
	return gate.Do(ctx, c, do)
}

func (h *host) Binding() *bind.Binding { return h.b }

// Context is that of the running fiber. A host call asks for it before it does
// anything, so what was printed before comes before its events.
func (h *host) Context() context.Context {
	if h.run == nil || h.run.current == nil {
		return nil
	}
	h.run.out.flush(false)
	return h.run.current.ctx
}

// Begin registers a blocking call.
func (h *host) Begin(p bind.Pending) []byte {
	h.run.out.flush(false)
	return h.run.begin(p)
}

// Function wraps a Lua function for Go code.
func (h *host) Function(fn lua.Value) *script.Function {
	i := (*Interp)(h)
	ref := i.st.Ref(fn)
	var once sync.Once
	return &script.Function{
		Invoke: func(ctx context.Context, args ...any) ([]any, error) { return i.invoke(ctx, ref, args) },
		Free: func() {
			once.Do(func() {
				i.mu.Lock()
				defer i.mu.Unlock()
				i.freed = append(i.freed, ref)
			})
		},
	}
}

// releaseFreed drops the functions that Go code released.
func (i *Interp) releaseFreed() {
	i.mu.Lock()
	freed := i.freed
	i.freed = nil
	i.mu.Unlock()
	for _, ref := range freed {
		i.st.Release(ref)
	}
}
