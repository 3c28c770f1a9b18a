package interp_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/tool/file"
)

func sandboxed(t *testing.T) (*interp.Interp, string) {
	t.Helper()
	dir := t.TempDir()
	box, err := file.Open(file.Params{Roots: []string{dir}, MaxFileSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return open(t, interp.Params{System: interp.SystemParams{Files: box, TempDir: dir}}), dir
}

func TestFiles(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, code, want string }{
		{"write and read", `local f = assert(io.open(D.."/a", "w")) local same = f:write("one\n", 2, "\n") == f f:close()
			local r = {} for l in io.lines(D.."/a") do r[#r + 1] = l end
			local f = io.open(D.."/a") local first, n = f:read("l", "n") f:close() return same, r, first, n`, `[true,["one","2"],"one",2]`},
		{"append and seek", `local f = io.open(D.."/a", "w") f:write("abc") f:close() f = io.open(D.."/a", "a+") f:write("def") f:seek("set", 1) local s = f:read(3) f:close() return s, io.open(D.."/a"):read("a")`, `["bcd","abcdef"]`},
		{"missing", `local f, e, n = io.open(D.."/nope") return f, e:find("nope: No such file") ~= nil, n`, `[null,true,2]`},
		{"mode", `local f = io.open(D.."/a", "w") f:write("x") f:close() f = io.open(D.."/a", "r") local ok, e, n = f:write("y") f:close() return ok, n ~= nil`, `[null,true]`},
		{"remove and rename", `local f = io.open(D.."/a", "w") f:close() return os.rename(D.."/a", D.."/b"), io.open(D.."/a"), os.remove(D.."/b"), (os.remove(D.."/b"))`, `[true,null,true,null]`},
		{"outside", `return E(io.open, "/etc/passwd"), E(io.open, D.."/../x", "w"), E(os.remove, "/tmp"), E(io.lines, "/etc/passwd"), E(dofile, "/etc/passwd")`,
			`["policy_denied","policy_denied","policy_denied","policy_denied","policy_denied"]`},
		{"temporary", `local n = os.tmpname() local f = io.tmpfile() f:write("t") f:seek("set") local s = f:read("a") f:close() return n:find(D, 1, true) ~= nil, s`, `[true,"t"]`},
		{"dofile", `local f = io.open(D.."/m.lua", "w") f:write("return 6 * 7") f:close() return dofile(D.."/m.lua"), loadfile(D.."/m.lua")(), (loadfile(D.."/nope.lua"))`, `[42,42,null]`},
		{"closed", `local f = io.open(D.."/a", "w") f:close() return io.type(f), pcall(f.write, f, "x")`, `["closed file",false,"attempt to use a closed file"]`},
		{"close variable", `do local f <close> = io.open(D.."/a", "w") f:write("x") end return io.open(D.."/a"):read("a")`, `"x"`},
		{"size", `local f = io.open(D.."/a", "w") local ok, e = pcall(function() for i = 1, 100 do assert(f:write(("x"):rep(100000))) f:flush() end end) return ok`, `false`},
		{"output", `io.output(D.."/o") io.write("x") io.close() io.output(io.stdout) return io.open(D.."/o"):read("a")`, `"x"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, dir := sandboxed(t)
			res, err := in.Execute(t.Context(), interp.Request{Code: `local D = ARGS.dir ` + prelude + c.code, Args: map[string]any{"dir": dir}, Run: fixedRun()})
			if err != nil || string(res.Value) != c.want {
				t.Errorf("got %s, %v, want %s", res.Value, err, c.want)
			}
		})
	}
}

func TestOpenFilesAreClosedWithTheInterpreter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box, err := file.Open(file.Params{Roots: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	in, err := interp.New(interp.Params{Library: library(t), System: interp.SystemParams{Files: box}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Execute(t.Context(), interp.Request{Code: `kept = io.open(ARGS.p, "w") kept:write("buffered")`, Args: map[string]any{"p": filepath.Join(dir, "f")}, Run: fixedRun()}); err != nil {
		t.Fatal(err)
	}
	in.Close()
	in.Close()
	if raw, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(raw) != "buffered" {
		t.Errorf("%q, %v", raw, err)
	}
}

// TestEffectsOfTheSystemPassTheGate: a policy that denies everything stops all
// of them, and none is unknown to it.
func TestEffectsOfTheSystemPassTheGate(t *testing.T) {
	t.Parallel()
	in, dir := sandboxed(t)
	var seen []string
	r := fixedRun()
	r.Gate = gate.New(func(_ context.Context, c *gate.Call, _ gate.Handler) (any, error) {
		seen = append(seen, string(c.Kind)+" "+c.Op)
		return nil, &fault.Error{Code: fault.PolicyDenied, Message: "no"}
	})
	in2 := open(t, interp.Params{System: interp.SystemParams{
		Files: nil, AllowedEnv: []string{"*"}, Getenv: func(string) (string, bool) { t.Error("the environment was read"); return "", false }}})
	for _, i := range []*interp.Interp{in, in2} {
		res, err := i.Execute(t.Context(), interp.Request{Run: r, Args: map[string]any{"dir": dir}, Stdin: strings.NewReader("x"), Code: `local D = ARGS.dir ` + prelude +
			`return E(io.open, D.."/a", "w"), E(os.remove, D.."/a"), E(os.rename, D.."/a", D.."/b"), E(dofile, D.."/a"), E(require, "x"), E(io.read), E(Run.sleep, 1), E(Run.remaining_ms), E(os.getenv, "HOME") or "policy_denied"`})
		if err != nil {
			t.Fatal(err)
		}
		for n, code := range mustStrings(t, res.Value) {
			if code != "policy_denied" && !(n == 8 && code == "ok") { // without allowed variables none is asked for
				t.Errorf("%d: %s", n, code)
			}
		}
	}
	want := "file open|file remove|file rename|file source|file require|input read|sleep sleep|clock remaining|"
	if got := strings.Join(seen, "|"); got != want+want+"env get" {
		t.Errorf("got %s", got)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
