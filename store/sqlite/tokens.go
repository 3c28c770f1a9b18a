package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

type tokens struct{ s *Store }

func (k tokens) Create(ctx context.Context, t store.Token) error {
	if err := store.CheckToken(t); err != nil {
		return err
	}
	scopes, err := json.Marshal(t.Scopes)
	if err != nil {
		return err
	}
	return k.s.writer.do(ctx, func(w *tx) error {
		res, err := w.exec(sqlTokenAdd, t.ID, t.Hash[:], t.Name, string(t.Tenant), string(scopes), t.CreatedAt.UnixMicro(), toNull(t.ExpiresAt))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return fault.Errorf(fault.AlreadyExists, "token %q exists", t.ID)
		}
		return err
	})
}

func (k tokens) Lookup(ctx context.Context, hash [32]byte) (store.Token, error) {
	row := k.s.readDB.QueryRowContext(ctx, sqlTokenGet, hash[:], k.s.now().UnixMicro())
	t, err := scanToken(row)
	if errors.Is(err, sql.ErrNoRows) {
		return t, fault.Errorf(fault.NotFound, "no such token")
	}
	return t, unavailable(err)
}

func (k tokens) List(ctx context.Context) ([]store.Token, error) {
	rows, err := k.s.readDB.QueryContext(ctx, sqlTokenList)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	var out []store.Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, unavailable(err)
		}
		out = append(out, t)
	}
	return out, unavailable(rows.Err())
}

func (k tokens) Revoke(ctx context.Context, id string) error {
	return k.s.writer.do(ctx, func(w *tx) error {
		res, err := w.exec(sqlTokenDelete, id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return fault.Errorf(fault.NotFound, "no token %q", id)
		}
		return err
	})
}

func scanToken(row interface{ Scan(...any) error }) (store.Token, error) {
	var t store.Token
	var hash []byte
	var scopes string
	var created int64
	var expires sql.NullInt64
	if err := row.Scan(&t.ID, &hash, &t.Name, &t.Tenant, &scopes, &created, &expires); err != nil {
		return store.Token{}, err
	}
	if copy(t.Hash[:], hash) != len(t.Hash) {
		return store.Token{}, fault.Errorf(fault.StorageUnavailable, "token %q has a damaged hash", t.ID)
	}
	if err := json.Unmarshal([]byte(scopes), &t.Scopes); err != nil {
		return store.Token{}, fault.Errorf(fault.StorageUnavailable, "token %q has damaged scopes: %w", t.ID, err)
	}
	t.CreatedAt, t.ExpiresAt = fromMicro(created), fromNull(expires)
	return t, nil
}
