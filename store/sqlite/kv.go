package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

type kv struct{ s *Store }

func (k kv) Get(ctx context.Context, t store.Tenant, sc store.Scope, key string) (store.Item, error) {
	it := store.Item{Key: key}
	var updated int64
	var expires sql.NullInt64
	err := k.s.readDB.QueryRowContext(ctx, sqlKVGet, string(t), sc.Kind, sc.ID, key, k.s.now().UnixMicro()).
		Scan(&it.Version, &it.Size, &updated, &expires, &it.Value)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Item{}, store.ErrNoKey(key)
	}
	if err != nil {
		return store.Item{}, unavailable(err)
	}
	it.UpdatedAt, it.ExpiresAt = fromMicro(updated), fromNull(expires)
	return it, nil
}

func (k kv) Put(ctx context.Context, t store.Tenant, sc store.Scope, key string, value []byte, o store.PutOptions) (int64, error) {
	if value == nil {
		value = []byte{}
	}
	it, err := k.Update(ctx, t, sc, key, o, func(*store.Item) ([]byte, error) { return value, nil })
	return it.Version, err
}

func (k kv) Delete(ctx context.Context, t store.Tenant, sc store.Scope, key string) (existed bool, err error) {
	_, err = k.Update(ctx, t, sc, key, store.PutOptions{}, func(it *store.Item) ([]byte, error) {
		existed = it != nil
		return nil, nil
	})
	return existed && err == nil, err
}

func (k kv) Update(ctx context.Context, t store.Tenant, sc store.Scope, key string, o store.PutOptions, fn func(*store.Item) ([]byte, error)) (out store.Item, err error) {
	if err := store.CheckKey(t, sc, key); err != nil {
		return store.Item{}, err
	}
	var refused error // what fn said
	err = k.s.writer.do(ctx, func(w *tx) error {
		now := w.w.now().UTC().Truncate(time.Microsecond)
		old, err := current(w, t, sc, key, now)
		if err != nil {
			return err
		}
		if err := store.CheckVersion(key, old, o.IfVersion); err != nil {
			return err
		}
		value, err := fn(old)
		if err != nil {
			refused = err
			return err
		}
		if value == nil {
			out = store.Item{Key: key}
			_, err := w.exec(sqlKVDelete, string(t), sc.Kind, sc.ID, key)
			return err
		}
		out = store.Item{Key: key, Value: value, Size: int64(len(value)), UpdatedAt: now}
		out.ExpiresAt = o.Expiry(now, old)
		return put(w, t, sc, &out)
	})
	if refused != nil {
		return store.Item{}, refused
	}
	if err != nil {
		return store.Item{}, err
	}
	return out, nil
}

// current reads a key inside the writer's transaction, nil if it is absent.
func current(w *tx, t store.Tenant, sc store.Scope, key string, now time.Time) (*store.Item, error) {
	it := store.Item{Key: key}
	var updated int64
	var expires sql.NullInt64
	err := w.row(sqlKVGet, []any{string(t), sc.Kind, sc.ID, key, now.UnixMicro()},
		&it.Version, &it.Size, &updated, &expires, &it.Value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	it.UpdatedAt, it.ExpiresAt = fromMicro(updated), fromNull(expires)
	return &it, nil
}

// put writes it under the next version of the tenant.
func put(w *tx, t store.Tenant, sc store.Scope, it *store.Item) error {
	now := it.UpdatedAt.UnixMicro()
	if !w.w.tenants[string(t)] {
		if _, err := w.exec(sqlTenantAdd, string(t), now); err != nil {
			return err
		}
		w.w.tenants[string(t)] = true
	}
	if err := w.row(sqlSeqNext, []any{string(t), "kv"}, &it.Version); err != nil {
		return err
	}
	_, err := w.exec(sqlKVPut, string(t), sc.Kind, sc.ID, it.Key, it.Version, it.Size, now, toNull(it.ExpiresAt), it.Value)
	return err
}

func (k kv) List(ctx context.Context, t store.Tenant, sc store.Scope, prefix, after string, limit int) ([]store.Item, error) {
	if limit < 1 || limit > store.MaxPage {
		return nil, fault.Errorf(fault.InvalidArgument, "limit must be 1 to %d", store.MaxPage)
	}
	rows, err := k.s.readDB.QueryContext(ctx, sqlKVList, string(t), sc.Kind, sc.ID, prefix, above(prefix), after, k.s.now().UnixMicro(), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	out := []store.Item{}
	for rows.Next() {
		var it store.Item
		var updated int64
		var expires sql.NullInt64
		if err := rows.Scan(&it.Key, &it.Version, &it.Size, &updated, &expires); err != nil {
			return nil, unavailable(err)
		}
		it.UpdatedAt, it.ExpiresAt = fromMicro(updated), fromNull(expires)
		out = append(out, it)
	}
	return out, unavailable(rows.Err())
}

func (k kv) Clear(ctx context.Context, t store.Tenant, sc store.Scope, prefix string) (n int64, err error) {
	err = k.s.writer.do(ctx, func(w *tx) error {
		args := []any{string(t), sc.Kind, sc.ID, prefix, above(prefix)}
		if err := w.row(sqlKVCount, append(args[:5:5], w.w.now().UnixMicro()), &n); err != nil {
			return err
		}
		_, err := w.exec(sqlKVClear, args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (k kv) Touch(ctx context.Context, t store.Tenant, sc store.Scope, key string, ttl time.Duration) error {
	return k.s.writer.do(ctx, func(w *tx) error {
		now := w.w.now()
		var expires time.Time
		if ttl > 0 {
			expires = now.Add(ttl)
		}
		res, err := w.exec(sqlKVTouch, string(t), sc.Kind, sc.ID, key, toNull(expires), now.UnixMicro())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err == nil && n == 0 {
			return store.ErrNoKey(key)
		}
		return err
	})
}

// Collect removes at most limit expired keys, tenant by tenant, in one short
// transaction each.
func (s *Store) Collect(ctx context.Context, limit int) (total int64, err error) {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range tenants {
		if total >= int64(limit) {
			break
		}
		err := s.writer.do(ctx, func(w *tx) error {
			res, err := w.exec(sqlKVCollect, t, w.w.now().UnixMicro(), int64(limit)-total)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			total += n
			return err
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *Store) tenants(ctx context.Context) (out []string, err error) {
	rows, err := s.readDB.QueryContext(ctx, sqlTenantList)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, unavailable(err)
		}
		out = append(out, t)
	}
	return out, unavailable(rows.Err())
}

// above returns the least string greater than every key with the prefix. Keys
// are UTF-8, which has no byte 0xff.
func above(prefix string) string {
	if prefix == "" {
		return "\xff"
	}
	return prefix[:len(prefix)-1] + string([]byte{prefix[len(prefix)-1] + 1})
}

func fromMicro(us int64) time.Time { return time.UnixMicro(us).UTC() }

func fromNull(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return fromMicro(us.Int64)
}

func toNull(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}
