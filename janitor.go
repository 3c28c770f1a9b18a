package llmspell

import (
	"sync"
	"time"
)

// janitor calls sweep once a period while it has something to do. An idle one
// has neither goroutine nor armed timer.
type janitor struct {
	period time.Duration
	sweep  func(now time.Time) (more bool)

	mu      sync.Mutex
	timer   *time.Timer // nil: not armed
	closed  bool
	running sync.WaitGroup
}

func newJanitor(period time.Duration, sweep func(time.Time) bool) *janitor {
	return &janitor{period: period, sweep: sweep}
}

// wake arms the timer.
func (j *janitor) wake() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed || j.timer != nil {
		return
	}
	j.running.Add(1)
	j.timer = time.AfterFunc(j.period, j.fire)
}

func (j *janitor) fire() {
	defer j.running.Done()
	j.mu.Lock()
	closed := j.closed
	j.timer = nil
	j.mu.Unlock()
	if !closed && j.sweep(time.Now()) {
		j.wake()
	}
}

// close stops the timer and waits for a sweep in progress. Idempotent.
func (j *janitor) close() {
	j.mu.Lock()
	j.closed = true
	if j.timer != nil && j.timer.Stop() {
		j.timer = nil
		j.running.Done()
	}
	j.mu.Unlock()
	j.running.Wait()
}
