package data

import (
	"math"
	"strings"
	"testing"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool/tooltest"
)

func TestCalculator(t *testing.T) {
	t.Parallel()
	eval := func(input string, want any) tooltest.Case {
		return tooltest.Case{Params: map[string]any{"input": input}, Want: map[string]any{"result": want, "input": input}}
	}
	bad := func(input, says string) tooltest.Case {
		return tooltest.Case{Params: map[string]any{"input": input}, Fails: fault.ToolFailed, Says: says}
	}
	i := func(n int64) any { return n }
	tooltest.Run(t, NewCalculator(), []tooltest.Case{
		eval("2+2*3", i(8)), eval("(2+2)*3", i(12)), eval("10/2", i(5)), eval("7/2", 3.5), eval("-7%3", i(2)), eval("7%-3", i(-2)),
		eval("-7.5%2", 0.5), eval("2^10", i(1024)), eval("2^3^2", i(512)), eval("-2^2", i(-4)), eval("2^-1", 0.5), eval("2^0.5", math.Sqrt2),
		eval("1-2-3", i(-4)), eval(" 1 +\t2\n", i(3)), eval("1.0+2", 3.0), eval("0.1+0.2", 0.30000000000000004),
		eval("9223372036854775807+1", 9.223372036854775807e18), eval("9223372036854775807*1", i(math.MaxInt64)), eval("99999999999999999999", 1e20),
		eval("1e3", 1000.0), eval(".5", 0.5), eval("5.", 5.0), eval("--3", i(3)), eval("+3", i(3)), eval("2*-3", i(-6)), eval("2^63", math.Pow(2, 63)),
		eval("(-1)^1001", i(-1)), eval("0^0", i(1)), eval("1 < 2", true), eval("2 == 2.0", true), eval("9007199254740993 == 9007199254740992.0", false),
		eval("3 != 3", false), eval("(1<2) == (3>2)", true), eval("sqrt(16)", 4.0), eval("abs(-3)", i(3)), eval("floor(-2.5)", i(-3)), eval("ceil(2.1)", i(3)),
		eval("round(2.5)", i(3)), eval("round(7)", i(7)), eval("min(3, 1.5, 2)", 1.5), eval("max(3, 1)", i(3)), eval("log(e)", 1.0), eval("log(8, 2)", 3.0),
		eval("exp(0)", 1.0), eval("cos(pi)", -1.0), eval("sin(0)+tan(0)", 0.0), eval("floor(1e300)", 1e300),
		{Params: map[string]any{"input": "x*2+y1", "variables": map[string]any{"x": int64(4), "y1": 0.5}}, Want: map[string]any{"result": 8.5, "result_type": "float"}},
		{Params: map[string]any{"input": "e", "variables": map[string]any{"e": int64(1)}}, Want: map[string]any{"result": int64(1), "result_type": "integer"}},
		bad("1/", "ends early"), bad("", "ends early"), bad("1 2", "column 3"), bad("(1", `")"`), bad("1)", "unexpected"), bad("1/0", "division by zero at column 2"),
		bad("1%0", "division by zero"), bad("sqrt(-1)", "not finite"), bad("1e308*10", "not finite"), bad("log(0)", "not finite"), bad("x", `unknown name "x"`),
		bad("foo(1)", `unknown function "foo"`), bad("sqrt(1,2)", "takes 1 argument"), bad("min()", "or more"), bad("sqrt(1,)", "unexpected"),
		bad("(1<2)+1", "boolean"), bad("1<2<3", "unexpected"), bad("(1<2)<3", "cannot compare"), bad("2x", "malformed"), bad("1..2", "unexpected"), bad("ä", "unexpected 'ä'"),
		bad(strings.Repeat("(", 200)+"1"+strings.Repeat(")", 200), "nests deeper"), bad(strings.Repeat("-", 9000)+"1", "nests deeper"),
		bad(strings.Repeat("1+", 6000)+"1", "longer than"), bad("abs(1<2)", "takes numbers"),
		{Params: map[string]any{"operation": "validate", "input": "1+"}, Verdict: map[string]any{"valid": false}},
		{Params: map[string]any{"operation": "validate", "input": "1+1"}, Want: map[string]any{"valid": true}},
		{Params: map[string]any{"operation": "functions"}, Check: nil, Want: map[string]any{}},
		{Params: map[string]any{}, Fails: fault.InvalidArgument, Says: "input"},
		{Params: map[string]any{"input": "x", "variables": map[string]any{"x": "1"}}, Fails: fault.InvalidArgument},
		{Params: map[string]any{"input": "x", "variables": map[string]any{"a b": int64(1)}}, Fails: fault.InvalidArgument},
		{Params: map[string]any{"inptu": "1"}, Fails: fault.InvalidArgument, Says: "inptu"},
	})
}

// FuzzEvaluate looks for panics, endless work and results that are not finite.
func FuzzEvaluate(f *testing.F) {
	for _, s := range []string{"2+2*3", "-(1^2)%x", "max(1,2.5e3)<=e", "((((", "1e", "9223372036854775807*-1", "2^2^2^2^2^2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := evaluate(s, map[string]any{"x": int64(-3)})
		if err != nil {
			if fault.CodeOf(err) != fault.ToolFailed {
				t.Fatal(err)
			}
			return
		}
		if _, ok := v.(bool); !ok && !isNumber(v) {
			t.Fatalf("%q gives %T", s, v)
		}
		if x := float(v); isNumber(v) && (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Fatalf("%q gives %v", s, v)
		}
	})
}
