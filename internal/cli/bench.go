package cli

import (
	"os"
	"slices"

	"github.com/spf13/cobra"
)

// newBenchCommand lists the measurements.
func newBenchCommand(a *app) *cobra.Command {
	command := &cobra.Command{
		Use:   "bench",
		Short: "Measure how fast models run on this machine",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	command.AddCommand(
		newBenchEmbedCommand(a),
		newBenchModelCommand(a),
	)
	return command
}

// modelPlace returns a path as it is when something is there, and otherwise the
// folder of the model with that name, which is pulled if need be.
func (a *app) modelPlace(c *cobra.Command, nameOrPath string) (string, error) {
	if _, err := os.Stat(nameOrPath); err == nil {
		return nameOrPath, nil
	}
	return a.ensureModel(c.Context(), nameOrPath)
}

// median returns the middle of some measurements, the lower of two.
func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[(len(sorted)-1)/2]
}
