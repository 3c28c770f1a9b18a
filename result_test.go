package llmspell

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/interp"
)

func TestResultJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result Result
		want   string
	}{
		"number": {
			Result{Value: json.RawMessage("42"), Text: "42", RunID: "r", Duration: 1234567 * time.Nanosecond},
			`{"result":"42","value":42,"output":"","session_id":null,"run_id":"r","usage":{"prompt_tokens":0,"completion_tokens":0,"cached_tokens":0,"cost_usd":null,"llm_calls":0,"tool_calls":0,"instructions":0,"peak_memory_bytes":0},"duration_ms":1.235}`,
		},
		"nothing": {
			Result{SessionID: "s", RunID: "r", Output: "<a>\n", OutputTruncated: true, ValueError: "cycle at $.a", ExitCode: new(3), Usage: Usage{CostUSD: new(0.5)}},
			`{"result":"","value":null,"value_error":"cycle at $.a","output":"<a>\n","output_truncated":true,"exit_code":3,"session_id":"s","run_id":"r","usage":{"prompt_tokens":0,"completion_tokens":0,"cached_tokens":0,"cost_usd":0.5,"llm_calls":0,"tool_calls":0,"instructions":0,"peak_memory_bytes":0},"duration_ms":0}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.result.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorMapping(t *testing.T) {
	t.Parallel()
	cause := fault.Errorf(fault.ToolNotFound, "no tool %q", "x")
	for name, c := range map[string]struct {
		err  error
		stop error
		code fault.Code
		is   error // nil: none
		kind any
	}{
		"script":        {&interp.Error{Code: "tool_not_found", Message: "m", Cause: cause}, nil, fault.ToolNotFound, cause, &ScriptError{}},
		"instructions":  {&interp.Error{Code: "instruction_limit", Limit: true}, nil, fault.InstructionLimit, nil, &LimitError{}},
		"timeout":       {&interp.Error{Code: "execution_timeout", Limit: true}, nil, fault.ExecutionTimeout, context.DeadlineExceeded, &LimitError{}},
		"cancelled":     {&interp.Error{Code: "interrupted", Limit: true}, context.Canceled, fault.Interrupted, context.Canceled, &LimitError{}},
		"shutting down": {&interp.Error{Code: "interrupted", Limit: true}, ErrShuttingDown, fault.Interrupted, ErrShuttingDown, &LimitError{}},
		"closed":        {context.Canceled, ErrClosed, fault.Interrupted, ErrClosed, &LimitError{}},
		"fault":         {fault.Errorf(fault.Internal, "x"), nil, fault.Internal, nil, &fault.Error{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := errorOf(c.err, "run", "out", c.stop)
			if got := codeOf(err); got != c.code {
				t.Errorf("code %s, want %s", got, c.code)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			switch e := err.(type) {
			case *ScriptError:
				if _, ok := c.kind.(*ScriptError); !ok || e.RunID != "run" || e.Output != "out" {
					t.Errorf("unexpected %#v", e)
				}
			case *LimitError:
				if _, ok := c.kind.(*LimitError); !ok || e.RunID != "run" || e.Output != "out" || e.Message == "" && c.code == fault.Interrupted {
					t.Errorf("unexpected %#v", e)
				}
			case *fault.Error:
				if _, ok := c.kind.(*fault.Error); !ok {
					t.Errorf("unexpected %#v", e)
				}
			}
		})
	}
}

func TestFailureIsAProblem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"script":  {&ScriptError{Code: "script_error", Message: "boom", Line: 3, RunID: "r"}, `{"type":"urn:llmspell:error:script_error","detail":"boom","code":"script_error","line":3,"run_id":"r"}`},
		"limit":   {&LimitError{Code: "execution_timeout", Message: "late", Output: "o"}, `{"type":"urn:llmspell:error:execution_timeout","detail":"late","code":"execution_timeout","output":"o"}`},
		"unknown": {errors.New("secret detail"), `{"type":"urn:llmspell:error:internal","detail":"internal error; the kernel's log has the details","code":"internal"}`},
	} {
		got, err := Failure{c.err}.MarshalJSON()
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		}
	}
}

func TestRequestIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		req  Request
		code fault.Code // "": fine
	}{
		"plain":             {Request{Code: "return 1"}, ""},
		"too long":          {Request{Code: string(make([]byte, maxSource+1))}, fault.TooLarge},
		"source":            {Request{Source: "fax"}, fault.InvalidArgument},
		"tenant":            {Request{Tenant: "../x"}, fault.InvalidArgument},
		"timeout":           {Request{Timeout: -1}, fault.InvalidArgument},
		"record and replay": {Request{Record: "a", Replay: "b"}, fault.InvalidArgument},
		"record session":    {Request{Record: "a", SessionID: "s"}, fault.InvalidArgument},
	} {
		err := c.req.normalize("default")
		if c.code == "" && err != nil || c.code != "" && fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
		}
	}
}
