package llmspell

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
)

const (
	maxSource    = 10 << 20 // bytes of one chunk (scripting contract 0.1)
	maxOutput    = 1 << 20  // captured bytes of one execution
	defaultChunk = "=execute"
)

// Request is one execution.
type Request struct {
	Code      string
	Name      string // chunk name for messages, e.g. "@tour.lua"; default "=execute"
	SessionID string // "" = a fresh interpreter, discarded afterwards
	Tenant    string // "" = the configured default tenant
	Source    string // metric label: http, ws, jupyter, cli, embed (default), schedule

	// Args become ARGS: named values, and positional ones under Positional.
	Args       map[string]any
	Positional []any
	ScriptPath string // ARGS[0]; its folder is searched by require

	Timeout  time.Duration // shortens the configured limit; 0 = the configured one
	Metadata map[string]any

	// File: source is a script file and is never rewritten to an expression.
	File bool

	// Record writes the run's journal to a file; Replay answers its effects
	// from one. At most one of them.
	Record, Replay string

	Stdin          io.Reader // nil: end of file
	Stdout, Stderr io.Writer // besides Result.Output; nil: none

	// Interactive makes io.read publish input.requested and wait for Run.Input
	// instead of reading Stdin.
	Interactive bool

	// Events gets the events of the run in order, from one goroutine that is
	// not the script's. Run and Start's Wait return after the last of them.
	Events func(Event)
}

// Event is one event of a run, numbered from 1 without gaps.
type Event struct {
	Seq  int64     `json:"seq"`
	Type string    `json:"type"` // kernel contract 5.4
	Time time.Time `json:"time"`
	Data any       `json:"data"` // marshals to a JSON object
}

var sources = []string{"http", "ws", "jupyter", "cli", "embed", "schedule"}

// normalize fills in defaults and refuses what cannot run.
func (r *Request) normalize(defaultTenant string) error {
	if r.Name == "" {
		r.Name = defaultChunk
	}
	if r.Tenant == "" {
		r.Tenant = defaultTenant
	}
	if r.Source == "" {
		r.Source = "embed"
	}
	switch {
	case len(r.Code) > maxSource:
		return fault.Errorf(fault.TooLarge, "code has %d bytes, at most %d are allowed", len(r.Code), maxSource)
	case !slices.Contains(sources, r.Source):
		return invalid("source %q: want %s", r.Source, strings.Join(sources, ", "))
	case r.Tenant != defaultTenant && !tenantPattern.MatchString(r.Tenant):
		return invalid("tenant %q: want %s", r.Tenant, tenantPattern)
	case r.Timeout < 0:
		return invalid("timeout %v is negative", r.Timeout)
	case r.Record != "" && r.Replay != "":
		return invalid("record and replay exclude each other")
	case r.journalled() && r.SessionID != "":
		return invalid("record and replay need a fresh interpreter, not a session")
	case r.Interactive && r.Stdin != nil:
		return invalid("interactive and stdin exclude each other")
	}
	return nil
}

// journalled tells whether the run's effects are recorded or replayed.
func (r *Request) journalled() bool { return r.Record != "" || r.Replay != "" }

// scriptName is how logs and journals call the script.
func (r *Request) scriptName() string {
	if r.ScriptPath != "" {
		return r.ScriptPath
	}
	return strings.TrimLeft(r.Name, "@=")
}
