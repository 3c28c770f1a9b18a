package file

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/llmspell/llmspell/tool"
)

var _ tool.Files = (*Sandbox)(nil)

func (s *Sandbox) ReadFile(path string) ([]byte, error) {
	f, err := s.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, s.p.MaxFileSize+1)) // it may grow meanwhile
	if err != nil {
		return nil, named("read", path, err)
	}
	if int64(len(data)) > s.p.MaxFileSize {
		return nil, s.tooLarge(path)
	}
	return data, nil
}

func (s *Sandbox) OpenFile(path string, flag int) (tool.File, error) {
	if err := s.checkExtension(path); err != nil {
		return nil, err
	}
	return with(s, "open", path, func(r *os.Root, rel string) (tool.File, error) {
		f, err := regular(r, rel, flag, 0o666)
		if err != nil {
			return nil, err
		}
		st, err := f.Stat()
		if err == nil && st.Size() > s.p.MaxFileSize && flag&os.O_TRUNC == 0 {
			err = s.tooLarge(path)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		return &limited{f: f, box: s, path: path, end: flag&os.O_APPEND != 0}, nil
	})
}

// limited is an open file that does not grow beyond the size limit. It does not
// embed the file, whose ReadFrom and WriteAt would pass the limit by.
type limited struct {
	f    *os.File
	box  *Sandbox
	path string
	end  bool // writes go to the end
}

func (l *limited) Write(p []byte) (int, error) {
	at, err := l.f.Seek(0, io.SeekCurrent)
	if l.end && err == nil {
		var st fs.FileInfo
		if st, err = l.f.Stat(); err == nil {
			at = st.Size()
		}
	}
	if err != nil {
		return 0, named("write", l.path, err)
	}
	if at > l.box.p.MaxFileSize-int64(len(p)) {
		return 0, l.box.tooLarge(l.path)
	}
	n, err := l.f.Write(p)
	return n, named("write", l.path, err)
}

func (l *limited) Seek(offset int64, whence int) (int64, error) {
	n, err := l.f.Seek(offset, whence)
	return n, named("seek", l.path, err)
}

func (l *limited) Stat() (fs.FileInfo, error) { return l.f.Stat() }
func (l *limited) Close() error               { return named("close", l.path, l.f.Close()) }

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.f.Read(p)
	return n, named("read", l.path, err)
}

func (s *Sandbox) Stat(path string) (fs.FileInfo, error) {
	return with(s, "stat", path, func(r *os.Root, rel string) (fs.FileInfo, error) { return r.Stat(rel) })
}

func (s *Sandbox) ReadDir(path string) ([]fs.DirEntry, error) {
	return with(s, "readdir", path, func(r *os.Root, rel string) ([]fs.DirEntry, error) {
		f, err := r.Open(rel)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		list, err := f.ReadDir(-1)
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		return list, err
	})
}

func (s *Sandbox) WriteFile(path string, data []byte) error {
	if err := s.checkExtension(path); err != nil {
		return err
	}
	if int64(len(data)) > s.p.MaxFileSize {
		return s.tooLarge(path)
	}
	_, err := with(s, "write", path, func(r *os.Root, rel string) (struct{}, error) {
		old, err := r.Lstat(rel)
		switch {
		case s.p.InPlace:
			return struct{}{}, writeInPlace(r, rel, data)
		case err != nil:
			old = nil
		case old.IsDir():
			return struct{}{}, &fs.PathError{Op: "write", Path: rel, Err: syscall.EISDIR}
		case old.Mode()&fs.ModeSymlink != 0:
			// Replacing would turn the link into a file; its target is written.
			return struct{}{}, writeInPlace(r, rel, data)
		case !old.Mode().IsRegular():
			return struct{}{}, &fs.PathError{Op: "write", Path: rel, Err: errNotRegular}
		}
		return struct{}{}, replace(r, rel, data, old)
	})
	return err
}

func writeInPlace(r *os.Root, rel string, data []byte) error {
	f, err := regular(r, rel, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// replace writes a file beside the target, makes it durable and renames it over
// the target.
func replace(r *os.Root, rel string, data []byte, old fs.FileInfo) (err error) {
	temp := filepath.Join(filepath.Dir(rel), ".llmspell-"+rand.Text()+".tmp")
	f, err := r.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			r.Remove(temp)
		}
	}()
	if old != nil {
		err = f.Chmod(old.Mode().Perm())
	}
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return r.Rename(temp, rel)
}

func (s *Sandbox) MkdirAll(path string) error {
	_, err := with(s, "mkdir", path, func(r *os.Root, rel string) (struct{}, error) {
		return struct{}{}, r.MkdirAll(rel, 0o777)
	})
	return err
}

func (s *Sandbox) Remove(path string, all bool) error {
	_, err := with(s, "remove", path, func(r *os.Root, rel string) (struct{}, error) {
		if rel == "." {
			return struct{}{}, &fs.PathError{Op: "remove", Path: rel, Err: fs.ErrPermission}
		}
		if !all {
			return struct{}{}, r.Remove(rel)
		}
		if _, err := r.Lstat(rel); err != nil { // RemoveAll is silent on what is not there
			return struct{}{}, err
		}
		return struct{}{}, r.RemoveAll(rel)
	})
	return err
}

// Rename moves from to to. Between roots and filesystems a file is copied and
// the original removed.
func (s *Sandbox) Rename(from, to string) error {
	for _, p := range []string{from, to} {
		if err := s.checkExtension(p); err != nil {
			if st, e := s.Stat(from); e != nil || !st.IsDir() {
				return err
			}
		}
	}
	target, _ := s.locate(s.abs(to))
	if target == nil {
		return s.outside(to)
	}
	_, err := with(s, "rename", from, func(r *os.Root, rel string) (struct{}, error) {
		if r != target.handle {
			return struct{}{}, syscall.EXDEV
		}
		toRel, _ := target.rel(s.abs(to))
		return struct{}{}, r.Rename(rel, toRel)
	})
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	data, err := s.ReadFile(from)
	if err != nil {
		return err
	}
	if err := s.WriteFile(to, data); err != nil {
		return err
	}
	return s.Remove(from, false)
}
