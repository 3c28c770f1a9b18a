package cli

import (
	"errors"
	"io/fs"
	"strings"
)

// readEnvFile adds the NAME=VALUE lines of a file to the environment, as
// systemd's EnvironmentFile= does: blank lines and those beginning with # or ;
// are skipped, quotes around a value are removed. A name with a leading "-"
// may be missing.
func (a *app) readEnvFile(name string) error {
	if name == "" {
		return nil
	}
	path, optional := strings.CutPrefix(name, "-")
	data, err := a.readAll(path, 1<<20)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \t\"'") {
			return usagef("--env-file %s:%d: want NAME=VALUE", path, i+1)
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		a.env.Environ = append(a.env.Environ, key+"="+value)
	}
	return nil
}
