package agent

import (
	"encoding/json"
	"path"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/schema"
	"github.com/llmspell/llmspell/llm"
)

// Agent types.
const (
	TypeLLM          = "llm"
	TypeOrchestrator = "tool-orchestrator" // may use every tool unless AllowedTools is given
	TypeComposite    = "composite"         // made by CreateComposite
)

// maxSpecBytes bounds the texts of one definition, which the script's memory
// limit does not count.
const maxSpecBytes = 1 << 20

// Spec describes an agent. The zero value of a limit takes its default.
type Spec struct {
	Name         string // "" = one is made up
	Replace      bool   // take over the name of an existing agent
	Description  string
	Type         string // TypeLLM (default) or TypeOrchestrator
	Model        string // see provider.Spec
	Provider     string
	BaseURL      string
	APIKey       string
	SystemPrompt string

	Temperature *float64 // 0 to 2
	TopP        *float64 // 0 to 1
	MaxTokens   int      // of a reply; 0 = the provider's default
	Stop        []string
	Seed        *int64
	Schema      json.RawMessage // of the reply
	ToolChoice  string          // auto (default), none, required or a tool's name
	Options     map[string]any  // passed to the provider unread

	AllowedTools []string // names or globs; nil = none, or all for TypeOrchestrator
	Retries      *int     // nil = the provider's
	Fallbacks    []string // models tried after a retryable failure
	Strict       bool     // limits raise

	MaxConversation   int           // messages kept; 100
	MaxExecutionTime  time.Duration // of one Execute; 300 s
	MaxMemoryMB       int           // of kept history; 512
	MaxIterations     int           // model calls of one Execute; 16
	MaxToolCalls      int           // of one Execute; 100
	MaxRecursionDepth int           // agents that call agents; 10
}

func (s Spec) withDefaults() Spec {
	if s.Type == "" {
		s.Type = TypeLLM
	}
	if s.ToolChoice == "" {
		s.ToolChoice = "auto"
	}
	if s.AllowedTools == nil && s.Type == TypeOrchestrator {
		s.AllowedTools = []string{"*"}
	}
	orDefault(&s.MaxConversation, 100)
	orDefault(&s.MaxExecutionTime, 300*time.Second)
	orDefault(&s.MaxMemoryMB, 512)
	orDefault(&s.MaxIterations, 16)
	orDefault(&s.MaxToolCalls, 100)
	orDefault(&s.MaxRecursionDepth, 10)
	return s
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// validate checks a Spec with defaults. Errors name the field as scripts do.
func (s Spec) validate() error {
	switch {
	case s.Type != TypeLLM && s.Type != TypeOrchestrator && s.Type != TypeComposite:
		return invalid("type must be %q or %q, got %q", TypeLLM, TypeOrchestrator, s.Type)
	case s.Temperature != nil && !(*s.Temperature >= 0 && *s.Temperature <= 2):
		return invalid("temperature must be between 0 and 2, got %g", *s.Temperature)
	case s.TopP != nil && !(*s.TopP > 0 && *s.TopP <= 1):
		return invalid("top_p must be above 0 and at most 1, got %g", *s.TopP)
	case s.MaxTokens < 0:
		return invalid("max_tokens must not be negative, got %d", s.MaxTokens)
	case s.Retries != nil && (*s.Retries < 0 || *s.Retries > 20):
		return invalid("retries must be between 0 and 20, got %d", *s.Retries)
	case s.MaxExecutionTime < 0:
		return invalid("max_execution_time must be positive, got %s", s.MaxExecutionTime)
	}
	if n := len(s.SystemPrompt) + len(s.Description) + len(s.Schema) + len(s.Name); n > maxSpecBytes {
		return fault.Errorf(fault.TooLarge, "agent: name, description, system_prompt and schema take %d bytes, more than %d", n, maxSpecBytes)
	}
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"max_conversation_length", s.MaxConversation}, {"max_memory_mb", s.MaxMemoryMB},
		{"max_iterations", s.MaxIterations}, {"max_tool_calls", s.MaxToolCalls},
		{"max_recursion_depth", s.MaxRecursionDepth},
	} {
		if limit.value < 0 {
			return invalid("%s must be positive, got %d", limit.name, limit.value)
		}
	}
	for _, pattern := range s.AllowedTools {
		if _, err := path.Match(pattern, ""); err != nil {
			return invalid("allowed_tools: bad pattern %q", pattern)
		}
	}
	_, err := resolveSchema(s.Schema)
	return err
}

func invalid(format string, args ...any) error {
	return fault.Errorf(fault.InvalidArgument, "agent: "+format, args...)
}

// resolveSchema compiles a schema; nil for none.
func resolveSchema(raw json.RawMessage) (*jsonschema.Resolved, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	resolved, err := schema.Compile(raw)
	if err != nil {
		return nil, invalid("%w", err)
	}
	return resolved, nil
}

// allows tells whether a tool may be used under the given names and globs;
// "_" counts as "-" in them, as in all look-ups of tools.
func allows(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(dashes(p), dashes(name)); err == nil && ok {
			return true
		}
	}
	return false
}

func dashes(s string) string { return strings.ReplaceAll(s, "_", "-") }

// Usage is what an execution or an agent consumed, nested agents included.
type Usage struct {
	llm.Usage
	LLMCalls  int64
	ToolCalls int64
}

// Add returns the sum of u and v.
func (u Usage) Add(v Usage) Usage {
	u.Usage = u.Usage.Add(v.Usage)
	u.LLMCalls += v.LLMCalls
	u.ToolCalls += v.ToolCalls
	return u
}
