package provider

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/llm"
)

// maxElapsed bounds the time one call spends on attempts and waits.
const maxElapsed = 600 * time.Second

// Call is one request to a model.
type Call struct {
	Target  Target
	Request llm.Request // Model is taken from Target
	Retries *int        // nil = the provider's MaxRetries
}

// Outcome is what a call gave. With an error it holds what came before it.
type Outcome struct {
	Response llm.Response
	Attempts int
	Stopped  bool // the consumer left before the end
}

// exchange is the recorded result of a call: what the provider sent, so that a
// replay delivers the same chunks. A failure after output is part of it.
type exchange struct {
	Chunks   []llm.Chunk `json:"chunks"`
	Attempts int         `json:"attempts"`
	Stopped  bool        `json:"stopped,omitempty"`
	Failure  *failure    `json:"failure,omitempty"`
}

type failure struct {
	Code      fault.Code     `json:"code"`
	Message   string         `json:"message"`
	Hint      string         `json:"hint,omitempty"`
	Details   map[string]any `json:"details,omitempty"`
	Retryable bool           `json:"retryable,omitempty"`
}

// Chat sends a request and returns the whole reply.
func (m *Manager) Chat(ctx context.Context, c Call) (Outcome, error) { return m.Stream(ctx, c, nil) }

// Stream sends a request and hands each chunk to deliver as it comes; deliver
// returns false to leave, which is no error. The call passes the gate as one
// effect; retries happen inside it, and only before output was delivered.
func (m *Manager) Stream(ctx context.Context, c Call, deliver func(llm.Chunk) bool) (Outcome, error) {
	st := c.Target.state
	if st == nil {
		return Outcome{}, fault.Errorf(fault.Internal, "provider.Call: Target was not resolved")
	}
	c.Request = st.complete(c.Target.Model, c.Request)
	ev := events{run: gate.Of(ctx), target: c.Target}
	ev.started()
	start := time.Now()

	var out Outcome
	delivered := 0
	take := func(chunk llm.Chunk) bool {
		delivered++
		out.Response.Add(chunk)
		ev.delta(chunk)
		return deliver == nil || deliver(chunk)
	}
	var live error // keeps the cause of a failure, which is not recorded
	x, err := gate.Do(ctx, gate.Call{
		Kind: gate.LLM, Op: "chat", Target: c.Target.String(), Args: c.Request, Effect: gate.Idempotent,
	}, func(ctx context.Context) (exchange, error) {
		x, err := m.exchange(ctx, c, take)
		if err != nil && delivered > 0 {
			live = err
			x.Failure = failureOf(err)
			return x, nil
		}
		return x, err
	})
	// Chunks from a record were not delivered while the call ran.
	for delivered < len(x.Chunks) {
		if !take(x.Chunks[delivered]) {
			x.Stopped = true
			break
		}
	}
	out.Attempts, out.Stopped = x.Attempts, x.Stopped
	switch {
	case live != nil:
		err = live
	case err == nil && x.Failure != nil:
		err = x.Failure.err()
	}
	if err == nil {
		count(ctx, out.Response.Usage)
	}
	ev.finished(out.Response, err)
	m.observe(c.Target, out, time.Since(start), err)
	return out, err
}

// complete fills in what the configuration says about every request.
func (s *state) complete(model string, r llm.Request) llm.Request {
	r.Model = model
	if r.MaxTokens == 0 {
		r.MaxTokens = s.MaxTokens
	}
	if r.Temperature == nil {
		r.Temperature = s.Temperature
	}
	if len(s.Options) > 0 {
		options := maps.Clone(s.Options)
		maps.Copy(options, r.Options)
		r.Options = options
	}
	return r
}

// exchange makes the call, retrying until output was delivered.
func (m *Manager) exchange(ctx context.Context, c Call, take func(llm.Chunk) bool) (exchange, error) {
	st := c.Target.state
	x := exchange{Chunks: []llm.Chunk{}}
	retries := st.MaxRetries
	if c.Retries != nil {
		retries = *c.Retries
	}
	var err error
	x.Attempts, err = m.attempts(ctx, c.Target, retries, estimate(c.Request), func(ctx context.Context) (bool, error) {
		for chunk, err := range st.Provider.Stream(ctx, c.Request) {
			if err != nil {
				return len(x.Chunks) > 0, err
			}
			if chunk.Kind == llm.ChunkDone {
				chunk.Usage = st.priced(c.Target.Model, chunk.Usage)
			}
			x.Chunks = append(x.Chunks, chunk)
			if !take(chunk) {
				x.Stopped = true
				return true, nil
			}
		}
		return true, nil
	})
	if err == nil && !x.Stopped && (len(x.Chunks) == 0 || x.Chunks[len(x.Chunks)-1].Kind != llm.ChunkDone) {
		err = fault.Errorf(fault.MalformedResponse, "provider %q ended its reply without a last chunk", st.Name)
	}
	return x, err
}

// attempts calls fn until it succeeds, fails for good, or had output. It returns
// the number of attempts.
func (m *Manager) attempts(ctx context.Context, t Target, retries, tokens int, fn func(context.Context) (output bool, err error)) (int, error) {
	st := t.state
	start := time.Now()
	for n := 1; ; n++ {
		output, err := st.attempt(ctx, tokens, fn)
		if err == nil {
			return n, nil
		}
		f := withTarget(err, t)
		if ctx.Err() != nil || output || !f.Retryable || n > retries {
			return n, f.WithDetail("attempts", int64(n))
		}
		delay := st.Retry.delay(n)
		if after := time.Duration(f.RetryAfterMS) * time.Millisecond; after > 0 {
			st.block(after)
			delay = max(delay, after)
		}
		if time.Since(start)+delay > maxElapsed {
			return n, f.WithDetail("attempts", int64(n))
		}
		if m.params.Metrics != nil {
			m.params.Metrics.Retry(st.Name, f.Code)
		}
		if wait(ctx, delay) != nil {
			// What the provider said is worth more than that time ran out.
			if ctx.Err() != nil {
				return n, ended(ctx)
			}
			return n, f.WithDetail("attempts", int64(n))
		}
	}
}

func (s *state) attempt(ctx context.Context, tokens int, fn func(context.Context) (bool, error)) (output bool, err error) {
	release, err := s.acquire(ctx, tokens)
	if err != nil {
		return false, err
	}
	defer release()
	inner, cancel := ctx, context.CancelFunc(func() {})
	if s.Timeout > 0 {
		inner, cancel = context.WithTimeout(ctx, s.Timeout)
	}
	defer cancel()
	output, err = fn(inner)
	if err != nil && ctx.Err() == nil && inner.Err() != nil {
		f := fault.Errorf(fault.Timeout, "provider %q did not answer within %s", s.Name, s.Timeout).
			WithHint("raise [providers.%s] timeout_secs", s.Name)
		f.Retryable = true
		return output, f
	}
	return output, err
}

// delay is the wait before attempt n+1: full jitter below an exponential bound.
func (r Retry) delay(n int) time.Duration {
	bound := float64(r.InitialDelay) * math.Pow(r.Multiplier, float64(n-1))
	return time.Duration(rand.Float64() * min(bound, float64(r.MaxDelay)))
}

// estimate is about how many tokens a request takes, for the token limiter.
func estimate(r llm.Request) int {
	size := len(r.System) + len(r.Schema)
	for _, m := range r.Messages {
		size += len(m.Content)
		for _, c := range m.ToolCalls {
			size += len(c.Arguments)
		}
	}
	for _, t := range r.Tools {
		size += len(t.Description) + len(t.Parameters)
	}
	return size/4 + max(r.MaxTokens, 256)
}

// withTarget returns err as a fault that names provider and model.
func withTarget(err error, t Target) *fault.Error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		f = &fault.Error{Code: fault.ProviderFailed, Message: err.Error(), Cause: err}
	}
	named := *f // the provider may share its error between calls
	named.Details = maps.Clone(f.Details)
	named.WithDetail("provider", t.Provider)
	return named.WithDetail("model", t.Model)
}

func failureOf(err error) *failure {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		f = &fault.Error{Code: fault.CodeOf(err), Message: err.Error()}
	}
	return &failure{Code: f.Code, Message: f.Message, Hint: f.Hint, Details: f.Details, Retryable: f.Retryable}
}

func (f *failure) err() error {
	return &fault.Error{Code: f.Code, Message: f.Message, Hint: f.Hint, Details: f.Details, Retryable: f.Retryable}
}

// count adds a finished call to the run's usage.
func count(ctx context.Context, u llm.Usage) {
	run := gate.Of(ctx)
	if run == nil {
		return
	}
	run.Usage.LLMCalls.Add(1)
	run.Usage.PromptTokens.Add(u.PromptTokens)
	run.Usage.CompletionTokens.Add(u.CompletionTokens)
	run.Usage.CachedTokens.Add(u.CachedTokens)
	if u.CostUSD != nil {
		run.Usage.CostNanoUSD.Add(int64(math.Round(*u.CostUSD * 1e9)))
		run.Usage.CostKnown.Store(true)
	}
}

func (m *Manager) observe(t Target, out Outcome, took time.Duration, err error) {
	if m.params.Metrics == nil {
		return
	}
	outcome := "ok"
	switch {
	case err != nil:
		outcome = string(fault.CodeOf(err))
	case out.Stopped:
		outcome = "stopped"
	}
	m.params.Metrics.Call(t.Provider, t.state.label(t.Model), outcome, took, out.Response.Usage)
}

// events publishes a call's progress to the run.
type events struct {
	run    *gate.Run
	target Target
	id     string
}

type callCounter struct{}

func (e *events) on() bool { return e.run != nil && e.run.Emit != nil }

func (e *events) started() {
	if !e.on() {
		return
	}
	e.id = "llm"
	if e.run.Local != nil {
		// Numbered within the session, so that a replayed run has the same ids.
		n := gate.LocalValue(e.run.Local, callCounter{}, func() (*atomic.Int64, func()) { return new(atomic.Int64), nil })
		e.id = "llm-" + strconv.FormatInt(n.Add(1), 10)
	}
	e.run.Emit("llm.started", map[string]any{"call_id": e.id, "provider": e.target.Provider, "model": e.target.Model})
}

func (e *events) delta(c llm.Chunk) {
	if !e.on() {
		return
	}
	switch c.Kind {
	case llm.ChunkText:
		e.run.Emit("llm.delta", map[string]any{"call_id": e.id, "text": c.Text})
	case llm.ChunkToolCall:
		e.run.Emit("llm.delta", map[string]any{"call_id": e.id, "tool_call": c.ToolCall})
	}
}

func (e *events) finished(r llm.Response, err error) {
	if !e.on() {
		return
	}
	data := map[string]any{"call_id": e.id, "provider": e.target.Provider, "model": e.target.Model, "usage": r.Usage, "finish_reason": r.Finish}
	if err != nil {
		data["error"] = map[string]any{"code": fault.CodeOf(err), "message": err.Error()}
	}
	e.run.Emit("llm.finished", data)
}
