package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/server"
)

func (a *app) toolCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "tool", Short: "List, describe and call tools",
		Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.toolList(), a.toolInfo(), a.toolInvoke())
	for _, name := range []string{"search", "test"} {
		c.AddCommand(reserved(name))
	}
	return c
}

// withRegistry runs fn over the tools of this process.
func (a *app) withRegistry(ctx context.Context, fn func(*llmspell.ToolRegistry) error) error {
	cfg, err := a.loadConfig("run")
	if err != nil {
		return err
	}
	cfg.Storage.Backend = "memory" // tools need no storage
	k, err := a.openKernel(ctx, cfg, &execution{})
	if err != nil {
		return err
	}
	return errors.Join(fn(k.Infrastructure().ToolRegistry()), k.Close())
}

func (a *app) toolList() *cobra.Command {
	var category string
	c := &cobra.Command{
		Use: "list", Short: "List the tools", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := a.tools(c.Context())
			if err != nil {
				return err
			}
			rows := [][]string{{"NAME", "CATEGORY", "ENABLED", "DESCRIPTION"}}
			chosen := []llmspell.ToolInfo{}
			for _, t := range list {
				if category != "" && t.Category != category {
					continue
				}
				enabled := "yes"
				if !t.Enabled {
					enabled = "no (" + t.Policy + ")"
				}
				rows = append(rows, []string{t.Name, t.Category, enabled, t.Description})
				chosen = append(chosen, t)
			}
			if a.json() {
				return a.printJSON(chosen)
			}
			return a.table(rows)
		},
	}
	c.Flags().StringVar(&category, "category", "", "only this category")
	return c
}

func (a *app) tools(ctx context.Context) ([]llmspell.ToolInfo, error) {
	c, remote, err := a.remote()
	if err != nil {
		return nil, err
	}
	if remote {
		return client.All[llmspell.ToolInfo](ctx, c, "/v1/tools")
	}
	var list []llmspell.ToolInfo
	err = a.withRegistry(ctx, func(r *llmspell.ToolRegistry) error { list = r.List(); return nil })
	return list, err
}

func (a *app) toolInfo() *cobra.Command {
	var schema bool
	c := &cobra.Command{
		Use: "info NAME", Short: "Describe a tool and its parameters", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := a.toolNamed(c.Context(), args[0])
			if err != nil {
				return err
			}
			switch {
			case schema:
				return a.printf("%s\n", t.Schema)
			case a.json():
				return a.printJSON(t)
			}
			a.printf("%s %s (%s)\n%s\n\n", t.Name, t.Version, t.Category, t.Description)
			return a.printParams(t.Schema)
		},
	}
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the parameters")
	return c
}

func (a *app) toolNamed(ctx context.Context, name string) (server.ToolInfo, error) {
	var out server.ToolInfo
	c, remote, err := a.remote()
	if err != nil {
		return out, err
	}
	if remote {
		raw, err := c.Get(ctx, "/v1/tools/"+name)
		if err != nil {
			return out, err
		}
		return out, json.Unmarshal(raw, &out)
	}
	return out, a.withRegistry(ctx, func(r *llmspell.ToolRegistry) error {
		spec, ok := r.Lookup(name)
		if !ok {
			return fault.Errorf(fault.ToolNotFound, "no tool %q", name).WithHint("%q lists them", "llmspell tool list")
		}
		out.Schema = spec.JSONSchema()
		for _, t := range r.List() {
			if t.Name == spec.Name {
				out.ToolInfo = t
			}
		}
		return nil
	})
}

// printParams shows a parameter schema as a table.
func (a *app) printParams(schema json.RawMessage) error {
	var s struct {
		Properties map[string]struct {
			Type        any    `json:"type"`
			Description string `json:"description"`
			Default     any    `json:"default"`
			Enum        []any  `json:"enum"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		return err
	}
	required := map[string]bool{}
	for _, r := range s.Required {
		required[r] = true
	}
	rows := [][]string{{"PARAMETER", "TYPE", "DEFAULT", "DESCRIPTION"}}
	for _, name := range sortedKeys(s.Properties) {
		p := s.Properties[name]
		def := "-"
		if required[name] {
			def = "required"
		} else if p.Default != nil {
			def = fmt.Sprint(p.Default)
		}
		kind := "any"
		if p.Type != nil {
			kind = fmt.Sprint(p.Type)
		}
		rows = append(rows, []string{name, kind, def, p.Description})
	}
	return a.table(rows)
}

func (a *app) toolInvoke() *cobra.Command {
	var params string
	c := &cobra.Command{
		Use: "invoke NAME", Short: "Call a tool",
		Example: `  llmspell tool invoke calculator --params '{"input":"2+2*3"}'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			raw := []byte(params)
			if params == "-" {
				var err error
				if raw, err = readLimited(a.env.Stdin, maxScript); err != nil {
					return err
				}
			}
			return a.invoke(c.Context(), args[0], raw)
		},
	}
	c.Flags().StringVar(&params, "params", "{}", "parameters as a JSON object, or - for stdin")
	return c
}

func (a *app) invoke(ctx context.Context, name string, params []byte) error {
	values, err := decodeObject(params)
	if err != nil {
		return usagef("--params: %v", err)
	}
	c, remote, err := a.remote()
	if err != nil {
		return err
	}
	if remote {
		raw, err := c.InvokeTool(ctx, name, params)
		if err != nil {
			return err
		}
		var out server.InvokeResponse
		if err := json.Unmarshal(raw, &out); err != nil {
			return err
		}
		return a.printToolResult(out.Result.Text, out.Result.Success, out.Result)
	}
	return a.withRegistry(ctx, func(r *llmspell.ToolRegistry) error {
		out, err := r.Invoke(ctx, name, values)
		if err != nil {
			return err
		}
		return a.printToolResult(out.Text, out.Success, out)
	})
}

// printToolResult prints the primary value, or the whole answer as JSON; a
// verdict of failure is exit 1.
func (a *app) printToolResult(text string, success bool, whole any) error {
	var err error
	if a.json() {
		err = a.printJSON(whole)
	} else {
		err = a.printf("%s\n", text)
	}
	if err == nil && !success {
		err = status(exitFailure)
	}
	return err
}
