package gate

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Run is the gate's context of one execution. It travels in the context of
// every host call.
type Run struct {
	ID        string
	SessionID string // "" for an execution without a session
	Tenant    string
	Script    string // file or "execute"
	StartedAt time.Time
	Gate      *Gate
	Logger    *slog.Logger

	// Now is the run clock (1 ms resolution) and Rand fills p from the run's
	// random source; both are journalled by whoever builds the Run.
	Now  func() time.Time
	Rand func(p []byte)

	// ScriptNow is the clock as the script itself reads it (os.time, Run.now);
	// nil: Now. A recorded run's Now moves only at effects and at these reads, so
	// that host code may read it any number of times.
	ScriptNow func() time.Time

	// Emit publishes an event of the run ("output", "llm.delta", ...; kernel
	// contract 5.4). Never blocks. data marshals to a JSON object.
	Emit func(event string, data any)

	Usage Usage

	// Local holds per-session objects of the engines (agents, Lua tools,
	// loggers) under a key of a private type, see SessionValue.
	Local *Local
}

// Usage counts what a run consumed. All fields are atomic.
type Usage struct {
	PromptTokens, CompletionTokens, CachedTokens atomic.Int64
	LLMCalls, ToolCalls                          atomic.Int64
	CostNanoUSD                                  atomic.Int64 // nano-USD
	CostKnown                                    atomic.Bool  // false: no priced call was made
}

type runKey struct{}

// inRun is a run with the context that ends it.
type inRun struct {
	run  *Run
	root context.Context
}

// With returns ctx carrying r; the end of ctx is the end of the run.
func With(ctx context.Context, r *Run) context.Context {
	return context.WithValue(ctx, runKey{}, &inRun{r, ctx})
}

// Of returns the run of ctx, nil outside a run.
func Of(ctx context.Context) *Run {
	if in, ok := ctx.Value(runKey{}).(*inRun); ok {
		return in.run
	}
	return nil
}

// Ended reports whether the run of ctx was stopped from outside: by an
// interrupt or its deadline, not by a timeout of a caller inside it.
func Ended(ctx context.Context) bool {
	in, ok := ctx.Value(runKey{}).(*inRun)
	return ok && in.root.Err() != nil
}

// Clock returns the time as the script sees it.
func (r *Run) Clock() time.Time {
	switch {
	case r.ScriptNow != nil:
		return r.ScriptNow()
	case r.Now != nil:
		return r.Now()
	}
	return time.Now().Truncate(time.Millisecond)
}

type (
	pathKey    struct{}
	coveredKey struct{}
)

// WithPath returns ctx carrying the place of a host call in the run: fiber and
// ordinal of the call in it, "1.4".
func WithPath(ctx context.Context, path string) context.Context {
	return context.WithValue(ctx, pathKey{}, path)
}

// Path returns the place of the host call ctx belongs to, "" outside one.
func Path(ctx context.Context) string {
	p, _ := ctx.Value(pathKey{}).(string)
	return p
}

// WithCovered marks ctx as belonging to an effect whose result is recorded as a
// whole, so that effects inside it are not recorded again. on = false takes the
// mark off: a callback into the script leaves the effect it was called from.
func WithCovered(ctx context.Context, on bool) context.Context {
	if Covered(ctx) == on {
		return ctx
	}
	return context.WithValue(ctx, coveredKey{}, on)
}

// Covered reports whether ctx belongs to a recorded effect.
func Covered(ctx context.Context) bool {
	on, _ := ctx.Value(coveredKey{}).(bool)
	return on
}
