package server

import (
	"net/http"

	"github.com/llmspell/llmspell"
)

// route is one endpoint with its whole policy. What is not declared here does
// not exist: the mux and the OpenAPI document are made from this table.
type route struct {
	Method, Path string
	Access       access
	Optional     bool // open, but a token is checked and used when present
	// OpenOnLoopback drops Access to open while the listener is loopback only.
	OpenOnLoopback bool
	Probe          bool // answers while the kernel starts
	Limited        bool // counts against the client's rate limit
	Stream         bool // may answer as an event stream; sets its own write deadlines
	Body           bool // takes a JSON body, bounded by max_message_size_mb

	Summary  string
	Request  any // zero value of the body's type
	Status   int // of success
	Response any // zero value of the answer's type; nil = no JSON body
	Handle   func(*api, http.ResponseWriter, *http.Request) error
}

// reserved are path prefixes that later versions bring.
var reserved = []string{"/v1/ws", "/v1/agents", "/v1/memory", "/v1/rag", "/v1/providers", "/v1/models", "/v1/templates", "/v1/apps", "/v1/tenants", "/api"}

var routes = []route{
	{Method: "GET", Path: "/livez", Access: accessOpen, Probe: true, Status: 200, Summary: "The process answers", Handle: getLivez},
	{Method: "GET", Path: "/readyz", Access: accessOpen, Probe: true, Status: 200, Summary: "The kernel takes work; 503 with one reason a line", Handle: getReadyz},
	{Method: "GET", Path: "/health", Access: accessOpen, Optional: true, Probe: true, Status: 200, Response: Health{}, Summary: "Health; the full body with a token", Handle: getHealth},
	{Method: "GET", Path: "/metrics", Access: accessRead, OpenOnLoopback: true, Probe: true, Status: 200, Summary: "Prometheus metrics", Handle: getMetrics},
	{Method: "GET", Path: "/openapi.json", Access: accessRead, Limited: true, Status: 200, Summary: "This document", Handle: getOpenAPI},
	{Method: "GET", Path: "/v1/version", Access: accessRead, Limited: true, Status: 200, Summary: "The running build", Handle: getVersion},
	{Method: "GET", Path: "/v1/stats", Access: accessRead, Limited: true, Status: 200, Response: Stats{}, Summary: "Statistics", Handle: getStats},

	{Method: "POST", Path: "/execute", Access: accessExecute, Limited: true, Stream: true, Body: true, Request: ExecuteRequest{}, Status: 200, Response: ExecuteResponse{}, Summary: "Run code and wait; with Accept: text/event-stream, stream its events", Handle: postExecute},
	{Method: "POST", Path: "/v1/sessions", Access: accessExecute, Limited: true, Body: true, Request: SessionRequest{}, Status: 201, Response: llmspell.SessionInfo{}, Summary: "Open a session", Handle: postSession},
	{Method: "GET", Path: "/v1/sessions", Access: accessRead, Limited: true, Status: 200, Response: Page[llmspell.SessionInfo]{}, Summary: "List sessions", Handle: listSessions},
	{Method: "GET", Path: "/v1/sessions/{id}", Access: accessRead, Limited: true, Status: 200, Response: llmspell.SessionInfo{}, Summary: "One session", Handle: getSession},
	{Method: "DELETE", Path: "/v1/sessions/{id}", Access: accessExecute, Limited: true, Status: 204, Summary: "End a session", Handle: deleteSession},
	{Method: "POST", Path: "/v1/sessions/{id}/interrupt", Access: accessExecute, Limited: true, Status: 202, Summary: "Interrupt what the session runs", Handle: interruptSession},
	{Method: "POST", Path: "/v1/sessions/{id}/complete", Access: accessExecute, Limited: true, Body: true, Request: CompleteRequest{}, Status: 200, Response: llmspell.Completion{}, Summary: "Complete code at a cursor", Handle: completeSession},

	{Method: "POST", Path: "/v1/runs", Access: accessExecute, Limited: true, Body: true, Request: ExecuteRequest{}, Status: 202, Response: RunResponse{}, Summary: "Start a run and return at once", Handle: postRun},
	{Method: "GET", Path: "/v1/runs", Access: accessRead, Limited: true, Status: 200, Response: Page[RunResponse]{}, Summary: "List runs", Handle: listRuns},
	{Method: "GET", Path: "/v1/runs/{id}", Access: accessRead, Limited: true, Status: 200, Response: RunResponse{}, Summary: "One run", Handle: getRun},
	{Method: "GET", Path: "/v1/runs/{id}/events", Access: accessRead, Limited: true, Stream: true, Status: 200, Summary: "Server-sent events of a run; Last-Event-ID or ?after= resumes", Handle: runEvents},
	{Method: "POST", Path: "/v1/runs/{id}/cancel", Access: accessExecute, Limited: true, Status: 202, Summary: "Cancel a run", Handle: cancelRun},
	{Method: "POST", Path: "/v1/runs/{id}/input", Access: accessExecute, Limited: true, Body: true, Request: InputRequest{}, Status: 202, Summary: "Answer a pending input request", Handle: inputRun},

	{Method: "GET", Path: "/v1/tools", Access: accessRead, Limited: true, Status: 200, Response: Page[ToolInfo]{}, Summary: "List tools", Handle: listTools},
	{Method: "GET", Path: "/v1/tools/{name}", Access: accessRead, Limited: true, Status: 200, Response: ToolInfo{}, Summary: "One tool", Handle: getTool},
	{Method: "POST", Path: "/v1/tools/{name}/invoke", Access: accessExecute, Limited: true, Body: true, Request: InvokeRequest{}, Status: 200, Response: InvokeResponse{}, Summary: "Call a tool", Handle: invokeTool},

	{Method: "GET", Path: "/v1/state/{scope}", Access: accessRead, Limited: true, Status: 200, Response: Page[llmspell.StateKey]{}, Summary: "List state keys by ?prefix", Handle: listState},
	{Method: "GET", Path: "/v1/state/{scope}/{key...}", Access: accessRead, Limited: true, Status: 200, Summary: "One state value, its version as ETag", Handle: getState},
	{Method: "PUT", Path: "/v1/state/{scope}/{key...}", Access: accessExecute, Limited: true, Body: true, Status: 200, Response: StateEntry{}, Summary: "Set a state value; If-Match guards the version", Handle: putState},
	{Method: "DELETE", Path: "/v1/state/{scope}/{key...}", Access: accessExecute, Limited: true, Status: 204, Summary: "Delete a state value", Handle: deleteState},

	{Method: "GET", Path: "/v1/config", Access: accessAdmin, Limited: true, Status: 200, Summary: "Effective configuration with origins, secrets redacted", Handle: getConfig},
	{Method: "GET", Path: "/v1/config/schema", Access: accessAdmin, Limited: true, Status: 200, Summary: "JSON Schema of the configuration", Handle: getConfigSchema},
	{Method: "GET", Path: "/v1/tokens", Access: accessAdmin, Limited: true, Status: 200, Response: Page[llmspell.TokenInfo]{}, Summary: "List tokens", Handle: listTokens},
	{Method: "POST", Path: "/v1/tokens", Access: accessAdmin, Limited: true, Body: true, Request: TokenRequest{}, Status: 201, Response: TokenResponse{}, Summary: "Issue a token; its secret is in this answer only", Handle: postToken},
	{Method: "DELETE", Path: "/v1/tokens/{id}", Access: accessAdmin, Limited: true, Status: 204, Summary: "Revoke a token", Handle: deleteToken},
}
