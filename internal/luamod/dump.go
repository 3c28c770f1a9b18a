package luamod

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/lua"
	"github.com/llmspell/llmspell/script"
)

// maxDump bounds the text of one dump.
const maxDump = 1 << 20

func dumpRows() []script.Func {
	value := script.Param{Name: "value", Type: script.TypeAny}
	label := script.Param{Name: "label", Type: script.TypeString}
	text := []script.Return{{Type: script.TypeString}}
	zero := 0.0
	count := func(name, doc string) script.Param {
		return script.Param{Name: name, Type: script.TypeInteger, Min: &zero, Doc: doc}
	}
	return []script.Func{
		{Name: "dump", Doc: "Shows a value of any type as text; cycles are cut.", Params: []script.Param{value, label}, Returns: text},
		{Name: "dumpCompact", Doc: "As dump, on one line.", Params: []script.Param{value, label}, Returns: text},
		{Name: "dumpVerbose", Doc: "As dump, with larger limits.", Params: []script.Param{value, label}, Returns: text},
		{
			Name: "dumpWithOptions", Doc: "As dump, with limits of your own.", Returns: text,
			Params: []script.Param{value, {Name: "options", Type: script.TypeOptions, Fields: []script.Param{
				count("max_depth", "default 10"), count("indent_size", "default 2"),
				count("max_string_length", "default 200"), count("max_array_elements", "default 50"),
				count("max_table_pairs", "default 50"),
				{Name: "show_types", Type: script.TypeBoolean, Doc: "default true"},
				{Name: "compact_mode", Type: script.TypeBoolean, Doc: "one line; default false"},
			}}, label},
		},
	}
}

type dumpOptions struct {
	maxDepth, indent, maxString, maxArray, maxPairs int
	types, compact                                  bool
}

func dumpWith(o dumpOptions) lua.GoFunc {
	return func(c *lua.Call) lua.Status {
		label, _ := c.Arg(1).AsString()
		return c.Return1(c.NewString(dumpText(c.State(), c.Arg(0), label, o)))
	}
}

func debugDumpWithOptions(c *lua.Call) lua.Status {
	o := dumpOptions{maxDepth: 10, indent: 2, maxString: 200, maxArray: 50, maxPairs: 50, types: true}
	if t, ok := c.Arg(1).AsTable(); ok {
		for name, field := range map[string]*int{
			"max_depth": &o.maxDepth, "indent_size": &o.indent, "max_string_length": &o.maxString,
			"max_array_elements": &o.maxArray, "max_table_pairs": &o.maxPairs,
		} {
			if n, ok := c.State().RawGetString(t, name).AsInteger(); ok {
				*field = int(min(n, 100_000))
			}
		}
		o.compact = c.State().RawGetString(t, "compact_mode").Truthy()
		if v := c.State().RawGetString(t, "show_types"); !v.IsNil() {
			o.types = v.Truthy()
		}
		o.indent = min(o.indent, 16)
		o.maxDepth = min(o.maxDepth, 200)
	}
	label, _ := c.Arg(2).AsString()
	return c.Return1(c.NewString(dumpText(c.State(), c.Arg(0), label, o)))
}

func dumpText(st *lua.State, v lua.Value, label string, o dumpOptions) string {
	d := dumper{st: st, o: o}
	if label != "" {
		d.b.WriteString(label + ": ")
	}
	d.value(v, 0)
	return d.b.String()
}

// dumper writes values as text. Nothing of the script runs.
type dumper struct {
	st   *lua.State
	o    dumpOptions
	b    strings.Builder
	open []*lua.Table
}

func (d *dumper) value(v lua.Value, depth int) {
	if d.b.Len() > maxDump {
		return
	}
	switch s, isString := v.AsString(); {
	case isString:
		if len(s) > d.o.maxString {
			d.b.WriteString(strconv.Quote(s[:d.o.maxString]) + fmt.Sprintf("... (%d bytes)", len(s)))
			return
		}
		d.b.WriteString(strconv.Quote(s))
	default:
		if t, ok := v.AsTable(); ok {
			d.table(t, depth)
			return
		}
		d.b.WriteString(d.st.ToStringRaw(v))
		if d.o.types && v.Kind() == lua.KindInt {
			d.b.WriteString(" (integer)")
		} else if d.o.types && v.Kind() == lua.KindFloat {
			d.b.WriteString(" (float)")
		}
	}
}

func (d *dumper) table(t *lua.Table, depth int) {
	switch {
	case slices.Contains(d.open, t):
		d.b.WriteString("<cycle " + d.st.ToStringRaw(t.Value()) + ">")
		return
	case depth >= d.o.maxDepth:
		d.b.WriteString("{...}")
		return
	}
	d.open = append(d.open, t)
	defer func() { d.open = d.open[:len(d.open)-1] }()
	if d.o.types && !d.o.compact {
		d.b.WriteString(d.st.ToStringRaw(t.Value()) + " ")
	}
	d.b.WriteByte('{')
	n, pairs, skipped := t.Len(), 0, 0
	parts := 0
	part := func() {
		if parts++; parts > 1 {
			d.b.WriteByte(',')
			if d.o.compact {
				d.b.WriteByte(' ')
			}
		}
		d.line(depth + 1)
	}
	for i := range min(n, int64(d.o.maxArray)) {
		part()
		d.value(d.st.RawGet(t, lua.Integer(i+1)), depth+1)
	}
	if n > int64(d.o.maxArray) {
		part()
		fmt.Fprintf(&d.b, "... (%d more)", n-int64(d.o.maxArray))
	}
	for k, v, ok := t.Next(lua.Nil); ok; k, v, ok = t.Next(k) {
		if i, isInt := k.AsInteger(); isInt && i >= 1 && i <= n {
			continue
		}
		if pairs++; pairs > d.o.maxPairs {
			skipped++
			continue
		}
		part()
		d.key(k)
		d.value(v, depth+1)
	}
	if skipped > 0 {
		part()
		fmt.Fprintf(&d.b, "... (%d more pairs)", skipped)
	}
	if parts > 0 {
		d.line(depth)
	}
	d.b.WriteByte('}')
}

func (d *dumper) key(k lua.Value) {
	if s, ok := k.AsString(); ok && len(s) <= d.o.maxString {
		d.b.WriteString(s + " = ")
		return
	}
	d.b.WriteByte('[')
	if _, isTable := k.AsTable(); isTable {
		d.b.WriteString(d.st.ToStringRaw(k))
	} else {
		d.value(k, 0)
	}
	d.b.WriteString("] = ")
}

func (d *dumper) line(depth int) {
	if !d.o.compact {
		d.b.WriteString("\n" + strings.Repeat(" ", depth*d.o.indent))
	}
}

// memoryFigures are the counters that collectgarbage shows too.
func memoryFigures(c *lua.Call) map[string]any {
	u := c.State().Usage()
	figures := map[string]any{
		"used_bytes": u.Bytes, "allocated_bytes": u.Peak, "collections": u.Walks,
	}
	if limit := bind.HostOf(c).Binding().MemoryLimit(); limit > 0 {
		figures["limit_bytes"] = limit
	}
	return figures
}

func debugMemoryStats(c *lua.Call) lua.Status { return bind.Results(c, memoryFigures(c)) }

func debugMemorySnapshot(c *lua.Call) lua.Status {
	figures := memoryFigures(c)
	figures["timestamp"] = clockOf(bind.HostOf(c).Context())
	return bind.Results(c, figures)
}

// stackOptions reads the options of a stack trace.
func stackOptions(c *lua.Call) (depth int, places bool, err error) {
	depth, places = 50, true
	t, ok := c.Arg(0).AsTable()
	if !ok {
		return depth, places, nil
	}
	for _, name := range []string{"capture_locals", "capture_upvalues"} {
		if c.State().RawGetString(t, name).Truthy() {
			return 0, false, fault.Errorf(fault.InvalidArgument, "Debug.stackTrace: %s is not available in this version", name)
		}
	}
	if n, ok := c.State().RawGetString(t, "max_depth").AsInteger(); ok {
		depth = int(min(max(n, 1), 1000))
	}
	if v := c.State().RawGetString(t, "include_source"); !v.IsNil() {
		places = v.Truthy()
	}
	return depth, places, nil
}

// stackFrames are the levels of the calling Lua code, innermost first.
func stackFrames(c *lua.Call) ([]map[string]any, error) {
	depth, places, err := stackOptions(c)
	if err != nil {
		return nil, err
	}
	var frames []map[string]any
	for line := range strings.Lines(c.Traceback(1)) {
		place, what, ok := strings.Cut(strings.TrimSpace(line), ": in ")
		if !ok {
			continue
		}
		if len(frames) == depth {
			break
		}
		frame := map[string]any{"name": what}
		if places {
			frame["source"] = place
			if chunk, no, ok := cutLast(place, ":"); ok {
				if n, err := strconv.ParseInt(no, 10, 64); err == nil {
					frame["source"], frame["line"] = chunk, n
				}
			}
		}
		frames = append(frames, frame)
	}
	return frames, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func debugStackTrace(c *lua.Call) lua.Status {
	frames, err := stackFrames(c)
	if err != nil {
		return bind.Raise(c, err)
	}
	var b strings.Builder
	b.WriteString("stack traceback:")
	for _, f := range frames {
		b.WriteString("\n\t")
		if src, ok := f["source"].(string); ok {
			b.WriteString(src)
			if n, ok := f["line"].(int64); ok {
				b.WriteString(":" + strconv.FormatInt(n, 10))
			}
			b.WriteString(": in ")
		}
		b.WriteString(f["name"].(string))
	}
	return c.Return1(c.NewString(b.String()))
}

func debugStackTraceJSON(c *lua.Call) lua.Status {
	frames, err := stackFrames(c)
	if err != nil {
		return bind.Raise(c, err)
	}
	raw, err := json.Marshal(map[string]any{"frames": frames})
	if err != nil {
		return bind.Raise(c, err)
	}
	return c.Return1(c.NewString(string(raw)))
}

// loggerFields are the fields every message of a logger carries.
type loggerFields map[string]any

// merged returns the fields with more over them.
func (f loggerFields) merged(more any) loggerFields {
	out := loggerFields{}
	for k, v := range f {
		out[k] = v
	}
	if m, ok := more.(map[string]any); ok {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// write logs one message of a logger.
func (f loggerFields) write(ctx context.Context, level, message string, more any) error {
	var data any
	if all := f.merged(more); len(all) > 0 {
		data = map[string]any(all)
	}
	return debugOf(ctx).log(ctx, level, message, "", data)
}
