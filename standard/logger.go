package standard

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/logfile"
	"github.com/llmspell/llmspell/internal/logging"
)

type logger struct {
	*slog.Logger
	close func() error
}

// newLogger builds the logger of [logging]: to log_file, else to standard error.
func newLogger(c *config.Config) (logger, error) {
	l := c.Logging
	level, err := logging.ParseLevel(l.LogLevel)
	if err != nil {
		return logger{}, err
	}
	var w io.Writer = os.Stderr
	done := func() error { return nil }
	if l.LogFile != "" {
		f, err := logfile.Open(logfile.Params{
			Path: l.LogFile, MaxSize: int64(l.MaxSizeMB) << 20, MaxBackups: l.MaxBackups,
			MaxAge: time.Duration(l.MaxAgeDays) * 24 * time.Hour, Compress: l.Compress,
		})
		if err != nil {
			return logger{}, err
		}
		w, done = f, f.Close
	}
	lv := new(slog.LevelVar)
	lv.Set(level)
	log, err := logging.New(logging.Params{
		Writer: w, Format: l.Format, Level: lv, Components: c.ComponentLevels, Secrets: func() []string { return secrets(c) },
	})
	return logger{log, done}, err
}

func secrets(c *config.Config) []string {
	var out []string
	for _, s := range c.Secrets() {
		out = append(out, s.Reveal())
	}
	return out
}
