package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/llmspell/llmspell/fault"
)

// PIDFile is a PID file held by this process.
type PIDFile struct {
	file *os.File
	path string
	// Stale is what a dead kernel left in the file, "" if nothing.
	Stale string
}

// HoldPIDFile locks path and writes the process id. The file is regular, mode
// 0644 whatever the umask, and opened without truncation, so that a running
// kernel's number survives a refused start.
func HoldPIDFile(path string) (*PIDFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, pidFileError(path, err)
	}
	p := &PIDFile{file: f, path: path}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		f.Close()
		return nil, pidFileError(path, errors.New("not a regular file"))
	}
	old := readPID(f)
	if err := flock(f); err != nil {
		f.Close()
		return nil, fault.Errorf(fault.AlreadyExists, "Another kernel is already running (pid %s, PID file %s)", old, path)
	}
	if !sameFile(f, path) { // removed by its holder between open and lock
		f.Close()
		return HoldPIDFile(path)
	}
	p.Stale = old
	if err := errors.Join(f.Chmod(0o644), f.Truncate(0), p.write()); err != nil {
		f.Close()
		return nil, pidFileError(path, err)
	}
	return p, nil
}

func (p *PIDFile) write() error {
	_, err := p.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Path returns the file's path.
func (p *PIDFile) Path() string { return p.path }

// Release removes the file if it is still the same one and drops the lock.
func (p *PIDFile) Release() error {
	defer p.file.Close()
	if !sameFile(p.file, p.path) {
		return nil
	}
	return os.Remove(p.path)
}

func pidFileError(path string, err error) error {
	e := fault.Errorf(fault.InvalidState, "Cannot create PID file %s: %w", path, cause(err))
	if dir := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) {
		e.WithHint("create its directory: sudo install -d -o $USER %s", dir)
	}
	return e
}

// cause strips the operation and path that the message already names.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

func readPID(f *os.File) string {
	data, _ := io.ReadAll(io.NewSectionReader(f, 0, 64))
	return strings.TrimSpace(string(data))
}

// RemoveStale removes a file that a dead kernel of owner left at path. A file
// that is not there, is another account's, or is held by a kernel that started
// meanwhile is left alone.
func RemoveStale(path string, owner uint32) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() || st.Sys().(*syscall.Stat_t).Uid != owner || flock(f) != nil || !sameFile(f, path) {
		return nil
	}
	return os.Remove(path)
}

// PIDFileState is what a PID file tells about its kernel.
type PIDFileState struct {
	Exists bool
	Held   bool // by a living kernel
	PID    int  // 0 when unreadable
	Owner  uint32
}

// ReadPIDFile looks at a PID file without changing it.
func ReadPIDFile(path string) (PIDFileState, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return PIDFileState{}, nil
	}
	if err != nil {
		return PIDFileState{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return PIDFileState{}, err
	}
	if !st.Mode().IsRegular() {
		return PIDFileState{}, fmt.Errorf("%s is not a regular file", path)
	}
	s := PIDFileState{Exists: true, Held: locked(f), Owner: st.Sys().(*syscall.Stat_t).Uid}
	if n, err := strconv.Atoi(readPID(f)); err == nil && n > 1 {
		s.PID = n
	}
	return s, nil
}
