package server

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
)

// ExecuteRequest is the body of POST /execute and POST /v1/runs.
type ExecuteRequest struct {
	Code      string   `json:"code"`
	SessionID string   `json:"session_id,omitempty"`
	Args      any      `json:"args,omitempty"`    // array: positional; object: by name, "1", "2" ... positional
	Timeout   *float64 `json:"timeout,omitempty"` // seconds, capped by the configuration
	Record    bool     `json:"record,omitempty"`
	Durable   bool     `json:"durable,omitempty"`
}

// ExecuteResponse is the answer of POST /execute.
type ExecuteResponse struct {
	Result          string          `json:"result"`
	Value           json.RawMessage `json:"value"`
	ValueError      string          `json:"value_error,omitempty"`
	Output          string          `json:"output"`
	OutputTruncated bool            `json:"output_truncated,omitempty"`
	SessionID       string          `json:"session_id"`
	RunID           string          `json:"run_id"`
	Usage           llmspell.Usage  `json:"usage"`
	DurationMS      float64         `json:"duration_ms"`
}

// request turns a body into a kernel request of the caller's tenant.
func (e ExecuteRequest) request(r *http.Request) (llmspell.Request, error) {
	req := llmspell.Request{Code: e.Code, SessionID: e.SessionID, Tenant: identity(r).Tenant, Source: "http"}
	if e.Code == "" {
		return req, fault.Errorf(fault.InvalidArgument, `field "code": a non-empty string is needed`)
	}
	if e.Durable {
		return req, fault.Errorf(fault.ComponentDisabled, "durable runs are not available in this version")
	}
	if e.Record {
		return req, fault.Errorf(fault.ComponentDisabled, "recorded runs over HTTP are not available in this version").
			WithHint("llmspell run --record FILE records a script")
	}
	switch args := goValue(e.Args).(type) {
	case nil:
	case []any:
		req.Positional = args
	case map[string]any:
		req.Args, req.Positional = splitArgs(args)
	default:
		return req, fault.Errorf(fault.InvalidArgument, `field "args": expected an array or an object`)
	}
	if e.Timeout != nil {
		if *e.Timeout <= 0 || *e.Timeout > 1e9 {
			return req, fault.Errorf(fault.InvalidArgument, `field "timeout": expected seconds above 0`)
		}
		req.Timeout = time.Duration(*e.Timeout * float64(time.Second))
	}
	return req, nil
}

// splitArgs moves the members "1", "2", ... of an object to the positions they
// name, so that both kinds of argument can be sent at once.
func splitArgs(args map[string]any) (named map[string]any, positional []any) {
	for {
		key := strconv.Itoa(len(positional) + 1)
		v, ok := args[key]
		if !ok {
			return args, positional
		}
		positional = append(positional, v)
		delete(args, key)
	}
}

func postExecute(a *api, w http.ResponseWriter, r *http.Request) error {
	var body ExecuteRequest
	if err := decode(w, r, a.maxBody(), &body); err != nil {
		return err
	}
	req, err := body.request(r)
	if err != nil {
		return err
	}
	if wantsEvents(r) {
		return a.streamExecution(w, r, req)
	}
	result, err := a.kernel.Run(r.Context(), req)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, result)
}

// streamExecution starts a run that ends with its client and streams it.
func (a *api) streamExecution(w http.ResponseWriter, r *http.Request, req llmspell.Request) error {
	leave, err := a.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	run, err := a.kernel.Start(r.Context(), req)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/runs/"+run.ID())
	err = a.stream(w, r, run, 0)
	if r.Context().Err() != nil {
		run.Cancel()
	}
	return err
}

// wantsEvents reports whether the client asked for an event stream.
func wantsEvents(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		media, _, _ := strings.Cut(part, ";")
		if strings.TrimSpace(media) == "text/event-stream" {
			return true
		}
	}
	return false
}
