// Package docs runs what the documents tell people to type.
package docs

import (
	"fmt"
	"go/parser"
	"go/token"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/llmspell/llmspell/internal/registry"
	"github.com/llmspell/llmspell/lua"
)

// blocks returns the fenced code blocks of a language.
func blocks(t *testing.T, file, language string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s has no %s block", file, language)
	}
	return out
}

// TestReadmeCommands runs every shell block of the README in order, in a
// directory of its own, and compares what a comment promises.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "llmspell")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/llmspell/llmspell/cmd/llmspell").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "script.lua"), []byte(`print("city " .. ARGS.city)`), 0o600)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(ln.Addr().(*net.TCPAddr).Port)
	ln.Close()
	use := strings.NewReplacer(
		"9555", port,
		"go run ./cmd/llmspell run examples", "./llmspell run "+root+"/examples",
		"./llmspell repl ", "./llmspell repl < /dev/null ",
		"CGO_ENABLED=0 go build", "true go build", // built above
		"go run ./test/run", "true", // this test is part of it
	)
	var script strings.Builder
	script.WriteString("set -eu\n")
	for _, b := range blocks(t, filepath.Join(root, "README.md"), "sh") {
		script.WriteString(use.Replace(b))
	}
	t.Cleanup(func() { // whatever a failing block left
		all, _ := registry.List(registry.Dir{Runtime: filepath.Join(dir, "runtime")})
		for _, k := range all {
			syscall.Kill(k.PID, syscall.SIGKILL)
		}
	})
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	for _, d := range []string{"STATE", "RUNTIME", "LOGS"} {
		path := filepath.Join(dir, strings.ToLower(d))
		os.Mkdir(path, 0o700)
		cmd.Env = append(cmd.Env, d+"_DIRECTORY="+path)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script.String(), out)
	}
	for _, want := range []string{"the tour ends here", "\n42\n", "city Paris", `"status":"healthy"`, `"result":"42"`, "stopped (pid "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestSnippetsParse(t *testing.T) {
	t.Parallel()
	for i, b := range blocks(t, "../../README.md", "lua") {
		if _, err := lua.Compile(fmt.Sprintf("=README lua block %d", i+1), b, lua.CompileOptions{}); err != nil {
			t.Error(err)
		}
	}
	for i, b := range blocks(t, "../../README.md", "go") {
		src := "package p\nfunc f() {\n" + b + "\n}\n"
		if _, err := parser.ParseFile(token.NewFileSet(), fmt.Sprintf("README go block %d", i+1), src, 0); err != nil {
			t.Error(err)
		}
	}
}

// TestLinks checks that relative links of the documents lead somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	root := "../.."
	files, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, root+"/README.md", root+"/CONTRIBUTING.md")
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(data), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(f), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", filepath.Base(f), m[1])
			}
		}
	}
}

// TestDependenciesAreExplained wants a line for every direct dependency.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^\t(\S+\.\S+/\S+) v\S+$`)
	found := direct.FindAllStringSubmatch(string(mod), -1)
	if len(found) < 10 {
		t.Fatalf("%d direct dependencies found", len(found))
	}
	for _, m := range found {
		if !strings.Contains(string(page), m[1]) {
			t.Errorf("docs/dependencies.md does not explain %s", m[1])
		}
	}
}
