package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/vector"
)

// newVectorsCommand works on vector databases from the command line.
func newVectorsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "vectors",
		Short: "Import, search and check vector databases",
		Long: `Work on a vector database: a folder of collections, as package vector and the
server keep them. One program at a time may have it open. A database that is
not open can be copied as a folder.`,
		Example: `  ragstone vectors import films.db films films.jsonl --metric cosine
  ragstone vectors search films.db films --vector '[0.1, 0.2, …]' --filter '{"must":[{"key":"year","range":{"lt":1960}}]}'
  ragstone vectors info films.db`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		newVectorsImportCommand(a),
		newVectorsExportCommand(a),
		newVectorsSearchCommand(a),
		newVectorsInfoCommand(a),
		newVectorsCheckCommand(a),
		newVectorsTuneCommand(a),
	)
	return c
}

// withCollection opens a database for the time of one piece of work.
func (a *app) withCollection(dir, name string, work func(*vector.Collection) error) error {
	if err := wantDatabase(dir); err != nil {
		return err
	}
	db, err := vector.Open(dir, vector.Options{})
	if err != nil {
		return err
	}
	c, err := db.Lookup(name)
	if errors.Is(err, vector.ErrNotFound) {
		err = fmt.Errorf("%w; `ragstone vectors info %s` lists what is there", err, dir)
	}
	if err == nil {
		a.warnOfDamage(c)
		err = work(c)
	}
	return errors.Join(err, db.Close())
}

// warnOfDamage says what of a collection could not be read.
func (a *app) warnOfDamage(c *vector.Collection) {
	for _, d := range c.Damage() {
		fmt.Fprintf(a.stderr, "Warning: %s was damaged (%s) and set aside: answers lack what it held. A backup may have it.\n", d.File, d.Reason)
	}
}

func newVectorsSearchCommand(a *app) *cobra.Command {
	var q vector.Query
	var vectorText, likeID, filter string
	var asJSON, plan bool
	c := &cobra.Command{
		Use:   "search FOLDER COLLECTION",
		Short: "Find the points nearest to a vector, a point or a text",
		Example: `  ragstone vectors search films.db films --vector '[0.1, 0.2]' -k 5
  ragstone vectors search films.db films --like 42 --plan
  ragstone vectors search films.db films --text "silent film" --using words`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := parseQuery(&q, vectorText, likeID, filter); err != nil {
				return &exitError{exitUsage, err}
			}
			return a.withCollection(args[0], args[1], func(collection *vector.Collection) error {
				if err := checkQuery(q, args[1], collection.Schema()); err != nil {
					return err
				}
				r, err := collection.Search(c.Context(), q)
				if err != nil {
					return searchProblem(err, likeID)
				}
				if asJSON {
					return json.NewEncoder(a.stdout).Encode(r)
				}
				return a.printHits(r, plan)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&vectorText, "vector", "", "find what is near this vector, a JSON array")
	flags.StringVar(&likeID, "like", "", "find what is near the point with this id")
	flags.StringVar(&q.Text, "text", "", "find by words; --using names the keyword index")
	flags.StringVar(&q.Using, "using", "", "name of the vector or keyword index")
	flags.StringVar(&q.Namespace, "namespace", "", "namespace to search")
	flags.StringVar(&filter, "filter", "", `condition as JSON, such as {"must":[{"key":"year","range":{"lt":1960}}]}`)
	flags.IntVarP(&q.K, "count", "k", 10, "how many to find")
	flags.IntVar(&q.Offset, "offset", 0, "how many of the best to leave out")
	flags.IntVar(&q.EF, "ef", 0, "candidates a graph search keeps; 0 is the index's choice")
	flags.IntVar(&q.NProbe, "nprobe", 0, "lists an index of lists scans; 0 is the index's choice")
	flags.Float32Var(&q.Rescore, "rescore", 0, "candidates a hit that are compared exactly where an index keeps codes; 0 is the index's choice")
	flags.BoolVar(&q.Exact, "exact", false, "compare every point")
	flags.BoolVar(&q.With.AllVectors, "with-vectors", false, "print vectors too (with --json)")
	flags.BoolVar(&plan, "plan", false, "say how the answer was found")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// parseQuery completes a query by what flags say as text.
func parseQuery(q *vector.Query, vectorText, likeID, filter string) error {
	if vectorText != "" {
		if err := json.Unmarshal([]byte(vectorText), &q.Vector); err != nil {
			return fmt.Errorf("--vector: want a JSON array of numbers: %w", plainJSON(err))
		}
		if strings.Contains(vectorText, "null") {
			return errors.New("--vector: want a JSON array of numbers: it has null")
		}
	}
	if likeID != "" {
		q.Like = &vector.Like{Positive: []vector.Example{{ID: vector.ParseID(likeID)}}}
	}
	if filter != "" {
		q.Filter = new(vector.Filter)
		if err := json.Unmarshal([]byte(filter), q.Filter); err != nil {
			return fmt.Errorf("--filter: %s", strings.TrimPrefix(plainJSON(err).Error(), "filter: "))
		}
	}
	return nil
}

// printHits prints a line for each hit, and how it was found.
func (a *app) printHits(r *vector.Result, plan bool) error {
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, h := range r.Hits {
		body, err := json.Marshal(h.Payload)
		if err != nil {
			return err
		}
		text := string(body)
		if h.Payload == nil {
			text = "{}"
		}
		fmt.Fprintf(table, "%.6g\t%v\t%s\n", h.Score, h.ID, text)
	}
	if err := table.Flush(); err != nil || !plan {
		return err
	}
	var ways []string
	for name, n := range r.Plan.Strategies {
		ways = append(ways, fmt.Sprintf("%s ×%d", name, n))
	}
	_, err := fmt.Fprintf(a.stdout, "\n%d points, %d match the filter (estimated %d); %s; %d compared, %d scored\n",
		r.Plan.Points, r.Plan.Matched, r.Plan.Estimated, strings.Join(ways, ", "), r.Plan.Visited, r.Plan.Scored)
	return err
}

// vectorsInfo is a collection as --json prints it.
type vectorsInfo struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	vector.Statistics
	Damage []vector.Damage `json:"damage,omitempty"`
}

func newVectorsInfoCommand(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "info FOLDER",
		Short:   "List a database's collections with their size and schema",
		Example: `  ragstone vectors info films.db`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			infos, err := readVectorsInfo(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"collections": infos})
			}
			table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "COLLECTION\tPOINTS\tSEGMENTS\tSIZE\tINDEXES\tSCHEMA")
			for _, i := range infos {
				fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\n", i.Name, i.Points, i.Segments, bytesUnit(i.Bytes), bytesUnit(i.IndexBytes), i.Schema)
			}
			if err := table.Flush(); err != nil {
				return err
			}
			for _, i := range infos {
				for _, d := range i.Damage {
					fmt.Fprintf(a.stderr, "%s: %s was damaged: %s\n", i.Name, d.File, d.Reason)
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func readVectorsInfo(dir string) (infos []vectorsInfo, err error) {
	if err := wantDatabase(dir); err != nil {
		return nil, err
	}
	db, err := vector.Open(dir, vector.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	names, err := db.Collections()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		c, err := db.Lookup(name)
		if err != nil {
			return nil, err
		}
		s, err := c.Statistics()
		if err != nil {
			return nil, err
		}
		infos = append(infos, vectorsInfo{name, json.RawMessage(c.Schema().String()), s, c.Damage()})
	}
	return infos, nil
}

func newVectorsCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check FOLDER",
		Short: "Verify all files of a database",
		Long: `Verify all files of a database that nobody has open: checksums, structure, every
point, and that the log follows on the segments. Nothing is changed. The exit code is
1 if anything is damaged, or the database is in use and so was not checked.`,
		Example: `  ragstone vectors check films.db`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := wantDatabase(args[0]); err != nil {
				return err
			}
			err := vector.Check(args[0])
			if errors.Is(err, vector.ErrLocked) {
				return fmt.Errorf("%s is in use and not checked: end what has it open, or check a backup of it", args[0])
			}
			if err != nil {
				return fmt.Errorf("%s is not as it should be:\n%w\nOpening it sets damaged files aside; a backup has what they held", args[0], err)
			}
			_, err = fmt.Fprintf(a.stdout, "%s is sound.\n", args[0])
			return err
		},
	}
}

// allPoints yields all points of a collection in all its namespaces.
func allPoints(ctx context.Context, s *vector.Snapshot, yield func(vector.Point) error) error {
	for namespace := range s.Namespaces() {
		for p, err := range s.Points(ctx, vector.Scroll{Namespace: namespace, With: vector.With{AllVectors: true}}) {
			if err == nil {
				err = yield(p)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
