package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/server"
	"github.com/ragstone/ragstone/internal/state"
)

// ledger is the accounts of the configured home, as commands use them.
type ledger struct {
	*account.Accounts
	tenant state.Tenant // the organization and its default project
}

// withAccounts opens the accounts of the configured home, which a server may
// have open too.
func (a *app) withAccounts(ctx context.Context, do func(context.Context, ledger) error) error {
	store, err := state.OpenWith(ctx, server.StateDir(a.config.Home), server.StateOptions(a.config))
	if err != nil {
		return err
	}
	tenant, err := store.DefaultTenant(ctx)
	if err == nil {
		var accounts *account.Accounts
		if accounts, err = server.Accounts(store, a.config); err == nil {
			err = do(ctx, ledger{accounts, tenant})
		}
	}
	return errors.Join(err, store.Close())
}

// printJSON prints a value on one line.
func (a *app) printJSON(v any) error { return json.NewEncoder(a.stdout).Encode(v) }

// table begins a table of the terminal, which is printed when it is flushed.
func table(w io.Writer, columns string) *tabwriter.Writer {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, columns)
	return t
}

// timeJSON is a time as --json prints it; null where it is not set.
func timeJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// orAny is a number of a limit; zero is none.
func orAny(n int) string {
	if n == 0 {
		return "any"
	}
	return fmt.Sprint(n)
}
