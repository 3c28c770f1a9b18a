package cli

import (
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
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

	secrets atomic.Pointer[[]string] // never to be written
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
			return nil, logFileError(cfg, err)
		}
		l.writer = l.file
	}
	l.know(cfg)
	l.Logger, err = logging.New(logging.Params{
		Writer: l.writer, Format: cfg.Logging.Format, Level: l.level, Components: cfg.ComponentLevels,
		Secrets: func() []string { return *l.secrets.Load() },
	})
	return l, err
}

// know adds the secrets of a configuration to those that are kept out of the
// log; an old one may still be in use.
func (l *kernelLog) know(cfg *config.Config) { l.hide(secretValues(cfg)...) }

func (l *kernelLog) hide(all ...string) {
	if old := l.secrets.Load(); old != nil {
		all = append(all, *old...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	l.secrets.Store(&all)
}

func logFileError(cfg *config.Config, err error) error {
	return fault.Errorf(fault.InvalidState, "cannot open log file: %w", err).
		WithHint("create the directory of %s, or choose another with --log-file", cfg.Logging.LogFile)
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
	l.know(cfg)
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
