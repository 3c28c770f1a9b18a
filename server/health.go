package server

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/internal/buildinfo"
)

// Health is the body of GET /health. Without a token only the first three
// members are present.
type Health struct {
	Status        string  `json:"status"` // healthy degraded unhealthy starting draining
	Version       string  `json:"version"`
	UptimeSeconds float64 `json:"uptime_seconds"`

	*HealthDetail
}

// HealthDetail is what a token adds.
type HealthDetail struct {
	KernelID   string                    `json:"kernel_id"`
	PID        int                       `json:"pid"`
	StartedAt  time.Time                 `json:"started_at"`
	Checks     map[string]llmspell.Check `json:"checks"`
	Sessions   int                       `json:"sessions"`
	Executions Executions                `json:"executions"`
	Clients    Clients                   `json:"clients"`
	Process    Process                   `json:"process"`
	Config     ConfigHealth              `json:"config"`
	Issues     []string                  `json:"issues"`
}

// Executions counts work now.
type Executions struct {
	Running int `json:"running"`
	Queued  int `json:"queued"`
}

// Clients counts streaming clients now.
type Clients struct {
	HTTP int64 `json:"http"`
}

// ConfigHealth tells which configuration is in force.
type ConfigHealth struct {
	Hash            string    `json:"hash"`
	LoadedAt        time.Time `json:"loaded_at"`
	LastReloadOK    bool      `json:"last_reload_ok"`
	Reloads         int64     `json:"reloads"` // attempts since the start
	RestartRequired []string  `json:"restart_required"`
}

// Stats is the body of GET /v1/stats, and what SIGUSR1 logs.
type Stats struct {
	Health
	Kernel     llmspell.Stats `json:"kernel"`
	Goroutines int            `json:"goroutines"`
	HeapBytes  uint64         `json:"heap_bytes"`
	GCCycles   int64          `json:"gc_cycles"`
}

const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
)

// health measures the kernel now.
func (a *api) health(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stats := a.kernel.Stats()
	checks := map[string]llmspell.Check{}
	if a.phase.Load().name != "starting" {
		checks = a.kernel.Health(ctx)
	}
	status, issues := worst(checks)
	if ph := a.phase.Load(); ph.name != "ready" {
		status = ph.name
		issues = append([]string{ph.name + ": " + ph.reason}, issues...)
	}
	reload := a.kernel.ReloadStatus()
	return Health{
		Status: status, Version: buildinfo.Version, UptimeSeconds: time.Since(stats.StartedAt).Seconds(),
		HealthDetail: &HealthDetail{
			KernelID: a.self.kernelID, PID: processID(), StartedAt: stats.StartedAt, Checks: checks,
			Sessions:   stats.Sessions,
			Executions: Executions{stats.ExecutionsRunning, stats.ExecutionsQueued},
			Clients:    Clients{HTTP: a.streams.Load()},
			Process:    a.metrics.process.sample(),
			Config: ConfigHealth{Hash: reload.Hash, LoadedAt: reload.LoadedAt, LastReloadOK: reload.OK, Reloads: reload.Attempts,
				RestartRequired: append([]string{}, reload.RestartRequired...)},
			Issues: append([]string{}, issues...),
		},
	}
}

// worst combines the checks; issues name those that are not healthy.
func worst(checks map[string]llmspell.Check) (status string, issues []string) {
	status = healthy
	for name, c := range checks {
		if c.Status == healthy {
			continue
		}
		issues = append(issues, fmt.Sprintf("%s %s: %s", name, c.Status, c.Detail))
		if status != unhealthy {
			status = c.Status
		}
	}
	slices.Sort(issues)
	return status, issues
}

func getHealth(a *api, w http.ResponseWriter, r *http.Request) error {
	h := a.health(r.Context())
	if identity(r).ID == "" {
		h.HealthDetail = nil
	}
	status := http.StatusOK
	if h.Status != healthy && h.Status != degraded {
		status = http.StatusServiceUnavailable
	}
	return reply(w, status, h)
}

func getLivez(_ *api, w http.ResponseWriter, _ *http.Request) error {
	writeBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	return nil
}

// getReadyz answers 503 with a reason a line unless the kernel takes work.
func getReadyz(a *api, w http.ResponseWriter, r *http.Request) error {
	h := a.health(r.Context())
	if h.Status == healthy || h.Status == degraded {
		writeBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
		return nil
	}
	w.Header().Set("Retry-After", "1")
	writeBody(w, http.StatusServiceUnavailable, "text/plain; charset=utf-8", []byte(strings.Join(h.Issues, "\n")+"\n"))
	return nil
}

func getVersion(_ *api, w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, buildinfo.Read())
}

func getStats(a *api, w http.ResponseWriter, r *http.Request) error {
	return reply(w, http.StatusOK, a.stats(r.Context()))
}

func (a *api) stats(ctx context.Context) Stats {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	return Stats{Health: a.health(ctx), Kernel: a.kernel.Stats(), Goroutines: runtime.NumGoroutine(),
		HeapBytes: mem.HeapAlloc, GCCycles: gc.NumGC}
}

// setPhase changes what probes say.
func (a *api) setPhase(name, reason string) { a.phase.Store(&phase{name, reason}) }
