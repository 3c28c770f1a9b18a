package llmspell_test

import (
	"context"
	"fmt"
	"time"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/script"
	"github.com/llmspell/llmspell/standard"
)

// memoryOnly is a configuration that touches no file.
func memoryOnly() *config.Config {
	cfg, err := config.Parse([]byte("storage.backend = \"memory\"\nlogging.log_level = \"off\""), config.Params{})
	if err != nil {
		panic(err)
	}
	return cfg
}

func Example() {
	ctx := context.Background()
	kernel, err := standard.Open(ctx, memoryOnly()) // or config.Load("config.toml")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()

	result, err := kernel.Execute(ctx, `print("working") return 6 * 7`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(result.Output)
	fmt.Println("Result:", result)
	// Output:
	// working
	// Result: 42
}

// A session keeps its globals between executions.
func ExampleKernel_NewSession() {
	ctx := context.Background()
	kernel, err := standard.Open(ctx, memoryOnly())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()

	session, err := kernel.NewSession(ctx, llmspell.SessionParams{Name: "notebook"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, code := range []string{"total = 40", "total = total + 2", "return total"} {
		result, err := session.Execute(ctx, code)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result)
	}
	// Output:
	//
	//
	// 42
}

// A run is an execution that is watched while it goes on.
func ExampleKernel_Start() {
	ctx := context.Background()
	kernel, err := standard.Open(ctx, memoryOnly())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()

	run, err := kernel.Start(ctx, llmspell.Request{
		Code: "return 'hello ' .. ARGS.name", Args: map[string]any{"name": "world"}, Timeout: time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for event, err := range run.Events(ctx, 0) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.Seq, event.Type)
	}
	result, err := run.Wait(ctx)
	fmt.Println(result, err)
	// Output:
	// 1 run.queued
	// 2 run.started
	// 3 run.succeeded
	// hello world <nil>
}

// A module is a further global for scripts.
func ExampleParams_modules() {
	ctx := context.Background()
	greeter := script.Module{Name: "Greeter", Doc: "Greets.", Funcs: []script.Func{{
		Name: "greet", Doc: "Greets someone.",
		Params:  []script.Param{{Name: "name", Type: script.TypeString, Required: true}},
		Returns: []script.Return{{Type: script.TypeString}},
		Call: func(_ context.Context, a script.Args) ([]any, error) {
			return []any{"Hello, " + a.String(0) + "!"}, nil
		},
	}}}
	kernel, err := standard.OpenParams(ctx, standard.Params{Config: memoryOnly(), Modules: []script.Module{greeter}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kernel.Close()
	fmt.Println(kernel.Execute(ctx, `return Greeter.greet("Ada")`))
	// Output: Hello, Ada! <nil>
}
