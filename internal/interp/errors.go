package interp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/lua"
)

// Error is a failed execution.
type Error struct {
	Code       string // fault code
	Message    string
	Hint       string
	Details    map[string]any
	Traceback  []string
	Chunk      string
	Line, Col  int
	Near       string
	Incomplete bool
	Limit      bool // a limit or an interrupt, not the script
	Cause      error
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// syntaxError maps what lua.Compile returned.
func syntaxError(err error) *Error {
	s, ok := errors.AsType[*lua.SyntaxError](err)
	if !ok {
		return &Error{Code: string(fault.ScriptSyntax), Message: err.Error(), Cause: err}
	}
	message := s.Error()
	if position := fmt.Sprintf("%s:%d:", s.Chunk, s.Line); strings.HasPrefix(message, position) {
		// The language has no columns in its messages; people want them.
		message = fmt.Sprintf("%s%d:%s", position, s.Col, message[len(position):])
	}
	return &Error{
		Code: string(fault.ScriptSyntax), Message: message, Chunk: s.Chunk, Line: s.Line, Col: s.Col,
		Near: s.Near, Incomplete: s.Incomplete, Cause: err,
	}
}

// scriptError maps an error that ended the main fiber.
func (e *execution) scriptError(err *lua.Error) *Error {
	if err.Stop != lua.StopNone {
		return e.stopError(err)
	}
	raised := e.i.b.Error(err.Value, err.Message)
	f := raised.Fault
	where, traceback := e.i.b.ErrorWhere(err.Value)
	if traceback == "" {
		traceback = err.Traceback
	}
	out := &Error{
		Code: string(f.Code), Message: f.Message, Hint: f.Hint, Details: f.Details,
		Traceback: tracebackLines(traceback), Cause: raised,
	}
	if !raised.Plain {
		out.Cause = f
	}
	if where == "" {
		where = f.Message
	}
	out.Chunk, out.Line = position(where)
	if out.Line == 0 {
		out.Chunk, out.Line = tracebackPosition(out.Traceback)
	}
	return out
}

// stopError maps a limit or an interrupt.
func (e *execution) stopError(err *lua.Error) *Error {
	out := &Error{Limit: true, Traceback: tracebackLines(err.Traceback)}
	out.Chunk, out.Line = tracebackPosition(out.Traceback)
	switch err.Stop {
	case lua.StopDeadline:
		return out.timeout()
	case lua.StopFuel:
		out.Code, out.Message = string(fault.InstructionLimit), "the execution used up its "+strconv.FormatInt(e.r.Fuel, 10)+" instructions"
		out.Hint = "[runtime.security] max_instructions is the limit"
	case lua.StopMemory:
		out.Code, out.Message = string(fault.MemoryLimit), "the execution was ended after asking for too much memory nine times"
		out.Hint = "[runtime.security] max_memory_bytes is the limit"
	default:
		return out.interrupted(e.ctx)
	}
	return out
}

func (e *Error) timeout() *Error {
	e.Limit, e.Code, e.Message = true, string(fault.ExecutionTimeout), "the execution exceeded its time limit"
	e.Hint = "[runtime] script_timeout_seconds and the request's timeout are the limit"
	return e
}

// interrupted tells an interrupt from the end of the caller's time.
func (e *Error) interrupted(ctx context.Context) *Error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return e.timeout()
	}
	e.Limit, e.Code, e.Message = true, string(fault.Interrupted), "the execution was interrupted"
	return e
}

// maxTraceback bounds what of a traceback is reported.
const maxTraceback = 64

// tracebackLines splits a traceback into its levels, without the frame that
// holds the execution itself.
func tracebackLines(tb string) []string {
	var out []string
	for line := range strings.Lines(tb) {
		line = strings.TrimSpace(line)
		if line == "" || line == "stack traceback:" || strings.Contains(line, "'"+mainName+"'") {
			continue
		}
		if out = append(out, line); len(out) == maxTraceback {
			break
		}
	}
	return out
}

var placePattern = regexp.MustCompile(`^([^\n]{1,200}?):(\d{1,9})(?:: |:?$)`)

// position reads the "chunk:line" that text begins with.
func position(text string) (chunk string, line int) {
	first, _, _ := strings.Cut(text, "\n")
	m := placePattern.FindStringSubmatch(first)
	if m == nil {
		return "", 0
	}
	line, _ = strconv.Atoi(m[2])
	return m[1], line
}

// tracebackPosition is the place of the first level in Lua code.
func tracebackPosition(lines []string) (chunk string, line int) {
	for _, l := range lines {
		place, _, found := strings.Cut(l, ": in ")
		if !found {
			continue
		}
		if chunk, line := position(place); line > 0 {
			return chunk, line
		}
	}
	return "", 0
}
