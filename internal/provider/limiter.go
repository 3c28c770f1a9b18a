package provider

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/llmspell/llmspell/fault"
)

// limiter holds back the calls to one provider for all runs: so many at once,
// so many requests and tokens a minute, and none while the server asked to wait.
type limiter struct {
	slots    chan struct{} // nil = no limit
	requests *rate.Limiter // nil = no limit
	tokens   *rate.Limiter // nil = no limit

	mu           sync.Mutex
	blockedUntil time.Time
}

func newLimiter(e Entry) *limiter {
	l := &limiter{requests: perMinute(e.RequestsPerMinute), tokens: perMinute(e.TokensPerMinute)}
	if e.MaxConcurrent > 0 {
		l.slots = make(chan struct{}, e.MaxConcurrent)
	}
	return l
}

// acquire waits for leave to send a request of about that many tokens, and
// returns the function that gives the slot back.
func (l *limiter) acquire(ctx context.Context, tokens int) (release func(), err error) {
	release = func() {}
	if l.slots != nil {
		select {
		case l.slots <- struct{}{}:
			release = func() { <-l.slots }
		case <-ctx.Done():
			return nil, ended(ctx)
		}
	}
	if err := l.admit(ctx, tokens); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (l *limiter) admit(ctx context.Context, tokens int) error {
	if err := wait(ctx, l.blocked()); err != nil {
		return err
	}
	if l.requests != nil {
		if err := l.requests.Wait(ctx); err != nil {
			return limited(ctx, 0)
		}
	}
	if l.tokens != nil {
		// A request larger than the bucket waits for a full one.
		if err := l.tokens.WaitN(ctx, min(max(tokens, 1), l.tokens.Burst())); err != nil {
			return limited(ctx, 0)
		}
	}
	return nil
}

func (l *limiter) blocked() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Until(l.blockedUntil)
}

// block keeps every run from the provider for d.
func (l *limiter) block(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(d); until.After(l.blockedUntil) {
		l.blockedUntil = until
	}
}

// wait sleeps for d. It fails at once when ctx ends before that.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return limited(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// limited is the error of a call that the limiter would hold beyond its
// deadline; after is how long, 0 = unknown.
func limited(ctx context.Context, after time.Duration) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	f := fault.Errorf(fault.RateLimited, "the provider's rate limit leaves no time before the deadline")
	f.RetryAfterMS = after.Milliseconds()
	return f
}

// ended is the error of a call whose context is over.
func ended(ctx context.Context) error {
	code := fault.Interrupted
	if ctx.Err() == context.DeadlineExceeded {
		code = fault.Timeout
	}
	return fault.Errorf(code, "the model call ended: %w", ctx.Err())
}
