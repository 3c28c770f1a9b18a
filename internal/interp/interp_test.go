package interp_test

import (
	"context"
	"testing"

	"time"

	"go.uber.org/goleak"

	"github.com/llmspell/llmspell/internal/bind"
	"github.com/llmspell/llmspell/internal/gate"
	"github.com/llmspell/llmspell/internal/interp"
	"github.com/llmspell/llmspell/internal/luamod"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// library is what most tests need.
func library(t testing.TB, more ...bind.Module) *bind.Library {
	t.Helper()
	lib, err := bind.NewLibrary(append([]bind.Module{luamod.JSON(), luamod.Run(), luamod.Debug(), luamod.Logger()}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func open(t testing.TB, p interp.Params) *interp.Interp {
	t.Helper()
	if p.Library == nil {
		p.Library = library(t)
	}
	if p.Seed == 0 {
		p.Seed = 1
	}
	in, err := interp.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

// fixedRun is a run at 2026-01-02T03:04:05Z without a gate.
func fixedRun() *gate.Run {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &gate.Run{ID: "run_1", StartedAt: now, Now: func() time.Time { return now }, Local: gate.NewLocal()}
}

func run(t testing.TB, in *interp.Interp, code string) interp.Result {
	t.Helper()
	res, err := in.Execute(context.Background(), interp.Request{Code: code, Run: fixedRun()})
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	return res
}

func TestResults(t *testing.T) {
	t.Parallel()
	cases := []struct{ code, value, text string }{
		{`6*7`, `42`, "42"},
		{`return 6*7`, `42`, "42"},
		{`return 7//2, 7/2, 2^2, 1 << 4`, `[3,3.5,4.0,16]`, `[3,3.5,4.0,16]`},
		{`return`, ``, ``},
		{`return nil`, ``, ``},
		{`return nil, 1`, `[null,1]`, `[null,1]`},
		{`return "a\tb"`, `"a\tb"`, "a\tb"},
		{`return 3.0`, `3.0`, `3.0`},
		{`return 1e300`, `1e+300`, `1e+300`},
		{`return true`, `true`, `true`},
		{`return {a={}, b=JSON.array(), c=JSON.parse("[]")}`, `{"a":{},"b":[],"c":[]}`, `{"a":{},"b":[],"c":[]}`},
		{`local t = {1, 2}; t.x = 3; return t`, `{"1":1,"2":2,"x":3}`, `{"1":1,"2":2,"x":3}`},
		{`return {f=print, x=0/0}`, `{"f":"<function>","x":"NaN"}`, `{"f":"<function>","x":"NaN"}`},
		{`return print`, `"<function>"`, `<function>`},
		{`return "\xff"`, `{"$base64":"/w=="}`, "\xff"},
		{`return JSON.null, {JSON.null, 1}`, `[null,[null,1]]`, `[null,[null,1]]`},
		{`return setmetatable({}, {__tojson=function() return {1, "x"} end})`, `[1,"x"]`, `[1,"x"]`},
		{`return JSON.stringify{b=1, a={1, 2.0}}`, `"{\"a\":[1,2.0],\"b\":1}"`, `{"a":[1,2.0],"b":1}`},
		{`return math.type(JSON.parse("3")), math.type(JSON.parse("3.0")), #JSON.parse("[1,null,3]")`, `["integer","float",3]`, `["integer","float",3]`},
		{`return type(JSON), getmetatable(JSON)`, `["table",false]`, `["table",false]`},
	}
	in := open(t, interp.Params{})
	for _, c := range cases {
		res := run(t, in, c.code)
		if string(res.Value) != c.value || res.Text != c.text {
			t.Errorf("%s:\n got %s | %s\nwant %s | %s", c.code, res.Value, res.Text, c.value, c.text)
		}
	}
}
