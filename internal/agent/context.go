package agent

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"sync"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
)

// Inheritance is what a child context has of its parent.
type Inheritance string

// The ways of inheritance.
const (
	Inherit Inheritance = "inherit" // reads through, writes locally
	Copy    Inheritance = "copy"    // a snapshot
	Share   Inheritance = "share"   // reads and writes the parent
	Isolate Inheritance = "isolate" // nothing
)

const (
	// maxContexts bounds the contexts of one session.
	maxContexts = 10_000
	// maxContextBytes bounds the data of all of them, written as JSON.
	maxContextBytes = 64 << 20
)

// ContextParams describes a context.
type ContextParams struct {
	Parent      string // "" = none
	Inheritance Inheritance
	Data        map[string]any
	Labels      map[string]any // conversation_id and the like, told to the model beside the data
}

// Contexts are a session's named sets of data that agents are told about. Safe
// for concurrent use.
type Contexts struct {
	mu    sync.Mutex
	next  int
	bytes int // of what was ever written
	byID  map[string]*node
}

// node is one context. A removed parent stays readable for its children.
type node struct {
	parent *node // of Inherit and Share
	share  bool
	data   map[string]any
	labels map[string]any
}

type contextsKey struct{}

// ContextsOf returns the contexts of ctx's session.
func ContextsOf(ctx context.Context) *Contexts {
	run := gate.Of(ctx)
	if run == nil || run.Local == nil {
		return &Contexts{}
	}
	return gate.LocalValue(run.Local, contextsKey{}, func() (*Contexts, func()) { return &Contexts{}, nil })
}

// Create makes a context and returns its id. Errors: fault.NotFound for an
// unknown parent, fault.InvalidArgument, fault.HandleLimit.
func (c *Contexts) Create(p ContextParams) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &node{data: map[string]any{}, labels: p.Labels}
	if p.Parent != "" {
		parent, err := c.find(p.Parent)
		if err != nil {
			return "", err
		}
		switch p.Inheritance {
		case Inherit, "":
			n.parent = parent
		case Share:
			n.parent, n.share = parent, true
		case Copy:
			maps.Copy(n.data, parent.all())
		case Isolate:
		default:
			return "", invalid("inheritance must be inherit, copy, share or isolate, got %q", p.Inheritance)
		}
	}
	if len(c.byID) >= maxContexts {
		return "", fault.Errorf(fault.HandleLimit, "more than %d contexts in one session", maxContexts).WithHint("remove those no longer used")
	}
	maps.Copy(n.data, p.Data)
	if err := c.charge(n.data, n.labels); err != nil {
		return "", err
	}
	if c.byID == nil {
		c.byID = map[string]*node{}
	}
	c.next++
	id := "ctx_" + strconv.Itoa(c.next)
	c.byID[id] = n
	return id, nil
}

// charge books values against the session's limit. What is overwritten or
// removed stays booked: a script that writes that much uses State.
func (c *Contexts) charge(values ...any) error {
	raw, err := json.Marshal(values)
	if err != nil {
		return invalid("context data cannot be written as JSON: %w", err)
	}
	if c.bytes+len(raw) > maxContextBytes {
		return fault.Errorf(fault.QuotaExceeded, "contexts of one session take at most %d bytes", maxContextBytes)
	}
	c.bytes += len(raw)
	return nil
}

func (c *Contexts) find(id string) (*node, error) {
	n, ok := c.byID[id]
	if !ok {
		return nil, fault.Errorf(fault.NotFound, "there is no context %q in this session", id)
	}
	return n, nil
}

// Set writes one value; nil removes the key.
func (c *Contexts) Set(id, key string, value any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(id)
	if err != nil {
		return err
	}
	if err := c.charge(key, value); err != nil {
		return err
	}
	for n.share {
		n = n.parent
	}
	// A removed key hides the parent's value, so nil is stored where there is one.
	if value == nil && n.parent == nil {
		delete(n.data, key)
		return nil
	}
	n.data[key] = value
	return nil
}

// Data returns all that a context shows.
func (c *Contexts) Data(id string) (map[string]any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(id)
	if err != nil {
		return nil, err
	}
	return n.all(), nil
}

// Told returns what an agent is told of a context: its data and labels.
func (c *Contexts) Told(id string) (map[string]any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.find(id)
	if err != nil {
		return nil, err
	}
	out := n.all()
	for k, v := range n.labels {
		if _, ok := out[k]; !ok {
			out[k] = v
		}
	}
	return out, nil
}

// Remove forgets a context; false if there was none.
func (c *Contexts) Remove(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.byID[id]
	delete(c.byID, id)
	return ok
}

func (n *node) all() map[string]any {
	out := map[string]any{}
	if n.parent != nil {
		out = n.parent.all()
	}
	for k, v := range n.data {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}
