package cli

import (
	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/config"
)

// settingMark is the annotation of a flag that is a setting of the
// configuration and not the command's own.
const settingMark = "ragstone_setting"

// addSettings gives a command the flags of settings.
func addSettings(c *cobra.Command, names ...string) {
	for _, name := range names {
		c.Flags().String(name, "", config.Usage(name))
		c.Flags().Lookup(name).Annotations = map[string][]string{settingMark: nil}
	}
}

// chosenSettings returns the settings that flags of the command line name, and
// the configuration file.
func chosenSettings(c *cobra.Command) []config.Override {
	var chosen []config.Override
	if f := c.Flags().Lookup("config"); f != nil && f.Changed {
		chosen = append(chosen, config.Override{Flag: f.Name, Value: f.Value.String()})
	}
	for _, name := range config.Flags() {
		f := c.Flags().Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		if _, isSetting := f.Annotations[settingMark]; isSetting {
			chosen = append(chosen, config.Override{Flag: name, Value: f.Value.String()})
		}
	}
	return chosen
}
