package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/fault"
)

// Codes that only the wire knows.
const (
	badJSON              fault.Code = "bad_json"
	unknownField         fault.Code = "unknown_field"
	unauthorized         fault.Code = "unauthorized"
	originNotAllowed     fault.Code = "origin_not_allowed"
	hostNotAllowed       fault.Code = "host_not_allowed"
	methodNotAllowed     fault.Code = "method_not_allowed"
	messageTooLarge      fault.Code = "message_too_large"
	unsupportedMediaType fault.Code = "unsupported_media_type"
	eventsExpired        fault.Code = "events_expired"
)

// statuses maps codes to HTTP statuses; a code without an entry is a failed
// script (422).
var statuses = map[fault.Code]int{
	badJSON: 400, unknownField: 400, fault.InvalidArgument: 400,
	unauthorized: 401, fault.BudgetExceeded: 402,
	fault.Forbidden: 403, originNotAllowed: 403,
	fault.NotFound: 404, fault.ToolNotFound: 404, fault.ComponentDisabled: 404,
	methodNotAllowed: 405,
	fault.Conflict:   409, fault.Interrupted: 409, fault.SessionClosed: 409, fault.AlreadyExists: 409, fault.InvalidState: 409,
	eventsExpired: 410, messageTooLarge: 413, fault.TooLarge: 413, unsupportedMediaType: 415, hostNotAllowed: 421,
	fault.RateLimited: 429, fault.QuotaExceeded: 429,
	fault.Internal: 500, fault.ProviderFailed: 502,
	fault.Overloaded: 503, fault.ShuttingDown: 503, fault.StorageUnavailable: 503,
	fault.ExecutionTimeout: 504,
}

// statusOf returns the HTTP status of a code.
func statusOf(code fault.Code) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusUnprocessableEntity
}

// Problem is an error body: application/problem+json.
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Code      fault.Code     `json:"code"`
	Hint      string         `json:"hint,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	Details   map[string]any `json:"details,omitempty"`
	Traceback []string       `json:"traceback,omitempty"`
	Output    string         `json:"output,omitempty"`
	Line      int            `json:"line,omitempty"`
	Column    int            `json:"column,omitempty"`
	RunID     string         `json:"run_id,omitempty"`

	retryAfterMS int64
}

// problemOf describes any error of the kernel. An error of no known kind is
// "internal" and keeps its text to itself.
func problemOf(err error) Problem {
	p := Problem{}
	var f *fault.Error
	var s *llmspell.ScriptError
	var l *llmspell.LimitError
	switch {
	case errors.As(err, &s):
		p = Problem{Code: s.Code, Detail: s.Message, Hint: s.Hint, Details: s.Details, Traceback: s.Traceback,
			Output: s.Output, Line: s.Line, Column: s.Column, RunID: s.RunID}
	case errors.As(err, &l):
		p = Problem{Code: l.Code, Detail: l.Message, Hint: l.Hint, Output: l.Output, RunID: l.RunID}
	case errors.As(err, &f):
		p = Problem{Code: f.Code, Detail: f.Message, Hint: f.Hint, Details: f.Details, retryAfterMS: f.RetryAfterMS}
	case errors.Is(err, context.DeadlineExceeded):
		p = Problem{Code: fault.ExecutionTimeout, Detail: "the request's deadline passed"}
	case errors.Is(err, context.Canceled):
		p = Problem{Code: fault.Interrupted, Detail: "the request was cancelled"}
	default:
		p = Problem{Code: fault.Internal, Detail: "internal error; the kernel's log has the details"}
	}
	p.Status = statusOf(p.Code)
	p.Title = http.StatusText(p.Status)
	p.Type = "urn:llmspell:error:" + string(p.Code)
	return p
}

// WriteProblem answers with the status and body of any kernel error (kernel
// contract 5.1).
func WriteProblem(w http.ResponseWriter, err error) {
	writeProblem(w, problemOf(err))
}

func writeProblem(w http.ResponseWriter, p Problem) {
	h := w.Header()
	if p.RequestID == "" {
		p.RequestID = h.Get("X-Request-Id")
	}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="llmspell"`)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", strconv.FormatInt(max(1, (p.retryAfterMS+999)/1000), 10))
		}
	}
	body, err := json.Marshal(p)
	if err != nil { // Details that do not marshal
		p.Details = nil
		body, _ = json.Marshal(p)
	}
	writeBody(w, p.Status, "application/problem+json", body)
}

// writeBody answers with a whole body.
func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}
