package standard_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/standard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, toml string) *config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte(toml), config.Params{Cwd: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func open(t *testing.T, p standard.Params) *llmspell.Kernel {
	t.Helper()
	k, err := standard.OpenParams(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func run(t *testing.T, k *llmspell.Kernel, code string) string {
	t.Helper()
	r, err := k.Execute(t.Context(), code)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return r.String()
}

const quiet = "[logging]\nlog_level = \"off\"\n"

func TestStateSurvivesInSQLite(t *testing.T) {
	t.Parallel()
	cfg := parse(t, quiet+"[kernel]\nstate_dir = \"state\"")
	k := open(t, standard.Params{Config: cfg})
	run(t, k, "State.save('global', 'n', 41)")

	if _, err := standard.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "Store") {
		t.Errorf("a second kernel on the same database: %v", err)
	}
	beside := open(t, standard.Params{Config: cfg, SharedStore: true})
	if got := run(t, beside, "return State.load('global', 'n')"); got != "41" {
		t.Errorf("beside the kernel: %s", got)
	}
	if err := errors.Join(beside.Close(), k.Close()); err != nil {
		t.Fatal(err)
	}
	again := open(t, standard.Params{Config: cfg})
	if got := run(t, again, "return State.load('global', 'n') + 1"); got != "42" {
		t.Errorf("after a restart: %s", got)
	}
}

func TestVolatileState(t *testing.T) {
	t.Parallel()
	cfg := parse(t, quiet+"[kernel]\nstate_dir = \"state\"\n[runtime.state_persistence]\nenabled = false")
	k := open(t, standard.Params{Config: cfg})
	if got := run(t, k, "State.save('global', 'n', 1) return State.load('global', 'n')"); got != "1" {
		t.Errorf("got %s", got)
	}
	k.Close()
	again := open(t, standard.Params{Config: cfg})
	if got := run(t, again, "return State.load('global', 'n') == nil"); got != "true" {
		t.Errorf("the value survived: %s", got)
	}
}

func TestStartFailuresNameComponentAndKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ toml, want string }{
		"state dir":     {"[kernel]\nstate_dir = \"" + file + "\"", "storage.backend"},
		"allowed paths": {"[storage]\nbackend = \"memory\"\n[runtime.security]\nallow_file_access = true\n[tools.file_operations]\nallowed_paths = [\"" + filepath.Join(dir, "missing") + "\"]", "allowed_paths"},
	} {
		_, err := standard.Open(t.Context(), parse(t, quiet+c.toml))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to name %s", name, err, c.want)
		}
	}
}

func TestStockTools(t *testing.T) {
	t.Parallel()
	cfg := parse(t, quiet+"[storage]\nbackend = \"memory\"\n[runtime.security]\nallow_file_access = true\n[tools.file_operations]\nallowed_paths = [\".\"]")
	k := open(t, standard.Params{Config: cfg})
	reg := k.Infrastructure().ToolRegistry()
	want := []string{"base64-encoder", "calculator", "datetime-handler", "file-operations", "hash-calculator", "json-processor", "text-manipulator", "uuid-generator"}
	var got []string
	for _, info := range reg.List() {
		got = append(got, info.Name)
		if !info.Enabled {
			t.Errorf("%s is disabled", info.Name)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("tools %v, want %v", got, want)
	}
	out, err := reg.Invoke(t.Context(), "calculator", map[string]any{"input": "6*7"})
	if err != nil || out.Text != "42" {
		t.Errorf("calculator: %+v, %v", out, err)
	}
	dir := cfg.Tools.FileOperations.AllowedPaths[0]
	write := map[string]any{"operation": "write", "path": filepath.Join(dir, "a.txt"), "input": "hi"}
	if _, err := reg.Invoke(t.Context(), "file-operations", write); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(data) != "hi" {
		t.Errorf("written %q, %v", data, err)
	}
	if _, err := reg.Invoke(t.Context(), "file-operations", map[string]any{"operation": "read", "path": "/etc/passwd"}); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("outside: %v", err)
	}
}

func TestFilesAreDeniedByDefault(t *testing.T) {
	t.Parallel()
	k := open(t, standard.Params{Config: parse(t, quiet+"[storage]\nbackend = \"memory\"")})
	_, err := k.Infrastructure().ToolRegistry().Invoke(t.Context(), "file-operations", map[string]any{"operation": "read", "path": "/etc/passwd"})
	if fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("tool: %v", err)
	}
	if got := run(t, k, "local ok, e = pcall(io.open, '/etc/passwd') return not ok and e.code"); got != "policy_denied" {
		t.Errorf("io.open: %s", got)
	}
}

const conversation = `{"llmspell_replay":1,"recorded":"2026-01-02T03:04:05Z","provider":"openai","model":"gpt-4o"}
`

func TestRecordAndReplayModels(t *testing.T) {
	t.Parallel()
	cfg := parse(t, quiet+"[storage]\nbackend = \"memory\"")
	file := filepath.Join(t.TempDir(), "talk.jsonl")
	if _, err := standard.New(t.Context(), standard.Params{Config: cfg, Record: file, Replay: file}); fault.CodeOf(err) != fault.InvalidArgument {
		t.Errorf("record and replay: %v", err)
	}
	if err := os.WriteFile(file, []byte(conversation), 0o600); err != nil {
		t.Fatal(err)
	}
	k := open(t, standard.Params{Config: cfg, Replay: file})
	providers := k.Infrastructure().ProviderManager().List()
	if len(providers) != 1 || providers[0].Name != "openai" || providers[0].DefaultModel != "gpt-4o" || !providers[0].Available || !providers[0].Default {
		t.Errorf("providers %+v", providers)
	}
	if _, err := k.Execute(t.Context(), "return Agent.query('not recorded')"); err == nil {
		t.Error("a call that was not recorded was answered")
	}
}

func TestProvidersOfTheConfiguration(t *testing.T) {
	t.Parallel()
	cfg := parse(t, quiet+`
[storage]
backend = "memory"
[providers]
default_provider = "local"
[providers.openai]
default_model = "gpt-4o"
[providers.anthropic]
api_key = "sk-ant-0123456789"
[providers.local]
provider_type = "ollama"
[providers.off]
provider_type = "openai"
enabled = false
`)
	infra, err := standard.NewInfrastructure(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer infra.Close()
	got := map[string]llmspell.ProviderInfo{}
	for _, p := range infra.ProviderManager().List() {
		got[p.Name] = p
	}
	for name, available := range map[string]bool{"openai": false, "anthropic": true, "local": true, "off": false} {
		if p, ok := got[name]; !ok || p.Available != available || !available && p.Problem == "" {
			t.Errorf("%s: %+v, want available %t", name, p, available)
		}
	}
	ref, err := infra.ProviderManager().Resolve(context.Background(), "anthropic/claude-haiku-4-5")
	if err != nil || ref.String() != "anthropic/claude-haiku-4-5" {
		t.Errorf("resolved %v, %v", ref, err)
	}
}

func TestReloadChangesWhatFilesAreAllowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("hi"), 0o600); err != nil {
		t.Fatal(err)
	}
	allowed := parse(t, quiet+"[storage]\nbackend = \"memory\"\n[runtime.security]\nallow_file_access = true\n[tools.file_operations]\nallowed_paths = [\""+dir+"\"]")
	denied := parse(t, quiet+"[storage]\nbackend = \"memory\"")
	k := open(t, standard.Params{Config: allowed})
	s, err := k.NewSession(t.Context(), llmspell.SessionParams{})
	if err != nil {
		t.Fatal(err)
	}
	code := "local ok, f = pcall(io.open, '" + filepath.Join(dir, "a.txt") + "') return ok and f:read('a') or f.code"
	for _, step := range []struct {
		config *config.Config
		want   string
	}{{nil, "hi"}, {denied, "policy_denied"}, {allowed, "hi"}} {
		if step.config != nil {
			report, err := k.Reload(t.Context(), step.config)
			if err != nil || len(report.Applied) == 0 || len(report.RestartRequired) != 0 {
				t.Fatalf("report %+v, %v", report, err)
			}
		}
		r, err := s.Execute(t.Context(), code)
		if err != nil || r.String() != step.want {
			t.Errorf("session: %s, %v, want %s", r, err, step.want)
		}
		if got := run(t, k, code); got != step.want {
			t.Errorf("fresh interpreter: %s, want %s", got, step.want)
		}
	}
}
