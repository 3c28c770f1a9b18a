package store

import (
	"time"

	"github.com/llmspell/llmspell/fault"
)

// The checks that every implementation makes, so that they answer alike.

// CheckKey refuses a write that names no tenant, no scope or no key.
func CheckKey(t Tenant, s Scope, key string) error {
	switch {
	case t == "":
		return fault.Errorf(fault.Internal, "store: a write without a tenant")
	case s.Kind == "":
		return fault.Errorf(fault.InvalidArgument, "store: a write without a scope")
	case key == "":
		return fault.Errorf(fault.InvalidArgument, "the key is empty")
	}
	return nil
}

// CheckVersion compares the current item (nil: absent) with what a write
// expects, and returns fault.Conflict with the current version as detail.
func CheckVersion(key string, current *Item, want *int64) error {
	if want == nil {
		return nil
	}
	var have int64
	if current != nil {
		have = current.Version
	}
	if have == *want {
		return nil
	}
	return fault.Errorf(fault.Conflict, "key %q has version %d, not %d", key, have, *want).
		WithHint("read it again and retry, or use State.update").WithDetail("version", have)
}

// CheckToken refuses a token without id, hash or tenant.
func CheckToken(t Token) error {
	if t.ID == "" || t.Tenant == "" || t.Hash == [32]byte{} {
		return fault.Errorf(fault.InvalidArgument, "a token needs id, hash and tenant")
	}
	return nil
}

// ErrNoKey is the answer for an absent or expired key.
func ErrNoKey(key string) error {
	return fault.Errorf(fault.NotFound, "no key %q", key)
}

// Expiry returns when a write at now over old (nil: absent) expires, the zero
// time for never.
func (o PutOptions) Expiry(now time.Time, old *Item) time.Time {
	switch {
	case o.TTL > 0:
		return now.Add(o.TTL)
	case o.KeepTTL && old != nil:
		return old.ExpiresAt
	}
	return time.Time{}
}
