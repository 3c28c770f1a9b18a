package interp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/tool"
)

// fileResult is the recorded outcome of an operation on a file. A failure of
// the system is an outcome: io functions return it.
type fileResult struct {
	Data    []byte `json:"data,omitempty"`
	N       int64  `json:"n,omitempty"`
	EOF     bool   `json:"eof,omitempty"`
	Failure string `json:"failure,omitempty"`
	Errno   int    `json:"errno,omitempty"`
}

// err is the failure as the io functions show it.
func (r *fileResult) err() error {
	switch {
	case r.Errno != 0:
		return syscall.Errno(r.Errno)
	case r.Failure != "":
		return errors.New(r.Failure)
	case r.EOF:
		return io.EOF
	}
	return nil
}

// errnos are the numbers of failures that come without one.
var errnos = []struct {
	err error
	no  syscall.Errno
}{{fs.ErrNotExist, syscall.ENOENT}, {fs.ErrExist, syscall.EEXIST}, {fs.ErrPermission, syscall.EACCES}, {fs.ErrClosed, syscall.EBADF}}

func (r *fileResult) fail(err error) {
	r.Failure = err.Error()
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		r.Errno = int(no)
		return
	}
	for _, e := range errnos {
		if errors.Is(err, e.err) {
			r.Errno = int(e.no)
			return
		}
	}
}

// fileEffect passes one operation on a file through the gate. The error is one
// that must be raised: a denial, or an end of the run.
func (i *Interp) fileEffect(op, path string, args any, class gate.Effect, do func(*fileResult) error) (fileResult, error) {
	return effect(i, gate.Call{Kind: gate.File, Op: op, Target: path, Args: args, Effect: class},
		func(context.Context) (fileResult, error) {
			var r fileResult
			if i.p.System.Files == nil {
				e := fault.Errorf(fault.PolicyDenied, "%s %s: access to files is not allowed", op, path)
				return r, e.WithHint("[runtime.security] allow_file_access and [tools.file_operations] allowed_paths")
			}
			err := do(&r)
			if f, ok := errors.AsType[*fault.Error](err); ok && (f.Code == fault.PolicyDenied || f.Code == fault.TooLarge) {
				return r, f
			}
			if err != nil {
				r.fail(err)
			}
			return r, nil
		})
}

// openFlags are those of the modes of io.open.
func openFlags(mode string) int {
	flags := map[byte]int{'r': os.O_RDONLY, 'w': os.O_WRONLY | os.O_CREATE | os.O_TRUNC, 'a': os.O_WRONLY | os.O_CREATE | os.O_APPEND}
	f := flags[mode[0]]
	if strings.Contains(mode, "+") {
		f = f&^os.O_WRONLY | os.O_RDWR
	}
	return f
}

func (i *Interp) open(c *lua.Call, path, mode string) lua.Status {
	return i.openFile(c, path, mode, false)
}

func (i *Interp) openFile(c *lua.Call, path, mode string, temporary bool) lua.Status {
	f := &file{i: i, path: path, temporary: temporary}
	r, err := i.fileEffect("open", path, map[string]any{"mode": mode}, gate.Idempotent, func(*fileResult) (err error) {
		f.real, err = i.p.System.Files.OpenFile(path, openFlags(mode))
		return err
	})
	switch {
	case err != nil:
		return bind.Raise(c, err)
	case r.err() != nil:
		return c.FileResult(r.err(), path)
	}
	return c.Return1(c.NewFile(f))
}

func (i *Interp) remove(c *lua.Call, path string) lua.Status {
	r, err := i.fileEffect("remove", path, nil, gate.Idempotent, func(*fileResult) error {
		return i.p.System.Files.Remove(path, false)
	})
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.FileResult(r.err(), path)
}

func (i *Interp) rename(c *lua.Call, from, to string) lua.Status {
	r, err := i.fileEffect("rename", from, map[string]any{"to": to}, gate.Once, func(*fileResult) error {
		return i.p.System.Files.Rename(from, to)
	})
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.FileResult(r.err(), from)
}

// tempPath makes a name for a temporary file from the run's random source.
func (i *Interp) tempPath() (string, error) {
	if i.p.System.TempDir == "" || i.p.System.Files == nil {
		e := fault.Errorf(fault.PolicyDenied, "temporary files are not allowed")
		return "", e.WithHint("[runtime.security] allow_file_access and [tools.file_operations] allowed_paths")
	}
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	name := []byte("lua_")
	for seed, n := i.seed(), 0; n < 12; n++ {
		name = append(name, letters[seed&31])
		seed >>= 5
	}
	return filepath.Join(i.p.System.TempDir, string(name)), nil
}

func (i *Interp) tempName(c *lua.Call) lua.Status {
	path, err := i.tempPath()
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.Return1(c.NewString(path))
}

func (i *Interp) tempFile(c *lua.Call) lua.Status {
	path, err := i.tempPath()
	if err != nil {
		return bind.Raise(c, err)
	}
	return i.openFile(c, path, "w+", true)
}

// readSource reads a file for dofile and loadfile.
func (i *Interp) readSource(c *lua.Call, path string) lua.Status {
	r, err := i.fileEffect("source", path, nil, gate.Read, func(r *fileResult) (err error) {
		r.Data, err = i.p.System.Files.ReadFile(path)
		return err
	})
	switch {
	case err != nil:
		return bind.Raise(c, err)
	case r.err() != nil:
		c.Push(lua.Nil)
		return c.Return1(c.NewString("cannot open " + path + " (" + r.err().Error() + ")"))
	}
	c.Push(c.NewString(string(r.Data)))
	return c.Return1(c.NewString("@" + path))
}

// file is an open file whose operations pass the gate. In a replay there is no
// real one.
type file struct {
	i         *Interp
	path      string
	real      tool.File
	temporary bool
}

var _ lua.File = (*file)(nil)

// do passes an operation on the open file.
func (f *file) do(op string, args any, class gate.Effect, do func(*fileResult) error) (fileResult, error) {
	r, err := f.i.fileEffect(op, f.path, args, class, func(r *fileResult) error {
		if f.real == nil {
			return fs.ErrClosed
		}
		return do(r)
	})
	if err == nil {
		err = r.err()
	}
	return r, err
}

func (f *file) Read(p []byte) (int, error) {
	r, err := f.do("read", map[string]any{"n": int64(len(p))}, gate.Read, func(r *fileResult) error {
		n, err := f.real.Read(p)
		r.Data, r.EOF = p[:n], n == 0 && errors.Is(err, io.EOF)
		if n > 0 || r.EOF {
			return nil
		}
		return err
	})
	return copy(p, r.Data), err
}

func (f *file) Write(p []byte) (int, error) {
	r, err := f.do("write", map[string]any{"data": string(p)}, gate.Idempotent, func(r *fileResult) error {
		n, err := f.real.Write(p)
		r.N = int64(n)
		return err
	})
	return int(r.N), err
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	r, err := f.do("seek", map[string]any{"offset": offset, "whence": int64(whence)}, gate.Read, func(r *fileResult) (err error) {
		r.N, err = f.real.Seek(offset, whence)
		return err
	})
	return r.N, err
}

func (f *file) Close() error {
	if f.i.run == nil { // the interpreter ends
		if f.real == nil {
			return nil
		}
		return f.real.Close()
	}
	_, err := f.do("close", nil, gate.Idempotent, func(*fileResult) error {
		err := f.real.Close()
		f.real = nil
		if f.temporary {
			err = errors.Join(err, f.i.p.System.Files.Remove(f.path, false))
		}
		return err
	})
	return err
}
