package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// newLimitsCommand sets how fast models may be used.
func newLimitsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "limits",
		Short: "Set how fast projects may use models",
		Long: `Set, list and clear rate limits: requests and tokens a minute, requests a day.

A limit is a project's for one model or, without --project, that of every project,
which a project's own cannot pass. Models without one have the server's
--requests-per-minute and --tokens-per-minute. MODEL is a model's own name, as the
header x-ragstone-model shows it; all names that mean it share its limit. The server need not
run; if it does, a change holds from the next request on.`,
		Example: `  ragstone limits set smollm2-135m-instruct --requests-per-minute 60
  ragstone limits set gpt-4o-mini --project proj_2vJq… --tokens-per-minute 20000
  ragstone limits list`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLimitsSetCommand(a), newLimitsListCommand(a), newLimitsClearCommand(a))
	return c
}

func newLimitsSetCommand(a *app) *cobra.Command {
	var project string
	var change account.Rates
	c := &cobra.Command{
		Use:   "set MODEL",
		Short: "Set a limit; what is not named stays as it is",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if change == (account.Rates{}) {
				return usageError(c, fmt.Errorf("name a number to set, such as --requests-per-minute 60"))
			}
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				rates, err := l.Organization.SetRates(ctx, state.Tenant{OrganizationID: l.tenant.OrganizationID, ProjectID: project}, args[0], change)
				if err == nil {
					fmt.Fprintf(a.stdout, "%s: %d requests and %d tokens a minute, %s requests a day\n", args[0], rates.RequestsPerMinute, rates.TokensPerMinute, orAny(rates.RequestsPerDay))
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&project, "project", "", "the `ID` of the project (default every project)")
	c.Flags().IntVar(&change.RequestsPerMinute, "requests-per-minute", 0, "the `NUMBER` of requests a minute")
	c.Flags().IntVar(&change.TokensPerMinute, "tokens-per-minute", 0, "the `NUMBER` of tokens a minute, prompt and completion together")
	c.Flags().IntVar(&change.RequestsPerDay, "requests-per-day", 0, "the `NUMBER` of requests a day")
	return c
}

// limitJSON is a limit as --json prints it; null is not set.
type limitJSON struct {
	Project           string `json:"project,omitempty"` // absent: every project
	Model             string `json:"model"`
	RequestsPerMinute *int64 `json:"requests_per_minute"`
	TokensPerMinute   *int64 `json:"tokens_per_minute"`
	RequestsPerDay    *int64 `json:"requests_per_day"`
}

func newLimitsListCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the limits that have been set",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				limits, err := l.Organization.StoredLimits(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(limitsJSON(limits))
				}
				if len(limits) == 0 {
					fmt.Fprintf(a.stderr, "No limits are set: every project may make %d requests and use %d tokens a minute of each model.\n", a.config.RequestsPerMinute, a.config.TokensPerMinute)
					return nil
				}
				w := table(a.stdout, "PROJECT\tMODEL\tREQUESTS/MIN\tTOKENS/MIN\tREQUESTS/DAY")
				shown := func(n int64) string {
					if n == 0 {
						return "-"
					}
					return fmt.Sprint(n)
				}
				for _, l := range limits {
					project := l.ProjectID
					if project == "" {
						project = "every"
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", project, l.Model, shown(l.RequestsPerMinute), shown(l.TokensPerMinute), shown(l.RequestsPerDay))
				}
				return w.Flush()
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

func limitsJSON(limits []state.Limit) []limitJSON {
	orNull := func(n int64) *int64 {
		if n == 0 {
			return nil
		}
		return &n
	}
	rows := []limitJSON{}
	for _, l := range limits {
		rows = append(rows, limitJSON{l.ProjectID, l.Model, orNull(l.RequestsPerMinute), orNull(l.TokensPerMinute), orNull(l.RequestsPerDay)})
	}
	return rows
}

func newLimitsClearCommand(a *app) *cobra.Command {
	var project string
	c := &cobra.Command{
		Use:   "clear MODEL",
		Short: "Forget the limit of a model",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				return l.Organization.ClearRates(ctx, state.Tenant{OrganizationID: l.tenant.OrganizationID, ProjectID: project}, args[0])
			})
		},
	}
	c.Flags().StringVar(&project, "project", "", "the `ID` of the project whose limit it is (default that of every project)")
	return c
}
