package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/rag"
)

// newIndexesCommand lists and removes what ask and search keep.
func newIndexesCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "indexes",
		Short: "List and remove the indexes of your documents",
		Long: `List and remove the indexes that ` + "`ragstone ask` and `ragstone search`" + ` keep, one for
each set of files and folders. They lie in RAGSTONE_HOME and are never removed by
themselves. Removing one loses nothing but time: the next question makes it again.`,
		Example: `  ragstone indexes list
  ragstone indexes remove ./handbook
  ragstone indexes remove --gone --unused-days 90`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newIndexesListCommand(a), newIndexesRemoveCommand(a))
	return c
}

// indexesDir is the folder of all indexes.
func (a *app) indexesDir() string { return filepath.Join(a.config.Home, "index") }

// indexJSON is an index as --json prints it.
type indexJSON struct {
	Roots     []string  `json:"roots"`
	Exclude   []string  `json:"exclude"`
	Embedding *string   `json:"embedding"` // null for keywords only
	Documents int       `json:"documents"`
	Passages  int       `json:"passages"`
	Bytes     int64     `json:"bytes"`
	Used      time.Time `json:"used"`
	Gone      bool      `json:"gone"`
	Path      string    `json:"path"`
	Problem   string    `json:"problem,omitempty"`
}

func newIndexJSON(i rag.Index) indexJSON {
	j := indexJSON{
		Roots: append([]string{}, i.Roots...), Exclude: append([]string{}, i.Exclude...),
		Documents: i.Documents, Passages: i.Passages, Bytes: i.Bytes, Used: i.Used.UTC(), Gone: i.Gone(), Path: i.Dir,
	}
	if i.Embedding != "" {
		j.Embedding = &i.Embedding
	}
	if i.Damage != nil {
		j.Problem = i.Damage.Error()
	}
	return j
}

func newIndexesListCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the indexes, the last used first",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			indexes, err := rag.Indexes(a.indexesDir())
			if err != nil {
				return err
			}
			if asJSON {
				rows := []indexJSON{}
				for _, i := range indexes {
					rows = append(rows, newIndexJSON(i))
				}
				out := json.NewEncoder(a.stdout)
				out.SetIndent("", "  ")
				return out.Encode(map[string][]indexJSON{"indexes": rows})
			}
			return a.printIndexes(indexes)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (a *app) printIndexes(indexes []rag.Index) error {
	if len(indexes) == 0 {
		fmt.Fprintln(a.stderr, "There are no indexes yet: `ragstone ask` makes one when it is asked.")
		return nil
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OF\tFILES\tPASSAGES\tSIZE\tEMBEDDING\tLAST USED")
	for _, i := range indexes {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\n", indexName(i), i.Documents, i.Passages, bytesUnit(i.Bytes),
			orDash(i.Embedding), i.Used.Local().Format(time.DateOnly))
	}
	return table.Flush()
}

// indexName tells an index by what it was made of.
func indexName(i rag.Index) string {
	name := i.Dir
	if len(i.Roots) > 0 {
		var roots []string
		for _, root := range i.Roots {
			roots = append(roots, printable(relative(root)))
		}
		name = strings.Join(roots, " ")
	}
	for _, pattern := range i.Exclude {
		name += " --exclude " + printable(pattern)
	}
	switch {
	case i.Damage != nil:
		name += " (damaged)"
	case i.Gone():
		name += " (gone)"
	}
	return name
}

// indexChoice says which indexes to remove.
type indexChoice struct {
	gone, all bool
	unused    int
	paths     []string
}

func (c indexChoice) holds(i rag.Index, now time.Time) bool {
	switch {
	case c.all,
		c.gone && i.Gone(),
		c.unused > 0 && now.Sub(i.Used) >= time.Duration(c.unused)*24*time.Hour:
		return true
	}
	return slices.ContainsFunc(c.paths, func(path string) bool { return path == i.Dir || slices.Contains(i.Roots, path) })
}

func newIndexesRemoveCommand(a *app) *cobra.Command {
	var choice indexChoice
	var dryRun bool
	c := &cobra.Command{
		Use:   "remove [FILE|FOLDER]...",
		Short: "Remove indexes: of these files and folders, or by a rule",
		Long: `Remove the indexes that were made of one of these files and folders, given as they
were to ask, and those that a rule names. The documents themselves are not touched.`,
		Example: `  ragstone indexes remove ./handbook
  ragstone indexes remove --gone              # the files and folders are no more
  ragstone indexes remove --unused-days 90 --dry-run`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case choice.unused < 0:
				return fmt.Errorf("--unused-days is %d: want at least 1", choice.unused)
			case len(args) == 0 && !choice.gone && !choice.all && choice.unused == 0:
				return errors.New("name the files and folders, or give --gone, --unused-days or --all")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, arg := range args {
				path, err := filepath.Abs(arg)
				if err != nil {
					return err
				}
				choice.paths = append(choice.paths, path)
			}
			return a.removeIndexes(choice, dryRun)
		},
	}
	c.Flags().BoolVar(&choice.gone, "gone", false, "those whose files and folders no longer exist")
	c.Flags().IntVar(&choice.unused, "unused-days", 0, "those not used for so many `days`")
	c.Flags().BoolVar(&choice.all, "all", false, "all of them")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only say which")
	return c
}

func (a *app) removeIndexes(choice indexChoice, dryRun bool) error {
	indexes, err := rag.Indexes(a.indexesDir())
	if err != nil {
		return err
	}
	verb, freed := "Removed", int64(0)
	if dryRun {
		verb = "Would remove"
	}
	var problems []error
	removed := 0
	for _, i := range indexes {
		if !choice.holds(i, time.Now()) {
			continue
		}
		if !dryRun {
			if err := rag.RemoveIndex(i.Dir); err != nil {
				problems = append(problems, err)
				continue
			}
		}
		removed++
		freed += i.Bytes
		fmt.Fprintf(a.stdout, "%s the index of %s\n", verb, indexName(i))
	}
	if removed == 0 && len(problems) == 0 {
		return misuse("no index fits; `ragstone indexes list` shows them")
	}
	fmt.Fprintf(a.stderr, "%s, %s.\n", countedIndexes(removed), bytesUnit(freed))
	return errors.Join(problems...)
}

func countedIndexes(n int) string {
	if n == 1 {
		return "1 index"
	}
	return fmt.Sprintf("%d indexes", n)
}
