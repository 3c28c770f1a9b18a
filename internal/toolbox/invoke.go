package toolbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/canon"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/tool"
)

// Output is the answer of a call.
type Output struct {
	tool.Result
	Tool    string
	Elapsed time.Duration // ms resolution
}

// Invoke runs one call: it finds the tool, checks policy and parameters, and
// sends it through the gate. Errors are fault.ToolNotFound, PolicyDenied,
// InvalidArgument, Timeout, ToolFailed, or what the run's limits say; a verdict
// is an Output with Success false.
func (r *Registry) Invoke(ctx context.Context, name string, params map[string]any) (Output, error) {
	e, ok := r.find(ctx, name)
	if !ok {
		return Output{}, r.missing(ctx, name)
	}
	policy := r.Policy()
	if err := policy.check(e.spec.Name, e.spec.Policy); err != nil {
		return Output{}, err
	}
	params, err := e.validator.Validate(params)
	if err != nil {
		return Output{}, err
	}
	finish := announce(ctx, e.spec.Name, params)
	call := gate.Call{
		Kind: gate.Tool, Op: "execute", Target: e.spec.Name, Args: canon.Value{V: params},
		Effect: gate.Effect(e.spec.Effect), Timeout: e.spec.Timeout, Local: e.local,
	}
	if call.Timeout == 0 {
		call.Timeout = tool.DefaultTimeout
	}
	got, err := gate.Do(ctx, call, func(ctx context.Context) (Output, error) {
		return e.run(ctx, policy, params)
	})
	if err != nil {
		err = failed(e.spec.Name, err)
		finish(Output{}, err)
		return Output{}, err
	}
	finish(got, nil)
	return got, nil
}

func (r *Registry) missing(ctx context.Context, name string) error {
	full := Canonical(name)
	if behind, known := reserved[full]; known {
		if err := r.Policy().check(full, behind); err != nil {
			return err
		}
		return fault.Errorf(fault.ToolNotFound, "tool %s is not available in this version", full)
	}
	err := fault.Errorf(fault.ToolNotFound, "no tool %q", name)
	var names []string
	for _, e := range r.all(ctx) {
		names = append(names, e.spec.Name)
	}
	if near := fault.Nearest(full, names); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	return err.WithHint("Tool.list() names the tools")
}

// run executes the tool itself and completes its result.
func (e *entry) run(ctx context.Context, policy Policy, params map[string]any) (out Output, err error) {
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			if run := gate.Of(ctx); run != nil && run.Logger != nil {
				run.Logger.Error("tool panicked", "tool", e.spec.Name, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			err = fault.Errorf(fault.ToolFailed, "tool %s failed unexpectedly", e.spec.Name)
		}
	}()
	res, err := e.Execute(tool.WithEnv(ctx, env(ctx, policy)), params)
	if err != nil {
		return Output{}, err
	}
	if res.Text == "" {
		res.Text = text(res)
	}
	return Output{Result: res, Tool: e.spec.Name, Elapsed: time.Since(start).Truncate(time.Millisecond)}, nil
}

// env is what the run of ctx lends to a tool. Inside a recorded call randomness
// is drawn directly: the record holds the result.
func env(ctx context.Context, policy Policy) *tool.Env {
	e := &tool.Env{Now: time.Now, Rand: func(p []byte) { rand.Read(p) }, Files: policy.files()}
	run := gate.Of(ctx)
	if run == nil {
		return e
	}
	e.Run, e.Tenant = run.ID, run.Tenant
	if run.Now != nil {
		e.Now = run.Now
	}
	if run.Rand != nil && !gate.Covered(ctx) {
		e.Rand = run.Rand
	}
	return e
}

// failed gives an error of a tool a code. The end of the run is not its fault.
func failed(name string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.Errorf(fault.ToolFailed, "tool %s: %w", name, err)
}

// announce counts the call and tells the run's listeners of its start; the
// function it returns tells them of its end.
func announce(ctx context.Context, name string, params map[string]any) (finish func(Output, error)) {
	run := gate.Of(ctx)
	if run == nil {
		return func(Output, error) {}
	}
	id := "tool_" + strconv.FormatInt(run.Usage.ToolCalls.Add(1), 10)
	if run.Emit == nil {
		return func(Output, error) {}
	}
	run.Emit("tool.started", map[string]any{"call_id": id, "name": name, "arguments": brief(params, 0)})
	start := time.Now()
	return func(out Output, err error) {
		data := map[string]any{"call_id": id, "name": name, "duration_ms": time.Since(start).Milliseconds()}
		if err != nil {
			data["success"], data["error"] = false, map[string]any{"code": string(fault.CodeOf(err)), "message": cut(err.Error())}
		} else {
			data["success"], data["result"] = out.Success, cut(out.Text)
		}
		run.Emit("tool.finished", data)
	}
}

// Table returns the output as scripts see it: the result's object lies flat,
// the original under metadata.response.
func (o Output) Table() map[string]any {
	response := map[string]any{"success": o.Success}
	for key, v := range map[string]any{"operation": o.Operation, "message": o.Message} {
		if v != "" {
			response[key] = v
		}
	}
	if o.Result.Result != nil {
		response["result"] = o.Result.Result
	}
	table := map[string]any{"text": o.Text, "metadata": map[string]any{
		"tool": o.Tool, "execution_time_ms": o.Elapsed.Milliseconds(), "response": response,
	}}
	for k, v := range response {
		table[k] = v
	}
	return table
}

// MarshalJSON and UnmarshalJSON keep the script types of the result, for the
// journal.
func (o Output) MarshalJSON() ([]byte, error) {
	return canon.Encode(map[string]any{
		"tool": o.Tool, "elapsed_ms": o.Elapsed.Milliseconds(), "success": o.Success, "operation": o.Operation,
		"message": o.Message, "result": o.Result.Result, "primary": o.Primary, "text": o.Text,
	})
}

func (o *Output) UnmarshalJSON(raw []byte) error {
	v, err := canon.Decode(raw)
	if err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return fault.Errorf(fault.ParseError, "not a tool output")
	}
	o.Tool, _ = m["tool"].(string)
	ms, _ := m["elapsed_ms"].(int64)
	o.Elapsed = time.Duration(ms) * time.Millisecond
	o.Success, _ = m["success"].(bool)
	o.Operation, _ = m["operation"].(string)
	o.Message, _ = m["message"].(string)
	o.Primary, _ = m["primary"].(string)
	o.Text, _ = m["text"].(string)
	o.Result.Result = m["result"]
	return nil
}

var (
	_ json.Marshaler   = Output{}
	_ json.Unmarshaler = (*Output)(nil)
)
