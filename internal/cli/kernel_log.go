package cli

import (
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/logfile"
	"github.com/llmspell/llmspell/internal/logging"
)

// kernelLog is the log of a running kernel: its file, if it has one, and the
// level that signals change.
type kernelLog struct {
	*slog.Logger
	writer io.Writer
	file   *logfile.File // nil: stderr
	level  *slog.LevelVar
	base   slog.Level
}

// openLog opens the log a configuration names, else writes to stderr.
func openLog(cfg *config.Config, stderr io.Writer) (*kernelLog, error) {
	base, err := logging.ParseLevel(cfg.Logging.LogLevel)
	if err != nil {
		return nil, err
	}
	l := &kernelLog{writer: stderr, level: new(slog.LevelVar), base: base}
	l.level.Set(base)
	if cfg.Logging.LogFile != "" {
		if l.file, err = logfile.Open(fileParams(cfg)); err != nil {
			return nil, fault.Errorf(fault.PolicyDenied, "cannot open log file %s: %w", cfg.Logging.LogFile, err).
				WithHint("create its directory, or choose another with --log-file")
		}
		l.writer = l.file
	}
	secrets := secretValues(cfg)
	l.Logger, err = logging.New(logging.Params{
		Writer: l.writer, Format: cfg.Logging.Format, Level: l.level, Components: cfg.ComponentLevels,
		Secrets: func() []string { return secrets },
	})
	return l, err
}

func fileParams(cfg *config.Config) logfile.Params {
	c := cfg.Logging
	return logfile.Params{
		Path: c.LogFile, MaxSize: int64(c.MaxSizeMB) << 20, MaxBackups: c.MaxBackups,
		MaxAge: time.Duration(c.MaxAgeDays) * 24 * time.Hour, Compress: c.Compress,
	}
}

func secretValues(cfg *config.Config) []string {
	var out []string
	for _, s := range cfg.Secrets() {
		out = append(out, s.Reveal())
	}
	return out
}

func (l *kernelLog) reopen() {
	if l.file == nil {
		return
	}
	if err := l.file.Reopen(); err != nil {
		l.Error("log file cannot be reopened, the old one stays in use", "error", err)
	}
}

// configure applies level and rotation of a reloaded configuration.
func (l *kernelLog) configure(cfg *config.Config) {
	if base, err := logging.ParseLevel(cfg.Logging.LogLevel); err == nil {
		l.base = base
		l.level.Set(base)
	}
	if l.file != nil {
		l.file.Configure(fileParams(cfg))
	}
}

// toggleDebug switches between the configured level and debug.
func (l *kernelLog) toggleDebug() {
	next := slog.LevelDebug
	if l.level.Level() == slog.LevelDebug {
		next = l.base
	}
	l.Warn("log level changed by SIGUSR2", "level", strings.ToLower(next.String()))
	l.level.Set(next)
}

// Close closes the file.
func (l *kernelLog) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
