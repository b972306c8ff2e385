package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// newVersionCommand prints what was built, as --version does.
func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.stdout, "ragstone %s\n", version())
			return err
		},
	}
}

// version names the program, from the binary's own build record, the machine
// it was built for and the Go it was built with.
func version() string {
	name := "(unknown)"
	if b, ok := debug.ReadBuildInfo(); ok {
		name = b.Main.Version
	}
	return fmt.Sprintf("%s %s/%s %s", name, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
