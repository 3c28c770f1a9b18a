package interp_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/script"
)

// prelude is that of the conformance list.
const prelude = `function E(f, ...) local ok, e = pcall(f, ...) return ok and "ok" or e.code end `

// failing raises what its tests need.
func failing() bind.Module {
	raise := func(blocking bool) script.Func {
		name := "now"
		if blocking {
			name = "later"
		}
		return script.Func{Name: name, Blocking: blocking, Params: []script.Param{{Name: "x", Type: script.TypeAny}},
			Call: func(context.Context, script.Args) ([]any, error) {
				cause := &fault.Error{Code: fault.Timeout, Message: "too slow"}
				e := fault.Errorf(fault.ToolFailed, "it broke: %w", cause).WithHint("mend it").WithDetail("n", 3.0)
				e.Retryable, e.RetryAfterMS = true, 500
				return nil, e
			}}
	}
	return bind.Module{Module: script.Module{Name: "Fail", Funcs: []script.Func{raise(false), raise(true), {
		Name: "plain", Call: func(context.Context, script.Args) ([]any, error) { return nil, errors.New("odd") },
	}, {
		Name: "panics", Blocking: true, Call: func(context.Context, script.Args) ([]any, error) { panic("secret") },
	}}}}
}

func TestErrorValues(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{Library: library(t, failing()), MemoryLimit: 50_000_000})
	cases := []struct{ code, want string }{
		{`local ok, e = pcall(Fail.now) return ok, type(e), e.code, e.message, e.hint, e.details.n, e.retryable, e.retry_after_ms, e.cause.code, e.cause.message`,
			`[false,"table","tool_failed","it broke: too slow","mend it",3.0,true,500,"timeout","too slow"]`},
		{`local ok, e = pcall(Fail.later) return ok, e.code, e.where, e.cause.code`, `[false,"tool_failed","execute:1","timeout"]`},
		{`local _, e = pcall(Fail.now) return tostring(e), "E:" .. e, e .. "!", #e, e:find("broke"), e:match("%[(.-)%]"), e:upper():sub(1, 2)`,
			`["it broke: too slow [tool_failed] (hint: mend it)","E:it broke: too slow [tool_failed] (hint: mend it)",` +
				`"it broke: too slow [tool_failed] (hint: mend it)!",48,4,"tool_failed","IT"]`},
		{`local _, e = pcall(Fail.now) return e.nothing, e.where, e.traceback:find("stack traceback", 1, true) ~= nil`, `[null,"execute:1",true]`},
		{`local _, e = pcall(Fail.now) return {e = e.cause}`, `{"e":{"code":"timeout","message":"too slow","retryable":false}}`},
		{`return E(Fail.plain), E(Fail.panics), select(2, pcall(Fail.panics)).message`, `["internal","internal","Fail.panics failed unexpectedly"]`},
		{`return select(2, pcall(error, "x", 0)), type(select(2, pcall(function() local t; return t.x end)))`, `["x","string"]`},
		{`return E(function() JSON.x = 1 end), E(rawset, JSON, "x", 1), E(table.insert, JSON, 1), E(setmetatable, JSON, {})`,
			`["read_only","read_only","read_only","read_only"]`},
		{`JSON = 5 local v = JSON JSON = nil return v, JSON`, `[5,null]`},
		{`return E(string.rep, "x", 1 << 30)`, `"memory_limit"`},
		{`local f <close> = setmetatable({}, {__close = function() end}) return E(Run.fail, "my_code", "m", {a = 1})`, `"my_code"`},
	}
	for _, c := range cases {
		res, err := in.Execute(t.Context(), interp.Request{Code: prelude + c.code, Run: fixedRun()})
		if err != nil {
			t.Errorf("%s: %v", c.code, err)
			continue
		}
		if c.want != "" && string(res.Value) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.code, res.Value, c.want)
		}
	}
}

func TestSuspendInsideCallbacksOfTheVM(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	cases := []struct{ code, want string }{
		{`local t = {3, 1, 2} table.sort(t, function(a, b) Run.sleep(0) return a < b end) return t`, `[1,2,3]`},
		{`return (("abc"):gsub(".", function(c) Run.sleep(0) return c:upper() end))`, `"ABC"`},
		{`return tostring(setmetatable({}, {__tostring = function() Run.sleep(0) return "T" end}))`, `"T"`},
		// Encoding cannot wait; the call that was not made leaves nothing behind.
		{`local ok, e = pcall(JSON.stringify, setmetatable({}, {__tojson = function() Run.sleep(5) return 1 end})) return ok, e.code`, `[false,"invalid_state"]`},
		{`Run.sleep(1) return 1`, `1`},
	}
	for _, c := range cases {
		if got := run(t, in, c.code); string(got.Value) != c.want {
			t.Errorf("%s: got %s, want %s", c.code, got.Value, c.want)
		}
	}
}

func TestArgumentErrors(t *testing.T) {
	t.Parallel()
	one := 1.0
	opts := []script.Param{{Name: "temperature", Type: script.TypeNumber}, {Name: "count", Type: script.TypeInteger, Min: &one, Default: int64(7)},
		{Name: "name", Type: script.TypeString, Required: true}, {Name: "mode", Type: script.TypeString, Enum: []string{"fast", "slow"}}}
	echo := func(_ context.Context, a script.Args) ([]any, error) { return []any{a.Values}, nil }
	class := &script.Class{Name: "Thing", Methods: []script.Func{{Name: "get", Params: []script.Param{{Name: "k", Type: script.TypeString, Required: true}}, Call: echo}}}
	in := open(t, interp.Params{Library: library(t, bind.Module{Module: script.Module{Name: "M", Classes: []*script.Class{class}, Funcs: []script.Func{
		{Name: "s", Params: []script.Param{{Name: "text", Type: script.TypeString, Required: true}, {Name: "n", Type: script.TypeInteger}}, Call: echo},
		{Name: "o", Params: []script.Param{{Name: "options", Type: script.TypeOptions, Fields: opts, Required: true}}, Call: echo},
		{Name: "a", Params: []script.Param{{Name: "list", Type: script.TypeArray, Elem: script.TypeString, Required: true}}, Call: echo},
		{Name: "any", Params: []script.Param{{Name: "v", Type: script.TypeAny}}, Call: echo},
		{Name: "v", Params: []script.Param{{Name: "first", Type: script.TypeInteger}, {Name: "rest", Type: script.TypeString, Variadic: true}}, Call: echo},
		{Name: "h", Params: []script.Param{{Name: "thing", Type: script.TypeHandle, Class: "Thing", Also: []script.Type{script.TypeString}, Required: true}},
			Call: func(_ context.Context, a script.Args) ([]any, error) {
				_, isString := a.At(0).(string)
				return []any{isString}, nil
			}},
		{Name: "new", Call: func(context.Context, script.Args) ([]any, error) {
			return []any{script.Object{Class: class, Value: new(int)}}, nil
		}},
	}}})})
	cases := []struct{ code, want string }{
		{`M.s(1)`, `M.s: text: expected string, got integer`},
		{`M.s()`, `M.s: text: expected string, got nil`},
		{`M.s("x", "1")`, `M.s: n: expected integer, got string`},
		{`M.s("x", 1.5)`, `M.s: n: expected integer, got float`},
		{`return M.s("x", 2.0)`, `=["x",2]`},
		{`M.o{name="n", temprature=1}`, `M.o: options.temprature: unknown field | did you mean "temperature"?`},
		{`M.o{}`, `M.o: options.name: expected string, got nil`},
		{`M.o{name="n", mode="fsat"}`, `M.o: options.mode: "fsat" is none of fast, slow | did you mean "fast"?`},
		{`M.o{name="n", count=0}`, `M.o: options.count: 0 is less than 1`},
		{`return M.o{name="n", temperature=1}`, `=[{"count":7,"name":"n","temperature":1}]`},
		{`M.a{"x", 2}`, `M.a: list[2]: expected string, got integer`},
		{`M.a{x=1}`, `M.a: list: expected an array, got a table with other keys`},
		{`M.any{a={b={1, 2, print}}}`, `M.any: v: value at $.a.b[3]: a function cannot be stored as data`},
		{`local t = {} t.me = t M.any(t)`, `M.any: v: value at $.me: the table contains itself`},
		{`M.any{[1]=1, ["1"]=2}`, `M.any: v: value at $: two keys with the text "1"`},
		{`M.any{[print]=1}`, `M.any: v: value at $: a function is no key of an object`},
		{`M.any(0/0)`, `M.any: v: value at $: NaN is not a JSON number`},
		{`M.any(print)`, `M.any: v: value at $: a function cannot be stored as data`},
		{`local t = {} for i = 1, 200 do t = {t} end M.any(t)`, `M.any: v: value at`},
		{`return M.any{a={1, JSON.null}, b={}, c=JSON.array()}`, `=[{"a":[1,null],"b":{},"c":[]}]`},
		{`return M.v(1, "a", "b")`, `=[1,["a","b"]]`},
		{`M.v(1, "a", 2)`, `M.v: rest: expected string, got integer`},
		{`local t = M.new() t.get("x")`, `Thing:get: expected a handle of type Thing before the arguments, got string | call methods with a colon: handle:get(...)`},
		{`return M.new():get("k")`, `=["k"]`},
		{`M.h(5)`, `M.h: thing: expected Thing or string, got integer`},
		{`return M.h(M.new()), M.h("x"), getmetatable(M.new()), debug.getmetatable(M.new()), debug.getmetatable(M)`, `=[false,true,false,false,false]`},
		{`M.any(M.new())`, `M.any: v: value at $: a Thing cannot be stored as data`},
	}
	for _, c := range cases {
		res, err := in.Execute(t.Context(), interp.Request{Code: c.code, Run: fixedRun()})
		want, ok := strings.CutPrefix(c.want, "=")
		if ok {
			if err != nil || string(res.Value) != want {
				t.Errorf("%s: got %s, %v, want %s", c.code, res.Value, err, want)
			}
			continue
		}
		e, _ := errors.AsType[*interp.Error](err)
		if e == nil {
			t.Errorf("%s: no error", c.code)
			continue
		}
		got := e.Message
		if e.Hint != "" && strings.Contains(want, " | ") {
			got += " | " + e.Hint
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", c.code, got, want)
		}
		if e.Line != 1 || e.Chunk != "execute" {
			t.Errorf("%s: at %s:%d", c.code, e.Chunk, e.Line)
		}
	}
}

func TestUncaughtErrors(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{Library: library(t, failing())})
	cases := map[string]interp.Error{
		"error('boom')":                          {Code: "script_error", Message: "c:2: boom", Chunk: "c", Line: 2},
		"error('boom', 0)":                       {Code: "script_error", Message: "boom", Chunk: "c", Line: 2},
		"local t; return t.x":                    {Code: "script_error", Message: "c:2: attempt to index a nil value (local 't')", Chunk: "c", Line: 2},
		"error{code='mine', message='m'}":        {Code: "mine", Message: "m", Chunk: "c", Line: 2},
		"Fail.now()":                             {Code: "tool_failed", Message: "it broke: too slow", Hint: "mend it", Chunk: "c", Line: 2},
		"Fail.later()":                           {Code: "tool_failed", Message: "it broke: too slow", Hint: "mend it", Chunk: "c", Line: 2},
		"local ok, e = pcall(Fail.now) error(e)": {Code: "tool_failed", Message: "it broke: too slow", Hint: "mend it", Chunk: "c", Line: 2},
		"error(nil)":                             {Code: "script_error", Message: "nil"},
	}
	for code, want := range cases {
		_, err := in.Execute(t.Context(), interp.Request{Code: "\n" + code, Name: "=c", File: true, Run: fixedRun()})
		e, _ := errors.AsType[*interp.Error](err)
		if e == nil {
			t.Errorf("%s: no error", code)
			continue
		}
		if e.Code != want.Code || e.Message != want.Message || e.Hint != want.Hint || e.Chunk != want.Chunk || e.Line != want.Line || e.Limit {
			if code == "error(nil)" && e.Code == want.Code {
				continue // the text of nil is the VM's
			}
			t.Errorf("%s: got %+v", code, *e)
		}
		for _, line := range e.Traceback {
			if strings.Contains(line, "llmspell.execute") {
				t.Errorf("%s: traceback shows the host: %v", code, e.Traceback)
			}
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	in := open(t, interp.Params{})
	cases := []struct {
		code       string
		line       int
		near       string
		incomplete bool
	}{
		{"x = = 1", 1, "'='", false},
		{"print(1)\nfor i = 1, 3 do", 2, "<eof>", true},
		{"return (1", 1, "<eof>", true},
		{"x = \"abc", 1, "<eof>", true},
		{"x = \"abc\n\"", 1, "", false},
	}
	for _, c := range cases {
		_, err := in.Execute(t.Context(), interp.Request{Code: c.code, Name: "=repl"})
		e, _ := errors.AsType[*interp.Error](err)
		if e == nil || e.Code != "script_syntax" || e.Line != c.line || e.Incomplete != c.incomplete || c.near != "" && e.Near != c.near || e.Col == 0 {
			t.Errorf("%q: %+v", c.code, e)
		}
	}
}
