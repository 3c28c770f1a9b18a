package llmspell

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/session"
)

// Execute runs code in a fresh interpreter of the default tenant.
func (k *Kernel) Execute(ctx context.Context, code string) (Result, error) {
	return k.Run(ctx, Request{Code: code})
}

// Run runs one request and waits for it. Cancelling ctx interrupts the script
// within 50 ms. A failing script is an error: *ScriptError, *LimitError or a
// *fault.Error for what kept it from running; the Result then still holds
// output and usage.
func (k *Kernel) Run(ctx context.Context, req Request) (Result, error) {
	s, err := k.sessionOf(req)
	if err != nil {
		return Result{}, err
	}
	return k.run(ctx, req, s)
}

// run is Run for a session that has been looked up, nil for none.
func (k *Kernel) run(ctx context.Context, req Request, s *Session) (Result, error) {
	r, err := k.prepare(ctx, req, s)
	if err != nil {
		return Result{}, err
	}
	if err := k.queue.Enter(r.ctx, r.lane); err == nil {
		k.execute(r)
	} else if r.ctx.Err() != nil {
		r.finish(Result{}, interruptedError(r.id, "", context.Cause(r.ctx)))
	} else {
		k.discard(r, err)
		return Result{}, err
	}
	<-r.done
	return r.outcome()
}

// Start queues a request and returns at once; the run is not bound to ctx.
func (k *Kernel) Start(ctx context.Context, req Request) (*Run, error) {
	s, err := k.sessionOf(req)
	if err != nil {
		return nil, err
	}
	r, err := k.prepare(context.WithoutCancel(ctx), req, s)
	if err != nil {
		return nil, err
	}
	ticket, err := k.queue.Go(r.lane, func(refused error) {
		if refused != nil {
			r.finish(Result{}, interruptedError(r.id, "", refused))
			return
		}
		k.execute(r)
	})
	if err != nil {
		k.discard(r, err)
		return nil, err
	}
	r.mu.Lock()
	if r.status == RunQueued {
		r.ticket = ticket
	}
	r.mu.Unlock()
	return r, nil
}

// LookupRun returns a run of a tenant. Plain runs stay readable for 60 s after
// their end (the last 1,000): then ErrEventsExpired, or ErrNotFound.
func (k *Kernel) LookupRun(tenant, id string) (*Run, error) {
	return k.runs.lookup(k.tenantOr(tenant), id)
}

// Runs lists the runs of a tenant that LookupRun finds, oldest first.
func (k *Kernel) Runs(tenant string) []*Run { return k.runs.list(k.tenantOr(tenant)) }

func (k *Kernel) tenantOr(tenant string) string {
	if tenant == "" {
		return k.defaultTenant()
	}
	return tenant
}

func (k *Kernel) sessionOf(req Request) (*Session, error) {
	if req.SessionID == "" {
		return nil, nil
	}
	return k.sessions.get(k.tenantOr(req.Tenant), req.SessionID)
}

// prepare checks a request and registers its run.
func (k *Kernel) prepare(ctx context.Context, req Request, s *Session) (*Run, error) {
	st := k.settings.Load()
	if err := req.normalize(st.tenant); err != nil {
		return nil, err
	}
	if limit := st.poolLimit; limit > 0 && k.pool.Used() > limit/10*9 {
		e := fault.Errorf(fault.Overloaded, "scripts use %d of %d bytes of memory (runtime.max_total_memory_bytes)", k.pool.Used(), limit)
		e.Retryable, e.RetryAfterMS = true, 1000
		return nil, e
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	r := newRun(ctx, id, req, s, k.queue, k.laneOf(req.Tenant, s), k.ended)
	k.runs.add(r)
	k.lastActivity.Store(r.createdAt.UnixNano())
	if req.Events != nil {
		k.delivery.Go(func() { r.deliver(req.Events) })
	}
	return r, nil
}

// laneOf returns the queue of a session, or that of a tenant's executions
// without one.
func (k *Kernel) laneOf(tenant string, s *Session) *session.Lane {
	if s != nil {
		return s.lane
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l, ok := k.plain[tenant]
	if !ok {
		l = session.NewLane(false)
		k.plain[tenant] = l
	}
	return l
}

// discard undoes prepare for a run that was refused.
func (k *Kernel) discard(r *Run, err error) {
	r.ended = func(*Run) {}
	r.finish(Result{}, err)
	k.runs.remove(r)
}

// ended keeps the books when a run is over.
func (k *Kernel) ended(r *Run) {
	info := r.Info()
	k.executions.Add(1)
	k.lastActivity.Store(info.EndedAt.UnixNano())
	k.runs.retire(r, info.EndedAt)
	k.janitor.wake()
	took := time.Duration(0) // of a run that never began
	if !info.StartedAt.IsZero() {
		took = info.EndedAt.Sub(info.StartedAt)
	}
	k.infra.metrics.execution(r.source, outcomeOf(info.Err), took)
}

// execute runs an admitted run to its end.
func (k *Kernel) execute(r *Run) {
	defer k.queue.Leave(r.lane)
	r.finish(k.interpret(r))
}

func (k *Kernel) interpret(r *Run) (Result, error) {
	now := time.Now()
	r.begin(now)
	if r.ctx.Err() != nil {
		return Result{}, interruptedError(r.id, "", context.Cause(r.ctx))
	}
	st := k.settings.Load()
	seed, endJournal, err := k.effects(r, st, now)
	if err != nil {
		return Result{}, err
	}
	m, release, err := k.machineFor(r, st, seed)
	if err != nil {
		return Result{}, endTape(endJournal, err)
	}
	defer release()
	res, err := k.onMachine(m, r, st, now)
	err = endTape(endJournal, err)
	result := Result{
		Value: json.RawMessage(res.Value), ValueError: res.ValueError, Text: res.Text,
		Output: res.Output, OutputTruncated: res.OutputTruncated, ExitCode: res.ExitCode,
		Usage: usageOf(&r.effect.Usage), Duration: time.Since(now),
	}
	result.Usage.Instructions, result.Usage.PeakMemoryBytes = res.Instructions, res.PeakMemory
	if err != nil {
		err = errorOf(err, r.id, res.Output, context.Cause(r.ctx))
	}
	return result, err
}

// onMachine executes the run's code. A panic ends the machine, never the
// process.
func (k *Kernel) onMachine(m *machine, r *Run, st *settings, now time.Time) (res interp.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			k.logger.Error("execution panicked", "component", "kernel", "run", r.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			m.broken = true
			err = fault.Errorf(fault.Internal, "execution failed unexpectedly")
		}
	}()
	deadline := st.deadline(now, r.request.Timeout)
	m.slot.Begin(deadline)
	defer context.AfterFunc(r.ctx, m.slot.Hurry)()
	r.effect.Local = m.local
	return m.interp.Execute(gate.With(r.ctx, &r.effect), interp.Request{
		Code: r.request.Code, Name: r.request.Name, File: r.request.File,
		Args: r.request.Args, Positional: r.request.Positional, ScriptPath: r.request.ScriptPath,
		Fuel: st.fuel, Deadline: deadline, Run: &r.effect,
		Stdin: r.stdin(), Stdout: r.writer("stdout", r.request.Stdout), Stderr: r.writer("stderr", r.request.Stderr),
		OutputCap: maxOutput,
	})
}

// stdin is what the script's io.read reads; nil is end of file.
func (r *Run) stdin() io.Reader {
	if r.request.Interactive {
		return &r.input
	}
	return r.request.Stdin
}

// writer is where one output stream goes: to the events of the run and to the
// request's own writer.
func (r *Run) writer(name string, also io.Writer) io.Writer {
	events := stream{&r.output, name}
	if also == nil {
		return events
	}
	return io.MultiWriter(events, also)
}
