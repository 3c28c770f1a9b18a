package sqlite

import (
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/llmspell/llmspell/fault"
)

// unavailable maps a driver's error to fault.StorageUnavailable. Errors of the
// vocabulary and of the context stay as they are.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := fault.Errorf(fault.StorageUnavailable, "storage: %w", err)
	e.Retryable = true
	if errors.Is(err, sql.ErrConnDone) {
		e.Message = "the store is closed"
		return e
	}
	if d, ok := errors.AsType[*driver.Error](err); ok {
		e.Hint = hints[d.Code()&0xff]
		e.Retryable = d.Code()&0xff != sqlite3.SQLITE_CORRUPT && d.Code()&0xff != sqlite3.SQLITE_NOTADB
	}
	return e
}

var hints = map[int]string{
	sqlite3.SQLITE_FULL:     "the disk is full",
	sqlite3.SQLITE_READONLY: "the file or its directory is read-only",
	sqlite3.SQLITE_BUSY:     "another process holds the file; try again",
	sqlite3.SQLITE_CANTOPEN: "check the path and its permissions",
	sqlite3.SQLITE_CORRUPT:  "the file is damaged; restore a backup",
	sqlite3.SQLITE_NOTADB:   "the file is not a database; check [storage.sqlite] path",
}
