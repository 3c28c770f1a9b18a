package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/client"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/daemon"
)

// Exit codes (kernel contract 1.2).
const (
	exitOK       = 0
	exitFailure  = 1
	exitUsage    = 2
	exitNotFound = 3
	exitRefused  = 4
	exitDeadline = 5
	exitConfig   = 78
)

// exitError gives an error its exit code. silent: everything was already said.
type exitError struct {
	code   int
	err    error
	hint   string
	silent bool
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error                   { return &exitError{code: exitUsage, err: err} }
func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// status ends a command with a code and no further message.
func status(code int) error { return &exitError{code: code, silent: true} }

// complaint is an error as a person reads it.
type complaint struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Where   string `json:"where,omitempty"` // chunk:line of a script
	Hint    string `json:"hint,omitempty"`
	exit    int
}

// explain finds code, message, hint and exit code of any error.
func explain(err error) complaint {
	c := complaint{Code: "failure", Message: err.Error(), exit: exitFailure}
	given, ok := errors.AsType[*exitError](err)
	if e := given; ok {
		c.exit, c.Hint = e.code, e.hint
		if e.code == exitUsage {
			c.Code = "usage"
		}
	}
	if e, ok := errors.AsType[*config.Error](err); ok {
		return complaint{Code: "invalid_configuration", Message: e.Summary() + "\n" + e.Error(), exit: exitConfig}
	}
	if e, ok := errors.AsType[*llmspell.ScriptError](err); ok {
		return complaint{Code: string(e.Code), Message: e.Message, Where: where(e.Message, e.Chunk, e.Line), Hint: e.Hint, exit: exitFailure}
	}
	if e, ok := errors.AsType[*llmspell.LimitError](err); ok {
		return complaint{Code: string(e.Code), Message: e.Message, Hint: e.Hint, exit: exitOf(e.Code)}
	}
	if e, ok := errors.AsType[*client.Problem](err); ok {
		exit := exitOf(fault.Code(e.Code))
		if e.RunID != "" && exit == exitRefused {
			exit = exitFailure // the script raised it
		}
		return complaint{Code: e.Code, Message: e.Detail, Hint: e.Hint, exit: exit}
	}
	if e, ok := errors.AsType[*client.ConnectError](err); ok {
		c.Code, c.Message, c.Hint = "connection_refused", "Connection refused: "+e.Addr, `no kernel is listening; start one with "llmspell kernel start --daemon" and see its log`
		return c
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		c.Code, c.Hint = "untrusted_certificate", "trust a private CA with --ca-file; the certificate must name the host of the address"
		return c
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		c.Code, c.Hint = string(e.Code), e.Hint
		if given == nil {
			c.exit = exitOf(e.Code)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		c.Code = "permission_denied"
	}
	return c
}

// where is the position of a failed script, "" if it is not known or the
// message says it.
func where(message, chunk string, line int) string {
	position := fmt.Sprintf("%s:%d", chunk, line)
	if line == 0 || strings.Contains(message, position+":") {
		return ""
	}
	return position
}

// exitOf maps a code of the kernel to an exit code.
func exitOf(code fault.Code) int {
	switch code {
	case fault.NotFound, fault.ToolNotFound:
		return exitNotFound
	case "unauthorized", fault.Forbidden, fault.RateLimited, fault.BudgetExceeded, fault.QuotaExceeded, fault.PolicyDenied,
		"origin_not_allowed", "host_not_allowed":
		return exitRefused
	case fault.ExecutionTimeout, fault.Timeout:
		return exitDeadline
	}
	return exitFailure
}

// report prints an error and returns the exit code of the command.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	if s, ok := errors.AsType[*daemon.Stopped](err); ok {
		return s.ExitCode()
	}
	if e, ok := errors.AsType[*exitError](err); ok && e.silent {
		return e.code
	}
	c := explain(err)
	if !a.started && c.exit == exitFailure { // cobra: unknown command, wrong arguments
		c.exit, c.Code = exitUsage, "usage"
	}
	if a.json() || !a.started && asksJSON(a.env.Args) {
		a.printJSON(map[string]complaint{"error": c})
		return c.exit
	}
	fmt.Fprint(a.env.Stderr, complaintText(c))
	return c.exit
}

// asksJSON looks for the output flag in a command line whose flags could not be
// parsed.
func asksJSON(args []string) bool {
	for i, arg := range args {
		name, value, inline := strings.Cut(arg, "=")
		switch name {
		case "--":
			return false
		case "-o", "--output", "--format":
			if !inline && i+1 < len(args) {
				value = args[i+1]
			}
			if value == "json" || value == "pretty" {
				return true
			}
		case "-ojson", "-opretty":
			return true
		}
	}
	return false
}

// stopCause is the signal that ended ctx, else err.
func stopCause(ctx context.Context, err error) error {
	if s, ok := errors.AsType[*daemon.Stopped](context.Cause(ctx)); ok {
		return s
	}
	return err
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	return data, err
}

// complaintText is an error as stderr shows it.
func complaintText(c complaint) string {
	text := "Error: " + c.Message
	if c.Where != "" {
		text += " (at " + c.Where + ")"
	}
	text += "\n"
	if c.Hint != "" {
		text += "Hint: " + c.Hint + "\n"
	}
	return text
}
