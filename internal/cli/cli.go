// Package cli is the command line: one file a command, each a thin layer over
// the package that does the work. It owns the terminal (progress, colour,
// exit codes) and nothing else.
//
// Exit codes: 0 done; 1 it failed; 2 the command line or a setting was wrong: a
// value that cannot be, or the name of something that is not there; 3 the documents
// do not answer the question (ask, search); 130 interrupted.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/config"
)

// app is what every command is given: the configuration and the terminal.
type app struct {
	config config.Config
	stdout io.Writer
	stderr io.Writer
}

// Main runs the command line and returns the process's exit code. The first
// interrupt ends the work cleanly, a second one ends the process at once.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, args, os.Stdout, os.Stderr)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	return a.exitCode(ctx, a.advise(err), stderr)
}

// newRoot lists every command.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "ragstone",
		Short: "Your own OpenAI platform in one binary",
		Long: `Answer questions from your own documents, with citations, and serve the OpenAI
API to programs: with models that run inside this binary, on this machine.

Exit codes: 0 done; 1 it failed; 2 the command line or a setting was wrong, such as the
name of something that is not there; 3 the documents do not answer the question (ask,
search); 130 interrupted.`,
		Example: `  ragstone ask ./handbook "How many days of leave does a new hire get?"
  ragstone serve
  ragstone models`,
		Version:       version(),
		Args:          knownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,

		SuggestionsMinimumDistance: 2, // of what knownCommand suggests, in letters
		PersistentPreRunE: func(c *cobra.Command, _ []string) (err error) {
			if a.config, err = config.Load(chosenSettings(c)...); err != nil {
				return &exitError{exitUsage, err}
			}
			return nil
		},
	}
	root.PersistentFlags().String("config", "", "read the configuration `FILE` [RAGSTONE_CONFIG] (default "+config.FileName+" in RAGSTONE_HOME, if it exists)")
	root.SetVersionTemplate("ragstone {{.Version}}\n")
	root.SetFlagErrorFunc(usageError)
	root.AddCommand(
		newAskCommand(a),
		newSearchCommand(a),
		newIndexesCommand(a),
		newModelsCommand(a),
		newPullCommand(a),
		newServeCommand(a),
		newKeysCommand(a),
		newProjectsCommand(a),
		newLimitsCommand(a),
		newPricesCommand(a),
		newBudgetsCommand(a),
		newUsageCommand(a),
		newVectorsCommand(a),
		newCheckCommand(a),
		newConfigCommand(a),
		newBenchCommand(a),
		newVersionCommand(a),
	)
	refuseWrongArguments(root)
	return root
}

// knownCommand refuses a first word that names no command.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return fmt.Errorf("there is no command %q", args[0])
}

// refuseWrongArguments makes wrong arguments of a command and of those below
// it errors of the command line.
func refuseWrongArguments(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := errors.Join(check(c, args), c.ValidateRequiredFlags()); err != nil {
				return usageError(c, err)
			}
			return nil
		}
	}
	for _, below := range c.Commands() {
		refuseWrongArguments(below)
	}
}

// usageError says where the right usage stands, unless err says it already.
func usageError(c *cobra.Command, err error) error {
	if _, explained := errors.AsType[*exitError](err); explained {
		return err
	}
	return &exitError{exitUsage, fmt.Errorf("%w (see `%s --help`)", err, c.CommandPath())}
}
