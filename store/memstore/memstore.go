// Package memstore is a store in memory, for tests and ephemeral kernels: it
// keeps every rule of the contract but durability.
//
//	st := memstore.New(memstore.Params{})
//	defer st.Close()
package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

// Params configure a store. The zero value is fine.
type Params struct {
	Now func() time.Time // nil = time.Now
}

// Store implements store.Store and store.Collector.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	closed  bool
	tenants map[store.Tenant]*tenant
	tokens  map[string]store.Token
}

type tenant struct {
	version int64 // of the last write; never goes back
	scopes  map[store.Scope]map[string]store.Item
}

// New returns an empty store.
func New(p Params) *Store {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Store{now: p.Now, tenants: map[store.Tenant]*tenant{}, tokens: map[string]store.Token{}}
}

func (s *Store) KV() store.KV         { return kv{s} }
func (s *Store) Tokens() store.Tokens { return tokens{s} }

// Info reports a store that is not durable.
func (s *Store) Info(ctx context.Context) (store.Info, error) {
	unlock, err := s.enter(ctx)
	if err != nil {
		return store.Info{}, err
	}
	defer unlock()
	info := store.Info{Backend: "memory", SchemaVersion: 1}
	for _, t := range s.tenants {
		for _, items := range t.scopes {
			for k, it := range items {
				info.Bytes += int64(len(k)) + it.Size
			}
		}
	}
	return info, nil
}

func (s *Store) Ping(ctx context.Context) error {
	unlock, err := s.enter(ctx)
	if err == nil {
		unlock()
	}
	return err
}

// Close forgets everything. Idempotent.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.tenants, s.tokens = true, nil, nil
	return nil
}

// Collect removes expired items.
func (s *Store) Collect(ctx context.Context, limit int) (n int64, err error) {
	unlock, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	now := s.now()
	for _, t := range s.tenants {
		for _, items := range t.scopes {
			for k, it := range items {
				if n < int64(limit) && expired(it, now) {
					delete(items, k)
					n++
				}
			}
		}
	}
	return n, nil
}

// enter takes the lock if ctx and store are alive.
func (s *Store) enter(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, fault.Errorf(fault.StorageUnavailable, "the store is closed")
	}
	return s.mu.Unlock, nil
}

func expired(it store.Item, now time.Time) bool {
	return !it.ExpiresAt.IsZero() && !it.ExpiresAt.After(now)
}

// items returns the keys of a scope, made on first use.
func (s *Store) items(t store.Tenant, sc store.Scope) (*tenant, map[string]store.Item) {
	ten := s.tenants[t]
	if ten == nil {
		ten = &tenant{scopes: map[store.Scope]map[string]store.Item{}}
		s.tenants[t] = ten
	}
	if ten.scopes[sc] == nil {
		ten.scopes[sc] = map[string]store.Item{}
	}
	return ten, ten.scopes[sc]
}

// live returns the item under key, nil if absent or expired.
func (s *Store) live(items map[string]store.Item, key string) *store.Item {
	it, ok := items[key]
	if !ok || expired(it, s.now()) {
		return nil
	}
	it.Value = slices.Clone(it.Value)
	return &it
}
