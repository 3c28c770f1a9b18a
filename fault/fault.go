// Package fault is the one error vocabulary of llmspell: a stable code, a message,
// a hint and a cause. Every contract raises it; every edge (HTTP status, exit
// code, Lua error table, Jupyter reply) maps it once.
package fault

import (
	"errors"
	"fmt"
)

// Code is a stable error code of the scripting and wire contracts.
type Code string

// The codes a host call may raise.
const (
	InvalidArgument       Code = "invalid_argument"
	ParseError            Code = "parse_error"
	ScriptSyntax          Code = "script_syntax"
	NotSerializable       Code = "not_serializable"
	InvalidUTF8           Code = "invalid_utf8"
	TooLarge              Code = "too_large"
	ReadOnly              Code = "read_only"
	NotFound              Code = "not_found"
	AlreadyExists         Code = "already_exists"
	Conflict              Code = "conflict"
	InvalidState          Code = "invalid_state"
	NotRestorable         Code = "not_restorable"
	SessionClosed         Code = "session_closed"
	PolicyDenied          Code = "policy_denied"
	Forbidden             Code = "forbidden"
	BudgetExceeded        Code = "budget_exceeded"
	QuotaExceeded         Code = "quota_exceeded"
	RateLimited           Code = "rate_limited"
	ComponentDisabled     Code = "component_disabled"
	Timeout               Code = "timeout"
	MemoryLimit           Code = "memory_limit"
	CallbackDepth         Code = "callback_depth"
	HandleLimit           Code = "handle_limit"
	Interrupted           Code = "interrupted"
	ExecutionTimeout      Code = "execution_timeout"
	InstructionLimit      Code = "instruction_limit"
	ProviderNotConfigured Code = "provider_not_configured"
	ProviderAuth          Code = "provider_auth"
	ProviderFailed        Code = "provider_error"
	ModelNotFound         Code = "model_not_found"
	ContextTooLong        Code = "context_too_long"
	ContentFiltered       Code = "content_filtered"
	MalformedResponse     Code = "malformed_response"
	ToolNotFound          Code = "tool_not_found"
	ToolFailed            Code = "tool_failed"
	Nondeterminism        Code = "nondeterminism"
	StorageUnavailable    Code = "storage_unavailable"
	Overloaded            Code = "overloaded"
	ShuttingDown          Code = "shutting_down"
	ScriptFailed          Code = "script_error"
	Internal              Code = "internal"
)

// Error is the one error vocabulary of host calls. It becomes the Lua error
// table (contract 0.5) and, at the edges, a problem body, an exit code or a
// Jupyter reply.
type Error struct {
	Code         Code
	Message      string
	Hint         string
	Details      map[string]any
	Retryable    bool
	RetryAfterMS int64
	Cause        error
}

// Errorf returns an Error with a formatted message; %w sets Cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Cause: errors.Unwrap(err)}
}

// WithHint returns e with the hint set.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithDetail returns e with one detail added.
func (e *Error) WithDetail(key string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[key] = value
	return e
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of the first Error in err's chain, Internal if none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Is makes errors.Is compare codes: errors.Is(err, &Error{Code: NotFound}).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}
