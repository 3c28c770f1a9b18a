// Package tooltest is the conformance suite of tools. A tool's test gives its
// own cases and gets the checks that hold for all tools:
//
//	func TestShout(t *testing.T) {
//		tooltest.Run(t, NewShout(), []tooltest.Case{
//			{Params: map[string]any{"input": "a"}, Want: map[string]any{"result": "A"}},
//			{Params: map[string]any{}, Fails: fault.InvalidArgument},
//		})
//	}
package tooltest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Case is one call. Exactly one of Want, Verdict and Fails says what comes of it.
type Case struct {
	Name    string
	Params  map[string]any
	Want    map[string]any // members the result must have, success true
	Verdict map[string]any // the same, success false
	Fails   fault.Code     // the error's code
	Says    string         // part of the error's or result's message
	Check   func(t *testing.T, r tool.Result)
}

// Clock is the time of the environment the suite gives to tools.
var Clock = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Env returns an environment with a fixed clock and random source.
func Env(files tool.Files) *tool.Env {
	source := rand.NewChaCha8([32]byte{1})
	var mu sync.Mutex
	return &tool.Env{
		Now: func() time.Time { return Clock },
		Rand: func(p []byte) {
			mu.Lock()
			defer mu.Unlock()
			source.Read(p)
		},
		Files: files, Run: "run-1", Tenant: "default",
	}
}

// Call validates params and runs tl as the registry does.
func Call(ctx context.Context, tl tool.Tool, params map[string]any) (tool.Result, error) {
	p, err := tool.Validate(tl.Spec(), params)
	if err != nil {
		return tool.Result{}, err
	}
	return tl.Execute(ctx, p)
}

// Run checks the spec and runs the cases without files.
func Run(t *testing.T, tl tool.Tool, cases []Case) {
	t.Helper()
	RunIn(t, Env(nil), tl, cases)
}

// RunIn is Run in an environment of the caller's.
func RunIn(t *testing.T, env *tool.Env, tl tool.Tool, cases []Case) {
	t.Helper()
	t.Run("spec", func(t *testing.T) { checkSpec(t, tl.Spec()) })
	t.Run("parameters", func(t *testing.T) { checkParams(t, tl.Spec()) })
	ctx := tool.WithEnv(t.Context(), env)
	for i, c := range cases {
		name := c.Name
		if name == "" {
			raw, _ := json.Marshal(c.Params)
			name = fmt.Sprintf("%d %.60s", i, raw)
		}
		t.Run(name, func(t *testing.T) { runCase(t, ctx, tl, c) })
	}
	t.Run("hostile", func(t *testing.T) { checkHostile(t, ctx, tl) })
	if tl.Spec().ParallelSafe {
		t.Run("parallel", func(t *testing.T) {
			var wg sync.WaitGroup
			for _, c := range cases {
				wg.Go(func() { runCase(t, ctx, tl, c) })
			}
			wg.Wait()
		})
	}
}

func runCase(t *testing.T, ctx context.Context, tl tool.Tool, c Case) {
	t.Helper()
	before, _ := json.Marshal(c.Params)
	r, err := Call(ctx, tl, c.Params)
	if after, _ := json.Marshal(c.Params); string(after) != string(before) {
		t.Errorf("the call changed its parameters: %s, now %s", before, after)
	}
	if c.Fails != "" {
		if err == nil || fault.CodeOf(err) != c.Fails || !strings.Contains(err.Error(), c.Says) {
			t.Errorf("%v: got %+v, error %v; want %s with %q", c.Params, r, err, c.Fails, c.Says)
		}
		return
	}
	if err != nil {
		t.Errorf("%v: %v", c.Params, err)
		return
	}
	want, success := c.Want, true
	if c.Verdict != nil {
		want, success = c.Verdict, false
	}
	if r.Success != success || !strings.Contains(r.Message, c.Says) {
		t.Errorf("%v: success %v, message %q", c.Params, r.Success, r.Message)
	}
	if path := foreign(r.Result, "result"); path != "" {
		t.Errorf("%v: %s is no script value", c.Params, path)
	}
	m, _ := r.Result.(map[string]any)
	if _, ok := m[r.Primary]; r.Primary != "" && !ok {
		t.Errorf("%v: the primary member %q is missing in %v", c.Params, r.Primary, m)
	}
	for k, v := range want {
		if !reflect.DeepEqual(m[k], v) {
			t.Errorf("%v: %s = %#v, want %#v", c.Params, k, m[k], v)
		}
	}
	if c.Check != nil {
		c.Check(t, r)
	}
}

// foreign returns the path of the first value that is not of a script type.
func foreign(v any, path string) string {
	switch t := v.(type) {
	case nil, bool, int64, float64, string:
		return ""
	case []any:
		for i, e := range t {
			if p := foreign(e, fmt.Sprintf("%s[%d]", path, i+1)); p != "" {
				return p
			}
		}
		return ""
	case map[string]any:
		for k, e := range t {
			if p := foreign(e, path+"."+k); p != "" {
				return p
			}
		}
		return ""
	}
	if fmt.Sprintf("%T", v) == "script.Null" {
		return ""
	}
	return fmt.Sprintf("%s (%T)", path, v)
}

var (
	kebab      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	version    = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	types      = []string{"", "string", "integer", "number", "boolean", "array", "object"}
	categories = []string{"analysis", "api", "communication", "data", "filesystem", "media", "system", "utility", "web"}
	policies   = []string{"", "file", "net", "process", "env", "email", "database"}
)

func checkSpec(t *testing.T, s tool.Spec) {
	if !kebab.MatchString(s.Name) || !version.MatchString(s.Version) || len(s.Description) < 20 {
		t.Errorf("name %q, version %q or description %q", s.Name, s.Version, s.Description)
	}
	if !slices.Contains(categories, s.Category) || !slices.Contains(policies, s.Policy) {
		t.Errorf("category %q, policy %q", s.Category, s.Policy)
	}
	if s.Timeout < 0 || s.Timeout > time.Hour {
		t.Errorf("timeout %v", s.Timeout)
	}
	checkFields(t, s.Params)
	// The generated schema must be one, and must hold the defaults.
	s.Schema = s.JSONSchema()
	if _, err := tool.NewValidator(s); err != nil {
		t.Error(err)
	}
}

func checkFields(t *testing.T, params []tool.Param) {
	seen := map[string]bool{}
	for _, p := range params {
		if seen[p.Name] || p.Name == "" || p.Description == "" || !slices.Contains(types, p.Type) {
			t.Errorf("parameter %q: twice, without description or of type %q", p.Name, p.Type)
		}
		seen[p.Name] = true
		if p.Required && p.Default != nil {
			t.Errorf("parameter %q is required and has a default", p.Name)
		}
		if s, ok := p.Default.(string); ok && len(p.Enum) > 0 && !slices.Contains(p.Enum, s) {
			t.Errorf("parameter %q: default %q is not in its enum", p.Name, s)
		}
		checkFields(t, p.Fields)
	}
}

// checkParams makes one mistake at a time.
func checkParams(t *testing.T, s tool.Spec) {
	refused := func(what string, params map[string]any, field string) {
		t.Helper()
		_, err := tool.Validate(s, params)
		if fault.CodeOf(err) != fault.InvalidArgument || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), s.Name) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("an unknown parameter", with(minimal(s), "no_such_parameter", "x"), "no_such_parameter")
	for _, p := range s.Params {
		if p.Required {
			params := minimal(s)
			delete(params, p.Name)
			refused("missing "+p.Name, params, p.Name)
		}
		if p.Type != "" {
			refused("wrong type of "+p.Name, with(minimal(s), p.Name, wrong(p.Type)), p.Name)
		}
		if len(p.Enum) > 0 {
			refused("a value out of "+p.Name, with(minimal(s), p.Name, "no-such-value"), p.Name)
		}
	}
}

func with(m map[string]any, k string, v any) map[string]any {
	m[k] = v
	return m
}

// minimal returns the required parameters with some value of their type.
func minimal(s tool.Spec) map[string]any {
	m := map[string]any{}
	for _, p := range s.Params {
		if p.Required {
			m[p.Name] = sample(p)
		}
	}
	return m
}

func sample(p tool.Param) any {
	if len(p.Enum) > 0 {
		return p.Enum[0]
	}
	switch p.Type {
	case "integer", "number":
		return int64(1)
	case "boolean":
		return true
	case "array":
		return []any{}
	case "object":
		return map[string]any{}
	}
	return "x"
}

func wrong(typ string) any {
	if typ == "string" {
		return int64(5)
	}
	return "text"
}

// checkHostile sends odd but well-typed input to every operation: what comes
// back must be a result or an error of the vocabulary, soon.
func checkHostile(t *testing.T, ctx context.Context, tl tool.Tool) {
	texts := []string{"", "\x00", "\xff\xfe", strings.Repeat("(", 5000), strings.Repeat("a", 100_000), "${x}", "../../etc/passwd", "1e999999", "\u202e"}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	spec := tl.Spec()
	operations := []string{""}
	for _, p := range spec.Params {
		if p.Name == "operation" {
			operations = p.Enum
		}
	}
	for _, op := range operations {
		for _, text := range texts {
			for _, number := range []int64{0, -1, 1 << 62} {
				params := map[string]any{}
				for _, p := range spec.Params {
					fill(params, p, text, number)
				}
				if op != "" {
					params["operation"] = op
				}
				_, err := Call(ctx, tl, params)
				if err != nil && (fault.CodeOf(err) == fault.Internal || err.Error() == "") {
					t.Errorf("operation %q with %.20q: %v", op, text, err)
				}
			}
		}
	}
	if ctx.Err() != nil {
		t.Error("hostile input took more than 20 s")
	}
}

func fill(params map[string]any, p tool.Param, text string, number int64) {
	switch {
	case len(p.Enum) > 0:
		if p.Default == nil {
			params[p.Name] = p.Enum[len(text)%len(p.Enum)]
		}
	case p.Type == "string" || p.Type == "":
		params[p.Name] = text
	case p.Type == "integer" || p.Type == "number":
		params[p.Name] = number
	case p.Type == "array":
		params[p.Name] = []any{text, number}
	case p.Type == "object" && len(p.Fields) > 0:
		m := map[string]any{}
		for _, f := range p.Fields {
			fill(m, f, text, number)
		}
		params[p.Name] = m
	case p.Type == "object" && p.Required:
		params[p.Name] = map[string]any{text: number}
	}
}
