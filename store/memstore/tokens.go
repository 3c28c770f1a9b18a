package memstore

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

type tokens struct{ s *Store }

func (k tokens) Create(ctx context.Context, t store.Token) error {
	if err := store.CheckToken(t); err != nil {
		return err
	}
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for _, other := range k.s.tokens {
		if other.ID == t.ID || other.Hash == t.Hash {
			return fault.Errorf(fault.AlreadyExists, "token %q exists", t.ID)
		}
	}
	t.Scopes = slices.Clone(t.Scopes)
	k.s.tokens[t.ID] = t
	return nil
}

func (k tokens) Lookup(ctx context.Context, hash [32]byte) (store.Token, error) {
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return store.Token{}, err
	}
	defer unlock()
	for _, t := range k.s.tokens {
		if t.Hash == hash && (t.ExpiresAt.IsZero() || t.ExpiresAt.After(k.s.now())) {
			t.Scopes = slices.Clone(t.Scopes)
			return t, nil
		}
	}
	return store.Token{}, fault.Errorf(fault.NotFound, "no such token")
}

func (k tokens) List(ctx context.Context) ([]store.Token, error) {
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return slices.SortedFunc(maps.Values(k.s.tokens), func(a, b store.Token) int { return cmp.Compare(a.ID, b.ID) }), nil
}

func (k tokens) Revoke(ctx context.Context, id string) error {
	unlock, err := k.s.enter(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, ok := k.s.tokens[id]; !ok {
		return fault.Errorf(fault.NotFound, "no token %q", id)
	}
	delete(k.s.tokens, id)
	return nil
}
