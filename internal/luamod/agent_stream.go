package luamod

import (
	"context"
	"iter"
	"sync"

	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

func (m *agentModule) askRows() []script.Func {
	output := []script.Return{{Type: script.TypeTable, Doc: "AgentOutput; tostring gives its text"}}
	opts := script.Param{Name: "opts", Type: script.TypeOptions, Fields: optionFields(), Doc: "Fields for this call."}
	fn := script.Param{Name: "fn", Type: script.TypeFunction, Doc: "Gets each chunk {type, index, text?, tool?, usage?}; returning false stops."}
	required := fn
	required.Required = true
	return []script.Func{
		withContextRow(),
		{
			Name: "execute", Doc: "Asks the agent and runs its tools until it answers.", Blocking: true,
			Params: []script.Param{inputParam()}, Returns: output,
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				out, err := ask(ctx, a, nil, nil)
				return one(agentOutput(out), err)
			},
		},
		{
			Name: "complete", Doc: "As execute, returning the text.", Blocking: true,
			Params: []script.Param{inputParam(), opts}, Returns: []script.Return{{Type: script.TypeString}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				out, err := ask(ctx, a, a.Map(1), nil)
				return one(out.Text, err)
			},
		},
		{
			Name: "stream", Doc: "As execute, handing out chunks as they come: to fn, or to a for loop.", Blocking: true,
			Params:  []script.Param{inputParam(), fn, opts},
			Returns: []script.Return{{Type: script.TypeAny, Doc: "AgentOutput with fn, else an iterator for `for chunk in`"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				fn := a.Func(1)
				if fn == nil {
					return iterate(ctx, a)
				}
				defer fn.Release()
				out, err := ask(ctx, a, a.Map(2), listener(ctx, fn))
				return one(agentOutput(out), err)
			},
		},
		{
			Name: "invokeStream", Aliases: []string{"invoke_stream"}, Doc: "As stream with fn, counting the chunks.", Blocking: true,
			Params:  []script.Param{inputParam(), required},
			Returns: []script.Return{{Type: script.TypeTable, Doc: "{success, chunks_received, output}"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				defer a.Func(1).Release()
				chunks := int64(0)
				inner := listener(ctx, a.Func(1))
				out, err := ask(ctx, a, nil, func(e agent.Event) (bool, error) {
					chunks++
					return inner(e)
				})
				if err != nil {
					return nil, err
				}
				return []any{map[string]any{"success": true, "chunks_received": chunks, "output": agentOutput(out)}}, nil
			},
		},
	}
}

// ask executes the agent of a method call on its first argument.
func ask(ctx context.Context, a script.Args, options fieldSet, on agent.Listener) (agent.Output, error) {
	in, err := agentInput(a.At(0), options)
	if err != nil {
		return agent.Output{}, err
	}
	return self(a).Execute(ctx, in, on)
}

// listener hands events to a script function. ctx is that of the host call, so
// that effects of the function are the script's own and not part of the model call.
func listener(ctx context.Context, fn *script.Function) agent.Listener {
	return func(e agent.Event) (bool, error) {
		got, err := fn.Call(ctx, chunkTable(e))
		if err != nil {
			return false, err
		}
		return len(got) == 0 || got[0] != false, nil
	}
}

// pulled is one step of an iterated stream.
type pulled struct {
	event agent.Event
	err   error
}

// iterate starts an execution that goes on only while the script asks for its
// next chunk. Leaving the loop ends it, as fn does by returning false. One that
// is read otherwise and not to its end is cancelled with the execution, or by
// the agent's time limit.
func iterate(ctx context.Context, a script.Args) ([]any, error) {
	in, err := agentInput(a.At(0), a.Map(2))
	if err != nil {
		return nil, err
	}
	agentOf := self(a)
	// The execution outlives this host call and belongs to the later ones.
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	next, stop := iter.Pull(func(yield func(pulled) bool) {
		_, err := agentOf.Execute(inner, in, func(e agent.Event) (bool, error) { return yield(pulled{event: e}), nil })
		if err != nil {
			yield(pulled{err: err})
		}
	})
	s := &pullStream{next: next, stop: stop, cancel: cancel, home: streamsOf(ctx)}
	s.home.add(s)
	s.ended = context.AfterFunc(ctx, s.close)
	step := lua.NewFunction("Agent.stream.next", func(c *lua.Call) lua.Status {
		return bind.Block(c, "Agent:stream", s.pull)
	}).Value()
	return []any{step, nil, nil, bind.Closing{Name: "Agent:stream", Close: s.leave}}, nil
}

// pullStream is an execution read chunk by chunk.
type pullStream struct {
	mu     sync.Mutex
	next   func() (pulled, bool)
	stop   func()
	cancel context.CancelFunc
	ended  func() bool // takes back that the end of the execution closes it
	home   *openStreams
}

func (s *pullStream) pull(ctx context.Context) ([]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	release := context.AfterFunc(ctx, s.cancel)
	defer release()
	p, ok := s.next()
	switch {
	case !ok:
		s.ended()
		s.cancel()
		s.home.remove(s)
		return []any{nil}, nil
	case p.err != nil:
		return nil, p.err
	}
	return []any{chunkTable(p.event)}, nil
}

// leave ends the execution with what it has said so far. After its end it does
// nothing.
func (s *pullStream) leave(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	release := context.AfterFunc(ctx, s.cancel)
	defer release()
	s.ended()
	s.stop()
	s.cancel()
	s.home.remove(s)
	return nil
}

func (s *pullStream) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.home.remove(s)
}

// openStreams are the iterated streams of a session that were not read to their
// end.
type openStreams struct {
	mu   sync.Mutex
	open map[*pullStream]bool
}

type openStreamsKey struct{}

func streamsOf(ctx context.Context) *openStreams {
	fresh := func() (*openStreams, func()) {
		o := &openStreams{open: map[*pullStream]bool{}}
		return o, o.close
	}
	run := gate.Of(ctx)
	if run == nil || run.Local == nil {
		o, _ := fresh()
		return o
	}
	return gate.LocalValue(run.Local, openStreamsKey{}, fresh)
}

func (o *openStreams) add(s *pullStream) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[s] = true
}

func (o *openStreams) remove(s *pullStream) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, s)
}

func (o *openStreams) close() {
	o.mu.Lock()
	open := o.open
	o.open = map[*pullStream]bool{}
	o.mu.Unlock()
	for s := range open {
		s.close()
	}
}
