package bind

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/script"
)

// Stubs writes the modules as LuaLS definitions for editors: a file that is
// never run. Equal rows give equal bytes.
func Stubs(modules ...Module) []byte {
	var b bytes.Buffer
	b.WriteString("---@meta\n-- Generated from the rows of the script API. Do not edit.\n\n")
	b.WriteString("---@type table<string|integer, any>\nARGS = {}\n")
	for _, m := range modules {
		for _, c := range m.Classes {
			stubClass(&b, c)
		}
		b.WriteByte('\n')
		comment(&b, m.Doc)
		fmt.Fprintf(&b, "---@class %slib\n", m.Name)
		for _, name := range sortedKeys(m.Fields) {
			fmt.Fprintf(&b, "---@field %s any\n", name)
		}
		fmt.Fprintf(&b, "%s = {}\n", m.Name)
		for i := range m.Funcs {
			stubFunction(&b, m.Name, ".", &m.Funcs[i])
		}
	}
	return b.Bytes()
}

func stubClass(b *bytes.Buffer, c *script.Class) {
	b.WriteByte('\n')
	comment(b, c.Doc)
	fmt.Fprintf(b, "---@class %s\n", c.Name)
	for i := range c.Fields {
		f := &c.Fields[i]
		fmt.Fprintf(b, "---@field %s %s %s\n", f.Name, stubType(f), strings.ReplaceAll(f.Doc, "\n", " "))
	}
	fmt.Fprintf(b, "local %s = {}\n", c.Name)
	for i := range c.Methods {
		stubFunction(b, c.Name, ":", &c.Methods[i])
	}
}

func comment(b *bytes.Buffer, text string) {
	for line := range strings.Lines(text) {
		b.WriteString("--- " + strings.TrimSpace(line) + "\n")
	}
}

func stubFunction(b *bytes.Buffer, owner, sep string, f *script.Func) {
	for _, name := range append([]string{f.Name}, f.Aliases...) {
		b.WriteByte('\n')
		comment(b, f.Doc)
		var names []string
		for i := range f.Params {
			p := &f.Params[i]
			doc := strings.ReplaceAll(paramNotes(p), "\n", " ")
			if p.Variadic {
				fmt.Fprintf(b, "---@param ... %s %s\n", stubType(p), doc)
				names = append(names, "...")
				continue
			}
			optional := "?"
			if p.Required {
				optional = ""
			}
			safe := stubName(p.Name)
			fmt.Fprintf(b, "---@param %s%s %s %s\n", safe, optional, stubType(p), doc)
			names = append(names, safe)
		}
		for _, r := range f.Returns {
			t := luaType(r.Type, r.Class)
			if r.Optional {
				t += "?"
			}
			fmt.Fprintf(b, "---@return %s %s\n", t, strings.TrimSpace(r.Name+" "+strings.ReplaceAll(r.Doc, "\n", " ")))
		}
		fmt.Fprintf(b, "function %s%s%s(%s) end\n", owner, sep, name, strings.Join(names, ", "))
	}
}

// reserved words cannot name a parameter.
var reserved = []string{"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
	"local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"}

func stubName(s string) string {
	if slices.Contains(reserved, s) {
		return s + "_"
	}
	return s
}

// stubType is the LuaLS type of a parameter.
func stubType(p *script.Param) string {
	var types []string
	for _, t := range append([]script.Type{p.Type}, p.Also...) {
		text := luaType(t, p.Class)
		switch {
		case t == script.TypeArray && p.Elem != script.TypeAny:
			text = luaType(p.Elem, p.Class) + "[]"
		case t == script.TypeOptions && len(p.Fields) > 0:
			var fields []string
			for i := range p.Fields {
				f := &p.Fields[i]
				optional := "?"
				if f.Required {
					optional = ""
				}
				fields = append(fields, f.Name+optional+": "+stubType(f))
			}
			text = "{ " + strings.Join(fields, ", ") + " }"
		case t == script.TypeString && len(p.Enum) > 0:
			text = `"` + strings.Join(p.Enum, `"|"`) + `"`
		}
		if !slices.Contains(types, text) {
			types = append(types, text)
		}
	}
	return strings.Join(types, "|")
}

// luaType is TypeText in the words of the Lua language server.
func luaType(t script.Type, class string) string {
	switch text := TypeText(t, class); text {
	case "array":
		return "any[]"
	case "handle":
		return "userdata"
	case "value":
		return "any"
	default:
		return text
	}
}
