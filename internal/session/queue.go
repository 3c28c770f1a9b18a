package session

import (
	"context"
	"slices"
	"sync"

	"github.com/llmspell/llmspell/fault"
)

// Limits bound a Queue. 0 = no limit.
type Limits struct {
	Concurrent int // executions admitted at once
	PerLane    int // waiting in one serial lane
	Total      int // waiting in all lanes
}

// Queue admits executions: serially within a serial lane, in turns across
// lanes, so that a lane with a hundred waiting executions delays the others by
// one at most. Safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	limits  Limits
	running int
	waiting int
	lanes   map[*Lane]struct{} // those with waiters
	ring    []*Lane            // those of them that may be admitted from, next first
	refusal error              // of new executions; nil = none
	idle    chan struct{}      // closed when nothing runs or waits; nil until asked for
}

// Lane is the queue of one session (serial), or of executions that do not
// depend on one another. Its fields belong to the Queue it is used with.
type Lane struct {
	serial  bool
	running int
	queue   []*Ticket
	refusal error
}

// NewLane returns an empty lane.
func NewLane(serial bool) *Lane { return &Lane{serial: serial} }

// Ticket is an execution that waited for admission when it was made.
type Ticket struct {
	lane  *Lane
	ready func(error) // called once, without the lock: nil = admitted
}

// NewQueue returns an empty queue.
func NewQueue(l Limits) *Queue { return &Queue{limits: l, lanes: map[*Lane]struct{}{}} }

// Enter waits for admission. The caller calls Leave if it returned nil. Errors:
// fault.Overloaded when too many wait, ctx's error, or that of Refuse or Close.
func (q *Queue) Enter(ctx context.Context, lane *Lane) error {
	q.mu.Lock()
	if admitted, err := q.offer(lane); admitted || err != nil {
		q.mu.Unlock()
		return err
	}
	result := make(chan error, 1)
	ticket := q.wait(lane, func(err error) { result <- err })
	q.mu.Unlock()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	if !q.Withdraw(ticket) && <-result == nil {
		q.Leave(lane)
	}
	return ctx.Err()
}

// TryEnter is Enter for those who would rather not wait.
func (q *Queue) TryEnter(lane *Lane) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	admitted, _ := q.offer(lane)
	return admitted
}

// Go calls ready on a goroutine of its own: with nil once admitted (whoever
// handles it calls Leave at the end), or with Close's error. It returns at once;
// the ticket is nil if nothing had to be waited for.
func (q *Queue) Go(lane *Lane, ready func(error)) (*Ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	admitted, err := q.offer(lane)
	if err != nil {
		return nil, err
	}
	if admitted {
		go ready(nil)
		return nil, nil
	}
	return q.wait(lane, func(err error) { go ready(err) }), nil
}

// Withdraw takes a ticket out of its queue; false if it is no longer there.
func (q *Queue) Withdraw(t *Ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(t.lane.queue, t)
	if i < 0 {
		return false
	}
	t.lane.queue = slices.Delete(t.lane.queue, i, i+1)
	q.waiting--
	if len(t.lane.queue) == 0 {
		q.forget(t.lane)
	}
	q.signalIdle()
	return true
}

// Leave ends an admitted execution and admits the next.
func (q *Queue) Leave(lane *Lane) {
	q.mu.Lock()
	q.running--
	lane.running--
	if lane.serial && len(lane.queue) > 0 {
		q.ring = append(q.ring, lane)
	}
	admitted := q.dispatch()
	q.signalIdle()
	q.mu.Unlock()
	answer(admitted, nil)
}

// Refuse makes further executions fail with err; those that wait still run.
func (q *Queue) Refuse(err error) {
	q.mu.Lock()
	q.refusal = err
	q.mu.Unlock()
}

// Refusal returns what Refuse or Close set, nil if neither was called.
func (q *Queue) Refusal() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refusal
}

// Close is Refuse, and ends those that wait.
func (q *Queue) Close(err error) {
	q.mu.Lock()
	q.refusal = err
	var refused []*Ticket
	for lane := range q.lanes {
		refused = append(refused, q.empty(lane)...)
	}
	q.signalIdle()
	q.mu.Unlock()
	answer(refused, err)
}

// CloseLane does so for one lane.
func (q *Queue) CloseLane(lane *Lane, err error) {
	q.mu.Lock()
	lane.refusal = err
	refused := q.empty(lane)
	q.signalIdle()
	q.mu.Unlock()
	answer(refused, err)
}

// SetLimits replaces the limits. What waits already stays.
func (q *Queue) SetLimits(l Limits) {
	q.mu.Lock()
	q.limits = l
	admitted := q.dispatch()
	q.mu.Unlock()
	answer(admitted, nil)
}

// Load returns how many executions are admitted and how many wait.
func (q *Queue) Load() (running, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running, q.waiting
}

// Busy tells whether an execution of the lane runs or waits.
func (q *Queue) Busy(lane *Lane) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return lane.running > 0 || len(lane.queue) > 0
}

// AwaitIdle waits until nothing runs and nothing waits.
func (q *Queue) AwaitIdle(ctx context.Context) error {
	q.mu.Lock()
	if q.running == 0 && q.waiting == 0 {
		q.mu.Unlock()
		return nil
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// offer admits an execution that need not wait, or checks that it may wait.
func (q *Queue) offer(lane *Lane) (admitted bool, err error) {
	switch {
	case q.refusal != nil:
		return false, q.refusal
	case lane.refusal != nil:
		return false, lane.refusal
	case q.hasRoom() && len(q.ring) == 0 && !(lane.serial && lane.running > 0):
		q.running++
		lane.running++
		return true, nil
	case q.limits.Total > 0 && q.waiting >= q.limits.Total:
		return false, overloaded("kernel.max_queue_total", q.limits.Total)
	case lane.serial && q.limits.PerLane > 0 && len(lane.queue) >= q.limits.PerLane:
		return false, overloaded("kernel.max_queue", q.limits.PerLane)
	}
	return false, nil
}

func overloaded(key string, limit int) error {
	e := fault.Errorf(fault.Overloaded, "too many waiting executions (%s = %d)", key, limit)
	e.Retryable, e.RetryAfterMS = true, 1000
	return e
}

func (q *Queue) hasRoom() bool { return q.limits.Concurrent <= 0 || q.running < q.limits.Concurrent }

// wait queues an execution.
func (q *Queue) wait(lane *Lane, ready func(error)) *Ticket {
	t := &Ticket{lane: lane, ready: ready}
	lane.queue = append(lane.queue, t)
	q.waiting++
	q.lanes[lane] = struct{}{}
	if len(lane.queue) == 1 && !(lane.serial && lane.running > 0) {
		q.ring = append(q.ring, lane)
	}
	return t
}

// dispatch admits from the lanes in turn while there is room.
func (q *Queue) dispatch() (admitted []*Ticket) {
	for q.hasRoom() && len(q.ring) > 0 {
		lane := q.ring[0]
		q.ring = slices.Delete(q.ring, 0, 1)
		admitted = append(admitted, lane.queue[0])
		lane.queue = slices.Delete(lane.queue, 0, 1)
		q.waiting--
		q.running++
		lane.running++
		if len(lane.queue) == 0 {
			delete(q.lanes, lane)
		} else if !lane.serial {
			q.ring = append(q.ring, lane)
		}
	}
	return admitted
}

// empty takes all waiting tickets out of a lane.
func (q *Queue) empty(lane *Lane) []*Ticket {
	tickets := lane.queue
	lane.queue = nil
	q.waiting -= len(tickets)
	q.forget(lane)
	return tickets
}

// forget removes a lane without waiters from the turns.
func (q *Queue) forget(lane *Lane) {
	delete(q.lanes, lane)
	if i := slices.Index(q.ring, lane); i >= 0 {
		q.ring = slices.Delete(q.ring, i, i+1)
	}
}

func (q *Queue) signalIdle() {
	if q.idle != nil && q.running == 0 && q.waiting == 0 {
		close(q.idle)
		q.idle = nil
	}
}

func answer(tickets []*Ticket, err error) {
	for _, t := range tickets {
		t.ready(err)
	}
}
