package luamod

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// Debug is the global Debug: messages to the structured log, timers, dumps and
// figures of the interpreter.
func Debug() bind.Module {
	var rows []script.Func
	for _, part := range [][]script.Func{logRows(), levelRows(), filterRows(), timerRows(), dumpRows(), figureRows()} {
		rows = append(rows, part...)
	}
	return bind.Module{
		Module: script.Module{
			Name:    "Debug",
			Doc:     "Messages to the structured log, timers, dumps and figures of the interpreter. Settings hold for the session.",
			Funcs:   withSnakeCase(rows),
			Classes: []*script.Class{timerClass},
		},
		Raw: map[string]lua.GoFunc{
			"logWithData":     debugLogWithData,
			"dump":            dumpWith(dumpOptions{maxDepth: 10, indent: 2, maxString: 200, maxArray: 50, maxPairs: 50, types: true}),
			"dumpCompact":     dumpWith(dumpOptions{maxDepth: 10, maxString: 200, maxArray: 50, maxPairs: 50, compact: true}),
			"dumpVerbose":     dumpWith(dumpOptions{maxDepth: 50, indent: 2, maxString: 10_000, maxArray: 1000, maxPairs: 1000, types: true}),
			"dumpWithOptions": debugDumpWithOptions,
			"memoryStats":     debugMemoryStats, "memorySnapshot": debugMemorySnapshot,
			"stackTrace": debugStackTrace, "stackTraceJson": debugStackTraceJSON,
		},
	}
}

var (
	levelParam   = script.Param{Name: "level", Type: script.TypeString, Required: true, Enum: levels[:5]}
	messageParam = script.Param{Name: "message", Type: script.TypeString, Required: true}
	moduleParam  = script.Param{Name: "module", Type: script.TypeString, Doc: "where the message comes from, for filters"}
)

func logRows() []script.Func {
	rows := []script.Func{{
		Name: "log", Doc: "Writes a message to the structured log.",
		Params: []script.Param{levelParam, messageParam, moduleParam},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return nil, debugOf(ctx).log(ctx, a.String(0), a.String(1), a.String(2), nil)
		},
	}, {
		Name: "logWithData", Doc: "Writes a message with data; what is no data is shown as text.",
		Params: []script.Param{levelParam, messageParam, {Name: "data", Type: script.TypeAny}, moduleParam},
	}}
	for _, level := range levels[:5] {
		rows = append(rows, script.Func{
			Name: level, Doc: "Writes a message of level " + level + ".",
			Params: []script.Param{messageParam, moduleParam},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return nil, debugOf(ctx).log(ctx, level, a.String(0), a.String(1), nil)
			},
		})
	}
	return rows
}

func debugLogWithData(c *lua.Call) lua.Status {
	level, _ := c.Arg(0).AsString()
	message, _ := c.Arg(1).AsString()
	module, _ := c.Arg(3).AsString()
	h := bind.HostOf(c)
	ctx := h.Context()
	if err := bind.CheckEnum("Debug.logWithData", "level", level, levels[:5]); err != nil {
		return bind.Raise(c, err)
	}
	if err := debugOf(ctx).log(ctx, level, message, module, h.Binding().LenientToGo(c.Arg(2))); err != nil {
		return bind.Raise(c, err)
	}
	return c.Return()
}

// settingRow is a row that reads or changes the session's debug state.
func settingRow(name, doc string, ret script.Type, params []script.Param, do func(d *debugState, a script.Args) any) script.Func {
	f := script.Func{Name: name, Doc: doc, Params: params}
	if ret != script.TypeAny {
		f.Returns = []script.Return{{Type: ret}}
	}
	f.Call = func(ctx context.Context, a script.Args) ([]any, error) {
		d := debugOf(ctx)
		d.mu.Lock()
		defer d.mu.Unlock()
		v := do(d, a)
		if ret == script.TypeAny {
			return nil, nil
		}
		return []any{v}, nil
	}
	return f
}

func levelRows() []script.Func {
	on := []script.Param{{Name: "enabled", Type: script.TypeBoolean, Required: true}}
	limit := 0.0
	return []script.Func{
		settingRow("setLevel", "Sets the least level that is written.", script.TypeBoolean,
			[]script.Param{{Name: "level", Type: script.TypeString, Required: true, Enum: levels}},
			func(d *debugState, a script.Args) any { d.level = a.String(0); return true }),
		settingRow("getLevel", "The least level that is written.", script.TypeString, nil,
			func(d *debugState, _ script.Args) any { return d.level }),
		settingRow("setEnabled", "Turns all messages of the session on or off.", script.TypeAny, on,
			func(d *debugState, a script.Args) any { d.disabled = !a.Bool(0); return nil }),
		settingRow("isEnabled", "Tells whether messages are written.", script.TypeBoolean, nil,
			func(d *debugState, _ script.Args) any { return !d.disabled }),
		{
			Name: "getCapturedEntries", Doc: "The last messages, newest last.",
			Params:  []script.Param{{Name: "limit", Type: script.TypeInteger, Min: &limit, Default: int64(100)}},
			Returns: []script.Return{{Type: script.TypeArray, Doc: "each {timestamp, level, message, module?, metadata?}"}},
			Call: func(ctx context.Context, a script.Args) ([]any, error) {
				return []any{debugOf(ctx).captured(int(min(a.Int(0), ringSize)))}, nil
			},
		},
		settingRow("clearCaptured", "Forgets the captured messages.", script.TypeAny, nil,
			func(d *debugState, _ script.Args) any { d.ring, d.next = nil, 0; return nil }),
	}
}

func filterRows() []script.Func {
	pattern := script.Param{Name: "pattern", Type: script.TypeString, Required: true}
	on := script.Param{Name: "enabled", Type: script.TypeBoolean, Required: true}
	kind := script.Param{Name: "type", Type: script.TypeString, Required: true, Enum: []string{"exact", "glob", "regex"}}
	add := func(name string, kindOf func(script.Args) (string, bool)) func(context.Context, script.Args) ([]any, error) {
		return func(ctx context.Context, a script.Args) ([]any, error) {
			k, enabled := kindOf(a)
			f, err := newFilter(name, a.String(0), k, enabled)
			if err != nil {
				return nil, err
			}
			return nil, debugOf(ctx).addFilter(f)
		}
	}
	return []script.Func{
		{
			Name: "addModuleFilter", Doc: "Shows or hides the messages of modules; the last filter that matches decides.",
			Params: []script.Param{pattern, on},
			Call:   add("Debug.addModuleFilter", func(a script.Args) (string, bool) { return "glob", a.Bool(1) }),
		},
		{
			Name: "addAdvancedFilter", Doc: "As addModuleFilter, with the kind of pattern.",
			Params: []script.Param{pattern, kind, on},
			Call:   add("Debug.addAdvancedFilter", func(a script.Args) (string, bool) { return a.String(1), a.Bool(2) }),
		},
		settingRow("removeModuleFilter", "Removes the filters of a pattern.", script.TypeBoolean, []script.Param{pattern},
			func(d *debugState, a script.Args) any {
				kept := d.filters[:0]
				for _, f := range d.filters {
					if f.pattern != a.String(0) {
						kept = append(kept, f)
					}
				}
				removed := len(kept) < len(d.filters)
				d.filters = kept
				return removed
			}),
		settingRow("clearModuleFilters", "Removes all filters.", script.TypeAny, nil,
			func(d *debugState, _ script.Args) any { d.filters = nil; return nil }),
		settingRow("setDefaultFilterEnabled", "Shows or hides messages that no filter matches.", script.TypeAny, []script.Param{on},
			func(d *debugState, a script.Args) any { d.hidden = !a.Bool(0); return nil }),
		{
			Name: "getFilterSummary", Doc: "The filters in force.",
			Returns: []script.Return{{Type: script.TypeTable, Doc: "{default_enabled, total_rules, rules[]}"}},
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				return []any{debugOf(ctx).filterSummary()}, nil
			},
		},
	}
}

// timerClass is the handle of a timer.
var timerClass = &script.Class{
	Name:   "Timer",
	Doc:    "Measures a stretch of the script.",
	Fields: []script.Param{{Name: "id", Type: script.TypeString}, {Name: "name", Type: script.TypeString}},
	Get: func(self any, field string) any {
		switch t := self.(*timer); field {
		case "id":
			return t.id
		case "name":
			return t.name
		}
		return nil
	},
	String: func(self any) string { return "Timer: " + self.(*timer).name },
	Methods: []script.Func{{
		Name: "stop", Doc: "Ends the measurement; a second call gives the same.", Returns: []script.Return{{Type: script.TypeNumber, Name: "ms"}},
		Call: timerCall(func(ctx context.Context, t *timer, _ script.Args) any {
			if t.stopped.IsZero() {
				t.stopped = clockOf(ctx)
			}
			return t.elapsed(t.stopped)
		}),
	}, {
		Name: "lap", Doc: "Notes a time without ending the measurement.",
		Params:  []script.Param{{Name: "label", Type: script.TypeString}},
		Returns: []script.Return{{Type: script.TypeNumber, Name: "ms"}},
		Call: timerCall(func(ctx context.Context, t *timer, a script.Args) any {
			now := clockOf(ctx)
			if len(t.laps) < ringSize {
				t.laps = append(t.laps, lap{a.String(0), now.Sub(t.started)})
			}
			return t.elapsed(now)
		}),
	}, {
		Name: "elapsed", Doc: "The time so far.", Returns: []script.Return{{Type: script.TypeNumber, Name: "ms"}},
		Call: timerCall(func(ctx context.Context, t *timer, _ script.Args) any { return t.elapsed(clockOf(ctx)) }),
	}},
}

func timerCall(do func(ctx context.Context, t *timer, a script.Args) any) func(context.Context, script.Args) ([]any, error) {
	return func(ctx context.Context, a script.Args) ([]any, error) {
		t := a.Self.(*timer)
		t.mu.Lock()
		defer t.mu.Unlock()
		return []any{do(ctx, t, a)}, nil
	}
}

func timerRows() []script.Func {
	return []script.Func{{
		Name: "timer", Doc: "Starts a timer.",
		Params:  []script.Param{{Name: "name", Type: script.TypeString, Required: true}},
		Returns: []script.Return{{Type: script.TypeHandle, Class: "Timer"}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return []any{script.Object{Class: timerClass, Value: debugOf(ctx).newTimer(ctx, a.String(0))}}, nil
		},
	}, {
		Name: "recordEvent", Doc: "Notes an event of a timer; false if there is no such timer.",
		Params: []script.Param{
			{Name: "timer_id", Type: script.TypeString, Required: true},
			{Name: "name", Type: script.TypeString, Required: true},
			{Name: "data", Type: script.TypeAny},
		},
		Returns: []script.Return{{Type: script.TypeBoolean}},
		Call: func(ctx context.Context, a script.Args) ([]any, error) {
			return []any{debugOf(ctx).recordEvent(ctx, a.String(0), a.String(1), a.At(2))}, nil
		},
	}}
}

func (d *debugState) recordEvent(ctx context.Context, id, name string, data any) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.timers {
		if t.id != id {
			continue
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.events) < ringSize {
			t.events = append(t.events, map[string]any{"name": name, "data": data, "timestamp": clockOf(ctx)})
		}
		return true
	}
	return false
}

// figureRows tell about the interpreter and the session's timers.
func figureRows() []script.Func {
	text := []script.Return{{Type: script.TypeString}}
	stack := []script.Param{{Name: "options", Type: script.TypeOptions, Fields: []script.Param{
		{Name: "max_depth", Type: script.TypeInteger, Doc: "default 50"},
		{Name: "capture_locals", Type: script.TypeBoolean}, {Name: "capture_upvalues", Type: script.TypeBoolean},
		{Name: "include_source", Type: script.TypeBoolean, Doc: "chunk and line; default true"},
	}}}
	return []script.Func{
		{Name: "memoryStats", Doc: "Counted memory of the interpreter.",
			Returns: []script.Return{{Type: script.TypeTable, Doc: "{used_bytes, allocated_bytes, limit_bytes, collections}"}}},
		{Name: "memorySnapshot", Doc: "memoryStats with the time.", Returns: []script.Return{{Type: script.TypeTable}}},
		{Name: "stackTrace", Doc: "The stack of the caller as text.", Params: stack, Returns: text},
		{Name: "stackTraceJson", Doc: "The stack of the caller as JSON text.", Params: stack, Returns: text},
		{Name: "performanceReport", Doc: "The session's timers as text.", Returns: text,
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				return []any{reportText(debugOf(ctx).report(clockOf(ctx)))}, nil
			}},
		{Name: "jsonReport", Doc: "The session's timers as JSON text.", Returns: text,
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				raw, err := json.Marshal(map[string]any{"timers": debugOf(ctx).report(clockOf(ctx))})
				return []any{string(raw)}, err
			}},
		{Name: "flameGraph", Doc: "The session's timers as folded stacks: name and microseconds.", Returns: text,
			Call: func(ctx context.Context, _ script.Args) ([]any, error) {
				return []any{foldedStacks(ctx, debugOf(ctx).report(clockOf(ctx)))}, nil
			}},
	}
}

func reportText(timers []any) string {
	var b strings.Builder
	b.WriteString("timers:\n")
	for _, t := range timers {
		t := t.(map[string]any)
		fmt.Fprintf(&b, "  %-24s %10.3f ms", t["name"], t["elapsed_ms"])
		if t["running"] == true {
			b.WriteString("  running")
		}
		b.WriteByte('\n')
		for _, l := range t["laps"].([]any) {
			l := l.(map[string]any)
			fmt.Fprintf(&b, "    %-22s %10.3f ms\n", l["label"], l["ms"])
		}
	}
	return b.String()
}

// foldedStacks writes one line a timer, and the laps as its children.
func foldedStacks(ctx context.Context, timers []any) string {
	root := "script"
	if run := gate.Of(ctx); run != nil && run.Script != "" {
		root = run.Script
	}
	clean := func(v any) string { return strings.NewReplacer(";", ",", "\n", " ").Replace(fmt.Sprint(v)) }
	var b strings.Builder
	for _, t := range timers {
		t := t.(map[string]any)
		rest, last := t["elapsed_ms"].(float64), 0.0
		for _, l := range t["laps"].([]any) {
			l := l.(map[string]any)
			at := l["ms"].(float64)
			fmt.Fprintf(&b, "%s;%s;%s %.0f\n", clean(root), clean(t["name"]), clean(l["label"]), (at-last)*1000)
			last = at
		}
		fmt.Fprintf(&b, "%s;%s %.0f\n", clean(root), clean(t["name"]), (rest-last)*1000)
	}
	return b.String()
}
