// Command run passes all tests of the module on a bare machine with Go:
//
//	go run ./test/run
//
// It installs what tests can use (Debian packages, when root), runs vet and
// the tests with the race detector where a C compiler is present, and ends with
// the list of what was skipped and why, and a line "N passed, N failed, N
// skipped". Arguments are passed on to go test.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "test/run:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	install()
	start := time.Now()
	if err := command("go", "vet", "./...").Run(); err != nil {
		return fmt.Errorf("go vet: %w", err)
	}
	rep := &report{}
	for _, pass := range passes() {
		fmt.Printf("== %s\n", pass.name)
		if err := rep.test(append(append(pass.args, args...), pass.packages...)); err != nil {
			return err
		}
	}
	rep.print(time.Since(start))
	if rep.failed > 0 || rep.broken {
		os.Exit(1)
	}
	return nil
}

// pass is one run of go test.
type pass struct {
	name     string
	args     []string
	packages []string
}

// passes are: everything; then what runs goroutines again under the race
// detector, which needs cgo and a C compiler.
func passes() []pass {
	all := []pass{{name: "tests", packages: []string{"./..."}}}
	if _, err := exec.LookPath("gcc"); err != nil {
		fmt.Println("note: no C compiler: the race detector pass is left out")
		return all
	}
	return append(all, pass{name: "race detector", args: []string{"-race", "-short"}, packages: raced})
}

// raced are the packages with goroutines; lua is there for its checkptr and for
// states shared between goroutines.
var raced = []string{".", "./lua", "./server", "./client", "./store/...", "./internal/...", "./standard"}

func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// install gets the Debian packages that some tests compare with. Without root
// or apt those tests skip by name.
func install() {
	packages := map[string]string{"lua5.4": "lua5.4", "logrotate": "logrotate"}
	var missing []string
	for program, pkg := range packages {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		fmt.Printf("note: not installed here: %s (apt-get and root are needed)\n", strings.Join(missing, " "))
		return
	}
	slices.Sort(missing)
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, missing...)} {
		cmd := command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout = io.Discard
		if err := cmd.Run(); err != nil {
			fmt.Printf("note: apt-get %s failed: %v\n", args[0], err)
			return
		}
	}
}

// report collects the outcome of tests.
type report struct {
	passed, failed int
	skipped        []string
	broken         bool // a package did not build or its binary failed
}

// event is one line of go test -json (see go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// test runs go test -json, shows failures as they come and counts.
func (r *report) test(args []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	output := map[string][]string{}
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text())
			continue
		}
		r.count(e, output)
	}
	if err := cmd.Wait(); err != nil {
		r.broken = true
	}
	return lines.Err()
}

func (r *report) count(e event, output map[string][]string) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		output[key] = append(output[key], e.Output)
		if e.Action == "build-output" {
			fmt.Print(e.Output)
		}
	case "pass":
		if e.Test != "" {
			r.passed++
		} else {
			fmt.Printf("ok    %-60s %6.1fs\n", e.Package, e.Elapsed)
		}
		delete(output, key)
	case "skip":
		if e.Test != "" {
			r.skipped = append(r.skipped, strings.TrimSpace(key)+": "+reason(output[key]))
		}
		delete(output, key)
	case "fail":
		if e.Test != "" {
			r.failed++
		} else {
			r.broken = true
			fmt.Printf("FAIL  %-60s %6.1fs\n", e.Package, e.Elapsed)
		}
		for _, l := range output[key] {
			fmt.Print(l)
		}
		delete(output, key)
	}
}

// reason finds the text given to t.Skip.
func reason(output []string) string {
	for _, l := range output {
		l = strings.TrimSpace(l)
		if l != "" && !strings.HasPrefix(l, "=== ") && !strings.HasPrefix(l, "--- ") {
			if _, text, ok := strings.Cut(l, ".go:"); ok {
				_, text, _ = strings.Cut(text, ": ")
				return text
			}
			return l
		}
	}
	return "no reason given"
}

func (r *report) print(took time.Duration) {
	slices.Sort(r.skipped)
	r.skipped = slices.Compact(r.skipped)
	if len(r.skipped) > 0 {
		fmt.Printf("\nSkipped on this machine:\n")
		for _, s := range r.skipped {
			fmt.Printf("  %s\n", strings.TrimPrefix(s, "github.com/llmspell/llmspell/"))
		}
	}
	fmt.Printf("\nin %s\n%d passed, %d failed, %d skipped\n", took.Round(time.Second), r.passed, r.failed, len(r.skipped))
}
