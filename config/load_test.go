package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestPrecedence puts one key into a random set of layers: the highest wins and
// the origin names it.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		p := Params{Env: map[string]string{}, Cwd: home, Home: home, UID: 1000}
		want, origin, file := 64, "default", ""
		if rapid.Bool().Draw(t, "profile") {
			p.Profiles, want, origin = []string{"daemon"}, 100, "profile daemon"
		}
		if rapid.Bool().Draw(t, "file") {
			file, want, origin = "[runtime]\nmax_concurrent_scripts = 3", 3, "file config:2"
		}
		if rapid.Bool().Draw(t, "env") {
			p.Env["LLMSPELL_RUNTIME_MAX_CONCURRENT_SCRIPTS"], want, origin = "4", 4, "env LLMSPELL_RUNTIME_MAX_CONCURRENT_SCRIPTS"
		}
		switch rapid.IntRange(0, 2).Draw(t, "flag") {
		case 1:
			p.Set, want, origin = []string{"runtime.max_concurrent_scripts=5"}, 5, "flag --set"
		case 2:
			p.Overrides, want, origin = []Override{{"--scripts", "runtime.max_concurrent_scripts", "64"}}, 64, "flag --scripts"
		}
		cfg, err := Parse([]byte(file), p)
		if err != nil {
			t.Fatal(err)
		}
		o, _ := cfg.Origin("runtime.max_concurrent_scripts")
		if cfg.Runtime.MaxConcurrentScripts != want || o.String() != origin {
			t.Fatalf("got %d from %s, want %d from %s", cfg.Runtime.MaxConcurrentScripts, o, want, origin)
		}
	})
}

func TestDiscoverOrder(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.UID = os.Getuid()
	p.Command = "run"
	p.Env["XDG_CONFIG_HOME"] = filepath.Join(p.Home, "xdg")
	// From the last place to the first: each new file hides the ones before.
	places := []string{
		".llmspell/config.toml", "xdg/llmspell/config.toml", "xdg/llmspell/kernel.toml", "llmspell.toml", "env.toml", "flag.toml",
	}
	for i, name := range places {
		path := filepath.Join(p.Home, name)
		write(t, path, "[kernel]\nmax_queue = "+string(rune('1'+i)), 0o600)
		switch name {
		case "env.toml":
			p.Env["LLMSPELL_CONFIG"] = path
		case "flag.toml":
			p.ConfigPath = "flag.toml" // relative to Cwd
		}
		cfg, err := Discover(p)
		if err != nil {
			t.Fatal(name, err)
		}
		if cfg.File != path || cfg.Kernel.MaxQueue != i+1 {
			t.Errorf("with %s: read %s, max_queue %d", name, cfg.File, cfg.Kernel.MaxQueue)
		}
		if named := len(cfg.Notices) == 1; named != (name == "llmspell.toml") {
			t.Errorf("with %s: notices %q", name, cfg.Notices)
		}
	}
	p.ConfigPath = "missing.toml"
	if _, err := Discover(p); err == nil || !strings.Contains(err.Error(), "missing.toml cannot read the configuration file: no such file") {
		t.Errorf("a named file that is missing: %v", err)
	}
}

func TestLocalFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		info    FileInfo
		service bool
		notice  string
		used    bool
	}{
		{"own", FileInfo{1000, 0o644}, false, "using ./llmspell.toml", true},
		{"root's for a user", FileInfo{0, 0o644}, false, "ignoring ./llmspell.toml: it belongs to user 0", false},
		{"writable by all", FileInfo{1000, 0o646}, false, "ignoring ./llmspell.toml: others may write it (mode 0646)", false},
		{"writable by group", FileInfo{1000, 0o664}, false, "ignoring ./llmspell.toml: others may write it (mode 0664)", false},
		{"directory", FileInfo{1000, 0o755 | os.ModeDir}, false, "ignoring ./llmspell.toml: it is not a regular file", false},
		{"service", FileInfo{1000, 0o644}, true, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := testParams(t)
			local := filepath.Join(p.Cwd, "llmspell.toml")
			write(t, local, "[kernel]\nport = 1", 0o600)
			p.ServiceManaged = tt.service
			p.Stat = func(path string) (FileInfo, error) {
				if path == local {
					return tt.info, nil
				}
				return FileInfo{}, os.ErrNotExist
			}
			cfg, err := Discover(p)
			if err != nil {
				t.Fatal(err)
			}
			if (cfg.File == local) != tt.used || !strings.HasPrefix(strings.Join(cfg.Notices, "\n"), tt.notice) {
				t.Errorf("file %q, notices %q", cfg.File, cfg.Notices)
			}
		})
	}
}

func TestLocalFileMayNotRedirectKeys(t *testing.T) {
	t.Parallel()
	const refused = "may not choose the server that gets a key from the environment"
	for _, tt := range []struct {
		name, text string
		bad        bool
	}{
		{"key from the environment", "[providers.openai]\nbase_url = \"https://evil.example.com\"", true},
		{"key by another name", "[providers.x]\ntype = \"openai\"\napi_key_env = \"OPENAI_API_KEY\"\nbase_url = \"https://evil.example.com\"", true},
		{"key by expansion", "[providers.x]\ntype = \"openai\"\napi_key = \"${OPENAI_API_KEY}\"\nbase_url = \"https://evil.example.com\"", true},
		{"key in the address", "[providers.x]\ntype = \"openai\"\nbase_url = \"https://evil.example.com/${OPENAI_API_KEY}\"", true},
		{"own key", "[providers.x]\ntype = \"openai\"\napi_key = \"mine\"\nbase_url = \"https://other.example.com\"", false},
		{"no key", "[providers.x]\ntype = \"openai\"\nbase_url = \"http://localhost:8080\"", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := testParams(t)
			p.UID = os.Getuid()
			p.Command = "run"
			p.Env["OPENAI_API_KEY"] = "sk-environment"
			write(t, filepath.Join(p.Cwd, "llmspell.toml"), tt.text, 0o600)
			_, err := Discover(p)
			if tt.bad != (err != nil && strings.Contains(err.Error(), refused)) || !tt.bad && err != nil {
				t.Errorf("found: %v", err)
			}
			p.ConfigPath = "llmspell.toml"
			if _, err := Discover(p); err != nil {
				t.Errorf("named with --config: %v", err)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		p       Params
		set     []string
		want    Paths
		logFile string
		pidFile string
		db      string
	}{
		{
			name: "user", p: Params{UID: 1000, Home: "/home/u", Env: map[string]string{}},
			want: Paths{"/home/u/.config/llmspell", "/home/u/.local/state/llmspell", "/home/u/.local/state/llmspell/run", "/home/u/.local/state/llmspell/logs", ScopeUser},
			db:   "/home/u/.local/state/llmspell/llmspell.db",
		},
		{
			name: "user with XDG", p: Params{UID: 1000, Home: "/home/u", Env: map[string]string{"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/1000"}},
			want: Paths{"/c/llmspell", "/s/llmspell", "/run/user/1000/llmspell", "/s/llmspell/logs", ScopeUser},
			db:   "/s/llmspell/llmspell.db",
		},
		{
			name: "relative XDG is ignored", p: Params{UID: 1000, Home: "/home/u", GOOS: "darwin", Env: map[string]string{"XDG_STATE_HOME": "s"}},
			want: Paths{"/home/u/.config/llmspell", "/home/u/.local/state/llmspell", "/home/u/.local/state/llmspell/run", "/home/u/Library/Logs/llmspell", ScopeUser},
			db:   "/home/u/.local/state/llmspell/llmspell.db",
		},
		{
			name: "root", p: Params{Home: "/root", Env: map[string]string{}},
			want: Paths{"/etc/llmspell", "/var/lib/llmspell", "/run/llmspell", "/var/log/llmspell", ScopeSystem},
			db:   "/var/lib/llmspell/llmspell.db",
		},
		{
			name: "root on macOS", p: Params{Home: "/var/root", GOOS: "darwin", Env: map[string]string{}},
			want: Paths{"/usr/local/etc/llmspell", "/usr/local/var/lib/llmspell", "/usr/local/var/run/llmspell", "/usr/local/var/log/llmspell", ScopeSystem},
			db:   "/usr/local/var/lib/llmspell/llmspell.db",
		},
		{
			name: "root runs a script", p: Params{Home: "/root", Command: "run", Env: map[string]string{}},
			want: Paths{"/root/.config/llmspell", "/root/.local/state/llmspell", "/root/.local/state/llmspell/run", "/root/.local/state/llmspell/logs", ScopeUser},
			db:   "/root/.local/state/llmspell/llmspell.db",
		},
		{
			name: "service manager", p: Params{Home: "/root", Env: map[string]string{"STATE_DIRECTORY": "/var/lib/x:/var/lib/y", "RUNTIME_DIRECTORY": "/run/x", "LOGS_DIRECTORY": "/var/log/x"}},
			want: Paths{"/etc/llmspell", "/var/lib/x", "/run/x", "/var/log/x", ScopeSystem},
			db:   "/var/lib/x/llmspell.db", logFile: "/var/log/x/kernel.log", pidFile: "/run/x/kernel.pid",
		},
		{
			name: "service manager, own id and log file", p: Params{Home: "/root", Env: map[string]string{"RUNTIME_DIRECTORY": "/run/x", "LOGS_DIRECTORY": "/var/log/x"}},
			set:  []string{"kernel.id=blue", "logging.log_file=/mnt/k.log"},
			want: Paths{"/etc/llmspell", "/var/lib/llmspell", "/run/x", "/var/log/x", ScopeSystem},
			db:   "/var/lib/llmspell/llmspell.db", logFile: "/mnt/k.log", pidFile: "/run/x/blue.pid",
		},
		{
			name: "state_dir", p: Params{UID: 1, Home: "/home/u", Cwd: "/srv/app", Env: map[string]string{}}, set: []string{"kernel.state_dir=st"},
			want: Paths{"/home/u/.config/llmspell", "/srv/app/st", "/srv/app/st/run", "/srv/app/st/logs", ScopeUser},
			db:   "/srv/app/st/llmspell.db",
		},
		{name: "no environment", p: Params{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.p.GOOS == "" {
				tt.p.GOOS = "linux"
			}
			tt.p.Set = tt.set
			cfg := mustParse(t, "", tt.p)
			if diff := cmp.Diff(tt.want, cfg.Paths); diff != "" {
				t.Error(diff)
			}
			if cfg.Storage.SQLite.Path != tt.db || cfg.Logging.LogFile != tt.logFile || cfg.Daemon.PIDFile != tt.pidFile {
				t.Errorf("db %q, log %q, pid %q", cfg.Storage.SQLite.Path, cfg.Logging.LogFile, cfg.Daemon.PIDFile)
			}
			if cfg.Daemon.WorkingDir != cfg.Paths.StateDir || cfg.IsSet("daemon.working_dir") {
				t.Errorf("working_dir %q", cfg.Daemon.WorkingDir)
			}
		})
	}
}

func TestRelativePaths(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	write(t, filepath.Join(p.Home, "etc/k.toml"), "[security]\ntls_cert = \"cert.pem\"\n[tools.file_operations]\nallowed_paths = [\"data\", \"~/x\", \"/abs\"]", 0o600)
	p.ConfigPath = "etc/k.toml"
	p.Cwd = p.Home
	p.Env["LLMSPELL_DAEMON_PID_FILE"] = "k.pid"
	cfg, err := Discover(p)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(p.Home, "etc/data"), filepath.Join(p.Home, "x"), "/abs"}
	if diff := cmp.Diff(want, cfg.Tools.FileOperations.AllowedPaths); diff != "" {
		t.Error(diff)
	}
	if cfg.Security.TLSCert != filepath.Join(p.Home, "etc/cert.pem") || cfg.Daemon.PIDFile != filepath.Join(p.Cwd, "k.pid") {
		t.Error(cfg.Security.TLSCert, cfg.Daemon.PIDFile)
	}
}

func TestProfileCLI(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.Command = "run"
	cfg := mustParse(t, "", p)
	if len(cfg.Providers) != 0 || cfg.Memory.EnableMemory || len(cfg.Notes) != 3 {
		t.Errorf("without keys: providers %v, notes %q", cfg.Providers, cfg.Notes)
	}
	if got := cfg.Tools.FileOperations.AllowedPaths; !cfg.Runtime.Security.AllowFileAccess || !cmp.Equal(got, []string{p.Cwd, "/tmp"}) {
		t.Errorf("allowed_paths %q", got)
	}
	if cfg.Logging.LogLevel != "warn" || !cmp.Equal(cfg.Profile, []string{"cli"}) {
		t.Error(cfg.Logging.LogLevel, cfg.Profile)
	}

	p.Env["OPENAI_BASE_URL"] = "http://localhost:8080/v1"
	local := mustParse(t, "", p)
	openai := local.Providers["openai"]
	if openai.BaseURL != "http://localhost:8080/v1" || openai.NeedsKey() || len(local.Warnings) != 0 || local.DefaultProvider != "openai" || openai.DefaultModel != "" {
		t.Errorf("OPENAI_BASE_URL: %+v, warnings %v", openai, local.Warnings)
	}
	if o, _ := local.Origin("providers.openai.base_url"); o.Name != "OPENAI_BASE_URL" {
		t.Error("origin", o)
	}
	explicit := mustParse(t, "[providers.openai]\nbase_url = \"http://127.0.0.1:1\"", p)
	if explicit.Providers["openai"].BaseURL != "http://127.0.0.1:1" {
		t.Error("OPENAI_BASE_URL replaced an explicit base_url")
	}

	p.Env["ANTHROPIC_API_KEY"] = "sk-ant"
	delete(p.Env, "OPENAI_BASE_URL")
	keyed := mustParse(t, "", p)
	if keyed.Providers["anthropic"].Key().Reveal() != "sk-ant" || keyed.DefaultProvider != "anthropic" || keyed.Providers["anthropic"].DefaultModel == "" {
		t.Errorf("%+v", keyed.Providers)
	}

	p.Command = "kernel start"
	if service := mustParse(t, "", p); len(service.Providers) != 0 || service.Runtime.Security.AllowFileAccess || service.Logging.LogLevel != "info" {
		t.Error("a service started from the profile cli")
	}
}

func TestProfileChoice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		env        string
		flags      []string
		want       []string
		err        string
	}{
		{name: "file", file: `profile = ["openai", "daemon"]`, want: []string{"openai", "daemon"}},
		{name: "environment over file", file: `profile = "daemon"`, env: "minimal,openai", want: []string{"minimal", "openai"}},
		{name: "flag over environment", env: "minimal", flags: []string{"ollama"}, want: []string{"ollama"}},
		{name: "old names", file: `profile = ["providers", "full-local-ollama", "default", "claude-prod"]`, want: []string{"openai", "anthropic", "ollama", "rag-dev", "anthropic"}},
		{name: "misspelt", file: `profile = "deamon"`, err: `config:1:1 profile: unknown profile "deamon" (did you mean "daemon"?)`},
		{name: "candle", flags: []string{"candle"}, err: "use the profile ollama"},
		{name: "postgres", flags: []string{"postgres"}, err: "profile postgres storage.postgres.url: variable DATABASE_URL is not set"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := testParams(t)
			p.Profiles = tt.flags
			if tt.env != "" {
				p.Env["LLMSPELL_PROFILE"] = tt.env
			}
			cfg, err := Parse([]byte(tt.file), p)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, cfg.Profile); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestProfilesLoad loads every profile alone; only postgres is refused as a whole.
func TestProfilesLoad(t *testing.T) {
	t.Parallel()
	for _, info := range Profiles() {
		p := testParams(t)
		p.Profiles = []string{info.Name}
		p.Env["DATABASE_URL"] = "postgres://u@localhost/db"
		_, err := Parse(nil, p)
		if info.Name == "postgres" {
			if err == nil || err.Error() != `profile postgres storage.backend: "postgres" is not available in this version` {
				t.Error(err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", info.Name, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	maps.Copy(p.Env, map[string]string{
		"LLMSPELL_KERNEL_PORT":                                "9600",
		"LLMSPELL_KERNEL_IDLE_TIMEOUT":                        "90s",
		"LLMSPELL_KERNEL_HOST":                                "", // empty is unset
		"LLMSPELL_SECURITY_ALLOWED_ORIGINS":                   "localhost, https://a.example.org",
		"LLMSPELL_SECURITY_ALLOWED_HOSTS":                     `["a", "b"]`,
		"LLMSPELL_PROVIDERS_OPENAI_BASE_URL":                  "http://localhost:1",
		"LLMSPELL_PROVIDERS_MY_VLLM_PROVIDER_TYPE":            "openai",
		"LLMSPELL_PROVIDERS_MY_VLLM_BASE_URL":                 "http://localhost:2",
		"LLMSPELL_PROVIDERS_OPENAI_API_KEY":                   "literal$HOME${x}$(y)",
		"LLMSPELL_ENGINE":                                     "lua",
		"LLMSPELL_TOKEN":                                      "tok-1",
		"LLMSPELL_KERNEL_PROT":                                "1",
		"LLMSPELL_TEST_POSTGRES":                              "ignored",
		"LLMSPELL_PROVIDERS_OPENAI_RATE_LIMIT_MAX_CONCURRENT": "7",
	})
	cfg := mustParse(t, "[providers.my-vllm]\ndefault_model = \"m\"", p)
	if cfg.Kernel.Port != 9600 || cfg.Kernel.IdleTimeout != 90*time.Second || cfg.Kernel.Host != "127.0.0.1" || cfg.Token.Reveal() != "tok-1" {
		t.Errorf("%+v", cfg.Kernel)
	}
	if !cmp.Equal(cfg.Security.AllowedOrigins, []string{"localhost", "https://a.example.org"}) || !cmp.Equal(cfg.Security.AllowedHosts, []string{"a", "b"}) {
		t.Errorf("%+v", cfg.Security)
	}
	vllm, openai := cfg.Providers["my-vllm"], cfg.Providers["openai"]
	if vllm.BaseURL != "http://localhost:2" || vllm.DefaultModel != "m" || len(cfg.Providers) != 2 {
		t.Errorf("%+v", cfg.Providers)
	}
	if openai.Key().Reveal() != "literal$HOME${x}$(y)" || openai.RateLimit.MaxConcurrent != 7 {
		t.Errorf("%+v", openai)
	}
	if len(cfg.Warnings) != 1 || cfg.Warnings[0].String() != `LLMSPELL_KERNEL_PROT unknown variable (did you mean "LLMSPELL_KERNEL_PORT"?)` {
		t.Errorf("warnings %v", cfg.Warnings)
	}
	for _, v := range cfg.EnvVars() {
		if v.Set != (v.Key != "" && p.Env[v.Name] != "") {
			t.Errorf("EnvVars: %+v", v)
		}
	}

	p.Env["LLMSPELL_KERNEL_PORT"] = "many"
	p.Env["LLMSPELL_LOGGING_LOG_LEVEL"] = "loud"
	_, err := Parse(nil, p)
	want := "LLMSPELL_KERNEL_PORT kernel.port: must be an integer\n" +
		"LLMSPELL_LOGGING_LOG_LEVEL logging.log_level: must be one of off, error, warn, info, debug, trace, not \"loud\""
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env    map[string]string
		level  string
		levels map[string]string
		notes  int
		err    bool
	}{
		{env: map[string]string{"RUST_LOG": "debug"}, level: "debug"},
		{env: map[string]string{"RUST_LOG": "info,llmspell=debug"}, level: "debug"},
		{env: map[string]string{"RUST_LOG": "warn,server=trace,hyper=info,llmspell_store=error"}, level: "warn", levels: map[string]string{"server": "trace", "store": "error"}, notes: 1},
		{env: map[string]string{"RUST_LOG": "nonsense"}, level: "error", notes: 1},
		{env: map[string]string{"RUST_LOG": "debug", "LLMSPELL_LOG": "off"}, level: "off"},
		{env: map[string]string{"RUST_LOG": "debug", "LLMSPELL_LOGGING_LOG_LEVEL": "trace"}, level: "trace"},
		{env: map[string]string{"LLMSPELL_LOG": "info", "LLMSPELL_LOGGING_LOG_LEVEL": "trace"}, level: "info"},
		{env: map[string]string{"LLMSPELL_LOG": "loud"}, err: true},
	} {
		p := testParams(t)
		maps.Copy(p.Env, tt.env)
		cfg, err := Parse([]byte("[logging]\nlevel = \"error\""), p)
		if tt.err != (err != nil) {
			t.Errorf("%v: %v", tt.env, err)
		}
		if err != nil {
			continue
		}
		if tt.levels == nil {
			tt.levels = map[string]string{}
		}
		if cfg.Logging.LogLevel != tt.level || !cmp.Equal(cfg.ComponentLevels, tt.levels) || len(cfg.Notes) != tt.notes {
			t.Errorf("%v: %s %v %q", tt.env, cfg.Logging.LogLevel, cfg.ComponentLevels, cfg.Notes)
		}
		p.LogLevel = "trace"
		if flagged := mustParse(t, "", p); flagged.Logging.LogLevel != "trace" {
			t.Errorf("%v: --log-level gives %s", tt.env, flagged.Logging.LogLevel)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.Env["DIR"] = "/d"
	p.Set = []string{
		"kernel.port=9601", `kernel.state_dir="${DIR}/s"`, "kernel.id=123456", "daemon.umask=0o022", "kernel.idle_timeout=5m",
		"security.allowed_origins=localhost,example.org", `providers.openai.prices."gpt-4.1".input=2.5`, "logging.level=debug",
		"logging.json_format=true", "providers.openai.enabled=false",
	}
	cfg := mustParse(t, "", p)
	if cfg.Kernel.Port != 9601 || cfg.Kernel.StateDir != "/d/s" || cfg.Kernel.ID != "123456" || cfg.Daemon.Umask != 0o022 || cfg.Kernel.IdleTimeout != 5*time.Minute {
		t.Errorf("%+v %+v", cfg.Kernel, cfg.Daemon)
	}
	if len(cfg.Security.AllowedOrigins) != 2 || cfg.Providers["openai"].Prices["gpt-4.1"].Input != 2.5 || cfg.Logging.LogLevel != "debug" || cfg.Logging.Format != "json" {
		t.Errorf("%+v %+v", cfg.Security, cfg.Logging)
	}
	p.Set = []string{"kernel", "kernel.prot=1", "kernel..port=1", "kernel.port=abc", "kernel=5", "a\nb=1"}
	_, err := Parse(nil, p)
	var found *Error
	if !errors.As(err, &found) || len(found.Problems) != len(p.Set) {
		t.Errorf("got %v", err)
	}
}

func TestDisabledSections(t *testing.T) {
	t.Parallel()
	const file = "[providers.openai]\nenabled = %\napi_key = \"${NOT_SET}\""
	if _, err := Parse([]byte(strings.Replace(file, "%", "false", 1)), Params{}); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte(strings.Replace(file, "%", "true", 1)), Params{}); err == nil || !strings.Contains(err.Error(), "config:3:1 providers.openai.api_key: variable NOT_SET is not set") {
		t.Error(err)
	}
	// The layers above decide whether the section is on.
	if _, err := Parse([]byte(strings.Replace(file, "%", "true", 1)), Params{Set: []string{"providers.openai.enabled=false"}}); err != nil {
		t.Error(err)
	}
	// A value a higher layer replaces needs no variable.
	if _, err := Parse([]byte(strings.Replace(file, "%", "true", 1)), Params{Set: []string{"providers.openai.api_key=k"}}); err != nil {
		t.Error(err)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	dir := t.TempDir()
	p.Env["CREDENTIALS_DIRECTORY"] = dir
	p.Env["OPENAI_API_KEY"] = "from-env"
	p.Env["LLMSPELL_TOKEN"] = "from-env"
	write(t, filepath.Join(dir, "OPENAI_API_KEY"), "from-file\n", 0o600)
	write(t, filepath.Join(dir, "llmspell_token"), "token-file\n", 0o600)
	write(t, filepath.Join(dir, "hmac_key"), "0123456789abcdef0\n", 0o600)
	cfg := mustParse(t, "[providers.openai]\n", p)
	if cfg.Providers["openai"].Key().Reveal() != "from-file" || cfg.Token.Reveal() != "token-file" || cfg.Security.HMACKey.Reveal() != "0123456789abcdef0" {
		t.Error("wrong credential")
		t.Log(cfg.Warnings)
	}
	if direct := mustParse(t, "[providers.openai]\napi_key = \"direct\"", p); direct.Providers["openai"].Key().Reveal() != "direct" {
		t.Error("api_key does not win")
	}
	delete(p.Env, "OPENAI_API_KEY")
	delete(p.Env, "CREDENTIALS_DIRECTORY")
	if missing := mustParse(t, "[providers.openai]\n", p); len(missing.Warnings) != 1 || !strings.Contains(missing.Warnings[0].String(), "OPENAI_API_KEY is not set") {
		t.Error(missing.Warnings)
	}
}

func TestSecretFileMode(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.ConfigPath = filepath.Join(p.Home, "k.toml")
	write(t, p.ConfigPath, "[security]\nhmac_key = \"0123456789abcdef0\"", 0o644)
	cfg, err := Discover(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0].String(), ":2:1 security.hmac_key: a secret in a file that others may read (mode 0644") {
		t.Error(cfg.Warnings)
	}
	write(t, p.ConfigPath, "[security]\nhmac_key = \"0123456789abcdef0\"", 0o600)
	if cfg, _ = Discover(p); len(cfg.Warnings) != 0 {
		t.Error(cfg.Warnings)
	}
}

func TestLoad(t *testing.T) {
	t.Setenv("LLMSPELL_KERNEL_MAX_QUEUE", "11")
	t.Setenv("HOME", t.TempDir())
	path := filepath.Join(t.TempDir(), "config.toml")
	write(t, path, "[kernel]\nport = 1234\nmax_queue = 3", 0o600)
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Kernel.Port != 1234 || cfg.Kernel.MaxQueue != 11 {
		t.Errorf("%+v", cfg.Kernel)
	}
	if _, err := Load(""); err == nil {
		t.Error("Load without a name succeeds")
	}
}

func TestSmallerLimitWins(t *testing.T) {
	t.Parallel()
	cfg := mustParse(t, "[engines.lua]\ntimeout_ms = 1500\nmax_memory_bytes = 90000000", Params{})
	if cfg.Runtime.Security.MaxExecutionTime != 1500*time.Millisecond || cfg.Runtime.Security.MaxMemoryBytes != 50000000 {
		t.Errorf("%+v", cfg.Runtime.Security)
	}
	if o, _ := cfg.Origin("runtime.security.max_execution_time_ms"); o.Line != 2 {
		t.Error(o)
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if memoryLimit(root) != fallbackMemory {
		t.Error("unknown system")
	}
	write(t, filepath.Join(root, "proc/meminfo"), "MemFree: 1 kB\nMemTotal:       8000 kB\n", 0o600)
	if memoryLimit(root) != 8000<<10 {
		t.Error("memory of the machine")
	}
	write(t, filepath.Join(root, "proc/self/cgroup"), "0::/a.slice/b.scope\n", 0o600)
	write(t, filepath.Join(root, "sys/fs/cgroup/a.slice/b.scope/memory.max"), "max\n", 0o600)
	write(t, filepath.Join(root, "sys/fs/cgroup/a.slice/memory.max"), "4096000\n", 0o600)
	if memoryLimit(root) != 4096000 {
		t.Error("limit of a parent group")
	}
}

// TestHostileText bounds time and report size for text that is far from a configuration.
func TestHostileText(t *testing.T) {
	t.Parallel()
	var names strings.Builder
	for i := range 25000 {
		fmt.Fprintf(&names, "k%d = 1\n", i)
	}
	for name, text := range map[string]string{
		"deep key": strings.Repeat("a.", 100000) + "a = 1", "deep known key": "providers.openai.options." + strings.Repeat("a.", 2000) + "a = \"${x:-}\"",
		"many keys": names.String(), "too large": strings.Repeat("#", maxFileSize+1),
	} {
		start := time.Now()
		_, err := Parse([]byte(text), Params{})
		var found *Error
		if errors.As(err, &found) && len(found.Problems) > maxProblems {
			t.Errorf("%s: %d problems", name, len(found.Problems))
		}
		if (err == nil) != (name == "deep known key") {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

func TestNewProvider(t *testing.T) {
	t.Parallel()
	cfg := Default()
	p := NewProvider("openai")
	p.APIKey = NewSecret("k")
	cfg.Providers = map[string]Provider{"openai": p}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if p.Timeout != 300*time.Second || !p.Enabled || p.MaxRetries != 3 || p.Key().Reveal() != "k" {
		t.Errorf("%+v", p)
	}
	cfg.Kernel.Port = 70000
	cfg.Memory.EnableMemory = true
	if err := cfg.Validate(); err == nil || err.Error() != "kernel.port: must be 0 to 65535\nmemory.enable_memory: not available in this version" {
		t.Error(err)
	}
}
