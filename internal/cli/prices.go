package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// newPricesCommand says what tokens cost.
func newPricesCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "prices",
		Short: "Set what the tokens of models cost",
		Long: `Set, list and clear prices, in dollars per million tokens.

A model that runs elsewhere costs what the configuration says of its upstream, else
what the built-in list of OpenAI's prices says; one that is in neither, and one that
runs here, costs nothing until a price is set. Tokens are counted all the same. A price holds for requests that begin after it was set;
the ledger keeps what earlier ones cost. MODEL is a model's own name, as the
header x-ragstone-model shows it.`,
		Example: `  ragstone prices set smollm2-135m-instruct --input 0.01 --output 0.04
  ragstone prices list`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPricesSetCommand(a), newPricesListCommand(a), newPricesClearCommand(a))
	return c
}

func newPricesSetCommand(a *app) *cobra.Command {
	var input, cached, output string
	c := &cobra.Command{
		Use:   "set MODEL",
		Short: "Set a price from now on",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("input") || !c.Flags().Changed("output") { // what is left out would be free
				return usageError(c, errors.New("name both prices, such as --input 0.15 --output 0.60; 0 is free"))
			}
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				return l.Books.SetPrice(ctx, args[0], time.Now(), input, cached, output)
			})
		},
	}
	c.Flags().StringVar(&input, "input", "", "`DOLLARS` per million tokens of prompts")
	c.Flags().StringVar(&cached, "cached", "", "`DOLLARS` per million tokens of prompts found already computed (default as --input)")
	c.Flags().StringVar(&output, "output", "", "`DOLLARS` per million tokens of completions")
	return c
}

func newPricesListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the prices that are set and those of the built-in list",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				prices, err := l.Books.Prices(ctx)
				if err != nil {
					return err
				}
				w := table(a.stdout, "MODEL\tSINCE\tINPUT\tCACHED\tOUTPUT\tBY")
				for _, p := range prices {
					since := "always"
					if !p.Since.IsZero() {
						since = p.Since.Format(time.DateOnly)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Model, since, p.Input, p.Cached, p.Output, p.By)
				}
				return w.Flush()
			})
		},
	}
}

func newPricesClearCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "clear MODEL",
		Short: "Forget the prices that were set for a model",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error { return l.Books.ClearPrices(ctx, args[0]) })
		},
	}
}
