package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/server"
	"github.com/ragstone/ragstone/internal/state"
)

// newKeysCommand makes, lists and revokes the server's API keys.
func newKeysCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke API keys of the server",
		Long: `Make, list and revoke the keys that ` + "`ragstone serve`" + ` asks for.

The server need not run. If it does, a new key works and a revoked one is
refused from the next request on. Keys are stored hashed: a key is shown once,
when it is made.`,
		Example: `  ragstone keys create --name laptop
  ragstone keys list
  ragstone keys revoke key_2vJq…`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newKeysCreateCommand(a), newKeysListCommand(a), newKeysRevokeCommand(a))
	return c
}

// keyJSON is a key as --json prints it.
type keyJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Admin     bool       `json:"admin"`
	Key       string     `json:"key,omitempty"` // of a new one only
	Redacted  string     `json:"redacted"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at"`
}

func newKeyJSON(k account.Key, secret string) keyJSON {
	j := keyJSON{ID: k.ID, Name: k.Name, Admin: k.Admin, Key: secret, Redacted: k.Redacted, CreatedAt: k.CreatedAt.UTC()}
	if !k.RevokedAt.IsZero() {
		at := k.RevokedAt.UTC()
		j.RevokedAt = &at
	}
	return j
}

func newKeysCreateCommand(a *app) *cobra.Command {
	var o account.KeyOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a key and show it once",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKeys(c.Context(), func(ctx context.Context, keys *account.Keys) error {
				created, err := keys.Create(ctx, o)
				if errors.Is(err, account.ErrName) {
					return &exitError{exitUsage, err}
				}
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(a.stdout).Encode(newKeyJSON(created.Key, created.Secret))
				}
				fmt.Fprintf(a.stdout, "%s\n", created.Secret)
				fmt.Fprintf(a.stderr, "This is %s. It is shown this once: keep it.\n", created.ID)
				return nil
			})
		},
	}
	c.Flags().StringVar(&o.Name, "name", "", "a `NAME` to tell the key by")
	c.Flags().BoolVar(&o.Admin, "admin", false, "a key that administers the organization; it calls no models")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func newKeysListCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the keys, revoked ones included",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withKeys(c.Context(), func(ctx context.Context, keys *account.Keys) error {
				list, err := keys.List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printKeysJSON(list)
				}
				return a.printKeys(list)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

func (a *app) printKeysJSON(list []account.Key) error {
	rows := make([]keyJSON, len(list))
	for i, k := range list {
		rows[i] = newKeyJSON(k, "")
	}
	return json.NewEncoder(a.stdout).Encode(rows)
}

func (a *app) printKeys(list []account.Key) error {
	if len(list) == 0 {
		fmt.Fprintln(a.stderr, "There are no keys yet: `ragstone keys create` makes one.")
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKEY\tKIND\tCREATED\tSTATE\tNAME")
	for _, k := range list {
		kind, state := "project", "in force"
		if k.Admin {
			kind = "admin"
		}
		if !k.RevokedAt.IsZero() {
			state = "revoked " + k.RevokedAt.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Redacted, kind, k.CreatedAt.Format(time.DateOnly), state, k.Name)
	}
	return w.Flush()
}

func newKeysRevokeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Take a key out of force for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withKeys(c.Context(), func(ctx context.Context, keys *account.Keys) error {
				if err := keys.Revoke(ctx, args[0]); err != nil {
					if errors.Is(err, account.ErrNoSuchKey) {
						return fmt.Errorf("%w; `ragstone keys list` shows the ids", err)
					}
					return err
				}
				fmt.Fprintf(a.stdout, "%s is revoked.\n", args[0])
				return nil
			})
		},
	}
}

// withKeys opens the keys of the configured home.
func (a *app) withKeys(ctx context.Context, do func(context.Context, *account.Keys) error) error {
	store, err := state.Open(ctx, server.StateDir(a.config.Home))
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, account.NewKeys(store)), store.Close())
}
