package logfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Backup is a rotated log file: its path, plain or .gz, and when it was
// rotated, which is no earlier than its last line.
type Backup struct {
	Path string
	At   time.Time
}

// Backups returns the rotated files of path, oldest first.
func Backups(path string) ([]Backup, error) {
	pattern := backupPattern(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var out []Backup
	for _, e := range entries { // names sort by time
		m := pattern.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		at, err := time.Parse(stamp, m[1])
		if err != nil {
			continue
		}
		b := Backup{Path: filepath.Join(filepath.Dir(path), e.Name()), At: at}
		if n := len(out); n > 0 && out[n-1].At.Equal(at) {
			continue // being compressed: the plain file comes first and is whole
		}
		out = append(out, b)
	}
	return out, nil
}

func backupPattern(path string) *regexp.Regexp {
	return regexp.MustCompile(`^` + regexp.QuoteMeta(filepath.Base(path)) + `\.(\d{8}T\d{6}\.\d{6})(\.gz)?$`)
}

// Lines calls yield with each line, without its newline. The slice is valid
// during the call only.
func (b Backup) Lines(yield func(line []byte) error) error {
	f, err := os.Open(b.Path)
	if errors.Is(err, fs.ErrNotExist) && !b.compressed() {
		b.Path += ".gz"
		f, err = os.Open(b.Path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	in := io.Reader(f)
	if b.compressed() {
		z, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		in = z
	}
	s := &source{in: in}
	if err := s.lines(yield); err != nil {
		return err
	}
	return s.flush(yield)
}

func (b Backup) compressed() bool { return strings.HasSuffix(b.Path, ".gz") }

// source reads lines; what follows the last newline waits for its end.
type source struct {
	in      io.Reader
	file    *os.File // of a Reader, else nil
	offset  int64
	pending []byte
}

func (s *source) lines(yield func([]byte) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.in.Read(buf)
		s.offset += int64(n)
		s.pending = append(s.pending, buf[:n]...)
		rest := s.pending
		for {
			line, after, ok := bytes.Cut(rest, []byte{'\n'})
			if !ok {
				break
			}
			rest = after
			if yerr := yield(line); yerr != nil {
				s.pending = append(s.pending[:0], rest...)
				return yerr
			}
		}
		s.pending = append(s.pending[:0], rest...)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *source) flush(yield func([]byte) error) error {
	if len(s.pending) == 0 {
		return nil
	}
	line := s.pending
	s.pending = nil
	return yield(line)
}

// Reader reads a log file that is being written, across its own rotation and
// logrotate's (rename or copytruncate).
type Reader struct {
	path string
	live *source
	// prev is the file before the last rotation. A kernel writes there until it
	// reopens its log, so it is read until the rotation after.
	prev *source
	seen time.Time // rotation of the newest backup that needs no more reading
}

// NewReader opens the file at path. Older are its backups at this moment.
func NewReader(path string) (r *Reader, older []Backup, err error) {
	live, err := openSource(path)
	if err != nil {
		return nil, nil, err
	}
	if older, err = Backups(path); err != nil {
		live.file.Close()
		return nil, nil, err
	}
	r = &Reader{path: path, live: live}
	if n := len(older); n > 0 && same(older[n-1].Path, live.file) { // rotated in between
		older = older[:n-1]
	}
	if n := len(older); n > 0 {
		r.seen = older[n-1].At
	}
	return r, older, nil
}

func openSource(path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &source{in: f, file: f}, nil
}

// same reports whether path names the open file.
func same(path string, f *os.File) bool {
	a, err := os.Stat(path)
	if err != nil {
		return false
	}
	b, err := f.Stat()
	return err == nil && os.SameFile(a, b)
}

func gone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// Next calls yield with each whole line that was written since the last call.
func (r *Reader) Next(yield func(line []byte) error) error {
	for {
		if r.prev != nil {
			if err := r.prev.lines(yield); err != nil {
				return err
			}
		}
		if err := r.live.lines(yield); err != nil {
			return err
		}
		st, err := os.Stat(r.path)
		if err != nil {
			return ignoreMissing(err) // moved and not made again yet
		}
		if same(r.path, r.live.file) {
			if st.Size() >= r.live.offset {
				return nil
			}
			r.live.offset, r.live.pending = 0, nil // truncated: from the start
			if _, err := r.live.file.Seek(0, io.SeekStart); err != nil {
				return err
			}
			continue
		}
		if err := r.advance(yield); err != nil {
			return ignoreMissing(err)
		}
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// advance goes on to the file that is at the path now, through the backups that
// came and went since the last look.
func (r *Reader) advance(yield func([]byte) error) error {
	next, err := openSource(r.path)
	if err != nil {
		return err
	}
	if err := r.between(next, yield); err != nil {
		next.file.Close()
		return err
	}
	if r.prev != nil {
		r.prev.file.Close()
	}
	r.prev, r.live = r.live, next
	return nil
}

func (r *Reader) between(next *source, yield func([]byte) error) error {
	if err := r.live.lines(yield); err != nil {
		return err
	}
	all, err := Backups(r.path)
	if err != nil {
		return err
	}
	first := true
	for _, b := range all {
		if !b.At.After(r.seen) || same(b.Path, next.file) {
			continue
		}
		r.seen = b.At
		// The first new one is the file read so far; once compressed only its
		// place tells.
		read := same(b.Path, r.live.file) || first && (b.compressed() || gone(b.Path))
		first = false
		if read {
			continue
		}
		if err := b.Lines(yield); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Rest calls yield with a last line that has no newline.
func (r *Reader) Rest(yield func(line []byte) error) error { return r.live.flush(yield) }

// Close closes the files.
func (r *Reader) Close() error {
	if r.prev != nil {
		r.prev.file.Close()
	}
	return r.live.file.Close()
}
