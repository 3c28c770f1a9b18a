package llmspell

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/llmspell/llmspell/fault"
)

var componentName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// registry holds named definitions in memory.
type registry[T any] struct {
	kind string // for messages
	mu   sync.RWMutex
	all  map[string]T
}

func newRegistry[T any](kind string) *registry[T] {
	return &registry[T]{kind: kind, all: map[string]T{}}
}

func (r *registry[T]) register(name string, v T) error {
	if !componentName.MatchString(name) {
		return invalid("%s name %q: want %s", r.kind, name, componentName)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.all[name]; ok {
		return fault.Errorf(fault.AlreadyExists, "%s %q is registered already", r.kind, name)
	}
	r.all[name] = v
	return nil
}

func (r *registry[T]) get(name string) (T, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	v, ok := r.all[name]
	return v, ok
}

// list returns the definitions by name.
func (r *registry[T]) list() []T {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]T, 0, len(r.all))
	for _, name := range slices.Sorted(maps.Keys(r.all)) {
		out = append(out, r.all[name])
	}
	return out
}

// AgentSpec defines an agent. Zero fields take the defaults of the scripting
// contract 1.1.
type AgentSpec struct {
	Name         string   `json:"name"`
	Description  string   `json:"description,omitempty"`
	Provider     string   `json:"provider,omitempty"`
	Model        string   `json:"model,omitempty"` // "provider/model", or a model of Provider
	SystemPrompt string   `json:"system_prompt,omitempty"`
	Temperature  *float64 `json:"temperature,omitempty"`
	MaxTokens    int      `json:"max_tokens,omitempty"`
	AllowedTools []string `json:"allowed_tools,omitempty"` // names or globs
}

// AgentRegistry holds agent definitions, in memory.
type AgentRegistry struct{ specs *registry[AgentSpec] }

// Register adds a definition; fault.AlreadyExists if the name is taken.
func (a *AgentRegistry) Register(spec AgentSpec) error {
	spec.AllowedTools = slices.Clone(spec.AllowedTools)
	return a.specs.register(spec.Name, spec)
}

// Get returns a definition, false if there is none of that name.
func (a *AgentRegistry) Get(name string) (AgentSpec, bool) { return a.specs.get(name) }

// List returns all definitions by name.
func (a *AgentRegistry) List() []AgentSpec { return a.specs.list() }

// WorkflowSpec defines a workflow.
type WorkflowSpec struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Type        string         `json:"type"` // sequential, parallel, conditional, loop
	Steps       []WorkflowStep `json:"steps"`
}

// WorkflowStep is one step: a tool or an agent with its input.
type WorkflowStep struct {
	Name  string         `json:"name"`
	Tool  string         `json:"tool,omitempty"`
	Agent string         `json:"agent,omitempty"`
	Input map[string]any `json:"input,omitempty"`
}

// Workflow is one that can run; this version makes none.
type Workflow struct{ Spec WorkflowSpec }

// WorkflowFactory holds workflow definitions, in memory.
type WorkflowFactory struct{ specs *registry[WorkflowSpec] }

var workflowTypes = []string{"sequential", "parallel", "conditional", "loop"}

// Register adds a definition; fault.AlreadyExists if the name is taken.
func (w *WorkflowFactory) Register(spec WorkflowSpec) error {
	if !slices.Contains(workflowTypes, spec.Type) {
		return invalid("workflow %q: type %q: want %s", spec.Name, spec.Type, strings.Join(workflowTypes, ", "))
	}
	if len(spec.Steps) == 0 {
		return invalid("workflow %q has no steps", spec.Name)
	}
	for i, step := range spec.Steps {
		if (step.Tool == "") == (step.Agent == "") {
			return invalid("workflow %q: step %d needs either tool or agent", spec.Name, i+1)
		}
	}
	spec.Steps = slices.Clone(spec.Steps)
	return w.specs.register(spec.Name, spec)
}

// Get returns a definition, false if there is none of that name.
func (w *WorkflowFactory) Get(name string) (WorkflowSpec, bool) { return w.specs.get(name) }

// List returns all definitions by name.
func (w *WorkflowFactory) List() []WorkflowSpec { return w.specs.list() }

// New would make a workflow that runs. This version refuses by name.
func (w *WorkflowFactory) New(context.Context, WorkflowSpec) (*Workflow, error) {
	return nil, fault.Errorf(fault.ComponentDisabled, "running workflows is not available in this version")
}

// Component describes a tool, an agent or a workflow.
type Component struct {
	Kind        string `json:"kind"` // tool, agent, workflow
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// ComponentRegistry finds tools, agents and workflows by name. It holds nothing
// itself.
type ComponentRegistry struct {
	tools     *ToolRegistry
	agents    *AgentRegistry
	workflows *WorkflowFactory
}

// Find returns the component of a kind (tool, agent, workflow) and name.
func (c *ComponentRegistry) Find(kind, name string) (Component, bool) {
	for _, found := range c.all() {
		if found.Kind == kind && found.Name == name {
			return found, true
		}
	}
	return Component{}, false
}

// Search returns the components whose name or description contains every word
// of the query, letter case aside; all of them for an empty query.
func (c *ComponentRegistry) Search(query string) []Component {
	words := strings.Fields(strings.ToLower(query))
	return slices.DeleteFunc(c.all(), func(found Component) bool {
		text := strings.ToLower(found.Name + " " + found.Description)
		return slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	})
}

// all lists the components: tools, agents, workflows, each by name.
func (c *ComponentRegistry) all() []Component {
	var all []Component
	for _, s := range c.tools.List() {
		all = append(all, Component{"tool", s.Name, s.Description})
	}
	for _, s := range c.agents.List() {
		all = append(all, Component{"agent", s.Name, s.Description})
	}
	for _, s := range c.workflows.List() {
		all = append(all, Component{"workflow", s.Name, s.Description})
	}
	return all
}
