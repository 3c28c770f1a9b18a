package luamod

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/script"
)

// ConfigSource is the configuration as scripts may see it: effective values with
// secrets redacted.
type ConfigSource interface {
	Get(path string) (any, bool) // "" = everything
	JSON(prefix string) ([]byte, error)
}

// Config is the global Config. current returns the configuration in force.
func Config(current func() ConfigSource) bind.Module {
	c := configRows{current}
	path := script.Param{Name: "path", Type: script.TypeString, Doc: "dotted: a.b.c"}
	name := script.Param{Name: "name", Type: script.TypeString, Required: true}
	row := func(name, doc string, ret script.Type, call func(a script.Args) (any, error), params ...script.Param) script.Func {
		return script.Func{Name: name, Doc: doc, Params: params, Returns: []script.Return{{Type: ret, Optional: name == "getProvider"}},
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				v, err := call(a)
				return []any{v}, err
			}}
	}
	return bind.Module{Module: script.Module{
		Name: "Config",
		Doc:  "The effective configuration, read only, with secrets shown as [redacted].",
		Funcs: withSnakeCase([]script.Func{
			row("get", "The value at a path, else the default. Without a path the whole configuration.", script.TypeAny, c.get,
				path, script.Param{Name: "default", Type: script.TypeAny}),
			row("getSection", "A section as a table. Raises not_found.", script.TypeTable, c.section, name),
			row("getProvider", "The configuration of a provider, nil if there is none.", script.TypeTable, c.provider, name),
			row("listProviders", "The names of the configured providers.", script.TypeArray, c.providers),
			row("getSecurity", "The ceilings for scripts: [runtime.security].", script.TypeTable, c.table("runtime.security")),
			row("getTools", "The configuration of the tools: [tools].", script.TypeTable, c.table("tools")),
			row("getDefaultEngine", `The script engine: "lua".`, script.TypeString, func(script.Args) (any, error) { return "lua", nil }),
			row("toJson", "The whole configuration as JSON text.", script.TypeString, c.json),
			row("isFileAccessAllowed", "Tells whether the policy lets scripts use files, or a file.", script.TypeBoolean, c.fileAllowed,
				script.Param{Name: "path", Type: script.TypeString, Doc: "a file or folder"}),
			row("isNetworkAccessAllowed", "Tells whether the policy lets scripts use the network, or reach a host.", script.TypeBoolean, c.hostAllowed,
				script.Param{Name: "host", Type: script.TypeString}),
			row("getPermissions", "What the policy allows, as booleans.", script.TypeTable, c.permissions),
		}),
	}}
}

type configRows struct{ current func() ConfigSource }

func (c configRows) get(a script.Args) (any, error) {
	if v, ok := c.current().Get(a.String(0)); ok {
		return v, nil
	}
	return a.At(1), nil
}

func (c configRows) section(a script.Args) (any, error) {
	if v, ok := c.current().Get(a.String(0)); ok {
		if m, ok := v.(map[string]any); ok {
			return m, nil
		}
	}
	return nil, fault.Errorf(fault.NotFound, "Config.getSection: there is no section %q", a.String(0))
}

func (c configRows) table(path string) func(script.Args) (any, error) {
	return func(script.Args) (any, error) { return c.tableAt(path), nil }
}

func (c configRows) tableAt(path string) map[string]any {
	v, _ := c.current().Get(path)
	if m, ok := v.(map[string]any); ok {
		return m
	}
	return map[string]any{}
}

func (c configRows) provider(a script.Args) (any, error) {
	if p, ok := c.tableAt("providers")[a.String(0)].(map[string]any); ok {
		return p, nil
	}
	return nil, nil
}

func (c configRows) providers(script.Args) (any, error) {
	var names []string
	for name, v := range c.tableAt("providers") {
		if _, ok := v.(map[string]any); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (c configRows) json(script.Args) (any, error) {
	text, err := c.current().JSON("")
	return string(text), err
}

func (c configRows) flag(path string) bool {
	v, _ := c.current().Get(path)
	on, _ := v.(bool)
	return on
}

func (c configRows) strings(path string) []string {
	v, _ := c.current().Get(path)
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		var out []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// fileAllowed answers by the text of the path; symlinks are judged when the
// file is opened.
func (c configRows) fileAllowed(a script.Args) (any, error) {
	roots := c.strings("tools.file_operations.allowed_paths")
	if !c.flag("runtime.security.allow_file_access") || len(roots) == 0 {
		return false, nil
	}
	if a.At(0) == nil {
		return true, nil
	}
	path, err := filepath.Abs(a.String(0))
	if err != nil {
		return false, nil
	}
	if !c.extensionAllowed(path) {
		return false, nil
	}
	return slices.ContainsFunc(roots, func(root string) bool {
		rel, err := filepath.Rel(root, path)
		return err == nil && filepath.IsLocal(rel)
	}), nil
}

// extensionAllowed compares as the file sandbox does: without case and dot.
func (c configRows) extensionAllowed(path string) bool {
	bare := func(ext string) string { return strings.ToLower(strings.TrimPrefix(ext, ".")) }
	ext := bare(filepath.Ext(path))
	in := func(list []string) bool {
		return slices.ContainsFunc(list, func(e string) bool { return bare(e) == ext })
	}
	allowed := c.strings("tools.file_operations.allowed_extensions")
	return (ext == "" || !in(c.strings("tools.file_operations.blocked_extensions"))) && (len(allowed) == 0 || in(allowed))
}

// hostAllowed answers by the name; its address is judged when it is dialled.
func (c configRows) hostAllowed(a script.Args) (any, error) {
	if !c.flag("runtime.security.allow_network_access") {
		return false, nil
	}
	host := strings.ToLower(a.String(0))
	if host == "" {
		return true, nil
	}
	matches := func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		if suffix, ok := strings.CutPrefix(pattern, "*."); ok {
			return host == suffix || strings.HasSuffix(host, "."+suffix)
		}
		return pattern == "*" || pattern == host
	}
	if slices.ContainsFunc(c.strings("tools.http_request.blocked_hosts"), matches) {
		return false, nil
	}
	allowed := c.strings("tools.http_request.allowed_hosts")
	return (len(allowed) == 0 || slices.ContainsFunc(allowed, matches)) &&
		(c.flag("tools.http_request.allow_private") || !privateHost(host)), nil
}

func (c configRows) permissions(script.Args) (any, error) {
	files, _ := c.fileAllowed(script.Args{})
	set := func(path string) bool { return len(c.tableAt(path)) > 0 }
	return map[string]any{
		"file_read":    files,
		"file_write":   files,
		"network":      c.flag("runtime.security.allow_network_access"),
		"process":      c.flag("runtime.security.allow_process_spawn") && c.flag("tools.system.allow_process_execution"),
		"env":          len(c.strings("tools.system.allowed_env_vars")) > 0,
		"email":        set("tools.email"),
		"database":     set("tools.database"),
		"state_backup": c.flag("runtime.state_persistence.backup_enabled"),
	}, nil
}
