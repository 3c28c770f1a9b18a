package agent

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/tool"
)

// maxParallel is how many tools of one reply run at once.
const maxParallel = 4

// callTools runs the tool calls of a reply and appends the exchange. What a tool
// could not do is told to the model; what ends the run is returned.
func (x *execution) callTools(ctx context.Context, reply llm.Response) error {
	calls := fillIDs(reply.ToolCalls, x.out.Iterations)
	records := make([]ToolRecord, len(calls))
	for i, c := range calls {
		records[i] = ToolRecord{ID: c.ID, Name: c.Name, Arguments: arguments(c.Arguments)}
		if x.repeat.seen(c) {
			records[i].Err = fault.Errorf(fault.ToolFailed, "repeated call: %s was called with these arguments already; use its result", c.Name)
		}
		if !x.emit(Event{Type: EventToolCall, Tool: &records[i]}) {
			return x.listenErr
		}
	}
	if err := x.runAll(ctx, records); err != nil {
		return err
	}
	messages := []llm.Message{{Role: llm.Assistant, Content: reply.Text, ToolCalls: calls}}
	for i := range records {
		messages = append(messages, records[i].message())
	}
	x.out.ToolCalls = append(x.out.ToolCalls, records...)
	x.turn = append(x.turn, messages...)
	x.request.Messages = append(x.request.Messages, messages...)
	// "required" and named choices hold for the first reply; the model must be
	// able to answer afterwards.
	if x.request.ToolChoice != "none" {
		x.request.ToolChoice = "auto"
	}
	for i := range records {
		if !x.emit(Event{Type: EventToolResult, Tool: &records[i]}) {
			return x.listenErr
		}
	}
	return nil
}

// fillIDs gives calls without an id one, as some servers send none.
func fillIDs(calls []llm.ToolCall, iteration int) []llm.ToolCall {
	out := make([]llm.ToolCall, len(calls))
	for i, c := range calls {
		if c.ID == "" {
			c.ID = "call_" + strconv.Itoa(iteration) + "_" + strconv.Itoa(i+1)
		}
		out[i] = c
	}
	return out
}

// runAll runs the calls, at once where every tool allows that. The first error
// that ends the run is returned.
func (x *execution) runAll(ctx context.Context, records []ToolRecord) error {
	if !x.parallelSafe(records) {
		for i := range records {
			if err := x.runOne(ctx, &records[i]); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, len(records))
	slots := make(chan struct{}, maxParallel)
	var group sync.WaitGroup
	for i := range records {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = x.runOne(ctx, &records[i])
		})
	}
	group.Wait()
	for i := range records {
		if errs[i] != nil {
			return errs[i]
		}
		// The run's clock does not tell overlapping calls apart.
		records[i].Duration = 0
		if records[i].Result != nil {
			records[i].Duration = records[i].Result.Elapsed
		}
	}
	return nil
}

func (x *execution) parallelSafe(records []ToolRecord) bool {
	for _, r := range records {
		if spec, ok := x.allowed(r.Name); !ok || !spec.ParallelSafe {
			return false
		}
	}
	return len(records) > 1
}

// runOne runs one call unless it has failed already. It returns only errors that
// end the execution.
func (x *execution) runOne(ctx context.Context, r *ToolRecord) error {
	start := now(ctx)
	x.frame.add(Usage{ToolCalls: 1})
	if r.Err == nil {
		r.Result, r.Err = x.invoke(ctx, r)
	}
	r.Duration = now(ctx).Sub(start)
	if r.Err != nil && (ctx.Err() != nil || endsRun(fault.CodeOf(r.Err))) {
		return r.Err
	}
	return nil
}

func (x *execution) invoke(ctx context.Context, r *ToolRecord) (*toolbox.Output, error) {
	spec, ok := x.allowed(r.Name)
	if !ok {
		if _, exists := x.agent.engine.tools.Spec(ctx, r.Name); exists {
			return nil, fault.Errorf(fault.PolicyDenied, "tool %q is not allowed for this agent", r.Name)
		}
		return nil, fault.Errorf(fault.ToolNotFound, "there is no tool %q", r.Name)
	}
	params, ok := r.Arguments.(map[string]any)
	if !ok {
		return nil, fault.Errorf(fault.InvalidArgument, "the arguments of %s must be a JSON object", r.Name)
	}
	result, err := x.agent.engine.tools.Invoke(ctx, spec.Name, params)
	if err != nil {
		return nil, err
	}
	return &result, nil
}

// allowed finds an allowed tool by the name a model used.
func (x *execution) allowed(name string) (tool.Spec, bool) {
	if spec, ok := x.tools[name]; ok {
		return spec, true
	}
	spec, ok := x.tools[dashes(name)]
	return spec, ok
}

// endsRun tells errors of the run itself from those a model can be told.
func endsRun(code fault.Code) bool {
	switch code {
	case fault.BudgetExceeded, fault.QuotaExceeded, fault.Interrupted, fault.ExecutionTimeout, fault.InstructionLimit,
		fault.MemoryLimit, fault.Nondeterminism, fault.SessionClosed, fault.ShuttingDown, fault.StorageUnavailable:
		return true
	}
	return false
}

func arguments(raw json.RawMessage) any {
	v, ok := decodeJSON(string(raw))
	if !ok {
		return string(raw)
	}
	return v
}

// message tells the model what came of a call: the tool's main value, or an
// object that says what went wrong.
func (r *ToolRecord) message() llm.Message {
	m := llm.Message{Role: llm.ToolRole, ToolCallID: r.ID}
	switch {
	case r.Err != nil:
		m.IsError = true
		m.Content = compactJSON(map[string]any{"error": map[string]any{"code": fault.CodeOf(r.Err), "message": r.Err.Error()}})
	case !r.Result.Success:
		m.Content = compactJSON(r.Result.Table())
	case r.Result.Text != "":
		m.Content = r.Result.Text
	default:
		m.Content = compactJSON(r.Result.Result.Result)
	}
	return m
}

// Tools lists the tools the agent may use, by name.
func (a *Agent) Tools(ctx context.Context) []tool.Spec {
	return a.engine.usable(ctx, a.spec.AllowedTools)
}

// InvokeTool runs a tool in the agent's name. Errors: fault.PolicyDenied for one
// it may not use, fault.ToolNotFound, those of the tool.
func (a *Agent) InvokeTool(ctx context.Context, name string, params map[string]any) (toolbox.Output, error) {
	if err := a.Alive(); err != nil {
		return toolbox.Output{}, err
	}
	spec, ok := a.engine.tools.Spec(ctx, name)
	if !ok {
		return toolbox.Output{}, fault.Errorf(fault.ToolNotFound, "there is no tool %q", name).WithHint("Tool.list() names the tools")
	}
	if !allows(a.spec.AllowedTools, spec.Name) {
		return toolbox.Output{}, fault.Errorf(fault.PolicyDenied, "agent %q may not use tool %q", a.name, spec.Name).
			WithHint("add it to allowed_tools")
	}
	return a.engine.tools.Invoke(ctx, spec.Name, params)
}
