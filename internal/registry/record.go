// Package registry knows the kernels that run on this machine: a record file a
// kernel, and a PID file where one is wanted, each held by an exclusive flock
// from creation to exit. The lock tells who lives; what a file says is
// information.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Record describes one kernel. It holds no secret.
type Record struct {
	KernelID       string    `json:"kernel_id"`
	PID            int       `json:"pid"`
	Version        string    `json:"version"`
	Endpoint       string    `json:"endpoint"` // http://127.0.0.1:9555, "" without HTTP
	TLSFingerprint string    `json:"tls_fingerprint,omitempty"`
	ConnectionFile string    `json:"connection_file,omitempty"`
	PIDFile        string    `json:"pid_file,omitempty"`
	LogFile        string    `json:"log_file,omitempty"`
	StateDir       string    `json:"state_dir"`
	StartedAt      time.Time `json:"started_at"`
}

// maxRecord bounds what is read of a record file.
const maxRecord = 64 << 10

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// ValidID reports whether id may name a kernel.
func ValidID(id string) bool { return idPattern.MatchString(id) }

// Entry is the record of this process.
type Entry struct {
	file *os.File
	path string
	temp string

	// before is the record that Update replaced. It stays locked: who opened it
	// then must not take this kernel for dead.
	before *os.File
}

// Reserve takes the record of a kernel id: it is created locked under a
// temporary name and becomes visible with Publish. runtimeDir is created with
// mode 0700 when missing.
func Reserve(runtimeDir, id string) (*Entry, error) {
	if !ValidID(id) {
		return nil, fault.Errorf(fault.InvalidArgument, "kernel id %q: want lower-case letters, digits and '-', at most 63", id)
	}
	dir := filepath.Join(runtimeDir, "kernels")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, id+".json")
	if l, err := read(path); err == nil && l.Live {
		return nil, fault.Errorf(fault.AlreadyExists, "Another kernel is already running (pid %d, id %s)", l.PID, id).
			WithHint("stop it with %q or choose another --id", "llmspell kernel stop "+id)
	}
	f, err := lockedTemp(path)
	if err != nil {
		return nil, err
	}
	return &Entry{file: f, path: path, temp: f.Name()}, nil
}

// lockedTemp makes a locked file beside path.
func lockedTemp(path string) (*os.File, error) {
	dir, name := filepath.Split(path)
	f, err := os.CreateTemp(dir, "."+strings.TrimSuffix(name, ".json")+".*")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(flock(f), f.Chmod(0o644)); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, err
	}
	return f, nil
}

// Publish writes the record and makes it visible.
func (e *Entry) Publish(r Record) error {
	if err := publish(e.file, e.path, r); err != nil {
		return err
	}
	e.temp = ""
	return nil
}

func publish(f *os.File, path string, r Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(append(data, '\n'), 0); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Update replaces a published record as a whole; a reader sees the old one or
// the new one, and the kernel as living all the time.
func (e *Entry) Update(r Record) error {
	f, err := lockedTemp(e.path)
	if err != nil {
		return err
	}
	if err := publish(f, e.path, r); err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	if e.before != nil {
		e.before.Close()
	}
	e.before, e.file = e.file, f
	return nil
}

// Remove deletes the record if it is still this process's and drops the lock.
func (e *Entry) Remove() error {
	defer e.file.Close()
	if e.before != nil {
		defer e.before.Close()
	}
	if e.temp != "" {
		return os.Remove(e.temp)
	}
	if !sameFile(e.file, e.path) {
		return nil
	}
	return os.Remove(e.path)
}

// Listed is a record found in a registry.
type Listed struct {
	Record
	Scope string `json:"scope"` // user or system
	Live  bool   `json:"-"`     // its lock is held
	Owner uint32 `json:"-"`     // uid of the file
	Path  string `json:"-"`
}

// Dir is one registry to look in.
type Dir struct {
	Runtime string // runtime directory
	Scope   string
}

// List returns the live kernels of the given registries. Stale records of the
// caller are removed, others' are ignored.
func List(dirs ...Dir) ([]Listed, error) {
	var all []Listed
	seen := map[string]bool{}
	for _, d := range dirs {
		if d.Runtime == "" || seen[d.Runtime] {
			continue
		}
		seen[d.Runtime] = true
		paths, err := filepath.Glob(filepath.Join(d.Runtime, "kernels", "*.json"))
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			l, err := read(p)
			if err == nil && !l.Live {
				l, err = read(p) // an Update may have replaced it in between
			}
			switch {
			case err != nil:
				continue
			case l.Live:
				l.Scope = d.Scope
				all = append(all, l)
			case int(l.Owner) == os.Getuid():
				os.Remove(p)
			}
		}
	}
	return all, nil
}

// Match returns the kernel whose id is, or uniquely starts with, id (at least
// 4 characters for a prefix).
func Match(id string, all []Listed) (Listed, error) {
	var found []Listed
	for _, l := range all {
		if l.KernelID == id {
			return l, nil
		}
		if len(id) >= 4 && strings.HasPrefix(l.KernelID, id) {
			found = append(found, l)
		}
	}
	switch len(found) {
	case 0:
		return Listed{}, fault.Errorf(fault.NotFound, "no kernel %q is running", id).
			WithHint("list kernels with %q", "llmspell kernel list")
	case 1:
		return found[0], nil
	}
	return Listed{}, fault.Errorf(fault.InvalidArgument, "kernel id %q is ambiguous: %s", id, strings.Join(IDs(found), ", "))
}

// IDs returns the ids of kernels.
func IDs(l []Listed) []string {
	ids := make([]string, len(l))
	for i := range l {
		ids[i] = l[i].KernelID
	}
	return ids
}

func read(path string) (Listed, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Listed{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() > maxRecord {
		return Listed{}, fmt.Errorf("%s is not a kernel record", path)
	}
	data := make([]byte, st.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		return Listed{}, err
	}
	l := Listed{Path: path, Owner: st.Sys().(*syscall.Stat_t).Uid}
	if err := json.Unmarshal(data, &l.Record); err != nil {
		return Listed{}, err
	}
	l.Live = locked(f)
	return l, nil
}
