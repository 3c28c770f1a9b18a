// Package file gives tools and scripts the files under the allowed directories,
// and nothing else: [Sandbox] is the tool.Files of a kernel, [NewOperations] the
// file-operations tool over it.
//
//	box, err := file.Open(file.Params{Roots: []string{"/srv/data"}, MaxFileSize: 50_000_000})
//	if err != nil {
//		return err
//	}
//	defer box.Close()
//	text, err := box.ReadFile("reports/today.md") // /srv/data/reports/today.md
//
// Every path is opened through a handle of its root, so that neither ".." nor a
// symlink made at the wrong moment leads out.
package file

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Params configure a sandbox. The keys are those of [tools.file_operations].
type Params struct {
	Roots             []string // allowed_paths: directories that exist
	Dir               string   // working directory of the scripts; "" = none
	MaxFileSize       int64    // max_file_size in bytes; 0 = 50 MB
	MaxDepth          int      // max_depth of recursive operations; 0 = 10
	AllowedExtensions []string // allowed_extensions; none = all but the blocked
	BlockedExtensions []string // blocked_extensions, without dot
	InPlace           bool     // atomic_writes = false: WriteFile truncates and writes
}

// Sandbox implements tool.Files.
type Sandbox struct {
	roots []*root // longest path first
	base  string  // what relative paths are relative to
	p     Params
	once  sync.Once
}

type root struct {
	handle *os.Root
	names  []string // the path as given and with its symlinks resolved
}

const (
	defaultFileSize = 50_000_000
	defaultDepth    = 10
	pathsKey        = "[tools.file_operations] allowed_paths"
)

// Open opens the roots. The caller closes the sandbox.
func Open(p Params) (*Sandbox, error) {
	p.MaxFileSize = cmp.Or(p.MaxFileSize, defaultFileSize)
	p.MaxDepth = cmp.Or(p.MaxDepth, defaultDepth)
	p.AllowedExtensions, p.BlockedExtensions = extensions(p.AllowedExtensions), extensions(p.BlockedExtensions)
	s := &Sandbox{p: p}
	for _, path := range p.Roots {
		r, err := openRoot(path)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.roots = append(s.roots, r)
	}
	if len(s.roots) > 0 {
		s.base = s.roots[0].names[0]
	}
	if p.Dir != "" {
		if dir, err := filepath.Abs(p.Dir); err == nil && slices.ContainsFunc(s.roots, func(r *root) bool { _, in := r.rel(dir); return in }) {
			s.base = dir
		}
	}
	slices.SortStableFunc(s.roots, func(a, b *root) int { return cmp.Compare(len(b.names[0]), len(a.names[0])) })
	return s, nil
}

func openRoot(path string) (*root, error) {
	abs, err := filepath.Abs(path)
	if path == "" || err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "%s: %q is no path", pathsKey, path)
	}
	handle, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "%s: %w", pathsKey, err).WithHint("name directories that exist")
	}
	r := &root{handle: handle, names: []string{abs}}
	if real, err := filepath.EvalSymlinks(abs); err == nil && real != abs {
		r.names = append(r.names, real)
	}
	return r, nil
}

func extensions(list []string) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = strings.ToLower(strings.TrimPrefix(e, "."))
	}
	return out
}

// rel returns the way from the root to abs, if it lies inside by component.
func (r *root) rel(abs string) (string, bool) {
	for _, name := range r.names {
		rel, err := filepath.Rel(name, abs)
		if err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}

// Close gives the handles back. Idempotent; files that are open stay open.
func (s *Sandbox) Close() error {
	var errs []error
	s.once.Do(func() {
		for _, r := range s.roots {
			errs = append(errs, r.handle.Close())
		}
	})
	return errors.Join(errs...)
}

// Limits returns the sandbox's limits.
func (s *Sandbox) Limits() tool.FileLimits {
	return tool.FileLimits{MaxFileSize: s.p.MaxFileSize, MaxDepth: s.p.MaxDepth}
}

// Allowed answers whether policy lets path be opened; nil means yes. It says
// nothing of whether the file exists.
func (s *Sandbox) Allowed(path string) error {
	_, err := with(s, "stat", path, func(r *os.Root, rel string) (struct{}, error) {
		_, err := r.Stat(rel)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			err = nil
		}
		return struct{}{}, err
	})
	if err == nil {
		err = s.checkExtension(path)
	}
	if fault.CodeOf(err) == fault.PolicyDenied {
		return err
	}
	return nil
}

// with finds path's root and runs fn there. Where a symlink with an absolute
// target leads from one place in the roots to another, which a root handle
// refuses, the resolved path is tried once in its place.
func with[T any](s *Sandbox, op, path string, fn func(r *os.Root, rel string) (T, error)) (T, error) {
	var zero T
	if strings.ContainsRune(path, 0) || path == "" {
		return zero, &fs.PathError{Op: op, Path: path, Err: fs.ErrInvalid}
	}
	abs := s.abs(path)
	r, rel := s.locate(abs)
	if r == nil {
		return zero, s.outside(path)
	}
	v, err := fn(r.handle, rel)
	if !escapes(err) {
		return v, named(op, path, err)
	}
	r, rel = s.locate(resolve(abs))
	if r == nil {
		return zero, s.outside(path)
	}
	if v, err = fn(r.handle, rel); escapes(err) {
		return zero, s.outside(path)
	}
	return v, named(op, path, err)
}

func (s *Sandbox) abs(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.base, path)
	}
	return filepath.Clean(path)
}

func (s *Sandbox) locate(abs string) (*root, string) {
	for _, r := range s.roots {
		if rel, ok := r.rel(abs); ok {
			return r, rel
		}
	}
	return nil, ""
}

// resolve follows the symlinks of the part of abs that exists.
func resolve(abs string) string {
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		if target, err := os.Readlink(dir); err == nil && filepath.IsAbs(target) {
			return filepath.Join(target, rest) // dangling
		}
		if dir == filepath.Dir(dir) {
			return abs
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

func (s *Sandbox) outside(path string) error {
	return fault.Errorf(fault.PolicyDenied, "%q is outside the allowed directories", path).
		WithHint("add its directory to %s", pathsKey).WithDetail("path", path)
}

// escapes reports whether a root handle refused to leave its directory. Package
// os has no exported error for it.
func escapes(err error) bool {
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		err = link.Err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return err != nil && err.Error() == "path escapes from parent"
}

// named puts the path as the script gave it into err.
func named(op, path string, err error) error {
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: op, Path: path, Err: link.Err}
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: op, Path: path, Err: p.Err}
	}
	return err
}

func (s *Sandbox) checkExtension(path string) error {
	ext := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	if slices.Contains(s.p.BlockedExtensions, ext) && ext != "" {
		return fault.Errorf(fault.PolicyDenied, "files with extension .%s are blocked", ext).
			WithHint("see [tools.file_operations] blocked_extensions")
	}
	if len(s.p.AllowedExtensions) > 0 && !slices.Contains(s.p.AllowedExtensions, ext) {
		return fault.Errorf(fault.PolicyDenied, "files with extension %q are not allowed", ext).
			WithHint("see [tools.file_operations] allowed_extensions")
	}
	return nil
}

func (s *Sandbox) tooLarge(path string) error {
	return fault.Errorf(fault.TooLarge, "%q is larger than %d bytes", path, s.p.MaxFileSize).
		WithHint("raise [tools.file_operations] max_file_size")
}

// errNotRegular is the answer for pipes, devices and sockets.
var errNotRegular = errors.New("not a regular file")

// regular opens a regular file. O_NONBLOCK keeps the open of a pipe from waiting.
func regular(r *os.Root, rel string, flag int, perm fs.FileMode) (*os.File, error) {
	f, err := r.OpenFile(rel, flag|syscall.O_NONBLOCK, perm)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		err = &fs.PathError{Op: "open", Path: rel, Err: syscall.EISDIR}
	} else if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: rel, Err: errNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
