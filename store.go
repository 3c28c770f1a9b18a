package llmspell

import (
	"context"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

// lateStore is storage that the components hold before it is open.
type lateStore struct {
	mu     sync.RWMutex
	store  store.Store
	closed bool
}

func (l *lateStore) open(s store.Store) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.store = s
	return nil
}

func (l *lateStore) close() error {
	l.mu.Lock()
	s := l.store
	l.store, l.closed = nil, true
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.Close()
}

// get returns the open store.
func (l *lateStore) get() (store.Store, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.closed:
		return nil, ErrClosed
	case l.store == nil:
		return nil, fault.Errorf(fault.StorageUnavailable, "storage is not open").WithHint("Infrastructure.Start opens it")
	}
	return l.store, nil
}

// lateKV is the KV of a lateStore.
type lateKV struct{ *lateStore }

var _ store.KV = lateKV{}

func (l lateKV) Get(ctx context.Context, t store.Tenant, s store.Scope, key string) (store.Item, error) {
	st, err := l.get()
	if err != nil {
		return store.Item{}, err
	}
	return st.KV().Get(ctx, t, s, key)
}

func (l lateKV) Put(ctx context.Context, t store.Tenant, s store.Scope, key string, value []byte, o store.PutOptions) (int64, error) {
	st, err := l.get()
	if err != nil {
		return 0, err
	}
	return st.KV().Put(ctx, t, s, key, value, o)
}

func (l lateKV) Delete(ctx context.Context, t store.Tenant, s store.Scope, key string) (bool, error) {
	st, err := l.get()
	if err != nil {
		return false, err
	}
	return st.KV().Delete(ctx, t, s, key)
}

func (l lateKV) List(ctx context.Context, t store.Tenant, s store.Scope, prefix, after string, limit int) ([]store.Item, error) {
	st, err := l.get()
	if err != nil {
		return nil, err
	}
	return st.KV().List(ctx, t, s, prefix, after, limit)
}

func (l lateKV) Clear(ctx context.Context, t store.Tenant, s store.Scope, prefix string) (int64, error) {
	st, err := l.get()
	if err != nil {
		return 0, err
	}
	return st.KV().Clear(ctx, t, s, prefix)
}

func (l lateKV) Touch(ctx context.Context, t store.Tenant, s store.Scope, key string, ttl time.Duration) error {
	st, err := l.get()
	if err != nil {
		return err
	}
	return st.KV().Touch(ctx, t, s, key, ttl)
}

func (l lateKV) Update(ctx context.Context, t store.Tenant, s store.Scope, key string, o store.PutOptions, fn func(*store.Item) ([]byte, error)) (store.Item, error) {
	st, err := l.get()
	if err != nil {
		return store.Item{}, err
	}
	return st.KV().Update(ctx, t, s, key, o, fn)
}

// lateTokens are the Tokens of a lateStore.
type lateTokens struct{ *lateStore }

var _ store.Tokens = lateTokens{}

func (l lateTokens) Create(ctx context.Context, t store.Token) error {
	st, err := l.get()
	if err != nil {
		return err
	}
	return st.Tokens().Create(ctx, t)
}

func (l lateTokens) Lookup(ctx context.Context, hash [32]byte) (store.Token, error) {
	st, err := l.get()
	if err != nil {
		return store.Token{}, err
	}
	return st.Tokens().Lookup(ctx, hash)
}

func (l lateTokens) List(ctx context.Context) ([]store.Token, error) {
	st, err := l.get()
	if err != nil {
		return nil, err
	}
	return st.Tokens().List(ctx)
}

func (l lateTokens) Revoke(ctx context.Context, id string) error {
	st, err := l.get()
	if err != nil {
		return err
	}
	return st.Tokens().Revoke(ctx, id)
}
