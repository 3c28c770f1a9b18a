package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/llmspell/llmspell/config"
)

func (a *app) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "config", Short: "Make, check and show the configuration",
		Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.configInit(), a.configValidate(), a.configShow(), a.configSchema(), a.configProfiles(), a.configEnv())
	return c
}

func (a *app) configInit() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "init [PATH]", Short: "Write a commented configuration file (default llmspell.toml, mode 0600)",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "llmspell.toml"
			if len(args) == 1 {
				path = args[0]
			}
			profile := ""
			if len(a.profiles) > 0 {
				profile = a.profiles[len(a.profiles)-1]
				if _, ok := config.Profile(profile); !ok {
					return usagef("unknown profile %q", profile)
				}
			}
			return a.writeConfig(path, config.Template(profile), force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	return c
}

// writeConfig writes the file whole or not at all.
func (a *app) writeConfig(path string, text []byte, force bool) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".llmspell-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if force {
		err = os.Rename(temp.Name(), path)
	} else {
		err = os.Link(temp.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		return &exitError{code: exitFailure, err: fmt.Errorf("%s exists", path), hint: "use --force to overwrite it"}
	}
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(map[string]string{"path": path})
	}
	return a.printf("wrote %s\n", path)
}

func (a *app) configValidate() *cobra.Command {
	var file string
	var strict bool
	c := &cobra.Command{
		Use: "validate [FILE]", Short: "Report every problem with line and column; exit 0 or 78",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				file = args[0]
			}
			if file != "" {
				a.configPath = file
			}
			cfg, err := config.Discover(a.configParams("kernel"))
			if err != nil {
				return a.invalid(err)
			}
			return a.valid(cfg, strict)
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", "same as FILE")
	c.Flags().BoolVar(&strict, "strict", false, "warnings are errors")
	return c
}

// verdict is the JSON of config validate.
type verdict struct {
	Valid    bool             `json:"valid"`
	File     string           `json:"file,omitempty"`
	Errors   []config.Problem `json:"errors"`
	Warnings []config.Problem `json:"warnings"`
}

func (a *app) invalid(err error) error {
	e, ok := errors.AsType[*config.Error](err)
	if !ok || !a.json() {
		return err
	}
	a.printJSON(verdict{Errors: e.Problems, Warnings: []config.Problem{}})
	return status(exitConfig)
}

func (a *app) valid(cfg *config.Config, strict bool) error {
	failed := strict && len(cfg.Warnings) > 0
	if a.json() {
		a.printJSON(verdict{Valid: !failed, File: cfg.File, Errors: []config.Problem{}, Warnings: append([]config.Problem{}, cfg.Warnings...)})
	} else {
		for _, w := range cfg.Warnings {
			a.printf("warning: %s\n", w)
		}
		name := cfg.File
		if name == "" {
			name = "configuration (no file)"
		}
		if !failed {
			a.printf("%s is valid\n", name)
		}
	}
	if failed {
		return status(exitConfig)
	}
	return nil
}

func (a *app) configShow() *cobra.Command {
	var origin, defaults bool
	c := &cobra.Command{
		Use: "show [SECTION|KEY]", Short: "Effective values, secrets redacted",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			prefix := ""
			if len(args) == 1 {
				prefix = args[0]
			}
			cfg := config.Default()
			if !defaults {
				var err error
				if cfg, err = a.loadConfig("kernel"); err != nil {
					return err
				}
			}
			return a.show(cfg, prefix, origin)
		},
	}
	c.Flags().BoolVar(&origin, "origin", false, "show where each value comes from")
	c.Flags().BoolVar(&defaults, "defaults", false, "the built-in defaults instead")
	return c
}

func (a *app) show(cfg *config.Config, prefix string, origin bool) error {
	if prefix != "" && len(cfg.Describe(prefix)) == 0 {
		return &exitError{code: exitNotFound, err: fmt.Errorf("no configuration key or section %q", prefix), hint: `"llmspell config show" lists them`}
	}
	switch {
	case a.json() && origin:
		items := map[string]any{}
		for _, kv := range cfg.Describe(prefix) {
			items[kv.Key] = map[string]any{"value": kv.Value, "origin": kv.Origin.String(), "reload": kv.Reload}
		}
		return a.printJSON(items)
	case a.json():
		data, err := cfg.JSON(prefix)
		if err != nil {
			return err
		}
		return a.printJSON(json.RawMessage(data))
	}
	return a.printf("%s", cfg.TOML(prefix, origin))
}

func (a *app) configSchema() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "JSON Schema of the configuration", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.printf("%s\n", config.Schema()) },
	}
}

func (a *app) configProfiles() *cobra.Command {
	return &cobra.Command{
		Use: "profiles [NAME]", Aliases: []string{"list-profiles"}, Short: "List the built-in profiles, or print one as TOML",
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				p, ok := config.Profile(args[0])
				if !ok {
					return &exitError{code: exitNotFound, err: fmt.Errorf("no profile %q", args[0]), hint: `"llmspell config profiles" lists them`}
				}
				if a.json() {
					return a.printJSON(map[string]string{"name": p.Name, "doc": p.Doc, "toml": p.TOML})
				}
				return a.printf("%s", p.TOML)
			}
			rows := [][]string{{"PROFILE", "FOR"}}
			list := []map[string]string{}
			for _, p := range config.Profiles() {
				rows = append(rows, []string{p.Name, p.Doc})
				list = append(list, map[string]string{"name": p.Name, "doc": p.Doc})
			}
			if a.json() {
				return a.printJSON(list)
			}
			return a.table(rows)
		},
	}
}

func (a *app) configEnv() *cobra.Command {
	return &cobra.Command{
		Use: "env", Short: "Every environment variable with its key and origin", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.loadConfig("kernel")
			if err != nil {
				return err
			}
			rows := [][]string{{"VARIABLE", "KEY", "TYPE", "ORIGIN"}}
			list := []map[string]any{}
			for _, v := range cfg.EnvVars() {
				rows = append(rows, []string{v.Name, v.Key, v.Type, v.Origin.String()})
				list = append(list, map[string]any{"name": v.Name, "key": v.Key, "type": v.Type, "origin": v.Origin.String(), "set": v.Set, "doc": v.Doc})
			}
			if a.json() {
				return a.printJSON(list)
			}
			return a.table(rows)
		},
	}
}

func profileNames() []string {
	var names []string
	for _, p := range config.Profiles() {
		names = append(names, p.Name)
	}
	return names
}
