// Package logfile is an append-only log file that rotates by size, removes old
// backups by count and age, compresses them in the background and can be
// reopened, so that its own rotation and logrotate can share a directory.
//
// A write never blocks on a failing disk: what cannot be written is dropped and
// counted.
package logfile

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Params configure a File.
type Params struct {
	Path       string
	MaxSize    int64         // bytes; 0 = no rotation
	MaxBackups int           // 0 = keep none
	MaxAge     time.Duration // 0 = for ever
	Compress   bool
	Now        func() time.Time // nil = time.Now
}

// File is a log file. Safe for concurrent use; a Write is never split.
type File struct {
	p       Params
	dropped atomic.Int64

	mu     sync.Mutex
	file   *os.File
	size   int64
	closed bool
	work   chan struct{} // wakes the one background worker
	done   chan struct{}
}

// mode of new log files, whatever the umask. An existing file's is left alone.
const mode = 0o640

// stamp is what rotation appends to the name: <file>.20060102T150405.000000
const stamp = "20060102T150405.000000"

// Open opens or creates the file for appending.
func Open(p Params) (*File, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	f := &File{p: p, work: make(chan struct{}, 1), done: make(chan struct{})}
	file, size, err := openFile(p.Path)
	if err != nil {
		return nil, err
	}
	f.file, f.size = file, size
	go f.tidyLoop()
	f.wake()
	return f, nil
}

func openFile(path string) (*os.File, int64, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	} else if err == nil {
		err = file.Chmod(mode)
	}
	if err != nil {
		return nil, 0, err
	}
	st, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, st.Size(), nil
}

// Write appends p as a whole, rotating first if it would pass the size. It
// always reports success, so that a logger never fails its caller.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, os.ErrClosed
	}
	if f.p.MaxSize > 0 && f.size > 0 && f.size+int64(len(p)) > f.p.MaxSize {
		f.rotate()
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	if err != nil {
		f.dropped.Add(1)
	}
	return len(p), nil
}

// Dropped counts the lines that could not be written.
func (f *File) Dropped() int64 { return f.dropped.Load() }

// rotate renames the file aside and starts a new one; when it cannot, the old
// file goes on.
func (f *File) rotate() {
	backup := f.p.Path + "." + f.p.Now().UTC().Format(stamp)
	if err := os.Rename(f.p.Path, backup); err != nil {
		return
	}
	file, size, err := openFile(f.p.Path)
	if err != nil {
		os.Rename(backup, f.p.Path)
		return
	}
	f.file.Close()
	f.file, f.size = file, size
	f.wake()
}

// Reopen opens the path anew (after logrotate moved it) and then swaps; no line
// is lost or split. On error the old file stays in use.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return os.ErrClosed
	}
	file, size, err := openFile(f.p.Path)
	if err != nil {
		return err
	}
	f.file.Close()
	f.file, f.size = file, size
	return nil
}

// Configure changes the rotation limits; the path stays.
func (f *File) Configure(p Params) {
	f.mu.Lock()
	p.Path, p.Now = f.p.Path, f.p.Now
	f.p = p
	f.mu.Unlock()
	f.wake()
}

// Close ends the file and the background worker. Idempotent.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		<-f.done
		return nil
	}
	f.closed = true
	err := f.file.Close()
	close(f.work)
	f.mu.Unlock()
	<-f.done
	return err
}

// wake asks the worker to tidy; the caller holds mu or owns f.
func (f *File) wake() {
	select {
	case f.work <- struct{}{}:
	default:
	}
}

func (f *File) tidyLoop() {
	defer close(f.done)
	for range f.work {
		f.mu.Lock()
		p := f.p
		f.mu.Unlock()
		tidy(p)
	}
}

// tidy compresses backups and removes those too many or too old. Only names
// that rotation made are touched.
func tidy(p Params) {
	pattern := backupPattern(p.Path)
	entries, err := os.ReadDir(filepath.Dir(p.Path))
	if err != nil {
		return
	}
	slices.Reverse(entries) // the newest first: names sort by time
	kept := 0
	for _, e := range entries {
		m := pattern.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		at, err := time.Parse(stamp, m[1])
		if err != nil {
			continue
		}
		path := filepath.Join(filepath.Dir(p.Path), e.Name())
		if kept >= p.MaxBackups || (p.MaxAge > 0 && p.Now().Sub(at) > p.MaxAge) {
			os.Remove(path)
			continue
		}
		kept++
		if p.Compress && m[2] == "" {
			compress(path)
		}
	}
}

// compress replaces path by path.gz; a failure leaves path as it is.
func compress(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(path), ".gz-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	if err := errors.Join(err, z.Close(), out.Chmod(mode), out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), path+".gz"); err != nil {
		return err
	}
	return os.Remove(path)
}
