package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/config"
)

// newConfigCommand checks and shows the configuration.
func newConfigCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Check and show the configuration",
		Long: `Check and show the configuration.

A setting is taken from the first place that names it: a flag, an environment
variable, the configuration file, the default. The file is YAML: the one that
--config or RAGSTONE_CONFIG names, else ` + config.FileName + ` in Ragstone's home.`,
		Example: `  ragstone config example > ragstone.yaml
  ragstone config check ragstone.yaml
  ragstone config show`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },

		// These commands read the configuration themselves, broken ones too.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
	}
	c.AddCommand(newConfigCheckCommand(a), newConfigShowCommand(a), newConfigExampleCommand(a))
	return c
}

func newConfigCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Report everything that is wrong with a configuration file",
		Long: `Report everything that is wrong with a configuration file, each with its line
and what to do. Without FILE it is the file that ` + "`ragstone serve`" + ` would read, and
flags and environment are checked with it. With FILE, what the file leaves open, such
as a secret, may come from an environment. The exit code is 2 if anything is wrong.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			named := ""
			if len(args) > 0 {
				named = args[0]
			}
			path, err := config.CheckFile(named, chosenSettings(c)...)
			switch {
			case err != nil:
				return &exitError{exitUsage, err}
			case path == "":
				fmt.Fprintln(a.stdout, "There is no configuration file, and nothing is wrong. `ragstone config example` writes one.")
			default:
				fmt.Fprintf(a.stdout, "%s: nothing is wrong.\n", path)
			}
			return nil
		},
	}
}

func newConfigShowCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show",
		Short: "Show every setting's value and where it comes from",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := config.LoadEffective(chosenSettings(c)...)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			if asJSON {
				return a.printJSON(list)
			}
			w := table(a.stdout, "SETTING\tVALUE\tFROM")
			for _, e := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", e.Key, strings.TrimSpace(e.Value), e.Source)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

func newConfigExampleCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Write a configuration file that explains every setting",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprint(a.stdout, config.Example())
			return nil
		},
	}
}
