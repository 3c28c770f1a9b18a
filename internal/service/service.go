// Package service writes the files by which systemd and launchd run a kernel
// (kernel contract 3). Render makes the text; PlanInstall and PlanUninstall
// look at a machine and say, as data, which files and commands are needed;
// Host.Apply carries a plan out. Nothing is touched before Apply.
package service

import (
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/registry"
)

// Manager is what starts the service.
type Manager string

// The supported managers.
const (
	Systemd Manager = "systemd"
	Launchd Manager = "launchd"
)

// Spec is one service as its installer asked for it. Empty options are left to
// the configuration file.
type Spec struct {
	Manager Manager
	System  bool
	Name    string // "" = the default; see Complete
	ID      string // kernel id, "" = from the name
	Binary  string // absolute
	Port    string
	Config  string // absolute
	Profile string
	LogFile string // absolute
	PIDFile string // absolute
	RunAs   string // system scope: "" = an account of its own
	Forking bool   // systemd Type=forking
	Version string

	Home       string // of the user, for user services
	ConfigHome string // $XDG_CONFIG_HOME, "" = ~/.config
	LogsDir    string // launchd: stdout, stderr and kernel log; "" = the default

	// What the configuration file names: directories that the kernel writes and
	// files that it reads.
	Writes, Reads []string
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// Complete fills name and id and refuses what no service file can hold. Its
// errors are fault.InvalidArgument.
func (s Spec) Complete() (Spec, error) {
	if s.Name == "" {
		s.Name = "llmspell-kernel"
		if s.Manager == Launchd {
			s.Name = "com.llmspell.kernel"
		}
	}
	if !namePattern.MatchString(s.Name) {
		return s, fault.Errorf(fault.InvalidArgument, "--name %q: want letters, digits, '_', '.' and '-', at most 128, beginning with a letter or digit", s.Name)
	}
	if s.Manager == Systemd {
		s.Name = strings.TrimSuffix(s.Name, ".service")
	} else if !strings.Contains(s.Name, ".") {
		s.Name = "com.llmspell." + s.Name
	}
	if s.ID == "" {
		s.ID = kernelID(s.Name)
	}
	if !registry.ValidID(s.ID) {
		return s, fault.Errorf(fault.InvalidArgument, "--id %q: want lower-case letters, digits and '-', at most 63", s.ID)
	}
	if s.Manager == Launchd && s.Forking {
		return s, fault.Errorf(fault.InvalidArgument, "--unit-type forking is for systemd; a forking job looks dead to launchd")
	}
	if s.RunAs != "" && (!s.System || !accountPattern.MatchString(s.RunAs)) {
		return s, fault.Errorf(fault.InvalidArgument, "--run-as %q: want the name of an account, with --system", s.RunAs)
	}
	for _, path := range s.Writes {
		if !writable(path) {
			return s, fault.Errorf(fault.InvalidArgument, "the configuration names %q, which cannot be written to a service file", path)
		}
	}
	for _, v := range []struct{ flag, value string }{
		{"the binary", s.Binary}, {"--config", s.Config}, {"--profile", s.Profile}, {"--log-file", s.LogFile}, {"--pid-file", s.PIDFile}, {"home", s.Home},
	} {
		if !writable(v.value) {
			return s, fault.Errorf(fault.InvalidArgument, "%s %q: control characters and a backslash at the end cannot be written to a service file", v.flag, v.value)
		}
	}
	if s.Manager == Systemd && strings.ContainsAny(s.Binary, `"'\`) {
		return s, fault.Errorf(fault.InvalidArgument, "systemd runs no program with quotes or backslashes in its path: %s", s.Binary).
			WithHint("move the binary, for example to /usr/local/bin")
	}
	if s.Manager == Systemd { // verify warns of the legacy name
		s.PIDFile, s.LogFile = modernRun(s.PIDFile), modernRun(s.LogFile)
	}
	return s, nil
}

var accountPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)

func writable(s string) bool {
	return utf8.ValidString(s) && !strings.HasSuffix(s, `\`) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// modernRun is a path with /run for its older name /var/run.
func modernRun(p string) string {
	if rest, ok := strings.CutPrefix(p, "/var/run/"); ok {
		return "/run/" + rest
	}
	return p
}

// kernelID is the name in lower case with '-' for what an id may not have.
func kernelID(name string) string {
	id := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	return id[:min(63, len(id))]
}

// File is where the service file goes.
func (s Spec) File() string { return s.fileIn(s.System) }

// OtherFile is where a service of the same name in the other scope would be.
func (s Spec) OtherFile() string { return s.fileIn(!s.System) }

func (s Spec) fileIn(system bool) string {
	switch {
	case s.Manager == Systemd && system:
		return "/etc/systemd/system/" + s.Name + ".service"
	case s.Manager == Systemd:
		return path.Join(s.configHome(), "systemd/user", s.Name+".service")
	case system:
		return "/Library/LaunchDaemons/" + s.Name + ".plist"
	}
	return path.Join(s.Home, "Library/LaunchAgents", s.Name+".plist")
}

func (s Spec) configHome() string {
	if path.IsAbs(s.ConfigHome) {
		return s.ConfigHome
	}
	return path.Join(s.Home, ".config")
}

// Account is the user a system service runs as.
func (s Spec) Account() string {
	switch {
	case !s.System:
		return ""
	case s.RunAs != "":
		return s.RunAs
	case s.Manager == Launchd:
		return "_llmspell"
	}
	return "llmspell"
}

// Dirs are the directories of 2.1 that the service uses.
type Dirs struct{ Config, State, Runtime, Logs string }

// Dirs returns the default directories; those of a user service on Linux are
// the kernel's own matter except for the ones that --purge removes.
func (s Spec) Dirs() Dirs {
	switch {
	case s.Manager == Systemd && s.System:
		return Dirs{"/etc/llmspell", "/var/lib/" + s.stateName(), "/run/llmspell", "/var/log/llmspell"}
	case s.Manager == Systemd:
		state := path.Join(s.Home, ".local/state/llmspell")
		return Dirs{path.Join(s.configHome(), "llmspell"), state, "", path.Join(state, "logs")}
	case s.System:
		return Dirs{"/usr/local/etc/llmspell", "/usr/local/var/lib/llmspell", "/usr/local/var/run/llmspell", "/usr/local/var/log/llmspell"}
	}
	state := path.Join(s.Home, ".local/state/llmspell")
	logs := s.LogsDir
	if logs == "" {
		logs = path.Join(s.Home, "Library/Logs/llmspell")
	}
	return Dirs{path.Join(s.configHome(), "llmspell"), state, path.Join(state, "run"), logs}
}

// stateName is the StateDirectory: one for each service.
func (s Spec) stateName() string {
	if s.Name == "llmspell-kernel" {
		return "llmspell"
	}
	return s.Name
}

// pidName is the default name of the PID file.
func (s Spec) pidName() string {
	if s.ID == "llmspell-kernel" {
		return "kernel.pid"
	}
	return s.ID + ".pid"
}

// Render returns the text of the service file.
func (s Spec) Render() (string, error) {
	if s.Manager == Launchd {
		return s.plist()
	}
	return s.unit()
}
