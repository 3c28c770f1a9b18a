package interp

import (
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// mailbox brings messages from host goroutines to the executing one, and counts
// the host calls under way. The zero value is ready.
type mailbox struct {
	mu     sync.Mutex
	queue  []message
	signal chan struct{} // holds one token while the queue may be non-empty
	closed bool
	calls  int
	idle   chan struct{} // closed when calls is 0, made by settle
}

func (m *mailbox) ready() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.signal == nil {
		m.signal = make(chan struct{}, 1)
	}
	return m.signal
}

// post adds a message; false: the execution has ended.
func (m *mailbox) post(msg message) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.queue = append(m.queue, msg)
	if m.signal == nil {
		m.signal = make(chan struct{}, 1)
	}
	select {
	case m.signal <- struct{}{}:
	default:
	}
	return true
}

// take returns the next message, nil if there is none.
func (m *mailbox) take() message {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		return nil
	}
	msg := m.queue[0]
	m.queue[0] = nil
	m.queue = m.queue[1:]
	return msg
}

// hostCall counts a host call that began (1) or ended (-1).
func (m *mailbox) hostCall(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls += n; m.calls == 0 && m.idle != nil {
		close(m.idle)
		m.idle = nil
	}
}

// patience is how long an execution waits for its host calls to notice that it
// has ended. Those that do not go on without it.
const patience = 20 * time.Millisecond

// settle waits for the host calls under way, not longer than patience. Their
// context must have been cancelled.
func (m *mailbox) settle() {
	m.mu.Lock()
	if m.calls == 0 {
		m.mu.Unlock()
		return
	}
	m.idle = make(chan struct{})
	idle := m.idle
	m.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

// close refuses further messages and answers callbacks that never ended.
func (m *mailbox) close(jobs []*callback) {
	m.mu.Lock()
	m.closed = true
	queue := m.queue
	m.queue = nil
	m.mu.Unlock()
	for _, msg := range queue {
		if inv, ok := msg.(*invocation); ok {
			jobs = append(jobs, inv.job)
		}
	}
	for _, job := range jobs {
		select {
		case job.done <- reply{err: fault.Errorf(fault.Interrupted, "the execution has ended")}:
		default:
		}
	}
}
