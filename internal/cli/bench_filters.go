package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/vector"
)

// filterRow is one point of the trade between recall and speed under the filters of
// one case.
type filterRow struct {
	Case     int            `json:"case"`
	Setting  string         `json:"setting"`
	Recall   float64        `json:"recall"` // of the ten nearest
	QPS      float64        `json:"qps"`    // queries a second of processor time
	WallQPS  float64        `json:"wall_qps"`
	Missing  int            `json:"missing"` // hits fewer than min(k, matches), over all queries
	Strategy map[string]int `json:"strategies"`
}

// benchFilters is a measurement of filtered searches in a database on disk.
type benchFilters struct {
	base, queries, fields, wanted string

	ef      []int
	threads int
	seconds float64
	k       int

	data      vectorData
	values    []int32 // of every base vector, one a case
	asked     []int32 // of every query, likewise
	cases     int
	truth     [][][]int32 // by case and query
	questions [][]vector.Query
	points    *vector.Collection
}

// newBenchFiltersCommand measures filtered searches.
func newBenchFiltersCommand(a *app) *cobra.Command {
	var b benchFilters
	command := &cobra.Command{
		Use:   "filters",
		Short: "Measure filtered searches in a vector database",
		Long: `Measure filtered searches. The vectors go into a database in a temporary
folder, each with a payload of whole numbers, which are indexed there. A case is
one key of the payload: every query wants the points that have its number there.
It is built, then measured once for every line on standard input; each pass is
one line, a JSON array with a row for every case and width of search, and one for
comparing every point that the filter holds for ("exact").`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "ragstone-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			db, err := vector.Open(dir, vector.Options{Threads: b.threads})
			if err != nil {
				return err
			}
			defer db.Close()
			b.k = 10
			if err := b.prepare(c.Context(), db); err != nil {
				return err
			}
			return b.serve(c.Context(), a)
		},
	}
	flags := command.Flags()
	flags.StringVar(&b.base, "base", "", "vectors to index, .fvecs")
	flags.StringVar(&b.queries, "queries", "", "queries, .fvecs")
	flags.StringVar(&b.fields, "fields", "", "of every vector, its number in every case, .ivecs")
	flags.StringVar(&b.wanted, "wanted", "", "of every query, the number it wants in every case, .ivecs")
	flags.IntSliceVar(&b.ef, "ef", []int{10, 16, 24, 32, 48, 64, 96, 128}, "widths of search")
	flags.IntVar(&b.threads, "threads", 1, "goroutines that search")
	flags.Float64Var(&b.seconds, "seconds", 0.2, "processor time spent on every point, at least one pass")
	for _, name := range []string{"base", "queries", "fields", "wanted"} {
		command.MarkFlagRequired(name)
	}
	return command
}

// prepare reads the data, computes what is right, and builds the database.
func (b *benchFilters) prepare(ctx context.Context, db *vector.DB) error {
	if err := b.data.read(b.base, b.queries, "", b.k); err != nil {
		return err
	}
	same := func(bits uint32) int32 { return int32(bits) }
	var width int
	var err error
	if b.values, b.cases, err = readVectors(b.fields, same); err != nil {
		return err
	}
	if b.asked, width, err = readVectors(b.wanted, same); err != nil {
		return err
	}
	if width != b.cases || len(b.values) != b.cases*b.data.rows() || len(b.asked) != b.cases*b.data.count() {
		return fmt.Errorf("%s and %s do not fit the vectors: %d numbers of %d and %d of %d", b.fields, b.wanted, len(b.values), b.cases, len(b.asked), width)
	}
	b.ask()
	return b.fill(ctx, db)
}

// key is the payload key of a case.
func (b *benchFilters) key(i int) string { return fmt.Sprintf("case%d", i) }

// ask makes the queries of every case and computes their answers.
func (b *benchFilters) ask() {
	d := b.data.dimensions
	for c := range b.cases {
		byValue := map[int32][]int{}
		for row := range b.data.rows() {
			v := b.values[row*b.cases+c]
			byValue[v] = append(byValue[v], row)
		}
		filters := map[int32]*index.Filter{}
		for v, rows := range byValue {
			filters[v] = index.FilterOf(rows...)
		}
		flat := index.NewFlat(index.L2, d, b.data.base)
		var truth [][]int32
		var questions []vector.Query
		for i := range b.data.count() {
			v, query := b.asked[i*b.cases+c], b.data.queries[i*d:(i+1)*d]
			filter := filters[v]
			if filter == nil {
				filter = index.FilterOf()
			}
			var near []int32
			hits, _ := flat.Search(query, b.k, index.Params{Filter: filter})
			for _, h := range hits {
				near = append(near, int32(h.Row))
			}
			truth = append(truth, near)
			questions = append(questions, vector.Query{Vector: query, K: b.k, With: vector.With{WithoutPayload: true}, Filter: vector.All(vector.Match{Key: b.key(c), Value: int(v)})})
		}
		b.truth, b.questions = append(b.truth, truth), append(b.questions, questions)
	}
}

// fill puts the vectors into one segment of a collection.
func (b *benchFilters) fill(ctx context.Context, db *vector.DB) error {
	schema := vector.Dense(b.data.dimensions, vector.L2)
	schema.Payload = map[string]vector.PayloadIndex{}
	for c := range b.cases {
		schema.Payload[b.key(c)] = vector.KeywordIndex
	}
	var err error
	if b.points, err = db.Collection("bench", schema); err != nil {
		return err
	}
	const batch = 1000
	for from := 0; from < b.data.rows(); from += batch {
		var points []vector.Point
		for row := from; row < min(from+batch, b.data.rows()); row++ {
			p := vector.Point{ID: vector.Num(uint64(row)), Vector: b.data.base[row*b.data.dimensions : (row+1)*b.data.dimensions], Payload: vector.Payload{}}
			for c := range b.cases {
				p.Payload[b.key(c)] = int(b.values[row*b.cases+c])
			}
			points = append(points, p)
		}
		if err := b.points.Upsert(ctx, points...); err != nil {
			return err
		}
	}
	return b.points.Compact(ctx)
}

// serve measures once for every line that is read.
func (b *benchFilters) serve(ctx context.Context, a *app) error {
	out := json.NewEncoder(a.stdout)
	if err := out.Encode([]filterRow{}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		rows := []filterRow{}
		for c := range b.cases {
			for _, ef := range append([]int{0}, b.ef...) {
				row, err := b.point(ctx, c, ef)
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
		}
		if err := out.Encode(rows); err != nil {
			return err
		}
	}
	return nil
}

// point measures one case with one width, or, with none, exactly: the fastest pass
// over the queries counts.
func (b *benchFilters) point(ctx context.Context, c, ef int) (filterRow, error) {
	row := filterRow{Case: c, Setting: fmt.Sprintf("ef=%d", ef), Strategy: map[string]int{}}
	params := vector.Params{EF: ef, Exact: ef == 0}
	if ef == 0 {
		row.Setting = "exact"
	}
	answers := make([]*vector.Result, b.data.count())
	for spent := 0.0; ; {
		start, used := time.Now(), cpuTime()
		if err := b.pass(ctx, c, params, answers); err != nil {
			return row, err
		}
		wall := time.Since(start).Seconds()
		taken := (cpuTime() - used).Seconds()
		if taken == 0 {
			taken = wall
		}
		row.QPS = max(row.QPS, float64(len(answers))/taken)
		row.WallQPS = max(row.WallQPS, float64(len(answers))/wall)
		if spent += max(taken, 1e-4); spent >= b.seconds {
			break
		}
	}
	right, wanted := 0, 0
	for i, r := range answers {
		near := map[uint64]bool{}
		for _, id := range b.truth[c][i] {
			near[uint64(id)] = true
		}
		wanted += len(near)
		row.Missing += len(near) - len(r.Hits)
		for _, h := range r.Hits {
			if id, ok := h.ID.Number(); ok && near[id] {
				right++
			}
		}
		for name, n := range r.Plan.Strategies {
			row.Strategy[name] += n
		}
	}
	row.Recall = 1
	if wanted > 0 {
		row.Recall = float64(right) / float64(wanted)
	}
	return row, nil
}

// pass answers every query of a case once.
func (b *benchFilters) pass(ctx context.Context, c int, p vector.Params, answers []*vector.Result) error {
	errs := make([]error, max(1, b.threads))
	var wait sync.WaitGroup
	for w := range errs {
		wait.Go(func() {
			for i := w; i < len(answers) && errs[w] == nil; i += len(errs) {
				q := b.questions[c][i]
				q.Params = p
				answers[i], errs[w] = b.points.Search(ctx, q)
			}
		})
	}
	wait.Wait()
	return firstError(errs...)
}
