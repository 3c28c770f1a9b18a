package interp

import (
	"slices"
	"strings"

	"github.com/llmspell/llmspell/lua"
)

// maxMatches bounds what Complete returns.
const maxMatches = 200

// keywords of the language, for completion of plain names.
var keywords = []string{
	"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
	"local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
}

// Complete lists completions of the expression before the cursor (bytes): of a
// global, a field of a table, or a method of a handle or string. matches
// replace code[start:cursor]. Nothing of the script runs. Not during Execute.
func (i *Interp) Complete(code string, cursor int) (matches []string, start int) {
	cursor = min(max(cursor, 0), len(code))
	path, seps, start := splitPath(code[:cursor])
	prefix := path[len(path)-1]
	if insideNumber(path[0]) {
		return nil, cursor
	}
	names := map[string]bool{}
	add := func(name string) {
		if strings.HasPrefix(name, prefix) {
			names[name] = true
		}
	}
	if len(path) == 1 {
		if len(seps) > 0 {
			return nil, cursor // "." after something that is no name
		}
		for _, k := range keywords {
			if prefix != "" {
				add(k)
			}
		}
		eachName(i.st.Globals(), add)
	} else {
		v := i.st.Globals().Value()
		for _, name := range path[:len(path)-1] {
			v = i.field(v, name)
		}
		i.eachField(v, seps[len(seps)-1] == ':', add)
	}
	for name := range names {
		matches = append(matches, name)
	}
	slices.Sort(matches)
	return matches[:min(len(matches), maxMatches)], start
}

// splitPath takes the names at the end of text apart: "x = a.b:c" gives a, b, c
// with the separators between them. start is where the last one begins.
func splitPath(text string) (path []string, seps []byte, start int) {
	start = len(text)
	for end := len(text); ; {
		from := end
		for from > 0 && isNameByte(text[from-1]) {
			from--
		}
		if len(path) == 0 {
			start = from
		}
		path = append(path, text[from:end])
		if from == 0 || text[from-1] != '.' && text[from-1] != ':' {
			break
		}
		if from >= 2 && isNameByte(text[from-2]) {
			seps = append(seps, text[from-1])
			end = from - 1
			continue
		}
		if len(path) == 1 && text[from-1] == ':' || len(path) == 1 && !strings.HasSuffix(text[:from], "..") {
			seps = append(seps, text[from-1])
		}
		break
	}
	slices.Reverse(path)
	slices.Reverse(seps)
	return path, seps, start
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func insideNumber(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// field reads v.name without running code of the script.
func (i *Interp) field(v lua.Value, name string) lua.Value {
	t, ok := v.AsTable()
	if !ok {
		return lua.Nil
	}
	return i.st.RawGetString(t, name)
}

// eachField calls add with the names of v's fields; those of functions only
// where a method is asked for.
func (i *Interp) eachField(v lua.Value, method bool, add func(string)) {
	if u, ok := v.AsUserdata(); ok {
		for name := range u.Type().Methods {
			add(name)
		}
		if !method {
			for _, f := range i.b.Library().ClassFields(u.Type().Name) {
				add(f)
			}
		}
		return
	}
	if _, ok := v.AsString(); ok {
		v = i.field(i.st.Globals().Value(), "string")
	}
	for depth := 0; depth < 8; depth++ { // along __index tables
		t, ok := v.AsTable()
		if !ok {
			return
		}
		eachEntry(t, func(name string, value lua.Value) {
			if !method || value.IsFunction() {
				add(name)
			}
		})
		if t.Metatable() == nil {
			return
		}
		v = i.st.RawGetString(t.Metatable(), "__index")
	}
}

func eachName(t *lua.Table, add func(string)) {
	eachEntry(t, func(name string, _ lua.Value) { add(name) })
}

func eachEntry(t *lua.Table, f func(name string, v lua.Value)) {
	for k, v, ok := t.Next(lua.Nil); ok; k, v, ok = t.Next(k) {
		if name, isString := k.AsString(); isString && name != "" && !insideNumber(name) && isNameText(name) {
			f(name, v)
		}
	}
}

func isNameText(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}
