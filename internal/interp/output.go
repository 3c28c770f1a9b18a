package interp

import (
	"errors"
	"io"
	"io/fs"
	"unicode/utf8"

	"github.com/llmspell/llmspell/lua"
)

const (
	defaultCapture = 1 << 20  // bytes of stdout kept for the result
	bufferBytes    = 32 << 10 // output is passed on at this size at the latest
)

// output collects what a script prints: it captures stdout and passes both
// streams on in program order. What is printed between two ends of a fuel slice
// or host calls is joined. It belongs to the executing goroutine.
type output struct {
	stdout, stderr io.Writer

	capture   []byte
	limit     int
	truncated bool

	buf []byte // of one stream
	err bool   // buf is stderr
}

func newOutput(r *Request) *output {
	o := &output{stdout: r.Stdout, stderr: r.Stderr, limit: r.OutputCap}
	if o.limit <= 0 {
		o.limit = defaultCapture
	}
	return o
}

// write takes output of one stream. It never fails: printing never raises.
func (o *output) write(p []byte, stderr bool) {
	if !stderr {
		keep := min(len(p), o.limit-len(o.capture))
		if keep < len(p) {
			o.truncated = true
		}
		o.capture = append(o.capture, p[:keep]...)
	}
	if o.stdout == nil && o.stderr == nil {
		return
	}
	if stderr != o.err {
		o.flush(true)
		o.err = stderr
	}
	for len(p) > 0 {
		n := min(len(p), bufferBytes-len(o.buf))
		o.buf = append(o.buf, p[:n]...)
		p = p[n:]
		if len(o.buf) >= bufferBytes {
			o.flush(false)
		}
	}
}

// flush passes on what is buffered. A character that is not complete yet waits
// for its rest, unless all is set.
func (o *output) flush(all bool) {
	n := len(o.buf)
	if n == 0 {
		return
	}
	if !all {
		n -= incompleteRune(o.buf)
	}
	w := o.stdout
	if o.err {
		w = o.stderr
	}
	if w != nil && n > 0 {
		_, _ = w.Write(o.buf[:n]) // a client that is gone does not end the script
	}
	o.buf = o.buf[:copy(o.buf, o.buf[n:])]
}

// incompleteRune is the length of a character at the end of p that lacks bytes.
func incompleteRune(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if c := p[len(p)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

func (o *output) captured() (string, bool) { return string(o.capture), o.truncated }

// stream is io.stdout or io.stderr of an interpreter.
type stream struct {
	i   *Interp
	err bool
}

var _ lua.File = (*stream)(nil)

func (s *stream) Write(p []byte) (int, error) {
	if s.i.run != nil {
		s.i.run.out.write(p, s.err)
	}
	return len(p), nil
}

func (s *stream) Read([]byte) (int, error)       { return 0, fs.ErrPermission }
func (s *stream) Seek(int64, int) (int64, error) { return 0, errors.New("not seekable") }
func (s *stream) Close() error                   { return fs.ErrPermission }

// Flush and SetBuffer do nothing that a script could notice: the kernel decides
// when output is sent.
func (s *stream) Flush() error                { return nil }
func (s *stream) SetBuffer(string, int) error { return nil }
