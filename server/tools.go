package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// ToolInfo describes a tool; Schema is the JSON Schema of its parameters.
type ToolInfo struct {
	llmspell.ToolInfo
	Schema json.RawMessage `json:"schema,omitempty"`
}

// InvokeRequest is the body of POST /v1/tools/{name}/invoke.
type InvokeRequest struct {
	Params  map[string]any `json:"params"`
	Timeout float64        `json:"timeout,omitempty"` // seconds
}

// InvokeResponse is a tool's answer.
type InvokeResponse struct {
	Result     tool.Result `json:"result"`
	DurationMS float64     `json:"duration_ms"`
}

func listTools(a *api, w http.ResponseWriter, r *http.Request) error {
	var items []ToolInfo
	for _, t := range a.kernel.Infrastructure().ToolRegistry().List() {
		items = append(items, ToolInfo{ToolInfo: t})
	}
	return replyPage(w, r, items, func(t ToolInfo) string { return t.Name })
}

func getTool(a *api, w http.ResponseWriter, r *http.Request) error {
	reg := a.kernel.Infrastructure().ToolRegistry()
	spec, ok := reg.Lookup(r.PathValue("name"))
	if !ok {
		return fault.Errorf(fault.ToolNotFound, "no tool %q", r.PathValue("name"))
	}
	out := ToolInfo{Schema: spec.JSONSchema()}
	for _, t := range reg.List() {
		if t.Name == spec.Name {
			out.ToolInfo = t
		}
	}
	return reply(w, http.StatusOK, out)
}

func invokeTool(a *api, w http.ResponseWriter, r *http.Request) error {
	var body InvokeRequest
	if err := decode(w, r, a.maxBody(), &body); err != nil {
		return err
	}
	if body.Timeout < 0 || body.Timeout > 1e9 {
		return fault.Errorf(fault.InvalidArgument, `field "timeout": expected seconds above 0`)
	}
	ctx := r.Context()
	if body.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(body.Timeout*float64(time.Second)))
		defer cancel()
	}
	params, _ := goValue(body.Params).(map[string]any)
	start := time.Now()
	out, err := a.kernel.Infrastructure().ToolRegistry().InvokeAs(ctx, identity(r).Tenant, r.PathValue("name"), params)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, InvokeResponse{out, float64(time.Since(start).Microseconds()) / 1000})
}
