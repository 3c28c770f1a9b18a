package cli

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/logging"
	"github.com/llmspell/llmspell/llm/replay"
	"github.com/llmspell/llmspell/server"
	"github.com/llmspell/llmspell/standard"
)

// openKernel opens a kernel in this process for one command, beside a running
// one if there is one. x tells what to record or replay; a script without any
// usable provider replays the conversation that lies beside it.
func (a *app) openKernel(ctx context.Context, cfg *config.Config, x *execution) (*llmspell.Kernel, error) {
	p := standard.Params{Config: cfg, SharedStore: true, Record: x.record, Replay: x.replay}
	if beside := conversation(x.path); p.Record == "" && p.Replay == "" && beside != "" && !hasProvider(cfg) {
		player, err := replay.Open(beside)
		if err != nil {
			return nil, err
		}
		p.Replay = beside
		info := player.Info()
		a.note("note: no provider configured; replaying %s (recorded %s, %s)", filepath.Base(beside), info.Recorded.Format("2006-01-02"), info.Model)
	}
	log, err := a.commandLogger(cfg)
	if err != nil {
		return nil, err
	}
	p.Logger = log
	return standard.OpenParams(ctx, p)
}

// hasProvider reports whether any model can be asked.
func hasProvider(cfg *config.Config) bool {
	for _, p := range cfg.Providers {
		if p.Enabled && (p.Key().IsSet() || !p.NeedsKey()) {
			return true
		}
	}
	return false
}

// commandLogger writes to stderr, from warnings up unless told otherwise.
func (a *app) commandLogger(cfg *config.Config) (*slog.Logger, error) {
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	if cfg.IsSet("logging.log_level") {
		l, err := logging.ParseLevel(cfg.Logging.LogLevel)
		if err != nil {
			return nil, err
		}
		level.Set(l)
	}
	secrets := secretValues(cfg)
	return logging.New(logging.Params{
		Writer: a.env.Stderr, Format: cfg.Logging.Format, Level: level, Components: cfg.ComponentLevels,
		Secrets: func() []string { return secrets },
	})
}

// newKernel builds the kernel of a service; server.Start opens its storage.
func newKernel(ctx context.Context, cfg *config.Config, log *slog.Logger) (*llmspell.Kernel, error) {
	return standard.New(ctx, standard.Params{Config: cfg, Logger: log})
}

func (a *app) historyFile() string {
	for _, p := range a.configParams("repl").Scopes() {
		return filepath.Join(p.StateDir, "repl_history")
	}
	return ""
}

// tokenSource refuses LLMSPELL_TOKEN set but empty, with no token elsewhere: it
// was meant to be given (the container image sets it so), and a generated one
// would be known to nobody.
func (a *app) tokenSource(cfg *config.Config) error {
	value, set := config.EnvMap(a.env.Environ)["LLMSPELL_TOKEN"]
	if !set || value != "" || cfg.Token.IsSet() {
		return nil
	}
	if _, err := os.Stat(server.TokenFile(cfg)); err == nil {
		return nil
	}
	return fault.Errorf(fault.InvalidState, "no token: LLMSPELL_TOKEN is set but empty").
		WithHint("give it a value of 16 bytes or more, put the token into %s, or unset it to have one made", server.TokenFile(cfg))
}
