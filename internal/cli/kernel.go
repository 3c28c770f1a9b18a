package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) kernelCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "kernel", Short: "Start, watch and stop kernels",
		Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.kernelStart(), a.kernelStop(), a.kernelStatus(), a.kernelList(), a.kernelReload(), a.kernelLogs(), a.kernelConnect(),
		a.kernelInstallService(), a.kernelUninstallService())
	for _, name := range []string{"upgrade", "install-kernelspec"} {
		c.AddCommand(reserved(name))
	}
	return c
}

// kernelConnect is a REPL on a running kernel.
func (a *app) kernelConnect() *cobra.Command {
	var session string
	c := &cobra.Command{
		Use: "connect [ID|URL]", Short: "REPL attached to a running kernel",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.addressKernel(args); err != nil {
				return err
			}
			return a.repl(c.Context(), session, "")
		},
	}
	c.Flags().StringVar(&session, "session", "", "attach to this session")
	return c
}

// addressKernel makes the only running kernel, or the one named by a
// positional ID or URL, the target of the command.
func (a *app) addressKernel(args []string) error {
	if a.connect != "" || a.kernelID != "" {
		return nil
	}
	if len(args) == 1 && looksLikeAddress(args[0]) {
		a.connect = args[0]
		return nil
	}
	id := ""
	if len(args) == 1 {
		id = args[0]
	}
	k, err := a.onlyKernel(id)
	if err != nil {
		return err
	}
	a.connect = k.Endpoint
	return nil
}

func looksLikeAddress(s string) bool {
	for _, c := range s {
		if c == ':' || c == '/' || c == '.' {
			return true
		}
	}
	return false
}
