package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/internal/daemon"
)

// maxScript bounds a program's source (scripting contract 0.1).
const maxScript = 10 << 20

// execution is the flags of run and exec, and what they run.
type execution struct {
	engine  string
	session string
	timeout string
	stream  bool
	record  string
	replay  string
	budget  string
	detach  bool

	code string
	name string // chunk name
	path string // script file, "" for exec and stdin
	args []string
}

func (x *execution) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&x.engine, "engine", "lua", "script engine; only lua")
	f.StringVar(&x.session, "session", "", "run in this session of a running kernel")
	f.StringVar(&x.timeout, "timeout", "", "end after this long: seconds, or 90s, 5m")
	f.BoolVar(&x.stream, "stream", false, "print events as they come (one JSON object a line with --output json)")
	f.StringVar(&x.record, "record", "", "write the model calls to a file")
	f.StringVar(&x.replay, "replay", "", "answer model calls from a recorded file")
	f.StringVar(&x.budget, "budget", "", "not available in this version")
	f.BoolVar(&x.detach, "detach", false, "start a run on a kernel and print its id")
	f.MarkHidden("engine")
	f.MarkHidden("budget")
}

func (a *app) runCommand() *cobra.Command {
	x := &execution{}
	c := &cobra.Command{
		Use: "run SCRIPT|- [-- ARGS]", Short: "Run a script file",
		Example: `  llmspell run examples/spells/tour.lua
  llmspell run report.lua -- --city Paris verbose
  echo 'print("hi")' | llmspell run -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			source, err := a.readAll(args[0], maxScript)
			if err != nil {
				return err
			}
			x.code, x.args = string(source), args[1:]
			x.name = "=stdin"
			if args[0] != "-" {
				x.name, x.path = "@"+args[0], args[0]
			}
			return a.execute(c.Context(), c.Name(), x)
		},
	}
	x.flags(c)
	return c
}

func (a *app) execCommand() *cobra.Command {
	x := &execution{}
	c := &cobra.Command{
		Use: "exec CODE|- [-- ARGS]", Short: "Run code given on the command line",
		Example: `  llmspell exec "return 6*7"
  llmspell exec --connect localhost:9555 "return os.date()"
  llmspell exec 'return Agent.query("What is Go?")'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			x.code, x.args, x.name = args[0], args[1:], "=exec"
			if args[0] == "-" {
				source, err := readLimited(a.env.Stdin, maxScript)
				if err != nil {
					return err
				}
				x.code = string(source)
			}
			return a.execute(c.Context(), c.Name(), x)
		},
	}
	x.flags(c)
	return c
}

// execute runs x on the addressed kernel, or in this process.
func (a *app) execute(ctx context.Context, command string, x *execution) error {
	if x.engine != "lua" {
		return usagef("--engine %q: only lua is available", x.engine)
	}
	if x.budget != "" {
		return &exitError{code: exitFailure, err: errors.New("--budget: not available in this version")}
	}
	if x.record != "" && x.replay != "" {
		return usagef("--record and --replay exclude each other")
	}
	timeout, err := parseDuration("--timeout", x.timeout)
	if err != nil {
		return err
	}
	ctx, stop := daemon.WithStop(ctx, a.env.Exit)
	defer stop()
	c, remote, err := a.remote()
	if err != nil {
		return err
	}
	if !remote && (x.session != "" || x.detach) {
		k, err := a.onlyKernel("")
		if err != nil {
			return err
		}
		if c, err = a.dial(k.Endpoint); err != nil {
			return err
		}
		remote = true
	}
	if remote {
		if x.record != "" || x.replay != "" {
			return usagef("--record and --replay work in process only, not with a running kernel")
		}
		return stopCause(ctx, a.executeRemote(ctx, c, x, timeout))
	}
	return stopCause(ctx, a.executeLocal(ctx, command, x, timeout))
}

func (a *app) executeLocal(ctx context.Context, command string, x *execution, timeout time.Duration) error {
	cfg, err := a.loadConfig(command)
	if err != nil {
		return err
	}
	kernel, err := a.openKernel(ctx, cfg, x)
	if err != nil {
		return err
	}
	defer kernel.Close()
	named, positional := parseArgs(x.args)
	req := llmspell.Request{
		Code: x.code, Name: x.name, File: x.path != "", ScriptPath: x.path, Source: "cli",
		Args: named, Positional: positional, Timeout: timeout, Stderr: a.env.Stderr,
	}
	if x.name != "=stdin" {
		req.Stdin = a.env.Stdin
	}
	switch {
	case x.stream && a.json():
		req.Events = func(e llmspell.Event) { a.printJSON(e) }
	case !a.json():
		req.Stdout = a.env.Stdout
	}
	result, err := kernel.Run(ctx, req)
	if err != nil {
		a.traceback(err)
		return err
	}
	if x.stream && a.json() {
		return exitStatus(result.ExitCode)
	}
	a.noteValueError(result.ValueError)
	if err := a.printResult(result.Text, result); err != nil {
		return err
	}
	return exitStatus(result.ExitCode)
}

// printResult prints the returned value unless nil, or the whole body as JSON.
func (a *app) printResult(text string, body any) error {
	if a.json() {
		return a.printJSON(body)
	}
	if text == "" {
		return nil
	}
	return a.printf("%s\n", text)
}

// noteValueError tells why nothing is printed although something was returned.
func (a *app) noteValueError(why string) {
	if why != "" && !a.json() {
		a.note("note: the returned value cannot be shown: %s", why)
	}
}

// exitStatus makes os.exit(n) the command's exit code.
func exitStatus(code *int) error {
	if code == nil || *code == 0 {
		return nil
	}
	return status(*code & 0xff)
}

func (a *app) executeRemote(ctx context.Context, c *client.Client, x *execution, timeout time.Duration) error {
	req := client.ExecuteRequest{Code: x.code, SessionID: x.session, Args: remoteArgs(x.args)}
	if timeout > 0 {
		req.Timeout = new(timeout.Seconds())
	}
	if x.detach {
		run, err := c.StartRun(ctx, req)
		if err != nil {
			return err
		}
		if a.json() {
			return a.printJSON(run)
		}
		return a.printf("%s\n", run.RunID)
	}
	if a.json() && !x.stream {
		out, err := c.Execute(ctx, req)
		if err != nil {
			return err
		}
		return a.printJSON(out.Raw)
	}
	return a.streamRemote(ctx, c, req)
}

// streamRemote prints output as it comes, then the value.
func (a *app) streamRemote(ctx context.Context, c *client.Client, req client.ExecuteRequest) error {
	for e, err := range c.Stream(ctx, req) {
		if err != nil {
			return err
		}
		if a.json() {
			a.printJSON(map[string]any{"seq": e.ID, "type": e.Type, "data": e.Data})
		} else if e.Type == "output" {
			if err := a.printOutput(e.Data); err != nil {
				return err
			}
		}
		out, last, err := e.Result()
		if err != nil {
			a.traceback(err)
			return err
		}
		if last && !a.json() {
			a.noteValueError(out.ValueError)
			return a.printResult(out.Result, nil)
		}
		if last {
			return nil
		}
	}
	return errors.New("the kernel closed the stream before the execution ended")
}

// traceback shows where a script failed, at debug level.
func (a *app) traceback(err error) {
	var lines []string
	if e, ok := errors.AsType[*llmspell.ScriptError](err); ok {
		lines = e.Traceback
	} else if e, ok := errors.AsType[*client.Problem](err); ok {
		lines = e.Traceback
	}
	if a.logLevel == "debug" || a.logLevel == "trace" {
		for _, l := range lines {
			fmt.Fprintln(a.env.Stderr, l)
		}
	}
}

// parseArgs turns words after -- into ARGS: bare words are positional, --k v
// and --k=v are named, a bare --k is "true", and -- ends options.
func parseArgs(words []string) (named map[string]any, positional []any) {
	named = map[string]any{}
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" {
			for _, rest := range words[i+1:] {
				positional = append(positional, rest)
			}
			break
		}
		key, ok := strings.CutPrefix(w, "--")
		if !ok {
			positional = append(positional, w)
			continue
		}
		if k, v, ok := strings.Cut(key, "="); ok {
			named[k] = v
		} else if i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
			i++
			named[key] = words[i]
		} else {
			named[key] = "true"
		}
	}
	return named, positional
}

// remoteArgs is the args member of a request: an object when there are names.
func remoteArgs(words []string) any {
	named, positional := parseArgs(words)
	if len(named) == 0 {
		if len(positional) == 0 {
			return nil
		}
		return positional
	}
	for i, v := range positional {
		named[strconv.Itoa(i+1)] = v
	}
	return named
}

// parseDuration accepts seconds or Go's notation; "" is 0.
func parseDuration(flag, s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n < 1e9 {
		return time.Duration(n * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, usagef("%s %q: want seconds, or a duration such as 90s or 5m", flag, s)
	}
	return d, nil
}

// conversation is the recorded model conversation beside a script, "" if there
// is none.
func conversation(script string) string {
	if script == "" {
		return ""
	}
	path := strings.TrimSuffix(script, filepath.Ext(script)) + ".replay.jsonl"
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}
