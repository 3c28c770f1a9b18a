package replay

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sync"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/llm"
)

// Player answers from a recording. Each recorded call answers the same request
// once, in recorded order; when all of them are used the last one answers again.
// A request that was not recorded fails with fault.Nondeterminism, naming the
// first difference to the next unused call. Safe for concurrent use.
type Player struct {
	info Info

	mu    sync.Mutex
	calls []record
	used  []bool
}

// Open reads the recording at path. Errors: fault.NotFound, fault.ParseError
// with the line, fault.TooLarge.
func Open(path string) (*Player, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Errorf(fault.NotFound, "cannot read the recording: %w", err)
	}
	defer func() { _ = f.Close() }()
	return Read(f)
}

// Read reads a recording.
func Read(r io.Reader) (*Player, error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, MaxLine)
	p := &Player{}
	line := 0
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := p.line(text, line == 1); err != nil {
			return nil, fault.Errorf(fault.ParseError, "recording, line %d: %w", line, err)
		}
		if len(p.calls) > maxCalls {
			return nil, fault.Errorf(fault.TooLarge, "recording: more than %d calls", maxCalls)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fault.Errorf(fault.TooLarge, "recording, line %d: %w", line+1, err)
	}
	if line == 0 {
		return nil, fault.Errorf(fault.ParseError, "recording: the file is empty")
	}
	p.info.Calls = len(p.calls)
	p.used = make([]bool, len(p.calls))
	return p, nil
}

func (p *Player) line(text []byte, first bool) error {
	if first {
		var h header
		if err := json.Unmarshal(text, &h); err != nil {
			return err
		}
		if h.Format != formatVersion {
			return fmt.Errorf("not a recording of format %d (llmspell_replay = %d)", formatVersion, h.Format)
		}
		p.info = Info{Recorded: h.Recorded, Provider: h.Provider, Model: h.Model}
		return nil
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	// The stored hash is for readers; matching must not depend on the version
	// that wrote it.
	r.Hash = hash(r.Request)
	p.calls = append(p.calls, r)
	return nil
}

// Info describes the recording.
func (p *Player) Info() Info { return p.info }

// Stream implements [llm.Provider].
func (p *Player) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		rec, err := p.take(r)
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		for _, c := range rec.Chunks {
			if ctx.Err() != nil {
				yield(llm.Chunk{}, &fault.Error{Code: fault.Interrupted, Message: "the call was cancelled", Cause: ctx.Err()})
				return
			}
			if !yield(c, nil) {
				return
			}
		}
		if rec.Error != nil {
			yield(llm.Chunk{}, rec.Error.err())
		} else if rec.Stopped {
			yield(llm.Chunk{}, fault.Errorf(fault.Nondeterminism, "the recorded stream was left after %d chunks; this run reads on", len(rec.Chunks)))
		}
	}
}

func (p *Player) take(r llm.Request) (*record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	want := hash(r)
	last := -1
	for i := range p.calls {
		if p.calls[i].Hash != want {
			continue
		}
		last = i
		if !p.used[i] {
			break
		}
	}
	if last >= 0 {
		p.used[last] = true
		return &p.calls[last], nil
	}
	next := slices.Index(p.used, false)
	if next < 0 {
		return nil, fault.Errorf(fault.Nondeterminism, "the recording has %d calls and none for this request", len(p.calls)).
			WithHint("record the script again")
	}
	return nil, fault.Errorf(fault.Nondeterminism, "this request was not recorded; it differs from recorded call %d at %s", next+1, difference(p.calls[next].Request, r)).
		WithHint("record the script again")
}

// Models implements [llm.ModelLister]: the recorded models.
func (p *Player) Models(context.Context) ([]llm.ModelInfo, error) {
	var models []llm.ModelInfo
	for _, c := range p.calls {
		m := llm.ModelInfo{ID: c.Request.Model}
		if !slices.Contains(models, m) {
			models = append(models, m)
		}
	}
	return models, nil
}

// difference names the first place where two requests that hash differently differ.
func difference(recorded, got llm.Request) string {
	show := func(place, a, b string) string {
		return fmt.Sprintf("%s: recorded %s, now %s", place, shorten(a), shorten(b))
	}
	if recorded.System != got.System {
		return show("system", recorded.System, got.System)
	}
	for i := range min(len(recorded.Messages), len(got.Messages)) {
		a, b := recorded.Messages[i], got.Messages[i]
		place := fmt.Sprintf("messages[%d]", i+1)
		if a.Role != b.Role {
			return show(place+".role", string(a.Role), string(b.Role))
		}
		if a.Content != b.Content {
			return show(place+".content", a.Content, b.Content)
		}
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if !bytes.Equal(x, y) {
			return show(place, string(x), string(y))
		}
	}
	if a, b := len(recorded.Messages), len(got.Messages); a != b {
		return show("number of messages", fmt.Sprint(a), fmt.Sprint(b))
	}
	if a, b := toolNames(recorded), toolNames(got); a != b {
		return show("tools", a, b)
	}
	if recorded.ToolChoice != got.ToolChoice {
		return show("tool_choice", recorded.ToolChoice, got.ToolChoice)
	}
	return show("schema", string(recorded.Schema), string(got.Schema))
}

func toolNames(r llm.Request) string {
	names := make([]string, 0, len(r.Tools))
	for _, t := range r.Tools {
		names = append(names, t.Name)
	}
	return fmt.Sprint(names)
}

// shorten quotes s, cut so that a message stays readable.
func shorten(s string) string {
	const most = 60
	runes := []rune(s)
	if len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", s)
}
