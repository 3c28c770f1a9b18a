package journal

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
)

// Params modify a Recorder or Replayer.
type Params struct {
	// Redact takes secrets out of what is written, and out of what a replay
	// compares; nil: nothing is secret.
	Redact func(string) string
	// Clock is the real clock of a Recorder; nil: time.Now.
	Clock func() time.Time
}

// Recorder writes the journal of one run. Safe for concurrent use.
type Recorder struct {
	p Params

	mu      sync.Mutex
	file    *os.File
	w       *bufio.Writer
	err     error // first failure to write; every later effect reports it
	prev    string
	seq     int64
	reads   int64
	now     time.Time
	entropy entropy
	active  map[string][]*record // effects under way, by path
	closed  bool
}

// Create starts a journal in a new file, replacing an old one. Version, Entropy
// and, where zero, Started of the header are filled in.
func Create(path string, h Header, p Params) (*Recorder, error) {
	if p.Clock == nil {
		p.Clock = time.Now
	}
	seed := make([]byte, 32)
	if _, err := rand.Read(seed); err != nil {
		return nil, err
	}
	h.Version, h.Entropy = Version, hex.EncodeToString(seed)
	if h.Started.IsZero() {
		h.Started = p.Clock()
	}
	h.Started = h.Started.UTC().Truncate(time.Millisecond)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fault.Errorf(fault.StorageUnavailable, "cannot create the journal: %w", err)
	}
	r := &Recorder{p: p, file: file, w: bufio.NewWriter(file), now: h.Started,
		entropy: entropy{seed: h.Entropy}, active: map[string][]*record{}}
	r.line(h)
	if err := r.sync(); err != nil {
		_ = file.Close()
		return nil, err
	}
	return r, nil
}

var _ Tape = (*Recorder)(nil)

// line appends one line; the first failure sticks.
func (r *Recorder) line(v any) {
	if r.err != nil {
		return
	}
	raw, err := json.Marshal(v)
	if err == nil {
		r.prev = lineHash(raw)
		_, err = r.w.Write(append(raw, '\n'))
	}
	r.fail(err)
}

func (r *Recorder) fail(err error) {
	if err != nil && r.err == nil {
		r.err = fault.Errorf(fault.StorageUnavailable, "the journal cannot be written: %w", err)
	}
}

// sync makes what was written durable.
func (r *Recorder) sync() error {
	if r.err == nil {
		r.fail(r.w.Flush())
	}
	if r.err == nil {
		r.fail(r.file.Sync())
	}
	return r.err
}

// Intercept records one effect: its intent, made durable, before a call that
// must not be repeated leaves, and its result.
func (r *Recorder) Intercept(ctx context.Context, c *gate.Call, next gate.Handler) (any, error) {
	if c.Local || gate.Covered(ctx) {
		return next(ctx, c)
	}
	req, err := newRequest(c, r.p.Redact)
	if err != nil {
		return nil, err
	}
	rec, err := r.begin(gate.Path(ctx), req, c.Effect == gate.Once)
	if err != nil {
		return nil, err
	}
	v, callErr := next(gate.WithCovered(ctx, true), c)
	return v, r.end(ctx, rec, c, v, callErr)
}

func (r *Recorder) begin(path string, req request, once bool) (*record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, fault.Errorf(fault.InvalidState, "the journal is closed")
	}
	r.seq++
	r.now = r.clock()
	rec := &record{Seq: r.seq, Path: path, Kind: req.kind, Op: req.op, Target: req.target,
		Hash: req.hash, Args: req.args, Start: r.now.UnixMilli()}
	for _, other := range r.active[path] {
		rec.Overlap, other.Overlap = true, true
	}
	r.active[path] = append(r.active[path], rec)
	if once {
		r.line(record{Seq: rec.Seq, Path: path, Kind: req.kind, Op: req.op, Target: req.target,
			Hash: req.hash, Intent: true, Prev: r.prev})
		return rec, r.sync()
	}
	return rec, r.err
}

// maxResult bounds what one effect may record.
const maxResult = 32 << 20

func (r *Recorder) end(ctx context.Context, rec *record, c *gate.Call, v any, callErr error) error {
	var problem error
	if callErr == nil {
		rec.Result, problem = gate.Encode(v)
		if problem == nil && len(rec.Result) > maxResult {
			problem = fault.Errorf(fault.TooLarge, "more than %d MiB", maxResult>>20)
		}
		if problem != nil {
			callErr = fault.Errorf(fault.TooLarge, "result of %s %s cannot be recorded: %w", c.Kind, c.Op, problem)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finish(rec)
	if callErr != nil && gate.Ended(ctx) {
		return callErr // the run ends here: no outcome to repeat
	}
	if callErr != nil {
		rec.Result, rec.Fault = nil, encodeFault(callErr, 0)
		rec.Fault.redact(r.p.Redact)
	}
	rec.Result = redacted(rec.Result, r.p.Redact)
	if callErr != nil {
		rec.Result = nil
	}
	rec.End, rec.Prev = r.now.UnixMilli(), r.prev
	r.line(rec)
	if callErr == nil {
		return r.err
	}
	return callErr
}

// finish takes rec off the effects under way and moves clock and entropy on.
func (r *Recorder) finish(rec *record) {
	rest := r.active[rec.Path][:0]
	for _, other := range r.active[rec.Path] {
		if other != rec {
			rest = append(rest, other)
		}
	}
	r.active[rec.Path] = rest
	if len(rest) == 0 {
		delete(r.active, rec.Path)
	}
	r.now = r.clock()
	r.entropy.next()
}

func (f *faultRecord) redact(redact func(string) string) {
	if redact == nil {
		return
	}
	for ; f != nil; f = f.Cause {
		f.Message, f.Hint = redact(f.Message), redact(f.Hint)
		if f.Details != nil {
			f.Details = redacted(f.Details, redact)
		}
	}
}

// clock reads the real clock; the run clock never goes back.
func (r *Recorder) clock() time.Time {
	t := r.p.Clock().UTC().Truncate(time.Millisecond)
	if t.Before(r.now) {
		return r.now
	}
	return t
}

// Now is the time of the last effect or script read of the clock.
func (r *Recorder) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// ScriptNow reads the clock for the script; a change is recorded.
func (r *Recorder) ScriptNow() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	if t := r.clock(); !t.Equal(r.now) {
		r.now = t
		r.seq++
		r.line(record{Seq: r.seq, Kind: gate.Clock, Op: clockRead, Read: r.reads, End: t.UnixMilli(), Prev: r.prev})
	}
	return r.now
}

// Rand fills p from the run's random source.
func (r *Recorder) Rand(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entropy.fill(p)
}

// Close makes the file durable. Idempotent.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return r.err
	}
	r.closed = true
	_ = r.sync()
	if err := r.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		r.fail(err)
	}
	return r.err
}
