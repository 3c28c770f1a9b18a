// Package llmspell embeds a kernel that runs Lua scripts with agents, tools and
// state. It links no provider or database of its own; package standard does:
//
//	cfg, err := config.Load("config.toml")
//	kernel, err := standard.Open(ctx, cfg)
//	defer kernel.Close()
//	result, err := kernel.Execute(ctx, `return Agent.query("What is Go?")`)
//	fmt.Println("Result:", result)
//
// A Kernel is safe for any number of goroutines. Executions of one session run
// one after the other, those of different sessions at the same time.
package llmspell
