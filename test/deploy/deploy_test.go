// Package deploy_test checks the files of deploy/ without a container engine or
// a packager.
package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/logfile"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exists(t *testing.T, pattern string) {
	t.Helper()
	if found, err := filepath.Glob(filepath.Join(root, pattern)); err != nil || len(found) == 0 {
		t.Errorf("%s does not exist: %v", pattern, err)
	}
}

// nfpmConfig are the fields of nfpm's schema that we use; another is an error.
type nfpmConfig struct {
	Name, Arch, Platform, Version, Section, Priority  string
	Maintainer, Description, Homepage, License, Umask string
	Contents                                          []nfpmContent
	Scripts                                           struct{ Postinstall string }
	Recommends                                        []string
}

type nfpmContent struct {
	Src, Dst, Type string
	FileInfo       struct{ Mode int } `yaml:"file_info"`
}

func TestPackages(t *testing.T) {
	t.Parallel()
	d := yaml.NewDecoder(strings.NewReader(read(t, "deploy/nfpm.yaml")))
	d.KnownFields(true)
	var c nfpmConfig
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Name != "llmspell" || c.Version != "${VERSION}" || c.Arch != "${ARCH}" || c.License != "Apache-2.0" {
		t.Errorf("%+v", c)
	}
	modes := map[string]int{}
	for _, f := range c.Contents {
		modes[f.Dst] = f.FileInfo.Mode
		if f.Src != "bin/llmspell" { // made by make build
			exists(t, f.Src)
		}
		if strings.HasPrefix(f.Dst, "/etc/") && f.Type != "config|noreplace" {
			t.Errorf("%s would be overwritten by an upgrade", f.Dst)
		}
	}
	for dst, mode := range map[string]int{
		"/usr/bin/llmspell": 0o755, "/etc/llmspell/config.toml": 0o644, "/etc/logrotate.d/llmspell-kernel": 0o644,
		"/usr/lib/sysusers.d/llmspell.conf": 0o644, "/usr/share/man/man1/": 0o644,
	} {
		if modes[dst] != mode {
			t.Errorf("%s: mode %04o, want %04o", dst, modes[dst], mode)
		}
	}
	if out, err := exec.Command("sh", "-n", filepath.Join(root, c.Scripts.Postinstall)).CombinedOutput(); err != nil {
		t.Errorf("%s: %v %s", c.Scripts.Postinstall, err, out)
	}
	if _, err := config.Parse([]byte(read(t, "deploy/config.toml")), config.Params{}); err != nil {
		t.Error(err)
	}
}

// stage is one FROM of a Dockerfile.
type stage struct {
	name, from string
	lines      []string // INSTRUCTION arguments
}

// all are the instructions of a stage and of those it is based on.
func (s stage) all(stages map[string]stage) []string {
	if base, ok := stages[s.from]; ok {
		return append(base.all(stages), s.lines...)
	}
	return s.lines
}

func dockerfile(t *testing.T) (stages map[string]stage, last string) {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(read(t, "deploy/Dockerfile"), "")
	text = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, " ")
	known := []string{"FROM", "ARG", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
	from := regexp.MustCompile(`^FROM (?:--platform=\S+ )?(\S+) AS (\S+)$`)
	stages = map[string]stage{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		word, _, _ := strings.Cut(line, " ")
		if !slices.Contains(known, word) {
			t.Fatalf("unknown instruction: %s", line)
		}
		if m := from.FindStringSubmatch(line); m != nil {
			last = m[2]
			stages[last] = stage{name: last, from: m[1]}
			continue
		}
		s := stages[last]
		s.lines = append(s.lines, line)
		stages[last] = s
	}
	return stages, last
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	stages, last := dockerfile(t)
	if last != "kernel" {
		t.Errorf("the default target is %s", last)
	}
	for target, want := range map[string][]string{
		"kernel": {
			"EXPOSE 9555", `ENTRYPOINT ["/usr/local/bin/llmspell"]`, `CMD ["kernel", "start", "--foreground"]`,
			`CMD ["/usr/local/bin/llmspell", "kernel", "status", "--quiet"]`,
			"LLMSPELL_SECURITY_ALLOW_INSECURE_BIND=true", "LLMSPELL_KERNEL_HOST=0.0.0.0", "LLMSPELL_TOKEN=",
		},
		"service": {"EXPOSE 3000", `ENTRYPOINT ["/usr/local/bin/my-service"]`, `CMD ["/usr/local/bin/my-service", "-healthcheck"]`},
	} {
		lines := stages[target].all(stages)
		text := strings.Join(lines, "\n")
		for _, w := range append(want, "USER 1000:1000", "WORKDIR /home/llmspell", `VOLUME ["/var/lib/llmspell"]`, "HEALTHCHECK ",
			"ca-certificates.crt", "ZONEINFO=/zoneinfo.zip", "COPY --from=build /root-fs/ /") {
			if !strings.Contains(text, w) {
				t.Errorf("target %s has no %s", target, w)
			}
		}
		for _, l := range lines {
			if strings.HasPrefix(l, "RUN ") {
				t.Errorf("target %s: scratch cannot run %s", target, l)
			}
		}
	}
	if stages["base"].from != "scratch" {
		t.Errorf("base is from %s", stages["base"].from)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	if b := stages["build"]; b.from != "golang:"+goVersion || !strings.Contains(strings.Join(b.lines, "\n"), "CGO_ENABLED=0") {
		t.Errorf("build stage: from %s, go.mod says %s", b.from, goVersion)
	}
	checkSources(t, stages)
}

// checkSources: what is copied exists, in the tree or made by the build.
func checkSources(t *testing.T, stages map[string]stage) {
	build := strings.Join(stages["build"].lines, "\n")
	for _, s := range stages {
		for _, l := range s.lines {
			f := strings.Fields(l)
			if f[0] != "COPY" {
				continue
			}
			for _, src := range f[1 : len(f)-1] {
				switch {
				case strings.HasPrefix(src, "--from="):
					if _, ok := stages[strings.TrimPrefix(src, "--from=")]; !ok {
						t.Errorf("%s: no such stage", l)
					}
				case strings.HasPrefix(src, "/etc/"): // of the golang image
				case strings.HasPrefix(src, "/"):
					if !strings.Contains(build, strings.TrimSuffix(src, "/")) {
						t.Errorf("%s: the build does not make it", l)
					}
				default:
					exists(t, src)
				}
			}
		}
	}
	for m := range strings.FieldsSeq(build) {
		if strings.HasPrefix(m, "./") && m != "./" {
			exists(t, m)
		}
	}
}

// TestDockerEnvironment: the image's variables are keys that we have.
func TestDockerEnvironment(t *testing.T) {
	t.Parallel()
	stages, _ := dockerfile(t)
	env := map[string]string{}
	for _, l := range stages["kernel"].all(stages) {
		if rest, ok := strings.CutPrefix(l, "ENV "); ok {
			for _, pair := range strings.Fields(rest) {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
		}
	}
	cfg, err := config.Parse(nil, config.Params{Env: env, Cwd: "/", Home: env["HOME"], UID: 1000, Command: "kernel"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Kernel.Host != "0.0.0.0" || !cfg.Security.AllowInsecureBind || cfg.Token.IsSet() || len(cfg.Warnings) > 0 ||
		cfg.Paths.StateDir != "/var/lib/llmspell" || !strings.HasPrefix(cfg.Paths.RuntimeDir, cfg.Paths.StateDir) || cfg.Logging.LogFile != "" {
		t.Errorf("%+v %v", cfg.Paths, cfg.Warnings)
	}
}

// TestLogrotate runs the recipe on a log that is written meanwhile, with paths
// and account of the test: no line is lost.
func TestLogrotate(t *testing.T) {
	t.Parallel()
	recipe := read(t, "deploy/logrotate")
	for _, d := range []string{"daily", "rotate 7", "compress", "delaycompress", "missingok", "notifempty", "create 0640 llmspell llmspell", "kill -USR1"} {
		if !strings.Contains(recipe, "    "+d) {
			t.Errorf("the recipe has no %s", d)
		}
	}
	logrotate, err := exec.LookPath("logrotate")
	if err != nil {
		t.Skip("logrotate is not installed")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "kernel.log")
	asked := filepath.Join(dir, "reopen")
	for from, to := range map[string]string{
		"/var/log/llmspell": dir, "create 0640 llmspell llmspell": fmt.Sprintf("create 0640 %s %s", me.Username, group.Name),
		"kill -USR1 $(cat /var/run/llmspell/kernel.pid)": "touch " + asked,
	} {
		if !strings.Contains(recipe, from) {
			t.Fatalf("the recipe has no %s", from)
		}
		recipe = strings.ReplaceAll(recipe, from, to)
	}
	file := filepath.Join(dir, "recipe")
	if err := os.WriteFile(file, []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), logrotate, append(args, "-s", filepath.Join(dir, "state"), file)...).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("error")) {
			t.Fatalf("logrotate %v: %v\n%s", args, err, out)
		}
	}
	f, err := logfile.Open(logfile.Params{Path: log})
	if err != nil {
		t.Fatal(err)
	}
	run("-d")
	lines := writeWhile(t.Context(), slog.New(slog.NewTextHandler(f, nil)), func() {
		for range 3 {
			run("-f")
			if _, err := os.Stat(asked); err != nil {
				t.Errorf("the kernel was not asked to reopen: %v", err)
			}
			if err := f.Reopen(); err != nil { // what USR1 does
				t.Error(err)
			}
		}
	})
	f.Close()
	if got := countLines(t, dir); got != lines {
		t.Errorf("%d lines in the files, %d were written", got, lines)
	}
}

// writeWhile writes numbered lines while do runs and returns how many.
func writeWhile(ctx context.Context, log *slog.Logger, do func()) int {
	ctx, stop := context.WithCancel(ctx)
	written := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			log.Info("line " + strconv.Itoa(n))
			time.Sleep(100 * time.Microsecond)
		}
		written <- n
	}()
	time.Sleep(20 * time.Millisecond)
	do()
	time.Sleep(20 * time.Millisecond)
	stop()
	return <-written
}

func countLines(t *testing.T, dir string) int {
	t.Helper()
	out, err := exec.Command("sh", "-c", "cat "+dir+"/kernel.log "+dir+"/kernel.log.1; zcat "+dir+"/kernel.log.*.gz").Output()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(out, []byte("\n"))
}
