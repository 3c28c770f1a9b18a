package interp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/llmspell/llmspell/internal/interp"
)

func TestOutput(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	var out, errOut bytes.Buffer
	res, err := in.Execute(t.Context(), interp.Request{
		Code: `print("a", 1, 1.0, nil) io.write("x", 2) io.stderr:write("oops") io.stdout:write("y\n")`, Stdout: &out, Stderr: &errOut, Run: fixedRun(),
	})
	if err != nil || res.Output != "a\t1\t1.0\tnil\nx2y\n" || out.String() != res.Output || errOut.String() != "oops" || res.Value != nil {
		t.Errorf("%+v, %v, %q, %q", res, err, out.String(), errOut.String())
	}
	res, err = in.Execute(t.Context(), interp.Request{Code: `for i = 1, 1000 do print(("x"):rep(99)) end`, OutputCap: 1000, Stdout: &out, Run: fixedRun()})
	if err != nil || !res.OutputTruncated || len(res.Output) != 1000 || out.Len() != 100_000+len("a\t1\t1.0\tnil\nx2y\n") {
		t.Errorf("truncated %v, %d captured, %d streamed, %v", res.OutputTruncated, len(res.Output), out.Len(), err)
	}
	res, err = in.Execute(t.Context(), interp.Request{Code: `print("before") error("x")`, Run: fixedRun()})
	if err == nil || res.Output != "before\n" {
		t.Errorf("output of a failed execution: %q, %v", res.Output, err)
	}
}

// chunks collects what is written, one entry a call.
type chunks struct {
	mu    sync.Mutex
	order *[]string
	name  string
}

func (c *chunks) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.order = append(*c.order, c.name+string(p))
	return len(p), nil
}

func TestOutputOrder(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	var order []string
	r := fixedRun()
	r.Emit = func(event string, _ any) { order = append(order, event) }
	_, err := in.Execute(t.Context(), interp.Request{Run: r, Stdout: &chunks{order: &order, name: "o:"}, Stderr: &chunks{order: &order, name: "e:"}, Code: `
		print("a", 1) print("b")
		io.stderr:write("err")
		io.write("\xe2\x82") Run.sleep(1) io.write("\xac")
		Debug.info("m")
		io.write(("y"):rep(40000))`})
	want := []string{"o:a\t1\nb\n", "e:err", "o:€", "log", "o:" + strings.Repeat("y", 32<<10), "o:" + strings.Repeat("y", 40000-32<<10)}
	if err != nil || !slices.Equal(order, want) {
		t.Errorf("%v, %.200q", err, order)
	}
}

func TestOutputIsSentWhileTheScriptRuns(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := in.Execute(t.Context(), interp.Request{Code: `print("early") while true do end`, Run: fixedRun(), Stdout: w})
		done <- err
	}()
	p := make([]byte, 10)
	if n, err := r.Read(p); err != nil || string(p[:n]) != "early\n" {
		t.Errorf("%q, %v", p[:n], err)
	}
	in.Interrupt()
	if err := <-done; err == nil {
		t.Error("not interrupted")
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	res, err := in.Execute(t.Context(), interp.Request{
		Code: `return ARGS, arg[0], arg[1], #arg, select("#", ...)`, ScriptPath: "/x/s.lua", Run: fixedRun(),
		Args: map[string]any{"name": "n", "flag": true, "num": 1.5, "list": []any{int64(1)}}, Positional: []any{"p", int64(2)},
	})
	want := `[{"0":"/x/s.lua","1":"p","2":2,"flag":true,"list":[1],"name":"n","num":1.5},"/x/s.lua","p",2,2]`
	if err != nil || string(res.Value) != want {
		t.Errorf("%s, %v", res.Value, err)
	}
	if got := run(t, in, `return type(ARGS), #arg, ARGS.name`); string(got.Value) != `["table",0,null]` {
		t.Errorf("without arguments: %s", got.Value)
	}
}

func TestClockAndEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{"HOME_X": "h", "API_SECRET": "s", "OTHER": "o", "MY_KEY": "k"}
	in := open(t, interp.Params{System: interp.SystemParams{
		Getenv:     func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		AllowedEnv: []string{"HOME_*", "API_*", "MY_KEY"},
	}})
	got := run(t, in, `return os.time(), os.date("!%Y-%m-%d %H:%M:%S"), os.clock(), os.getenv("HOME_X"), os.getenv("API_SECRET"), os.getenv("OTHER"), os.getenv("MY_KEY"), Run.now(), Run.id, Run.session_id`)
	if want := `[1767323045,"2026-01-02 03:04:05",0.0,"h",null,null,"k",1767323045.0,"run_1",null]`; string(got.Value) != want {
		t.Errorf("got %s", got.Value)
	}
}

func TestPolicyDenials(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	got := run(t, in, prelude+`return E(io.open, "/etc/passwd"), E(io.lines, "/etc/passwd"), E(os.remove, "x"), E(os.rename, "a", "b"), E(os.tmpname), E(io.tmpfile),
		E(os.execute, "true"), E(io.popen, "true"), E(dofile, "x.lua"), E(loadfile, "x.lua")`)
	for i, code := range mustStrings(t, got.Value) {
		if code != "policy_denied" {
			t.Errorf("%d: %s", i, code)
		}
	}
}

func mustStrings(t *testing.T, raw []byte) []string {
	t.Helper()
	var out []string
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return out
}

func TestStdin(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	res, err := in.Execute(t.Context(), interp.Request{Code: `return io.read("l"), io.read("n"), io.read("a"), io.read("l")`, Stdin: strings.NewReader("first\n42 rest\n"), Run: fixedRun()})
	if err != nil || string(res.Value) != `["first",42," rest\n",null]` {
		t.Errorf("%s, %v", res.Value, err)
	}
	if got := run(t, in, `return io.read("l")`); got.Value != nil {
		t.Errorf("without input: %s", got.Value)
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	own, shared, outside := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write(own, "a.lua", `return {name = "own a", path = select(2, ...)}`)
	write(shared, "a.lua", `return {name = "shared a"}`)
	write(shared, "pkg/sub.lua", `return "sub"`)
	write(shared, "dir/init.lua", `return "init"`)
	write(outside, "evil.lua", `return "evil"`)
	if err := os.Symlink(filepath.Join(outside, "evil.lua"), filepath.Join(shared, "evil.lua")); err != nil {
		t.Fatal(err)
	}
	in := open(t, interp.Params{System: interp.SystemParams{SearchPaths: []string{shared}}})
	res, err := in.Execute(t.Context(), interp.Request{ScriptPath: filepath.Join(own, "main.lua"), Run: fixedRun(), Code: `
		local ok, e = pcall(require, "nope")
		return require("a").name, require("pkg.sub"), require("dir"), require("a") == require("a"), pcall(require, "evil"), ok, e:find("nope.lua") ~= nil`})
	if err != nil || string(res.Value) != `["own a","sub","init",true,false,false,true]` {
		t.Errorf("%s, %v", res.Value, err)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	run(t, in, `my_table = {alpha = 1, beta = {gamma = print}} my_timer = Debug.timer("x") my_text = "s" my_obj = setmetatable({}, {__index = {method = print, value = 1}})`)
	cases := []struct {
		code string
		want string
	}{
		{"JSON.pa", "5:parse"},
		{"x = JSON.s", "9:stringify"},
		{"return my_t", "7:my_table my_text my_timer"},
		{"my_table.", "9:alpha beta"},
		{"print(my_table.beta.g", "20:gamma"},
		{"my_timer:", "9:elapsed lap stop"},
		{"my_timer.i", "9:id"},
		{"my_text:up", "8:upper"},
		{"my_obj:", "7:method"},
		{"whil", "0:while"},
		{"string.for", "7:format"},
		{"1.", "2:"},
		{"nothing.x", "8:"},
	}
	for _, c := range cases {
		matches, start := in.Complete(c.code, len(c.code))
		want, list, _ := strings.Cut(c.want, ":")
		if got := strings.Join(matches, " "); got != list || want != jsonNumber(start) {
			t.Errorf("%s: %d %s, want %s", c.code, start, got, c.want)
		}
	}
	if m, s := in.Complete("JSON.parse('x')", 6); s != 5 || strings.Join(m, " ") != "parse" {
		t.Errorf("in the middle: %v %d", m, s)
	}
}

func jsonNumber(n int) string { raw, _ := json.Marshal(n); return string(raw) }
