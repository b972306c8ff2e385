package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// newBudgetsCommand sets what may be spent.
func newBudgetsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "budgets",
		Short: "Set what keys, projects and the organization may spend",
		Long: `Set, list and delete budgets.

A hard budget is never overspent: a request that could pass it is refused, and what
running requests may still cost counts as spent until they end. A soft budget
that is spent shows in the header x-ragstone-budget-warning and in the log. Days and
months are those of UTC. What tokens cost is the list of ` + "`ragstone prices`" + `. The server
need not run; if it does, a change holds from the next request on.`,
		Example: `  ragstone budgets set 25                       # dollars a month, of everything
  ragstone budgets set 5 --project proj_2vJq… --soft
  ragstone budgets set 0.50 --key key_8sWe… --every day
  ragstone budgets list`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newBudgetsSetCommand(a), newBudgetsListCommand(a), newBudgetsDeleteCommand(a))
	return c
}

func newBudgetsSetCommand(a *app) *cobra.Command {
	var project, key, every string
	var soft bool
	c := &cobra.Command{
		Use:   "set DOLLARS",
		Short: "Set a budget, or change the one that is there",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			amount, err := account.ParseDollars(args[0])
			if err != nil {
				return usageError(c, fmt.Errorf("%q: %w", args[0], err))
			}
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				subject := l.tenant.OrganizationID
				switch {
				case project != "":
					subject = project
				case key != "":
					subject = key
				}
				b, err := l.Organization.SetBudget(ctx, l.tenant.OrganizationID, state.Budget{SubjectID: subject, Amount: amount, Hard: !soft, Every: every})
				if err == nil {
					fmt.Fprintln(a.stdout, b.ID)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&project, "project", "", "the `ID` of the project that may spend it (default the organization)")
	c.Flags().StringVar(&key, "key", "", "the `ID` of the key that may spend it")
	c.Flags().StringVar(&every, "every", "month", "the `PERIOD` it is for: day, month or ever")
	c.Flags().BoolVar(&soft, "soft", false, "warn when it is spent, and refuse nothing")
	c.MarkFlagsMutuallyExclusive("project", "key")
	return c
}

// budgetJSON is a budget as --json prints it. Money is in dollars, exact.
type budgetJSON struct {
	ID      string    `json:"id"`
	Subject string    `json:"subject"`
	Amount  string    `json:"amount"`
	Hard    bool      `json:"hard"`
	Every   string    `json:"every"`
	Since   time.Time `json:"since"`
	Spent   string    `json:"spent"`
	Held    string    `json:"held"` // by running requests
}

func newBudgetsListCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the budgets and how far they are spent",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				budgets, err := l.Organization.Budgets(ctx, l.tenant.OrganizationID)
				if err != nil {
					return err
				}
				if asJSON {
					rows := []budgetJSON{}
					for _, b := range budgets {
						rows = append(rows, budgetJSON{b.ID, b.SubjectID, account.Dollars(b.Amount), b.Hard, b.Every, b.Since.UTC(), account.Dollars(b.Spent), account.Dollars(b.Held)})
					}
					return a.printJSON(rows)
				}
				if len(budgets) == 0 {
					fmt.Fprintln(a.stderr, "There are no budgets: `ragstone budgets set` makes one.")
					return nil
				}
				w := table(a.stdout, "ID\tOF\tDOLLARS\tEVERY\tKIND\tSPENT\tHELD")
				for _, b := range budgets {
					kind := "soft"
					if b.Hard {
						kind = "hard"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b.ID, b.SubjectID, account.Dollars(b.Amount), b.Every, kind, account.Dollars(b.Spent), account.Dollars(b.Held))
				}
				return w.Flush()
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

func newBudgetsDeleteCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a budget; what was spent stays in the ledger",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				return l.Organization.DeleteBudget(ctx, l.tenant.OrganizationID, args[0])
			})
		},
	}
}
