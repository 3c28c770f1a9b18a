package config

import (
	"errors"
	"fmt"
	"strings"
)

var errCommand = errors.New("TOML does not run commands: $(...) is refused, use ${VAR}")

// unsetError names a variable that a value needs.
type unsetError struct{ name string }

func (e unsetError) Error() string { return fmt.Sprintf("variable %s is not set", e.name) }

// expandValue expands ${VAR}, ${VAR:-default} and $$ in every string of v.
// changed reports whether a variable was used. Inserted text is not expanded again.
func expandValue(v any, env map[string]string) (out any, changed bool, err error) {
	switch x := v.(type) {
	case string:
		return expandString(x, env)
	case []any:
		items := make([]any, len(x))
		for i, item := range x {
			v, c, err := expandValue(item, env)
			if err != nil {
				return nil, false, err
			}
			items[i], changed = v, changed || c
		}
		return items, changed, nil
	case map[string]any:
		table := make(map[string]any, len(x))
		for name, item := range x {
			v, c, err := expandValue(item, env)
			if err != nil {
				return nil, false, err
			}
			table[name], changed = v, changed || c
		}
		return table, changed, nil
	}
	return v, false, nil
}

func expandString(s string, env map[string]string) (out any, changed bool, err error) {
	if !strings.Contains(s, "$") {
		return s, false, nil
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			b.WriteString(s)
			return b.String(), changed, nil
		}
		b.WriteString(s[:i])
		switch s = s[i:]; s[1] {
		case '$':
			b.WriteByte('$')
			s = s[2:]
		case '(':
			return nil, false, errCommand
		case '{':
			end := strings.IndexByte(s, '}')
			if end < 0 {
				return nil, false, errors.New("${ without }")
			}
			value, err := variable(s[2:end], env)
			if err != nil {
				return nil, false, err
			}
			b.WriteString(value)
			s, changed = s[end+1:], true
		default:
			b.WriteByte('$')
			s = s[1:]
		}
	}
}

// variable evaluates the inside of ${...}; an empty variable counts as unset.
func variable(spec string, env map[string]string) (string, error) {
	name, fallback, hasFallback := strings.Cut(spec, ":-")
	if !isVariable(name) {
		return "", errors.New("${...} must hold a variable name, or NAME:-default")
	}
	if v := env[name]; v != "" {
		return v, nil
	}
	if hasFallback {
		return fallback, nil
	}
	return "", unsetError{name}
}

func isVariable(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}
