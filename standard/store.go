package standard

import (
	"context"
	"os"
	"path/filepath"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
	"github.com/llmspell/llmspell/store/memstore"
	"github.com/llmspell/llmspell/store/sqlite"
)

// openStore opens the configured backend. lock keeps a second kernel out.
func openStore(ctx context.Context, c *config.Config, lock bool) (store.Store, error) {
	st, err := openBackend(ctx, c, lock)
	if err != nil || c.Runtime.StatePersistence.Enabled {
		return st, err
	}
	return volatile{st, memstore.New(memstore.Params{})}, nil
}

// volatile is a store whose values live in memory only:
// [runtime.state_persistence] enabled = false.
type volatile struct {
	store.Store
	memory *memstore.Store
}

func (v volatile) KV() store.KV { return v.memory.KV() }

func openBackend(ctx context.Context, c *config.Config, lock bool) (store.Store, error) {
	switch c.Storage.Backend {
	case "memory":
		return memstore.New(memstore.Params{}), nil
	case "sqlite":
		return openSQLite(ctx, c, lock)
	}
	return nil, fault.Errorf(fault.ComponentDisabled, "not available in this version").
		WithHint(`set [storage] backend = "sqlite" or "memory"`)
}

func openSQLite(ctx context.Context, c *config.Config, lock bool) (store.Store, error) {
	path := c.Storage.SQLite.Path
	if path == "" {
		return nil, fault.Errorf(fault.InvalidArgument, "storage.sqlite.path is empty").
			WithHint("set it, or kernel.state_dir, or storage.backend = \"memory\"")
	}
	// Only the state directory is ours to make; parents that the user names are not.
	if dir := filepath.Dir(path); dir == c.Paths.StateDir {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fault.Errorf(fault.StorageUnavailable, "state directory: %w", err)
		}
	}
	return sqlite.Open(ctx, sqlite.Params{Path: path, Synchronous: c.Storage.SQLite.Synchronous, Lock: lock})
}
