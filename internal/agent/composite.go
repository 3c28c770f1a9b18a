package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Strategy is how a composite agent uses its members.
type Strategy string

// The strategies of composite agents.
const (
	Sequential Strategy = "sequential" // the text of each is the input of the next
	Parallel   Strategy = "parallel"   // all at once, replies joined
	Vote       Strategy = "vote"       // all at once, the most frequent reply
	Fallback   Strategy = "fallback"   // in order until one succeeds
	Custom     Strategy = "custom"     // Choose names the members
)

// noConsensus is the code of a vote that nobody won.
const noConsensus fault.Code = "no_consensus"

// Routing configures a composite agent.
type Routing struct {
	Strategy  Strategy
	Threshold float64       // share of replies a vote needs to pass; 0.5
	Fallback  *Agent        // asked when a vote fails; may be nil
	Timeout   time.Duration // of one execution; 0 = 300 s
	// Choose names the members for an input, for Custom. One runs alone, several
	// as with Parallel.
	Choose func(ctx context.Context, input string, names []string) ([]string, error)
}

type composite struct {
	Routing
	members []*Agent
}

// CreateComposite makes an agent of agents under name. Errors:
// fault.InvalidArgument, fault.AlreadyExists.
func (e *Engine) CreateComposite(ctx context.Context, name string, members []*Agent, r Routing) (*Agent, error) {
	if len(members) == 0 {
		return nil, invalid("agents must name at least one agent")
	}
	switch r.Strategy {
	case Sequential, Parallel, Vote, Fallback:
	case Custom:
		if r.Choose == nil {
			return nil, invalid("routing: a function is required")
		}
	default:
		return nil, invalid("routing: strategy must be sequential, parallel, vote or fallback, got %q", r.Strategy)
	}
	if r.Threshold == 0 {
		r.Threshold = 0.5
	}
	if r.Threshold < 0 || r.Threshold >= 1 {
		return nil, invalid("routing: threshold must be at least 0 and below 1, got %g", r.Threshold)
	}
	spec := Spec{Name: name, Type: TypeComposite, MaxExecutionTime: r.Timeout}.withDefaults()
	named := name != ""
	if !named {
		spec.Name = madeUpName(ctx)
	}
	a := e.newAgent(ctx, spec)
	a.routing = &composite{Routing: r, members: slices.Clone(members)}
	if named {
		if err := a.home.put(a, false); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Members returns the agents of a composite.
func (a *Agent) Members() []*Agent {
	if a.routing == nil {
		return nil
	}
	return slices.Clone(a.routing.members)
}

// Strategy returns how a composite uses its members, "" for other agents.
func (a *Agent) Strategy() Strategy {
	if a.routing == nil {
		return ""
	}
	return a.routing.Strategy
}

// route runs a composite. Its members' events are not handed on; the joined text
// is one event.
func (x *execution) route(ctx context.Context) (Output, error) {
	c := x.agent.routing
	var err error
	switch c.Strategy {
	case Sequential:
		err = x.sequential(ctx, c.members)
	case Parallel:
		err = x.parallel(ctx, c.members)
	case Vote:
		err = x.vote(ctx, c)
	case Fallback:
		err = x.fallback(ctx, c.members)
	case Custom:
		err = x.custom(ctx, c)
	}
	if err != nil {
		return x.end(""), err
	}
	if x.out.Text != "" && !x.emit(Event{Type: EventText, Text: x.out.Text}) {
		return x.end(FinishCancelled), x.listenErr
	}
	return x.done(x.end(FinishStop))
}

// member runs one member on text.
func (x *execution) member(ctx context.Context, a *Agent, text string) (Output, error) {
	in := x.in
	in.Text, in.Timeout = text, 0
	return a.Execute(ctx, in, nil)
}

func (x *execution) take(out Output) {
	x.out.ToolCalls = append(x.out.ToolCalls, out.ToolCalls...)
	x.out.Iterations += out.Iterations
	x.out.Attempts += out.Attempts
	x.out.Truncated = x.out.Truncated || out.Truncated
}

func (x *execution) sequential(ctx context.Context, members []*Agent) error {
	text := x.in.Text
	for _, a := range members {
		out, err := x.member(ctx, a, text)
		x.take(out)
		if err != nil {
			return err
		}
		text = out.Text
		x.out.Data = out.Data
	}
	x.out.Text = text
	return nil
}

// all runs the members at once and returns their outputs in order.
func (x *execution) all(ctx context.Context, members []*Agent) ([]Output, error) {
	outs, errs := make([]Output, len(members)), make([]error, len(members))
	var group sync.WaitGroup
	for i, a := range members {
		group.Go(func() { outs[i], errs[i] = x.member(ctx, a, x.in.Text) })
	}
	group.Wait()
	for i, out := range outs {
		x.take(out)
		if errs[i] != nil {
			return nil, errs[i]
		}
	}
	return outs, nil
}

func (x *execution) parallel(ctx context.Context, members []*Agent) error {
	outs, err := x.all(ctx, members)
	if err != nil {
		return err
	}
	texts := make([]string, len(outs))
	data := map[string]any{}
	for i, out := range outs {
		texts[i] = out.Text
		data[members[i].name] = out.Text
	}
	x.out.Text, x.out.Data = strings.Join(texts, "\n\n"), data
	return nil
}

func (x *execution) vote(ctx context.Context, c *composite) error {
	outs, err := x.all(ctx, c.members)
	if err != nil {
		return err
	}
	votes := map[string]int{}
	best := -1
	for i, out := range outs {
		key := ballot(out.Text)
		votes[key]++
		if best < 0 || votes[key] > votes[ballot(outs[best].Text)] {
			best = i
		}
	}
	winner := ballot(outs[best].Text)
	if float64(votes[winner])/float64(len(outs)) > c.Threshold {
		// The first reply that said it keeps its own spelling.
		for _, out := range outs {
			if ballot(out.Text) == winner {
				x.out.Text, x.out.Data = out.Text, out.Data
				return nil
			}
		}
	}
	if c.Fallback == nil {
		return fault.Errorf(noConsensus, "agent %q: no reply has a share above %g of %d votes", x.agent.name, c.Threshold, len(outs)).
			WithHint("lower threshold or set fallback_agent")
	}
	out, err := x.member(ctx, c.Fallback, x.in.Text)
	x.take(out)
	x.out.Text, x.out.Data = out.Text, out.Data
	return err
}

func ballot(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

func (x *execution) fallback(ctx context.Context, members []*Agent) error {
	var last error
	for _, a := range members {
		out, err := x.member(ctx, a, x.in.Text)
		x.take(out)
		if err == nil {
			x.out.Text, x.out.Data = out.Text, out.Data
			return nil
		}
		if ctx.Err() != nil || endsRun(fault.CodeOf(err)) {
			return err
		}
		last = err
	}
	return last
}

func (x *execution) custom(ctx context.Context, c *composite) error {
	names := make([]string, len(c.members))
	for i, a := range c.members {
		names[i] = a.name
	}
	chosen, err := c.Choose(ctx, x.in.Text, names)
	if err != nil {
		return err
	}
	members := make([]*Agent, 0, len(chosen))
	for _, name := range chosen {
		i := slices.Index(names, name)
		if i < 0 {
			return invalid("routing: the function chose %q, which is none of %s", name, strings.Join(names, ", "))
		}
		members = append(members, c.members[i])
	}
	switch len(members) {
	case 0:
		return invalid("routing: the function chose no agent")
	case 1:
		return x.sequential(ctx, members)
	}
	return x.parallel(ctx, members)
}
