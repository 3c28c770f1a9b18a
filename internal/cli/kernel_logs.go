package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/daemon"
	"github.com/llmspell/llmspell/internal/logfile"
	"github.com/llmspell/llmspell/internal/logging"
	"github.com/llmspell/llmspell/internal/registry"
)

// logQuery is what kernel logs shows. lines < 0 means all.
type logQuery struct {
	lines  int
	follow bool
	since  time.Time
	level  slog.Level
}

// followEvery is how often a followed file is looked at.
const followEvery = 100 * time.Millisecond

func (a *app) kernelLogs() *cobra.Command {
	var lines int
	var follow bool
	var since, level string
	c := &cobra.Command{
		Use: "logs [ID]", Short: "Show the log file of a kernel, backups included",
		Long: "Show the log file of a running kernel, or of a stopped one that is named.\n" +
			"Lines that are no log records, such as a panic's trace, pass every level.",
		Example: `  llmspell kernel logs --follow
  llmspell kernel logs k1 --since 15m --level warn`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id := a.kernelID
			if len(args) == 1 {
				id = args[0]
			}
			q, err := a.logQuery(c, lines, follow, since, level)
			if err != nil {
				return err
			}
			return a.logs(c.Context(), id, q)
		},
	}
	f := c.Flags()
	f.IntVarP(&lines, "lines", "n", 100, "show the last N lines; with --since, all unless given")
	f.BoolVar(&follow, "follow", false, "go on with what is written, across rotation")
	f.StringVar(&since, "since", "", "from this time on: 15m, 2026-01-31, \"2026-01-31 15:04:05\" or RFC 3339")
	f.StringVar(&level, "level", "trace", "this level and above: error, warn, info, debug or trace")
	return c
}

func (a *app) logQuery(c *cobra.Command, lines int, follow bool, since, level string) (logQuery, error) {
	q := logQuery{lines: lines, follow: follow}
	var err error
	if q.since, err = parseSince(since, a.env.Now()); err != nil {
		return q, err
	}
	if q.level, err = logging.ParseLevel(level); err != nil || q.level == logging.LevelOff {
		return q, usagef("--level %q: want error, warn, info, debug or trace", level)
	}
	switch {
	case lines < 0:
		return q, usagef("-n %d: want 0 or more", lines)
	case a.connect != "":
		return q, usagef("kernel logs reads files of this machine; name the kernel by its id")
	case since != "" && !c.Flags().Changed("lines"):
		q.lines = -1
	}
	return q, nil
}

// parseSince reads a time, or how long ago it was; "" is the zero time. Times
// without a zone are local.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--since %q: want a duration such as 15m, a date, or a time as RFC 3339", s)
}

// logPath finds the log file of a running kernel, else of a stopped one.
func (a *app) logPath(id string) (string, error) {
	k, err := a.onlyKernel(id)
	if err == nil {
		if k.LogFile == "" {
			return "", &exitError{code: exitFailure, err: fmt.Errorf("kernel %s writes its log to standard error, not to a file", k.KernelID),
				hint: fmt.Sprintf("under systemd: journalctl _PID=%d", k.PID)}
		}
		return k.LogFile, nil
	}
	if explain(err).exit != exitNotFound {
		return "", err
	}
	var candidates []string
	if cfg, cerr := a.loadConfig("kernel"); cerr == nil && cfg.Logging.LogFile != "" && (id == "" || id == cfg.Kernel.ID) {
		candidates = append(candidates, cfg.Logging.LogFile)
	}
	if registry.ValidID(id) {
		for _, p := range a.configParams("").Scopes() {
			candidates = append(candidates, filepath.Join(p.LogsDir, "kernel-"+id+".log"), filepath.Join(p.LogsDir, id+".log"))
		}
	}
	for _, path := range candidates {
		if st, serr := os.Stat(path); serr == nil && st.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", err
}

func (a *app) logs(ctx context.Context, id string, q logQuery) error {
	path, err := a.logPath(id)
	if err != nil {
		return err
	}
	ctx, stop := daemon.WithStop(ctx, a.env.Exit)
	defer stop()
	r, older, err := logfile.NewReader(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault.Errorf(fault.PolicyDenied, "Permission denied: %s", path).WithHint("run with sudo")
	case errors.Is(err, fs.ErrNotExist):
		return fault.Errorf(fault.NotFound, "there is no log file %s", path).WithHint("signal USR1 makes the kernel open it again")
	case err != nil:
		return err
	}
	defer r.Close()
	out := &logPrinter{app: a, w: bufio.NewWriter(a.env.Stdout), array: a.json() && !q.follow}
	if err := a.showLogs(r, older, q, out); err != nil {
		return err
	}
	if !q.follow {
		return out.end()
	}
	return a.followLogs(ctx, r, q, out)
}

// showLogs shows what is there.
func (a *app) showLogs(r *logfile.Reader, older []logfile.Backup, q logQuery, out *logPrinter) error {
	first, _ := slices.BinarySearchFunc(older, q.since, func(b logfile.Backup, t time.Time) int { return b.At.Compare(t) })
	older = older[first:]
	if q.lines < 0 {
		for _, b := range older {
			if err := b.Lines(q.filter(out.print)); ignoreGone(err) != nil {
				return err
			}
		}
	}
	read := func(yield func([]byte) error) error {
		if err := r.Next(yield); err != nil || q.follow {
			return err
		}
		return r.Rest(yield)
	}
	if q.lines < 0 {
		return read(q.filter(out.print))
	}
	last, err := tail(read, q, q.lines)
	for i := len(older) - 1; err == nil && i >= 0 && len(last) < q.lines; i-- {
		var more [][]byte
		more, err = tail(older[i].Lines, q, q.lines-len(last))
		err = ignoreGone(err)
		last = append(more, last...)
	}
	for _, line := range last {
		if err == nil {
			err = out.print(line)
		}
	}
	return err
}

// ignoreGone forgives that rotation removed a backup.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (a *app) followLogs(ctx context.Context, r *logfile.Reader, q logQuery, out *logPrinter) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	show := q.filter(out.print)
	for {
		if err := out.w.Flush(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // following ends when the person wants it to
		}
		if err := r.Next(show); err != nil {
			return err
		}
	}
}

// tail returns the last n lines that pass the query.
func tail(read func(func([]byte) error) error, q logQuery, n int) ([][]byte, error) {
	var ring [][]byte
	next := 0
	err := read(q.filter(func(line []byte) error {
		switch {
		case n == 0:
		case len(ring) < n:
			ring = append(ring, bytes.Clone(line))
		default:
			ring[next] = append(ring[next][:0], line...)
			next = (next + 1) % n
		}
		return nil
	}))
	return append(ring[next:len(ring):len(ring)], ring[:next]...), err
}

// filter passes the lines of one file on. A line that is no record belongs to
// the one before it in time, and passes every level.
func (q logQuery) filter(yield func([]byte) error) func([]byte) error {
	var at time.Time
	return func(line []byte) error {
		if q.since.IsZero() && q.level == logging.LevelTrace {
			return yield(line)
		}
		record, ok := logging.Parse(line)
		if ok {
			at = record.Time
		}
		if ok && record.Level < q.level || at.Before(q.since) {
			return nil
		}
		return yield(line)
	}
}

// logPrinter writes lines as they are, as JSON objects, or as one JSON array.
type logPrinter struct {
	app   *app
	w     *bufio.Writer
	array bool
	all   []json.RawMessage
}

func (p *logPrinter) print(line []byte) error {
	if p.app.json() {
		if record, ok := logging.Parse(line); ok {
			line = record.JSON()
		} else {
			line, _ = json.Marshal(map[string]string{"msg": string(line)})
		}
	}
	if p.array {
		p.all = append(p.all, bytes.Clone(line))
		return nil
	}
	p.w.Write(line)
	return p.w.WriteByte('\n')
}

func (p *logPrinter) end() error {
	if p.array {
		return p.app.printJSON(append([]json.RawMessage{}, p.all...))
	}
	return p.w.Flush()
}
