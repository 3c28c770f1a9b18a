// Package state is the engine of the State global: scoped, versioned values of
// a tenant, kept in a store.KV and reached through the effects gate.
//
//	eng := state.New(state.Params{KV: st.KV()})
//	_, err := eng.Save(ctx, "custom:prefs", "colour", "blue", state.Options{})
//	v, version, err := eng.Load(ctx, "custom:prefs", "colour")
//
// Values are script values; they come back exactly as they went in, with
// integers and floats told apart and any bytes in strings.
package state

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/store"
)

// MaxValueBytes is the default cap of one encoded value.
const MaxValueBytes = 1 << 20

const updateTries = 16

// Params configure an engine.
type Params struct {
	KV            store.KV
	MaxValueBytes int              // 0 = MaxValueBytes
	Now           func() time.Time // the store's clock; nil = time.Now
	Emit          bool             // publish state.changed ([events] emit_state_events)
}

// Engine performs the State functions. Safe for concurrent use. The tenant is
// that of the run in ctx.
type Engine struct {
	p   Params
	max atomic.Int64 // bytes of one encoded value
}

// New returns an engine.
func New(p Params) *Engine {
	if p.MaxValueBytes == 0 {
		p.MaxValueBytes = MaxValueBytes
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	e := &Engine{p: p}
	e.SetMaxValueBytes(p.MaxValueBytes)
	return e
}

// SetMaxValueBytes changes the cap of one encoded value.
func (e *Engine) SetMaxValueBytes(n int) { e.max.Store(int64(n)) }

// Options modify a write.
type Options struct {
	TTL       time.Duration // 0 = never expires
	IfVersion *int64        // write only over this version; 0 = must not exist
}

// Entry is a value with its version; 0 = absent.
type Entry struct {
	Value   canon.Value `json:"value"`
	Version int64       `json:"version"`
}

// target is where a call goes. It is recorded as the call's arguments.
type target struct {
	Scope     string       `json:"scope"`
	Key       string       `json:"key,omitempty"`
	Prefix    string       `json:"prefix,omitempty"`
	After     string       `json:"after,omitempty"`
	Limit     int          `json:"limit,omitempty"`
	Value     *canon.Value `json:"value,omitempty"`
	TTL       float64      `json:"ttl_seconds,omitempty"`
	IfVersion *int64       `json:"if_version,omitempty"`

	tenant store.Tenant
	scope  store.Scope
}

// at checks tenant, scope and key.
func at(ctx context.Context, scope, key string) (*target, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return in(ctx, scope)
}

// in checks tenant and scope.
func in(ctx context.Context, scope string) (*target, error) {
	run := gate.Of(ctx)
	if run == nil || run.Tenant == "" {
		return nil, fault.Errorf(fault.Internal, "state: a call without a tenant")
	}
	s, err := ParseScope(scope, run)
	if err != nil {
		return nil, err
	}
	return &target{Scope: scope, tenant: store.Tenant(run.Tenant), scope: s}, nil
}

func do[T any](ctx context.Context, op string, effect gate.Effect, t *target, fn func(context.Context) (T, error)) (T, error) {
	return gate.Do(ctx, gate.Call{Kind: gate.State, Op: op, Target: t.scope.Kind, Args: t, Effect: effect}, fn)
}

// Save writes a value and returns its version. A nil value is refused.
func (e *Engine) Save(ctx context.Context, scope, key string, v any, o Options) (int64, error) {
	t, raw, err := e.write(ctx, scope, key, v, &o)
	if err != nil {
		return 0, err
	}
	return do(ctx, "save", gate.Idempotent, t, func(ctx context.Context) (int64, error) {
		version, err := e.p.KV.Put(ctx, t.tenant, t.scope, key, raw, store.PutOptions{TTL: o.TTL, IfVersion: o.IfVersion})
		if err == nil {
			e.changed(ctx, t, key, version, false)
		}
		return version, err
	})
}

// write prepares a call that stores v.
func (e *Engine) write(ctx context.Context, scope, key string, v any, o *Options) (*target, []byte, error) {
	t, err := at(ctx, scope, key)
	if err != nil {
		return nil, nil, err
	}
	raw, err := e.encode(v)
	if err != nil {
		return nil, nil, err
	}
	t.Key, t.Value, t.TTL, t.IfVersion = key, &canon.Value{V: v}, o.TTL.Seconds(), o.IfVersion
	return t, raw, nil
}

func (e *Engine) encode(v any) ([]byte, error) {
	if v == nil {
		return nil, fault.Errorf(fault.InvalidArgument, "state: the value is nil").WithHint("State.delete removes a key")
	}
	raw, err := canon.Encode(v)
	if limit := e.max.Load(); err == nil && int64(len(raw)) > limit {
		err = fault.Errorf(fault.TooLarge, "state: the value is %d bytes, at most %d are kept", len(raw), limit).
			WithHint("store large data as an artifact or a file")
	}
	return raw, err
}

// Load returns the value and version under key; version 0 = there is none.
func (e *Engine) Load(ctx context.Context, scope, key string) (v any, version int64, err error) {
	t, err := at(ctx, scope, key)
	if err != nil {
		return nil, 0, err
	}
	t.Key = key
	got, err := do(ctx, "load", gate.Read, t, func(ctx context.Context) (Entry, error) {
		it, err := e.p.KV.Get(ctx, t.tenant, t.scope, key)
		if fault.CodeOf(err) == fault.NotFound {
			return Entry{}, nil
		}
		if err != nil {
			return Entry{}, err
		}
		v, err := decode(it.Value)
		return Entry{canon.Value{V: v}, it.Version}, err
	})
	return got.Value.V, got.Version, err
}

func decode(raw []byte) (any, error) {
	v, err := canon.Decode(raw)
	if err != nil {
		return nil, fault.Errorf(fault.StorageUnavailable, "state: the stored value is damaged: %w", err)
	}
	return v, nil
}

// Delete removes a key and reports whether it existed.
func (e *Engine) Delete(ctx context.Context, scope, key string) (bool, error) {
	t, err := at(ctx, scope, key)
	if err != nil {
		return false, err
	}
	t.Key = key
	return do(ctx, "delete", gate.Idempotent, t, func(ctx context.Context) (bool, error) {
		existed, err := e.p.KV.Delete(ctx, t.tenant, t.scope, key)
		if existed {
			e.changed(ctx, t, key, 0, true)
		}
		return existed, err
	})
}

// CAS writes v over the expected version (0 = absent). On a mismatch ok is
// false and version the current one.
func (e *Engine) CAS(ctx context.Context, scope, key string, expected int64, v any, o Options) (ok bool, version int64, err error) {
	o.IfVersion = &expected
	t, raw, err := e.write(ctx, scope, key, v, &o)
	if err != nil {
		return false, 0, err
	}
	type outcome struct {
		OK      bool  `json:"ok"`
		Version int64 `json:"version"`
	}
	got, err := do(ctx, "cas", gate.Once, t, func(ctx context.Context) (outcome, error) {
		version, err := e.p.KV.Put(ctx, t.tenant, t.scope, key, raw, store.PutOptions{TTL: o.TTL, IfVersion: o.IfVersion})
		if current, conflict := conflictVersion(err); conflict {
			return outcome{false, current}, nil
		}
		if err == nil {
			e.changed(ctx, t, key, version, false)
		}
		return outcome{err == nil, version}, err
	})
	return got.OK, got.Version, err
}

func conflictVersion(err error) (int64, bool) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code != fault.Conflict {
		return 0, false
	}
	v, _ := e.Details["version"].(int64)
	return v, true
}

// Update replaces the value by what fn makes of it (nil: absent before, delete
// after) and returns the new one. fn runs outside of any transaction, up to 16
// times if others write meanwhile; then it fails with fault.Conflict.
func (e *Engine) Update(ctx context.Context, scope, key string, o Options, fn func(ctx context.Context, old any) (any, error)) (any, error) {
	for range updateTries {
		old, version, err := e.Load(ctx, scope, key)
		if err != nil {
			return nil, err
		}
		if o.IfVersion != nil && *o.IfVersion != version {
			return nil, store.CheckVersion(key, &store.Item{Version: version}, o.IfVersion)
		}
		v, err := fn(ctx, old)
		if err != nil {
			return nil, err
		}
		ok, err := e.swap(ctx, scope, key, version, v, o)
		if err != nil || ok {
			return v, err
		}
	}
	return nil, fault.Errorf(fault.Conflict, "state: key %q changed during each of %d tries", key, updateTries)
}

// swap writes v, or deletes on nil, if the version is still the same. Without a
// TTL of its own it keeps the key's.
func (e *Engine) swap(ctx context.Context, scope, key string, version int64, v any, o Options) (bool, error) {
	if v == nil && version == 0 {
		return true, nil
	}
	t, err := at(ctx, scope, key)
	if err != nil {
		return false, err
	}
	var raw []byte
	if v != nil {
		if raw, err = e.encode(v); err != nil {
			return false, err
		}
		t.Value = &canon.Value{V: v}
	}
	t.Key, t.TTL, t.IfVersion = key, o.TTL.Seconds(), &version
	return do(ctx, "update", gate.Once, t, func(ctx context.Context) (bool, error) {
		it, err := e.p.KV.Update(ctx, t.tenant, t.scope, key, store.PutOptions{TTL: o.TTL, KeepTTL: true, IfVersion: &version},
			func(*store.Item) ([]byte, error) { return raw, nil })
		if _, conflict := conflictVersion(err); conflict {
			return false, nil
		}
		if err == nil {
			e.changed(ctx, t, key, it.Version, raw == nil)
		}
		return err == nil, err
	})
}

// changed publishes a change to the run's listeners.
func (e *Engine) changed(ctx context.Context, t *target, key string, version int64, deleted bool) {
	if run := gate.Of(ctx); e.p.Emit && run != nil && run.Emit != nil {
		run.Emit("state.changed", map[string]any{"scope": t.Scope, "key": key, "version": version, "deleted": deleted})
	}
}
