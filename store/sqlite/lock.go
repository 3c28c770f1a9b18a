package sqlite

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// fileLock is an flock'ed file that holds its owner's pid. The file stays when
// the lock is given up: removing it would let two owners lock two files.
type fileLock struct{ f *os.File }

// lockFile takes the lock, trying for wait.
func lockFile(path string, wait time.Duration) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unavailable(err)
	}
	deadline := time.Now().Add(wait)
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || !time.Now().Before(deadline) {
			owner := readOwner(f)
			f.Close()
			return nil, locked(path, owner, err)
		}
		time.Sleep(20 * time.Millisecond) // flock has no wait with a deadline
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		if err != nil {
			f.Close()
			return nil, unavailable(err)
		}
	}
	return &fileLock{f}, nil
}

func (l *fileLock) release() { l.f.Close() }

func readOwner(f *os.File) string {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 32))
	return strings.TrimSpace(string(b))
}

func locked(path, owner string, err error) error {
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return unavailable(err)
	}
	who := "another kernel"
	if owner != "" {
		who += " (pid " + owner + ")"
	}
	return fault.Errorf(fault.StorageUnavailable, "the database %s is in use by %s", strings.TrimSuffix(path, ".lock"), who).
		WithHint("stop it, or give this kernel a [storage.sqlite] path of its own")
}
