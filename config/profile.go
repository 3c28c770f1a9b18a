package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
)

// ProfileInfo is one built-in profile.
type ProfileInfo struct {
	Name string
	Doc  string
	TOML string // what it sets, below the file in precedence
	// IfKey names providers whose table applies only if their key is present.
	IfKey []string
}

// Profiles lists the built-in profiles. Keys whose feature has not landed are part
// of the text; they are left out when the profile is applied.
func Profiles() []ProfileInfo { return slices.Clone(profiles) }

var profiles = []ProfileInfo{
	{
		Name: "cli", Doc: "what run, exec and repl start from",
		IfKey: []string{"openai", "anthropic"},
		TOML: `[memory]
enable_memory = true
enable_rag = true

[rag.embedding]
default_provider = "lexical"

[runtime.security]
allow_file_access = true

[tools.file_operations]
allowed_paths = [".", "${TMPDIR:-/tmp}"]

[providers.openai]    # if OPENAI_API_KEY or OPENAI_BASE_URL is set
enabled = true

[providers.anthropic] # if ANTHROPIC_API_KEY is set
enabled = true
`,
	},
	{
		Name: "minimal", Doc: "nothing kept, no providers, no network; for tests",
		TOML: `[storage]
backend = "memory"

[runtime.security]
allow_network_access = false

[memory]
enable_memory = false
enable_rag = false
`,
	},
	{
		Name: "development", Doc: "debug log, memory, files of the working directory",
		IfKey: []string{"openai", "anthropic"},
		TOML: `[logging]
log_level = "debug"
format = "text"

[memory]
enable_memory = true

[runtime.security]
allow_file_access = true

[tools.file_operations]
allowed_paths = ["."]

[providers.openai]    # if OPENAI_API_KEY is set
enabled = true

[providers.anthropic] # if ANTHROPIC_API_KEY is set
enabled = true
`,
	},
	{
		Name: "daemon", Doc: "a service: log file with rotation, more executions, longer scripts",
		TOML: `[kernel]
idle_timeout = 0

[logging]
log_file = "<logs>/kernel.log"
max_size_mb = 100
max_backups = 5
compress = true

[storage]
backend = "sqlite"

[runtime]
max_concurrent_scripts = 100
script_timeout_seconds = 600
`,
	},
	{
		Name: "postgres", Doc: "PostgreSQL with tenant isolation, json logs",
		TOML: `[storage]
backend = "postgres"

[storage.postgres]
url = "${DATABASE_URL}"
enforce_tenant_isolation = true
auto_migrate = false

[logging]
format = "json"
`,
	},
	{
		Name: "rag-dev", Doc: "small offline retrieval",
		TOML: `[memory]
enable_rag = true

[rag.embedding]
default_provider = "lexical"
cache_enabled = false

[rag.vector_storage]
dimensions = 384

[rag.vector_storage.hnsw]
m = 8
ef_construction = 25
ef_search = 50

[rag.chunking]
chunk_size = 256
overlap = 32

[rag.cache]
search_cache_enabled = false
`,
	},
	{
		Name: "rag-prod", Doc: "retrieval for many tenants with a provider's embedder",
		TOML: `[memory]
enable_rag = true

[rag]
multi_tenant = true

[rag.embedding]
default_provider = ""
cache_enabled = true

[rag.vector_storage]
dimensions = 768

[rag.vector_storage.hnsw]
m = 16
ef_construction = 200
ef_search = 50

[rag.cache]
search_cache_enabled = true
`,
	},
	{
		Name: "ollama", Doc: "a local Ollama server",
		TOML: `[providers]
default_provider = "ollama"

[providers.ollama]
enabled = true
base_url = "http://localhost:11434"
default_model = "llama3.1:8b"
`,
	},
	{
		Name: "openai", Doc: "OpenAI as the default provider, key in OPENAI_API_KEY",
		TOML: `[providers]
default_provider = "openai"

[providers.openai]
enabled = true
api_key_env = "OPENAI_API_KEY"
max_retries = 5

[providers.openai.rate_limit]
requests_per_minute = 500
max_concurrent = 32
`,
	},
	{
		Name: "anthropic", Doc: "Anthropic as the default provider, key in ANTHROPIC_API_KEY",
		TOML: `[providers]
default_provider = "anthropic"

[providers.anthropic]
enabled = true
api_key_env = "ANTHROPIC_API_KEY"
max_retries = 5

[providers.anthropic.rate_limit]
requests_per_minute = 500
max_concurrent = 32
`,
	},
}

// oldProfiles are accepted names of older documents.
var oldProfiles = map[string][]string{
	"default":           {},
	"providers":         {"openai", "anthropic"},
	"state":             {"daemon"},
	"sessions":          {"daemon"},
	"daemon-dev":        {"daemon"},
	"daemon-prod":       {"daemon"},
	"memory":            {"development"},
	"postgres-prod":     {"postgres"},
	"openai-prod":       {"openai"},
	"claude-prod":       {"anthropic"},
	"rag-perf":          {"rag-prod"},
	"full-local-ollama": {"ollama", "rag-dev"},
}

// Profile returns the built-in profile of that name.
func Profile(name string) (ProfileInfo, bool) {
	i := slices.IndexFunc(profiles, func(p ProfileInfo) bool { return p.Name == name })
	if i < 0 {
		return ProfileInfo{}, false
	}
	return profiles[i], true
}

// chooseProfiles returns the profiles in force: those of the highest layer that
// names any, else cli for a command that addresses no kernel.
func (l *loader) chooseProfiles(layers ...[]setting) []string {
	var names []string
	var from Origin
	if interactive(l.p.Command) {
		names = []string{"cli"}
	}
	for _, layer := range layers {
		for _, s := range layer {
			if s.entry == nil || s.entry.Path != "profile" {
				continue
			}
			if v, ok := l.value(s); ok {
				names, from = v.([]string), s.origin
			}
		}
	}
	if l.p.Profiles != nil {
		names, from = l.p.Profiles, Origin{Layer: LayerFlag, Name: "--profile"}
	}
	var out []string
	for _, name := range names {
		if old, ok := oldProfiles[name]; ok {
			out = append(out, old...)
			continue
		}
		if _, ok := Profile(name); !ok {
			l.badProfile(name, from)
			continue
		}
		out = append(out, name)
	}
	if from.Layer != "" {
		l.origins["profile"] = from
	}
	return out
}

func (l *loader) badProfile(name string, from Origin) {
	p := from.problem("profile", "unknown profile %q", name)
	if name == "candle" {
		p.Hint = "local models are served by Ollama: use the profile ollama"
	} else {
		var names []string
		for _, info := range profiles {
			names = append(names, info.Name)
		}
		p.DidYouMean = fault.Nearest(name, names)
		p.Hint = "profiles are " + strings.Join(names, ", ")
	}
	l.problems = append(l.problems, p)
}

// profileSettings is the profile layer: later profiles win, keys that have not
// landed are left out with a note.
func (l *loader) profileSettings(names []string) []setting {
	var out []setting
	for _, name := range names {
		info, _ := Profile(name)
		doc := parseDocument("profile "+name, []byte(info.TOML), Origin{Layer: LayerProfile, Name: name}, l.p.Cwd)
		l.problems = append(l.problems, doc.problems...)
		for _, s := range doc.settings {
			if s.entry != nil && s.entry.pending {
				l.notes = append(l.notes, fmt.Sprintf("profile %s: %s left out, not available in this version", name, s.key()))
				continue
			}
			if l.withoutKey(info, s) {
				continue
			}
			out = append(out, s)
		}
		if name == "cli" {
			out = append(out, l.localServer()...)
		}
	}
	return out
}

func (l *loader) withoutKey(info ProfileInfo, s setting) bool {
	if len(s.segs) < 2 || s.segs[0] != "providers" || !slices.Contains(info.IfKey, s.segs[1]) {
		return false
	}
	env := keyVariable(s.segs[1])
	if l.credential(env) != "" || l.p.Env[env] != "" {
		return false
	}
	return !(info.Name == "cli" && s.segs[1] == "openai" && l.p.Env["OPENAI_BASE_URL"] != "")
}

// localServer takes OPENAI_BASE_URL in the profile cli, below every explicit layer.
func (l *loader) localServer() []setting {
	url := l.p.Env["OPENAI_BASE_URL"]
	if url == "" {
		return nil
	}
	segs := []string{"providers", "openai", "base_url"}
	return []setting{l.envSetting("OPENAI_BASE_URL", url, segs, bound().byPath["providers.*.base_url"])}
}
