package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Account is a user of the machine.
type Account struct{ UID, GID int }

// Host is the machine a plan is made for.
type Host struct {
	OS   string // GOOS
	Root string // before every path; tests install below a directory
	UID  int    // of the caller
	Now  time.Time

	Run     func(ctx context.Context, argv []string) (output []byte, err error)
	Account func(name string) (Account, bool)
	Has     func(command string) bool
}

// Detect is the service manager of the host.
func (h Host) Detect() (Manager, error) {
	switch {
	case h.OS == "darwin":
		return Launchd, nil
	case h.OS == "linux" && (h.exists("/run/systemd/system") || h.Has("systemctl")):
		return Systemd, nil
	}
	return "", fault.Errorf(fault.InvalidState, "no supported service manager").
		WithHint("name one with --service-type systemd or launchd, and --print its file")
}

func (h Host) at(path string) string { return filepath.Join(h.Root, path) }

func (h Host) read(path string) (text string, exists bool, err error) {
	data, err := os.ReadFile(h.at(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(data), err == nil, err
}

func (h Host) exists(path string) bool {
	_, err := os.Lstat(h.at(path))
	return err == nil
}

// Apply carries the steps out and stops at the first failure, which it reports
// with the manager's own output. done is told of every step that succeeded.
func (h Host) Apply(ctx context.Context, p Plan, done func(Step)) error {
	for _, s := range p.Steps {
		if err := h.apply(ctx, s); err != nil {
			return err
		}
		done(s)
	}
	return nil
}

func (h Host) apply(ctx context.Context, s Step) error {
	switch s.Op {
	case Mkdir:
		return h.explain(s.Path, h.mkdir(s))
	case Copy:
		data, err := os.ReadFile(h.at(s.From))
		if err != nil {
			return h.explain(s.From, err)
		}
		return h.explain(s.Path, replace(h.at(s.Path), data, s.Mode))
	case Write:
		return h.explain(s.Path, replace(h.at(s.Path), []byte(s.Text), s.Mode))
	case Keep:
		return h.explain(s.Path, os.Rename(h.at(s.Path), h.at(s.To)))
	case Remove:
		return h.explain(s.Path, os.RemoveAll(h.at(s.Path)))
	}
	return h.command(ctx, s)
}

func (h Host) mkdir(s Step) error {
	existed := h.exists(s.Path)
	if err := os.MkdirAll(h.at(s.Path), s.Mode); err != nil || existed {
		return err
	}
	a, ok := h.Account(s.Owner)
	if s.Owner == "" || !ok {
		return nil
	}
	return os.Chown(h.at(s.Path), a.UID, a.GID)
}

func (h Host) command(ctx context.Context, s Step) error {
	out, err := h.Run(ctx, s.Argv)
	if err != nil && s.Else != nil {
		out, err = h.Run(ctx, s.Else)
	}
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(string(out))
	e := fault.Errorf(fault.InvalidState, "%s: %v: %s", strings.Join(s.Argv, " "), err, text)
	if strings.Contains(text, "Failed to connect to bus") {
		e = e.WithHint("the user's service manager does not run; \"loginctl enable-linger USER\" keeps it running")
	}
	return e
}

// replace writes a file beside its place and renames it.
func replace(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".llmspell-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// explain makes a failed change of a path the error of kernel contract 3.5.
func (h Host) explain(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fault.Errorf(fault.InvalidState, "Permission denied: %s: %w", path, err).WithHint("run as the account that may write there")
	}
	return fault.Errorf(fault.InvalidState, "cannot change %s: %w", path, err)
}

// access are permission bits of one class: 4 read, 2 write, 1 execute.
type access uint32

// may reports whether an account gets want of path, by mode bits and owner;
// parents must let it through. An account that does not exist yet is "other".
func (h Host) may(a Account, known bool, path string, want access) bool {
	if known && a.UID == 0 {
		return true
	}
	for p := path; ; p, want = filepath.Dir(p), 1 {
		info, err := os.Stat(h.at(p))
		if err != nil {
			return false
		}
		if !allows(info, a, known, want) {
			return false
		}
		if filepath.Dir(p) == p {
			return true
		}
	}
}

func allows(info fs.FileInfo, a Account, known bool, want access) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	bits := access(info.Mode().Perm())
	switch {
	case known && int(st.Uid) == a.UID:
		bits >>= 6
	case known && int(st.Gid) == a.GID:
		bits >>= 3
	}
	return bits&want == want
}

// describe is owner and mode of a path for an error.
func (h Host) describe(path string) string {
	info, err := os.Stat(h.at(path))
	if err != nil {
		return err.Error()
	}
	owner := "unknown"
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = fmt.Sprintf("uid %d", st.Uid)
		if st.Uid == 0 {
			owner = "root"
		}
	}
	return fmt.Sprintf("owner %s, mode %04o", owner, info.Mode().Perm())
}
