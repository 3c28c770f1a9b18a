package llmspell

import (
	"context"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/toolbox"
	"github.com/llmspell/llmspell/tool"
)

// ToolRegistry holds the tools that scripts and models may call.
type ToolRegistry struct {
	box   *toolbox.Registry
	infra *Infrastructure
}

// Register adds a tool; fault.AlreadyExists if its name is taken.
func (r *ToolRegistry) Register(t tool.Tool) error { return r.box.Add(t) }

// Lookup returns the description of a tool.
func (r *ToolRegistry) Lookup(name string) (tool.Spec, bool) {
	return r.box.Spec(context.Background(), name)
}

// ToolInfo describes a tool in a list. Policy is the gate that disables it, ""
// if it is enabled.
type ToolInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Version     string `json:"version"`
	Category    string `json:"category"`
	Enabled     bool   `json:"enabled"`
	Policy      string `json:"policy,omitempty"`
}

// List returns all tools by name.
func (r *ToolRegistry) List() []ToolInfo {
	var out []ToolInfo
	for _, t := range r.box.List(context.Background(), toolbox.Filter{}) {
		out = append(out, ToolInfo(t))
	}
	return out
}

// Invoke runs a tool under the policy of the configuration. A verdict is a
// Result with Success false; errors are fault.ToolNotFound, InvalidArgument,
// PolicyDenied, Timeout or ToolFailed.
func (r *ToolRegistry) Invoke(ctx context.Context, name string, params map[string]any) (tool.Result, error) {
	out, err := r.box.Invoke(r.infra.within(ctx), name, params)
	return out.Result, err
}

// InvokeAs is Invoke in the name of a tenant, "" = the configured default.
func (r *ToolRegistry) InvokeAs(ctx context.Context, tenant, name string, params map[string]any) (tool.Result, error) {
	return r.Invoke(gate.With(ctx, r.infra.hostRun(tenant)), name, params)
}

// configure puts the policy of c in force.
func (r *ToolRegistry) configure(c *config.Config, files *liveFiles) {
	security := c.Runtime.Security
	p := toolbox.Policy{
		Disabled: !c.Tools.Enabled, NetworkAccess: security.AllowNetworkAccess,
		ProcessSpawn: security.AllowProcessSpawn && c.Tools.System.AllowProcessExecution,
		Files:        files.enabled(),
	}
	p.FileAccess = p.Files != nil
	r.box.SetPolicy(p)
}
