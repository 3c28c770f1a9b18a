package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// KeyValue is one effective value, with secrets redacted. Value is bool, int64,
// float64, string, []string, map[string]any, or nil if unset.
type KeyValue struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin Origin `json:"origin"`
	Reload Reload `json:"reload"`
}

// Describe lists the effective values of a key or of everything below a table, in
// the order of the key table; all of them for "". It is empty if prefix names
// nothing.
func (c *Config) Describe(prefix string) []KeyValue {
	want := canonical(prefix)
	var out []KeyValue
	for _, v := range c.values() {
		if want == "" || v.key == want || strings.HasPrefix(v.key, want+".") {
			o, _ := c.Origin(v.key)
			out = append(out, KeyValue{Key: v.key, Value: v.entry.display(v.field), Origin: o, Reload: v.entry.Reload})
		}
	}
	return out
}

// canonical follows aliases, so that `config show logging.level` works.
func canonical(key string) string {
	if segs, e := resolveKey(key); e != nil {
		return joinKey(segs)
	}
	return key
}

// value is one concrete key with its field.
type value struct {
	key   string
	segs  []string
	entry *entry
	field reflect.Value
}

// values lists every concrete key, those of one named table together.
func (c *Config) values() []value {
	var out []value
	root := reflect.ValueOf(c).Elem()
	for _, e := range bound().entries {
		for _, segs := range c.instances(e) {
			if f, ok := lookup(root, segs); ok {
				out = append(out, value{joinKey(segs), segs, e, f})
			}
		}
	}
	return out
}

// tree is the effective configuration as nested maps.
func (c *Config) tree() map[string]any {
	root := map[string]any{}
	for _, name := range c.Sections() {
		root[name] = map[string]any{}
	}
	for _, v := range c.values() {
		shown := v.entry.display(v.field)
		if shown == nil {
			continue
		}
		m := root
		for _, s := range v.segs[:len(v.segs)-1] {
			next, ok := m[s].(map[string]any)
			if !ok {
				next = map[string]any{}
				m[s] = next
			}
			m = next
		}
		m[v.segs[len(v.segs)-1]] = shown
	}
	return root
}

// Get returns the effective value of a key, or a whole table as a map, redacted
// like Describe; everything for "". False means there is no such key or it is unset.
func (c *Config) Get(path string) (any, bool) {
	var v any = c.tree()
	if path == "" {
		return v, true
	}
	segs, ok := splitKey(canonical(path))
	if !ok {
		return nil, false
	}
	for _, s := range segs {
		m, isMap := v.(map[string]any)
		if !isMap {
			return nil, false
		}
		if v, ok = m[s]; !ok {
			return nil, false
		}
	}
	return v, true
}

// Sections lists the top-level tables.
func (c *Config) Sections() []string {
	var out []string
	for _, e := range bound().entries {
		if len(e.segs) > 1 && !slices.Contains(out, e.segs[0]) {
			out = append(out, e.segs[0])
		}
	}
	return out
}

// TOML renders the effective values below prefix, each with its origin as a
// comment if origins is true. Secrets are "[redacted]".
func (c *Config) TOML(prefix string, origins bool) []byte {
	byTable := map[string][]KeyValue{}
	var tables []string
	for _, kv := range c.Describe(prefix) {
		table, _ := splitLast(kv.Key)
		if _, ok := byTable[table]; !ok {
			tables = append(tables, table)
		}
		byTable[table] = append(byTable[table], kv)
	}
	var b bytes.Buffer
	for i, table := range tables {
		if i > 0 {
			b.WriteByte('\n')
		}
		if table != "" {
			fmt.Fprintf(&b, "[%s]\n", table)
		}
		for _, kv := range byTable[table] {
			_, name := splitLast(kv.Key)
			line := "# " + name + " is unset"
			if kv.Value != nil {
				line = name + " = " + encodeTOML(kv.Key, kv.Value)
			}
			if origins && kv.Value != nil {
				line += "  # " + kv.Origin.String()
			}
			b.WriteString(line + "\n")
		}
	}
	return b.Bytes()
}

// JSON renders what Get returns, indented.
func (c *Config) JSON(prefix string) ([]byte, error) {
	v, ok := c.Get(prefix)
	if !ok {
		return nil, fmt.Errorf("config: no key %s", quote(prefix))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}

// splitLast divides a key into its table and its last name, both as TOML writes them.
func splitLast(key string) (table, name string) {
	segs, _ := splitKey(key)
	last := len(segs) - 1
	return joinKey(segs[:last]), joinKey(segs[last:])
}

// encodeTOML writes v as the right-hand side of key.
func encodeTOML(key string, v any) string {
	switch x := v.(type) {
	case string:
		return quote(x)
	case int64:
		if strings.HasSuffix(key, "umask") {
			return fmt.Sprintf("0o%03o", x)
		}
		return fmt.Sprint(x)
	case float64:
		s := fmt.Sprint(x)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case []string:
		items := make([]string, len(x))
		for i, s := range x {
			items[i] = quote(s)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case []any:
		items := make([]string, len(x))
		for i, item := range x {
			items[i] = encodeTOML("", item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		var items []string
		for _, k := range slices.Sorted(maps.Keys(x)) {
			items = append(items, joinKey([]string{k})+" = "+encodeTOML("", x[k]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// quote writes s as a TOML basic string, which JSON strings are.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return `""`
	}
	out := strings.TrimSuffix(b.String(), "\n")
	return strings.ReplaceAll(out, "\x7f", `\u007f`)
}

// Diff lists the keys whose values differ, by when they take effect. A named
// table that one side lacks is listed key by key.
func Diff(before, after *Config) (reloadable, needRestart []string) {
	old := map[string]value{}
	for _, v := range before.values() {
		old[v.key] = v
	}
	changed := func(v value) {
		if v.entry.Reload == restart {
			needRestart = append(needRestart, v.key)
		} else {
			reloadable = append(reloadable, v.key)
		}
	}
	for _, v := range after.values() {
		was, ok := old[v.key]
		delete(old, v.key)
		if !ok || !same(was.field, v.field) {
			changed(v)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		changed(old[key])
	}
	for name, p := range after.Providers {
		key := joinKey([]string{"providers", name, "api_key"})
		if q, ok := before.Providers[name]; ok && !p.Key().Equal(q.Key()) && !slices.Contains(reloadable, key) {
			reloadable = append(reloadable, key)
		}
	}
	return reloadable, needRestart
}

// same reports equal values; an empty list or table equals none.
func same(a, b reflect.Value) bool {
	if k := a.Kind(); (k == reflect.Slice || k == reflect.Map) && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// MarshalJSON renders what JSON does, so that no encoder shows a secret.
func (c *Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.tree()) }

// String is the TOML form, so that no log line shows a secret.
func (c *Config) String() string { return string(c.TOML("", false)) }

// Redacted returns a copy in which every secret reads "[redacted]", even through
// Reveal.
func (c *Config) Redacted() *Config {
	out := *c
	out.origins = maps.Clone(c.origins)
	out.Token = redact(c.Token)
	out.Providers = maps.Clone(c.Providers)
	for name, p := range out.Providers {
		p.key = redact(p.key)
		out.Providers[name] = p
	}
	root := reflect.ValueOf(&out).Elem()
	for _, v := range c.values() {
		switch x := v.field.Interface().(type) {
		case Secret:
			locate(root, v.segs, nil, func(f reflect.Value) { f.Set(reflect.ValueOf(redact(x))) })
		case map[string]string:
			hidden := maps.Clone(x)
			for k := range hidden {
				hidden[k] = redactedText
			}
			locate(root, v.segs, nil, func(f reflect.Value) { f.Set(reflect.ValueOf(hidden)) })
		case map[string]any:
			if x != nil {
				locate(root, v.segs, nil, func(f reflect.Value) { f.Set(reflect.ValueOf(redactTable(x))) })
			}
		}
	}
	return &out
}

func redact(s Secret) Secret { return NewSecret(s.String()) }

// Secrets are the secret values in force, for redaction by value at the log writer.
func (c *Config) Secrets() []Secret {
	var out []Secret
	add := func(s Secret) {
		if s.IsSet() && !slices.ContainsFunc(out, s.Equal) {
			out = append(out, s)
		}
	}
	add(c.Token)
	for _, v := range c.values() {
		if s, ok := v.field.Interface().(Secret); ok {
			add(s)
		}
	}
	for _, p := range c.Providers {
		add(p.Key())
	}
	add(passwordOf(c.Storage.Postgres.URL))
	return out
}
