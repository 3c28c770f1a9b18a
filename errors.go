package llmspell

import (
	"context"
	"errors"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/interp"
)

// Errors of the kernel, for errors.Is.
var (
	ErrClosed       = &fault.Error{Code: fault.SessionClosed, Message: "kernel or session is closed"}
	ErrNotFound     = &fault.Error{Code: fault.NotFound, Message: "not found"}
	ErrShuttingDown = &fault.Error{Code: fault.ShuttingDown, Message: "kernel is shutting down", Retryable: true, RetryAfterMS: 1000}

	// ErrEventsExpired is the answer for a run, or for events of a run, that are
	// no longer kept.
	ErrEventsExpired = &fault.Error{Code: "events_expired", Message: "the run's events are no longer kept"}
)

// ScriptError is a script that failed: a syntax error, an uncaught Lua error or
// an uncaught error of a host call. Code tells which.
type ScriptError struct {
	Code       fault.Code
	Message    string
	Hint       string
	Details    map[string]any
	Traceback  []string
	Chunk      string // printable chunk name
	Line       int    // 0 = unknown
	Column     int    // of a syntax error
	Near       string // offending token of a syntax error
	Incomplete bool   // the source ends too early: a REPL reads another line
	Output     string
	RunID      string
	Cause      error // the *fault.Error of a host call
}

func (e *ScriptError) Error() string { return e.Message }
func (e *ScriptError) Unwrap() error { return e.Cause }

// LimitError is an execution ended by a limit or an interrupt: Code is
// execution_timeout, instruction_limit, memory_limit or interrupted. An
// interrupt by a context unwraps to the context's error, the end of the
// execution time to context.DeadlineExceeded.
type LimitError struct {
	Code    fault.Code
	Message string
	Hint    string
	Output  string
	RunID   string
	Cause   error
}

func (e *LimitError) Error() string { return e.Message }
func (e *LimitError) Unwrap() error { return e.Cause }

// Failure is the data of the events run.failed and run.cancelled: the run's
// error. It marshals to a problem object without status, which only HTTP knows.
type Failure struct{ Err error }

func (f Failure) Error() string { return f.Err.Error() }
func (f Failure) Unwrap() error { return f.Err }

// MarshalJSON gives the problem object.
func (f Failure) MarshalJSON() ([]byte, error) {
	type problem struct {
		Type      string         `json:"type"`
		Detail    string         `json:"detail"`
		Code      fault.Code     `json:"code"`
		Hint      string         `json:"hint,omitempty"`
		Details   map[string]any `json:"details,omitempty"`
		Traceback []string       `json:"traceback,omitempty"`
		Output    string         `json:"output,omitempty"`
		Line      int            `json:"line,omitempty"`
		Column    int            `json:"column,omitempty"`
		RunID     string         `json:"run_id,omitempty"`
	}
	p := problem{Code: fault.Internal, Detail: "internal error; the kernel's log has the details"}
	if e, ok := errors.AsType[*ScriptError](f.Err); ok {
		p = problem{Code: e.Code, Detail: e.Message, Hint: e.Hint, Details: e.Details, Traceback: e.Traceback,
			Output: e.Output, Line: e.Line, Column: e.Column, RunID: e.RunID}
	} else if e, ok := errors.AsType[*LimitError](f.Err); ok {
		p = problem{Code: e.Code, Detail: e.Message, Hint: e.Hint, Output: e.Output, RunID: e.RunID}
	} else if e, ok := errors.AsType[*fault.Error](f.Err); ok {
		p = problem{Code: e.Code, Detail: e.Message, Hint: e.Hint, Details: e.Details}
	}
	p.Type = "urn:llmspell:error:" + string(p.Code)
	return marshal(p)
}

// codeOf is the code of any error the kernel returns.
func codeOf(err error) fault.Code {
	if e, ok := errors.AsType[*ScriptError](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*LimitError](err); ok {
		return e.Code
	}
	return fault.CodeOf(err)
}

// errorOf turns what an interpreter returned into the kernel's error. stop is
// why the run was told to end, nil if it was not.
func errorOf(err error, runID, output string, stop error) error {
	e, ok := errors.AsType[*interp.Error](err)
	switch {
	case !ok && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return interruptedError(runID, output, stop)
	case !ok:
		return err
	case fault.Code(e.Code) == fault.Interrupted:
		return interruptedError(runID, output, stop)
	case e.Limit:
		l := &LimitError{Code: fault.Code(e.Code), Message: e.Message, Hint: e.Hint, Output: output, RunID: runID, Cause: e.Cause}
		if l.Code == fault.ExecutionTimeout {
			l.Cause = context.DeadlineExceeded
		}
		return l
	}
	return &ScriptError{
		Code: fault.Code(e.Code), Message: e.Message, Hint: e.Hint, Details: e.Details, Traceback: e.Traceback,
		Chunk: e.Chunk, Line: e.Line, Column: e.Col, Near: e.Near, Incomplete: e.Incomplete,
		Output: output, RunID: runID, Cause: e.Cause,
	}
}

// interruptedError is the end of a run that was told to end.
func interruptedError(runID, output string, stop error) *LimitError {
	e := &LimitError{Code: fault.Interrupted, Message: "execution interrupted", Output: output, RunID: runID, Cause: stop}
	if f, ok := errors.AsType[*fault.Error](stop); ok {
		e.Message, e.Hint = f.Message, f.Hint
	}
	return e
}

// invalid is an invalid_argument error about a request.
func invalid(format string, args ...any) *fault.Error {
	return fault.Errorf(fault.InvalidArgument, strings.TrimSpace(format), args...)
}
