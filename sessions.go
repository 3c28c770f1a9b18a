package llmspell

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// sessionTable holds the open sessions.
type sessionTable struct {
	mu     sync.Mutex
	byID   map[string]*Session
	closed bool
}

func newSessionTable() *sessionTable { return &sessionTable{byID: map[string]*Session{}} }

func (t *sessionTable) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

func (t *sessionTable) add(s *Session, limit int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	if limit > 0 && len(t.byID) >= limit {
		return fault.Errorf(fault.QuotaExceeded, "%d sessions are open (runtime.sessions.max_sessions)", limit)
	}
	t.byID[s.id] = s
	return nil
}

func (t *sessionTable) get(tenant, id string) (*Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.byID[id]; ok && s.tenant == tenant {
		return s, nil
	}
	return nil, fault.Errorf(fault.NotFound, "no session %q", id)
}

func (t *sessionTable) list(tenant string) []*Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Collect(maps.Values(t.byID))
	all = slices.DeleteFunc(all, func(s *Session) bool { return s.tenant != tenant })
	slices.SortFunc(all, func(a, b *Session) int { return strings.Compare(a.id, b.id) }) // ids rise with time
	return all
}

func (t *sessionTable) remove(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, s.id)
}

// removeAll takes out all sessions and refuses further ones.
func (t *sessionTable) removeAll() []*Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	all := slices.Collect(maps.Values(t.byID))
	clear(t.byID)
	return all
}

// idleSince takes out the sessions that did nothing after the given time.
func (t *sessionTable) idleSince(limit time.Time) []*Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	var idle []*Session
	for id, s := range t.byID {
		if s.idleBefore(limit) {
			idle = append(idle, s)
			delete(t.byID, id)
		}
	}
	return idle
}

// SessionManager creates and finds the sessions of the infrastructure's kernel.
// Without a kernel its methods fail with fault.InvalidState.
type SessionManager struct{ infra *Infrastructure }

// Create makes a session.
func (m *SessionManager) Create(ctx context.Context, p SessionParams) (*Session, error) {
	k, err := m.infra.current()
	if err != nil {
		return nil, err
	}
	return k.NewSession(ctx, p)
}

// Get returns an open session of a tenant ("" = the default one), ErrNotFound
// if there is none.
func (m *SessionManager) Get(ctx context.Context, tenant, id string) (*Session, error) {
	k, err := m.infra.current()
	if err != nil {
		return nil, err
	}
	return k.TenantSession(ctx, tenant, id)
}

// List returns the open sessions of a tenant, oldest first.
func (m *SessionManager) List(tenant string) []SessionInfo {
	k, err := m.infra.current()
	if err != nil {
		return nil
	}
	return k.Sessions(tenant)
}

// Close ends a session.
func (m *SessionManager) Close(ctx context.Context, tenant, id string) error {
	s, err := m.Get(ctx, tenant, id)
	if err != nil {
		return err
	}
	return s.Close(ctx)
}
