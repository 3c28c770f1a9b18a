package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Scope says whose directories are used.
type Scope string

// The scopes of kernel directories.
const (
	ScopeSystem Scope = "system"
	ScopeUser   Scope = "user"
)

// Paths are the directories of the kernel. They are empty when the configuration
// was made without an environment, as Default does. Nothing is created here.
type Paths struct {
	ConfigDir  string
	StateDir   string
	RuntimeDir string
	LogsDir    string
	Scope      Scope
}

// interactive reports whether command works for the calling user even as root.
func interactive(command string) bool {
	switch command {
	case "run", "exec", "repl", "test", "debug":
		return true
	}
	return false
}

// paths returns the default directories: the service manager's variables win in
// any scope, then uid 0 means system, else the user's.
func (p Params) paths() Paths {
	if p.Env == nil {
		return Paths{}
	}
	paths := Paths{Scope: ScopeUser}
	if p.UID == 0 && !interactive(p.Command) {
		paths = systemPaths(p.goos())
	} else {
		paths.ConfigDir = p.xdg("XDG_CONFIG_HOME", ".config")
		paths.StateDir = p.xdg("XDG_STATE_HOME", ".local/state")
	}
	if dir := p.serviceDir("CONFIGURATION_DIRECTORY"); dir != "" {
		paths.ConfigDir = dir
	}
	if dir := p.serviceDir("STATE_DIRECTORY"); dir != "" {
		paths.StateDir = dir
	}
	return p.withState(paths)
}

// withState fills what depends on the state directory.
func (p Params) withState(paths Paths) Paths {
	if paths.Scope == ScopeUser && paths.StateDir != "" {
		paths.RuntimeDir = filepath.Join(paths.StateDir, "run")
		if dir := p.absEnv("XDG_RUNTIME_DIR"); dir != "" {
			paths.RuntimeDir = filepath.Join(dir, "llmspell")
		}
		paths.LogsDir = filepath.Join(paths.StateDir, "logs")
		if p.goos() == "darwin" && p.Home != "" {
			paths.LogsDir = filepath.Join(p.Home, "Library/Logs/llmspell")
		}
	}
	if dir := p.serviceDir("RUNTIME_DIRECTORY"); dir != "" {
		paths.RuntimeDir = dir
	}
	if dir := p.serviceDir("LOGS_DIRECTORY"); dir != "" {
		paths.LogsDir = dir
	}
	return paths
}

func systemPaths(goos string) Paths {
	if goos == "darwin" {
		return Paths{
			ConfigDir: "/usr/local/etc/llmspell", StateDir: "/usr/local/var/lib/llmspell",
			RuntimeDir: "/usr/local/var/run/llmspell", LogsDir: "/usr/local/var/log/llmspell", Scope: ScopeSystem,
		}
	}
	return Paths{
		ConfigDir: "/etc/llmspell", StateDir: "/var/lib/llmspell",
		RuntimeDir: "/run/llmspell", LogsDir: "/var/log/llmspell", Scope: ScopeSystem,
	}
}

func (p Params) goos() string {
	if p.GOOS != "" {
		return p.GOOS
	}
	return runtime.GOOS
}

// xdg is the llmspell directory below an XDG variable, or below its default in
// the home directory; empty if neither is known. Relative values are invalid
// by the XDG rules and ignored.
func (p Params) xdg(name, fallback string) string {
	if dir := p.absEnv(name); dir != "" {
		return filepath.Join(dir, "llmspell")
	}
	if p.Home == "" {
		return ""
	}
	return filepath.Join(p.Home, fallback, "llmspell")
}

func (p Params) absEnv(name string) string {
	if dir := p.Env[name]; filepath.IsAbs(dir) {
		return dir
	}
	return ""
}

// serviceDir is the first of the directories a service manager passes.
func (p Params) serviceDir(name string) string {
	dir, _, _ := strings.Cut(p.Env[name], ":")
	if !filepath.IsAbs(dir) {
		return ""
	}
	return dir
}

// resolvePath makes a configured path absolute: <state>, <runtime>, <logs> and
// <home> are this scope's directories, ~ is the home directory, the rest is
// relative to base.
func (p Params) resolvePath(path, base string, paths Paths) string {
	for _, dir := range []struct{ name, dir string }{
		{"<state>", paths.StateDir}, {"<runtime>", paths.RuntimeDir}, {"<logs>", paths.LogsDir}, {"<home>", p.Home}, {"~", p.Home},
	} {
		rest, ok := strings.CutPrefix(path, dir.name)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if dir.dir == "" {
			return ""
		}
		return filepath.Join(dir.dir, rest)
	}
	if path == "" || filepath.IsAbs(path) || base == "" {
		return path
	}
	return filepath.Join(base, path)
}

// FileInfo is what the safety rules need to know about a file.
type FileInfo struct {
	UID  int
	Mode os.FileMode
}
