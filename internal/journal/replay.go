package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
)

// Limits of a journal that is read.
const (
	maxLine    = 2*maxResult + 1<<20
	maxRecords = 1 << 20
	maxFile    = 1 << 30
)

// Replayer answers effects from a journal. Safe for concurrent use.
type Replayer struct {
	p      Params
	header Header

	mu      sync.Mutex
	effects []*record            // complete effects in order of Seq
	byPath  map[string][]*record // those not asked for yet
	intents []*record            // effects whose outcome was not recorded
	clock   []*record            // changes of the script's clock, in order
	reads   int64
	now     time.Time
	entropy entropy
	failed  error // the first difference; every later effect repeats it
}

var _ Tape = (*Replayer)(nil)

// Open reads the journal in a file.
func Open(path string, p Params) (*Replayer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Errorf(fault.NotFound, "cannot open the journal: %w", err)
	}
	defer f.Close()
	return Read(f, p)
}

// Read reads a journal, checking form and order of its lines. A last line
// without its end, left by a crash, is ignored.
func Read(r io.Reader, params Params) (*Replayer, error) {
	in := bufio.NewReader(io.LimitReader(r, maxFile))
	p := &Replayer{p: params, byPath: map[string][]*record{}}
	prev := ""
	for n := 1; ; n++ {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n > maxRecords {
			err = errors.New("too many records")
		}
		if err == nil && n == 1 {
			err = p.readHeader(line)
		} else if err == nil {
			err = p.readRecord(line, prev)
		}
		if err != nil {
			return nil, fault.Errorf(fault.ParseError, "journal line %d: %w", n, err)
		}
		prev = lineHash(line)
	}
	if p.header.Version == 0 {
		return nil, fault.Errorf(fault.ParseError, "journal line 1: the header is missing")
	}
	p.index()
	return p, nil
}

// readLine returns the next line without its end; io.EOF also for an unfinished one.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, fmt.Errorf("longer than %d bytes", maxLine)
		}
		if err == nil {
			return bytes.TrimSuffix(line, []byte("\n")), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

func (p *Replayer) readHeader(line []byte) error {
	if err := json.Unmarshal(line, &p.header); err != nil {
		return err
	}
	if p.header.Version != Version {
		return fmt.Errorf("version %d is not known, only %d", p.header.Version, Version)
	}
	p.now, p.entropy = p.header.Started.UTC(), entropy{seed: p.header.Entropy}
	return nil
}

func (p *Replayer) readRecord(line []byte, prev string) error {
	rec := new(record)
	if err := json.Unmarshal(line, rec); err != nil {
		return err
	}
	switch {
	case rec.Prev != prev:
		return errors.New("does not follow the line before: the file was changed")
	case rec.Kind == gate.Clock && rec.Op == clockRead:
		p.clock = append(p.clock, rec)
	case rec.Intent:
		p.intents = append(p.intents, rec)
	case rec.Result == nil && rec.Fault == nil:
		return errors.New("a record without result")
	default:
		p.effects = append(p.effects, rec)
	}
	return nil
}

// index puts the effects in order and forgets intents that were fulfilled.
func (p *Replayer) index() {
	slices.SortStableFunc(p.effects, func(a, b *record) int { return cmp.Compare(a.Seq, b.Seq) })
	done := map[int64]bool{}
	for _, rec := range p.effects {
		p.byPath[rec.Path] = append(p.byPath[rec.Path], rec)
		done[rec.Seq] = true
	}
	p.intents = slices.DeleteFunc(p.intents, func(r *record) bool { return done[r.Seq] })
	slices.SortStableFunc(p.clock, func(a, b *record) int { return cmp.Compare(a.Read, b.Read) })
}

// Header returns the first line.
func (p *Replayer) Header() Header { return p.header }

// Intercept answers a call from its record. next is used only for calls whose
// work is done by the script itself.
func (p *Replayer) Intercept(ctx context.Context, c *gate.Call, next gate.Handler) (any, error) {
	if c.Local || gate.Covered(ctx) {
		return next(ctx, c)
	}
	req, err := newRequest(c, p.p.Redact)
	if err != nil {
		return nil, err
	}
	rec, err := p.take(gate.Path(ctx), req)
	if err != nil {
		return nil, err
	}
	if rec.Fault != nil {
		return nil, rec.Fault.decode()
	}
	v, err := c.Decode(rec.Result)
	if err != nil {
		return nil, fault.Errorf(fault.Nondeterminism, "record %d (%s) has a result of another form: %w", rec.Seq, describe(rec), err)
	}
	return v, nil
}

// take finds the record of a request: the next one of its path, or, where calls
// overlapped, one of those that may come next.
func (p *Replayer) take(path string, req request) (*record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return nil, p.failed
	}
	waiting := p.byPath[path]
	for i, rec := range waiting {
		if rec.Hash == req.hash && rec.Kind == req.kind && rec.Op == req.op && rec.Target == req.target {
			p.byPath[path] = slices.Delete(waiting, i, i+1)
			p.now = later(p.now, max(rec.Start, rec.End))
			p.entropy.next()
			return rec, nil
		}
		if !rec.Overlap {
			break
		}
	}
	p.failed = p.difference(path, req)
	return nil, p.failed
}

// difference describes the first call that does not match.
func (p *Replayer) difference(path string, req request) error {
	actual := describe(&record{Kind: req.kind, Op: req.op, Target: req.target, Args: req.args})
	e := fault.Errorf(fault.Nondeterminism, "the run asks for %s, but the journal ends here", actual)
	if next := p.expected(path); next != nil {
		e = fault.Errorf(fault.Nondeterminism, "the run differs from the journal at record %d: expected %s, got %s",
			next.Seq, describe(next), actual)
		e.WithDetail("record", next.Seq).WithDetail("expected", describe(next))
	} else if len(p.intents) > 0 && p.intents[0].Hash == req.hash {
		e.Message = "the recorded run ended inside " + actual
	}
	return e.WithDetail("actual", actual).WithHint("script, arguments and program version must be those of the recorded run")
}

// expected is the next record of the path, else the next one of any.
func (p *Replayer) expected(path string) *record {
	if len(p.byPath[path]) > 0 {
		return p.byPath[path][0]
	}
	var first *record
	for _, waiting := range p.byPath {
		if len(waiting) > 0 && (first == nil || waiting[0].Seq < first.Seq) {
			first = waiting[0]
		}
	}
	return first
}

// describe names an effect and the beginning of its arguments.
func describe(r *record) string {
	s := string(r.Kind) + " " + r.Op
	if r.Target != "" {
		s += " " + r.Target
	}
	args := string(r.Args)
	if len(args) > 200 {
		args = args[:200] + "..."
	}
	if args == "" || args == "null" {
		return s
	}
	return s + " " + args
}

func later(now time.Time, ms int64) time.Time {
	if t := time.UnixMilli(ms).UTC(); t.After(now) {
		return t
	}
	return now
}

// Now is the time of the last answered effect or script read of the clock.
func (p *Replayer) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// ScriptNow repeats the recorded reads.
func (p *Replayer) ScriptNow() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads++
	for len(p.clock) > 0 && p.clock[0].Read <= p.reads {
		p.now = later(p.now, p.clock[0].End)
		p.clock = p.clock[1:]
	}
	return p.now
}

// Rand fills p as it was filled in the recorded run.
func (p *Replayer) Rand(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entropy.fill(b)
}

// Close returns the first difference, or a fault of code nondeterminism if
// recorded effects were not asked for. Idempotent.
func (p *Replayer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return p.failed
	}
	if next := p.expected(""); next != nil {
		return fault.Errorf(fault.Nondeterminism, "the run ended, but record %d (%s) was expected", next.Seq, describe(next)).
			WithDetail("record", next.Seq).WithDetail("expected", describe(next))
	}
	return nil
}
