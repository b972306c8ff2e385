package cli

import (
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/vector"
)

// insertRow is a measurement of a database that is written to and searched.
type insertRow struct {
	Inserts      float64 `json:"inserts"`       // acknowledged points a second of the writer's clock, while another searches
	InsertsAlone float64 `json:"inserts_alone"` // a second of processor time, while nobody searches
	Searches     int     `json:"searches"`      // done meanwhile
	Recall       float64 `json:"recall"`        // of the ten nearest, of all points
	RecallHalf   float64 `json:"recall_half"`   // after half of them were deleted, of the others
}

// benchInsert is a measurement of durable inserts.
type benchInsert struct {
	base, queries string
	batch         int
	data          vectorData
}

// newBenchInsertCommand measures durable inserts.
func newBenchInsertCommand(a *app) *cobra.Command {
	b := benchInsert{}
	command := &cobra.Command{
		Use:   "insert",
		Short: "Measure durable inserts into a vector database that is searched meanwhile",
		Long: `Measure durable inserts. One goroutine inserts the vectors, each batch on the
device before the next, first alone and without an index, then while another
searches and indexes are built in the background. Then half of
the points are deleted; recall is measured before and after, with an index.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			row, err := b.run(c)
			if err != nil {
				return err
			}
			return json.NewEncoder(a.stdout).Encode(row)
		},
	}
	flags := command.Flags()
	flags.StringVar(&b.base, "base", "", "vectors to insert, .fvecs")
	flags.StringVar(&b.queries, "queries", "", "queries, .fvecs")
	flags.IntVar(&b.batch, "batch", 100, "points acknowledged together")
	command.MarkFlagRequired("base")
	command.MarkFlagRequired("queries")
	return command
}

func (b *benchInsert) run(c *cobra.Command) (row insertRow, err error) {
	if err := b.data.read(b.base, b.queries, "", 10); err != nil {
		return row, err
	}
	used := cpuTime()
	if _, err := b.fill(c, vector.Flat, nil, func(*vector.Collection) error {
		row.InsertsAlone = float64(b.data.rows()) / (cpuTime() - used).Seconds()
		return nil
	}); err != nil {
		return row, err
	}
	taken, err := b.fill(c, vector.Auto, &row.Searches, func(points *vector.Collection) error {
		return b.halve(c, points, &row)
	})
	row.Inserts = float64(b.data.rows()) / taken.Seconds()
	return row, err
}

// fill inserts all vectors into a new database with a kind of index, while another goroutine searches and
// counts if searches is not nil, and shows the collection to then.
func (b *benchInsert) fill(c *cobra.Command, kind vector.IndexKind, searches *int, then func(*vector.Collection) error) (taken time.Duration, err error) {
	dir, err := os.MkdirTemp("", "ragstone-bench-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	db, err := vector.Open(dir, vector.Options{})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	schema := vector.Schema{Vectors: map[string]vector.VectorSpec{"": {Dimensions: b.data.dimensions, Metric: vector.L2, Index: kind}}}
	points, err := db.Collection("bench", schema)
	if err != nil {
		return 0, err
	}
	done := make(chan struct{})
	var wait sync.WaitGroup
	if searches != nil {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				q := vector.Query{Vector: b.query(*searches % b.data.count())}
				if _, err := points.Search(c.Context(), q); err != nil {
					return
				}
				*searches++
			}
		})
	}
	start := time.Now()
	for from := 0; from < b.data.rows() && err == nil; from += b.batch {
		var batch []vector.Point
		for row := from; row < min(from+b.batch, b.data.rows()); row++ {
			batch = append(batch, vector.Point{ID: vector.Num(uint64(row)), Vector: b.data.base[row*b.data.dimensions : (row+1)*b.data.dimensions]})
		}
		err = points.Upsert(c.Context(), batch...)
	}
	taken = time.Since(start)
	close(done)
	wait.Wait()
	if err == nil {
		err = then(points)
	}
	return taken, err
}

func (b *benchInsert) query(i int) []float32 {
	return b.data.queries[i*b.data.dimensions : (i+1)*b.data.dimensions]
}

// halve measures recall, deletes the points with odd numbers, and measures it again.
func (b *benchInsert) halve(c *cobra.Command, points *vector.Collection, row *insertRow) (err error) {
	if err := points.Compact(c.Context()); err != nil {
		return err
	}
	if row.Recall, err = b.recall(c, points, nil); err != nil {
		return err
	}
	words := make([]uint64, (b.data.rows()+63)/64)
	var odd []vector.ID
	for i := range b.data.rows() {
		if i%2 == 1 {
			odd = append(odd, vector.Num(uint64(i)))
		} else {
			words[i/64] |= 1 << (i % 64)
		}
	}
	if _, err := points.Delete(c.Context(), vector.IDs(odd...)); err != nil {
		return err
	}
	row.RecallHalf, err = b.recall(c, points, index.NewFilter(words))
	return err
}

// recall asks all queries and compares with the nearest rows that a filter admits.
func (b *benchInsert) recall(c *cobra.Command, points *vector.Collection, left *index.Filter) (float64, error) {
	b.data.findTruth(10, left)
	answers := make([][]index.Hit, b.data.count())
	for i := range answers {
		r, err := points.Search(c.Context(), vector.Query{Vector: b.query(i), With: vector.With{WithoutPayload: true}})
		if err != nil {
			return 0, err
		}
		for _, h := range r.Hits {
			id, _ := h.ID.Number()
			answers[i] = append(answers[i], index.Hit{Row: int(id)})
		}
	}
	return b.data.recall(answers, 10), nil
}
