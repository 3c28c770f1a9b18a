// Command cmd writes loop_debug.go; go generate runs it in the directory of
// package lua.
package main

import (
	"fmt"
	"os"

	"github.com/llmspell/llmspell/lua/internal/loopgen"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "loopgen:", err)
		os.Exit(1)
	}
}

func generate() error {
	src, err := os.ReadFile("loop.go")
	if err != nil {
		return err
	}
	text, err := loopgen.Generate(string(src))
	if err != nil {
		return err
	}
	return os.WriteFile("loop_debug.go", []byte(text), 0o644)
}
