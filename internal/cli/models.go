package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/catalog"
)

// newModelsCommand lists the models that are here and those that can be had.
func newModelsCommand(a *app) *cobra.Command {
	var asJSON, verify bool
	command := &cobra.Command{
		Use:   "models",
		Short: "List the models that are here and those that can be had",
		Long: `List the models in the store and in the catalog.

Speed says how a model runs on a laptop's processor: fast is tens of tokens a
second or more, moderate about reading speed, slow for patient people. Models
marked * are not run in our tests; those marked ! need something that this
version of Ragstone lacks, as --json says.`,
		Example: `  ragstone models
  ragstone models --verify
  ragstone models --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.models(cmd.Context(), asJSON, verify)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	command.Flags().BoolVar(&verify, "verify", false, "hash the files of every model that is here")
	return command
}

// A modelRow is one model as `ragstone models --json` prints it.
type modelRow struct {
	Name       string        `json:"name"`
	State      string        `json:"state"` // here, incomplete, damaged or available
	Task       catalog.Task  `json:"task,omitempty"`
	Family     string        `json:"family,omitempty"`
	Parameters string        `json:"parameters,omitempty"`
	Format     string        `json:"format,omitempty"`
	Context    int           `json:"context,omitempty"`
	Dimensions int           `json:"dimensions,omitempty"`
	Licence    string        `json:"licence,omitempty"`
	Terms      string        `json:"terms,omitempty"` // their address
	Bytes      int64         `json:"bytes"`
	Speed      catalog.Speed `json:"speed"`
	Listed     bool          `json:"listed"` // in the catalog
	Tested     bool          `json:"tested"`
	Needs      string        `json:"needs,omitempty"`
	Note       string        `json:"note,omitempty"`
	Path       string        `json:"path,omitempty"`
	Ref        string        `json:"ref,omitempty"`
	Problem    string        `json:"problem,omitempty"`
}

// The states of a model.
const (
	stateHere       = "here"
	stateIncomplete = "incomplete"
	stateDamaged    = "damaged"
	stateAvailable  = "available"
)

func (a *app) models(ctx context.Context, asJSON, verify bool) error {
	p := a.newPuller(termsByAsking)
	defer p.close()
	store, err := p.open()
	if err != nil {
		return err
	}
	installed, err := store.Installed()
	if err != nil {
		return err
	}
	var rows []modelRow
	unfit := 0
	for _, m := range installed {
		row := installedRow(m)
		if verify && row.State == stateHere {
			if err := store.Verify(ctx, m.Name); err != nil {
				row.State, row.Problem = stateDamaged, err.Error()
			}
		}
		if row.State != stateHere {
			unfit++
		}
		rows = append(rows, row)
	}
	for _, e := range catalog.List() {
		if !slices.ContainsFunc(rows, func(r modelRow) bool { return r.Name == e.Name }) {
			rows = append(rows, catalogRow(e))
		}
	}
	if asJSON {
		out := json.NewEncoder(a.stdout)
		out.SetIndent("", "  ")
		err = out.Encode(map[string][]modelRow{"models": rows})
	} else {
		err = a.printModels(rows)
	}
	if err == nil && verify && unfit > 0 {
		err = fmt.Errorf("%d of %d models are not as they should be: `ragstone pull MODEL` mends one", unfit, len(installed))
	}
	return err
}

func catalogRow(e catalog.Entry) modelRow {
	_, listed := catalog.Find(e.Name)
	row := modelRow{
		Name: e.Name, State: stateAvailable, Task: e.Task, Family: e.Family, Parameters: e.Size,
		Format: e.Format, Context: e.Context, Dimensions: e.Dimensions, Licence: e.Licence,
		Bytes: e.Bytes(), Speed: e.Speed(), Listed: listed, Tested: e.Tested, Needs: e.Needs, Note: e.Note,
	}
	if e.Terms != nil {
		row.Terms = e.Terms.URL
	}
	return row
}

func installedRow(m catalog.Model) modelRow {
	row := catalogRow(m.Entry)
	row.State, row.Path, row.Ref, row.Bytes = stateHere, m.Dir, m.Ref, m.Bytes
	row.Speed = catalog.SpeedOf(m.Bytes)
	if len(m.Missing) > 0 {
		row.State = stateIncomplete
		row.Problem = "missing or of the wrong size: " + strings.Join(m.Missing, ", ")
	}
	return row
}

// printModels prints a table for people: what is here first, then by task.
func (a *app) printModels(rows []modelRow) error {
	order := []catalog.Task{catalog.Chat, catalog.Base, catalog.Embed, catalog.Rerank, ""}
	slices.SortStableFunc(rows, func(x, y modelRow) int {
		return cmp.Or(
			cmp.Compare(boolRank(x.State == stateAvailable), boolRank(y.State == stateAvailable)),
			cmp.Compare(slices.Index(order, x.Task), slices.Index(order, y.Task)),
		)
	})
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tSTATE\tTASK\tSIZE\tSPEED\tLICENCE")
	for _, r := range rows {
		fmt.Fprintf(table, "%s%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, mark(r), r.State,
			orDash(string(r.Task)), bytesUnit(r.Bytes), r.Speed, orDash(r.Licence))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(a.stdout, "\n* not run in our tests   ! needs what this version lacks\n`ragstone pull MODEL` gets one that is available.\n")
	for _, r := range rows {
		if r.Problem != "" {
			fmt.Fprintf(a.stderr, "%s: %s\n", r.Name, r.Problem)
		}
	}
	return err
}

func mark(r modelRow) string {
	switch {
	case r.Needs != "":
		return " !"
	case !r.Tested:
		return " *"
	}
	return ""
}

func orDash(s string) string { return cmp.Or(s, "-") }

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
