package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/llmspell/llmspell"

// file is one parsed source file.
type file struct {
	path string // below the module root
	pkg  string // directory below the module root, "" = root
	test bool
	ast  *ast.File
}

func sources(t *testing.T) []file {
	t.Helper()
	root := "../.."
	var all []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(rel))
		if pkg == "." {
			pkg = ""
		}
		all = append(all, file{path: rel, pkg: pkg, test: strings.HasSuffix(name, "_test.go"), ast: parsed})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files found", len(all))
	}
	return all
}

// matches reports whether pkg is named by pattern: itself, or below "p/*".
func matches(pattern, pkg string) bool {
	if pattern == "*" {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(pkg, dir+"/")
	}
	return pattern == pkg
}

func ruleFor(pkg string) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pkg, pkg) })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

func TestImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range sources(t) {
		r, ok := ruleFor(f.pkg)
		if !ok {
			if !seen[f.pkg] {
				t.Errorf("package %q has no rule in policy.go", f.pkg)
			}
			seen[f.pkg] = true
			continue
		}
		for _, imp := range f.ast.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if why := refused(r, f, path); why != "" {
				t.Errorf("%s imports %s: %s (%s)", f.path, path, why, r.why)
			}
		}
	}
}

// refused says why an import is not allowed, "" if it is.
func refused(r rule, f file, path string) string {
	own, ok := strings.CutPrefix(path, module)
	if ok && (own == "" || own[0] == '/') {
		own = strings.TrimPrefix(own, "/")
		if own == f.pkg || slices.ContainsFunc(r.internal, func(p string) bool { return matches(p, own) }) {
			return ""
		}
		if f.test && f.pkg != "lua" { // tests may use fakes, suites and whatever wires them
			return ""
		}
		return "not in its list"
	}
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		return "" // standard library
	}
	allowed := r.external
	if f.test {
		allowed = append(slices.Clone(allowed), testOnly...)
	}
	if slices.ContainsFunc(allowed, func(m string) bool { return m == "*" || path == m || strings.HasPrefix(path, m+"/") }) {
		return ""
	}
	return "dependency not in its list"
}

// processPackages may touch os.Args, os.Exit, the environment, signals and
// standard streams.
var processPackages = []string{"cmd/llmspell", "internal/cli", "internal/daemon", "internal/docgen", "lua/internal/*", "examples/*", "bench", "bench/*", "test/*"}

// processNames are the process-wide names nobody else uses.
var processNames = map[string][]string{
	"os":   {"Args", "Exit", "Getenv", "LookupEnv", "Environ", "Setenv", "Unsetenv", "Clearenv", "Stdin", "Stdout", "Stderr", "Chdir"},
	"slog": {"SetDefault", "Default", "Debug", "Info", "Warn", "Error"},
	"http": {"DefaultServeMux", "DefaultClient", "DefaultTransport", "Handle", "HandleFunc", "Get", "Post"},
	"log":  {"Fatal", "Fatalf", "Print", "Printf", "Println", "SetOutput"},
}

// exceptions are the places where a process name is the point.
var exceptions = map[string][]string{
	"config/load.go":     {"os.Environ"},                                                                    // the one reader of the environment
	"lua/os_system.go":   {"os.Getenv", "os.Stdin", "os.Stdout", "os.Stderr", "os.LookupEnv", "os.Environ"}, // the OS system for users of lua alone
	"standard/env.go":    {"os.LookupEnv"},                                                                  // what allowed_env_vars of an embedder names
	"standard/logger.go": {"os.Stderr"},                                                                     // the default log of an embedder
}

func TestNoProcessState(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test || slices.ContainsFunc(processPackages, func(p string) bool { return matches(p, f.pkg) }) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || !imports(f.ast, pkg.Name) {
				return true
			}
			name := pkg.Name + "." + sel.Sel.Name
			if slices.Contains(processNames[pkg.Name], sel.Sel.Name) && !slices.Contains(exceptions[filepath.ToSlash(f.path)], name) {
				t.Errorf("%s uses %s", f.path, name)
			}
			return true
		})
	}
}

// imports reports whether a file imports a package of that base name.
func imports(f *ast.File, name string) bool {
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		if imp.Name == nil && path[strings.LastIndex(path, "/")+1:] == name {
			return true
		}
	}
	return false
}

func TestNoInitFunctions(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.path)
			}
		}
	}
}

func TestNoDrawers(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		for part := range strings.SplitSeq(f.pkg, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "types"}, part) {
				t.Errorf("package %s: put things next to their user", f.pkg)
			}
		}
	}
}

// TestFileSizes keeps rooms small enough to live in.
func TestFileSizes(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		data, err := os.ReadFile(filepath.Join("../..", f.path))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "\n"); n > 800 && !f.test && !generated(f.ast) {
			t.Errorf("%s has %d lines; split it (800 at most)", f.path, n)
		}
	}
}

func generated(f *ast.File) bool { return ast.IsGenerated(f) }
