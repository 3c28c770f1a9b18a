package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// kind is the form of a key's value.
type kind string

const (
	kindBool     kind = "boolean"
	kindInt      kind = "integer"
	kindFloat    kind = "number"
	kindString   kind = "string"
	kindEnum     kind = "enum"
	kindSecret   kind = "secret"
	kindPath     kind = "path"
	kindDuration kind = "duration"
	kindMillis   kind = "milliseconds"
	kindUmask    kind = "umask"
	kindList     kind = "list"
	kindPathList kind = "list of paths"
	kindTable    kind = "table"
	kindStrings  kind = "table of strings"
)

// entry is a row of the key table bound to its field.
type entry struct {
	Key
	segs    []string
	kind    kind
	typ     reflect.Type
	pending bool     // not landed: only the default is accepted
	refused []string // values that have not landed
}

func (e *entry) derived() bool { return strings.HasPrefix(e.Default, "<") }

func (e *entry) enum() []string {
	if e.kind != kindEnum {
		return nil
	}
	return strings.Split(e.Rule, "|")
}

// node is one segment of the tree of accepted names.
type node struct {
	children map[string]*node // "*" is a name the user chooses
	entry    *entry
	alias    []string // the path this name stands for
	dropped  string   // why the name is refused
}

func (n *node) child(name string) *node {
	if c, ok := n.children[name]; ok && name != "*" {
		return c
	}
	return n.children["*"]
}

func (n *node) insert(path string) *node {
	for seg := range strings.SplitSeq(path, ".") {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[seg] == nil {
			n.children[seg] = &node{}
		}
		n = n.children[seg]
	}
	return n
}

// names returns the fixed names below n that a user may write.
func (n *node) names() []string {
	var out []string
	for name, c := range n.children {
		if name != "*" && c.dropped == "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// schema is the bound key table.
type schema struct {
	entries []*entry
	byPath  map[string]*entry
	root    *node
}

// bound is built once from unchanging tables. A row without a field, or a rule
// that names no key, is a programming error that the first use shows.
var bound = sync.OnceValue(bind)

func bind() *schema {
	s := &schema{byPath: map[string]*entry{}, root: &node{}}
	for _, k := range keys {
		e := &entry{Key: k, segs: strings.Split(k.Path, ".")}
		e.typ = fieldType(reflect.TypeFor[Config](), e.segs)
		e.kind = kindOf(k, e.typ)
		s.entries = append(s.entries, e)
		s.byPath[k.Path] = e
		s.root.insert(k.Path).entry = e
	}
	for from, to := range aliases {
		if s.byPath[to] == nil {
			panic("config: alias of unknown key " + to)
		}
		s.root.insert(from).alias = strings.Split(to, ".")
	}
	for name, why := range dropped {
		s.root.insert(name).dropped = why
	}
	for _, rule := range pending {
		if n := s.markPending(rule.Path, rule.Values); n == 0 {
			panic("config: pending rule matches no key: " + rule.Path)
		}
	}
	return s
}

func (s *schema) markPending(path string, values []string) (n int) {
	prefix, table := strings.CutSuffix(path, "**")
	for _, e := range s.entries {
		if e.Path != path && !(table && strings.HasPrefix(e.Path, prefix)) {
			continue
		}
		n++
		if values == nil {
			e.pending = true
		} else {
			e.refused = values
		}
	}
	return n
}

func kindOf(k Key, t reflect.Type) kind {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		if strings.HasSuffix(k.Path, "_ms") {
			return kindMillis
		}
		return kindDuration
	case t == reflect.TypeFor[Secret]():
		return kindSecret
	case k.Rule == "umask":
		return kindUmask
	case t.Kind() == reflect.Slice && k.Rule == "path":
		return kindPathList
	case t.Kind() == reflect.Slice:
		return kindList
	case t == reflect.TypeFor[map[string]string]():
		return kindStrings
	case t.Kind() == reflect.Map:
		return kindTable
	case k.Rule == "path":
		return kindPath
	case t.Kind() == reflect.String && k.Rule != "":
		return kindEnum
	case t.Kind() == reflect.String:
		return kindString
	case t.Kind() == reflect.Bool:
		return kindBool
	case t.Kind() == reflect.Float64:
		return kindFloat
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return kindInt
	}
	panic(fmt.Sprintf("config: key %s has the unsupported type %s", k.Path, t))
}

// fieldType returns the type of the field at a key path, with pointers removed.
func fieldType(t reflect.Type, segs []string) reflect.Type {
	for i := 0; i < len(segs); i++ {
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
		case reflect.Struct:
			f, n, ok := fieldByTag(t, segs[i:])
			if !ok {
				panic("config: no field for key " + strings.Join(segs, "."))
			}
			t = f.Type
			i += n - 1
		default:
			panic("config: no field for key " + strings.Join(segs, "."))
		}
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// fieldByTag finds the field whose tag equals the first segment, or a dotted tag
// that equals the first ones; n is how many it uses. The dotted one wins.
func fieldByTag(t reflect.Type, segs []string) (f reflect.StructField, n int, ok bool) {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("toml")
		if tag == "" || tag == "-" {
			continue
		}
		parts := strings.Count(tag, ".") + 1
		if parts > len(segs) || parts <= n || tag != strings.Join(segs[:parts], ".") {
			continue
		}
		f, n, ok = field, parts, true
	}
	return f, n, ok
}

// locate calls fn with an addressable value of the field at segs, creating map
// elements (from defaults) on the way and storing them back.
func locate(v reflect.Value, segs []string, prefix []string, fn func(reflect.Value)) {
	if len(segs) == 0 {
		fn(v)
		return
	}
	if v.Kind() == reflect.Map {
		elem := reflect.New(v.Type().Elem()).Elem()
		key := reflect.ValueOf(segs[0])
		path := append(slices.Clone(prefix), segs[0])
		if old := v.MapIndex(key); old.IsValid() {
			elem.Set(old)
		} else {
			setDefaults(elem, path)
		}
		locate(elem, segs[1:], path, fn)
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(key, elem)
		return
	}
	f, n, _ := fieldByTag(v.Type(), segs)
	locate(v.FieldByIndex(f.Index), segs[n:], append(slices.Clone(prefix), segs[:n]...), fn)
}

// setDefaults fills elem, the struct at path, from the defaults of the key table.
func setDefaults(elem reflect.Value, path []string) {
	for _, e := range bound().entries {
		if len(e.segs) <= len(path) || e.derived() || e.Default == "" || !matches(e.segs[:len(path)], path) {
			continue
		}
		rest := e.segs[len(path):]
		if slices.Contains(rest, "*") {
			continue
		}
		value, err := e.parseText(e.Default)
		if err != nil {
			panic("config: default of " + e.Path + ": " + err.Error())
		}
		locate(elem, rest, path, func(f reflect.Value) { assign(f, value) })
	}
}

// matches reports whether concrete is an instance of pattern.
func matches(pattern, concrete []string) bool {
	return slices.EqualFunc(pattern, concrete, func(p, c string) bool { return p == "*" || p == c })
}

// lookup returns the value at concrete segs; false if a map lacks the name.
func lookup(v reflect.Value, segs []string) (reflect.Value, bool) {
	for len(segs) > 0 {
		if v.Kind() == reflect.Map {
			v = v.MapIndex(reflect.ValueOf(segs[0]))
			if !v.IsValid() {
				return v, false
			}
			segs = segs[1:]
			continue
		}
		f, n, ok := fieldByTag(v.Type(), segs)
		if !ok {
			return reflect.Value{}, false
		}
		v, segs = v.FieldByIndex(f.Index), segs[n:]
	}
	return v, true
}

// resolveSegs follows segs, written by a user, to the canonical key.
func resolveSegs(segs []string) ([]string, *entry) {
	n, wild := bound().root, []string(nil)
	for _, s := range segs {
		if n.children[s] == nil || s == "*" {
			wild = append(wild, s)
		}
		if n = n.child(s); n == nil {
			return nil, nil
		}
	}
	if n.alias != nil {
		return fill(n.alias, wild), bound().byPath[strings.Join(n.alias, ".")]
	}
	return segs, n.entry
}

// fill puts names in place of the * segments of pattern.
func fill(pattern, names []string) []string {
	out := slices.Clone(pattern)
	for i, s := range out {
		if s == "*" && len(names) > 0 {
			out[i], names = names[0], names[1:]
		}
	}
	return out
}

func resolveKey(key string) ([]string, *entry) {
	segs, ok := splitKey(key)
	if !ok {
		return nil, nil
	}
	return resolveSegs(segs)
}

// joinKey is the dotted form of segs, quoting names that are not bare TOML keys.
func joinKey(segs []string) string {
	parts := make([]string, len(segs))
	for i, s := range segs {
		parts[i] = s
		if !isBare(s) {
			parts[i] = quote(s)
		}
	}
	return strings.Join(parts, ".")
}

// splitKey is the inverse of joinKey.
func splitKey(key string) ([]string, bool) {
	var segs []string
	for {
		if strings.HasPrefix(key, `"`) {
			end := strings.Index(key[1:], `"`)
			if end < 0 {
				return nil, false
			}
			segs, key = append(segs, key[1:end+1]), key[end+2:]
		} else {
			end := strings.IndexByte(key, '.')
			if end < 0 {
				end = len(key)
			}
			segs, key = append(segs, key[:end]), key[end:]
		}
		if key == "" {
			return segs, true
		}
		if key[0] != '.' {
			return nil, false
		}
		key = key[1:]
	}
}

func isBare(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return s != ""
}
