package llmspell

import (
	"errors"
	"io/fs"
	"reflect"
	"sync"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/tool"
)

// liveFiles are the files that the configuration in force allows. Interpreters
// hold it for their life; a reload changes what is behind it.
type liveFiles struct {
	open func(*config.Config) (tool.Files, error) // nil: never any

	mu      sync.RWMutex
	files   tool.Files // nil: denied
	made    fileAccess
	retired []tool.Files // may be in use; closed at the end
}

// fileAccess is the part of a configuration that decides about files.
type fileAccess struct {
	allowed bool
	tool    config.FileOperations
}

var _ tool.Files = (*liveFiles)(nil)

// configure puts the directories of c in the place of the current ones.
func (l *liveFiles) configure(c *config.Config) error {
	want := fileAccess{c.Runtime.Security.AllowFileAccess, c.Tools.FileOperations}
	l.mu.Lock()
	defer l.mu.Unlock()
	if reflect.DeepEqual(want, l.made) {
		return nil
	}
	var files tool.Files
	if want.allowed && want.tool.Enabled && len(want.tool.AllowedPaths) > 0 && l.open != nil {
		var err error
		if files, err = l.open(c); err != nil {
			return err
		}
	}
	if l.files != nil {
		l.retired = append(l.retired, l.files)
	}
	l.files, l.made = files, want
	return nil
}

// enabled returns l, or nil where files are denied.
func (l *liveFiles) enabled() tool.Files {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.files == nil {
		return nil
	}
	return l
}

// close closes all that were opened and denies further access. Idempotent.
func (l *liveFiles) close() error {
	l.mu.Lock()
	all := l.retired
	if l.files != nil {
		all = append(all, l.files)
	}
	l.files, l.retired, l.open = nil, nil, nil
	l.mu.Unlock()
	var errs []error
	for _, f := range all {
		if c, ok := f.(interface{ Close() error }); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// current returns the files in force, or fault.PolicyDenied.
func (l *liveFiles) current() (tool.Files, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return (&tool.Env{Files: l.files}).NeedFiles()
}

func (l *liveFiles) ReadFile(path string) ([]byte, error) {
	f, err := l.current()
	if err != nil {
		return nil, err
	}
	return f.ReadFile(path)
}

func (l *liveFiles) Stat(path string) (fs.FileInfo, error) {
	f, err := l.current()
	if err != nil {
		return nil, err
	}
	return f.Stat(path)
}

func (l *liveFiles) ReadDir(path string) ([]fs.DirEntry, error) {
	f, err := l.current()
	if err != nil {
		return nil, err
	}
	return f.ReadDir(path)
}

func (l *liveFiles) WriteFile(path string, data []byte) error {
	f, err := l.current()
	if err != nil {
		return err
	}
	return f.WriteFile(path, data)
}

func (l *liveFiles) MkdirAll(path string) error {
	f, err := l.current()
	if err != nil {
		return err
	}
	return f.MkdirAll(path)
}

func (l *liveFiles) Remove(path string, all bool) error {
	f, err := l.current()
	if err != nil {
		return err
	}
	return f.Remove(path, all)
}

func (l *liveFiles) Rename(from, to string) error {
	f, err := l.current()
	if err != nil {
		return err
	}
	return f.Rename(from, to)
}

func (l *liveFiles) OpenFile(path string, flag int) (tool.File, error) {
	f, err := l.current()
	if err != nil {
		return nil, err
	}
	return f.OpenFile(path, flag)
}

func (l *liveFiles) Limits() tool.FileLimits {
	f, err := l.current()
	if err != nil {
		return tool.FileLimits{}
	}
	return f.Limits()
}
