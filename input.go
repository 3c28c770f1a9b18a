package llmspell

import (
	"context"
	"io"
	"sync"
)

// maxInput bounds one answer to an input request, in bytes.
const maxInput = 1 << 20

// InputRequest is the data of input.requested.
type InputRequest struct {
	Prompt   string `json:"prompt"`
	Password bool   `json:"password"`
}

// inputReader is the stdin of an interactive run: a read that finds nothing
// left publishes input.requested and waits for Run.Input.
type inputReader struct {
	run     *Run
	mu      sync.Mutex
	rest    []byte
	pending chan string // nil while no request is open
}

// Read gives the rest of the last answer, or waits for one. It ends with the
// run's context.
func (i *inputReader) Read(p []byte) (int, error) {
	if n := i.take(p); n > 0 || len(p) == 0 {
		return n, nil
	}
	i.mu.Lock()
	answer := make(chan string, 1)
	i.pending = answer
	i.mu.Unlock()
	i.run.emit(eventInputRequested, InputRequest{})
	select {
	case text := <-answer:
		i.mu.Lock()
		i.rest = []byte(text)
		i.mu.Unlock()
		return i.take(p), nil
	case <-i.run.ctx.Done():
		i.mu.Lock()
		i.pending = nil
		i.mu.Unlock()
		return 0, context.Cause(i.run.ctx)
	}
}

func (i *inputReader) take(p []byte) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n
}

// answer gives the pending read one line.
func (i *inputReader) answer(text string) error {
	if len(text) > maxInput {
		return invalid("input has %d bytes, at most %d are allowed", len(text), maxInput)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.pending == nil {
		return ErrNotFound
	}
	if text == "" || text[len(text)-1] != '\n' {
		text += "\n"
	}
	i.pending <- text
	i.pending = nil
	return nil
}

var _ io.Reader = (*inputReader)(nil)
