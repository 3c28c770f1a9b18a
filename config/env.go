package config

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
)

const envPrefix = "LLMSPELL_"

// EnvMap turns the form of os.Environ into the form of Params.Env.
func EnvMap(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	return env
}

// envName is the variable of a key, with NAME for the name the user chooses.
func envName(segs []string) string {
	name := strings.ToUpper(strings.ReplaceAll(strings.Join(segs, "_"), "-", "_"))
	return envPrefix + strings.ReplaceAll(name, "*", "<NAME>")
}

// wildcards is how many names of the key the user chooses. Keys with two have no
// variable, for model names do not fit into one.
func (e *entry) wildcards() (n int) {
	for _, s := range e.segs {
		if s == "*" {
			n++
		}
	}
	return n
}

// specialEnv are variables that are not made from a key.
var specialEnv = []EnvVar{
	{Name: "LLMSPELL_CONFIG", Type: "path", Doc: "configuration file"},
	{Name: "LLMSPELL_LOG", Key: "logging.log_level", Type: "string", Doc: "level, or level,component=level,...; beats RUST_LOG"},
	{Name: "RUST_LOG", Key: "logging.log_level", Type: "string", Doc: "as LLMSPELL_LOG, where that is unset"},
	{Name: "LLMSPELL_TOKEN", Type: "secret", Doc: "bearer token of the kernel, for the server and for clients"},
	{Name: "LLMSPELL_URL", Type: "string", Doc: "kernel that commands talk to"},
	{Name: "LLMSPELL_ENGINE", Key: "default_engine", Type: "enum", Doc: "as LLMSPELL_DEFAULT_ENGINE"},
}

// EnvVar describes one environment variable.
type EnvVar struct {
	Name   string
	Key    string // dotted key it sets, may be empty
	Type   string
	Doc    string
	Origin Origin // where the key's value comes from now
	Set    bool   // whether this variable gave the value
}

// EnvVars lists every variable. Those of a named table are listed for each name
// in the configuration, or with <NAME>.
func (c *Config) EnvVars() []EnvVar {
	out := slices.Clone(specialEnv)
	for _, e := range bound().entries {
		if e.wildcards() > 1 {
			continue
		}
		instances := c.instances(e)
		if len(instances) == 0 {
			instances = [][]string{e.segs}
		}
		for _, segs := range instances {
			out = append(out, EnvVar{Name: envName(segs), Key: joinKey(segs), Type: string(e.kind), Doc: e.Doc})
		}
	}
	for i := range out {
		if out[i].Key == "" {
			continue
		}
		out[i].Origin, _ = c.Origin(out[i].Key)
		out[i].Set = out[i].Origin.Layer == LayerEnv && out[i].Origin.Name == out[i].Name
	}
	return out
}

// matchEnv finds the key of a variable. known are the chosen names so far, by
// their table, so that LLMSPELL_PROVIDERS_MY_VLLM_BASE_URL finds "my-vllm".
func matchEnv(name string, known map[string][]string) ([]string, *entry) {
	var best []string
	var found *entry
	for _, e := range bound().entries {
		if e.wildcards() > 1 {
			continue
		}
		pattern := envName(e.segs)
		if pattern == name {
			return e.segs, e
		}
		before, after, wild := strings.Cut(pattern, "<NAME>")
		if !wild || len(name) <= len(before)+len(after) || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) {
			continue
		}
		middle := name[len(before) : len(name)-len(after)]
		chosen, isKnown := strings.ToLower(middle), false
		for _, k := range known[e.segs[0]] {
			if envPrefix+middle == envName([]string{k}) {
				chosen, isKnown = k, true
			}
		}
		segs := fill(e.segs, []string{chosen})
		// A configured name wins, then the longest key.
		if found == nil || isKnown || len(after) > len(envName(found.segs)) {
			best, found = segs, e
		}
		if isKnown {
			break
		}
	}
	return best, found
}

// envSettings makes the environment layer. Unknown LLMSPELL_ names are warnings.
func (l *loader) envSettings() []setting {
	var out []setting
	known := map[string][]string{"providers": slices.Clone(providerTypes)}
	for _, s := range l.file.settings {
		if len(s.segs) > 1 && !slices.Contains(known[s.segs[0]], s.segs[1]) {
			known[s.segs[0]] = append(known[s.segs[0]], s.segs[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.p.Env)) {
		value := l.p.Env[name]
		if !strings.HasPrefix(name, envPrefix) || value == "" || strings.HasPrefix(name, "LLMSPELL_TEST_") {
			continue
		}
		if slices.ContainsFunc(specialEnv, func(v EnvVar) bool { return v.Name == name }) {
			continue
		}
		segs, e := matchEnv(name, known)
		if e == nil {
			l.warnings = append(l.warnings, Problem{Source: name, Message: "unknown variable", DidYouMean: nearestEnv(name)})
			continue
		}
		out = append(out, l.envSetting(name, value, segs, e))
	}
	if v := l.p.Env["LLMSPELL_ENGINE"]; v != "" {
		e := bound().byPath["default_engine"]
		out = append(out, l.envSetting("LLMSPELL_ENGINE", v, e.segs, e))
	}
	if key := l.credential("hmac_key"); key != "" {
		e := bound().byPath["security.hmac_key"]
		out = append(out, l.envSetting("$CREDENTIALS_DIRECTORY/hmac_key", key, e.segs, e))
	}
	return append(out, l.levelSettings(out)...)
}

func (l *loader) envSetting(name, value string, segs []string, e *entry) setting {
	return setting{segs: segs, entry: e, value: value, text: true, base: l.p.Cwd, origin: Origin{Layer: LayerEnv, Name: name}}
}

func nearestEnv(name string) string {
	var names []string
	for _, e := range bound().entries {
		names = append(names, envName(e.segs))
	}
	for _, v := range specialEnv {
		names = append(names, v.Name)
	}
	return fault.Nearest(name, names)
}

// credential is a secret file of the service manager; empty if there is none.
func (l *loader) credential(name string) string {
	dir := l.p.Env["CREDENTIALS_DIRECTORY"]
	if dir == "" || name == "" || strings.ContainsRune(name, filepath.Separator) {
		return ""
	}
	data, err := readBounded(filepath.Join(dir, name), 64<<10)
	if err != nil {
		if !os.IsNotExist(err) {
			l.warnings = append(l.warnings, Problem{Source: "$CREDENTIALS_DIRECTORY/" + name, Message: "cannot be read"})
		}
		return ""
	}
	return strings.TrimRight(string(data), "\r\n")
}

// Components are the names that LLMSPELL_LOG and RUST_LOG may give a level.
var Components = []string{
	"agent", "bind", "cli", "client", "config", "daemon", "gate", "jupyter", "kernel", "lua", "provider",
	"registry", "script", "server", "session", "state", "store", "tool",
}

// levelSettings reads LLMSPELL_LOG, or RUST_LOG where that and the variable of
// the key itself are unset.
func (l *loader) levelSettings(env []setting) []setting {
	name := "LLMSPELL_LOG"
	if l.p.Env[name] == "" {
		name = "RUST_LOG"
		if slices.ContainsFunc(env, func(s setting) bool { return s.entry.Path == "logging.log_level" }) {
			return nil
		}
	}
	value := l.p.Env[name]
	if value == "" {
		return nil
	}
	var base, own string
	for item := range strings.SplitSeq(value, ",") {
		component, level, named := strings.Cut(strings.TrimSpace(item), "=")
		if !named {
			component, level = "", component
		}
		level = logLevel(level)
		component = strings.TrimPrefix(strings.TrimPrefix(component, "llmspell::"), "llmspell_")
		switch {
		case level == "":
			l.badLevel(name, item)
		case component == "":
			base = level
		case component == "llmspell":
			own = level
		case slices.Contains(Components, component):
			l.levels[component] = level
		default:
			l.notes = append(l.notes, name+": unknown component "+component+" ignored")
		}
	}
	level := cmp.Or(own, base)
	if level == "" {
		return nil
	}
	e := bound().byPath["logging.log_level"]
	return []setting{l.envSetting(name, level, e.segs, e)}
}

// badLevel is an error in our own variable and a note in a foreign one.
func (l *loader) badLevel(name, item string) {
	if name == "RUST_LOG" {
		l.notes = append(l.notes, "RUST_LOG: "+quote(item)+" is not a level, ignored")
		return
	}
	l.problems = append(l.problems, Problem{
		Source: name, Key: "logging.log_level", Message: quote(item) + " is not a level",
		Hint: "use off, error, warn, info, debug or trace, or component=level",
	})
}

// logLevel is the accepted form of a level, empty if it is none.
func logLevel(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "warning" {
		return "warn"
	}
	if !slices.Contains(bound().byPath["logging.log_level"].enum(), s) {
		return ""
	}
	return s
}
