package bind

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell/script"
)

// Markdown writes the reference page of the modules: one for each file, or all
// in one. Equal rows give equal bytes.
func Markdown(modules ...Module) []byte {
	var b bytes.Buffer
	for i, m := range modules {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "# %s\n", m.Name)
		paragraph(&b, m.Doc)
		if len(m.Fields) > 0 {
			names := sortedKeys(m.Fields)
			fmt.Fprintf(&b, "\nFields: `%s.%s`.\n", m.Name, strings.Join(names, "`, `"+m.Name+"."))
		}
		if len(m.Funcs) > 0 {
			b.WriteString("\n## Functions\n")
		}
		for i := range m.Funcs {
			functionPage(&b, m.Name+".", &m.Funcs[i])
		}
		for _, c := range m.Classes {
			classPage(&b, c)
		}
	}
	return b.Bytes()
}

func classPage(b *bytes.Buffer, c *script.Class) {
	fmt.Fprintf(b, "\n## %s\n", c.Name)
	paragraph(b, c.Doc)
	if len(c.Fields) > 0 {
		b.WriteString("\n| Field | Type | |\n|---|---|---|\n")
		for i := range c.Fields {
			f := &c.Fields[i]
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, expectedText(f), cell(f.Doc))
		}
	}
	for i := range c.Methods {
		functionPage(b, ":", &c.Methods[i])
	}
}

func functionPage(b *bytes.Buffer, prefix string, f *script.Func) {
	fmt.Fprintf(b, "\n### `%s%s`\n", prefix, signature(f))
	if len(f.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso: `%s`.\n", strings.Join(f.Aliases, "`, `"))
	}
	paragraph(b, f.Doc)
	if len(f.Params) > 0 {
		b.WriteString("\n| Parameter | Type | |\n|---|---|---|\n")
		paramRows(b, "", f.Params)
	}
	if len(f.Returns) > 0 {
		b.WriteString("\nReturns " + returnsText(f.Returns) + ".\n")
	}
	if f.Blocking {
		b.WriteString("\nThe script waits while the call is in progress; others run.\n")
	}
	if f.Example != "" {
		fmt.Fprintf(b, "\n```lua\n%s\n```\n", strings.TrimSpace(f.Example))
	}
}

func paragraph(b *bytes.Buffer, text string) {
	if text != "" {
		fmt.Fprintf(b, "\n%s\n", text)
	}
}

// cell is text for a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "|", "\\|")
}

// signature is "save(scope, key, value, options?)".
func signature(f *script.Func) string {
	var names []string
	for i := range f.Params {
		p := &f.Params[i]
		switch {
		case p.Variadic:
			names = append(names, "...")
		case p.Required:
			names = append(names, p.Name)
		default:
			names = append(names, p.Name+"?")
		}
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
}

func paramRows(b *bytes.Buffer, prefix string, params []script.Param) {
	for i := range params {
		p := &params[i]
		name := prefix + p.Name
		if p.Required {
			name += "*"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, cell(expectedText(p)), cell(paramNotes(p)))
		if slices.Contains(append([]script.Type{p.Type, p.Elem}, append(p.Also, p.ElemAlso...)...), script.TypeOptions) {
			paramRows(b, prefix+p.Name+".", p.Fields)
		}
	}
}

// paramNotes is the documentation of a parameter with its limits.
func paramNotes(p *script.Param) string {
	var notes []string
	if p.Doc != "" {
		notes = append(notes, p.Doc)
	}
	if len(p.Enum) > 0 {
		notes = append(notes, "one of "+strings.Join(p.Enum, ", "))
	}
	switch {
	case p.Min != nil && p.Max != nil:
		notes = append(notes, fmt.Sprintf("%v to %v", *p.Min, *p.Max))
	case p.Min != nil:
		notes = append(notes, fmt.Sprintf("at least %v", *p.Min))
	case p.Max != nil:
		notes = append(notes, fmt.Sprintf("at most %v", *p.Max))
	}
	if text := defaultText(p.Default); text != "" {
		notes = append(notes, "default "+text)
	}
	return strings.Join(notes, "; ")
}

// defaultText is a default as Lua writes it, "" for what absence means anyway:
// nothing, an empty string or an empty table.
func defaultText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if v == "" {
			return ""
		}
		return strconv.Quote(v)
	case map[string]any:
		if len(v) == 0 {
			return ""
		}
	case []any:
		if len(v) == 0 {
			return ""
		}
	}
	return fmt.Sprint(v)
}

func returnsText(returns []script.Return) string {
	var parts []string
	for _, r := range returns {
		text := TypeText(r.Type, r.Class)
		if r.Name != "" {
			text = "`" + r.Name + "` (" + text + ")"
		}
		if r.Optional {
			text += " or nil"
		}
		if r.Doc != "" {
			text += ": " + strings.TrimSuffix(r.Doc, ".")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}
