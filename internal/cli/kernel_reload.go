package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/internal/daemon"
)

// reloadState is the part of /health that a reload changes.
type reloadState struct {
	Config struct {
		Hash            string    `json:"hash"`
		LoadedAt        time.Time `json:"loaded_at"`
		LastReloadOK    bool      `json:"last_reload_ok"`
		Reloads         int64     `json:"reloads"`
		RestartRequired []string  `json:"restart_required"`
	} `json:"config"`
}

func (a *app) kernelReload() *cobra.Command {
	var id string
	c := &cobra.Command{
		Use: "reload [ID]", Short: "Reload a kernel's configuration; exit 1 if it was refused",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				id = args[0]
			}
			ctx, stop := daemon.WithStop(c.Context(), a.env.Exit)
			defer stop()
			return stopCause(ctx, a.reload(ctx, id))
		},
	}
	c.Flags().StringVar(&id, "id", "", "kernel id or prefix")
	return c
}

func (a *app) reload(ctx context.Context, id string) error {
	k, err := a.onlyKernel(id)
	if err != nil {
		return err
	}
	target := kernelTarget(k)
	if err := a.maySignal(target); err != nil {
		return err
	}
	c, err := a.dial(k.Endpoint)
	if err != nil {
		return err
	}
	before, err := readReload(ctx, c)
	if err != nil {
		return err
	}
	if err := syscall.Kill(k.PID, syscall.SIGHUP); err != nil {
		return fmt.Errorf("cannot signal pid %d: %w", k.PID, err)
	}
	after, err := waitReload(ctx, c, before.Config.Reloads)
	if err != nil {
		return err
	}
	if !after.Config.LastReloadOK {
		return &exitError{code: exitFailure, err: errors.New("the kernel refused the new configuration and keeps the old one"),
			hint: "its log has the errors; check the file with \"llmspell config validate\""}
	}
	if a.json() {
		return a.printJSON(after.Config)
	}
	if len(after.Config.RestartRequired) > 0 {
		a.note("changed keys that need a restart: %s", strings.Join(after.Config.RestartRequired, ", "))
	}
	return a.printf("configuration reloaded (%s)\n", after.Config.Hash)
}

func readReload(ctx context.Context, c *client.Client) (reloadState, error) {
	var s reloadState
	raw, err := c.Health(ctx)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(raw, &s)
}

// waitReload polls until the kernel counted one more reload.
func waitReload(ctx context.Context, c *client.Client, before int64) (reloadState, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := readReload(ctx, c)
		if err == nil && s.Config.Reloads > before {
			return s, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return s, &exitError{code: exitDeadline, err: errors.New("the kernel did not reload within 30 s")}
		}
	}
}
