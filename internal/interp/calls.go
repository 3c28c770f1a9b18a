package interp

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// pending is a blocking host call: registered by begin, started when its fiber
// is suspended, over when its message was taken.
type pending struct {
	bind.Pending
	fiber   *fiber
	handle  lua.Fiber // once started
	started bool
}

// begin registers a call of the running fiber and returns its token.
func (e *execution) begin(p bind.Pending) []byte {
	if e.pending == nil {
		e.pending = map[uint64]*pending{}
	}
	e.ntokens++
	e.pending[e.ntokens] = &pending{Pending: p, fiber: e.current}
	return binary.BigEndian.AppendUint64(nil, e.ntokens)
}

// startCalls starts the calls whose fibers are suspended now. A call that was
// registered by a fiber that could not be suspended is forgotten.
func (e *execution) startCalls(outcome *lua.Outcome) {
	for _, s := range outcome.Suspended {
		p := e.pending[binary.BigEndian.Uint64(s.Token)]
		if p == nil || p.started {
			continue
		}
		p.started, p.handle = true, s.Fiber
		p.fiber.calls++
		ctx := gate.WithPath(p.fiber.ctx, p.fiber.path+"."+strconv.Itoa(p.fiber.calls))
		e.start(withHostCall(ctx), binary.BigEndian.Uint64(s.Token), p)
	}
	for token, p := range e.pending {
		if !p.started {
			release(p.Functions)
			delete(e.pending, token)
		}
	}
}

func release(functions []*script.Function) {
	for _, f := range functions {
		f.Release()
	}
}

// start runs a call on a goroutine of its own.
func (e *execution) start(ctx context.Context, token uint64, p *pending) {
	e.mail.hostCall(1)
	go func() {
		defer e.mail.hostCall(-1)
		results, err := call(ctx, p)
		e.mail.post(&returned{token: token, results: results, err: err})
	}()
}

// call turns a panic of a host function into an error that tells the script nothing.
func call(ctx context.Context, p *pending) (results []any, err error) {
	defer func() {
		if r := recover(); r != nil {
			if run := gate.Of(ctx); run != nil && run.Logger != nil {
				run.Logger.Error("host call panicked", "function", p.Name, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			}
			results, err = nil, fault.Errorf(fault.Internal, "%s failed unexpectedly", p.Name)
		}
	}()
	return p.Call(ctx)
}

// message is something the executing goroutine has to do. handle returns nil
// when no bytecode ran, and ok = false when the execution must stop.
type message interface {
	handle(e *execution) (outcome *lua.Outcome, ok bool)
}

// returned is the end of a blocking call.
type returned struct {
	token   uint64
	results []any
	err     error
}

func (r *returned) handle(e *execution) (*lua.Outcome, bool) {
	p := e.pending[r.token]
	delete(e.pending, r.token)
	if p == nil || e.fibers[p.handle] == nil { // its fiber was cancelled
		return nil, true
	}
	return e.enter(p.fiber, func() lua.Outcome {
		values, err := e.values(r.results)
		if r.err != nil {
			err = r.err
		}
		if err != nil {
			return e.i.st.ResumeError(p.handle, e.i.b.ErrorValue(err, p.Where, p.Traceback))
		}
		return e.i.st.Resume(p.handle, values)
	})
}

func (e *execution) values(results []any) ([]lua.Value, error) {
	values := make([]lua.Value, len(results))
	for i, r := range results {
		v, err := e.i.b.ToLua(e.i.st, r)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}
