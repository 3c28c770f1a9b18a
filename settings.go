package llmspell

import (
	"time"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/internal/session"
	"github.com/llmspell/llmspell/lua"
)

// settings are what executions need of one configuration. They are replaced as
// a whole by Reload; an execution keeps those it began with.
type settings struct {
	config    *config.Config
	tenant    string // default
	timeout   time.Duration
	fuel      int64
	memory    int64 // of one interpreter
	poolLimit int64 // of all; 0 = none
	stdlib    lua.Stdlib
	queue     session.Limits
}

func newSettings(k *Kernel, c *config.Config) *settings {
	security := c.Runtime.Security
	return &settings{
		config: c, tenant: k.initial.Storage.Postgres.DefaultTenantID,
		timeout: smaller(c.Runtime.ScriptTimeout, security.MaxExecutionTime),
		fuel:    security.MaxInstructions, memory: security.MaxMemoryBytes, poolLimit: c.Runtime.MaxTotalMemoryBytes,
		stdlib: stdlibOf(c.Engines.Lua.Stdlib),
		queue: session.Limits{
			Concurrent: c.Runtime.MaxConcurrentScripts, PerLane: c.Kernel.MaxQueue, Total: c.Kernel.MaxQueueTotal,
		},
	}
}

// deadline is when an execution that starts now ends at the latest.
func (st *settings) deadline(now time.Time, asked time.Duration) time.Time {
	limit := smaller(st.timeout, asked)
	if limit <= 0 {
		return time.Time{}
	}
	return now.Add(limit)
}

// smaller returns the smaller of two limits where 0 means none.
func smaller(a, b time.Duration) time.Duration {
	if a <= 0 || (b > 0 && b < a) {
		return b
	}
	return a
}

func stdlibOf(name string) lua.Stdlib {
	switch name {
	case "None":
		return lua.StdlibNone
	case "Basic":
		return lua.StdlibBasic
	}
	return lua.StdlibStandard
}
