package vector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tuning is what Tune measured and what it advises.
type Tuning struct {
	// Params are those of the fastest row whose recall suffices, or, if none does, of the row
	// with the best recall.
	Params Params `json:"params"`
	// Recall and QPS are that row's.
	Recall float64 `json:"recall"`
	QPS    float64 `json:"qps"`
	// Reached reports whether the recall that was asked for was reached.
	Reached bool `json:"reached"`
	// Rows are all settings that were measured; the first compares everything.
	Rows []TuningRow `json:"rows"`
	// Advice says in words what was chosen and why.
	Advice string `json:"advice"`
}

// TuningRow is one setting and what the queries got with it.
type TuningRow struct {
	Params Params `json:"params"`
	// Recall is the share of the true K nearest that was found; a hit as near as the K-th counts.
	Recall float64 `json:"recall"`
	// QPS is queries a second of one goroutine, by the clock: the better of two passes.
	QPS float64 `json:"qps"`
	// Scored and Compared are points a query whose score was estimated, and computed from the
	// vector.
	Scored   float64 `json:"scored"`
	Compared float64 `json:"compared"`
}

// String names the settings that are not defaults.
func (p Params) String() string {
	var parts []string
	if p.Exact {
		return "exact"
	}
	for _, s := range []struct {
		name  string
		value float64
	}{{"ef", float64(p.EF)}, {"nprobe", float64(p.NProbe)}, {"rescore", float64(p.Rescore)}} {
		if s.value != 0 {
			parts = append(parts, fmt.Sprintf("%s=%g", s.name, s.value))
		}
	}
	if len(parts) == 0 {
		return "defaults"
	}
	return strings.Join(parts, " ")
}

// String returns the table and the advice.
func (t *Tuning) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-24s %7s %11s %10s %10s\n", "setting", "recall", "queries/s", "estimated", "compared")
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "%-24s %7.4f %11.0f %10.0f %10.0f\n", r.Params, r.Recall, r.QPS, r.Scored, r.Compared)
	}
	return b.String() + t.Advice + "\n"
}

// The settings that Tune tries, cheapest first.
var (
	tuneEF      = []int{10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024}
	tuneLists   = []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
	tuneRescore = []float32{1, 2, 4, 8, 16, 32, 64}
)

// Tune finds the settings with which a collection answers queries fastest at a recall, 0 to 1. It
// answers the queries, which name one vector and K each, exactly, and then with ever wider
// searches of the kind that the collection's indexes make. Queries should be like those to come, with
// their filters; a few hundred tell the second digit of recall. It takes what some twenty
// passes over the queries take. Other work on the machine disturbs the rates, not the recall.
func Tune(ctx context.Context, c *Collection, queries []Query, recall float64) (*Tuning, error) {
	if len(queries) == 0 || !(recall > 0 && recall <= 1) {
		return nil, invalid("tune by %d queries for a recall of %v: want at least one, and above 0 up to 1", len(queries), recall)
	}
	for i, q := range queries {
		if q.Vector == nil || q.K < 0 || q.GroupBy != "" || q.Diverse != nil || len(q.Parts) > 0 {
			return nil, invalid("tune by query %d: want a vector and k, without groups, variety or parts", i)
		}
	}
	s, err := c.Snapshot()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	t := tuner{ctx: ctx, snapshot: s, queries: slices.Clone(queries), wanted: recall}
	for i := range t.queries {
		t.queries[i].With = With{WithoutPayload: true}
	}
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("tune collection %q: %w", c.name, err)
	}
	return t.choose(), nil
}

// tuner is one run of Tune.
type tuner struct {
	ctx      context.Context
	snapshot *Snapshot
	queries  []Query
	wanted   float64
	truth    []float64 // the score of each query's last exact hit
	counts   []int     // of each query's exact hits
	distance []bool    // lower is nearer
	ways     map[string]int
	rows     []TuningRow
}

func (t *tuner) run() error {
	for _, q := range t.queries {
		number, err := t.snapshot.layout.dense(q.Using)
		if err != nil {
			return invalid("%w", err)
		}
		t.distance = append(t.distance, t.snapshot.layout.fields[number].spec.Metric.IsDistance())
	}
	if err := t.measure(Params{Exact: true}); err != nil {
		return err
	}
	if err := t.measure(Params{}); err != nil {
		return err
	}
	if t.ways["graph"]+t.ways["filtered graph"] > 0 {
		if err := t.widen(len(tuneEF), func(i int) Params { return Params{EF: tuneEF[i]} }); err != nil {
			return err
		}
	}
	if t.ways["lists"] > 0 {
		if err := t.widen(len(tuneLists), func(i int) Params { return Params{NProbe: tuneLists[i]} }); err != nil {
			return err
		}
	}
	if t.ways["lists"]+t.ways["codes"] > 0 {
		from := t.approximate()
		return t.widen(len(tuneRescore), func(i int) Params {
			p := from
			p.Rescore = tuneRescore[i]
			return p
		})
	}
	return nil
}

// approximate returns the settings of the best row that does not compare everything.
func (t *tuner) approximate() Params {
	rest := tuner{wanted: t.wanted, rows: t.rows[1:], ways: t.ways}
	return rest.choose().Params
}

// slowest is the share of the speed of an exact search below which wider searches are not tried.
// It leaves room for what disturbs one pass.
const slowest = 0.4

// widen measures settings until the recall is well above what is wanted, or the search far slower
// than an exact one.
func (t *tuner) widen(count int, params func(i int) Params) error {
	enough := 0
	for i := range count {
		if err := t.measure(params(i)); err != nil {
			return err
		}
		row := t.rows[len(t.rows)-1]
		if row.Recall >= t.wanted {
			enough++
		}
		if enough == 2 || row.Recall == 1 || row.QPS < slowest*t.rows[0].QPS {
			return nil
		}
	}
	return nil
}

// measure adds a row.
func (t *tuner) measure(p Params) error {
	row := TuningRow{Params: p}
	for range 2 {
		start := time.Now()
		found, wanted := 0, 0
		row.Scored, row.Compared = 0, 0
		ways := map[string]int{}
		for i, q := range t.queries {
			q.Params = p
			r, err := t.snapshot.Search(t.ctx, q)
			if err != nil {
				return err
			}
			if p.Exact && len(t.truth) < len(t.queries) {
				t.keep(r)
			}
			found, wanted = found+t.near(i, r), wanted+t.counts[i]
			row.Scored += float64(r.Plan.Scored) / float64(len(t.queries))
			row.Compared += float64(r.Plan.Visited) / float64(len(t.queries))
			for way, n := range r.Plan.Strategies {
				ways[way] += n
			}
		}
		t.ways = ways
		row.QPS = max(row.QPS, float64(len(t.queries))/max(time.Since(start).Seconds(), 1e-9))
		row.Recall = 1
		if wanted > 0 {
			row.Recall = float64(found) / float64(wanted)
		}
	}
	t.rows = append(t.rows, row)
	return nil
}

// keep remembers an exact answer.
func (t *tuner) keep(r *Result) {
	last := 0.0
	if len(r.Hits) > 0 {
		last = r.Hits[len(r.Hits)-1].Score
	}
	t.truth, t.counts = append(t.truth, last), append(t.counts, len(r.Hits))
}

// near counts the hits that are as near as the last exact one. Exact scores of a scan and of a
// graph may differ in the last digits.
func (t *tuner) near(i int, r *Result) (count int) {
	const rounding = 1e-5
	slack := rounding * (1 + max(t.truth[i], -t.truth[i]))
	for _, h := range r.Hits {
		if t.distance[i] && h.Score <= t.truth[i]+slack || !t.distance[i] && h.Score >= t.truth[i]-slack {
			count++
		}
	}
	return min(count, t.counts[i])
}

// choose picks the fastest row that suffices.
func (t *tuner) choose() *Tuning {
	out := &Tuning{Rows: t.rows}
	best := -1
	for i, r := range t.rows {
		suffices := r.Recall >= t.wanted
		switch {
		case best < 0, suffices && !out.Reached:
			best, out.Reached = i, suffices
		case suffices && r.QPS > t.rows[best].QPS, !out.Reached && r.Recall > t.rows[best].Recall:
			best = i
		}
	}
	row := t.rows[best]
	out.Params, out.Recall, out.QPS = row.Params, row.Recall, row.QPS
	out.Advice = t.advice(row)
	return out
}

// advice explains the choice.
func (t *tuner) advice(row TuningRow) string {
	exact := t.rows[0]
	if row.Params.Exact {
		if len(t.ways) > 0 && t.ways["graph"]+t.ways["filtered graph"]+t.ways["lists"]+t.ways["codes"] == 0 {
			return "Everything is compared: the segments have no index, because they are small or the schema says so. There is nothing to tune."
		}
		return fmt.Sprintf("Compare everything (Exact): no setting with a recall of %g was faster than the %.0f queries/s of a scan.", t.wanted, exact.QPS)
	}
	return fmt.Sprintf("Use %s: recall %.4f at %.0f queries/s, %.1f times the speed of an exact search. It was the fastest of %d settings with a recall of at least %g.",
		row.Params, row.Recall, row.QPS, row.QPS/exact.QPS, len(t.rows), t.wanted)
}
