package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// ExecuteRequest is one execution.
type ExecuteRequest struct {
	Code      string   `json:"code"`
	SessionID string   `json:"session_id,omitempty"`
	Args      any      `json:"args,omitempty"`
	Timeout   *float64 `json:"timeout,omitempty"` // seconds
}

// ExecuteResponse is its result. Raw is the body as it came.
type ExecuteResponse struct {
	Result          string          `json:"result"`
	Value           json.RawMessage `json:"value"`
	ValueError      string          `json:"value_error,omitempty"`
	Output          string          `json:"output"`
	OutputTruncated bool            `json:"output_truncated,omitempty"`
	SessionID       string          `json:"session_id"`
	RunID           string          `json:"run_id"`
	Usage           json.RawMessage `json:"usage"`
	DurationMS      float64         `json:"duration_ms"`
	Raw             json.RawMessage `json:"-"`
}

// Execute runs code and waits.
func (c *Client) Execute(ctx context.Context, r ExecuteRequest) (ExecuteResponse, error) {
	var raw json.RawMessage
	if err := c.do(ctx, http.MethodPost, "/execute", r, &raw); err != nil {
		return ExecuteResponse{}, err
	}
	return decodeExecute(raw)
}

func decodeExecute(raw json.RawMessage) (ExecuteResponse, error) {
	out := ExecuteResponse{Raw: raw}
	return out, json.Unmarshal(raw, &out)
}

// Run describes a run started with StartRun.
type Run struct {
	RunID     string          `json:"run_id"`
	SessionID string          `json:"session_id,omitempty"`
	Status    string          `json:"status"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *Problem        `json:"error,omitempty"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   time.Time       `json:"ended_at"`
}

// StartRun starts an execution and returns at once.
func (c *Client) StartRun(ctx context.Context, r ExecuteRequest) (Run, error) {
	var run Run
	return run, c.do(ctx, http.MethodPost, "/v1/runs", r, &run)
}

// CancelRun interrupts a run.
func (c *Client) CancelRun(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodPost, "/v1/runs/"+url.PathEscape(id)+"/cancel", nil, nil)
}

// Session describes a session.
type Session struct {
	ID             string    `json:"id"`
	Name           string    `json:"name,omitempty"`
	Durable        bool      `json:"durable"`
	State          string    `json:"state"`
	CreatedAt      time.Time `json:"created_at"`
	LastActivity   time.Time `json:"last_activity"`
	ExecutionCount int64     `json:"execution_count"`
}

// CreateSession opens a session.
func (c *Client) CreateSession(ctx context.Context, name string) (Session, error) {
	var s Session
	return s, c.do(ctx, http.MethodPost, "/v1/sessions", map[string]string{"name": name}, &s)
}

// GetSession returns one session.
func (c *Client) GetSession(ctx context.Context, id string) (Session, error) {
	var s Session
	return s, c.do(ctx, http.MethodGet, "/v1/sessions/"+url.PathEscape(id), nil, &s)
}

// DeleteSession ends a session.
func (c *Client) DeleteSession(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/v1/sessions/"+url.PathEscape(id), nil, nil)
}

// InterruptSession ends what the session runs.
func (c *Client) InterruptSession(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodPost, "/v1/sessions/"+url.PathEscape(id)+"/interrupt", nil, nil)
}

// Completion is the answer of Complete; Start and End are code points.
type Completion struct {
	Matches []string `json:"matches"`
	Start   int      `json:"start"`
	End     int      `json:"end"`
}

// Complete returns completions at the cursor (in code points).
func (c *Client) Complete(ctx context.Context, session, code string, cursor int) (Completion, error) {
	var out Completion
	body := map[string]any{"code": code, "cursor": cursor}
	return out, c.do(ctx, http.MethodPost, "/v1/sessions/"+url.PathEscape(session)+"/complete", body, &out)
}

// InvokeTool calls a tool with params, a JSON object.
func (c *Client) InvokeTool(ctx context.Context, name string, params json.RawMessage) (json.RawMessage, error) {
	var raw json.RawMessage
	body := map[string]any{"params": params}
	return raw, c.do(ctx, http.MethodPost, "/v1/tools/"+url.PathEscape(name)+"/invoke", body, &raw)
}
