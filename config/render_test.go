package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/llmspell/llmspell/fault"
)

const secretFile = `
[security]
hmac_key = "SECRET-hmac-0123456789"
[storage.postgres]
url = "postgres://u:SECRET-urlpass@localhost/db"
password = "SECRET-password"
[providers.openai]
api_key = "SECRET-openai"
options = { headers = [{ authorization = "SECRET-option" }], api_token = "SECRET-token", effort = "low" }
[providers.anthropic]
`

func TestNoSecretIsRendered(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.Env["ANTHROPIC_API_KEY"] = "SECRET-anthropic"
	p.Env["LLMSPELL_TOKEN"] = "SECRET-bootstrap"
	cfg := mustParse(t, secretFile, p)
	revealed := 0
	for _, s := range cfg.Secrets() {
		if strings.Contains(s.Reveal(), "SECRET") {
			revealed++
		}
	}
	if revealed != 7 { // hmac, url, its password, password, openai, anthropic, token
		t.Errorf("Secrets lists %d values", revealed)
	}
	cfg.Tools.HTTPRequest.DefaultHeaders = map[string]string{"Authorization": "SECRET-header"}

	js, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := cfg.JSON("")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "key", cfg.Security.HMACKey, "p", cfg.Providers["anthropic"].Key(), "token", cfg.Token)
	all, _ := cfg.Get("")
	red := cfg.Redacted()
	for name, text := range map[string]string{
		"TOML": string(cfg.TOML("", true)), "JSON": string(shown), "slog": log.String(), "Get": fmt.Sprint(all),
		"Describe": fmt.Sprintf("%+v", cfg.Describe("")), "Redacted": fmt.Sprintf("%#v %v", red, red.Providers["openai"].APIKey.Reveal()+red.Providers["anthropic"].Key().Reveal()+red.Token.Reveal()),
		"json of Redacted": marshal(t, red), "EnvVars": fmt.Sprintf("%+v", cfg.EnvVars()),
		"json.Marshal": string(js), "%v": fmt.Sprintf("%v %+v %s", cfg, cfg, cfg), "%#v": fmt.Sprintf("%#v", cfg.Security),
		"provider": fmt.Sprintf("%v %+v %#v", cfg.Providers["anthropic"], cfg.Providers["anthropic"], cfg.Providers["anthropic"]),
	} {
		if i := strings.Index(text, "SECRET"); i >= 0 {
			t.Errorf("%s shows a secret: ...%s", name, text[max(0, i-40):min(len(text), i+20)])
		}
	}
	if cfg.Security.HMACKey.Reveal() != "SECRET-hmac-0123456789" || cfg.Providers["openai"].Options["api_token"] != "SECRET-token" {
		t.Error("Redacted changed the original")
	}
	if !strings.Contains(string(cfg.TOML("security", false)), `hmac_key = "[redacted]"`) {
		t.Error("a set secret is not shown as redacted")
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestNoSecretInProblems gives every secret key a value of a wrong kind or range.
func TestNoSecretInProblems(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"[security]\nhmac_key = \"SECRET\"", "[security]\nhmac_key = [\"SECRET\"]", "[security]\nhmac_key = SECRET",
		"[storage]\nbackend = \"postgres\"\npostgres.url = \"mysql://SECRET\"", "[providers.openai]\napi_key = \"SECRET${\"",
		"[providers.openai]\nbase_url = \"https://u:SECRET@h\"", "[providers.openai]\napi_key_env = \"sk-SECRET\"",
	} {
		_, err := Parse([]byte(text), Params{})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestTOMLRoundTrip loads what TOML prints and finds the same values.
func TestTOMLRoundTrip(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.Profiles = []string{"daemon", "openai"}
	first := mustParse(t, "[providers.openai]\nprices.\"gpt-4.1\" = {input = 2}\noptions = {a = [1, {b = \"x\\\"y\"}]}\ntemperature = 0\nretry.initial_delay_ms = 20\n[kernel]\nidle_timeout = \"1500ms\"\nid = \"a\"", p)
	text := first.TOML("", true)
	second := mustParse(t, string(text), testParams(t))
	if diff := cmp.Diff(values2map(first, t), values2map(second, t)); diff != "" {
		t.Error(diff)
	}
}

func values2map(c *Config, t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := toml.Unmarshal(c.TOML("", false), &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "profile")
	return m
}

func TestGet(t *testing.T) {
	t.Parallel()
	cfg := mustParse(t, "[providers.openai]\nprices.\"gpt-4.1\" = {input = 2}", Params{})
	for key, want := range map[string]any{
		"kernel.port": int64(9555), "kernel.ip": "127.0.0.1", `providers.openai.prices."gpt-4.1".input`: 2.0,
		"logging.compress": true, "tools.http_request.allowed_hosts": []string{"*"}, "daemon.umask": int64(0o077),
		"kernel.health": map[string]any{"memory_threshold_mb": int64(1024), "disk_free_mb": int64(256), "queue_threshold": int64(128)},
	} {
		got, ok := cfg.Get(key)
		if !ok || !cmp.Equal(got, want) {
			t.Errorf("Get(%s) = %v, %v", key, got, ok)
		}
	}
	for _, key := range []string{"nope", "kernel.port.x", "kernel.id", "providers.none"} {
		if got, ok := cfg.Get(key); ok {
			t.Errorf("Get(%s) = %v", key, got)
		}
	}
	if len(cfg.Describe("kernel.health")) != 3 || len(cfg.Describe("kern")) != 0 {
		t.Error("Describe takes a prefix of a name for a table")
	}
	if sections := cfg.Sections(); sections[0] != "kernel" || len(sections) != 17 {
		t.Errorf("sections %v", sections)
	}
	if _, ok := cfg.Origin("kernel.prot"); ok {
		t.Error("Origin of an unknown key")
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	p := testParams(t)
	p.Env["OPENAI_API_KEY"] = "one"
	before := mustParse(t, "[kernel]\nport = 1\n[providers.openai]\n[logging]\nlog_level = \"warn\"", p)
	p.Env["OPENAI_API_KEY"] = "two"
	after := mustParse(t, "[kernel]\nport = 2\nmax_queue = 5\n[providers.openai]\n[logging]\nlog_level = \"debug\"", p)
	reloadable, needRestart := Diff(before, after)
	if diff := cmp.Diff([]string{"kernel.max_queue", "logging.log_level", "providers.openai.api_key"}, reloadable); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"kernel.port"}, needRestart); diff != "" {
		t.Error(diff)
	}
	if r, s := Diff(before, before); len(r)+len(s) != 0 {
		t.Error(r, s)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[security]\nhmac_key = \"$(openssl rand -base64 32)\"": "security.hmac_key is a placeholder",
		"[security]\nhmac_key = \"aaaaaaaaaaaaaaaaaaaa\"":       "security.hmac_key is a placeholder",
		"[kernel]\nport = -1":                                   "invalid configuration",
	} {
		_, err := Parse([]byte(text), Params{})
		e, ok := err.(*Error)
		if !ok || e.Summary() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	env := map[string]string{"A": "x", "EMPTY": "", "NESTED": "${A}"}
	for in, want := range map[string]string{
		"plain": "plain", "${A}": "x", "a${A}b${A}": "axbx", "${B:-d}": "d", "${EMPTY:-d}": "d", "${B:-}": "", "$$": "$",
		"$${A}": "${A}", "$x $": "$x $", "${NESTED}": "${A}", "${B:-a:-b}": "a:-b", "$$(x)": "$(x)",
	} {
		got, _, err := expandString(in, env)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"${B}", "${EMPTY}", "$(x)", "${", "${}", "${A B}", "${1}", "${A:?x}"} {
		if got, _, err := expandString(in, env); err == nil {
			t.Errorf("%q gives %q", in, got)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"prot": "port", "hots": "host", "shutdown_timout": "shutdown_timeout", "zzz": "", "idle-timeout": "idle_timeout"} {
		if got := fault.Nearest(word, []string{"port", "host", "shutdown_timeout", "idle_timeout"}); got != want {
			t.Errorf("%s: %q", word, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{secretFile, "[kernel]\nport = \"${A}\"", "providers.\"a.b\".x = 1", "[[kernel]]\na=1", "[providers.x.prices.\"\\u0000\"]\ninput = 1", "kernel = 1979-05-27"} {
		f.Add(text, "kernel.port=1")
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		p := Params{Env: map[string]string{"A": "1"}, Cwd: "/w", Home: "/h", UID: 1, MemoryBytes: 1 << 30, Set: []string{set}}
		cfg, err := Parse([]byte(text), p)
		if err != nil {
			e, ok := err.(*Error)
			if !ok || len(e.Problems) == 0 || err.Error() == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if err := cfg.Validate(); err != nil {
			t.Fatalf("accepted but invalid: %v", err)
		}
		var m map[string]any
		if err := toml.Unmarshal(cfg.TOML("", true), &m); err != nil {
			t.Fatalf("TOML does not parse: %v", err)
		}
		if _, err := cfg.JSON(""); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzExpand(f *testing.F) {
	f.Add("a${A}$$${B:-x}")
	f.Fuzz(func(t *testing.T, s string) {
		out, changed, err := expandString(s, map[string]string{"A": "v"})
		if err == nil && !changed && !strings.Contains(s, "$$") && out != s {
			t.Fatalf("%q became %q without a variable", s, out)
		}
	})
}

func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		Default()
	}
}
