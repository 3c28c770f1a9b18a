package llmspell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/llmspell/llmspell/config"
)

// ReloadReport names the changed keys.
type ReloadReport struct {
	Applied         []string `json:"applied"`
	RestartRequired []string `json:"restart_required"`
}

// ReloadStatus tells which configuration is in force.
type ReloadStatus struct {
	Hash            string    // of the values, secrets aside
	LoadedAt        time.Time // when the configuration in force was put there
	OK              bool      // false: the last Reload failed
	RestartRequired []string  // keys that differ from those of the start and need one
	Attempts        int64     // reloads since the start, failed ones included
}

// Reload replaces the reloadable part of the configuration. What needs building
// is built first: on an error nothing changes. Executions that run keep what
// they began with. Keys that need a restart keep their effect and are reported.
func (k *Kernel) Reload(ctx context.Context, cfg *config.Config) (ReloadReport, error) {
	if cfg == nil {
		return ReloadReport{}, invalid("Reload: configuration is nil")
	}
	k.reloading.Lock()
	defer k.reloading.Unlock()
	report, err := k.reload(ctx, cfg)
	status := *k.reloaded.Load()
	status.OK = err == nil
	status.Attempts++
	if err == nil {
		status.Hash, status.LoadedAt, status.RestartRequired = hashOf(cfg), time.Now(), report.RestartRequired
	}
	k.reloaded.Store(&status)
	return report, err
}

func (k *Kernel) reload(ctx context.Context, cfg *config.Config) (ReloadReport, error) {
	if err := ctx.Err(); err != nil {
		return ReloadReport{}, err
	}
	if err := k.queue.Refusal(); err != nil {
		return ReloadReport{}, err
	}
	if err := cfg.Validate(); err != nil {
		return ReloadReport{}, err
	}
	if err := k.infra.reload(cfg); err != nil {
		return ReloadReport{}, err
	}
	var report ReloadReport
	report.Applied, _ = config.Diff(k.Config(), cfg)
	_, report.RestartRequired = config.Diff(k.initial, cfg)
	slices.Sort(report.Applied)
	slices.Sort(report.RestartRequired)
	st := newSettings(k, cfg)
	k.settings.Store(st)
	k.queue.SetLimits(st.queue)
	k.pool.SetLimit(st.poolLimit)
	return report, nil
}

// MarkReloadFailed records that a new configuration was refused before Reload:
// it did not load.
func (k *Kernel) MarkReloadFailed() {
	k.reloading.Lock()
	defer k.reloading.Unlock()
	status := *k.reloaded.Load()
	status.OK = false
	status.Attempts++
	k.reloaded.Store(&status)
}

// ReloadStatus returns which configuration is in force.
func (k *Kernel) ReloadStatus() ReloadStatus { return *k.reloaded.Load() }

func hashOf(c *config.Config) string {
	sum := sha256.Sum256(c.TOML("", false))
	return hex.EncodeToString(sum[:8])
}
