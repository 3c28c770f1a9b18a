package llmspell

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"github.com/llmspell/llmspell/config"
)

// Statuses of a Check.
const (
	Healthy   = "healthy"
	Degraded  = "degraded"
	Unhealthy = "unhealthy"
)

// Check is the health of one part: storage, providers, scheduler, disk, memory.
type Check struct {
	Status string    `json:"status"` // healthy, degraded, unhealthy
	Detail string    `json:"detail,omitempty"`
	Since  time.Time `json:"since"` // when the status was first seen
}

// checkTimeout is how long storage and scheduler may take to answer.
const checkTimeout = 2 * time.Second

// Health runs the checks of kernel contract 5.5. A storage outage or a
// scheduler that does not answer is unhealthy, anything else degraded.
func (k *Kernel) Health(ctx context.Context) map[string]Check {
	c := k.Config()
	checks := map[string]Check{
		"storage":   k.checkStorage(ctx),
		"providers": k.checkProviders(),
		"scheduler": k.checkScheduler(ctx, c.Kernel.Health.QueueThreshold),
		"disk":      checkDisk(c),
		"memory":    checkMemory(c.Kernel.Health.MemoryThresholdMB),
	}
	now := time.Now()
	for name, check := range checks {
		checks[name] = k.checks.date(name, check, now)
	}
	return checks
}

func (k *Kernel) checkStorage(ctx context.Context) Check {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := k.infra.ping(ctx); err != nil {
		return Check{Status: Unhealthy, Detail: err.Error()}
	}
	return Check{Status: Healthy, Detail: k.Config().Storage.Backend}
}

// checkProviders asks no server: it tells what is configured and usable.
func (k *Kernel) checkProviders() Check {
	var bad []string
	all := k.infra.ProviderManager().List()
	for _, p := range all {
		if !p.Available {
			bad = append(bad, fmt.Sprintf("%s: %s", p.Name, p.Problem))
		}
	}
	switch {
	case len(all) == 0:
		return Check{Status: Healthy, Detail: "none configured"}
	case len(bad) > 0:
		return Check{Status: Degraded, Detail: strings.Join(bad, "; ")}
	}
	return Check{Status: Healthy, Detail: fmt.Sprintf("%d configured", len(all))}
}

// checkScheduler takes an execution slot as a script does.
func (k *Kernel) checkScheduler(ctx context.Context, threshold int) Check {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	probe := k.slots.Slot()
	probe.Hurry()
	if err := probe.Acquire(ctx); err != nil {
		return Check{Status: Unhealthy, Detail: "no execution slot became free within " + checkTimeout.String()}
	}
	probe.Release()
	running, waiting := k.queue.Load()
	check := Check{Status: Healthy, Detail: fmt.Sprintf("%d running, %d queued", running, waiting)}
	if waiting > threshold {
		check.Status = Degraded
		check.Detail += fmt.Sprintf(" (kernel.health.queue_threshold = %d)", threshold)
	}
	return check
}

// checkDisk looks at the file system of the state directory.
func checkDisk(c *config.Config) Check {
	dir := c.Paths.StateDir
	if dir == "" {
		return Check{Status: Healthy, Detail: "no state directory"}
	}
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir) // not made yet: it will be on its parent's
	}
	free, err := diskFree(dir)
	if err != nil {
		return Check{Status: Degraded, Detail: fmt.Sprintf("free space of %s is unknown: %v", dir, err)}
	}
	check := Check{Status: Healthy, Detail: fmt.Sprintf("%d MB free", free>>20)}
	if want := c.Kernel.Health.DiskFreeMB; free>>20 < uint64(want) {
		check.Status = Degraded
		check.Detail += fmt.Sprintf(" on %s (kernel.health.disk_free_mb = %d)", dir, want)
	}
	return check
}

func checkMemory(thresholdMB int) Check {
	used := residentBytes()
	check := Check{Status: Healthy, Detail: fmt.Sprintf("%d MB resident", used>>20)}
	if used>>20 > uint64(thresholdMB) {
		check.Status = Degraded
		check.Detail += fmt.Sprintf(" (kernel.health.memory_threshold_mb = %d)", thresholdMB)
	}
	return check
}

// residentBytes is the process's resident memory where the system tells it in a
// file, else what the Go runtime holds.
func residentBytes() uint64 {
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, resident uint64
		if _, err := fmt.Sscan(string(statm), &size, &resident); err == nil {
			return resident * uint64(os.Getpagesize())
		}
	}
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// healthTracker remembers since when each part has its status.
type healthTracker struct {
	mu   sync.Mutex
	last map[string]Check
}

func (h *healthTracker) date(name string, c Check, now time.Time) Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = map[string]Check{}
	}
	c.Since = now
	if before, ok := h.last[name]; ok && before.Status == c.Status {
		c.Since = before.Since
	}
	h.last[name] = c
	return c
}
