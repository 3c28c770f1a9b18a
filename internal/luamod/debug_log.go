package luamod

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
)

// levels of script messages, least first.
var levels = []string{"trace", "debug", "info", "warn", "error", "off"}

// slogLevel is the level of the structured log.
func slogLevel(level string) slog.Level {
	switch level {
	case "trace":
		return slog.LevelDebug - 4
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

const (
	ringSize   = 1000     // captured messages
	maxMessage = 16 << 10 // bytes of one message
	maxFilters = 1000
	maxTimers  = 1000
)

// debugState is what Debug and Logger keep of a session. Safe for concurrent use.
type debugState struct {
	mu       sync.Mutex
	level    string
	disabled bool
	hidden   bool // the default filter
	filters  []filter
	ring     []entry // oldest first from next on, once it is full
	next     int
	timers   []*timer
	ntimers  int
}

type debugKey struct{}

// debugOf returns the session's state; an execution without one has its own.
func debugOf(ctx context.Context) *debugState {
	fresh := func() (*debugState, func()) { return &debugState{level: "info"}, nil }
	if run := gate.Of(ctx); run != nil && run.Local != nil {
		return gate.LocalValue(run.Local, debugKey{}, fresh)
	}
	d, _ := fresh()
	return d
}

// entry is one captured message.
type entry struct {
	time           time.Time
	level, message string
	module         string
	data           any
}

func (e entry) table() map[string]any {
	t := map[string]any{"timestamp": e.time, "level": e.level, "message": e.message}
	if e.module != "" {
		t["module"] = e.module
	}
	if e.data != nil {
		t["metadata"] = e.data
	}
	return t
}

// log writes one message of the script: to the structured log, the run's events
// and the ring, if level and filters let it through.
func (d *debugState) log(ctx context.Context, level, message, module string, data any) error {
	if !d.passes(level, module) {
		return nil
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "..."
	}
	e := entry{time: clockOf(ctx), level: level, message: message, module: module, data: data}
	d.capture(e)
	call := gate.Call{Kind: gate.Log, Op: level, Effect: gate.Idempotent, Local: true}
	_, err := gate.Do(ctx, call, func(ctx context.Context) (any, error) {
		e.send(ctx)
		return nil, nil
	})
	return err
}

func (e entry) send(ctx context.Context) {
	run := gate.Of(ctx)
	if run == nil {
		return
	}
	if run.Logger != nil {
		attrs := []slog.Attr{slog.String("run_id", run.ID), slog.String("script", run.Script)}
		if run.SessionID != "" {
			attrs = append(attrs, slog.String("session_id", run.SessionID))
		}
		if e.module != "" {
			attrs = append(attrs, slog.String("module", e.module))
		}
		if e.data != nil {
			attrs = append(attrs, slog.Any("data", e.data))
		}
		run.Logger.LogAttrs(ctx, slogLevel(e.level), e.message, attrs...)
	}
	if run.Emit != nil {
		run.Emit("log", map[string]any{"level": e.level, "message": e.message})
	}
}

// passes tells whether level and filters let a message through. The last filter
// that matches its module decides.
func (d *debugState) passes(level, module string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.disabled || d.level == "off" || slices.Index(levels, level) < slices.Index(levels, d.level) {
		return false
	}
	for _, f := range slices.Backward(d.filters) {
		if f.match(module) {
			return f.enabled
		}
	}
	return !d.hidden
}

func (d *debugState) capture(e entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.ring) < ringSize {
		d.ring = append(d.ring, e)
		return
	}
	d.ring[d.next] = e
	d.next = (d.next + 1) % ringSize
}

// captured returns the last n messages, newest last.
func (d *debugState) captured(n int) []any {
	d.mu.Lock()
	defer d.mu.Unlock()
	n = min(max(n, 0), len(d.ring))
	out := make([]any, 0, n)
	for i := len(d.ring) - n; i < len(d.ring); i++ {
		out = append(out, d.ring[(d.next+i)%len(d.ring)].table())
	}
	return out
}

// filter shows or hides the messages of modules.
type filter struct {
	pattern, kind string // kind: exact, glob, regex
	enabled       bool
	re            *regexp.Regexp
}

func newFilter(fn, pattern, kind string, enabled bool) (filter, error) {
	f := filter{pattern: pattern, kind: kind, enabled: enabled}
	var err error
	switch kind {
	case "glob":
		_, err = path.Match(pattern, "")
	case "regex":
		f.re, err = regexp.Compile(pattern)
	}
	if err != nil || len(pattern) > 1000 {
		return f, fault.Errorf(fault.InvalidArgument, "%s: pattern is no valid %s", fn, kind)
	}
	return f, nil
}

func (f filter) match(module string) bool {
	switch f.kind {
	case "exact":
		return module == f.pattern
	case "regex":
		return f.re.MatchString(module)
	}
	ok, _ := path.Match(f.pattern, module)
	return ok
}

func (d *debugState) addFilter(f filter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.filters) >= maxFilters {
		return fault.Errorf(fault.QuotaExceeded, "a session has at most %d filters", maxFilters)
	}
	d.filters = append(d.filters, f)
	return nil
}

func (d *debugState) filterSummary() map[string]any {
	d.mu.Lock()
	defer d.mu.Unlock()
	rules := make([]any, 0, len(d.filters))
	for _, f := range d.filters {
		rules = append(rules, map[string]any{"pattern": f.pattern, "type": f.kind, "enabled": f.enabled})
	}
	return map[string]any{"default_enabled": !d.hidden, "total_rules": len(d.filters), "rules": rules}
}

// timer measures a stretch of the script by the run's clock.
type timer struct {
	mu       sync.Mutex
	id, name string
	started  time.Time
	stopped  time.Time // zero: runs
	laps     []lap
	events   []map[string]any
}

type lap struct {
	label string
	at    time.Duration
}

// newTimer starts a timer. The session keeps the last ones for its reports.
func (d *debugState) newTimer(ctx context.Context, name string) *timer {
	now := clockOf(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ntimers++
	t := &timer{id: fmt.Sprintf("timer_%d", d.ntimers), name: name, started: now}
	if len(d.timers) >= maxTimers {
		d.timers = slices.Delete(d.timers, 0, 1)
	}
	d.timers = append(d.timers, t)
	return t
}

// elapsed is the measured time in ms, until now while the timer runs.
func (t *timer) elapsed(now time.Time) float64 {
	if !t.stopped.IsZero() {
		now = t.stopped
	}
	return milliseconds(now.Sub(t.started))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// report lists the timers.
func (d *debugState) report(now time.Time) []any {
	d.mu.Lock()
	timers := slices.Clone(d.timers)
	d.mu.Unlock()
	out := make([]any, 0, len(timers))
	for _, t := range timers {
		t.mu.Lock()
		laps := make([]any, 0, len(t.laps))
		for _, l := range t.laps {
			laps = append(laps, map[string]any{"label": l.label, "ms": milliseconds(l.at)})
		}
		events := make([]any, 0, len(t.events))
		for _, e := range t.events {
			events = append(events, e)
		}
		out = append(out, map[string]any{
			"id": t.id, "name": t.name, "elapsed_ms": t.elapsed(now), "running": t.stopped.IsZero(), "laps": laps, "events": events,
		})
		t.mu.Unlock()
	}
	return out
}
