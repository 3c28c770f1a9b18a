// Command embedded runs one script in a kernel of its own: the smallest program
// that embeds llmspell.
//
//	OPENAI_API_KEY=... go run ./examples/embedded
//
// The configuration is $LLMSPELL_CONFIG, else config.toml.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/standard"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, cmp.Or(os.Getenv("LLMSPELL_CONFIG"), "config.toml"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, configPath string, out io.Writer) error {
	cfg, err := config.Load(configPath)
	if err != nil {
		return err
	}
	kernel, err := standard.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer kernel.Close()

	result, err := kernel.Execute(ctx, `
		local r = Agent.query("What is Go?")
		return r
	`)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "Result:", result)
	return err
}
