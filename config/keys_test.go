package config

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/pelletier/go-toml/v2"
)

var update = flag.Bool("update", false, "rewrite golden files and docs/config.md")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not up to date; run: go test ./config -update\n%s", path, diff)
	}
}

// TestKeysCoverFields is the other half of bind: every tagged field has a row.
func TestKeysCoverFields(t *testing.T) {
	t.Parallel()
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		if _, ok := bound().byPath[path]; ok {
			return
		}
		switch {
		case typ.Kind() == reflect.Struct && typ != reflect.TypeFor[Secret]():
			for i := range typ.NumField() {
				if tag := typ.Field(i).Tag.Get("toml"); tag != "-" && typ.Field(i).IsExported() {
					walk(typ.Field(i).Type, strings.TrimPrefix(path+"."+tag, "."))
				}
			}
		case typ.Kind() == reflect.Map:
			walk(typ.Elem(), path+".*")
		default:
			t.Errorf("field %s has no row in the key table", path)
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

func TestKeyTable(t *testing.T) {
	t.Parallel()
	for _, e := range bound().entries {
		if e.Doc == "" {
			t.Errorf("%s has no description", e.Path)
		}
		if e.Reload != live && e.Reload != restart {
			t.Errorf("%s has no reload column", e.Path)
		}
		if e.derived() || e.Default == "" {
			continue
		}
		v, err := e.parseText(e.Default)
		if err != nil {
			t.Errorf("%s: default %q: %v", e.Path, e.Default, err)
			continue
		}
		f := reflect.New(e.typ).Elem()
		assign(f, v)
		if message := e.checkRule(f); message != "" {
			t.Errorf("%s: default %q %s", e.Path, e.Default, message)
		}
	}
}

func TestEnvNamesUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, v := range specialEnv {
		seen[v.Name] = "special"
	}
	for _, e := range bound().entries {
		if e.wildcards() > 1 {
			continue
		}
		name := envName(e.segs)
		if other, ok := seen[name]; ok {
			t.Errorf("%s is the variable of %s and of %s", name, e.Path, other)
		}
		seen[name] = e.Path
		concrete := strings.ReplaceAll(name, "<NAME>", "SOME_NAME")
		if _, found := matchEnv(concrete, nil); found != e {
			t.Errorf("%s finds %v, not %s", concrete, found, e.Path)
		}
	}
}

// TestPending lists what has not landed. The list is empty in the last release.
func TestPending(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, e := range bound().entries {
		if e.pending {
			b.WriteString(e.Path + "\n")
		}
		for _, v := range e.refused {
			b.WriteString(e.Path + " = " + v + "\n")
		}
	}
	golden(t, "testdata/pending.golden", b.String())
}

// TestPendingRefused sets every pending key to something other than its default.
func TestPendingRefused(t *testing.T) {
	t.Parallel()
	other := map[kind]string{
		kindInt: "77", kindFloat: "0.5", kindString: `"other"`, kindPath: `"/other"`, kindDuration: "77", kindMillis: "77",
		kindList: `["other"]`, kindPathList: `["/other"]`, kindTable: `{a = 1}`, kindStrings: `{a = "b"}`,
	}
	for _, e := range bound().entries {
		if !e.pending {
			continue
		}
		value := other[e.kind]
		switch e.kind {
		case kindBool:
			value = map[string]string{"true": "false", "false": "true"}[e.Default]
		case kindEnum:
			enum := e.enum()
			value = quote(enum[len(enum)-1])
		}
		key := strings.ReplaceAll(e.Path, "*", "x")
		_, err := Parse([]byte(key+" = "+value), Params{})
		if err == nil || !strings.Contains(err.Error(), key+": "+notAvailable) {
			t.Errorf("%s = %s: got %v", key, value, err)
		}
		if v := e.defaultValue(); v != nil {
			if _, err := Parse([]byte(key+" = "+encodeTOML(e.Path, v)), Params{}); err != nil {
				t.Errorf("%s at its default: %v", key, err)
			}
		}
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	golden(t, filepath.Join("..", "docs", "config.md"), Markdown())
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	text := string(Template("daemon"))
	cfg := mustParse(t, text, testParams(t))
	if cfg.Runtime.MaxConcurrentScripts != 100 {
		t.Error("the profile of the template is not in force")
	}
	// With every line uncommented that has a value, all values are the defaults.
	var b strings.Builder
	for line := range strings.Lines(string(Template(""))) {
		rest, commented := strings.CutPrefix(line, "# ")
		isKey := strings.Contains(rest, " = ") && !strings.ContainsAny(strings.SplitN(rest, " = ", 2)[0], " `")
		if commented && (isKey || strings.HasPrefix(rest, "[")) {
			line = rest
		}
		b.WriteString(line)
	}
	full := mustParse(t, b.String(), Params{})
	if full.Providers["openai"].MaxRetries != 3 || full.origins["kernel.port"].Layer != LayerFile {
		t.Error("the uncommented template did not set the keys")
	}
	reloadable, needRestart := Diff(Default(), full)
	for _, key := range append(reloadable, needRestart...) {
		if !strings.HasPrefix(key, "providers.") {
			t.Errorf("the template changes %s", key)
		}
	}
	for _, e := range bound().entries {
		if e.pending && strings.Contains(text, "\n# "+e.segs[len(e.segs)-1]+" = ") && e.Path == "backup.dir" {
			t.Errorf("pending key %s is in the template", e.Path)
		}
	}
}

func TestSchema(t *testing.T) {
	t.Parallel()
	var s jsonschema.Schema
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	if s.Properties["kernel"].Properties["port"].Extra["x-reload"] != "restart" {
		t.Error("kernel.port has no x-reload")
	}
	files, _ := filepath.Glob("testdata/*.good.toml")
	for _, file := range files {
		if err := resolved.Validate(decodeJSON(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, bad := range []string{`{"kernel":{"prot":1}}`, `{"kernel":{"port":70000}}`, `{"debug":{}}`, `{"logging":{"log_level":"loud"}}`, `{"runtime":{"script_timeout_seconds":0}}`} {
		var v any
		if err := json.Unmarshal([]byte(bad), &v); err != nil {
			t.Fatal(err)
		}
		if resolved.Validate(v) == nil {
			t.Errorf("the schema accepts %s", bad)
		}
	}
}

func decodeJSON(t *testing.T, file string) (v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := toml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
