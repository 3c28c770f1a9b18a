// Package journal records the effects of one run to a file and answers a later
// run from it, without touching the world:
//
//	rec, err := journal.Create("run.jsonl", journal.Header{RunID: id, Seed: seed}, journal.Params{Redact: redact})
//	run.Gate = gate.New(policy, rec.Intercept)
//	run.Now, run.ScriptNow, run.Rand = rec.Now, rec.ScriptNow, rec.Rand
//	defer rec.Close()
//
// The file is JSON Lines: a header, then one record an effect. Every line names
// the hash of the line before, so a change in the middle is noticed. [Tape] is
// what recorder and replayer have in common.
package journal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
)

// Version is that of the file format.
const Version = 1

// Tape is a Recorder or a Replayer.
type Tape interface {
	Intercept(ctx context.Context, c *gate.Call, next gate.Handler) (any, error)
	// Now is the run clock of host code, ScriptNow that of the script (see gate.Run).
	Now() time.Time
	ScriptNow() time.Time
	Rand(p []byte)
	// Close ends the tape. A recorder makes the file durable; a replayer reports
	// recorded effects that the run did not ask for.
	Close() error
}

// Header is the first line of a journal.
type Header struct {
	Version    int       `json:"journal"`
	VM         string    `json:"vm,omitempty"` // version of the program that recorded
	RunID      string    `json:"run_id"`
	Script     string    `json:"script,omitempty"`
	ScriptHash string    `json:"script_hash"` // see HashScript
	Seed       uint64    `json:"seed"`        // of math.random
	Entropy    string    `json:"entropy"`     // hex; ids and seeds of the run derive from it
	Started    time.Time `json:"started"`
}

// HashScript returns the hash of a source text for Header.ScriptHash.
func HashScript(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// record is every further line.
type record struct {
	Seq     int64           `json:"seq"`
	Path    string          `json:"path,omitempty"` // fiber, or fiber and host call
	Kind    gate.Kind       `json:"kind"`
	Op      string          `json:"op,omitempty"`
	Target  string          `json:"target,omitempty"`
	Hash    string          `json:"req_hash,omitempty"`
	Args    json.RawMessage `json:"args,omitempty"` // for people; what was too long is cut
	Intent  bool            `json:"intent,omitempty"`
	Overlap bool            `json:"overlap,omitempty"` // was under way together with another of its path
	Start   int64           `json:"start,omitempty"`   // Unix ms
	End     int64           `json:"end,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Fault   *faultRecord    `json:"fault,omitempty"`
	Read    int64           `json:"read,omitempty"` // ordinal of a clock read
	Prev    string          `json:"prev_hash"`
}

// clockRead is the operation of a record that says what a read of the script's
// clock gave.
const clockRead = "read"

// faultRecord is an error in a record.
type faultRecord struct {
	Context      string          `json:"context,omitempty"` // a context's error: see contextErrors
	Code         fault.Code      `json:"code,omitempty"`
	Message      string          `json:"message,omitempty"`
	Hint         string          `json:"hint,omitempty"`
	Details      json.RawMessage `json:"details,omitempty"`
	Retryable    bool            `json:"retryable,omitempty"`
	RetryAfterMS int64           `json:"retry_after_ms,omitempty"`
	Cause        *faultRecord    `json:"cause,omitempty"`
}

// maxCauses bounds a chain of faults.
const maxCauses = 16

// contextErrors are errors that callers compare by identity.
var contextErrors = map[string]error{"canceled": context.Canceled, "deadline": context.DeadlineExceeded}

func encodeFault(err error, depth int) *faultRecord {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		for name, sentinel := range contextErrors {
			if errors.Is(err, sentinel) {
				return &faultRecord{Context: name}
			}
		}
		e = &fault.Error{Code: fault.Internal, Message: err.Error()}
	}
	r := &faultRecord{Code: e.Code, Message: e.Message, Hint: e.Hint, Retryable: e.Retryable, RetryAfterMS: e.RetryAfterMS}
	if len(e.Details) > 0 {
		if raw, err := gate.Encode(e.Details); err == nil {
			r.Details = raw
		}
	}
	if e.Cause != nil && depth < maxCauses {
		r.Cause = encodeFault(e.Cause, depth+1)
	}
	return r
}

func (r *faultRecord) decode() error {
	if r.Context != "" {
		return cmp.Or(contextErrors[r.Context], context.Canceled)
	}
	e := &fault.Error{Code: r.Code, Message: r.Message, Hint: r.Hint, Retryable: r.Retryable, RetryAfterMS: r.RetryAfterMS}
	if len(r.Details) > 0 {
		if m, err := gate.Decode[map[string]any](r.Details); err == nil {
			e.Details = m
		}
	}
	if r.Cause != nil {
		e.Cause = r.Cause.decode()
	}
	return e
}

// request is a call as it is compared and recorded.
type request struct {
	kind             gate.Kind
	op, target, hash string
	args             json.RawMessage
}

// maxArgs bounds the recorded arguments; the hash is of all of them.
const maxArgs = 8 << 10

func newRequest(c *gate.Call, redact func(string) string) (request, error) {
	r := request{kind: c.Kind, op: c.Op, target: c.Target}
	args, err := gate.Encode(c.Args)
	if err != nil {
		return r, fault.Errorf(fault.Internal, "arguments of %s %s cannot be recorded: %w", c.Kind, c.Op, err)
	}
	args = redacted(args, redact)
	h := sha256.New()
	for _, part := range []string{string(c.Kind), c.Op, c.Target} {
		h.Write(append([]byte(part), 0))
	}
	h.Write(args)
	r.hash = hex.EncodeToString(h.Sum(nil)[:16])
	if len(args) > maxArgs {
		args, err = json.Marshal(string(args[:maxArgs]) + "...")
		if err != nil {
			return r, err
		}
	}
	r.args = args
	return r, nil
}

// redacted removes secrets from JSON text; what is no JSON afterwards is dropped.
func redacted(raw json.RawMessage, redact func(string) string) json.RawMessage {
	if redact == nil {
		return raw
	}
	out := json.RawMessage(redact(string(raw)))
	if !json.Valid(out) {
		return json.RawMessage(`"[redacted]"`)
	}
	return out
}

// entropy is the random source of a run. It starts anew at every finished
// effect, so that draws inside an effect, which a replay does not repeat, leave
// the later ones alone.
type entropy struct {
	seed    string
	effects uint64
	drawn   uint64
}

func (e *entropy) fill(p []byte) {
	for len(p) > 0 {
		block := binary.BigEndian.AppendUint64([]byte(e.seed), e.effects)
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(block, e.drawn))
		e.drawn++
		p = p[copy(p, sum[:]):]
	}
}

func (e *entropy) next() { e.effects, e.drawn = e.effects+1, 0 }

// lineHash is what the next line names.
func lineHash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:16])
}
