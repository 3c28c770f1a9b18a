package llmspell

import (
	"context"
	"encoding/json"
	"iter"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/session"
)

// Statuses of a run.
const (
	RunQueued    = "queued"
	RunRunning   = "running"
	RunSucceeded = "succeeded"
	RunFailed    = "failed"
	RunCancelled = "cancelled"
)

var (
	errCancelled   = &fault.Error{Code: fault.Interrupted, Message: "execution cancelled"}
	errInterrupted = &fault.Error{Code: fault.Interrupted, Message: "execution interrupted"}
)

// Run is one execution as a thing of its own. Its methods are safe for
// concurrent use.
type Run struct {
	id      string
	tenant  string
	source  string
	session *Session // nil: a fresh interpreter
	queue   *session.Queue
	lane    *session.Lane
	request Request // released at the end

	ctx    context.Context
	cancel context.CancelCauseFunc
	log    eventLog
	output outputEvents
	input  inputReader
	effect gate.Run
	ended  func(*Run)    // called once, before done
	done   chan struct{} // closed after the terminal event and the last call of Request.Events

	mu        sync.Mutex
	status    string
	result    Result
	err       error
	ticket    *session.Ticket // while queued by Start
	createdAt time.Time
	startedAt time.Time
	endedAt   time.Time
}

// RunInfo describes a run.
type RunInfo struct {
	ID        string    `json:"id"`
	SessionID string    `json:"session_id,omitempty"`
	Status    string    `json:"status"` // queued running succeeded failed cancelled
	Result    *Result   `json:"result,omitempty"`
	Err       error     `json:"-"`
	Usage     Usage     `json:"usage"`
	CreatedAt time.Time `json:"created_at"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
}

// newRun makes a run that is bound to ctx. ended is called once when it is over.
func newRun(ctx context.Context, id string, req Request, s *Session, q *session.Queue, lane *session.Lane, ended func(*Run)) *Run {
	r := &Run{
		id: id, tenant: req.Tenant, source: req.Source, session: s, queue: q, lane: lane, request: req,
		status: RunQueued, createdAt: time.Now(), ended: ended, done: make(chan struct{}),
	}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.output.run = r
	r.input.run = r
	r.log.append(eventQueued, r.createdAt, runState{r.sessionID()}, eventOverhead, false)
	return r
}

// runState is the data of run.queued and run.started.
type runState struct {
	SessionID string `json:"session_id,omitempty"`
}

// eventOverhead is what a small event counts toward the bound of a log.
const eventOverhead = 128

// ID returns the run's id.
func (r *Run) ID() string { return r.id }

func (r *Run) sessionID() string {
	if r.session == nil {
		return ""
	}
	return r.session.id
}

// Info returns where the run stands. Usage is counted up to now.
func (r *Run) Info() RunInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	info := RunInfo{
		ID: r.id, SessionID: r.sessionID(), Status: r.status, Err: r.err,
		CreatedAt: r.createdAt, StartedAt: r.startedAt, EndedAt: r.endedAt,
	}
	if r.endedAt.IsZero() {
		info.Usage = usageOf(&r.effect.Usage)
		return info
	}
	info.Usage = r.result.Usage
	if r.err == nil {
		info.Result = new(r.result)
	}
	return info
}

// Wait blocks until the run ended or ctx is done.
func (r *Run) Wait(ctx context.Context) (Result, error) {
	select {
	case <-r.done:
		return r.outcome()
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

func (r *Run) outcome() (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result, r.err
}

// Cancel interrupts the run. Idempotent.
func (r *Run) Cancel() { r.stop(errCancelled) }

// stop tells the run to end because of cause.
func (r *Run) stop(cause error) {
	r.cancel(cause)
	r.mu.Lock()
	ticket := r.ticket
	r.mu.Unlock()
	if ticket != nil && r.queue.Withdraw(ticket) {
		r.finish(Result{}, interruptedError(r.id, "", context.Cause(r.ctx)))
	}
}

// Input answers a pending input request; ErrNotFound when none is pending.
func (r *Run) Input(text string) error { return r.input.answer(text) }

// Events yields the run's events after sequence number after, waiting for new
// ones until the terminal event. It ends with ErrEventsExpired when the event
// that comes next is no longer kept, or with ctx's error. A slow reader never
// slows the run.
func (r *Run) Events(ctx context.Context, after int64) iter.Seq2[Event, error] {
	return r.log.read(ctx, after)
}

// begin records the start of execution.
func (r *Run) begin(now time.Time) {
	r.mu.Lock()
	r.status, r.startedAt, r.ticket = RunRunning, now, nil
	r.mu.Unlock()
	r.log.append(eventStarted, now, runState{r.sessionID()}, eventOverhead, false)
}

// emit publishes an event of an engine. Its data is kept as JSON, so that later
// changes to it do not show.
func (r *Run) emit(kind string, data any) {
	raw, err := marshal(data)
	if err != nil {
		raw, _ = marshal(map[string]string{"error": "event data does not marshal: " + err.Error()})
	}
	r.output.flush()
	r.log.append(kind, time.Now(), json.RawMessage(raw), len(raw)+eventOverhead, false)
}

// finish records the end, publishes the terminal event and wakes who waits.
func (r *Run) finish(result Result, err error) {
	r.cancel(nil)
	r.output.flush()
	result.RunID, result.SessionID = r.id, r.sessionID()
	kind, status, data := eventSucceeded, RunSucceeded, any(result)
	if err != nil {
		kind, status, data = eventFailed, RunFailed, Failure{err}
		if codeOf(err) == fault.Interrupted {
			kind, status = eventCancelled, RunCancelled
		}
	}
	now := time.Now()
	r.mu.Lock()
	r.status, r.result, r.err, r.endedAt, r.ticket = status, result, err, now, nil
	deliver := r.request.Events
	r.request = Request{}
	r.mu.Unlock()
	r.log.append(kind, now, data, eventOverhead, true)
	r.ended(r)
	if deliver == nil {
		close(r.done)
	}
}

// deliver calls fn with every event that is still kept, then reports the end.
func (r *Run) deliver(fn func(Event)) {
	defer close(r.done)
	for after := int64(0); ; {
		expired := false
		for e, err := range r.log.read(context.Background(), after) {
			if err != nil {
				expired = true
				break
			}
			fn(e)
			after = e.Seq
		}
		if !expired {
			return
		}
		after = r.log.oldest() - 1
	}
}

// retained is a rough size of what an ended run keeps.
func (r *Run) retained() int {
	r.mu.Lock()
	n := len(r.result.Output) + len(r.result.Value) + len(r.result.Text)
	r.mu.Unlock()
	return n + r.log.size() + 1024
}
