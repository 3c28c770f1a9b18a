package interp

import (
	"context"
	"errors"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
)

// execution is one Execute in progress. What is not in mail belongs to the
// goroutine that executes.
type execution struct {
	i      *Interp
	r      Request
	ctx    context.Context // cancelled by Interrupt, the deadline and the end
	cancel context.CancelCauseFunc
	out    *output
	mail   mailbox

	current *fiber // runs now
	fibers  map[lua.Fiber]*fiber
	nfibers int
	pending map[uint64]*pending // registered or running host calls
	ntokens uint64

	slotErr error
	result  *Result
}

// fiber is what the execution knows of a fiber of the run.
type fiber struct {
	ctx   context.Context
	path  string // ordinal of the fiber in the run
	calls int    // blocking calls so far
	job   *callback
}

// Execute compiles and runs one request. On error, which is an *Error, the
// Result still carries output and counters.
func (i *Interp) Execute(ctx context.Context, r Request) (Result, error) {
	if r.Name == "" {
		r.Name = "=execute"
	}
	if r.Run == nil {
		r.Run = &gate.Run{StartedAt: time.Now()}
	}
	if r.Run.Local == nil {
		r.Run.Local = i.p.Local
	}
	chunk, err := i.compile(&r)
	if err != nil {
		return Result{}, syntaxError(err)
	}
	e := i.newExecution(ctx, r)
	defer e.close()
	if err := i.begin(e); err != nil {
		return Result{}, err
	}
	defer i.end()
	return e.execute(chunk)
}

func (i *Interp) newExecution(ctx context.Context, r Request) *execution {
	e := &execution{i: i, r: r, out: newOutput(&r), result: &Result{}}
	stop := func() {}
	if !r.Deadline.IsZero() {
		ctx, stop = context.WithDeadline(ctx, r.Deadline)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	e.ctx = gate.With(ctx, r.Run)
	e.cancel = func(cause error) { cancel(cause); stop() }
	return e
}

// begin makes e the execution that Interrupt ends and callbacks reach.
func (i *Interp) begin(e *execution) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return &Error{Code: string(fault.SessionClosed), Message: "the interpreter is closed"}
	case i.run != nil:
		return &Error{Code: string(fault.InvalidState), Message: "the interpreter is executing something else"}
	}
	i.run = e
	return nil
}

func (i *Interp) end() {
	i.mu.Lock()
	i.run = nil
	i.mu.Unlock()
}

// close cancels what is left of the execution.
func (e *execution) close() {
	e.cancel(context.Canceled)
	e.mail.close(e.jobs())
}

// execute runs the chunk to its end.
func (e *execution) execute(chunk *lua.Chunk) (Result, error) {
	st := e.i.st
	e.setArgs()
	stopInterrupting := e.interruptOnCancel()
	main := &fiber{ctx: gate.WithPath(e.ctx, "1"), path: "1"}
	e.nfibers = 1
	outcome, ok := e.enter(main, func() lua.Outcome {
		args := append([]lua.Value{st.Load(chunk)}, e.positional()...)
		return st.Run(mainFunction.Value(), args, lua.RunOptions{Fuel: e.r.Fuel, Deadline: e.r.Deadline})
	})
	var end *lua.Ended
	if ok {
		end = e.loop(main, *outcome)
	}
	stopInterrupting()
	e.cancel(context.Canceled)
	e.mail.settle()
	e.out.flush(true)

	e.result.Output, e.result.OutputTruncated = e.out.captured()
	u := st.Usage()
	e.result.Instructions, e.result.PeakMemory = u.Fuel, u.Peak
	return e.finish(end)
}

// finish tells how the main fiber ended; nil: it never ran.
func (e *execution) finish(end *lua.Ended) (Result, error) {
	if end == nil {
		return *e.result, (&Error{Cause: e.slotErr}).interrupted(e.ctx)
	}
	if end.Err == nil {
		return *e.result, nil
	}
	if end.Err.Stop == lua.StopExit {
		code := end.Err.ExitCode
		e.result.ExitCode = &code
		return *e.result, nil
	}
	e.result.Value, e.result.Text, e.result.ValueError = nil, "", ""
	return *e.result, e.scriptError(end.Err)
}

// enter runs bytecode as fiber f. ok = false: there was no slot to run in
// before the execution ended.
func (e *execution) enter(f *fiber, run func() lua.Outcome) (*lua.Outcome, bool) {
	if slots := e.i.p.Slots; slots != nil {
		if err := slots.Acquire(e.ctx); err != nil {
			e.slotErr = err
			return nil, false
		}
		defer slots.Release()
	}
	e.i.releaseFreed()
	e.current = f
	defer func() { e.current = nil }()
	outcome := run()
	return &outcome, true
}

// loop services what the fibers wait for until the main fiber ended.
func (e *execution) loop(main *fiber, outcome lua.Outcome) *lua.Ended {
	if e.fibers == nil && len(outcome.Suspended) > 0 {
		e.fibers = map[lua.Fiber]*fiber{outcome.Suspended[0].Fiber: main} // the only one so far
	}
	for {
		e.ended(&outcome)
		if end := outcome.Main(); end != nil {
			return end
		}
		e.startCalls(&outcome)
		next := e.service()
		if next == nil {
			return e.stopped()
		}
		outcome = *next
	}
}

// service handles messages until bytecode ran; nil: the execution must stop.
func (e *execution) service() *lua.Outcome {
	for {
		m := e.wait()
		if m == nil {
			return nil
		}
		outcome, ok := m.handle(e)
		if !ok {
			return nil
		}
		if outcome != nil {
			return outcome
		}
	}
}

// stopped ends a suspended run.
func (e *execution) stopped() *lua.Ended {
	reason := e.stopReason()
	outcome := e.i.st.Stop(reason)
	e.ended(&outcome)
	if end := outcome.Main(); end != nil {
		return end
	}
	return &lua.Ended{Err: &lua.Error{Stop: reason, Message: reason.String()}}
}

// stopReason says why the execution's context ended.
func (e *execution) stopReason() lua.Stop {
	if errors.Is(context.Cause(e.ctx), context.DeadlineExceeded) {
		return lua.StopDeadline
	}
	return lua.StopInterrupt
}

// wait returns the next message, nil when the execution must stop.
func (e *execution) wait() message {
	for e.ctx.Err() == nil {
		if m := e.mail.take(); m != nil {
			return m
		}
		select {
		case <-e.mail.ready():
		case <-e.ctx.Done():
		}
	}
	return nil
}

// interruptOnCancel interrupts the VM when the execution's context ends. The
// interrupt is repeated because one that comes before the run began is lost.
func (e *execution) interruptOnCancel() (stop func()) {
	finished, done := make(chan struct{}), make(chan struct{})
	unregister := context.AfterFunc(e.ctx, func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-finished:
				return
			default:
			}
			e.i.st.Interrupt()
			select {
			case <-finished:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(finished)
		if !unregister() {
			<-done
		}
	}
}
