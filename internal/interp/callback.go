package interp

import (
	"context"
	"strconv"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
)

// maxCallbackDepth is how deep script functions called by host calls may nest.
const maxCallbackDepth = 8

type (
	depthKey    struct{}
	hostCallKey struct{}
)

// withHostCall marks ctx as that of a blocking host call, the only place that
// may call script functions: the script is suspended meanwhile.
func withHostCall(ctx context.Context) context.Context {
	return context.WithValue(ctx, hostCallKey{}, true)
}

// callback is a script function called by a host call.
type callback struct {
	ref   lua.Ref
	args  []any
	ctx   context.Context
	fiber lua.Fiber
	done  chan reply // takes one reply
}

type reply struct {
	results []any
	err     error
}

// invoke calls the function behind ref from a host call's goroutine.
func (i *Interp) invoke(ctx context.Context, ref lua.Ref, args []any) ([]any, error) {
	if ctx.Value(hostCallKey{}) == nil {
		return nil, fault.Errorf(fault.InvalidState, "script functions can only be called from a blocking host call")
	}
	depth, _ := ctx.Value(depthKey{}).(int)
	if depth >= maxCallbackDepth {
		return nil, fault.Errorf(fault.CallbackDepth, "script functions called by host calls nest deeper than %d", maxCallbackDepth)
	}
	i.mu.Lock()
	run := i.run
	i.mu.Unlock()
	job := &callback{ref: ref, args: args, ctx: context.WithValue(ctx, depthKey{}, depth+1), done: make(chan reply, 1)}
	if run == nil || !run.mail.post(&invocation{job}) {
		return nil, fault.Errorf(fault.InvalidState, "the execution that the function belongs to has ended")
	}
	select {
	case r := <-job.done:
		return r.results, r.err
	case <-ctx.Done():
		run.mail.post(&cancellation{job})
		return nil, ctx.Err()
	}
}

// invocation starts a callback as a fiber.
type invocation struct{ job *callback }

func (m *invocation) handle(e *execution) (*lua.Outcome, bool) {
	job := m.job
	if job.ctx.Err() != nil {
		job.done <- reply{err: job.ctx.Err()}
		return nil, true
	}
	args, err := e.values(job.args)
	if err != nil {
		job.done <- reply{err: err}
		return nil, true
	}
	e.nfibers++
	path := strconv.Itoa(e.nfibers)
	f := &fiber{path: path, job: job, ctx: gate.WithPath(gate.WithCovered(e.inside(job.ctx), false), path)}
	return e.enter(f, func() lua.Outcome {
		handle, outcome := e.i.st.Spawn(e.i.st.Deref(job.ref), args)
		job.fiber = handle
		e.fibers[handle] = f
		return outcome
	})
}

// inside returns the context of a callback's fiber: host calls it makes are not
// yet host calls here.
func (e *execution) inside(ctx context.Context) context.Context {
	if gate.Of(ctx) == nil {
		ctx = gate.With(ctx, e.r.Run)
	}
	return context.WithValue(ctx, hostCallKey{}, nil)
}

// cancellation ends a callback whose caller does not wait any more.
type cancellation struct{ job *callback }

func (m *cancellation) handle(e *execution) (*lua.Outcome, bool) {
	f := e.fibers[m.job.fiber]
	if f == nil || f.job != m.job {
		return nil, true
	}
	return e.enter(f, func() lua.Outcome { return e.i.st.Cancel(m.job.fiber) })
}

// ended answers the callbacks whose fibers ended.
func (e *execution) ended(outcome *lua.Outcome) {
	for i := range outcome.Ended {
		end := &outcome.Ended[i]
		f := e.fibers[end.Fiber]
		delete(e.fibers, end.Fiber)
		if f != nil && f.job != nil {
			f.job.done <- e.answer(end)
		}
	}
}

func (e *execution) answer(end *lua.Ended) reply {
	if end.Err != nil {
		if end.Err.Stop != lua.StopNone {
			return reply{err: e.stopFault(end.Err)}
		}
		return reply{err: e.i.b.Error(end.Err.Value, end.Err.Message)}
	}
	results := make([]any, len(end.Values))
	for i, v := range end.Values {
		data, err := e.i.b.ResultToGo(v)
		if err != nil {
			return reply{err: err}
		}
		results[i] = data
	}
	return reply{results: results}
}

func (e *execution) stopFault(err *lua.Error) error {
	s := e.stopError(err)
	return &fault.Error{Code: fault.Code(s.Code), Message: s.Message}
}

// jobs returns the callbacks that were not answered.
func (e *execution) jobs() []*callback {
	var jobs []*callback
	for _, f := range e.fibers {
		if f.job != nil {
			jobs = append(jobs, f.job)
		}
	}
	return jobs
}
