package agent

import (
	"context"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// WrapParams configures WrapAsTool.
type WrapParams struct {
	Name        string
	Description string // "" = the agent's
	Category    string // "" = agent
	Params      []tool.Param
}

// WrapAsTool registers a tool that asks a, under its name in kebab-case, for the
// rest of the session. Its parameter "input" is the question; other Params are
// told to the agent beside it. Errors: fault.InvalidArgument, fault.AlreadyExists.
func (e *Engine) WrapAsTool(ctx context.Context, a *Agent, p WrapParams) (string, error) {
	spec := tool.Spec{
		Name: dashes(p.Name), Description: p.Description, Category: p.Category, Version: "1.0.0",
		Effect: tool.Once, Timeout: a.spec.MaxExecutionTime,
		Params: []tool.Param{{Name: "input", Type: "string", Description: "What to ask the agent.", Required: true}},
	}
	if spec.Description == "" {
		spec.Description = a.spec.Description
	}
	if spec.Description == "" {
		spec.Description = "Asks the agent " + a.name + "."
	}
	if spec.Category == "" {
		spec.Category = "agent"
	}
	for _, param := range p.Params {
		if param.Name != "input" {
			spec.Params = append(spec.Params, param)
		}
	}
	return spec.Name, e.tools.Register(ctx, &agentTool{agent: a, spec: spec}, false)
}

// agentTool is an agent as a tool. Each call continues the agent's conversation.
type agentTool struct {
	agent *Agent
	spec  tool.Spec
}

// Spec implements [tool.Tool].
func (t *agentTool) Spec() tool.Spec { return t.spec }

// Execute implements [tool.Tool].
func (t *agentTool) Execute(ctx context.Context, params map[string]any) (tool.Result, error) {
	text, ok := params["input"].(string)
	if !ok {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, "%s: input must be a string", t.spec.Name)
	}
	rest := map[string]any{}
	for k, v := range params {
		if k != "input" {
			rest[k] = v
		}
	}
	out, err := t.agent.Execute(ctx, Input{Text: text, Parameters: rest}, nil)
	if err != nil {
		return tool.Result{}, err
	}
	r := tool.OK("execute", "text", map[string]any{"text": out.Text, "finish_reason": out.Finish, "truncated": out.Truncated})
	r.Text = out.Text
	return r, nil
}
