package config_test

import (
	"fmt"

	"github.com/llmspell/llmspell/config"
)

func ExampleParse() {
	_, err := config.Parse([]byte("[kernel]\nprot = 9555\n"), config.Params{})
	fmt.Println(err)

	cfg, _ := config.Parse([]byte("[kernel]\nidle_timeout = \"5m\"\n"), config.Params{})
	origin, _ := cfg.Origin("kernel.idle_timeout")
	fmt.Println(cfg.Kernel.IdleTimeout, "from", origin)
	// Output:
	// config:2:1 kernel.prot: unknown key (did you mean "port"?)
	// 5m0s from file config:2
}
