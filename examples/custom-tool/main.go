// Command custom-tool gives scripts and models a tool written in Go.
//
//	go run ./examples/custom-tool
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/standard"
	"github.com/llmspell/llmspell/tool"
)

// orders answers questions about orders; a real one would ask a database.
type orders struct{ status map[string]string }

func (orders) Spec() tool.Spec {
	return tool.Spec{
		Name:        "order-status",
		Description: "Tells where an order is.",
		Category:    "data",
		Version:     "1.0.0",
		Params: []tool.Param{
			{Name: "number", Type: "string", Required: true, Description: "order number, such as A-17"},
		},
		Effect: tool.Read, ParallelSafe: true,
	}
}

// Execute gets parameters that match the Spec. An order that does not exist is a
// verdict about the question, not a failure of the tool.
func (o orders) Execute(_ context.Context, params map[string]any) (tool.Result, error) {
	number, _ := params["number"].(string)
	if strings.ContainsAny(number, " \t\n") {
		return tool.Result{}, fault.Errorf(fault.InvalidArgument, "number: %q contains spaces", number)
	}
	status, ok := o.status[number]
	if !ok {
		return tool.Result{Success: false, Message: "there is no order " + number}, nil
	}
	return tool.Result{Success: true, Message: status, Result: map[string]any{"number": number, "status": status}}, nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	cfg, err := config.Parse([]byte("storage.backend = \"memory\""), config.Params{})
	if err != nil {
		return err
	}
	kernel, err := standard.OpenParams(ctx, standard.Params{
		Config: cfg,
		Tools:  []tool.Tool{orders{status: map[string]string{"A-17": "shipped"}}},
	})
	if err != nil {
		return err
	}
	defer kernel.Close()

	// Models may call it too: Agent.create{allowed_tools = {"order-status"}}.
	result, err := kernel.Execute(ctx, `
		local known = Tool.execute("order-status", {number = "A-17"})
		local unknown = Tool.execute("order-status", {number = "B-1"})
		return known.text, unknown.success
	`)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Result: %s\n", result)
	return err
}
