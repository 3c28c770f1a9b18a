package gate

import (
	"context"
	"errors"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Timeout returns an interceptor that ends a call at its own Timeout, or at
// limit where it sets none (0 = none), with a fault of code timeout. The end of
// the run itself is passed on unchanged.
func Timeout(limit time.Duration) Interceptor {
	return func(ctx context.Context, c *Call, next Handler) (any, error) {
		d := c.Timeout
		if d <= 0 {
			d = limit
		}
		if d <= 0 {
			return next(ctx, c)
		}
		inner, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		v, err := next(inner, c)
		if err != nil && ctx.Err() == nil && errors.Is(inner.Err(), context.DeadlineExceeded) {
			e := fault.Errorf(fault.Timeout, "%s %s did not finish within %s: %w", c.Kind, subject(c), d, err)
			e.Retryable = c.Effect != Once
			return nil, e
		}
		return v, err
	}
}

// Policy returns an interceptor that asks check before the call leaves; its
// error, usually a fault of code policy_denied, takes the call's place.
func Policy(check func(context.Context, *Call) error) Interceptor {
	return func(ctx context.Context, c *Call, next Handler) (any, error) {
		if err := check(ctx, c); err != nil {
			return nil, err
		}
		return next(ctx, c)
	}
}

// Observe returns an interceptor that reports every finished call: for metrics
// and traces. observe must be quick and safe for concurrent use.
func Observe(observe func(ctx context.Context, c *Call, took time.Duration, err error)) Interceptor {
	return func(ctx context.Context, c *Call, next Handler) (v any, err error) {
		start := time.Now()
		err = errPanicked // what is reported if next panics
		defer func() { observe(ctx, c, time.Since(start), err) }()
		v, err = next(ctx, c)
		return v, err
	}
}

var errPanicked = errors.New("effect panicked")

// subject names a call for messages: its operation and, if any, its target.
func subject(c *Call) string {
	if c.Target == "" {
		return c.Op
	}
	return c.Op + " " + c.Target
}
