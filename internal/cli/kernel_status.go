package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/internal/daemon"
	"github.com/llmspell/llmspell/internal/registry"
)

// statusRecord is what is known of a kernel: its record and, when it answers,
// what it measured itself. Unknown values are null.
type statusRecord struct {
	registry.Record
	Scope             string   `json:"scope"`
	State             string   `json:"state"` // starting ready draining unreachable stopped
	Health            string   `json:"health"`
	UptimeSeconds     *float64 `json:"uptime_seconds"`
	RSSBytes          *int64   `json:"rss_bytes"`
	CPUPercent        *float64 `json:"cpu_percent"`
	OpenFiles         *int     `json:"open_files"`
	Clients           *int64   `json:"clients"`
	Sessions          *int     `json:"sessions"`
	ExecutionsRunning *int     `json:"executions_running"`
	ExecutionsQueued  *int     `json:"executions_queued"`
	LastActivity      *string  `json:"last_activity"`
}

// statsBody is the part of GET /v1/stats that a status shows.
type statsBody struct {
	Status        string   `json:"status"`
	UptimeSeconds *float64 `json:"uptime_seconds"`
	Sessions      *int     `json:"sessions"`
	Executions    struct{ Running, Queued *int }
	Clients       struct {
		HTTP *int64 `json:"http"`
	}
	Process struct {
		RSSBytes   *int64   `json:"rss_bytes"`
		CPUPercent *float64 `json:"cpu_percent"`
		OpenFDs    *int     `json:"open_fds"`
	}
	Kernel struct {
		LastActivity *string `json:"last_activity"`
	}
}

func (a *app) kernelStatus() *cobra.Command {
	var id, pidFile, interval string
	var watch bool
	c := &cobra.Command{
		Use: "status [ID]", Short: "Show a kernel's state; exit 0 ready, 1 not ready, 3 not running",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				id = args[0]
			}
			every, err := parseDuration("--interval", interval)
			if err != nil {
				return err
			}
			if !watch {
				return a.status(c.Context(), id, pidFile, false)
			}
			return a.watchStatus(c.Context(), id, pidFile, max(every, 100*time.Millisecond))
		},
	}
	f := c.Flags()
	f.StringVar(&id, "id", "", "kernel id or prefix")
	f.StringVar(&pidFile, "pid-file", "", "the kernel that holds this PID file")
	f.BoolVarP(&watch, "watch", "w", false, "repeat until interrupted")
	f.StringVar(&interval, "interval", "5s", "how often with --watch")
	return c
}

func (a *app) watchStatus(ctx context.Context, id, pidFile string, every time.Duration) error {
	ctx, stop := daemon.WithStop(ctx, a.env.Exit)
	defer stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := a.status(ctx, id, pidFile, true); err != nil && explain(err).exit != exitFailure {
			return stopCause(ctx, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // watching ends when the person wants it to
		}
	}
}

// status prints the kernels asked for and returns the exit status.
func (a *app) status(ctx context.Context, id, pidFile string, line bool) error {
	found, err := a.statusTargets(id, pidFile)
	if err != nil {
		return err
	}
	records := make([]statusRecord, len(found))
	ready := true
	for i, k := range found {
		records[i] = a.measure(ctx, k)
		ready = ready && records[i].State == "ready"
	}
	if err := a.printStatus(records, line); err != nil {
		return err
	}
	if !ready {
		return status(exitFailure)
	}
	return nil
}

func (a *app) printStatus(records []statusRecord, line bool) error {
	switch {
	case a.quiet:
		return nil
	case a.json() && line:
		return json.NewEncoder(a.env.Stdout).Encode(records)
	case a.json():
		return a.printJSON(records)
	}
	return a.statusTable(records)
}

// statusTargets are all running kernels, or the one named; none is exit 3.
func (a *app) statusTargets(id, pidFile string) ([]registry.Listed, error) {
	all, err := a.kernels()
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = a.kernelID
	}
	if id != "" {
		k, err := registry.Match(id, all)
		return []registry.Listed{k}, err
	}
	if pidFile != "" {
		for _, k := range all {
			if k.PIDFile == pidFile {
				return []registry.Listed{k}, nil
			}
		}
		all = nil
	}
	if len(all) == 0 {
		return nil, &exitError{code: exitNotFound, err: errors.New("no kernel is running"),
			hint: `start one with "llmspell kernel start --daemon"`}
	}
	return all, nil
}

// measure asks a kernel for its own figures.
func (a *app) measure(ctx context.Context, k registry.Listed) statusRecord {
	s := statusRecord{Record: k.Record, Scope: k.Scope, State: "unreachable"}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := a.dial(k.Endpoint)
	if err != nil { // the token is another account's, or nowhere
		c, err = a.dialOpen(k.Endpoint)
	}
	if err != nil {
		return s
	}
	var b statsBody
	raw, err := c.Get(ctx, "/v1/stats")
	if err != nil { // no right to the figures: the open health still tells the state
		raw, err = c.Health(ctx)
	}
	if err != nil || json.Unmarshal(raw, &b) != nil {
		return s
	}
	s.Health, s.State = b.Status, b.Status
	if b.Status == "healthy" || b.Status == "degraded" {
		s.State = "ready"
	} else if b.Status == "unhealthy" {
		s.State = "unready"
	}
	s.UptimeSeconds, s.RSSBytes, s.CPUPercent, s.OpenFiles = b.UptimeSeconds, b.Process.RSSBytes, b.Process.CPUPercent, b.Process.OpenFDs
	s.Clients, s.Sessions, s.LastActivity = b.Clients.HTTP, b.Sessions, b.Kernel.LastActivity
	s.ExecutionsRunning, s.ExecutionsQueued = b.Executions.Running, b.Executions.Queued
	return s
}

func (a *app) statusTable(records []statusRecord) error {
	rows := [][]string{{"ID", "SCOPE", "STATE", "PID", "ENDPOINT", "UPTIME", "RSS", "SESSIONS", "RUNNING", "QUEUED"}}
	for _, s := range records {
		rows = append(rows, []string{
			s.KernelID, s.Scope, s.State, fmt.Sprint(s.PID), s.Endpoint, uptime(s.UptimeSeconds), megabytes(s.RSSBytes),
			number(s.Sessions), number(s.ExecutionsRunning), number(s.ExecutionsQueued),
		})
	}
	return a.table(rows)
}

func (a *app) kernelList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List running kernels of the user and the system", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := a.kernels()
			if err != nil {
				return err
			}
			if a.json() {
				return a.printJSON(append([]registry.Listed{}, all...))
			}
			rows := [][]string{{"ID", "SCOPE", "PID", "ENDPOINT", "STARTED", "VERSION"}}
			for _, k := range all {
				rows = append(rows, []string{k.KernelID, k.Scope, fmt.Sprint(k.PID), k.Endpoint, k.StartedAt.Local().Format(time.DateTime), k.Version})
			}
			return a.table(rows)
		},
	}
}

func uptime(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return time.Duration(*seconds * float64(time.Second)).Round(time.Second).String()
}

func megabytes(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f MB", float64(*n)/(1<<20))
}

func number(n *int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}
