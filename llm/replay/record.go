package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
)

// Params configures a Recorder.
type Params struct {
	Now     func() time.Time // nil = time.Now
	Secrets []string         // texts that are written as [redacted]
}

// Recorder appends the calls of wrapped providers to one recording. Safe for
// concurrent use; the calls are in the order in which they ended.
type Recorder struct {
	params Params

	mu      sync.Mutex
	out     io.WriteCloser
	started bool
	err     error
}

// Create makes or empties the file path, readable by its owner only.
func Create(path string, p Params) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fault.Errorf(fault.StorageUnavailable, "cannot record: %w", err)
	}
	return NewRecorder(f, p), nil
}

// NewRecorder returns a Recorder that writes to out and closes it at Close.
func NewRecorder(out io.WriteCloser, p Params) *Recorder {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Recorder{params: p, out: out}
}

// Wrap returns a provider that answers as p does and records each call under name.
func (r *Recorder) Wrap(name string, p llm.Provider) llm.Provider {
	return &recorded{name: name, inner: p, recorder: r}
}

// Close ends the recording. It returns the first error of writing, if any.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out == nil {
		return r.err
	}
	err := r.out.Close()
	r.out = nil
	r.err = errors.Join(r.err, err)
	return r.err
}

func (r *Recorder) write(provider string, rec record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || r.out == nil {
		return
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	if !r.started {
		r.started = true
		r.err = enc.Encode(header{Format: formatVersion, Recorded: r.params.Now().UTC(), Provider: provider, Model: rec.model()})
	}
	if r.err == nil {
		r.err = enc.Encode(rec)
	}
	if r.err != nil {
		return
	}
	text := r.redact(lines.Bytes())
	if len(text) > MaxLine {
		r.err = fmt.Errorf("a call of %d bytes is too large to record (limit %d)", len(text), MaxLine)
		return
	}
	_, r.err = r.out.Write(text)
}

// model is the name the provider gave its model, else the one asked for.
func (rec record) model() string {
	if n := len(rec.Chunks); n > 0 {
		return cmp.Or(rec.Chunks[n-1].Model, rec.Request.Model)
	}
	return rec.Request.Model
}

func (r *Recorder) redact(line []byte) []byte {
	for _, s := range r.params.Secrets {
		if s == "" {
			continue
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			continue
		}
		line = bytes.ReplaceAll(line, quoted[1:len(quoted)-1], []byte("[redacted]"))
	}
	return line
}

type recorded struct {
	name     string
	inner    llm.Provider
	recorder *Recorder
}

// Stream implements [llm.Provider].
func (p *recorded) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		rec := record{Hash: hash(r), Request: r, Chunks: []llm.Chunk{}}
		rec.Request.Options = nil // may hold anything, and decides no match
		defer func() { p.recorder.write(p.name, rec) }()
		rec.Stopped = true // until the stream ends by itself
		for c, err := range p.inner.Stream(ctx, r) {
			if err != nil {
				rec.Error, rec.Stopped = failureOf(err), false
				yield(c, err)
				return
			}
			rec.Chunks = append(rec.Chunks, c)
			rec.Stopped = c.Kind != llm.ChunkDone
			if !yield(c, nil) {
				return
			}
		}
	}
}

// Models implements [llm.ModelLister] where the wrapped provider does.
func (p *recorded) Models(ctx context.Context) ([]llm.ModelInfo, error) {
	if l, ok := p.inner.(llm.ModelLister); ok {
		return l.Models(ctx)
	}
	return nil, fault.Errorf(fault.InvalidArgument, "provider %s cannot list its models", p.name)
}

// Embed implements [llm.Embedder] where the wrapped provider does. Embeddings
// are not recorded.
func (p *recorded) Embed(ctx context.Context, model string, texts []string) (llm.Embeddings, error) {
	if e, ok := p.inner.(llm.Embedder); ok {
		return e.Embed(ctx, model, texts)
	}
	return llm.Embeddings{}, fault.Errorf(fault.InvalidArgument, "provider %s has no embedding models", p.name)
}

func faultOf(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return &fault.Error{Code: fault.CodeOf(err), Message: err.Error()}
}
