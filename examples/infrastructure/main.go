// Command infrastructure builds the nine components of a configuration without a
// kernel and shows what each of them holds.
//
//	go run ./examples/infrastructure
//
// The configuration is $LLMSPELL_CONFIG, else config.toml.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/llmspell/llmspell"
	"github.com/llmspell/llmspell/config"
	"github.com/llmspell/llmspell/standard"
)

func main() {
	if err := run(context.Background(), cmp.Or(os.Getenv("LLMSPELL_CONFIG"), "config.toml"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, configPath string, out io.Writer) error {
	cfg, err := config.Load(configPath)
	if err != nil {
		return err
	}
	infrastructure, err := standard.NewInfrastructure(ctx, cfg)
	if err != nil {
		return err
	}
	defer infrastructure.Close()
	if err := infrastructure.Start(ctx); err != nil { // opens storage
		return err
	}
	return show(ctx, infrastructure, out)
}

func show(ctx context.Context, i *llmspell.Infrastructure, out io.Writer) error {
	for _, p := range i.ProviderManager().List() {
		fmt.Fprintf(out, "provider %s: type %s, available %t\n", p.Name, p.Type, p.Available)
	}

	// State is what scripts see as State, of one tenant.
	state := i.StateManager()
	if _, err := state.Put(ctx, "", "global", "greeting", "hello", llmspell.StateOptions{}); err != nil {
		return err
	}
	value, ok, err := state.Get(ctx, "", "global", "greeting")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "state greeting: %v (found %t)\n", value.Value, ok)

	fmt.Fprintf(out, "sessions: %d\n", len(i.SessionManager().List("")))

	// Optional components, if enabled in the configuration.
	if _, ok := i.RAG(); ok {
		fmt.Fprintln(out, "RAG enabled")
	}
	if _, ok := i.MemoryManager(); ok {
		fmt.Fprintln(out, "Memory enabled")
	}

	answer, err := i.ToolRegistry().Invoke(ctx, "calculator", map[string]any{"input": "6*7"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "tools: %d; calculator says 6*7 = %s\n", len(i.ToolRegistry().List()), answer.Text)

	if err := i.AgentRegistry().Register(llmspell.AgentSpec{Name: "researcher", Description: "finds sources"}); err != nil {
		return err
	}
	fmt.Fprintf(out, "agents: %d\n", len(i.AgentRegistry().List()))
	fmt.Fprintf(out, "workflows: %d\n", len(i.WorkflowFactory().List()))

	for _, c := range i.ComponentRegistry().Search("sources") {
		fmt.Fprintf(out, "found %s %s: %s\n", c.Kind, c.Name, c.Description)
	}
	return nil
}
