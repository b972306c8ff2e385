package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/state"
)

// newProjectsCommand makes, lists and archives projects.
func newProjectsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "projects",
		Short: "Make, list and archive projects of the server",
		Long: `Make, list, rename and archive the projects of the server's organization.

A project has keys, limits, budgets and stored objects of its own, which no other
project's key can see. The server need not run; if it does, a change holds from
the next request on.`,
		Example: `  ragstone projects create search
  ragstone keys create --project proj_2vJq…
  ragstone projects archive proj_2vJq…`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newProjectsCreateCommand(a), newProjectsListCommand(a), newProjectsRenameCommand(a), newProjectsArchiveCommand(a))
	return c
}

// projectJSON is a project as --json prints it.
type projectJSON struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	ArchivedAt *time.Time `json:"archived_at"`
}

func newProjectJSON(p state.Project) projectJSON {
	return projectJSON{p.ID, p.Name, p.CreatedAt.UTC(), timeJSON(p.ArchivedAt)}
}

func newProjectsCreateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "create NAME",
		Short: "Make a project and print its id",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				p, err := l.Organization.CreateProject(ctx, l.tenant.OrganizationID, args[0])
				if err == nil {
					fmt.Fprintln(a.stdout, p.ID)
				}
				return err
			})
		},
	}
}

func newProjectsListCommand(a *app) *cobra.Command {
	var asJSON, archivedToo bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the projects",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				projects, err := allProjects(ctx, l, archivedToo)
				if err != nil {
					return err
				}
				if asJSON {
					rows := []projectJSON{}
					for _, p := range projects {
						rows = append(rows, newProjectJSON(p))
					}
					return a.printJSON(rows)
				}
				w := table(a.stdout, "ID\tCREATED\tSTATE\tNAME")
				for _, p := range projects {
					state := "active"
					if !p.ArchivedAt.IsZero() {
						state = "archived " + p.ArchivedAt.Format(time.DateOnly)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.ID, p.CreatedAt.Format(time.DateOnly), state, p.Name)
				}
				return w.Flush()
			})
		},
	}
	c.Flags().BoolVar(&archivedToo, "archived", false, "the archived ones too")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return c
}

// allProjects reads every page, oldest first.
func allProjects(ctx context.Context, l ledger, archivedToo bool) (all []state.Project, err error) {
	for page := (state.Page{Limit: 100}); ; {
		projects, more, err := l.Organization.Projects(ctx, l.tenant.OrganizationID, archivedToo, page)
		all = append(all, projects...)
		if err != nil || !more {
			return all, err
		}
		page.After = all[len(all)-1].ID
	}
}

func newProjectsRenameCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "rename ID NAME",
		Short: "Give a project another name",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				_, err := l.Organization.RenameProject(ctx, l.tenant.OrganizationID, args[0], args[1])
				return err
			})
		},
	}
}

func newProjectsArchiveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "archive ID",
		Short: "Close a project and all its keys for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withAccounts(c.Context(), func(ctx context.Context, l ledger) error {
				p, err := l.Organization.ArchiveProject(ctx, l.tenant.OrganizationID, args[0])
				if err == nil {
					fmt.Fprintf(a.stdout, "%s (%s) is archived: its keys are refused.\n", p.ID, p.Name)
				}
				return err
			})
		},
	}
}
