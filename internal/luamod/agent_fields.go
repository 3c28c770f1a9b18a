package luamod

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/agent"
	"github.com/llmspell/llmspell/script"
)

// callFields are the agent fields that a single call may replace.
func callFields() []script.Param {
	return []script.Param{
		{Name: "temperature", Type: script.TypeNumber, Min: new(0.0), Max: new(2.0), Doc: "Randomness of the reply."},
		{Name: "max_tokens", Type: script.TypeInteger, Min: new(1.0), Doc: "Most tokens of a reply."},
		{Name: "stop", Type: script.TypeArray, Elem: script.TypeString, Doc: "Texts that end a reply."},
		{Name: "seed", Type: script.TypeInteger, Doc: "Seed for providers that sample reproducibly."},
		{Name: "schema", Type: script.TypeTable, Doc: "JSON Schema of the reply; `data` is the checked value."},
		{Name: "tool_choice", Type: script.TypeString, Doc: "auto, none, required or the name of a tool."},
		{Name: "allowed_tools", Type: script.TypeArray, Elem: script.TypeString, Doc: "Names or globs of the tools the agent may use."},
	}
}

// agentFields are the keys of Agent.create and the builder's setters.
func agentFields() []script.Param {
	one := new(1.0)
	return slices.Concat([]script.Param{
		{Name: "name", Type: script.TypeString, Doc: "Name within the session; made up when absent."},
		{Name: "replace", Type: script.TypeBoolean, Doc: "Take over the name of an existing agent."},
		{Name: "description", Type: script.TypeString},
		{Name: "type", Type: script.TypeString, Enum: []string{agent.TypeLLM, agent.TypeOrchestrator}, Doc: "tool-orchestrator may use every enabled tool."},
		{Name: "model", Type: script.TypeString, Also: []script.Type{script.TypeOptions}, Doc: "provider/model, or a model's name.", Fields: []script.Param{
			{Name: "provider", Type: script.TypeString, Required: true},
			{Name: "model_id", Type: script.TypeString, Required: true},
			{Name: "temperature", Type: script.TypeNumber},
			{Name: "max_tokens", Type: script.TypeInteger, Min: one},
			{Name: "settings", Type: script.TypeTable, Doc: "Passed to the provider unread."},
		}},
		{Name: "provider", Type: script.TypeString, Doc: "Configured provider; the default one when absent."},
		{Name: "system_prompt", Type: script.TypeString, Doc: "Instructions to the model."},
		{Name: "top_p", Type: script.TypeNumber},
		{Name: "tools", Type: script.TypeArray, Elem: script.TypeString, Doc: "The same as allowed_tools."},
		{Name: "retries", Type: script.TypeInteger, Min: new(0.0), Max: new(20.0), Doc: "Repetitions of a failed request; the provider's setting when absent."},
		{Name: "fallbacks", Type: script.TypeArray, Elem: script.TypeString, Doc: "Models tried after a retryable failure."},
		{Name: "strict", Type: script.TypeBoolean, Doc: "Raise budget_exceeded at a limit instead of returning what there is."},
		{Name: "max_conversation_length", Type: script.TypeInteger, Min: one, Doc: "Messages kept; 100."},
		{Name: "max_execution_time", Type: script.TypeNumber, Min: new(0.001), Doc: "Seconds of one execution; 300."},
		{Name: "max_memory_mb", Type: script.TypeInteger, Min: one, Doc: "Size of the kept history; 512."},
		{Name: "max_iterations", Type: script.TypeInteger, Min: one, Doc: "Model calls of one execution; 16."},
		{Name: "max_tool_calls", Type: script.TypeInteger, Min: one, Doc: "Tool calls of one execution; 100."},
		{Name: "max_recursion_depth", Type: script.TypeInteger, Min: one, Doc: "Depth of agents that call agents; 10."},
		{Name: "base_url", Type: script.TypeString, Doc: "Server to use in place of the configured one (policy net)."},
		{Name: "api_key", Type: script.TypeString, Doc: "Key for base_url."},
		{Name: "custom_config", Type: script.TypeOptions, Fields: []script.Param{
			{Name: "system_prompt", Type: script.TypeString},
			{Name: "max_conversation_length", Type: script.TypeInteger, Min: one},
		}},
		{Name: "resource_limits", Type: script.TypeOptions, Fields: []script.Param{
			{Name: "max_execution_time_secs", Type: script.TypeNumber, Min: new(0.001)},
			{Name: "max_memory_mb", Type: script.TypeInteger, Min: one},
			{Name: "max_tool_calls", Type: script.TypeInteger, Min: one},
			{Name: "max_recursion_depth", Type: script.TypeInteger, Min: one},
		}},
	}, callFields())
}

func without(fields []script.Param, names ...string) []script.Param {
	return slices.DeleteFunc(fields, func(p script.Param) bool { return slices.Contains(names, p.Name) })
}

// fieldSet reads checked fields of an options table.
type fieldSet map[string]any

func (f fieldSet) text(name string) string { s, _ := f[name].(string); return s }
func (f fieldSet) flag(name string) bool   { b, _ := f[name].(bool); return b }
func (f fieldSet) whole(name string) int   { n, _ := f[name].(int64); return int(n) }
func (f fieldSet) sub(name string) fieldSet {
	m, _ := f[name].(map[string]any)
	return m
}

func (f fieldSet) number(name string) *float64 {
	switch n := f[name].(type) {
	case float64:
		return &n
	case int64:
		return new(float64(n))
	}
	return nil
}

func (f fieldSet) integer(name string) *int64 {
	n, ok := f[name].(int64)
	if !ok {
		return nil
	}
	return &n
}

// seconds and millis read a time in that unit.
func (f fieldSet) seconds(name string) time.Duration {
	n := f.number(name)
	if n == nil {
		return 0
	}
	return time.Duration(*n * float64(time.Second))
}

func (f fieldSet) millis(name string) time.Duration {
	return time.Duration(f.whole(name)) * time.Millisecond
}

// texts reads an array of strings; nil when absent.
func (f fieldSet) texts(name string) []string {
	list, ok := f[name].([]any)
	if !ok {
		return nil
	}
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

// document reads a table as JSON; nil when absent.
func (f fieldSet) document(name string) (json.RawMessage, error) {
	v, ok := f[name]
	if !ok || v == nil {
		return nil, nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fault.Errorf(fault.InvalidArgument, "%s cannot be written as JSON: %w", name, err)
	}
	return raw, nil
}

// plainJSON replaces script.Null by nil, for code that looks at values.
func plainJSON(v any) any {
	switch v := v.(type) {
	case script.Null:
		return nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainJSON(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[k] = plainJSON(member)
		}
		return out
	}
	return v
}

// agentSpec builds a definition from checked fields.
func agentSpec(f fieldSet) (agent.Spec, error) {
	s := agent.Spec{
		Name: f.text("name"), Replace: f.flag("replace"), Description: f.text("description"), Type: f.text("type"),
		Model: f.text("model"), Provider: f.text("provider"), BaseURL: f.text("base_url"), APIKey: f.text("api_key"),
		SystemPrompt: f.text("system_prompt"), Temperature: f.number("temperature"), TopP: f.number("top_p"),
		MaxTokens: f.whole("max_tokens"), Stop: f.texts("stop"), Seed: f.integer("seed"), ToolChoice: f.text("tool_choice"),
		AllowedTools: f.texts("allowed_tools"), Fallbacks: f.texts("fallbacks"), Strict: f.flag("strict"),
		MaxConversation: f.whole("max_conversation_length"), MaxExecutionTime: f.seconds("max_execution_time"),
		MaxMemoryMB: f.whole("max_memory_mb"), MaxIterations: f.whole("max_iterations"),
		MaxToolCalls: f.whole("max_tool_calls"), MaxRecursionDepth: f.whole("max_recursion_depth"),
	}
	if tools := f.texts("tools"); tools != nil {
		s.AllowedTools = append(tools, s.AllowedTools...)
	}
	if n := f.integer("retries"); n != nil {
		s.Retries = new(int(*n))
	}
	if m := f.sub("model"); m != nil {
		s.Model, s.Provider = m.text("model_id"), m.text("provider")
		if s.Temperature == nil {
			s.Temperature = m.number("temperature")
		}
		orInt(&s.MaxTokens, m.whole("max_tokens"))
		s.Options = m.sub("settings")
	}
	if c := f.sub("custom_config"); c != nil {
		if s.SystemPrompt == "" {
			s.SystemPrompt = c.text("system_prompt")
		}
		orInt(&s.MaxConversation, c.whole("max_conversation_length"))
	}
	if r := f.sub("resource_limits"); r != nil {
		if s.MaxExecutionTime == 0 {
			s.MaxExecutionTime = r.seconds("max_execution_time_secs")
		}
		orInt(&s.MaxMemoryMB, r.whole("max_memory_mb"))
		orInt(&s.MaxToolCalls, r.whole("max_tool_calls"))
		orInt(&s.MaxRecursionDepth, r.whole("max_recursion_depth"))
	}
	var err error
	s.Schema, err = f.document("schema")
	return s, err
}

func orInt(field *int, value int) {
	if *field == 0 {
		*field = value
	}
}

// inputParam is the question of execute and stream: a text or a table.
func inputParam() script.Param {
	return script.Param{
		Name: "input", Type: script.TypeString, Also: []script.Type{script.TypeOptions}, Required: true,
		Doc: "The question, or a table with it and fields for this call.",
		Fields: slices.Concat([]script.Param{
			{Name: "text", Type: script.TypeString, Doc: "The question."},
			{Name: "prompt", Type: script.TypeString, Doc: "The same as text."},
			{Name: "input", Type: script.TypeString, Doc: "The same as text."},
			{Name: "instruction", Type: script.TypeString, Doc: "Put in front of the text."},
			{Name: "parameters", Type: script.TypeTable, Doc: "Told to the model beside the text."},
			{Name: "context", Type: script.TypeTable, Doc: "Told to the model in the system message."},
		}, optionFields()),
	}
}

// optionFields are the fields of the opts tables of complete and stream.
func optionFields() []script.Param {
	return append(callFields(), script.Param{Name: "timeout_ms", Type: script.TypeInteger, Min: new(1.0), Doc: "Time for this call."})
}

// agentInput reads the input argument and the options after it.
func agentInput(input any, options fieldSet) (agent.Input, error) {
	f := fieldSet{}
	if m, ok := input.(map[string]any); ok {
		f = m
	}
	text, _ := input.(string)
	for _, name := range []string{"text", "prompt", "input"} {
		if text == "" {
			text = f.text(name)
		}
	}
	in := agent.Input{
		Text: text, Instruction: f.text("instruction"),
		Parameters: f.sub("parameters"), Context: f.sub("context"),
	}
	for _, set := range []fieldSet{f, options} {
		if err := readCallFields(&in, set); err != nil {
			return in, err
		}
	}
	return in, nil
}

func readCallFields(in *agent.Input, f fieldSet) error {
	if n := f.number("temperature"); n != nil {
		in.Temperature = n
	}
	if n := f.integer("seed"); n != nil {
		in.Seed = n
	}
	if n := f.whole("max_tokens"); n != 0 {
		in.MaxTokens = n
	}
	if d := f.millis("timeout_ms"); d != 0 {
		in.Timeout = d
	}
	if list := f.texts("stop"); list != nil {
		in.Stop = list
	}
	if list := f.texts("allowed_tools"); list != nil {
		in.AllowedTools = list
	}
	if s := f.text("tool_choice"); s != "" {
		in.ToolChoice = s
	}
	schema, err := f.document("schema")
	if schema != nil {
		in.Schema = schema
	}
	return err
}
