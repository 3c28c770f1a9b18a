// Package standard is llmspell with everything in the box: it turns a
// configuration into an infrastructure and a kernel over the stock providers,
// tools and stores.
//
//	cfg, err := config.Load("config.toml")
//	if err != nil {
//		return err
//	}
//	kernel, err := standard.Open(ctx, cfg)
//	if err != nil {
//		return err
//	}
//	defer kernel.Close()
//	result, err := kernel.Execute(ctx, `return Agent.query("What is Go?")`)
//
// A program that wants fewer dependencies builds its own from
// [llmspell.NewInfrastructure] and [llmspell.New].
package standard
