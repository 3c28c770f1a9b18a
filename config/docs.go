package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// defaultValue is the default in the form of display; nil if unset or derived.
func (e *entry) defaultValue() any {
	if e.derived() || e.Default == "" && e.kind != kindList && e.kind != kindPathList {
		return nil
	}
	v, err := e.parseText(e.Default)
	if err != nil {
		panic("config: default of " + e.Path + ": " + err.Error())
	}
	field := reflect.New(e.typ).Elem()
	assign(field, v)
	return e.display(field)
}

// ruleText is the rule of a key for people.
func (e *entry) ruleText() string {
	switch {
	case e.kind == kindEnum:
		return strings.Join(e.enum(), ", ")
	case e.Rule == ">0":
		return "greater than 0"
	case e.Rule == "path" || e.Rule == "umask" || e.Rule == "":
		return ""
	}
	low, high, _ := strings.Cut(e.Rule, "..")
	if high == "" {
		return "at least " + low
	}
	return low + " to " + high
}

// Template is the file `config init` writes: every key that has landed, commented
// out with its default and description. profile, if not empty, is set in it.
func Template(profile string) []byte {
	var b strings.Builder
	b.WriteString("# llmspell configuration. Every key is shown with its default; remove the # to set it.\n")
	b.WriteString("# Values may hold ${VAR} or ${VAR:-default}. `llmspell config show --origin` prints what is in force.\n\n")
	if profile == "" {
		b.WriteString("# profile = []\n")
	} else {
		fmt.Fprintf(&b, "profile = %s\n", quote(profile))
	}
	table := ""
	for _, e := range bound().entries {
		if e.pending || e.Path == "profile" {
			continue
		}
		if t := strings.Join(e.segs[:len(e.segs)-1], "."); t != table {
			table = t
			writeHeader(&b, table)
		}
		b.WriteString("\n" + wrap(e.templateDoc()))
		fmt.Fprintf(&b, "# %s\n", e.templateLine())
	}
	return []byte(b.String())
}

// writeHeader opens a table. Those with a chosen name are examples, commented out.
func writeHeader(b *strings.Builder, table string) {
	example := strings.Replace(table, "*", "openai", 1)
	example = strings.Replace(example, "*", `"gpt-5-mini"`, 1)
	if example == table {
		fmt.Fprintf(b, "\n[%s]\n", table)
		return
	}
	if table == "providers.*" {
		b.WriteString("\n# One table per provider, under a name of your choice.")
	}
	fmt.Fprintf(b, "\n# [%s]\n", example)
}

func (e *entry) templateDoc() string {
	doc := e.Doc
	if rule := e.ruleText(); rule != "" {
		doc += " (" + rule + ")"
	}
	if e.derived() {
		doc += "; default " + e.Default
	}
	if e.Reload == restart {
		doc += "; needs a restart"
	}
	return doc
}

// templateLine sets the key to its default; a derived or unset one is only named.
func (e *entry) templateLine() string {
	name := e.segs[len(e.segs)-1]
	if v := e.defaultValue(); v != nil {
		return name + " = " + encodeTOML(e.Path, v)
	}
	return name + " ="
}

// wrap breaks text into comment lines of about 90 columns.
func wrap(text string) string {
	var b strings.Builder
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > 90 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}

// Markdown is the reference page of all keys.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Configuration reference

<!-- Made from the key table of package config: go test ./config -run TestMarkdown -update -->

Values come, per key, from flags and ` + "`--set`" + `, the environment, one TOML file, profiles and these defaults, in
that order. Durations are integer seconds or text such as ` + "`\"90s\"`" + `, ` + "`\"5m\"`" + `, ` + "`\"24h\"`" + `, ` + "`\"30d\"`" + `. String values may
hold ` + "`${VAR}`" + ` and ` + "`${VAR:-default}`" + `; ` + "`$$`" + ` is a dollar. Relative paths are relative to the file. "reload" keys are
applied by SIGHUP, "restart" keys at the next start. Keys marked *later* are not available in this version.

`)
	table := "-"
	for _, e := range bound().entries {
		if t := strings.Join(e.segs[:len(e.segs)-1], "."); t != table {
			table = t
			title := "[" + strings.ReplaceAll(table, "*", "NAME") + "]"
			if table == "" {
				title = "Top level"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| key | type | default | takes effect | meaning |\n|---|---|---|---|---|\n", title)
		}
		b.WriteString(e.row())
	}
	b.WriteString("\n## Other names\n\n| name | is |\n|---|---|\n")
	for _, name := range sortedKeys(aliases) {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", strings.ReplaceAll(name, "*", "NAME"), strings.ReplaceAll(aliases[name], "*", "NAME"))
	}
	b.WriteString("\n## Names that no longer exist\n\n| name | instead |\n|---|---|\n")
	for _, name := range sortedKeys(dropped) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, dropped[name])
	}
	b.WriteString("\n## Environment\n\nEvery key has the variable `LLMSPELL_` and its path in capitals with `_` for `.`, such as\n`LLMSPELL_KERNEL_PORT`. Lists are comma-separated. Besides:\n\n| variable | meaning |\n|---|---|\n")
	for _, v := range specialEnv {
		fmt.Fprintf(&b, "| `%s` | %s |\n", v.Name, v.Doc)
	}
	b.WriteString("\n## Profiles\n")
	for _, p := range profiles {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n```toml\n%s```\n", p.Name, capital(p.Doc), p.TOML)
	}
	return b.String()
}

func (e *entry) row() string {
	value := ""
	if v := e.defaultValue(); v != nil {
		value = "`" + encodeTOML(e.Path, v) + "`"
	} else if e.derived() {
		value = "`" + e.Default + "`"
	}
	if strings.HasSuffix(e.Default, "d") && e.kind == kindDuration {
		value = "`" + quote(e.Default) + "`"
	}
	doc := capital(e.Doc)
	if rule := e.ruleText(); rule != "" {
		doc += " (" + rule + ")"
	}
	if e.pending {
		doc += "; *later*"
	}
	if e.refused != nil {
		doc += "; *later*: " + strings.Join(e.refused, ", ")
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", e.segs[len(e.segs)-1], e.kind, value, e.Reload, strings.ReplaceAll(doc, "|", `\|`))
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func sortedKeys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
