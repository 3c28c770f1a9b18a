package llmspell

import (
	"context"
	"maps"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/session"
)

// SessionParams describe a new session.
type SessionParams struct {
	Name     string
	Tenant   string // "" = the configured default tenant
	Durable  bool   // refused in this version
	Metadata map[string]any
}

// Session is an interpreter that keeps its globals between executions. Its
// methods are safe for concurrent use; executions queue.
type Session struct {
	kernel   *Kernel
	id       string
	name     string
	tenant   string
	metadata map[string]any
	created  time.Time
	lane     *session.Lane
	machine  *machine
	gone     chan struct{} // closed when the machine is

	mu      sync.Mutex
	inUse   bool // someone has the machine
	current *Run // what executes
	last    time.Time
	count   int64
	closed  bool
}

// SessionInfo describes a session.
type SessionInfo struct {
	ID             string         `json:"id"`
	Name           string         `json:"name,omitempty"`
	Durable        bool           `json:"durable"`
	State          string         `json:"state"` // idle, busy
	CreatedAt      time.Time      `json:"created_at"`
	LastActivity   time.Time      `json:"last_activity"`
	ExecutionCount int64          `json:"execution_count"`
	Metadata       map[string]any `json:"metadata,omitempty"`
}

// NewSession makes a session: an interpreter that keeps its globals. It ends
// with Close, with the kernel, or when it was idle for
// runtime.sessions.session_timeout_seconds.
func (k *Kernel) NewSession(ctx context.Context, p SessionParams) (*Session, error) {
	st := k.settings.Load()
	p.Tenant = k.tenantOr(p.Tenant)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !st.config.Runtime.Sessions.Enabled:
		return nil, fault.Errorf(fault.ComponentDisabled, "sessions are disabled").WithHint("set [runtime.sessions] enabled = true")
	case p.Durable:
		return nil, fault.Errorf(fault.ComponentDisabled, "durable sessions are not available in this version")
	case p.Tenant != st.tenant && !tenantPattern.MatchString(p.Tenant):
		return nil, invalid("tenant %q: want %s", p.Tenant, tenantPattern)
	case len(p.Name) > 256 || !utf8.ValidString(p.Name):
		return nil, invalid("name: want at most 256 bytes of UTF-8")
	}
	if err := k.queue.Refusal(); err != nil {
		return nil, err
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	m, err := k.newMachine(st, newSeed())
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s := &Session{
		kernel: k, id: id, name: p.Name, tenant: p.Tenant, metadata: maps.Clone(p.Metadata), created: now, last: now,
		lane: session.NewLane(true), machine: m, gone: make(chan struct{}),
	}
	if err := k.sessions.add(s, st.config.Runtime.Sessions.MaxSessions); err != nil {
		m.close()
		return nil, err
	}
	k.lastActivity.Store(now.UnixNano())
	k.janitor.wake()
	return s, nil
}

// Session returns an open session of the default tenant, ErrNotFound if there is none.
func (k *Kernel) Session(ctx context.Context, id string) (*Session, error) {
	return k.TenantSession(ctx, "", id)
}

// TenantSession and Sessions are Session and the list for one tenant.
func (k *Kernel) TenantSession(ctx context.Context, tenant, id string) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return k.sessions.get(k.tenantOr(tenant), id)
}

// Sessions lists the open sessions of a tenant, oldest first.
func (k *Kernel) Sessions(tenant string) []SessionInfo {
	var infos []SessionInfo
	for _, s := range k.sessions.list(k.tenantOr(tenant)) {
		infos = append(infos, s.Info())
	}
	return infos
}

// ID returns the session's id.
func (s *Session) ID() string { return s.id }

// Info returns what is known about the session now.
func (s *Session) Info() SessionInfo {
	busy := s.kernel.queue.Busy(s.lane)
	s.mu.Lock()
	defer s.mu.Unlock()
	info := SessionInfo{
		ID: s.id, Name: s.name, State: "idle", CreatedAt: s.created, LastActivity: s.last,
		ExecutionCount: s.count, Metadata: maps.Clone(s.metadata),
	}
	if busy {
		info.State = "busy"
	}
	return info
}

// Execute runs code in the session, behind its earlier executions.
func (s *Session) Execute(ctx context.Context, code string) (Result, error) {
	return s.Run(ctx, Request{Code: code})
}

// Run runs a request in the session; its SessionID and Tenant are the session's.
func (s *Session) Run(ctx context.Context, req Request) (Result, error) {
	req.SessionID, req.Tenant = s.id, s.tenant
	return s.kernel.run(ctx, req, s)
}

// Interrupt ends the running execution; harmless when idle.
func (s *Session) Interrupt() {
	s.mu.Lock()
	r := s.current
	s.mu.Unlock()
	if r != nil {
		r.stop(errInterrupted)
	}
}

// Close interrupts what runs, refuses what waits and ends the session. It
// returns when the interpreter is gone, or with ctx's error. Idempotent.
func (s *Session) Close(ctx context.Context) error {
	s.kernel.sessions.remove(s)
	s.end()
	select {
	case <-s.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end closes the machine, at once or when what executes has been interrupted.
func (s *Session) end() {
	s.kernel.queue.CloseLane(s.lane, ErrClosed)
	s.mu.Lock()
	already, inUse, r := s.closed, s.inUse, s.current
	s.closed = true
	s.mu.Unlock()
	switch {
	case already:
	case r != nil:
		r.stop(ErrClosed)
	case !inUse:
		s.free()
	}
}

func (s *Session) free() {
	s.machine.close()
	close(s.gone)
}

// enter gives the machine to who got the lane's turn: a run, or nil for a
// completion. leave gives it back.
func (s *Session) enter(r *Run) (*machine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.inUse, s.current = true, r
	if r != nil {
		s.last = time.Now()
		s.count++
	}
	return s.machine, nil
}

func (s *Session) leave() {
	s.mu.Lock()
	if s.current != nil {
		s.last = time.Now()
	}
	s.inUse, s.current = false, nil
	closed := s.closed
	s.mu.Unlock()
	if closed {
		s.free()
	} else if s.machine.broken {
		s.kernel.sessions.remove(s)
		s.end()
	}
}

// idleBefore tells whether nothing happened in the session since limit.
func (s *Session) idleBefore(limit time.Time) bool {
	s.mu.Lock()
	old := !s.inUse && s.last.Before(limit)
	s.mu.Unlock()
	return old && !s.kernel.queue.Busy(s.lane)
}

// Completion is the answer to Complete; Start and End are code points.
type Completion struct {
	Matches []string `json:"matches"`
	Start   int      `json:"start"`
	End     int      `json:"end"`
}

// Complete returns completions of code at the cursor (in code points). While an
// execution runs, it knows the API but not the session's own globals.
func (s *Session) Complete(ctx context.Context, code string, cursor int) (Completion, error) {
	if len(code) > maxSource {
		return Completion{}, fault.Errorf(fault.TooLarge, "code has %d bytes, at most %d are allowed", len(code), maxSource)
	}
	if err := ctx.Err(); err != nil {
		return Completion{}, err
	}
	at := byteOffset(code, cursor)
	m, done, err := s.completer()
	if err != nil {
		return Completion{}, err
	}
	defer done()
	matches, start := m.interp.Complete(code, at)
	return Completion{
		Matches: matches, Start: utf8.RuneCountInString(code[:start]), End: utf8.RuneCountInString(code[:at]),
	}, nil
}

// completer returns the session's machine if nothing executes, else a fresh one.
func (s *Session) completer() (*machine, func(), error) {
	if s.kernel.queue.TryEnter(s.lane) {
		m, err := s.enter(nil)
		if err != nil {
			s.kernel.queue.Leave(s.lane)
			return nil, nil, err
		}
		return m, func() {
			s.leave()
			s.kernel.queue.Leave(s.lane)
		}, nil
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, nil, ErrClosed
	}
	m, err := s.kernel.newMachine(s.kernel.settings.Load(), newSeed())
	if err != nil {
		return nil, nil, err
	}
	return m, m.close, nil
}

// byteOffset converts a cursor in code points to bytes; any cursor is answered.
func byteOffset(code string, cursor int) int {
	n := 0
	for i := range code {
		if n >= cursor {
			return i
		}
		n++
	}
	return len(code)
}
