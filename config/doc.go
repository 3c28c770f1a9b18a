// Package config is the typed configuration of llmspell: defaults, profiles, one
// TOML file, environment and flags merged per key, with the origin of every value.
//
// Programs that embed llmspell read one file:
//
//	cfg, err := config.Load("config.toml")
//	if err != nil {
//		return err // *config.Error: every problem with file, line and column
//	}
//	fmt.Println(cfg.Kernel.Port, cfg.Providers["openai"].DefaultModel)
//
// The command line uses [Discover], which searches for the file and applies
// flags; tests and generated configuration use [Parse].
//
// The key table in keys.go is the only description of a key: the decoder, the
// environment variables, the JSON Schema, the reference page and the commented
// template are made from it. Keys of features that have not landed are listed
// in pending.go and refused by name.
package config
