package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/internal/daemon"
	"github.com/llmspell/llmspell/internal/registry"
)

type stopFlags struct {
	id      string
	pidFile string
	all     bool
	force   bool
	timeout string
}

func (a *app) kernelStop() *cobra.Command {
	s := &stopFlags{}
	c := &cobra.Command{
		Use: "stop [ID]", Short: "Stop a kernel and wait until it is gone",
		Example: `  llmspell kernel stop                   # the only one running
  llmspell kernel stop abc123
  llmspell kernel stop --pid-file /run/llmspell/kernel.pid
  llmspell kernel stop --force --timeout 5s`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			targets, err := a.stopTargets(s, args)
			if err != nil {
				return err
			}
			ctx, stop := daemon.WithStop(c.Context(), a.env.Exit)
			defer stop()
			stopped := []int{}
			for _, t := range targets {
				if err := a.stopOne(ctx, t, s); err != nil {
					return stopCause(ctx, err)
				}
				stopped = append(stopped, t.pid)
			}
			if a.json() {
				return a.printJSON(map[string]any{"stopped": stopped})
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&s.id, "id", "", "kernel id, or a unique prefix of at least 4 characters")
	f.StringVar(&s.pidFile, "pid-file", "", "the kernel that holds this PID file")
	f.BoolVar(&s.all, "all", false, "every running kernel")
	f.BoolVar(&s.force, "force", false, "kill it after the timeout")
	f.StringVar(&s.timeout, "timeout", "", "how long to wait (default: the kernel's shutdown_timeout and 15 s)")
	return c
}

// stopTarget is a kernel to stop: how to see that it lives, and its pid.
type stopTarget struct {
	name  string
	pid   int
	owner uint32
	alive func() bool
	clean []string // files a killed kernel leaves
}

func (a *app) stopTargets(s *stopFlags, args []string) ([]stopTarget, error) {
	named := 0
	for _, given := range []bool{len(args) == 1, s.id != "", s.pidFile != "", s.all} {
		if given {
			named++
		}
	}
	switch {
	case named > 1:
		return nil, usagef("name one target: an id, --id, --pid-file or --all")
	case s.pidFile != "":
		return a.pidFileTarget(s.pidFile)
	case s.all:
		all, err := a.kernels()
		var targets []stopTarget
		for _, k := range all {
			targets = append(targets, kernelTarget(k))
		}
		return targets, err
	}
	id := s.id
	if len(args) == 1 {
		id = args[0]
	}
	if id == "" {
		id = a.kernelID
	}
	k, err := a.onlyKernel(id)
	if err != nil {
		return nil, err
	}
	return []stopTarget{kernelTarget(k)}, nil
}

func kernelTarget(k registry.Listed) stopTarget {
	dir := registry.Dir{Runtime: filepath.Dir(filepath.Dir(k.Path)), Scope: k.Scope}
	return stopTarget{
		name: "kernel " + k.KernelID, pid: k.PID, owner: k.Owner, clean: []string{k.Path, k.PIDFile},
		alive: func() bool {
			all, err := registry.List(dir)
			if err != nil {
				return true
			}
			for _, other := range all {
				if other.KernelID == k.KernelID && other.PID == k.PID {
					return true
				}
			}
			return false
		},
	}
}

// pidFileTarget reads a PID file. A kernel already gone is success.
func (a *app) pidFileTarget(path string) ([]stopTarget, error) {
	state, err := registry.ReadPIDFile(path)
	if err != nil {
		return nil, err
	}
	if !state.Exists {
		if _, err := os.Stat(filepath.Dir(path)); os.IsNotExist(err) {
			return nil, &exitError{code: exitNotFound, err: fmt.Errorf("no PID file %s, and its directory does not exist", path)}
		}
		a.note("not running (no PID file %s)", path)
		return nil, nil
	}
	if !state.Held {
		a.note("not running; removed the stale PID file %s", path)
		return nil, registry.RemoveStale(path, state.Owner)
	}
	return []stopTarget{{
		name: fmt.Sprintf("kernel with PID file %s", path), pid: state.PID, owner: state.Owner, clean: []string{path},
		alive: func() bool { s, err := registry.ReadPIDFile(path); return err != nil || s.Held },
	}}, nil
}

// stopOne sends TERM and waits for the lock to be free; with --force KILL after
// the timeout.
func (a *app) stopOne(ctx context.Context, t stopTarget, s *stopFlags) error {
	timeout, err := a.stopTimeout(ctx, t, s.timeout)
	if err != nil {
		return err
	}
	if err := a.maySignal(t); err != nil {
		return err
	}
	sig := syscall.SIGTERM
	if s.force && timeout == 0 {
		sig = syscall.SIGKILL
	}
	if err := syscall.Kill(t.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("cannot signal pid %d: %w", t.pid, err)
	}
	gone := a.waitGone(ctx, t, timeout)
	if !gone && s.force {
		syscall.Kill(t.pid, syscall.SIGKILL)
		gone = a.waitGone(ctx, t, 5*time.Second)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !gone {
		return &exitError{code: exitDeadline, err: fmt.Errorf("%s (pid %d) is still running after %v", t.name, t.pid, timeout), hint: "use --force to kill it"}
	}
	for _, f := range t.clean { // a killed kernel could not
		if err := registry.RemoveStale(f, t.owner); err != nil {
			return err
		}
	}
	if a.json() {
		return nil
	}
	return a.printf("%s stopped (pid %d)\n", t.name, t.pid)
}

// stopTimeout is the time given, else what the kernel takes to drain plus 15 s.
func (a *app) stopTimeout(ctx context.Context, t stopTarget, given string) (time.Duration, error) {
	if given != "" {
		return parseDuration("--timeout", given)
	}
	drain := 30 * time.Second
	if seconds, ok := a.askShutdownTimeout(ctx, t); ok {
		drain = time.Duration(seconds * float64(time.Second))
	}
	return drain + 15*time.Second, nil
}

// askShutdownTimeout reads kernel.shutdown_timeout from the kernel itself.
func (a *app) askShutdownTimeout(ctx context.Context, t stopTarget) (seconds float64, ok bool) {
	all, err := a.kernels()
	i := slices.IndexFunc(all, func(k registry.Listed) bool { return k.PID == t.pid })
	if err != nil || i < 0 {
		return 0, false
	}
	c, err := a.dial(all[i].Endpoint)
	if err != nil {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	raw, err := c.Get(ctx, "/v1/config")
	if err != nil {
		return 0, false
	}
	var body struct {
		Items []struct {
			Key   string `json:"key"`
			Value any    `json:"value"`
		} `json:"items"`
	}
	if json.Unmarshal(raw, &body) != nil {
		return 0, false
	}
	for _, item := range body.Items {
		if item.Key == "kernel.shutdown_timeout" {
			seconds, ok = item.Value.(float64)
			return seconds, ok
		}
	}
	return 0, false
}

// maySignal refuses to signal what is not the caller's, or cannot be a kernel.
func (a *app) maySignal(t stopTarget) error {
	switch {
	case t.pid <= 1:
		return fmt.Errorf("refusing to signal pid %d: not a kernel's", t.pid)
	case a.env.UID != 0 && int(t.owner) != a.env.UID:
		return &exitError{code: exitFailure, err: fmt.Errorf("refusing to signal pid %d: it belongs to uid %d", t.pid, t.owner), hint: "run with sudo"}
	}
	return nil
}

// waitGone polls the lock with a line of progress each 5 s.
func (a *app) waitGone(ctx context.Context, t stopTarget, timeout time.Duration) bool {
	deadline := time.NewTimer(max(timeout, 100*time.Millisecond))
	defer deadline.Stop()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	progress := time.NewTicker(5 * time.Second)
	defer progress.Stop()
	for {
		if !t.alive() {
			return true
		}
		select {
		case <-poll.C:
		case <-progress.C:
			a.note("waiting for %s (pid %d) ...", t.name, t.pid)
		case <-deadline.C:
			return !t.alive()
		case <-ctx.Done():
			return false
		}
	}
}
