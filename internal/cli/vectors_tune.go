package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/vector"
)

// vectorsTune is the choices of one tuning.
type vectorsTune struct {
	queries string // a file
	sample  int
	recall  float64
	k       int
	using   string
	filter  string
	json    bool
}

func newVectorsTuneCommand(a *app) *cobra.Command {
	var o vectorsTune
	c := &cobra.Command{
		Use:   "tune FOLDER COLLECTION",
		Short: "Find the fastest search settings for a recall",
		Long: `Find the settings with which a collection answers fastest at a recall: queries are
answered exactly and then with ever wider searches, and every setting is shown
with its recall and speed.

Queries come from a file (.fvecs, .npy or .jsonl). Without one, points of the
collection are asked for themselves and their neighbours, which is easier than
real queries are.`,
		Example: `  ragstone vectors tune films.db films --queries questions.fvecs --recall 0.98
  ragstone vectors tune films.db films --sample 200 --filter '{"must":[{"key":"year","range":{"lt":1960}}]}'`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if o.sample < 1 || o.k < 1 || !(o.recall > 0 && o.recall <= 1) {
				return &exitError{exitUsage, errors.New("--sample and -k must be positive, --recall above 0 up to 1")}
			}
			return a.withCollection(args[0], args[1], func(collection *vector.Collection) error {
				return a.tuneVectors(c.Context(), collection, o)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.queries, "queries", "", "file of query vectors")
	flags.IntVar(&o.sample, "sample", 100, "points to ask for, if there is no file; queries of the file at most")
	flags.Float64Var(&o.recall, "recall", 0.95, "share of the true nearest that must be found")
	flags.IntVarP(&o.k, "count", "k", 10, "how many to find")
	flags.StringVar(&o.using, "using", "", "name of the vector")
	flags.StringVar(&o.filter, "filter", "", "condition of every query, as JSON")
	flags.BoolVar(&o.json, "json", false, "print one JSON object")
	return c
}

func (a *app) tuneVectors(ctx context.Context, c *vector.Collection, o vectorsTune) error {
	q := vector.Query{K: o.k, Using: o.using}
	if err := parseQuery(&q, "", "", o.filter); err != nil {
		return &exitError{exitUsage, err}
	}
	vectors, err := o.vectors(ctx, c)
	if err != nil {
		return err
	}
	var queries []vector.Query
	for _, x := range vectors {
		one := q
		one.Vector = x
		queries = append(queries, one)
	}
	if len(queries) == 0 {
		return misuse("--queries %s: it has no vectors", o.queries)
	}
	if err := checkQuery(queries[0], c.Name(), c.Schema()); err != nil {
		return err
	}
	t, err := vector.Tune(ctx, c, queries, o.recall)
	if err != nil {
		return searchProblem(err, "")
	}
	if o.json {
		return json.NewEncoder(a.stdout).Encode(t)
	}
	_, err = fmt.Fprint(a.stdout, t)
	return err
}

// vectors returns the vectors to ask for.
func (o vectorsTune) vectors(ctx context.Context, c *vector.Collection) (vectors [][]float32, err error) {
	if o.queries != "" {
		return o.fromFile()
	}
	s, err := c.Snapshot()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	total, err := s.Count(ctx, "", nil)
	if err != nil {
		return nil, err
	}
	step, n := max(1, total/o.sample), 0
	for p, err := range s.Points(ctx, vector.Scroll{With: vector.With{AllVectors: true, WithoutPayload: true}}) {
		if err != nil {
			return nil, err
		}
		x := p.Vector
		if o.using != "" {
			x = p.Vectors[o.using]
		}
		if n++; n%step == 0 && x != nil && len(vectors) < o.sample {
			vectors = append(vectors, x)
		}
	}
	if len(vectors) == 0 {
		return nil, fmt.Errorf("collection %s has no points with the vector %q in its unnamed namespace", c.Name(), o.using)
	}
	return vectors, nil
}

func (o vectorsTune) fromFile() (vectors [][]float32, err error) {
	f, err := openPoints(o.queries, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for len(vectors) < o.sample {
		p, err := f.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		vectors = append(vectors, p.Vector)
	}
	return vectors, nil
}
