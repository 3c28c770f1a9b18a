package toolbox

import (
	"context"
	"errors"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/tool"
)

// scripted is a tool whose work is done by a script function
// handler(params, ctx).
type scripted struct {
	spec    tool.Spec
	handler *script.Function
}

// NewScripted returns a tool that calls handler. It owns handler.
func NewScripted(spec tool.Spec, handler *script.Function) tool.Tool {
	return &scripted{spec, handler}
}

func (s *scripted) Spec() tool.Spec { return s.spec }
func (s *scripted) Close()          { s.handler.Release() }

// Execute reads the handler's answer: a table with a boolean success is the
// result, nil and a message are a failure, anything else is the value.
func (s *scripted) Execute(ctx context.Context, params map[string]any) (tool.Result, error) {
	got, err := s.handler.Call(ctx, params, callInfo(ctx))
	if err != nil {
		return tool.Result{}, s.failed(err)
	}
	var v any
	if len(got) > 0 {
		v = got[0]
	}
	if v == nil && len(got) > 1 {
		msg, _ := got[1].(string)
		return tool.Result{}, fault.Errorf(fault.ToolFailed, "tool %s: %s", s.spec.Name, msg)
	}
	if m, ok := v.(map[string]any); ok {
		if success, ok := m["success"].(bool); ok {
			r := tool.Result{Success: success, Result: m["result"]}
			r.Operation, _ = m["operation"].(string)
			r.Message, _ = m["message"].(string)
			r.Text, _ = m["text"].(string)
			return r, nil
		}
	}
	return tool.Result{Success: true, Result: v}, nil
}

// failed gives an error that has no code of its own, as error("boom") raises,
// that of a failed tool. Limits, denials and codes the handler chose stay.
func (s *scripted) failed(err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Code != fault.ScriptFailed {
		return err
	}
	return &fault.Error{
		Code: fault.ToolFailed, Message: "tool " + s.spec.Name + ": " + e.Message,
		Hint: e.Hint, Details: e.Details, Retryable: e.Retryable, Cause: e,
	}
}

// Caller names on whose behalf a tool is called; empty fields: the script itself.
type Caller struct{ Agent, Workflow string }

type callerKey struct{}

// WithCaller returns ctx carrying the caller, which Lua tools see.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callInfo(ctx context.Context) map[string]any {
	info := map[string]any{}
	if run := gate.Of(ctx); run != nil {
		info["run_id"] = run.ID
	}
	c, _ := ctx.Value(callerKey{}).(Caller)
	if c.Agent != "" {
		info["agent"] = c.Agent
	}
	if c.Workflow != "" {
		info["workflow"] = c.Workflow
	}
	if deadline, ok := ctx.Deadline(); ok {
		info["deadline_ms"] = max(0, time.Until(deadline).Milliseconds())
	}
	return info
}
