// Command llmspell runs scripts, and the kernel that runs them as a service.
package main

import (
	"context"
	"os"

	"github.com/llmspell/llmspell/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background()))
}
