package memstore

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

type kv struct{ s *Store }

func (k kv) Get(ctx context.Context, t store.Tenant, sc store.Scope, key string) (store.Item, error) {
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return store.Item{}, err
	}
	defer unlock()
	_, items := k.s.items(t, sc)
	it := k.s.live(items, key)
	if it == nil {
		return store.Item{}, store.ErrNoKey(key)
	}
	return *it, nil
}

func (k kv) Put(ctx context.Context, t store.Tenant, sc store.Scope, key string, value []byte, o store.PutOptions) (int64, error) {
	if value == nil {
		value = []byte{}
	}
	it, err := k.Update(ctx, t, sc, key, o, func(*store.Item) ([]byte, error) { return value, nil })
	return it.Version, err
}

func (k kv) Delete(ctx context.Context, t store.Tenant, sc store.Scope, key string) (bool, error) {
	existed := false
	_, err := k.Update(ctx, t, sc, key, store.PutOptions{}, func(it *store.Item) ([]byte, error) {
		existed = it != nil
		return nil, nil
	})
	return existed, err
}

func (k kv) List(ctx context.Context, t store.Tenant, sc store.Scope, prefix, after string, limit int) ([]store.Item, error) {
	if limit < 1 || limit > store.MaxPage {
		return nil, fault.Errorf(fault.InvalidArgument, "limit must be 1 to %d", store.MaxPage)
	}
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	_, items := k.s.items(t, sc)
	out := []store.Item{}
	for _, key := range slices.Sorted(maps.Keys(items)) {
		it := items[key]
		if len(out) < limit && key > after && strings.HasPrefix(key, prefix) && !expired(it, k.s.now()) {
			it.Value = nil
			out = append(out, it)
		}
	}
	return out, nil
}

func (k kv) Clear(ctx context.Context, t store.Tenant, sc store.Scope, prefix string) (int64, error) {
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	_, items := k.s.items(t, sc)
	var n int64
	for key, it := range items {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if !expired(it, k.s.now()) {
			n++
		}
		delete(items, key)
	}
	return n, nil
}

func (k kv) Touch(ctx context.Context, t store.Tenant, sc store.Scope, key string, ttl time.Duration) error {
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	_, items := k.s.items(t, sc)
	it := k.s.live(items, key)
	if it == nil {
		return store.ErrNoKey(key)
	}
	it.ExpiresAt = time.Time{}
	if ttl > 0 {
		it.ExpiresAt = k.s.now().Add(ttl)
	}
	items[key] = *it
	return nil
}

func (k kv) Update(ctx context.Context, t store.Tenant, sc store.Scope, key string, o store.PutOptions, fn func(*store.Item) ([]byte, error)) (store.Item, error) {
	if err := store.CheckKey(t, sc, key); err != nil {
		return store.Item{}, err
	}
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return store.Item{}, err
	}
	defer unlock()
	ten, items := k.s.items(t, sc)
	old := k.s.live(items, key)
	if err := store.CheckVersion(key, old, o.IfVersion); err != nil {
		return store.Item{}, err
	}
	value, err := fn(old)
	if err != nil {
		return store.Item{}, err
	}
	if value == nil {
		delete(items, key)
		return store.Item{Key: key}, nil
	}
	ten.version++
	it := store.Item{Key: key, Value: slices.Clone(value), Size: int64(len(value)), Version: ten.version, UpdatedAt: k.s.now()}
	it.ExpiresAt = o.Expiry(it.UpdatedAt, old)
	items[key] = it
	it.Value = slices.Clone(value)
	return it, nil
}
