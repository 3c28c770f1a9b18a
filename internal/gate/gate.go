// Package gate is the one way a script's effect leaves the interpreter: a chain
// of interceptors (policy, journal, metrics, timeouts, later hooks, approval and
// budget) around the component that does the work. It imports none of them.
package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Kind is the family of an effect.
type Kind string

// Kinds of effects.
const (
	LLM    Kind = "llm"
	Embed  Kind = "embed"
	Tool   Kind = "tool"
	State  Kind = "state"
	Clock  Kind = "clock"
	Random Kind = "random"
	File   Kind = "file"
	Env    Kind = "env"
	Log    Kind = "log"
	Input  Kind = "input"
	Sleep  Kind = "sleep"
)

// Effect tells whether a call may be repeated when its outcome is unknown.
type Effect uint8

const (
	Once Effect = iota
	Idempotent
	Read
)

// Call is one effect on its way out. Args must marshal to JSON; it is recorded.
type Call struct {
	Kind    Kind
	Op      string // "chat", "execute", "save" ...
	Target  string // "openai/gpt-4o", "calculator", "global"; used as a metric label only where bounded
	Args    any
	Effect  Effect
	Timeout time.Duration // 0 = none beyond the run's deadline

	// Local says that the work is done by script code or by further gated
	// calls (a Lua tool, an agent used as a tool). Such a call is not answered
	// from a record: under replay it runs again and its inner effects are.
	Local bool

	// Decode turns a recorded result back into the type the caller expects. Set by Do.
	Decode func(json.RawMessage) (any, error)
}

// Handler performs a call.
type Handler func(ctx context.Context, c *Call) (any, error)

// Interceptor wraps a handler. It calls next at most once.
type Interceptor func(ctx context.Context, c *Call, next Handler) (any, error)

// Gate is an ordered chain of interceptors, outermost first. Immutable.
type Gate struct{ chain []Interceptor }

// New returns a gate with the given chain.
func New(chain ...Interceptor) *Gate { return &Gate{chain: chain} }

// Do passes one effect through the gate of ctx's run and returns fn's result,
// or what an interceptor put in its place. Without a run in ctx fn runs bare.
// A panic of fn or of an interceptor becomes a fault with code internal.
func Do[T any](ctx context.Context, c Call, fn func(context.Context) (T, error)) (T, error) {
	c.Decode = func(raw json.RawMessage) (any, error) { return Decode[T](raw) }
	base := func(ctx context.Context, _ *Call) (any, error) { return fn(ctx) }

	var chain []Interceptor
	if run := Of(ctx); run != nil && run.Gate != nil {
		chain = run.Gate.chain
	}
	v, err := safely(ctx, &c, func(ctx context.Context, c *Call) (any, error) { return pass(ctx, c, chain, base) })
	result, ok := v.(T)
	if !ok && v != nil && err == nil {
		err = fault.Errorf(fault.Internal, "%s %s: an interceptor returned %T in place of %T", c.Kind, c.Op, v, result)
	}
	return result, err
}

// pass runs the rest of a chain and, at its end, the work itself.
func pass(ctx context.Context, c *Call, chain []Interceptor, base Handler) (any, error) {
	if len(chain) == 0 {
		return base(ctx, c)
	}
	return chain[0](ctx, c, func(ctx context.Context, c *Call) (any, error) {
		return pass(ctx, c, chain[1:], base)
	})
}

// safely turns a panic of next into an error that carries no data of the call.
func safely(ctx context.Context, c *Call, next Handler) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			if run := Of(ctx); run != nil && run.Logger != nil {
				run.Logger.Error("effect panicked", "kind", string(c.Kind), "op", c.Op,
					"panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			}
			v, err = nil, fault.Errorf(fault.Internal, "%s %s failed unexpectedly", c.Kind, c.Op)
		}
	}()
	return next(ctx, c)
}
