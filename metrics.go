package llmspell

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/llm"
)

// Metrics receives what a kernel counts, for export. Its methods are called on
// the path of executions: they must be quick and safe for concurrent use.
type Metrics interface {
	// Execution is one that ended. outcome: ok, error, timeout, cancelled, limit.
	Execution(source, outcome string, took time.Duration)
	// LLMCall is one request to a model that ended, retries included. provider
	// and model are configured names, or "other". outcome: ok, stopped (the
	// consumer left) or a fault code.
	LLMCall(provider, model, outcome string, took time.Duration, u llm.Usage)
	// LLMRetry is an attempt that failed with a fault code and is repeated.
	LLMRetry(provider, reason string)
	// ToolCall is one that ended. tool is the name of a tool of the registry,
	// "other" for those that scripts define. outcome: ok or error.
	ToolCall(tool, outcome string, took time.Duration)
}

// Observe adds a receiver of metrics until remove is called.
func (k *Kernel) Observe(m Metrics) (remove func()) { return k.infra.metrics.add(m) }

// observers is a set of receivers that is read without a lock.
type observers struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*observer]
}

type observer struct{ Metrics }

func (o *observers) add(m Metrics) (remove func()) {
	if m == nil {
		return func() {}
	}
	added := &observer{m}
	o.change(func(list []*observer) []*observer { return append(list, added) })
	return func() {
		o.change(func(list []*observer) []*observer {
			return slices.DeleteFunc(list, func(other *observer) bool { return other == added })
		})
	}
}

func (o *observers) change(fn func([]*observer) []*observer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := fn(slices.Clone(o.all()))
	o.list.Store(&list)
}

func (o *observers) all() []*observer {
	if list := o.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (o *observers) execution(source, outcome string, took time.Duration) {
	for _, m := range o.all() {
		m.Execution(source, outcome, took)
	}
}

// outcomeOf is the metric label of an execution's end.
func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	switch codeOf(err) {
	case fault.ExecutionTimeout:
		return "timeout"
	case fault.Interrupted:
		return "cancelled"
	case fault.InstructionLimit, fault.MemoryLimit:
		return "limit"
	}
	return "error"
}

// tool reports a tool call that left through the gate.
func (o *observers) tool(_ context.Context, c *gate.Call, took time.Duration, err error) {
	if c.Kind != gate.Tool {
		return
	}
	name, outcome := c.Target, "ok"
	if c.Local {
		name = "other"
	}
	if err != nil {
		outcome = "error"
	}
	for _, m := range o.all() {
		m.ToolCall(name, outcome, took)
	}
}

// Call and Retry make observers the metrics of the provider engine.
func (o *observers) Call(provider, model, outcome string, took time.Duration, u llm.Usage) {
	for _, m := range o.all() {
		m.LLMCall(provider, model, outcome, took, u)
	}
}

func (o *observers) Retry(provider string, reason fault.Code) {
	for _, m := range o.all() {
		m.LLMRetry(provider, string(reason))
	}
}
