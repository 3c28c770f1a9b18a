package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// localFile is read from the working directory only if the caller owns it.
const localFile = "llmspell.toml"

// search returns the first file of the discovery order, empty if none exists.
func (l *loader) search() string {
	if l.p.Env == nil {
		return ""
	}
	if path := l.localCandidate(); path != "" {
		l.local = true
		return path
	}
	var dirs []string
	add := func(dir string, names ...string) {
		for _, name := range names {
			if dir != "" {
				dirs = append(dirs, filepath.Join(dir, name))
			}
		}
	}
	add(l.p.xdg("XDG_CONFIG_HOME", ".config"), "kernel.toml", "config.toml")
	if l.p.Home != "" {
		add(filepath.Join(l.p.Home, ".llmspell"), "config.toml")
	}
	add(systemPaths(l.p.goos()).ConfigDir, "kernel.toml", "config.toml")
	for _, path := range dirs {
		if info, err := l.p.Stat(path); err == nil && !info.Mode.IsDir() {
			return path
		}
	}
	return ""
}

// localCandidate applies the safety rules of ./llmspell.toml and says which way
// they went.
func (l *loader) localCandidate() string {
	if l.p.ServiceManaged || l.p.Cwd == "" {
		return ""
	}
	path := filepath.Join(l.p.Cwd, localFile)
	info, err := l.p.Stat(path)
	if err != nil {
		return ""
	}
	switch {
	case !info.Mode.IsRegular():
		l.ignored("it is not a regular file")
	case info.UID != l.p.UID:
		l.ignored(fmt.Sprintf("it belongs to user %d, not to you", info.UID))
	case info.Mode.Perm()&0o022 != 0:
		l.ignored(fmt.Sprintf("others may write it (mode %04o); run chmod go-w ./%s", info.Mode.Perm(), localFile))
	default:
		l.notices = append(l.notices, "using ./"+localFile)
		return path
	}
	return ""
}

func (l *loader) ignored(reason string) {
	l.notices = append(l.notices, "ignoring ./"+localFile+": "+reason)
}

// checkLocal keeps a found ./llmspell.toml from sending a key of the environment
// to a server of its choice.
func (l *loader) checkLocal(cfg *Config) {
	if !l.local {
		return
	}
	for name, p := range cfg.Providers {
		segs := []string{"providers", name, "base_url"}
		s, ok := l.winners[joinKey(segs)]
		if !ok || s.origin.Layer != LayerFile {
			continue
		}
		apiKey := l.winners[joinKey([]string{"providers", name, "api_key"})]
		own := apiKey.origin.Layer == LayerFile && !mentionsVariable(apiKey.value)
		if mentionsVariable(s.value) || p.Key().IsSet() && !own {
			problem := s.origin.problem(s.key(), "./%s may not choose the server that gets a key from the environment", localFile)
			problem.Hint = "name the file with --config to allow it"
			l.problems = append(l.problems, problem)
		}
	}
}

// checkMode warns when a file that holds a secret is readable by others.
func (l *loader) checkMode() {
	if l.filePath == "" {
		return
	}
	i := slices.IndexFunc(l.file.settings, func(s setting) bool {
		v, ok := s.value.(string)
		return ok && s.entry != nil && s.entry.kind == kindSecret && v != "" && !strings.Contains(v, "${")
	})
	if i < 0 {
		return
	}
	info, err := l.p.Stat(l.filePath)
	if err != nil || info.Mode.Perm()&0o044 == 0 {
		return
	}
	s := l.file.settings[i]
	p := s.origin.problem(s.key(), "a secret in a file that others may read (mode %04o, owner uid %d)", info.Mode.Perm(), info.UID)
	p.Hint = "run chmod 600 " + l.filePath
	l.warnings = append(l.warnings, p)
}
