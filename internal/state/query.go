package state

import (
	"context"
	"math"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/store"
)

// Meta describes a key without its value.
type Meta struct {
	Key       string    `json:"key"`
	Version   int64     `json:"version"`
	Size      int64     `json:"size"` // bytes of the encoded value
	UpdatedAt time.Time `json:"updated_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// maxKeys bounds a listing of all keys.
const maxKeys = 100_000

// List returns at most limit keys (1 to store.MaxPage) in byte order, after the
// key after.
func (e *Engine) List(ctx context.Context, scope, prefix, after string, limit int) ([]Meta, error) {
	t, err := in(ctx, scope)
	if err != nil {
		return nil, err
	}
	t.Prefix, t.After, t.Limit = prefix, after, limit
	return do(ctx, "list", gate.Read, t, func(ctx context.Context) ([]Meta, error) {
		items, err := e.p.KV.List(ctx, t.tenant, t.scope, prefix, after, limit)
		out := make([]Meta, len(items))
		for i, it := range items {
			out[i] = Meta{it.Key, it.Version, it.Size, it.UpdatedAt, it.ExpiresAt}
		}
		return out, err
	})
}

// Keys returns all keys with a prefix, sorted; more than 100,000 are
// fault.TooLarge.
func (e *Engine) Keys(ctx context.Context, scope, prefix string) ([]string, error) {
	t, err := in(ctx, scope)
	if err != nil {
		return nil, err
	}
	t.Prefix = prefix
	return do(ctx, "list_keys", gate.Read, t, func(ctx context.Context) ([]string, error) {
		keys := []string{}
		for after := ""; ; after = keys[len(keys)-1] {
			page, err := e.p.KV.List(ctx, t.tenant, t.scope, prefix, after, store.MaxPage)
			if err != nil {
				return nil, err
			}
			for _, it := range page {
				keys = append(keys, it.Key)
			}
			if len(page) < store.MaxPage {
				return keys, nil
			}
			if len(keys) >= maxKeys {
				return nil, fault.Errorf(fault.TooLarge, "state: more than %d keys", maxKeys).WithHint("page with State.list")
			}
		}
	})
}

// Exists reports whether there is a value under key.
func (e *Engine) Exists(ctx context.Context, scope, key string) (bool, error) {
	t, err := at(ctx, scope, key)
	if err != nil {
		return false, err
	}
	t.Key = key
	return do(ctx, "exists", gate.Read, t, func(ctx context.Context) (bool, error) {
		_, err := e.p.KV.Get(ctx, t.tenant, t.scope, key)
		if fault.CodeOf(err) == fault.NotFound {
			return false, nil
		}
		return err == nil, err
	})
}

// Clear deletes the keys with a prefix and returns how many there were.
func (e *Engine) Clear(ctx context.Context, scope, prefix string) (int64, error) {
	t, err := in(ctx, scope)
	if err != nil {
		return 0, err
	}
	t.Prefix = prefix
	return do(ctx, "clear", gate.Idempotent, t, func(ctx context.Context) (int64, error) {
		n, err := e.p.KV.Clear(ctx, t.tenant, t.scope, prefix)
		if n > 0 {
			e.changed(ctx, t, prefix, 0, true)
		}
		return n, err
	})
}

// TTL returns the time until a key expires; ok is false if it does not, or is
// absent.
func (e *Engine) TTL(ctx context.Context, scope, key string) (left time.Duration, ok bool, err error) {
	t, err := at(ctx, scope, key)
	if err != nil {
		return 0, false, err
	}
	t.Key = key
	got, err := do(ctx, "ttl", gate.Read, t, func(ctx context.Context) (time.Duration, error) {
		it, err := e.p.KV.Get(ctx, t.tenant, t.scope, key)
		if fault.CodeOf(err) == fault.NotFound || err == nil && it.ExpiresAt.IsZero() {
			return -1, nil
		}
		return max(0, it.ExpiresAt.Sub(e.p.Now())), err
	})
	if err != nil || got < 0 {
		return 0, false, err
	}
	return got, true, nil
}

// SetTTL sets the time until a key expires, 0 = never. An absent key is
// fault.NotFound.
func (e *Engine) SetTTL(ctx context.Context, scope, key string, ttl time.Duration) error {
	t, err := at(ctx, scope, key)
	if err != nil {
		return err
	}
	t.Key, t.TTL = key, ttl.Seconds()
	_, err = do(ctx, "touch", gate.Idempotent, t, func(ctx context.Context) (bool, error) {
		err := e.p.KV.Touch(ctx, t.tenant, t.scope, key, ttl)
		return err == nil, err
	})
	return err
}

// Increment adds by (int64 or float64) to the number under key, 0 if absent, and
// returns the sum. It is atomic and, without a TTL of its own, keeps the key's.
// Integers that overflow fail.
func (e *Engine) Increment(ctx context.Context, scope, key string, by any, o Options) (any, error) {
	t, err := at(ctx, scope, key)
	if err != nil {
		return nil, err
	}
	t.Key, t.Value, t.TTL, t.IfVersion = key, &canon.Value{V: by}, o.TTL.Seconds(), o.IfVersion
	got, err := do(ctx, "incr", gate.Once, t, func(ctx context.Context) (canon.Value, error) {
		var sum any
		opts := store.PutOptions{TTL: o.TTL, KeepTTL: true, IfVersion: o.IfVersion}
		it, err := e.p.KV.Update(ctx, t.tenant, t.scope, key, opts, func(it *store.Item) (raw []byte, err error) {
			var old any = int64(0)
			if it != nil {
				if old, err = decode(it.Value); err != nil {
					return nil, err
				}
			}
			if sum, err = add(key, old, by); err != nil {
				return nil, err
			}
			return canon.Encode(sum)
		})
		if err == nil {
			e.changed(ctx, t, key, it.Version, false)
		}
		return canon.Value{V: sum}, err
	})
	return got.V, err
}

func add(key string, old, by any) (any, error) {
	x, xInt := old.(int64)
	y, yInt := by.(int64)
	if xInt && yInt {
		sum := x + y
		if (sum > x) != (y > 0) && y != 0 {
			return nil, fault.Errorf(fault.InvalidState, "state: key %q: %d + %d leaves the integers", key, x, y)
		}
		return sum, nil
	}
	f, ok := float(old)
	g, _ := float(by)
	if !ok {
		return nil, fault.Errorf(fault.InvalidState, "state: key %q holds no number", key)
	}
	if sum := f + g; !math.IsNaN(sum) && !math.IsInf(sum, 0) {
		return sum, nil
	}
	return nil, fault.Errorf(fault.InvalidState, "state: key %q: the sum is not finite", key)
}

func float(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
