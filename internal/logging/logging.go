// Package logging builds the kernel's logger: text or JSON lines with the same
// keys, one record a line, secrets redacted by name and by value, levels by
// component.
package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// LevelTrace is below debug; LevelOff is above everything.
const (
	LevelTrace = slog.Level(-8)
	LevelOff   = slog.Level(100)
)

// ParseLevel reads a configured level: off error warn info debug trace.
func ParseLevel(s string) (slog.Level, error) {
	switch strings.ToLower(s) {
	case "off":
		return LevelOff, nil
	case "error":
		return slog.LevelError, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "info", "":
		return slog.LevelInfo, nil
	case "debug":
		return slog.LevelDebug, nil
	case "trace":
		return LevelTrace, nil
	}
	return 0, fmt.Errorf("log level %q: want off, error, warn, info, debug or trace", s)
}

// Params configure a logger.
type Params struct {
	Writer     io.Writer
	Format     string            // text (default) or json
	Level      *slog.LevelVar    // may change while running
	Components map[string]string // level by component
	Secrets    func() []string   // values never to be written; nil = none
}

// New returns a logger. Records are written whole, one Write each.
func New(p Params) (*slog.Logger, error) {
	levels := map[string]slog.Level{}
	for name, s := range p.Components {
		l, err := ParseLevel(s)
		if err != nil {
			return nil, err
		}
		levels[name] = l
	}
	w := p.Writer
	if p.Secrets != nil {
		w = &redactor{w: w, secrets: p.Secrets}
	}
	options := &slog.HandlerOptions{Level: lowest(p.Level, levels), ReplaceAttr: replace}
	var h slog.Handler = slog.NewTextHandler(w, options)
	if p.Format == "json" {
		h = slog.NewJSONHandler(w, options)
	}
	return slog.New(&handler{Handler: h, level: p.Level, levels: levels}), nil
}

// lowest lets everything pass that some component wants; handler decides.
func lowest(base *slog.LevelVar, levels map[string]slog.Level) slog.Leveler {
	if len(levels) == 0 {
		return base
	}
	return LevelTrace
}

const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// secretNames are attributes whose values are never written.
var secretNames = []string{"token", "authorization", "api_key", "apikey", "password", "secret", "hmac_key", "credential"}

func replace(_ []string, a slog.Attr) slog.Attr {
	switch {
	case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
		return slog.String(slog.TimeKey, a.Value.Time().Format(timeFormat))
	case a.Key == slog.LevelKey:
		if l, ok := a.Value.Any().(slog.Level); ok && l == LevelTrace {
			return slog.String(slog.LevelKey, "TRACE")
		}
	case slices.Contains(secretNames, strings.ToLower(a.Key)):
		return slog.String(a.Key, "[redacted]")
	case a.Value.Kind() == slog.KindDuration:
		return slog.String(a.Key, a.Value.Duration().Round(time.Microsecond).String())
	}
	return a
}

// handler filters by the level of the record's component.
type handler struct {
	slog.Handler
	level     *slog.LevelVar
	levels    map[string]slog.Level
	component string
}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	if min, ok := h.levels[h.component]; ok {
		return l >= min
	}
	return l >= h.level.Level()
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.Handler = h.Handler.WithAttrs(attrs)
	for _, a := range attrs {
		if a.Key == "component" {
			next.component = a.Value.String()
		}
	}
	return &next
}

func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.Handler = h.Handler.WithGroup(name)
	return &next
}

// redactor replaces the values of secrets in finished lines.
type redactor struct {
	w       io.Writer
	secrets func() []string

	mu sync.Mutex
}

func (r *redactor) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := p
	for _, s := range r.secrets() {
		if len(s) >= 4 {
			line = bytes.ReplaceAll(line, []byte(s), []byte("[redacted]"))
		}
	}
	if _, err := r.w.Write(line); err != nil {
		return 0, err
	}
	return len(p), nil
}
