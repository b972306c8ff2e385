package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/catalog"
)

// complete offers values of a command's flag to shell completion, beside the
// files that a shell offers anyway. It panics without such a flag.
func complete(c *cobra.Command, flag string, values ...string) {
	offer := func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveDefault
	}
	if err := c.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic("cli.complete: " + err.Error())
	}
}

// completeModels offers the catalog's models as arguments.
func completeModels(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, e := range catalog.List() {
		names = append(names, cobra.CompletionWithDesc(e.Name, string(e.Task)+", "+bytesUnit(e.Bytes())))
	}
	return names, cobra.ShellCompDirectiveDefault
}

// modelNames are the names of the catalog's models for some tasks.
func modelNames(tasks ...catalog.Task) []string {
	var names []string
	for _, e := range catalog.List() {
		if slices.Contains(tasks, e.Task) {
			names = append(names, e.Name)
		}
	}
	return names
}
