package agent

import (
	"context"
	"slices"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// State is what an agent is doing.
type State string

// The states of an agent.
const (
	Ready      State = "Ready"
	Running    State = "Running"
	Paused     State = "Paused"
	Stopped    State = "Stopped"
	Failed     State = "Error"
	Terminated State = "Terminated"
)

// Change is one change of state.
type Change struct {
	From, To State
	Time     time.Time
	Reason   string
}

// maxChanges bounds the kept changes of one agent.
const maxChanges = 1000

type life struct {
	state   State
	changes []Change
	lastErr error
}

// counters are what GetMetrics reports.
type counters struct {
	total, failed, active, tools int64
	row                          int             // failures in a row
	took                         []time.Duration // of the last executions
}

// maxTook bounds the executions from which durations are reported.
const maxTook = 1000

// State returns the current state.
func (a *Agent) State() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.life.state
}

// Changes returns the changes of state, oldest first.
func (a *Agent) Changes() []Change {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.life.changes)
}

// LastError returns why the last execution failed, nil if it did not.
func (a *Agent) LastError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.life.lastErr
}

// Healthy reports whether the agent can work: it is neither in state Error nor
// Terminated and its last three executions did not all fail.
func (a *Agent) Healthy() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.life.state != Failed && a.life.state != Terminated && a.counters.row < 3
}

// Move names a change of state that scripts may ask for.
type Move string

// The moves of an agent.
const (
	Pause     Move = "pause"
	Resume    Move = "resume"
	Stop      Move = "stop"
	Start     Move = "start"
	SetError  Move = "set_error"
	Recover   Move = "recover"
	Terminate Move = "terminate"
)

// Move changes the state. Errors: fault.InvalidState for a move that the current
// state does not allow.
func (a *Agent) Move(ctx context.Context, m Move, reason string) error {
	if m == Terminate {
		a.Destroy()
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	from := a.life.state
	allowed := map[Move]struct {
		from []State
		to   State
	}{
		Pause:    {[]State{Ready}, Paused},
		Resume:   {[]State{Paused}, Ready},
		Stop:     {[]State{Ready, Paused}, Stopped},
		Start:    {[]State{Stopped}, Ready},
		SetError: {[]State{Ready, Running, Paused, Stopped, Failed}, Failed},
		Recover:  {[]State{Failed}, Ready},
	}
	move, ok := allowed[m]
	if !ok || !slices.Contains(move.from, from) {
		return fault.Errorf(fault.InvalidState, "agent %q is %s: cannot %s", a.name, from, m)
	}
	if m == SetError {
		a.life.lastErr = fault.Errorf(fault.InvalidState, "%s", reason)
	}
	if m == Recover {
		a.life.lastErr, a.counters.row = nil, 0
	}
	a.change(ctx, move.to, reason)
	return nil
}

// change sets the state; the caller holds mu.
func (a *Agent) change(ctx context.Context, to State, reason string) {
	if len(a.life.changes) == maxChanges {
		a.life.changes = slices.Delete(a.life.changes, 0, 1)
	}
	a.life.changes = append(a.life.changes, Change{From: a.life.state, To: to, Time: now(ctx), Reason: reason})
	a.life.state = to
}

// end terminates without touching the registry.
func (a *Agent) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life.state != Terminated {
		a.change(context.Background(), Terminated, "destroyed")
	}
}

// Alive fails with fault.InvalidState once the agent was destroyed.
func (a *Agent) Alive() error {
	if a.State() == Terminated {
		return fault.Errorf(fault.InvalidState, "agent %q was destroyed", a.name)
	}
	return nil
}

// begin takes the agent for one execution.
func (a *Agent) begin(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life.state != Ready {
		return fault.Errorf(fault.InvalidState, "agent %q is %s, not %s", a.name, a.life.state, Ready)
	}
	a.change(ctx, Running, "")
	a.counters.total++
	a.counters.active++
	return nil
}

// finish gives the agent back and books what the execution was.
func (a *Agent) finish(ctx context.Context, out Output, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// The script may have moved or destroyed the agent meanwhile.
	if a.life.state == Running {
		a.change(ctx, Ready, "")
	}
	a.usage = a.usage.Add(out.Usage)
	c := &a.counters
	c.active--
	c.tools += int64(len(out.ToolCalls))
	if len(c.took) == maxTook {
		c.took = slices.Delete(c.took, 0, 1)
	}
	c.took = append(c.took, out.Duration)
	if a.life.state != Failed {
		a.life.lastErr = err
	}
	if err != nil {
		c.failed++
		c.row++
		return
	}
	c.row = 0
}

// Metrics are an agent's counters.
type Metrics struct {
	Total, Failed, Active int64
	ToolCalls             int64
	HistoryBytes          int64
	Average, P95          time.Duration // of the last executions
	Usage                 Usage
}

// Metrics returns the counters.
func (a *Agent) Metrics() Metrics {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := Metrics{
		Total: a.counters.total, Failed: a.counters.failed, Active: a.counters.active,
		ToolCalls: a.counters.tools, HistoryBytes: size(a.history), Usage: a.usage,
	}
	took := slices.Sorted(slices.Values(a.counters.took))
	if len(took) == 0 {
		return m
	}
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	m.Average, m.P95 = sum/time.Duration(len(took)), took[(len(took)-1)*95/100]
	return m
}
