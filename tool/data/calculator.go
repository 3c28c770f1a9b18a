// Package data holds tools that compute with values: calculator and
// json-processor.
package data

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Calculator is the calculator tool.
type Calculator struct{}

// NewCalculator returns the calculator tool.
func NewCalculator() *Calculator { return &Calculator{} }

func (*Calculator) Spec() tool.Spec {
	return tool.Spec{
		Name: "calculator", Version: "1.0.0", Category: "utility", Effect: tool.Read, ParallelSafe: true,
		Description: "Evaluates arithmetic expressions: + - * / % ^ ( ), comparisons, functions such as sqrt and max, pi and e.",
		Tags:        []string{"math", "arithmetic"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Enum: []string{"evaluate", "validate", "functions"}, Default: "evaluate", Description: "what to do"},
			{Name: "input", Type: "string", Description: "the expression, for example 2*(3+x)"},
			{Name: "variables", Type: "object", Default: map[string]any{}, Description: "values of the names in the expression"},
		},
	}
}

func (*Calculator) Execute(_ context.Context, p map[string]any) (tool.Result, error) {
	op := p["operation"].(string)
	if op == "functions" {
		return tool.OK(op, "functions", map[string]any{"functions": functionList()}), nil
	}
	input, ok := p["input"].(string)
	if !ok {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, `calculator: %s needs "input"`, op).WithDetail("field", "input")
	}
	variables := p["variables"].(map[string]any)
	if err := checkVariables(variables); err != nil {
		return tool.Result{}, err
	}
	v, err := evaluate(input, variables)
	if op == "validate" {
		data := map[string]any{"valid": err == nil, "input": input}
		if err != nil {
			data["error"] = err.Error()
		}
		return tool.Verdict(op, "valid", data), nil
	}
	if err != nil {
		return tool.Result{}, err
	}
	return tool.OK(op, "result", map[string]any{
		"result": v, "input": input, "result_type": typeOf(v), "variables": variables,
	}), nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func checkVariables(variables map[string]any) error {
	for name, v := range variables {
		if !identifier.MatchString(name) {
			return fault.Errorf(fault.InvalidArgument, "calculator: variable name %q: use letters, digits and _", name)
		}
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return fault.Errorf(fault.InvalidArgument, "calculator: variable %q is not finite", name)
		}
		if _, ok := v.(bool); !ok && !isNumber(v) {
			return fault.Errorf(fault.InvalidArgument, "calculator: variable %q: expected a number or boolean", name)
		}
	}
	return nil
}

func functionList() []any {
	out := []any{}
	for _, f := range slices.SortedFunc(slices.Values(functions), func(a, b function) int { return strings.Compare(a.name, b.name) }) {
		entry := map[string]any{"name": f.name, "description": f.doc, "min_arguments": int64(f.min)}
		if f.max != math.MaxInt {
			entry["max_arguments"] = int64(f.max)
		}
		out = append(out, entry)
	}
	return out
}
