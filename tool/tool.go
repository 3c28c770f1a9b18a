// Package tool is the contract of tools: what scripts call with Tool.execute
// and models call through the agent loop. Stock tools live beside it, one
// family a directory, and pass the conformance suite of tool/tooltest.
//
// A tool says what it takes and does one thing with it:
//
//	type shout struct{}
//
//	func (shout) Spec() tool.Spec {
//		return tool.Spec{Name: "shout", Description: "Upper-cases a text.", Category: "utility", Version: "1.0.0",
//			Params: []tool.Param{{Name: "input", Type: "string", Required: true}}, Effect: tool.Read}
//	}
//
//	func (shout) Execute(_ context.Context, p map[string]any) (tool.Result, error) {
//		return tool.OK("", "result", map[string]any{"result": strings.ToUpper(p["input"].(string))}), nil
//	}
package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/llmspell/llmspell/llm"
)

// DefaultTimeout bounds a call of a tool whose Spec names no timeout.
const DefaultTimeout = 30 * time.Second

// Tool is one tool. Implementations are safe for concurrent use and hold no
// state of a call.
type Tool interface {
	Spec() Spec
	// Execute runs the tool with parameters that match the spec's schema
	// (defaults filled in, numbers as int64 or float64). A verdict - HTTP 404,
	// an invalid document - is a Result with Success false; what could not be
	// done is a *fault.Error. ctx carries deadline and Env.
	Execute(ctx context.Context, params map[string]any) (Result, error)
}

// Spec describes a tool.
type Spec struct {
	Name        string // kebab-case
	Description string
	Category    string // analysis api communication data filesystem media system utility web ...
	Version     string
	Tags        []string
	Params      []Param
	Schema      json.RawMessage // replaces Params where they cannot say it

	Policy       string // gate it needs: "", "file", "net", "process", "env", "email", "database"
	Effect       Effect
	ParallelSafe bool
	Timeout      time.Duration // 0 = DefaultTimeout
}

// Effect is what may be done with a call whose outcome is unknown.
type Effect uint8

const (
	Once       Effect = iota // never repeat
	Idempotent               // may be sent again with the same key
	Read                     // changes nothing
)

// Param is one parameter.
type Param struct {
	Name        string
	Type        string // JSON Schema type: string integer number boolean array object, "" = any
	Description string
	Required    bool
	Default     any
	Enum        []string
	Fields      []Param // of an object that takes these members only; none = free-form
}

// LLM returns the tool as a model sees it.
func (s Spec) LLM() llm.ToolSpec {
	return llm.ToolSpec{Name: s.Name, Description: s.Description, Parameters: s.JSONSchema()}
}

// Result is a tool's answer. Result holds JSON-like data (nil, bool, int64,
// float64, string, []any, map[string]any), a map for nearly all tools.
type Result struct {
	Success   bool   `json:"success"`
	Operation string `json:"operation,omitempty"`
	Message   string `json:"message,omitempty"`
	Result    any    `json:"result,omitempty"`
	Primary   string `json:"primary,omitempty"` // member of Result that is its main value
	Text      string `json:"text"`              // the primary value as text; the registry fills it when empty
}

// OK returns a successful result with data's member primary as its main value.
func OK(operation, primary string, data map[string]any) Result {
	return Result{Success: true, Operation: operation, Result: data, Primary: primary}
}

// Verdict returns a result whose success is the verdict in data's boolean
// member primary.
func Verdict(operation, primary string, data map[string]any) Result {
	ok, _ := data[primary].(bool)
	return Result{Success: ok, Operation: operation, Result: data, Primary: primary}
}

// Say returns r with a message.
func (r Result) Say(format string, args ...any) Result {
	r.Message = fmt.Sprintf(format, args...)
	return r
}

// PrimaryValue returns the main value of r: the member Primary of its data, or
// all of its data.
func (r Result) PrimaryValue() any {
	if m, ok := r.Result.(map[string]any); ok && r.Primary != "" {
		return m[r.Primary]
	}
	return r.Result
}
