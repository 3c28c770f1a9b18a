package luamod

import (
	"context"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/script"
)

// Run is the global Run: the execution in progress.
func Run() bind.Module {
	zero, day := 0.0, float64(24*time.Hour/time.Millisecond)
	number := []script.Return{{Type: script.TypeNumber, Optional: true}}
	return bind.Module{Module: script.Module{
		Name: "Run",
		Doc:  "The execution in progress. Fields: id, session_id (nil without a session), tenant, script, started_at.",
		Lookup: func(ctx context.Context, key string) any {
			run := gate.Of(ctx)
			if run == nil {
				return nil
			}
			return runField(run, key)
		},
		Funcs: []script.Func{{
			Name: "now", Doc: "The time of the run's clock in Unix seconds.", Returns: number,
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				return []any{float64(clockOf(ctx).UnixMilli()) / 1000}, nil
			},
		}, {
			Name: "deadline", Doc: "The time at which the execution ends; nil without a limit.",
			Returns: []script.Return{{Type: script.TypeString, Optional: true, Name: "timestamp"}},
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				if t, ok := ctx.Deadline(); ok {
					return []any{t}, nil
				}
				return []any{nil}, nil
			},
		}, {
			Name: "remaining_ms", Doc: "Milliseconds until the deadline; nil without a limit.", Returns: number,
			Call: remaining,
		}, {
			Name: "sleep", Doc: "Waits. The script is suspended; an interrupt ends it.", Blocking: true,
			Params: []script.Param{{Name: "ms", Type: script.TypeNumber, Required: true, Min: &zero, Max: &day}},
			Call:   sleep,
		}, {
			Name: "fail", Doc: "Raises an error value with a code of its own.",
			Params: []script.Param{
				{Name: "code", Type: script.TypeString, Required: true},
				{Name: "message", Type: script.TypeString, Required: true},
				{Name: "details", Type: script.TypeTable},
			},
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				return nil, &fault.Error{Code: fault.Code(a.String(0)), Message: a.String(1), Details: a.Map(2)}
			},
		}},
	}}
}

func runField(run *gate.Run, key string) any {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	switch key {
	case "id":
		return text(run.ID)
	case "session_id":
		return text(run.SessionID)
	case "tenant":
		return text(run.Tenant)
	case "script":
		return text(run.Script)
	case "started_at":
		return run.StartedAt
	}
	return nil
}

// clockOf reads the run's clock as the script sees it.
func clockOf(ctx context.Context) time.Time {
	if run := gate.Of(ctx); run != nil {
		return run.Clock()
	}
	return time.Now().Truncate(time.Millisecond)
}

// remaining passes the gate because it tells about the wall clock.
func remaining(ctx context.Context, _ script.Args) ([]any, error) {
	v, err := gate.Do(ctx, gate.Call{Kind: gate.Clock, Op: "remaining", Effect: gate.Read}, func(context.Context) (any, error) {
		if t, ok := ctx.Deadline(); ok {
			return max(0, time.Until(t).Milliseconds()), nil
		}
		return nil, nil
	})
	return []any{v}, err
}

func sleep(ctx context.Context, a script.Args) ([]any, error) {
	d := time.Duration(a.Float(0) * float64(time.Millisecond))
	_, err := gate.Do(ctx, gate.Call{Kind: gate.Sleep, Op: "sleep", Args: a.Float(0), Effect: gate.Read},
		func(ctx context.Context) (any, error) {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
	return nil, err
}
