package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/kernel"
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
		newBenchFiltersCommand(a),
		newBenchInsertCommand(a),
		newBenchModelCommand(a),
		newBenchRepeatCommand(a),
		newBenchVectorsCommand(a),
	)
	return command
}

// median returns the middle of some measurements, the lower of two.
func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[(len(sorted)-1)/2]
}

// useKernels switches to the kernels of a name; empty means the best there are.
func useKernels(name string) (restore func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	for _, level := range kernel.Levels() {
		if level.String() == name {
			return kernel.Use(level), nil
		}
	}
	return nil, misuse("--kernels %q: here are %v", name, kernel.Levels())
}
