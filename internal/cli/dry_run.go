package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/registry"
	"github.com/llmspell/llmspell/server"
)

// finding is one line of kernel start --dry-run.
type finding struct {
	Check  string `json:"check"`
	Result string `json:"result"` // ok, note, fail
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// dryRun checks what a start would need and leaves nothing behind.
func (a *app) dryRun(ctx context.Context, cfg *config.Config) error {
	held := false
	pid := checkPIDFile(cfg, &held)
	findings := []finding{
		{Check: "configuration", Result: "ok", Detail: cfg.File},
		pid,
		checkPort(ctx, cfg, held),
		checkTLS(cfg, a.env.Now()),
		checkDir("state directory", cfg.Paths.StateDir),
		checkDir("runtime directory", cfg.Paths.RuntimeDir),
		checkDir("log directory", filepath.Dir(cfg.Logging.LogFile)),
		checkStore(cfg),
		a.checkToken(cfg),
	}
	findings = append(findings, checkProviders(cfg)...)
	failed := false
	for _, f := range findings {
		failed = failed || f.Result == "fail"
		if !a.json() {
			a.printf("%-4s  %-18s %s\n", f.Result, f.Check, f.Detail)
			if f.Hint != "" {
				a.printf("      %-18s hint: %s\n", "", f.Hint)
			}
		}
	}
	if a.json() {
		a.printJSON(findings)
	}
	if failed {
		return status(exitFailure)
	}
	return nil
}

func checkPIDFile(cfg *config.Config, held *bool) finding {
	f := finding{Check: "PID file", Result: "ok", Detail: cfg.Daemon.PIDFile}
	if cfg.Daemon.PIDFile == "" {
		f.Detail = "none"
		return f
	}
	state, err := registry.ReadPIDFile(cfg.Daemon.PIDFile)
	switch {
	case err != nil:
		f.Result, f.Detail = "fail", err.Error()
	case state.Held:
		*held = true
		f.Result, f.Detail = "note", fmt.Sprintf("%s is held by the running kernel (pid %d)", cfg.Daemon.PIDFile, state.PID)
	case state.Exists:
		f.Result, f.Detail = "note", cfg.Daemon.PIDFile+" is stale and would be replaced"
	}
	return f
}

func checkPort(ctx context.Context, cfg *config.Config, held bool) finding {
	addr := net.JoinHostPort(cfg.Kernel.Host, strconv.Itoa(cfg.Kernel.Port))
	f := finding{Check: "HTTP port", Result: "ok", Detail: addr}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		ln.Close()
	case held && errors.Is(err, unix.EADDRINUSE):
		f.Result, f.Detail = "note", addr+" is held by the running kernel"
	case errors.Is(err, unix.EADDRINUSE):
		f.Result, f.Detail, f.Hint = "fail", "Address already in use: "+addr, "choose another with --port or stop it"
	default:
		f.Result, f.Detail = "fail", err.Error()
	}
	return f
}

// checkTLS wants a pair that loads and is valid now; its last days are a note.
func checkTLS(cfg *config.Config, now time.Time) finding {
	f := finding{Check: "TLS", Result: "ok", Detail: "off"}
	if !cfg.Security.TLSEnabled {
		return f
	}
	c, err := server.LoadCertificate(cfg)
	if err != nil {
		why := explain(err)
		f.Result, f.Detail, f.Hint = "fail", why.Message, why.Hint
		return f
	}
	f.Detail = fmt.Sprintf("%s, valid until %s", cfg.Security.TLSCert, c.NotAfter.Format(time.RFC3339))
	switch left := c.NotAfter.Sub(now); {
	case left <= 0:
		f.Result, f.Detail = "fail", fmt.Sprintf("%s has expired at %s", cfg.Security.TLSCert, c.NotAfter.Format(time.RFC3339))
		f.Hint = "renew it"
	case c.NotBefore.After(now):
		f.Result, f.Detail = "fail", fmt.Sprintf("%s is not valid before %s", cfg.Security.TLSCert, c.NotBefore.Format(time.RFC3339))
	case left < 14*24*time.Hour:
		f.Result = "note"
	}
	return f
}

// checkDir wants a directory that is writable, or whose nearest existing
// parent is.
func checkDir(name, dir string) finding {
	f := finding{Check: name, Result: "ok", Detail: dir}
	if dir == "." || dir == "" {
		f.Detail = "none"
		return f
	}
	for d := dir; ; d = filepath.Dir(d) {
		st, err := os.Stat(d)
		if errors.Is(err, os.ErrNotExist) && d != "/" {
			f.Result, f.Detail = "note", dir+" would be made"
			continue
		}
		if err == nil && !st.IsDir() {
			err = fmt.Errorf("%s is not a directory", d)
		}
		if err == nil {
			err = unix.Access(d, unix.W_OK)
		}
		if err != nil {
			f.Result, f.Detail, f.Hint = "fail", fmt.Sprintf("%s: %v", d, err), "choose another, or give the account the right to write"
		}
		return f
	}
}

func checkStore(cfg *config.Config) finding {
	f := finding{Check: "storage", Result: "ok", Detail: cfg.Storage.Backend}
	if cfg.Storage.Backend != "sqlite" {
		return f
	}
	path := cfg.Storage.SQLite.Path
	switch st, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist):
		f.Result, f.Detail = "note", path+" would be made"
	case err != nil:
		f.Result, f.Detail = "fail", err.Error()
	case st.IsDir():
		f.Result, f.Detail = "fail", path+" is a directory"
	default:
		f.Detail = path
		if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
			f.Result, f.Detail = "fail", fmt.Sprintf("Permission denied: %s", path)
		}
	}
	return f
}

func (a *app) checkToken(cfg *config.Config) finding {
	f := finding{Check: "token", Result: "ok", Detail: "given"}
	if cfg.Token.IsSet() {
		return f
	}
	if err := a.tokenSource(cfg); err != nil {
		why := explain(err)
		f.Result, f.Detail, f.Hint = "fail", why.Message, why.Hint
		return f
	}
	path := server.TokenFile(cfg)
	f.Detail = path
	if _, err := os.Stat(path); err != nil {
		f.Result, f.Detail = "note", path+" would be made"
	}
	return f
}

func checkProviders(cfg *config.Config) []finding {
	var out []finding
	for _, name := range sortedKeys(cfg.Providers) {
		p := cfg.Providers[name]
		f := finding{Check: "provider " + name, Result: "ok", Detail: strings.TrimSpace(p.ProviderType + " " + p.DefaultModel)}
		switch {
		case !p.Enabled:
			f.Detail = "disabled"
		case p.NeedsKey() && !p.Key().IsSet():
			f.Result, f.Detail, f.Hint = "note", "no key: its first use will fail", "set "+p.APIKeyEnv
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		out = append(out, finding{Check: "providers", Result: "note", Detail: "none configured"})
	}
	return out
}
