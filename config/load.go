package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Params is everything a configuration depends on besides its text. Only Load
// reads the process environment itself.
type Params struct {
	// Env are the environment variables, as EnvMap makes them. Nil means there is
	// no environment: no variables and no machine paths.
	Env  map[string]string
	Cwd  string // absolute; base of relative paths in flags, variables and profiles
	Home string
	UID  int // 0 means the system scope, except for commands like run, exec, repl

	ConfigPath string     // --config
	Profiles   []string   // --profile; nil if not given
	Set        []string   // --set KEY=VALUE, TOML syntax or a bare word
	Overrides  []Override // other flags that set a key
	LogLevel   string     // --log-level

	// Command is the subcommand. run, exec, repl and test start from profile cli.
	Command string
	// ServiceManaged keeps ./llmspell.toml from being read.
	ServiceManaged bool

	// Stat and GOOS replace the system's in tests; nil and "" are the system's.
	Stat func(path string) (FileInfo, error)
	GOOS string
	// MemoryBytes is the memory of which scripts may use 60 %; 0 measures it.
	MemoryBytes int64
}

// Override is the value a command-line flag gives a key.
type Override struct {
	Flag  string // as the user writes it: "--port"
	Key   string
	Value string // as in an environment variable
}

// Load reads one file with its variables expanded, applies the profile and the
// LLMSPELL_ variables, and validates. The error is a *Error with every problem.
func Load(path string) (*Config, error) {
	if path == "" {
		return nil, &Error{Problems: []Problem{{Message: "no configuration file named"}}}
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	home, _ := os.UserHomeDir()
	return Discover(Params{ConfigPath: path, Env: EnvMap(os.Environ()), Cwd: cwd, Home: home, UID: os.Geteuid()})
}

// Discover finds the file, merges all layers and validates. The error is a
// *Error with every problem.
func Discover(p Params) (*Config, error) {
	l := newLoader(p)
	l.readFile()
	return l.load()
}

// Parse is Discover with the text of the file given; relative paths in it are
// relative to p.Cwd.
func Parse(toml []byte, p Params) (*Config, error) {
	l := newLoader(p)
	l.file = parseDocument("config", toml, Origin{Layer: LayerFile}, p.Cwd)
	return l.load()
}

// Default is the configuration without file, environment, profile and flags.
// Paths that depend on the environment are empty.
func Default() *Config {
	cfg, err := Parse(nil, Params{})
	if err != nil {
		panic("config: the defaults are invalid: " + err.Error())
	}
	return cfg
}

type loader struct {
	p        Params
	file     *document
	filePath string // absolute
	local    bool   // the file is ./llmspell.toml, found and not named

	winners map[string]setting
	origins map[string]Origin
	levels  map[string]string

	problems, warnings []Problem
	notices, notes     []string
}

func newLoader(p Params) *loader {
	if p.Stat == nil {
		p.Stat = statFile
	}
	return &loader{
		p: p, file: &document{}, winners: map[string]setting{}, origins: map[string]Origin{}, levels: map[string]string{},
	}
}

func (l *loader) load() (*Config, error) {
	l.problems = append(l.problems, l.file.problems...)
	env, flags := l.envSettings(), l.flagSettings()
	names := l.chooseProfiles(l.file.settings, env, flags)
	for _, layer := range [][]setting{l.profileSettings(names), l.file.settings, env, flags} {
		for _, s := range layer {
			l.winners[s.key()] = s
		}
	}
	cfg := &Config{origins: l.origins}
	setDefaults(reflect.ValueOf(cfg).Elem(), nil)
	l.apply(cfg)
	cfg.Profile = names
	l.derive(cfg)
	l.checkLocal(cfg)
	l.checkMode()
	cfg.ComponentLevels = l.levels
	cfg.File, cfg.Notices, cfg.Notes = l.filePath, l.notices, l.notes
	l.validate(cfg)
	cfg.Warnings = sortProblems(l.warnings)
	if len(l.problems) > 0 {
		return nil, &Error{Problems: sortProblems(l.problems), Warnings: cfg.Warnings}
	}
	return cfg, nil
}

// validate adds what Validate finds, except about values that are already
// reported and therefore still hold a default.
func (l *loader) validate(cfg *Config) {
	var found *Error
	if !errors.As(cfg.Validate(), &found) {
		return
	}
	reported := map[string]bool{}
	for _, p := range l.problems {
		reported[p.Key] = true
	}
	for _, p := range found.Problems {
		if !reported[p.Key] {
			l.problems = append(l.problems, p)
		}
	}
}

// apply decodes the winning settings into cfg. Values with variables come last,
// switches first among them, because those of a disabled section are not needed.
func (l *loader) apply(cfg *Config) {
	var plain, switches, rest []setting
	for _, key := range slices.Sorted(maps.Keys(l.winners)) {
		s := l.winners[key]
		switch {
		case !s.expand || s.entry == nil || !mentionsVariable(s.value):
			plain = append(plain, s)
		case s.entry.kind == kindBool || s.entry.kind == kindEnum:
			switches = append(switches, s)
		default:
			rest = append(rest, s)
		}
	}
	root := reflect.ValueOf(cfg).Elem()
	for _, s := range slices.Concat(plain, switches, rest) {
		if s.entry == nil {
			locate(root, s.segs, nil, func(reflect.Value) {})
			continue
		}
		l.origins[s.key()] = s.origin
		if s.expand && cfg.disabled(s.segs) && l.missesVariable(s) {
			delete(l.origins, s.key())
			continue
		}
		if v, ok := l.value(s); ok {
			locate(root, s.segs, nil, func(f reflect.Value) { assign(f, v) })
		}
	}
}

func mentionsVariable(v any) bool {
	switch x := v.(type) {
	case string:
		return strings.Contains(x, "$")
	case []any:
		return slices.ContainsFunc(x, mentionsVariable)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(x)), mentionsVariable)
	}
	return false
}

func (l *loader) missesVariable(s setting) bool {
	_, _, err := expandValue(s.value, l.p.Env)
	_, unset := errors.AsType[unsetError](err)
	return unset
}

// value expands and decodes a setting, reporting what is wrong with it.
func (l *loader) value(s setting) (any, bool) {
	v, asText := s.value, s.text
	if s.expand {
		expanded, changed, err := expandValue(v, l.p.Env)
		if err != nil {
			l.problems = append(l.problems, expandProblem(s, err))
			return nil, false
		}
		_, isString := expanded.(string)
		v, asText = expanded, asText || changed && isString && !isArray(s.entry.kind)
	}
	decode := s.entry.decode
	if text, ok := v.(string); ok && asText {
		decode = func(any) (any, error) { return s.entry.parseText(text) }
	}
	out, err := decode(v)
	if err != nil {
		l.problems = append(l.problems, s.origin.problem(s.key(), "%s", err))
		return nil, false
	}
	return out, true
}

// isArray reports whether a variable may not make a whole value of the kind: a
// list is written as an array, each item may hold a variable.
func isArray(k kind) bool {
	return k == kindList || k == kindPathList || k == kindTable || k == kindStrings
}

func expandProblem(s setting, err error) Problem {
	if s.entry.Path == "security.hmac_key" && errors.Is(err, errCommand) {
		p := s.origin.problem(s.key(), "%s", placeholderMessage)
		p.Hint = placeholderHint
		return p
	}
	p := s.origin.problem(s.key(), "%s", err)
	if u, ok := errors.AsType[unsetError](err); ok {
		p.Hint = "set it, or write ${" + u.name + ":-default}"
	}
	return p
}

// flagSettings makes the flag layer.
func (l *loader) flagSettings() []setting {
	var out []setting
	for _, o := range l.p.Overrides {
		out = l.addFlag(out, o)
	}
	for _, kv := range l.p.Set {
		key, value, ok := strings.Cut(kv, "=")
		if !ok {
			l.problems = append(l.problems, Problem{Source: "--set", Message: "needs KEY=VALUE"})
			continue
		}
		out = l.addFlag(out, Override{Flag: "--set", Key: strings.TrimSpace(key), Value: strings.TrimSpace(value)})
	}
	if l.p.LogLevel != "" {
		out = l.addFlag(out, Override{Flag: "--log-level", Key: "logging.log_level", Value: l.p.LogLevel})
	}
	return out
}

// addFlag resolves the key of a flag as if it stood in a file.
func (l *loader) addFlag(out []setting, o Override) []setting {
	origin := Origin{Layer: LayerFlag, Name: o.Flag}
	segs, ok := splitKey(o.Key)
	if !ok || slices.Contains(segs, "") {
		l.problems = append(l.problems, Problem{Source: o.Flag, Message: quote(o.Key) + " is not a key"})
		return out
	}
	value, err := tomlScalar(o.Value)
	d := &document{layer: origin, pos: map[string]position{}, seen: map[string]string{}, base: l.p.Cwd}
	_, e := resolveSegs(segs)
	bare := err != nil || o.Flag != "--set" || e != nil && (e.kind == kindString || e.kind == kindEnum || e.kind == kindSecret) && !isString(value)
	if bare {
		value = o.Value
	}
	tree := map[string]any{}
	leaf := tree
	for _, s := range segs[:len(segs)-1] {
		next := map[string]any{}
		leaf[s], leaf = next, next
	}
	leaf[segs[len(segs)-1]] = value
	if strings.Join(segs, ".") == "logging.json_format" {
		leaf[segs[len(segs)-1]] = o.Value == "true"
	}
	d.walk(bound().root, nil, nil, tree)
	l.problems = append(l.problems, d.problems...)
	for _, s := range d.settings {
		s.text = bare
		s.expand = !bare
		out = append(out, s)
	}
	return out
}

func isString(v any) bool { _, ok := v.(string); return ok }

// readFile finds and reads the one file.
func (l *loader) readFile() {
	name, origin := l.p.ConfigPath, "--config"
	if name == "" {
		name, origin = l.p.Env["LLMSPELL_CONFIG"], "LLMSPELL_CONFIG"
	}
	if name == "" {
		name, origin = l.search(), ""
	}
	if name == "" {
		return
	}
	path := l.p.resolvePath(name, l.p.Cwd, Paths{})
	if origin == "" {
		name = path
	}
	data, err := readBounded(path, maxFileSize)
	if err != nil {
		p := Problem{File: name, Message: "cannot read the configuration file: " + cause(err)}
		if origin != "" {
			p.Hint = "it is named by " + origin
		}
		l.problems = append(l.problems, p)
		return
	}
	l.filePath = path
	l.file = parseDocument(name, data, Origin{Layer: LayerFile}, filepath.Dir(path))
}

// cause is the error without the path, which the message already names.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if info.IsDir() {
		return nil, errors.New("is a directory")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return data, nil
}
