// Package store is the contract of storage: small interfaces that the engines
// use and that store/sqlite, store/memstore (and later store/postgres)
// implement. Every implementation passes store/storetest.
package store

import (
	"context"
	"time"
)

// Tenant names whose data a call touches. It comes from the credential only.
type Tenant string

// Store is a database. Safe for concurrent use. A write is durable when the
// call returns (memstore excepted, see Info).
type Store interface {
	KV() KV
	Tokens() Tokens
	Info(ctx context.Context) (Info, error)
	// Ping answers a trivial query; an error makes the kernel unready.
	Ping(ctx context.Context) error
	Close() error
}

// Info describes a store.
type Info struct {
	Backend       string `json:"backend"`
	Durable       bool   `json:"durable"`
	Synchronous   string `json:"synchronous,omitempty"` // "full" survives power loss, "normal" process death only
	SchemaVersion int    `json:"schema_version"`
	Bytes         int64  `json:"bytes"`
}

// MaxPage is the largest page of a listing.
const MaxPage = 1000

// Collector is implemented by stores that keep expired items until asked.
type Collector interface {
	// Collect removes at most limit expired items and returns how many; call it
	// again, with a pause, while it returns limit.
	Collect(ctx context.Context, limit int) (int64, error)
}

// Scope is a name space of keys: Kind "global", "session", "agent", ... and an
// id, which may be empty and may contain ':'.
type Scope struct{ Kind, ID string }

// Item is one stored value. Version is positive, strictly rising over the
// tenant's writes and never reused, also after delete.
type Item struct {
	Key       string
	Value     []byte // nil in what List returns
	Size      int64  // bytes of the value
	Version   int64
	UpdatedAt time.Time
	ExpiresAt time.Time // zero = never; an expired item is absent
}

// PutOptions modify a write.
type PutOptions struct {
	TTL       time.Duration // 0 = never expires
	KeepTTL   bool          // with TTL 0: the expiry of the item written over stays
	IfVersion *int64        // write only over this version; 0 = must not exist
}

// KV is scoped, versioned key/value storage.
type KV interface {
	// Get returns fault.NotFound for an absent or expired key.
	Get(ctx context.Context, t Tenant, s Scope, key string) (Item, error)
	// Put returns the new version, or fault.Conflict with detail "version".
	Put(ctx context.Context, t Tenant, s Scope, key string, value []byte, o PutOptions) (int64, error)
	Delete(ctx context.Context, t Tenant, s Scope, key string) (existed bool, err error)
	// List pages by key in byte order, after the key after; limit 1..MaxPage.
	// The items carry no values.
	List(ctx context.Context, t Tenant, s Scope, prefix, after string, limit int) ([]Item, error)
	// Clear deletes the keys with a prefix and returns how many there were.
	Clear(ctx context.Context, t Tenant, s Scope, prefix string) (int64, error)
	// Touch sets (ttl > 0) or removes (0) the expiry.
	Touch(ctx context.Context, t Tenant, s Scope, key string, ttl time.Duration) error
	// Update is one atomic read-modify-write: fn gets the current item (nil:
	// absent) and returns the new value; nil deletes. fn may run again, must
	// have no effects and must not use the store. An error of fn is returned as
	// it is. The Item has Version 0 after a delete.
	Update(ctx context.Context, t Tenant, s Scope, key string, o PutOptions, fn func(*Item) ([]byte, error)) (Item, error)
}

// Token is a stored credential: only the SHA-256 of the secret is kept.
type Token struct {
	ID        string    `json:"id"`
	Hash      [32]byte  `json:"-"`
	Name      string    `json:"name,omitempty"`
	Tenant    Tenant    `json:"tenant"`
	Scopes    []string  `json:"scopes"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Tokens keeps credentials. Lookup happens on every request, so revocation is
// immediate.
type Tokens interface {
	Create(ctx context.Context, t Token) error
	Lookup(ctx context.Context, hash [32]byte) (Token, error) // fault.NotFound when absent or expired
	List(ctx context.Context) ([]Token, error)
	Revoke(ctx context.Context, id string) error // fault.NotFound
}
