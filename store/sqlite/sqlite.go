// Package sqlite is the store in one SQLite file, the default of a single
// machine. Writes of all goroutines are committed in groups by one writer and
// acknowledged after the commit; reads run beside it on connections of their
// own and see a snapshot.
//
//	st, err := sqlite.Open(ctx, sqlite.Params{Path: "llmspell.db", Lock: true})
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//
// A kernel takes the lock beside the file; commands that use the file beside a
// running kernel open it without.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/store"
)

// Params configure a store.
type Params struct {
	Path string // file, made with mode 0600 if absent, in a directory that exists

	// Synchronous is "full" (the default: an acknowledged write survives power
	// loss) or "normal" (it survives the end of the process only).
	Synchronous string

	// Lock takes <Path>.lock for the life of the store: one kernel a file.
	Lock bool

	// AllowNetwork opens a file on a network filesystem, whose locks SQLite
	// cannot trust.
	AllowNetwork bool

	Now func() time.Time // nil = time.Now
}

// Store implements store.Store and store.Collector.
type Store struct {
	path        string
	file        os.FileInfo // what was opened
	synchronous string
	now         func() time.Time
	lock        *fileLock
	writeDB     *sql.DB
	readDB      *sql.DB
	writer      *writer
	closed      sync.Once
	closeErr    error
}

const readers = 4 // connections for reads at once

// Open opens the file, makes and migrates its tables if needed, and starts the
// writer. Errors are fault.StorageUnavailable with what to do as hint.
func Open(ctx context.Context, p Params) (_ *Store, err error) {
	s, err := prepare(p)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if p.Lock {
		if s.lock, err = lockFile(s.path+".lock", 0); err != nil {
			return nil, err
		}
	}
	s.writeDB, err = sql.Open("sqlite", dsn(s.path, s.synchronous, "journal_mode(WAL)"))
	if err != nil {
		return nil, unavailable(err)
	}
	s.writeDB.SetMaxOpenConns(1)
	conn, err := s.writeDB.Conn(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if err := migrate(ctx, conn, s.path, p.Lock, migrations); err != nil {
		conn.Close()
		return nil, unavailable(err)
	}
	s.readDB, err = sql.Open("sqlite", dsn(s.path, s.synchronous, "query_only(1)"))
	if err != nil {
		conn.Close()
		return nil, unavailable(err)
	}
	s.readDB.SetMaxOpenConns(readers)
	s.readDB.SetMaxIdleConns(readers)
	s.writer = startWriter(conn, s.now)
	return s, nil
}

// prepare checks p and makes the file.
func prepare(p Params) (*Store, error) {
	s := &Store{synchronous: p.Synchronous, now: p.Now}
	if s.synchronous == "" {
		s.synchronous = "full"
	}
	if s.synchronous != "full" && s.synchronous != "normal" {
		return nil, fault.Errorf(fault.InvalidArgument, `[storage.sqlite] synchronous: %q is not "full" or "normal"`, p.Synchronous)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if p.Path == "" {
		return nil, fault.Errorf(fault.InvalidArgument, "[storage.sqlite] path is empty")
	}
	path, err := filepath.Abs(p.Path)
	if err != nil {
		return nil, unavailable(err)
	}
	s.path = path
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unavailable(err)
	}
	defer f.Close()
	if s.file, err = f.Stat(); err != nil {
		return nil, unavailable(err)
	}
	if s.file.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return nil, unavailable(err)
		}
	}
	if name := networkFS(path); name != "" && !p.AllowNetwork {
		return nil, fault.Errorf(fault.StorageUnavailable, "%s is on a network filesystem (%s), where SQLite's locks are not safe", path, name).
			WithHint("put [storage.sqlite] path on a local disk, or use backend postgres")
	}
	return s, nil
}

func dsn(path, synchronous, pragma string) string {
	q := "?_dqs=0&_defensive=1&_pragma=busy_timeout(5000)&_pragma=" + pragma +
		"&_pragma=synchronous(" + synchronous + ")&_pragma=foreign_keys(1)&_pragma=trusted_schema(0)" +
		"&_pragma=cell_size_check(1)&_pragma=journal_size_limit(67108864)"
	if runtime.GOOS == "darwin" && synchronous == "full" {
		q += "&_pragma=fullfsync(1)"
	}
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + q
}

func (s *Store) KV() store.KV         { return kv{s} }
func (s *Store) Tokens() store.Tokens { return tokens{s} }

// Info describes the file.
func (s *Store) Info(ctx context.Context) (store.Info, error) {
	info := store.Info{Backend: "sqlite", Durable: true, Synchronous: s.synchronous}
	err := s.readDB.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&info.SchemaVersion)
	if err != nil {
		return info, unavailable(err)
	}
	for _, name := range []string{s.path, s.path + "-wal"} {
		if st, err := os.Stat(name); err == nil {
			info.Bytes += st.Size()
		}
	}
	return info, nil
}

// samePlace tells whether the open file is still the one at the path: what is
// written to a removed or replaced file is lost at the next start.
func (s *Store) samePlace() error {
	now, err := os.Stat(s.path)
	if err == nil && os.SameFile(s.file, now) {
		return nil
	}
	if err == nil {
		err = errors.New("another file is in its place")
	}
	return fault.Errorf(fault.StorageUnavailable, "storage: the database %s was removed or replaced while it is open: %w", s.path, err).
		WithHint("put the file back, or restart the kernel")
}

// Ping asks the writer for an empty transaction and a reader for a row, so
// that a full or read-only disk is noticed.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.samePlace(); err != nil {
		return err
	}
	err := s.writer.do(ctx, func(t *tx) error {
		_, err := t.exec(sqlPing, "ping")
		return err
	})
	if err != nil {
		return err
	}
	var one int
	return unavailable(s.readDB.QueryRowContext(ctx, `SELECT 1`).Scan(&one))
}

// Close waits for writes under way, closes the file and gives up the lock.
// Idempotent.
func (s *Store) Close() error {
	s.closed.Do(func() {
		var errs []error
		if s.writer != nil {
			errs = append(errs, s.writer.close())
		}
		if s.readDB != nil {
			errs = append(errs, s.readDB.Close())
		}
		if s.writeDB != nil {
			errs = append(errs, s.writeDB.Close())
		}
		s.closeErr = unavailable(errors.Join(errs...))
		if s.lock != nil {
			s.lock.release()
		}
	})
	return s.closeErr
}
