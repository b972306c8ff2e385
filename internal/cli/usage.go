package cli

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// newUsageCommand sums up the ledger.
func newUsageCommand(a *app) *cobra.Command {
	var since, until string
	var by []string
	var asCSV, asJSON bool
	c := &cobra.Command{
		Use:   "usage",
		Short: "Show what requests took and cost",
		Long: `Sum up the ledger, which has a row for every answer: its tokens and what they cost.
By default it shows this month (UTC) by model. --csv writes the rows themselves.`,
		Example: `  ragstone usage
  ragstone usage --since 2026-11-01 --until 2026-12-01 --by project,day
  ragstone usage --csv > november.csv`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			from, to, err := usageSpan(since, until, time.Now())
			if err != nil {
				return usageError(c, err)
			}
			groups, daily, err := usageGroups(by)
			if err != nil {
				return usageError(c, err)
			}
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				if asCSV {
					return a.printEntries(ctx, l, from, to)
				}
				q := account.UsageQuery{UsageQuery: state.UsageQuery{OrganizationID: l.tenant.OrganizationID, From: from, Until: to, Width: 24 * time.Hour, By: groups}, Buckets: usageDays}
				rows, err := usageRows(ctx, l.Books, q, daily)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printUsageJSON(rows, daily)
				}
				return a.printUsage(rows, groups, daily)
			})
		},
	}
	c.Flags().StringVar(&since, "since", "", "from this `DATE` on, such as 2026-11-01 (default the first of this month)")
	c.Flags().StringVar(&until, "until", "", "until, but not on, this `DATE` (default now)")
	c.Flags().StringSliceVar(&by, "by", []string{"model"}, "sum up by these `FIELDS`: project, user, key, model, day")
	c.Flags().BoolVar(&asCSV, "csv", false, "write every row of the ledger as CSV")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	c.MarkFlagsMutuallyExclusive("csv", "json")
	return c
}

// usageDays is how many days are summed up at once.
const usageDays = 366

func usageSpan(since, until string, now time.Time) (from, to time.Time, err error) {
	now = now.UTC()
	from, to = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), now.Add(time.Second)
	for _, f := range []struct {
		text string
		into *time.Time
	}{{since, &from}, {until, &to}} {
		if f.text == "" {
			continue
		}
		if *f.into, err = time.Parse(time.DateOnly, f.text); err != nil {
			return from, to, fmt.Errorf("%q is no date; want one such as 2026-11-01", f.text)
		}
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("--since %s is not before --until %s", from.Format(time.DateOnly), to.Format(time.DateOnly))
	}
	return from, to, nil
}

func usageGroups(by []string) (g state.UsageGroups, daily bool, err error) {
	for _, field := range by {
		switch field {
		case "project":
			g.Project = true
		case "user":
			g.User = true
		case "key":
			g.Key = true
		case "model":
			g.Model = true
		case "day":
			daily = true
		default:
			return g, false, fmt.Errorf("--by %q: want project, user, key, model or day", field)
		}
	}
	return g, daily, nil
}

// usageRows reads every page of a query; unless it is daily, rows of the same
// group are one.
func usageRows(ctx context.Context, books *account.Books, q account.UsageQuery, daily bool) (rows []state.UsageRow, err error) {
	at := map[state.UsageRow]int{} // of the row with these names
	for {
		page, err := books.Usage(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, bucket := range page.Buckets {
			for _, r := range bucket.Rows {
				names := state.UsageRow{Project: r.Project, User: r.User, Key: r.Key, Model: r.Model}
				i, seen := at[names]
				if daily || !seen {
					at[names] = len(rows)
					rows = append(rows, r)
					continue
				}
				sum := &rows[i]
				sum.Requests += r.Requests
				sum.InputTokens += r.InputTokens
				sum.CachedTokens += r.CachedTokens
				sum.OutputTokens += r.OutputTokens
				sum.InputCost += r.InputCost
				sum.CachedCost += r.CachedCost
				sum.OutputCost += r.OutputCost
			}
		}
		if q.Page = page.Next; q.Page == "" {
			return rows, nil
		}
	}
}

func (a *app) printUsage(rows []state.UsageRow, by state.UsageGroups, daily bool) error {
	var columns []string
	var fields []func(state.UsageRow) string
	for _, f := range []struct {
		wanted bool
		column string
		field  func(state.UsageRow) string
	}{
		{daily, "DAY", func(r state.UsageRow) string { return r.Bucket.UTC().Format(time.DateOnly) }},
		{by.Project, "PROJECT", func(r state.UsageRow) string { return r.Project }},
		{by.User, "USER", func(r state.UsageRow) string { return r.User }},
		{by.Key, "KEY", func(r state.UsageRow) string { return r.Key }},
		{by.Model, "MODEL", func(r state.UsageRow) string { return r.Model }},
		{true, "REQUESTS", func(r state.UsageRow) string { return strconv.FormatInt(r.Requests, 10) }},
		{true, "INPUT", func(r state.UsageRow) string { return strconv.FormatInt(r.InputTokens, 10) }},
		{true, "CACHED", func(r state.UsageRow) string { return strconv.FormatInt(r.CachedTokens, 10) }},
		{true, "OUTPUT", func(r state.UsageRow) string { return strconv.FormatInt(r.OutputTokens, 10) }},
		{true, "DOLLARS", func(r state.UsageRow) string { return account.Dollars(r.InputCost + r.CachedCost + r.OutputCost) }},
	} {
		if f.wanted {
			columns, fields = append(columns, f.column), append(fields, f.field)
		}
	}
	w := table(a.stdout, strings.Join(columns, "\t"))
	for _, r := range rows {
		var line []string
		for _, field := range fields {
			line = append(line, field(r))
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

// usageJSON is a row as --json prints it. Money is in dollars, exact.
type usageJSON struct {
	Day          string `json:"day,omitempty"`
	Project      string `json:"project,omitempty"`
	User         string `json:"user,omitempty"`
	Key          string `json:"key,omitempty"`
	Model        string `json:"model,omitempty"`
	Requests     int64  `json:"requests"`
	InputTokens  int64  `json:"input_tokens"`
	CachedTokens int64  `json:"cached_tokens"`
	OutputTokens int64  `json:"output_tokens"`
	Cost         string `json:"cost"`
}

func (a *app) printUsageJSON(rows []state.UsageRow, daily bool) error {
	out := []usageJSON{}
	for _, r := range rows {
		j := usageJSON{"", r.Project, r.User, r.Key, r.Model, r.Requests, r.InputTokens, r.CachedTokens, r.OutputTokens, account.Dollars(r.InputCost + r.CachedCost + r.OutputCost)}
		if daily {
			j.Day = r.Bucket.UTC().Format(time.DateOnly)
		}
		out = append(out, j)
	}
	return a.printJSON(out)
}

// printEntries writes the ledger as CSV (RFC 4180). Money is in dollars, exact.
func (a *app) printEntries(ctx context.Context, l ledger, from, to time.Time) error {
	w := csv.NewWriter(a.stdout)
	err := w.Write([]string{"id", "time", "project", "user", "key", "kind", "model", "asked",
		"input_tokens", "cached_tokens", "output_tokens", "input_cost", "cached_cost", "output_cost", "cost"})
	for e, readErr := range l.Books.Entries(ctx, l.tenant.OrganizationID, from, to) {
		if err = errors.Join(err, readErr); err != nil {
			return err
		}
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		err = w.Write([]string{e.ID, e.At.UTC().Format(time.RFC3339), e.Spender.Tenant.ProjectID, e.Spender.UserID, e.Spender.KeyID, e.Kind, e.Model, e.Asked,
			number(e.InputTokens), number(e.CachedTokens), number(e.OutputTokens),
			account.Dollars(e.InputCost), account.Dollars(e.CachedCost), account.Dollars(e.OutputCost), account.Dollars(e.Cost())})
	}
	w.Flush()
	if err != nil {
		return err
	}
	return w.Error()
}
