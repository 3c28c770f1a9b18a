package cli

import (
	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/internal/buildinfo"
)

func (a *app) versionCommand() *cobra.Command {
	var short bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			build := buildinfo.Read()
			switch {
			case a.json():
				return a.printJSON(build)
			case short:
				return a.printf("%s\n", build.Version)
			}
			return a.printf("%s\n", build)
		},
	}
	c.Flags().BoolVar(&short, "short", false, "the number only")
	return c
}
