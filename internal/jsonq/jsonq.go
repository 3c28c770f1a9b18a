// Package jsonq queries and validates script values: the jq language and JSON
// Schema, bounded so that no query takes the process with it. JSON.query,
// JSON.validate and the json-processor tool use it.
//
//	out, err := jsonq.Query(ctx, value, ".items[] | select(.n > 1)")
package jsonq

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"runtime/metrics"
	"strings"
	"sync/atomic"

	"github.com/itchyny/gojq"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/schema"
	"github.com/llmspell/llmspell/script"
)

const (
	maxSource  = 64 << 10 // bytes of a query
	maxSteps   = 10_000_000
	maxResults = 100_000
	maxGrowth  = 128 << 20 // bytes the heap may grow by during a query
	checkEvery = 32        // steps between looks at the heap
)

// Query returns the results of the jq program over v. A program that is no jq,
// or fails, or takes more steps or memory than allowed is a *fault.Error.
// Environment, files and further input are not reachable from a program.
func Query(ctx context.Context, v any, program string) ([]any, error) {
	if len(program) > maxSource {
		return nil, fault.Errorf(fault.InvalidArgument, "the query is longer than %d bytes", maxSource)
	}
	q, err := gojq.Parse(program)
	if err != nil {
		return nil, fault.Errorf(fault.ParseError, "jq: %w", err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return nil, fault.Errorf(fault.ParseError, "jq: %w", err)
	}
	fuel := newFuel(ctx)
	iter := code.RunWithContext(fuel, toJQ(v))
	out := []any{}
	for {
		r, ok := iter.Next()
		if !ok {
			return out, nil
		}
		if err, ok := r.(error); ok {
			if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
				return out, nil
			}
			return nil, fuel.explain(err)
		}
		if len(out) == maxResults {
			return nil, fault.Errorf(fault.TooLarge, "jq: more than %d results", maxResults)
		}
		r, err := fromJQ(r, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
}

// fuel is a context that counts: the jq machine asks Done at every step.
type fuel struct {
	context.Context
	steps atomic.Int64
	heap  uint64
	over  atomic.Pointer[fault.Error]
	done  chan struct{} // closed from the start
}

func newFuel(ctx context.Context) *fuel {
	f := &fuel{Context: ctx, heap: heapBytes(), done: make(chan struct{})}
	close(f.done)
	return f
}

func (f *fuel) Done() <-chan struct{} {
	n := f.steps.Add(1)
	switch {
	case f.over.Load() != nil:
		return f.done
	case n > maxSteps:
		f.over.Store(fault.Errorf(fault.TooLarge, "jq: more than %d steps", maxSteps))
		return f.done
	case n%checkEvery == 0 && heapBytes() > f.heap+maxGrowth:
		f.over.Store(fault.Errorf(fault.TooLarge, "jq: the query needs too much memory"))
		return f.done
	}
	return f.Context.Done()
}

func (f *fuel) Err() error {
	if e := f.over.Load(); e != nil {
		return e
	}
	return f.Context.Err()
}

func (f *fuel) explain(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok || f.Context.Err() != nil {
		return err
	}
	msg := err.Error()
	if len(msg) > 300 {
		msg = strings.ToValidUTF8(msg[:300], "") + "..."
	}
	return fault.Errorf(fault.ToolFailed, "jq: %s", msg)
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// toJQ converts script values to those of jq.
func toJQ(v any) any {
	switch t := v.(type) {
	case int64:
		return int(t)
	case script.Null:
		return nil
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = toJQ(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = toJQ(e)
		}
		return out
	}
	return v
}

// fromJQ converts back. A null stays nil only at the top.
func fromJQ(v any, depth int) (any, error) {
	if depth > 128 {
		return nil, fault.Errorf(fault.TooLarge, "jq: the result nests too deep")
	}
	switch t := v.(type) {
	case nil:
		return script.Null{}, nil
	case int:
		return int64(t), nil
	case *big.Int:
		if t.IsInt64() {
			return t.Int64(), nil
		}
		f, _ := new(big.Float).SetInt(t).Float64()
		return f, nil
	case json.Number:
		return t.Float64()
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			w, err := fromJQ(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = w
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			if e == nil {
				continue
			}
			w, err := fromJQ(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = w
		}
		return out, nil
	}
	return v, nil
}

// Problem is one way in which a value misses its schema.
type Problem struct {
	Path    string // JSON pointer into the schema, as far as known
	Message string
}

// Validate returns how v misses the schema, nothing if it does not. A schema
// that is none is fault.InvalidArgument; one that refers to other documents is
// refused, and so is one that refers to itself without end.
func Validate(v, document any) (problems []Problem, err error) {
	raw, err := json.Marshal(toJQ(document))
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "schema: %w", err)
	}
	resolved, err := schema.Compile(raw)
	if err != nil {
		return nil, err
	}
	if err := resolved.Validate(toJQ(v)); err != nil {
		return []Problem{problem(err)}, nil
	}
	return nil, nil
}

// problem splits the library's "validating A: validating B: message".
func problem(err error) Problem {
	p := Problem{Path: "$", Message: err.Error()}
	for {
		rest, ok := strings.CutPrefix(p.Message, "validating ")
		if !ok {
			return p
		}
		where, message, ok := strings.Cut(rest, ": ")
		if !ok {
			return p
		}
		p.Message = message
		if where != "root" {
			p.Path = where
		}
	}
}
