package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/llmspell/llmspell/fault"
)

// maxFileSize bounds a configuration file, in bytes. Decoding takes time quadratic
// in the number of keys, under a second at this size.
const maxFileSize = 256 << 10

// setting is one value one layer gives.
type setting struct {
	segs   []string // canonical
	entry  *entry   // nil: only says that a named table exists
	value  any      // as TOML decoded it
	text   bool     // value is text to be read by the kind of the key
	origin Origin
	base   string // directory of relative paths
	expand bool   // ${VAR} is expanded
}

func (s setting) key() string { return joinKey(s.segs) }

// document is one parsed TOML text.
type document struct {
	name     string // for messages
	settings []setting
	problems []Problem

	layer Origin // template of origins: layer and name
	base  string
	pos   map[string]position
	seen  map[string]string // canonical key to the name it was written as
}

type position struct{ line, col int }

// parseDocument reads TOML text and resolves every key. Problems are collected,
// never returned early, except that a syntax error is the only one.
func parseDocument(name string, data []byte, layer Origin, base string) *document {
	d := &document{name: name, layer: layer, base: base, pos: map[string]position{}, seen: map[string]string{}}
	if len(data) > maxFileSize {
		d.problems = append(d.problems, Problem{File: name, Message: fmt.Sprintf("larger than %d bytes", maxFileSize)})
		return d
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		d.problems = append(d.problems, d.syntaxProblem(err))
		return d
	}
	d.index(data)
	d.walk(bound().root, nil, nil, tree)
	return d
}

func (d *document) syntaxProblem(err error) Problem {
	p := Problem{File: d.name, Message: strings.TrimPrefix(err.Error(), "toml: ")}
	if de, ok := errors.AsType[*toml.DecodeError](err); ok {
		p.Line, p.Col = de.Position()
	}
	return p
}

const pathSep = "\x00"

// maxDepth is how deep positions are kept; no key lies deeper.
const maxDepth = 8

// lineIndex finds positions in a text.
type lineIndex struct {
	data   []byte
	starts []int // offset of each line
}

// position counts columns in characters.
func (l lineIndex) position(offset int) position {
	line, found := slices.BinarySearch(l.starts, offset)
	if !found {
		line--
	}
	return position{line + 1, utf8.RuneCount(l.data[l.starts[line]:offset]) + 1}
}

// index records where each key and table name stands.
func (d *document) index(data []byte) {
	var p unstable.Parser
	p.Reset(data)
	lines := lineIndex{data: data, starts: []int{0}}
	for i, b := range data {
		if b == '\n' {
			lines.starts = append(lines.starts, i+1)
		}
	}
	var table []string
	for p.NextExpression() {
		switch n := p.Expression(); n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = d.mark(lines, nil, n.Key())
		case unstable.KeyValue:
			d.indexValue(lines, table, n)
		}
	}
}

func (d *document) indexValue(lines lineIndex, table []string, kv *unstable.Node) {
	path := d.mark(lines, table, kv.Key())
	if v := kv.Value(); v.Kind == unstable.InlineTable {
		for it := v.Children(); it.Next(); {
			d.indexValue(lines, path, it.Node())
		}
	}
}

// mark notes the position of every segment of a dotted key, first mention wins,
// and returns the full path.
func (d *document) mark(lines lineIndex, prefix []string, it unstable.Iterator) []string {
	path := slices.Clone(prefix)
	for it.Next() {
		n := it.Node()
		path = append(path, string(n.Data))
		if len(path) > maxDepth {
			continue
		}
		id := strings.Join(path, pathSep)
		if _, ok := d.pos[id]; !ok {
			d.pos[id] = lines.position(int(n.Raw.Offset))
		}
	}
	return path
}

func (d *document) origin(written []string) Origin {
	o := d.layer
	if o.Layer == LayerFile {
		pos := d.pos[strings.Join(written, pathSep)]
		o.File, o.Line, o.Col = d.name, pos.line, pos.col
	}
	return o
}

// maxProblems bounds the report of one document.
const maxProblems = 100

func (d *document) report(written []string, format string, args ...any) *Problem {
	d.problems = append(d.problems, d.origin(written).problem(joinKey(written), format, args...))
	return &d.problems[len(d.problems)-1]
}

// walk resolves the names of table below n; wild holds the chosen names so far.
func (d *document) walk(n *node, written, wild []string, table map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if len(d.problems) >= maxProblems {
			return
		}
		value, path := table[name], append(slices.Clone(written), name)
		c, w := n.child(name), wild
		if c != nil && c == n.children["*"] {
			if why := badName(path, name); why != "" {
				d.report(path, "%s", why)
				continue
			}
			w = append(slices.Clone(wild), name)
		}
		d.resolve(n, c, path, w, value)
	}
}

func (d *document) resolve(parent, c *node, path, wild []string, value any) {
	sub, isTable := value.(map[string]any)
	switch {
	case c == nil:
		d.unknown(parent, path)
	case c.dropped != "":
		d.report(path, "no longer exists").Hint = c.dropped
	case c.entry != nil:
		d.add(path, path, c.entry, value)
	case c.alias != nil:
		d.addAlias(path, fill(c.alias, wild), value)
	case !isTable:
		d.report(path, "must be a table, not %s", typeName(value))
	default:
		if c == parent.children["*"] {
			d.settings = append(d.settings, setting{segs: path, origin: d.origin(path)})
		}
		d.walk(c, path, wild, sub)
	}
}

func (d *document) addAlias(path, target []string, value any) {
	_, e := resolveSegs(target)
	if strings.Join(path, ".") == "logging.json_format" {
		b, ok := value.(bool)
		if !ok {
			d.report(path, "must be true or false, not %s", typeName(value))
			return
		}
		value = "text"
		if b {
			value = "json"
		}
	}
	d.add(path, target, e, value)
}

func (d *document) add(written, segs []string, e *entry, value any) {
	key := joinKey(segs)
	if first, ok := d.seen[key]; ok {
		d.report(written, "set twice: %s is the same key", first)
		return
	}
	d.seen[key] = joinKey(written)
	if s, ok := value.(string); ok && e.Path == "rag.vector_storage.hnsw.metric" && s == "innerproduct" {
		value = "inner_product"
	}
	d.settings = append(d.settings, setting{
		segs: segs, entry: e, value: value, origin: d.origin(written), base: d.base, expand: true,
	})
}

// badName says why name may not be a user-chosen table name.
func badName(path []string, name string) string {
	provider := len(path) == 2 && path[0] == "providers"
	extra := "-_"
	if !provider {
		extra = "-_.:/@+"
	}
	for _, r := range name {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(extra, r)
		if !ok || len(name) > 128 {
			return "not a valid name: letters, digits and " + extra + " only, at most 128"
		}
	}
	if name == "" {
		return "a name must not be empty"
	}
	return ""
}

// unknown reports a key nobody knows, with the nearest accepted one.
func (d *document) unknown(parent *node, path []string) {
	name := path[len(path)-1]
	p := d.report(path, "unknown key")
	if near := fault.Nearest(name, parent.names()); near != "" {
		p.DidYouMean = near
		return
	}
	for _, e := range bound().entries {
		if e.segs[len(e.segs)-1] == name {
			p.DidYouMean = e.Path
			return
		}
	}
}
