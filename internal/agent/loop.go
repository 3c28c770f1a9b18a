package agent

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/provider"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/llm"
	"github.com/llmspell/llmspell/tool"
)

// maxRepairs is how often a reply that misses the schema is sent back.
const maxRepairs = 2

// frame is one execution on the stack of agents that call agents.
type frame struct {
	parent *frame
	depth  int
	id     int64

	mu    sync.Mutex
	usage Usage
}

type frameKey struct{}

func frameOf(ctx context.Context) *frame {
	f, _ := ctx.Value(frameKey{}).(*frame)
	return f
}

// add books usage on this execution and on those it runs inside.
func (f *frame) add(u Usage) {
	for ; f != nil; f = f.parent {
		f.mu.Lock()
		f.usage = f.usage.Add(u)
		f.mu.Unlock()
	}
}

func (f *frame) total() Usage {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.usage
}

// Execute asks the agent and runs its tools until it answers. on, which may be
// nil, gets the events as they come. With an error the output holds what came
// before it. Errors: fault.InvalidArgument, fault.InvalidState, fault.Timeout,
// fault.CallbackDepth beyond MaxRecursionDepth, fault.MalformedResponse,
// fault.BudgetExceeded with Strict, those of providers.
func (a *Agent) Execute(ctx context.Context, in Input, on Listener) (Output, error) {
	spec, err := a.forCall(ctx, in)
	if err != nil {
		return Output{}, err
	}
	parent := frameOf(ctx)
	f := &frame{parent: parent, depth: 1, id: a.id}
	if parent != nil {
		f.depth = parent.depth + 1
	}
	if f.depth > spec.MaxRecursionDepth {
		return Output{}, fault.Errorf(fault.CallbackDepth, "agent %q: agents call agents %d deep (max_recursion_depth %d)", a.name, f.depth, spec.MaxRecursionDepth)
	}
	if err := a.begin(ctx); err != nil {
		return Output{}, err
	}
	a.emitStarted(ctx, f)
	start := now(ctx) // the run's clock: a replay must show the same durations
	limit := spec.MaxExecutionTime
	if in.Timeout > 0 {
		limit = min(limit, in.Timeout)
	}
	inner := toolbox.WithCaller(context.WithValue(ctx, frameKey{}, f), toolbox.Caller{Agent: a.name})
	inner, cancel := context.WithTimeout(inner, limit)
	defer cancel()

	x := &execution{agent: a, spec: spec, in: in, frame: f, on: on}
	var out Output
	if a.routing != nil {
		out, err = x.route(inner)
	} else {
		out, err = x.run(inner)
	}
	if err != nil && ctx.Err() == nil && errors.Is(inner.Err(), context.DeadlineExceeded) && !isScriptError(err, x) {
		err = fault.Errorf(fault.Timeout, "agent %q did not finish within %s", a.name, limit)
	}
	out.Usage, out.Duration, out.Agent = f.total(), now(ctx).Sub(start), a.name
	a.finish(ctx, out, err)
	a.emitFinished(ctx, f, out, err)
	return out, err
}

// isScriptError tells an error of the listener from those of the deadline.
func isScriptError(err error, x *execution) bool {
	return x.listenErr != nil && errors.Is(err, x.listenErr)
}

func (a *Agent) emitStarted(ctx context.Context, f *frame) {
	data := map[string]any{"name": a.name, "id": f.id}
	if f.parent != nil {
		data["parent_id"] = f.parent.id
	}
	emit(ctx, "agent.started", data)
}

func (a *Agent) emitFinished(ctx context.Context, f *frame, out Output, err error) {
	data := map[string]any{"name": a.name, "id": f.id, "outcome": out.Finish}
	if f.parent != nil {
		data["parent_id"] = f.parent.id
	}
	if err != nil {
		data["outcome"] = "error"
		data["error"] = map[string]any{"code": fault.CodeOf(err), "message": err.Error()}
	}
	emit(ctx, "agent.finished", data)
}

// forCall is the agent's definition with the call's own fields, checked.
func (a *Agent) forCall(ctx context.Context, in Input) (Spec, error) {
	s := a.spec
	if strings.TrimSpace(in.Text) == "" {
		return s, invalid("text must not be empty")
	}
	if in.Temperature != nil {
		s.Temperature = in.Temperature
	}
	if in.MaxTokens != 0 {
		s.MaxTokens = in.MaxTokens
	}
	if in.Stop != nil {
		s.Stop = in.Stop
	}
	if in.Seed != nil {
		s.Seed = in.Seed
	}
	if len(in.Schema) > 0 {
		s.Schema = in.Schema
	}
	if in.ToolChoice != "" {
		s.ToolChoice = in.ToolChoice
	}
	if in.AllowedTools != nil {
		s.AllowedTools = nil
		for _, spec := range a.engine.usable(ctx, in.AllowedTools, a.spec.AllowedTools) {
			s.AllowedTools = append(s.AllowedTools, spec.Name)
		}
	}
	if in.Timeout < 0 {
		return s, invalid("timeout_ms must be positive")
	}
	if err := s.validate(); err != nil {
		return s, err
	}
	return s, a.engine.checkTools(ctx, s.AllowedTools, s.ToolChoice)
}

// execution is one run of the loop.
type execution struct {
	agent *Agent
	spec  Spec
	in    Input
	frame *frame
	on    Listener

	tools     map[string]tool.Spec // allowed ones
	schema    *jsonschema.Resolved
	instruct  bool // schema goes into the instructions, not to the provider
	request   llm.Request
	turn      []llm.Message // what goes to the history
	out       Output
	events    int
	stopped   bool // the listener left
	listenErr error
	repeat    repetition
}

func (x *execution) run(ctx context.Context) (Output, error) {
	var err error
	if x.schema, err = resolveSchema(x.spec.Schema); err != nil {
		return Output{}, err
	}
	x.prepare(ctx)
	repairs := 0
	for {
		reply, err := x.ask(ctx)
		if err != nil || x.stopped {
			return x.end(FinishCancelled), err
		}
		if len(reply.ToolCalls) > 0 {
			if reason := x.limit(len(reply.ToolCalls)); reason != "" {
				return x.atLimit(ctx, reason)
			}
			if err := x.callTools(ctx, reply); err != nil || x.stopped {
				return x.end(FinishCancelled), err
			}
			if x.repeat.stop {
				return x.atLimit(ctx, FinishRepeated)
			}
			continue
		}
		problem := x.takeData(reply.Text)
		if problem == "" {
			return x.answered(ctx, reply)
		}
		if repairs == maxRepairs {
			return x.end(""), fault.Errorf(fault.MalformedResponse, "agent %q: the reply does not match the schema after %d repairs: %s", x.agent.name, maxRepairs, problem)
		}
		repairs++
		x.request.Messages = append(x.request.Messages,
			llm.Message{Role: llm.Assistant, Content: reply.Text},
			llm.Message{Role: llm.User, Content: "Your reply does not match the schema: " + problem + "\nReply again with the corrected JSON only."})
	}
}

// prepare builds the first request.
func (x *execution) prepare(ctx context.Context) {
	s := x.spec
	x.tools = map[string]tool.Spec{}
	for _, spec := range x.agent.engine.usable(ctx, s.AllowedTools) {
		x.tools[spec.Name] = spec
		x.request.Tools = append(x.request.Tools, spec.LLM())
	}
	user := llm.Message{Role: llm.User, Content: x.question()}
	x.turn = []llm.Message{user}
	x.request.System = x.system()
	x.request.Messages = append(x.agent.conversation(), user)
	x.request.ToolChoice = s.ToolChoice
	if _, ok := x.tools[s.ToolChoice]; !ok {
		x.request.ToolChoice = dashes(s.ToolChoice)
	}
	x.request.MaxTokens, x.request.Temperature, x.request.TopP = s.MaxTokens, s.Temperature, s.TopP
	x.request.Stop, x.request.Seed, x.request.Schema = s.Stop, s.Seed, s.Schema
	x.request.Options = s.Options
}

func (x *execution) question() string {
	text := x.in.Text
	if x.in.Instruction != "" {
		text = x.in.Instruction + "\n\n" + text
	}
	if len(x.in.Parameters) > 0 {
		text += "\n\nParameters: " + compactJSON(x.in.Parameters)
	}
	return text
}

func (x *execution) system() string {
	system := x.spec.SystemPrompt
	add := func(text string) {
		if system != "" {
			system += "\n\n"
		}
		system += text
	}
	if x.instruct {
		add("Reply only with JSON that matches this JSON Schema:\n" + string(x.spec.Schema))
	}
	if len(x.in.Context) > 0 {
		add("Context: " + compactJSON(x.in.Context))
	}
	return system
}

func compactJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// ask makes one model call: the agent's model, then the fallbacks.
func (x *execution) ask(ctx context.Context) (llm.Response, error) {
	x.out.Iterations++
	for i, target := range x.agent.targets {
		sent := false
		reply, err := x.call(ctx, target, &sent)
		if err == nil || x.listenErr != nil || sent || ctx.Err() != nil {
			return reply, err
		}
		if fault.CodeOf(err) == fault.InvalidArgument && len(x.request.Schema) > 0 {
			// A server without structured output: ask in words instead.
			x.instruct, x.request.Schema = true, nil
			x.request.System = x.system()
			if reply, err = x.call(ctx, target, &sent); err == nil || sent {
				return reply, err
			}
		}
		if f, ok := errors.AsType[*fault.Error](err); !ok || !f.Retryable || i == len(x.agent.targets)-1 {
			return reply, err
		}
	}
	return llm.Response{}, fault.Errorf(fault.Internal, "agent %q has no model", x.agent.name)
}

// call asks one model; sent tells whether output reached the listener.
func (x *execution) call(ctx context.Context, target provider.Target, sent *bool) (llm.Response, error) {
	outcome, err := x.agent.engine.models.Stream(ctx, provider.Call{
		Target: target, Request: x.request, Retries: x.spec.Retries,
	}, func(c llm.Chunk) bool {
		if c.Kind != llm.ChunkText {
			return true // tool calls are announced when they are run
		}
		*sent = true
		return x.emit(Event{Type: EventText, Text: c.Text})
	})
	reply := outcome.Response
	x.out.Attempts += outcome.Attempts
	x.out.Provider, x.out.Model, x.out.RequestID = target.Provider, target.Model, reply.RequestID
	if err == nil || reply.Text != "" {
		x.frame.add(Usage{Usage: reply.Usage, LLMCalls: 1})
	}
	if reply.Text != "" {
		x.out.Text = reply.Text
	}
	if x.listenErr != nil {
		return reply, x.listenErr
	}
	if err == nil && len(reply.ToolCalls) == 0 {
		x.out.Text = reply.Text
	}
	return reply, err
}

// emit hands an event to the listener; false = stop.
func (x *execution) emit(e Event) bool {
	if x.stopped || x.listenErr != nil {
		return false
	}
	x.events++
	e.Index = x.events
	if x.on == nil {
		return true
	}
	more, err := x.on(e)
	x.listenErr = err
	x.stopped = !more && err == nil
	return more && err == nil
}

// limit names the limit that a reply with n more tool calls passes, "" if none.
func (x *execution) limit(n int) string {
	if x.out.Iterations >= x.spec.MaxIterations || len(x.out.ToolCalls)+n > x.spec.MaxToolCalls {
		return FinishToolLimit
	}
	return ""
}

// atLimit ends the loop with the last text.
func (x *execution) atLimit(ctx context.Context, reason string) (Output, error) {
	x.out.Truncated = true
	out := x.end(reason)
	if x.spec.Strict {
		return out, fault.Errorf(fault.BudgetExceeded, "agent %q stopped at its limits (%s): %d model calls, %d tool calls", x.agent.name, reason, out.Iterations, len(out.ToolCalls)).
			WithDetail("max_iterations", int64(x.spec.MaxIterations)).WithDetail("max_tool_calls", int64(x.spec.MaxToolCalls))
	}
	if out.Text != "" {
		x.turn = append(x.turn, llm.Message{Role: llm.Assistant, Content: out.Text})
	}
	x.agent.remember(ctx, x.turn)
	return x.done(out)
}

func (x *execution) answered(ctx context.Context, reply llm.Response) (Output, error) {
	x.turn = append(x.turn, llm.Message{Role: llm.Assistant, Content: reply.Text})
	x.agent.remember(ctx, x.turn)
	out := x.end(finishOf(reply.Finish))
	out.Truncated = reply.Finish == llm.FinishLength
	return x.done(out)
}

// done sends the last event; a listener's error there still fails the execution.
func (x *execution) done(out Output) (Output, error) {
	usage := x.frame.total()
	x.emit(Event{Type: EventDone, Usage: &usage})
	return out, x.listenErr
}

func (x *execution) end(finish string) Output {
	out := x.out
	out.Finish = finish
	return out
}

// takeData decodes a reply and checks it against the schema; it returns what is
// wrong with it.
func (x *execution) takeData(text string) string {
	data, ok := jsonData(text)
	if x.schema == nil {
		if ok {
			x.out.Data = data
		}
		return ""
	}
	if !ok {
		// A schema may ask for a bare number or string.
		if data, ok = decodeJSON(strings.TrimSpace(text)); !ok {
			return "it is not JSON"
		}
	}
	var plain any
	if block, fenced := onlyFence(text); fenced {
		text = block
	}
	if err := json.Unmarshal([]byte(text), &plain); err != nil {
		return "it is not JSON"
	}
	if err := x.schema.Validate(plain); err != nil {
		return err.Error()
	}
	x.out.Data = data
	return ""
}

// repetition watches for the same call again and again.
type repetition struct {
	last  string
	count int
	stop  bool
}

// seen books a call; true = it is the third in a row or a later one.
func (r *repetition) seen(c llm.ToolCall) bool {
	key := c.Name + " " + canonical(c.Arguments)
	if key != r.last {
		r.last, r.count = key, 0
	}
	r.count++
	// The third is answered by an error; if that does not help the loop ends.
	r.stop = r.stop || r.count > 3
	return r.count >= 3
}

func canonical(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, err := json.Marshal(v) // sorts the keys
	if err != nil {
		return string(raw)
	}
	return string(b)
}
