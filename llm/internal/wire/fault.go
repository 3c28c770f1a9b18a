package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/llmspell/llmspell/fault"
)

// Fault maps err, which an SDK returned, to the error vocabulary. It knows the
// answer's status and body when the exchange got that far.
func (x *Exchange) Fault(ctx context.Context, err error) *fault.Error {
	switch {
	case ctx.Err() != nil:
		return x.cancelled(ctx)
	case x.status >= 400:
		return x.answer(x.status, x.body)
	case errors.Is(err, errTooLarge), errors.Is(err, bufio.ErrTooLong):
		return x.fault(fault.MalformedResponse, "the answer of "+x.Provider+" exceeds the size limit", err)
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		f := x.fault(fault.Timeout, x.Provider+" did not answer in time", err)
		f.Retryable = true
		return f
	case isTransport(err):
		f := x.fault(fault.ProviderFailed, fmt.Sprintf("cannot reach %s: %s", x.Provider, transportText(err)), err)
		f.Retryable = true
		return f
	}
	return x.fault(fault.MalformedResponse, x.Provider+" sent an answer that cannot be decoded", err)
}

// StreamFault maps an error object that arrived inside a stream, after status
// 200; body is the JSON the server sent.
func (x *Exchange) StreamFault(body []byte) *fault.Error { return x.answer(0, body) }

// Truncated is the error of a stream that ended before its last event.
func (x *Exchange) Truncated() *fault.Error {
	f := x.fault(fault.ProviderFailed, x.Provider+" ended the stream before the reply was complete", nil)
	f.Retryable = true
	return f
}

// Malformed is the error of an answer that breaks the protocol.
func (x *Exchange) Malformed(format string, args ...any) *fault.Error {
	return x.fault(fault.MalformedResponse, x.Provider+": "+fmt.Sprintf(format, args...), nil)
}

// Invalid is the error of a request the provider cannot express.
func (x *Exchange) Invalid(format string, args ...any) *fault.Error {
	return x.fault(fault.InvalidArgument, x.Provider+": "+fmt.Sprintf(format, args...), nil)
}

func (x *Exchange) cancelled(ctx context.Context) *fault.Error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return x.fault(fault.Timeout, x.Provider+" did not answer within the time limit", ctx.Err())
	}
	return x.fault(fault.Interrupted, "the call to "+x.Provider+" was cancelled", ctx.Err())
}

func (x *Exchange) fault(code fault.Code, message string, cause error) *fault.Error {
	f := &fault.Error{Code: code, Message: x.scrub(message), Cause: cause}
	// A transport error may quote a URL; only the sentinel errors are safe to hand on.
	if cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		f.Cause = errors.New(x.scrub(cause.Error()))
	}
	f.WithDetail("provider", x.Provider)
	if x.Model != "" {
		f.WithDetail("model", x.Model)
	}
	if x.status != 0 {
		f.WithDetail("status", int64(x.status))
	}
	if id := x.RequestID(); id != "" {
		f.WithDetail("request_id", id)
	}
	return f
}

func (x *Exchange) scrub(s string) string {
	if x.Key == "" {
		return s
	}
	return strings.ReplaceAll(s, x.Key, "[redacted]")
}

// problem is the error object of the OpenAI and Anthropic wire formats.
type problem struct {
	Message string
	Code    string
	Type    string
}

func parseProblem(body []byte) problem {
	var doc struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &doc) != nil {
		return problem{}
	}
	var inner struct {
		Message string `json:"message"`
		Code    any    `json:"code"`
		Type    string `json:"type"`
	}
	if json.Unmarshal(doc.Error, &inner) != nil {
		var text string
		_ = json.Unmarshal(doc.Error, &text)
		return problem{Message: firstNonEmpty(text, doc.Message)}
	}
	code, _ := inner.Code.(string)
	return problem{Message: inner.Message, Code: code, Type: inner.Type}
}

// answer maps an error answer; status 0 = the error came inside a stream.
func (x *Exchange) answer(status int, body []byte) *fault.Error {
	p := parseProblem(body)
	code, retryable := classify(status, p)
	text := p.Message
	if text == "" {
		text = firstNonEmpty(http.StatusText(status), "unknown error")
	}
	// The text of an authentication failure quotes part of the key.
	if code == fault.ProviderAuth {
		text = "the API key was refused"
	}
	message := fmt.Sprintf("%s: %s", x.Provider, truncate(text, 500))
	if status != 0 {
		message = fmt.Sprintf("%s answered %d: %s", x.Provider, status, truncate(text, 500))
	}
	f := x.fault(code, message, nil)
	f.Retryable = retryable
	f.RetryAfterMS = RetryAfter(x.header, time.Now).Milliseconds()
	switch {
	case code == fault.ProviderAuth:
		f.Hint = "check the API key of provider " + x.Provider
	case code == fault.ModelNotFound:
		f.Hint = "Provider.models() lists what the provider offers"
	case status == http.StatusNotFound:
		f.Hint = "check base_url; it must end where the API's paths begin, often in /v1"
	case p.Code == "insufficient_quota":
		f.Hint = "the account has no quota left"
	}
	return f
}

func classify(status int, p problem) (code fault.Code, retryable bool) {
	text := strings.ToLower(p.Message)
	switch {
	case isContextLength(p, text):
		return fault.ContextTooLong, false
	case p.Code == "content_filter", p.Code == "content_policy_violation", p.Code == "moderation_blocked":
		return fault.ContentFiltered, false
	case status == 401, status == 403, p.Type == "authentication_error", p.Type == "permission_error":
		return fault.ProviderAuth, false
	case p.Code == "insufficient_quota", p.Type == "billing_error":
		return fault.RateLimited, false
	case status == 429, p.Type == "rate_limit_error", p.Code == "rate_limit_exceeded":
		return fault.RateLimited, true
	case p.Code == "model_not_found", p.Type == "not_found_error", status == 404 && strings.Contains(text, "model"):
		return fault.ModelNotFound, false
	case status == 408, p.Type == "timeout_error":
		return fault.Timeout, true
	case status >= 500, status == 0 && p.Type != "invalid_request_error", status == 409, status == 425:
		return fault.ProviderFailed, true
	case status == 404, status == 405:
		return fault.ProviderFailed, false
	}
	return fault.InvalidArgument, false
}

func isContextLength(p problem, text string) bool {
	if p.Code == "context_length_exceeded" || p.Type == "exceed_context_size_error" {
		return true
	}
	for _, phrase := range []string{"maximum context length", "context window", "available context size", "prompt is too long", "exceed context limit"} {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}

// RetryAfter reads the waiting time a server asks for: retry-after-ms, then
// Retry-After in seconds or as a date. 0 = none; at most an hour.
func RetryAfter(h http.Header, now func() time.Time) time.Duration {
	const most = time.Hour
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return time.Duration(min(ms, float64(most.Milliseconds())) * float64(time.Millisecond))
	}
	value := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
		return time.Duration(min(s, most.Seconds()) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(at.Sub(now()), most))
	}
	return 0
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func isTransport(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// transportText leaves out the URL, which may hold credentials.
func transportText(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err.Error()
	}
	return err.Error()
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
