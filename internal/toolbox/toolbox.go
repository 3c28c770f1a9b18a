// Package toolbox is the tool registry of a kernel: it finds tools by name,
// checks parameters and policy, and runs calls through the effects gate.
//
//	reg, err := toolbox.New(data.NewCalculator(), text.NewManipulator())
//	reg.SetPolicy(toolbox.Policy{NetworkAccess: true})
//	out, err := reg.Invoke(ctx, "calculator", map[string]any{"input": "6*7"})
//	// out.Text == "42"
//
// Beside the tools of the kernel, which every session sees, a session has tools
// of its own (Tool.register); they live in the run's gate.Local.
package toolbox

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/tool"
)

// Registry holds the tools of a kernel. Safe for concurrent use.
type Registry struct {
	mu     sync.RWMutex
	tools  map[string]*entry
	policy atomic.Pointer[Policy]
}

type entry struct {
	tool.Tool
	spec      tool.Spec
	validator *tool.Validator
	local     bool // defined by the session's script
}

func newEntry(t tool.Tool, local bool) (*entry, error) {
	spec := t.Spec()
	if local {
		spec.Name = strings.ReplaceAll(spec.Name, "_", "-")
	}
	if err := checkName(spec.Name); err != nil {
		return nil, err
	}
	v, err := tool.NewValidator(spec)
	if err != nil {
		return nil, err
	}
	return &entry{t, spec, v, local}, nil
}

// New returns a registry of the given tools under a policy that denies
// everything. A name given twice or a bad schema is an error.
func New(tools ...tool.Tool) (*Registry, error) {
	r := &Registry{tools: map[string]*entry{}}
	r.policy.Store(&Policy{})
	for _, t := range tools {
		if err := r.Add(t); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Add gives all sessions a further tool. A name that is taken or a bad schema
// is an error; a session's own tool of that name is hidden from then on.
func (r *Registry) Add(t tool.Tool) error {
	e, err := newEntry(t, false)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tools[e.spec.Name] != nil {
		return fault.Errorf(fault.AlreadyExists, "tool %s is registered twice", e.spec.Name)
	}
	r.tools[e.spec.Name] = e
	return nil
}

// builtin returns a tool that all sessions see.
func (r *Registry) builtin(name string) (*entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.tools[name]
	return e, ok
}

// SetPolicy replaces the policy; calls under way keep the one they started with.
func (r *Registry) SetPolicy(p Policy) { r.policy.Store(&p) }

// Policy returns the policy in force.
func (r *Registry) Policy() Policy { return *r.policy.Load() }

var aliases = map[string]string{
	"http-request":    "http-requester",
	"web-search":      "web-searcher",
	"template-engine": "template-creator",
}

// Canonical returns the name that name stands for: '_' is '-', and aliases.
func Canonical(name string) string {
	name = strings.ReplaceAll(name, "_", "-")
	if full, ok := aliases[name]; ok {
		return full
	}
	return name
}

func checkName(name string) error {
	ok := len(name) > 0 && len(name) <= 64 && name == Canonical(name)
	for _, c := range []byte(name) {
		ok = ok && (c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	}
	if !ok {
		return fault.Errorf(fault.InvalidArgument, "tool name %q: use 1 to 64 letters, digits and '-'", name)
	}
	return nil
}

// find returns the tool that ctx's session knows under name.
func (r *Registry) find(ctx context.Context, name string) (*entry, bool) {
	name = Canonical(name)
	if e, ok := r.builtin(name); ok {
		return e, true
	}
	return sessionTools(ctx).get(name)
}

// Spec returns the description of a tool.
func (r *Registry) Spec(ctx context.Context, name string) (tool.Spec, bool) {
	e, ok := r.find(ctx, name)
	if !ok {
		return tool.Spec{}, false
	}
	return e.spec, true
}

// Info is one line of a listing.
type Info struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Version     string `json:"version"`
	Category    string `json:"category"`
	Enabled     bool   `json:"enabled"`
	Policy      string `json:"policy,omitempty"` // the gate that disables it
}

// Filter selects tools; zero fields select all.
type Filter struct {
	Category string
	Tag      string // part of name or description, or a whole tag
	Enabled  *bool
}

// List returns the tools that ctx's session sees, by name.
func (r *Registry) List(ctx context.Context, f Filter) []Info {
	p := r.Policy()
	var out []Info
	for _, e := range r.all(ctx) {
		s := e.spec
		info := Info{Name: s.Name, Description: s.Description, Version: s.Version, Category: s.Category, Enabled: true}
		if p.check(s.Name, s.Policy) != nil {
			info.Enabled, info.Policy = false, cmp.Or(s.Policy, "tools")
		}
		if f.matches(s, info.Enabled) {
			out = append(out, info)
		}
	}
	slices.SortFunc(out, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (f Filter) matches(s tool.Spec, enabled bool) bool {
	tag := strings.ToLower(f.Tag)
	return (f.Category == "" || f.Category == s.Category) &&
		(f.Enabled == nil || *f.Enabled == enabled) &&
		(tag == "" || strings.Contains(strings.ToLower(s.Name), tag) ||
			strings.Contains(strings.ToLower(s.Description), tag) || slices.Contains(s.Tags, tag))
}

// Categories returns the categories of List, sorted.
func (r *Registry) Categories(ctx context.Context) []string {
	set := map[string]bool{}
	for _, e := range r.all(ctx) {
		set[e.spec.Category] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func (r *Registry) all(ctx context.Context) []*entry {
	r.mu.RLock()
	builtin := slices.Collect(maps.Values(r.tools))
	r.mu.RUnlock()
	return append(builtin, sessionTools(ctx).list()...)
}

// Register adds a tool to ctx's session. With replace it takes the place of an
// earlier one of the session; a tool of the kernel cannot be replaced.
func (r *Registry) Register(ctx context.Context, t tool.Tool, replace bool) error {
	e, err := newEntry(t, true)
	if err != nil {
		return err
	}
	own := sessionTools(ctx)
	if own == nil {
		return fault.Errorf(fault.InvalidState, "tools can be registered only while a script runs")
	}
	if _, taken := r.builtin(e.spec.Name); taken {
		return fault.Errorf(fault.AlreadyExists, "%s is a built-in tool", e.spec.Name).WithHint("choose another name")
	}
	return own.put(e, replace)
}

// Unregister removes a tool of ctx's session and reports whether it was there.
func (r *Registry) Unregister(ctx context.Context, name string) bool {
	return sessionTools(ctx).remove(Canonical(name))
}

const maxSessionTools = 1000

// session holds the tools of one session. A nil session is empty.
type session struct {
	mu    sync.Mutex
	tools map[string]*entry
}

type sessionKey struct{}

func sessionTools(ctx context.Context) *session {
	run := gate.Of(ctx)
	if run == nil || run.Local == nil {
		return nil
	}
	return gate.LocalValue(run.Local, sessionKey{}, func() (*session, func()) {
		s := &session{tools: map[string]*entry{}}
		return s, s.close
	})
}

// closer is a tool that holds something of the script.
type closer interface{ Close() }

func (e *entry) close() {
	if c, ok := e.Tool.(closer); ok {
		c.Close()
	}
}

func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.tools {
		e.close()
	}
	s.tools = map[string]*entry{}
}

func (s *session) get(name string) (*entry, bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.tools[name]
	return e, ok
}

func (s *session) list() []*entry {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.tools))
}

func (s *session) put(e *entry, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.tools[e.spec.Name]
	switch {
	case ok && !replace:
		return fault.Errorf(fault.AlreadyExists, "tool %s is registered already", e.spec.Name).WithHint("pass replace = true")
	case ok:
		old.close()
	case len(s.tools) >= maxSessionTools:
		return fault.Errorf(fault.QuotaExceeded, "a session may register %d tools", maxSessionTools)
	}
	s.tools[e.spec.Name] = e
	return nil
}

func (s *session) remove(name string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.tools[name]
	if ok {
		e.close()
		delete(s.tools, name)
	}
	return ok
}
