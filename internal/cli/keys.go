package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/platform/account"
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
  ragstone keys create --scope model.request --expires 720h
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
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	Admin          bool       `json:"admin"`
	Project        string     `json:"project,omitempty"`
	User           string     `json:"user,omitempty"`
	ServiceAccount string     `json:"service_account,omitempty"`
	Permission     string     `json:"permission"`
	Scopes         []string   `json:"scopes,omitempty"`
	Key            string     `json:"key,omitempty"` // of a new one only
	Redacted       string     `json:"redacted"`
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      *time.Time `json:"expires_at"`
	LastUsedAt     *time.Time `json:"last_used_at"`
	RevokedAt      *time.Time `json:"revoked_at"`
}

func newKeyJSON(k account.Key, secret string) keyJSON {
	return keyJSON{
		ID:             k.ID,
		Name:           k.Name,
		Admin:          k.Admin,
		Project:        k.Project,
		User:           k.User,
		ServiceAccount: k.ServiceAccount,
		Permission:     k.Permission,
		Scopes:         k.Scopes,
		Key:            secret,
		Redacted:       k.Redacted,
		CreatedAt:      k.CreatedAt.UTC(),
		ExpiresAt:      timeJSON(k.ExpiresAt),
		LastUsedAt:     timeJSON(k.LastUsedAt),
		RevokedAt:      timeJSON(k.RevokedAt),
	}
}

func newKeysCreateCommand(a *app) *cobra.Command {
	var o account.KeyOptions
	var user string
	var asJSON bool
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a key and show it once",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if len(o.Scopes) > 0 && o.Permission == "" {
				o.Permission = account.PermissionRestricted
			}
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				if user != "" {
					u, err := l.Organization.EnsureUser(ctx, l.tenant.OrganizationID, user)
					if err != nil {
						return err
					}
					o.User = u.ID
				}
				created, err := l.Keys.Create(ctx, o)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(newKeyJSON(created.Key, created.Secret))
				}
				fmt.Fprintf(a.stdout, "%s\n", created.Secret)
				fmt.Fprintf(a.stderr, "This is %s. It is shown this once: keep it.\n", created.ID)
				return nil
			})
		},
	}
	c.Flags().StringVar(&o.Name, "name", "", "a `NAME` to tell the key by")
	c.Flags().BoolVar(&o.Admin, "admin", false, "a key that administers the organization; it calls no models")
	c.Flags().StringVar(&o.Project, "project", "", "the `ID` of the project whose models it uses (default the first project)")
	c.Flags().StringVar(&user, "user", "", "the `E-MAIL` of the person whose it is (default the owner)")
	c.Flags().StringVar(&o.Permission, "permission", "", "`all`, read_only or restricted (default all, with --scope restricted)")
	c.Flags().StringSliceVar(&o.Scopes, "scope", nil, "a `SCOPE` of a restricted key, such as model.request; may be given several times")
	c.Flags().DurationVar(&o.Lifetime, "expires", 0, "take the key out of force after this `DURATION`, such as 720h (default never)")
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
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				list, err := l.Keys.List(ctx)
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
	return a.printJSON(rows)
}

func (a *app) printKeys(list []account.Key) error {
	if len(list) == 0 {
		fmt.Fprintln(a.stderr, "There are no keys yet: `ragstone keys create` makes one.")
		return nil
	}
	w := table(a.stdout, "ID\tKEY\tKIND\tMAY\tCREATED\tSTATE\tNAME")
	for _, k := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Redacted, keyKind(k), keyMay(k), k.CreatedAt.Format(time.DateOnly), keyState(k), k.Name)
	}
	return w.Flush()
}

func keyKind(k account.Key) string {
	switch {
	case k.Admin:
		return "admin"
	case k.ServiceAccount != "":
		return "service account"
	}
	return "project"
}

func keyMay(k account.Key) string {
	if k.Permission == account.PermissionRestricted {
		return strings.Join(k.Scopes, ",")
	}
	return k.Permission
}

func keyState(k account.Key) string {
	switch {
	case !k.RevokedAt.IsZero():
		return "revoked " + k.RevokedAt.Format(time.DateOnly)
	case !k.InForce():
		return "expired " + k.ExpiresAt.Format(time.DateOnly)
	case !k.ExpiresAt.IsZero():
		return "in force until " + k.ExpiresAt.Format(time.DateTime)
	}
	return "in force"
}

func newKeysRevokeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Take a key out of force for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				if err := l.Keys.Revoke(ctx, args[0]); err != nil {
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
