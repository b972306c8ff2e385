package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/index"
)

// vectorRow is one point of the trade between recall and speed.
type vectorRow struct {
	Index    string  `json:"index"`
	Setting  string  `json:"setting"`
	Recall   float64 `json:"recall"` // of the ten nearest
	QPS      float64 `json:"qps"`    // queries a second of processor time
	WallQPS  float64 `json:"wall_qps"`
	BuildCPU float64 `json:"build_cpu_s"`
	Memory   float64 `json:"memory_mb"` // resident, of the index
	Visited  float64 `json:"visited"`   // rows compared, a query
}

// benchVectors is a measurement of a vector index.
type benchVectors struct {
	base, queries, truth string
	spec                 string
	ef                   []int
	keep                 float64
	threads              int
	batch                int
	k                    int
	seconds              float64
	onCommand            bool
	kernels              string

	data   vectorData
	filter *index.Filter
	index  index.Index
	rows   []vectorRow
}

// newBenchVectorsCommand measures a vector index.
func newBenchVectorsCommand(a *app) *cobra.Command {
	var b benchVectors
	var asJSON bool
	command := &cobra.Command{
		Use:   "vectors",
		Short: "Measure a vector index",
		Long: `Measure a vector index: recall of the ten nearest and queries a second, one
query at a time, for every width of search. The rates are by processor time,
which a busy machine disturbs less; a machine that cannot tell it gives them by
the clock.

` + vectorSpecs,
		Example: `  ragstone bench vectors --base base.fvecs --queries query.fvecs --truth gt.ivecs --index graph
  ragstone bench vectors --base base.fvecs --queries query.fvecs --index ivf,lists=1024,codec=pq64x4 --ef 8,16,32 --json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			restore, err := b.validate()
			if err != nil {
				return &exitError{exitUsage, err}
			}
			defer restore()
			if b.threads > 0 {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(b.threads))
			}
			if err := b.prepare(); err != nil {
				return err
			}
			if b.onCommand {
				return b.serve(c.Context(), a)
			}
			if err := b.measure(c.Context()); err != nil {
				return err
			}
			return b.print(a, asJSON)
		},
	}
	flags := command.Flags()
	flags.StringVar(&b.base, "base", "", "vectors to index, .fvecs")
	flags.StringVar(&b.queries, "queries", "", "queries, .fvecs")
	flags.StringVar(&b.truth, "truth", "", "rows nearest to every query, .ivecs; computed if not given")
	flags.StringVar(&b.spec, "index", "graph", "the index, see above")
	flags.IntSliceVar(&b.ef, "ef", []int{10, 16, 24, 32, 48, 64, 96, 128, 200, 320}, "widths of search: ef of a graph, lists or buckets probed of others")
	flags.Float64Var(&b.keep, "filter-keep", 1, "share of the rows, chosen at random, that searches may return")
	flags.IntVar(&b.threads, "threads", 1, "threads that build and search; 0 means as many as there are")
	flags.IntVar(&b.batch, "batch", 1, "queries given at once, where an index takes batches")
	flags.Float64Var(&b.seconds, "seconds", 0.2, "processor time spent on every point, at least one pass")
	flags.StringVar(&b.kernels, "kernels", "", "kernels to use instead of the best there are: plain, avx2 or avx512")
	flags.BoolVar(&b.onCommand, "on-command", false, "build, then measure once for every line on standard input, to alternate with others")
	flags.BoolVar(&asJSON, "json", false, "print a JSON array of rows")
	command.MarkFlagRequired("base")
	command.MarkFlagRequired("queries")
	return command
}

// validate checks the flags and switches to the kernels asked for.
func (b *benchVectors) validate() (restore func(), err error) {
	b.k = 10
	if b.keep <= 0 || b.keep > 1 || b.threads < 0 || b.batch < 1 || !(b.seconds >= 0) {
		return nil, fmt.Errorf("--filter-keep must lie between 0 and 1, --batch be positive, --threads and --seconds not negative")
	}
	for _, ef := range b.ef {
		if ef < 1 {
			return nil, fmt.Errorf("--ef %d must be positive", ef)
		}
	}
	return useKernels(b.kernels)
}

// prepare reads the data and builds the index.
func (b *benchVectors) prepare() error {
	if err := b.data.read(b.base, b.queries, b.truth, b.k); err != nil {
		return err
	}
	if b.keep < 1 {
		b.filter = randomFilter(b.data.rows(), b.keep)
	}
	if b.truth == "" || b.filter != nil {
		b.data.findTruth(b.k, b.filter)
	}
	before, used := residentMB(), cpuTime()
	built, err := buildIndex(b.spec, b.data.dimensions, b.data.base, b.threads)
	if err != nil {
		return err
	}
	b.index = built
	row := vectorRow{Index: b.spec, BuildCPU: (cpuTime() - used).Seconds(), Memory: residentMB() - before}
	b.rows = slices.Repeat([]vectorRow{row}, len(b.ef))
	return nil
}

// measure fills every row.
func (b *benchVectors) measure(ctx context.Context) error {
	for i, ef := range b.ef {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.point(ef, &b.rows[i])
	}
	return nil
}

// point measures one width: the fastest pass over the queries counts.
func (b *benchVectors) point(ef int, row *vectorRow) {
	params := index.Params{EF: ef, NProbe: ef, Filter: b.filter}
	row.Setting = fmt.Sprintf("ef=%d", ef)
	answers := make([][]index.Hit, b.data.count())
	for spent := 0.0; ; {
		start, used := time.Now(), cpuTime()
		visited := b.pass(params, answers)
		wall := time.Since(start).Seconds()
		taken := (cpuTime() - used).Seconds()
		if taken == 0 {
			taken = wall
		}
		row.QPS = max(row.QPS, float64(len(answers))/taken)
		row.WallQPS = max(row.WallQPS, float64(len(answers))/wall)
		row.Visited = float64(visited) / float64(len(answers))
		if spent += max(taken, 1e-4); spent >= b.seconds {
			break
		}
	}
	row.Recall = b.data.recall(answers, b.k)
}

// batcher is an index that answers many queries at once.
type batcher interface {
	SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit
}

// pass answers every query once and returns how many rows were compared.
func (b *benchVectors) pass(p index.Params, answers [][]index.Hit) int {
	d := b.data.dimensions
	if many, ok := b.index.(batcher); ok && b.batch > 1 {
		for at := 0; at < len(answers); at += b.batch {
			last := min(at+b.batch, len(answers))
			copy(answers[at:], many.SearchBatch(b.data.queries[at*d:last*d], b.k, p))
		}
		return 0
	}
	workers := max(1, b.threads)
	visited := make([]int, workers)
	var wait sync.WaitGroup
	work := func(w int) {
		for i := w; i < len(answers); i += workers {
			hits, stats := b.index.Search(b.data.queries[i*d:(i+1)*d], b.k, p)
			answers[i] = hits
			visited[w] += stats.Visited
		}
	}
	for w := range workers - 1 {
		wait.Go(func() { work(w + 1) })
	}
	work(0)
	wait.Wait()
	sum := 0
	for _, v := range visited {
		sum += v
	}
	return sum
}

// serve measures once for every line that is read; each pass is printed as one
// JSON array on a line.
func (b *benchVectors) serve(ctx context.Context, a *app) error {
	fmt.Fprintln(a.stderr, "built; send a line for every pass")
	out := json.NewEncoder(a.stdout)
	if err := out.Encode(b.rows); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		for i := range b.rows {
			b.rows[i].QPS, b.rows[i].WallQPS = 0, 0
		}
		if err := b.measure(ctx); err != nil {
			return err
		}
		if err := out.Encode(b.rows); err != nil {
			return err
		}
	}
	return nil
}

func (b *benchVectors) print(a *app, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.stdout).Encode(b.rows)
	}
	fmt.Fprintf(a.stdout, "%s: %d vectors of %d dimensions, built in %.1f s of processor time, %.0f MB\n",
		b.spec, b.data.rows(), b.data.dimensions, b.rows[0].BuildCPU, b.rows[0].Memory)
	for _, row := range b.rows {
		if _, err := fmt.Fprintf(a.stdout, "  %-8s recall %.4f  %8.0f queries/s  %6.0f rows compared\n", row.Setting, row.Recall, row.QPS, row.Visited); err != nil {
			return err
		}
	}
	return nil
}

// randomFilter admits each row with the probability keep, the same rows every
// time.
func randomFilter(rows int, keep float64) *index.Filter {
	r := rand.New(rand.NewPCG(1, 1))
	words := make([]uint64, (rows+63)/64)
	for row := range rows {
		if r.Float64() < keep {
			words[row/64] |= 1 << (row % 64)
		}
	}
	return index.NewFilter(words)
}
