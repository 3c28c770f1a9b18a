package llmspell

import (
	"context"
	"strings"
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/state"
)

// StateManager is what scripts see as State: scoped, versioned values of a
// tenant. Values are nil, bool, int64, float64, string, []any and
// map[string]any; they come back exactly as they went in.
//
// A scope is "global", "custom:NAME", "agent:NAME", "session:ID" or any other
// of scripting contract 1.4. A tenant "" is the configured default.
type StateManager struct {
	engine *state.Engine
	infra  *Infrastructure
}

// StateEntry is a stored value.
type StateEntry struct {
	Value   any   `json:"value"`
	Version int64 `json:"version"`
}

// StateKey describes a key in a list.
type StateKey struct {
	Key       string    `json:"key"`
	Version   int64     `json:"version"`
	Size      int64     `json:"size"` // bytes of the encoded value
	UpdatedAt time.Time `json:"updated_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// StateOptions modify a write.
type StateOptions struct {
	TTL       time.Duration // 0 = never expires
	IfVersion *int64        // write only over this version; 0 = must not exist
}

func newStateManager(i *Infrastructure, c *config.Config) *StateManager {
	return &StateManager{infra: i, engine: state.New(state.Params{
		KV:            lateKV{&i.store},
		MaxValueBytes: int(c.Runtime.StatePersistence.MaxStateSizeBytes),
		Emit:          c.Events.EmitStateEvents,
	})}
}

// Get returns the value under key, false if there is none.
func (m *StateManager) Get(ctx context.Context, tenant, scope, key string) (StateEntry, bool, error) {
	v, version, err := m.engine.Load(m.as(ctx, tenant, scope), scope, key)
	return StateEntry{v, version}, version > 0, err
}

// Put stores a value and returns its version. Errors: fault.Conflict (with the
// current version as detail), fault.TooLarge, fault.InvalidArgument.
func (m *StateManager) Put(ctx context.Context, tenant, scope, key string, value any, o StateOptions) (version int64, err error) {
	return m.engine.Save(m.as(ctx, tenant, scope), scope, key, value, state.Options(o))
}

// Delete removes a key and reports whether it existed.
func (m *StateManager) Delete(ctx context.Context, tenant, scope, key string) (existed bool, err error) {
	return m.engine.Delete(m.as(ctx, tenant, scope), scope, key)
}

// List returns at most limit keys (1 to 1,000) with a prefix, in byte order,
// after the key after.
func (m *StateManager) List(ctx context.Context, tenant, scope, prefix, after string, limit int) ([]StateKey, error) {
	metas, err := m.engine.List(m.as(ctx, tenant, scope), scope, prefix, after, limit)
	keys := make([]StateKey, len(metas))
	for i, meta := range metas {
		keys[i] = StateKey(meta)
	}
	return keys, err
}

// Update replaces a value by what fn makes of it (nil: absent before, delete
// after) and returns the new one. fn may run again when others write meanwhile.
func (m *StateManager) Update(ctx context.Context, tenant, scope, key string, fn func(old any) (any, error)) (any, error) {
	return m.engine.Update(m.as(ctx, tenant, scope), scope, key, state.Options{},
		func(_ context.Context, old any) (any, error) { return fn(old) })
}

// Clear deletes the keys with a prefix and returns how many there were.
func (m *StateManager) Clear(ctx context.Context, tenant, scope, prefix string) (int64, error) {
	return m.engine.Clear(m.as(ctx, tenant, scope), scope, prefix)
}

// as returns ctx for a call of host code in the name of a tenant. It may name
// any session of the tenant.
func (m *StateManager) as(ctx context.Context, tenant, scope string) context.Context {
	run := m.infra.hostRun(tenant)
	run.SessionID, _ = strings.CutPrefix(scope, "session:")
	if run.SessionID == scope {
		run.SessionID = ""
	}
	return gate.With(ctx, run)
}
