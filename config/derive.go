package config

import (
	"cmp"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// vendorModels are the models of the vendors' own servers for a provider table
// without default_model.
var vendorModels = map[string]string{
	"openai":    "gpt-5-mini",
	"anthropic": "claude-haiku-4-5",
}

var providerTypes = []string{"openai", "anthropic", "ollama", "gemini", "openai-compatible"}

// NewProvider returns the settings of a provider table that only names its type,
// for configurations made in Go. Its key is APIKey.
func NewProvider(providerType string) Provider {
	var p Provider
	setDefaults(reflect.ValueOf(&p).Elem(), []string{"providers", providerType})
	p.ProviderType = providerType
	p.DefaultModel = vendorModels[providerType]
	p.APIKeyEnv = keyVariable(providerType)
	return p
}

// keyVariable is the default api_key_env of a provider.
func keyVariable(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_API_KEY"
}

// derive fills what depends on other values, the environment or the machine.
func (l *loader) derive(cfg *Config) {
	l.derivePaths(cfg)
	if interactive(l.p.Command) && !cfg.IsSet("logging.log_level") {
		cfg.Logging.LogLevel = "warn"
	}
	if !cfg.IsSet("storage.postgres.pool_size") {
		cfg.Storage.Postgres.PoolSize = min(runtime.NumCPU()*2+1, 1000)
	}
	if !cfg.IsSet("runtime.max_total_memory_bytes") {
		cfg.Runtime.MaxTotalMemoryBytes = cmp.Or(l.p.MemoryBytes, memoryLimit("/")) / 10 * 6
	}
	l.smaller(cfg, "runtime.security.max_memory_bytes", "engines.lua.max_memory_bytes")
	l.smaller(cfg, "runtime.security.max_execution_time_ms", "engines.lua.timeout_ms")
	l.deriveProviders(cfg)
	cfg.Token = NewSecret(cmp.Or(l.credential("llmspell_token"), l.p.Env["LLMSPELL_TOKEN"]))
}

// smaller lets the second key, if set, lower the first.
func (l *loader) smaller(cfg *Config, key, other string) {
	if !cfg.IsSet(other) {
		return
	}
	root := reflect.ValueOf(cfg).Elem()
	a, _ := lookup(root, strings.Split(key, "."))
	b, _ := lookup(root, strings.Split(other, "."))
	if b.Int() > 0 && b.Int() < a.Int() {
		a.SetInt(b.Int())
		l.origins[key] = l.origins[other]
	}
}

// derivePaths makes configured paths absolute and fills the default ones.
func (l *loader) derivePaths(cfg *Config) {
	paths := l.p.paths()
	root := reflect.ValueOf(cfg).Elem()
	resolve := func(e *entry) {
		field, _ := lookup(root, e.segs)
		text, base := e.Default, ""
		if s, ok := l.winners[e.Path]; ok && cfg.IsSet(e.Path) {
			base = s.base
		} else if !e.derived() || strings.Contains(text, "<id>") {
			return
		} else if e.kind == kindPath {
			field.SetString(text)
		} else {
			field.Set(reflect.ValueOf(splitList(text)))
		}
		if e.kind == kindPath {
			field.SetString(l.p.resolvePath(field.String(), base, paths))
			return
		}
		var out []string
		for _, item := range field.Interface().([]string) {
			if path := l.p.resolvePath(item, base, paths); path != "" {
				out = append(out, path)
			}
		}
		field.Set(reflect.ValueOf(out))
	}
	resolve(bound().byPath["kernel.state_dir"])
	paths.StateDir = cfg.Kernel.StateDir
	paths = l.p.withState(paths)
	resolve(bound().byPath["kernel.runtime_dir"])
	paths.RuntimeDir = cfg.Kernel.RuntimeDir
	for _, e := range bound().entries {
		if e.kind == kindPath || e.kind == kindPathList {
			resolve(e)
		}
	}
	cfg.Paths = paths
	l.serviceFiles(cfg)
}

// serviceFiles are the defaults under a service manager that gives directories.
func (l *loader) serviceFiles(cfg *Config) {
	name := "kernel"
	if cfg.Kernel.ID != "" && cfg.Kernel.ID != "llmspell-kernel" {
		name = cfg.Kernel.ID
	}
	if dir := l.p.serviceDir("LOGS_DIRECTORY"); dir != "" && cfg.Logging.LogFile == "" {
		cfg.Logging.LogFile = filepath.Join(dir, name+".log")
	}
	if dir := l.p.serviceDir("RUNTIME_DIRECTORY"); dir != "" && cfg.Daemon.PIDFile == "" {
		cfg.Daemon.PIDFile = filepath.Join(dir, name+".pid")
	}
}

func (l *loader) deriveProviders(cfg *Config) {
	for name, p := range cfg.Providers {
		if p.ProviderType == "" && slices.Contains(providerTypes, name) {
			p.ProviderType = name
		}
		if p.BaseURL == "" {
			p.DefaultModel = cmp.Or(p.DefaultModel, vendorModels[p.ProviderType])
		}
		p.APIKeyEnv = cmp.Or(p.APIKeyEnv, keyVariable(name))
		p.key = NewSecret(cmp.Or(l.credential(p.APIKeyEnv), l.p.Env[p.APIKeyEnv]))
		cfg.Providers[name] = p
		if p.Enabled && p.NeedsKey() && !p.Key().IsSet() && l.p.Env != nil {
			problem := cfg.problem(joinKey([]string{"providers", name, "api_key_env"}), "no API key: %s is not set", p.APIKeyEnv)
			problem.Hint = "calls to this provider will fail"
			l.warnings = append(l.warnings, problem)
		}
	}
	if cfg.DefaultProvider == "" {
		cfg.DefaultProvider = firstProvider(cfg.Providers)
	}
}

// firstProvider is the first enabled of openai and anthropic, else the only one.
func firstProvider(providers map[string]Provider) string {
	var enabled []string
	for name, p := range providers {
		if p.Enabled {
			enabled = append(enabled, name)
		}
	}
	for _, name := range []string{"openai", "anthropic"} {
		if slices.Contains(enabled, name) {
			return name
		}
	}
	if len(enabled) == 1 {
		return enabled[0]
	}
	return ""
}

// disabled reports whether the section of a key is switched off, so that its
// variables are not needed.
func (c *Config) disabled(segs []string) bool {
	path := strings.Join(segs, ".")
	switch {
	case strings.HasPrefix(path, "storage.postgres."):
		return c.Storage.Backend != "postgres"
	case strings.HasPrefix(path, "storage.sqlite."):
		return c.Storage.Backend != "sqlite"
	case path == "security.tls_cert" || path == "security.tls_key":
		return !c.Security.TLSEnabled
	case strings.HasPrefix(path, "memory.") && len(segs) > 2:
		return !c.Memory.EnableMemory
	case strings.HasPrefix(path, "rag."):
		return !c.Memory.EnableRAG
	}
	root := reflect.ValueOf(c).Elem()
	for i := 1; i < len(segs); i++ {
		if _, e := resolveSegs(append(slices.Clone(segs[:i]), "enabled")); e == nil || e.kind != kindBool {
			continue
		}
		if v, ok := lookup(root, append(slices.Clone(segs[:i]), "enabled")); ok && !v.Bool() {
			return true
		}
	}
	return false
}
