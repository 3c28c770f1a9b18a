package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/llmspell/llmspell/internal/buildinfo"
	"github.com/llmspell/llmspell/internal/registry"
	"github.com/llmspell/llmspell/internal/service"
)

// serviceStart is how long a started service may take to be ready.
const serviceStart = 120 * time.Second

// waitService waits until the kernel of a started service is ready and is this
// version.
func (a *app) waitService(ctx context.Context, h service.Host, s service.Spec) error {
	ctx, cancel := context.WithTimeout(ctx, serviceStart)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		k, err := a.serviceReady(ctx, s.ID)
		if err == nil && k.Version != buildinfo.Version {
			err = &exitError{code: exitFailure, err: fmt.Errorf("kernel %s is version %s, not %s: an older one still runs", s.ID, k.Version, buildinfo.Version),
				hint: "restart the service"}
			return err
		}
		if err == nil {
			a.note("kernel %s ready at %s (pid %d)", s.ID, k.Endpoint, k.PID)
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			a.showServiceLog(ctx, h, s)
			return &exitError{code: exitFailure, err: fmt.Errorf("the service was started, but its kernel is not ready: %w", err)}
		}
	}
}

// serviceReady asks the kernel with this id whether it takes work.
func (a *app) serviceReady(ctx context.Context, id string) (registry.Listed, error) {
	all, err := a.kernels()
	if err != nil {
		return registry.Listed{}, err
	}
	for _, k := range all {
		if k.KernelID != id {
			continue
		}
		c, err := a.dial(k.Endpoint)
		if err != nil {
			return k, err
		}
		raw, err := c.Health(ctx)
		var health struct{ Status string }
		if err == nil {
			err = json.Unmarshal(raw, &health)
		}
		if err == nil && health.Status != "healthy" && health.Status != "degraded" {
			err = errors.New("it is " + health.Status)
		}
		return k, err
	}
	return registry.Listed{}, fmt.Errorf("no kernel %s is registered", id)
}
