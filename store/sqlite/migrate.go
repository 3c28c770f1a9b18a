package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as ours in its header: "LLMS".
const applicationID = 0x4C4C4D53

// step is one migration: NNNN_name.sql, applied once, never changed.
type step struct {
	version int
	name    string
	sql     string
	sum     string
}

func steps(fsys fs.FS) ([]step, error) {
	names, err := fs.Glob(fsys, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var out []step
	for i, name := range names { // Glob sorts
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		base := filepath.Base(name)
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: expected number %04d", base, i+1)
		}
		sum := sha256.Sum256(text)
		out = append(out, step{version, base, string(text), hex.EncodeToString(sum[:])})
	}
	return out, nil
}

// migrate brings the file to the newest schema known to fsys. Steps that are
// due run under the file lock: one that is already held by this process
// (haveLock) or one taken for the time.
func migrate(ctx context.Context, conn *sql.Conn, path string, haveLock bool, fsys fs.FS) error {
	all, err := steps(fsys)
	if err != nil {
		return err
	}
	have, err := schemaVersion(ctx, conn, path)
	if err != nil {
		return err
	}
	if have > len(all) {
		return fault.Errorf(fault.StorageUnavailable, "the database %s has schema %d, this program knows %d", path, have, len(all)).
			WithHint("use the newer llmspell, or restore a backup made before the upgrade (%s)", filepath.Join(filepath.Dir(path), "backups"))
	}
	if have > 0 {
		if err := verify(ctx, conn, all[:have]); err != nil {
			return err
		}
	}
	if have == len(all) {
		return nil
	}
	if !haveLock {
		lock, err := lockFile(path+".lock", 5*time.Second)
		if err != nil {
			return err
		}
		defer lock.release()
	}
	return apply(ctx, conn, path, all)
}

// schemaVersion returns the schema of the file, 0 of an empty one, and refuses
// a database that is not ours.
func schemaVersion(ctx context.Context, conn *sql.Conn, path string) (version int, err error) {
	var id, objects int
	err = conn.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`).Scan(&id, &version, &objects)
	if err != nil {
		return 0, err
	}
	if id == applicationID || (id == 0 && objects == 0) {
		return version, nil
	}
	return 0, fault.Errorf(fault.StorageUnavailable, "%s is a database of another program", path).
		WithHint("set [storage.sqlite] path to a file of its own")
}

// verify compares the applied steps with the embedded ones.
func verify(ctx context.Context, conn *sql.Conn, known []step) error {
	for _, s := range known {
		var sum string
		err := conn.QueryRowContext(ctx, `SELECT sha256 FROM schema_migrations WHERE version = ?1`, s.version).Scan(&sum)
		if err != nil {
			return fmt.Errorf("migration %s is not recorded: %w", s.name, err)
		}
		if sum != s.sum {
			return fault.Errorf(fault.StorageUnavailable, "migration %s was applied with other content", s.name).
				WithHint("the database was made by a modified program; restore a backup or use that program")
		}
	}
	return nil
}

// apply runs the due steps, each with its record in one transaction. Another
// process may have done it while this one waited, so the version is read again.
func apply(ctx context.Context, conn *sql.Conn, path string, all []step) error {
	have, err := schemaVersion(ctx, conn, path)
	if err != nil {
		return err
	}
	if have > 0 && have < len(all) {
		if err := backup(ctx, conn, path, have, len(all)); err != nil {
			return fmt.Errorf("backup before the migration: %w", err)
		}
	}
	for _, s := range all[min(have, len(all)):] {
		text := fmt.Sprintf(`BEGIN EXCLUSIVE;
			PRAGMA application_id = %d;
			CREATE TABLE IF NOT EXISTS schema_migrations (
				version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied INTEGER NOT NULL) STRICT;
			%s
			INSERT INTO schema_migrations VALUES (%d, '%s', '%s', %d);
			PRAGMA user_version = %d;
			COMMIT`, applicationID, s.sql, s.version, s.name, s.sum, time.Now().UnixMicro(), s.version)
		if _, err := conn.ExecContext(ctx, text); err != nil {
			_, _ = conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`) // fails if none is open
			return fmt.Errorf("migration %s: %w", s.name, err)
		}
	}
	return nil
}

// backup writes a verified copy to backups/pre-<from>-<to>-<time>.db beside the file.
func backup(ctx context.Context, conn *sql.Conn, path string, from, to int) error {
	dir := filepath.Join(filepath.Dir(path), "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := filepath.Join(dir, fmt.Sprintf("pre-%d-%d-%s.db", from, to, time.Now().UTC().Format("20060102T150405.000")))
	// VACUUM INTO takes an existing empty file, so the copy never has a wider mode.
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `VACUUM INTO ?1`, name); err != nil {
		return err
	}
	copied, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(name)+"?mode=ro")
	if err != nil {
		return err
	}
	defer copied.Close()
	var verdict string
	if err := copied.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("copy %s is damaged: %s", name, verdict)
	}
	return nil
}
