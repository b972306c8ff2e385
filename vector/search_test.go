package vector

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newCollection opens a collection in a fresh folder, which is checked when the
// test ends.
func newCollection(t testing.TB, schema Schema) *Collection {
	t.Helper()
	return newCollectionWith(t, schema, Options{})
}

func newCollectionWith(t testing.TB, schema Schema, options Options) *Collection {
	t.Helper()
	dir := t.TempDir()
	db, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := Check(dir); err != nil {
			t.Error(err)
		}
	})
	c, err := db.Collection("test", schema)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func upsert(t testing.TB, c *Collection, points ...Point) {
	t.Helper()
	if err := c.Upsert(t.Context(), points...); err != nil {
		t.Fatal(err)
	}
}

func search(t testing.TB, c *Collection, q Query) *Result {
	t.Helper()
	r, err := c.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ids are the hits' IDs in order, as text.
func ids(hits []Hit) string {
	var list []string
	for _, h := range hits {
		list = append(list, h.ID.String())
	}
	return strings.Join(list, " ")
}

// inEveryPlace runs a test on points in memory, in a segment, and spread over
// both.
func inEveryPlace(t *testing.T, schema Schema, points []Point, test func(t *testing.T, c *Collection)) {
	for _, place := range []struct {
		name string
		cut  int
	}{{"memory", 0}, {"segment", len(points)}, {"both", len(points) / 2}} {
		t.Run(place.name, func(t *testing.T) {
			c := newCollection(t, schema)
			if place.cut > 0 {
				upsert(t, c, points[:place.cut]...)
				if err := c.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if place.cut < len(points) {
				upsert(t, c, points[place.cut:]...)
			}
			test(t, c)
		})
	}
}

func TestScoresOfEveryMetric(t *testing.T) {
	for _, m := range []struct {
		metric Metric
		want   string
	}{
		{Cosine, "a 1.00, b 0.60, c 0.00"},
		{Dot, "b 3.00, a 2.00, c 0.00"},
		{L2, "a 1.00, c 1.00, b 4.47"},
		{L1, "a 1.00, c 1.00, b 6.00"},
	} {
		points := []Point{
			{ID: Str("a"), Vector: []float32{2, 0}},
			{ID: Str("b"), Vector: []float32{3, 4}},
			{ID: Str("c"), Vector: []float32{0, 0}},
		}
		inEveryPlace(t, Dense(2, m.metric), points, func(t *testing.T, c *Collection) {
			var got []string
			for _, h := range search(t, c, Query{Vector: []float32{1, 0}}).Hits {
				got = append(got, fmt.Sprintf("%v %.2f", h.ID, h.Score))
			}
			if strings.Join(got, ", ") != m.want {
				t.Errorf("%s: got %v, want %s", m.metric, got, m.want)
			}
		})
	}
}

func TestBinaryMetrics(t *testing.T) {
	points := []Point{
		{ID: Str("a"), Vector: []float32{1, 1, 0, 0}},
		{ID: Str("b"), Vector: []float32{1, 1, 1, 1}},
		{ID: Str("c"), Vector: []float32{0, 0, 0, 0}},
	}
	for metric, want := range map[Metric]string{Hamming: "a 0.00, b 2.00, c 2.00", Jaccard: "a 1.00, b 0.50, c 0.00"} {
		schema := Schema{Vectors: map[string]VectorSpec{"": {Dimensions: 4, Metric: metric, Storage: Binary}}}
		inEveryPlace(t, schema, points, func(t *testing.T, c *Collection) {
			var got []string
			for _, h := range search(t, c, Query{Vector: []float32{5, 0.5, -1, 0}}).Hits {
				got = append(got, fmt.Sprintf("%v %.2f", h.ID, h.Score))
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("%s: got %v, want %s", metric, got, want)
			}
		})
	}
}

func TestStoredVectorsComeBack(t *testing.T) {
	given := []float32{1, -2.5, 127, 0}
	for storage, want := range map[Storage][]float32{
		Float32: given, Float16: given, Binary: {1, 0, 1, 0},
		Int8: {1, -2, 127, 0}, // in steps of 1, halves to even
	} {
		spec := VectorSpec{Dimensions: 4, Storage: storage}
		if storage == Binary {
			spec.Metric = Hamming
		}
		points := []Point{{ID: Num(1), Vector: given}}
		inEveryPlace(t, Schema{Vectors: map[string]VectorSpec{"": spec}}, points, func(t *testing.T, c *Collection) {
			got, err := c.Get(t.Context(), Num(1))
			if err != nil || len(got) != 1 || !slices.Equal(got[0].Vector, want) {
				t.Errorf("%s: got %v, %v, want %v", storage, got, err, want)
			}
		})
	}
}

func TestLimitsAndPages(t *testing.T) {
	var points []Point
	for i := range 20 {
		points = append(points, Point{ID: Num(uint64(i)), Vector: []float32{float32(i)}})
	}
	inEveryPlace(t, Dense(1, L2), points, func(t *testing.T, c *Collection) {
		near, all := 3.0, Query{Vector: []float32{5}, K: -1}
		all.Limit = &near
		if got, want := ids(search(t, c, all).Hits), "5 4 6 3 7 2 8"; got != want {
			t.Errorf("all within 3: got %s, want %s", got, want)
		}
		if got, want := ids(search(t, c, Query{Vector: []float32{5}, K: 2, Offset: 3}).Hits), "3 7"; got != want {
			t.Errorf("second page: got %s, want %s", got, want)
		}
		if got := search(t, c, Query{Vector: []float32{5}, Offset: 30}).Hits; len(got) > 0 {
			t.Errorf("a page beyond the end: got %v", got)
		}
	})
}

func TestSparseVectors(t *testing.T) {
	sparse := func(v ...float32) map[string]Sparse {
		s := Sparse{}
		for i := 0; i < len(v); i += 2 {
			s.Indices, s.Values = append(s.Indices, uint32(v[i])), append(s.Values, v[i+1])
		}
		return map[string]Sparse{"terms": s}
	}
	points := []Point{
		{ID: Str("a"), Sparse: sparse(100, 1, 7, 2)},
		{ID: Str("b"), Sparse: sparse(7, 3)},
		{ID: Str("none")},
		{ID: Str("other"), Sparse: sparse(8, 9)},
	}
	inEveryPlace(t, Schema{Sparse: []string{"terms"}}, points, func(t *testing.T, c *Collection) {
		q := sparse(7, 1, 100, 5, 9, 1)["terms"]
		r := search(t, c, Query{Sparse: &q, Using: "terms", With: With{AllVectors: true}})
		if got, want := ids(r.Hits), "a b"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if r.Hits[0].Score != 7 {
			t.Errorf("score: got %v, want 7", r.Hits[0].Score)
		}
		if want := (Sparse{Indices: []uint32{7, 100}, Values: []float32{2, 1}}); !cmp.Equal(r.Hits[0].Sparse["terms"], want) {
			t.Errorf("got %v, want %v", r.Hits[0].Sparse, want)
		}
	})
}

func TestMultiVectors(t *testing.T) {
	points := []Point{
		{ID: Str("both"), Multi: map[string][][]float32{"tokens": {{1, 0}, {0, 1}}}},
		{ID: Str("one"), Multi: map[string][][]float32{"tokens": {{1, 0}}}},
		{ID: Str("none")},
	}
	schema := Schema{Vectors: map[string]VectorSpec{"tokens": {Dimensions: 2, Metric: Dot, Multi: true}}}
	inEveryPlace(t, schema, points, func(t *testing.T, c *Collection) {
		r := search(t, c, Query{Multi: [][]float32{{2, 0}, {0, 3}}, Using: "tokens"})
		if got, want := fmt.Sprintf("%s: %v %v", ids(r.Hits), r.Hits[0].Score, r.Hits[1].Score), "both one: 5 2"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestKeywords(t *testing.T) {
	points := []Point{
		{ID: Num(1), Payload: Payload{"title": "Metropolis", "text": "a city of the future, its machines and its workers"}},
		{ID: Num(2), Payload: Payload{"title": "Modern Times", "text": "a worker and the machine"}},
		{ID: Num(3), Payload: Payload{"title": "Sunrise", "text": "a song of two humans"}},
		{ID: Num(4)},
	}
	schema := Schema{Keywords: map[string]KeywordSpec{"words": {Keys: []string{"title", "text"}}}}
	inEveryPlace(t, schema, points, func(t *testing.T, c *Collection) {
		if got, want := ids(search(t, c, Query{Text: "modern machines", Using: "words"}).Hits), "2 1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		f := Not(Match{"title", "Modern Times"})
		if got, want := ids(search(t, c, Query{Text: "modern machines", Using: "words", Filter: f}).Hits), "1"; got != want {
			t.Errorf("filtered: got %s, want %s", got, want)
		}
	})
}

func hybridPoints() (Schema, []Point) {
	schema := Dense(2, Cosine)
	schema.Keywords = map[string]KeywordSpec{"words": {Keys: []string{"text"}}}
	return schema, []Point{
		{ID: Str("vector only"), Vector: []float32{1, 0}, Payload: Payload{"text": "nothing"}},
		{ID: Str("both"), Vector: []float32{0.9, 0.1}, Payload: Payload{"text": "whale"}},
		{ID: Str("words only"), Vector: []float32{-1, 0}, Payload: Payload{"text": "whale whale"}},
	}
}

func TestFusion(t *testing.T) {
	schema, points := hybridPoints()
	inEveryPlace(t, schema, points, func(t *testing.T, c *Collection) {
		for _, method := range []FusionMethod{RRF, RelativeScore, Distribution, Convex} {
			r := search(t, c, Query{Fusion: Fusion{Method: method}, Parts: []Part{
				{Vector: []float32{1, 0}, K: 2}, {Text: "whale", Using: "words"},
			}})
			if r.Hits[0].ID != Str("both") && (method == RRF || method == Convex) { // with two hits a part the others tie
				t.Errorf("%s: got %s, want both first", method, ids(r.Hits))
			}
			if len(r.Hits) != 3 || len(r.Plan.Parts) != 2 {
				t.Errorf("%s: got %d hits, plan %+v", method, len(r.Hits), r.Plan)
			}
			last := r.Hits[slices.IndexFunc(r.Hits, func(h Hit) bool { return h.ID == Str("words only") })]
			if last.Parts[0].Rank != 0 || last.Parts[1].Rank == 0 {
				t.Errorf("%s: %v is placed %+v, want no rank in the first part", method, last.ID, last.Parts)
			}
		}
	})
}

func TestRRFByHand(t *testing.T) {
	schema, points := hybridPoints()
	c := newCollection(t, schema)
	upsert(t, c, points...)
	r := search(t, c, Query{Fusion: Fusion{RankConstant: 1}, Parts: []Part{
		{Vector: []float32{1, 0}, K: 2, Weight: 2}, {Text: "whale", Using: "words"},
	}})
	got := map[string]float64{}
	for _, h := range r.Hits {
		got[h.ID.String()] = math.Round(h.Score*1e6) / 1e6
	}
	want := map[string]float64{"vector only": 1, "both": 1, "words only": 0.5} // 2/2; 2/3+1/3; 1/2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
}

func TestGroupsHoldTheBestOfEach(t *testing.T) {
	var points []Point
	for i := range 60 {
		p := Point{ID: Num(uint64(i)), Vector: []float32{float32(i)}, Payload: Payload{"author": fmt.Sprint("author ", i%3)}}
		if i == 0 {
			p.Payload = nil
		}
		points = append(points, p)
	}
	inEveryPlace(t, Dense(1, L2), points, func(t *testing.T, c *Collection) {
		r := search(t, c, Query{Vector: []float32{0}, GroupBy: "author", K: 2, GroupSize: 2})
		var got []string
		for _, g := range r.Groups {
			got = append(got, fmt.Sprint(g.Value, ": ", ids(g.Hits)))
		}
		if want := []string{"author 1: 1 4", "author 2: 2 5"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestLikeGoesFromTheNegativeToThePositive(t *testing.T) {
	points := []Point{
		{ID: Str("wanted"), Vector: []float32{1, 0}},
		{ID: Str("unwanted"), Vector: []float32{0, 1}},
		{ID: Str("beyond"), Vector: []float32{2, -1}},
		{ID: Str("between"), Vector: []float32{1, 1}},
	}
	inEveryPlace(t, Dense(2, L2), points, func(t *testing.T, c *Collection) {
		like := &Like{Positive: []Example{{ID: Str("wanted")}}, Negative: []Example{{ID: Str("unwanted")}}}
		if got, want := ids(search(t, c, Query{Like: like}).Hits), "beyond between"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if _, err := c.Search(t.Context(), Query{Like: &Like{Positive: []Example{{ID: Str("nobody")}}}}); err == nil {
			t.Error("an example that is not there: no error")
		}
	})
}

func TestDiverseHitsAreNotAllAlike(t *testing.T) {
	points := []Point{
		{ID: Str("a"), Vector: []float32{1, 0.1}}, {ID: Str("a'"), Vector: []float32{1, 0.11}},
		{ID: Str("b"), Vector: []float32{1, -0.6}},
	}
	inEveryPlace(t, Dense(2, Cosine), points, func(t *testing.T, c *Collection) {
		q := Query{Vector: []float32{1, 0}, K: 2}
		if got, want := ids(search(t, c, q).Hits), "a a'"; got != want {
			t.Errorf("nearest: got %s, want %s", got, want)
		}
		q.Diverse = &Diverse{Lambda: 0.3}
		if got, want := ids(search(t, c, q).Hits), "a b"; got != want {
			t.Errorf("diverse: got %s, want %s", got, want)
		}
	})
}

func TestPrefixSearchesThenRescores(t *testing.T) {
	points := []Point{
		{ID: Str("far behind"), Vector: []float32{1, 0, 9, 0}},
		{ID: Str("near"), Vector: []float32{1, 0.1, 0, 0}},
		{ID: Str("away"), Vector: []float32{0, 1, 0, 0}},
	}
	inEveryPlace(t, Dense(4, Cosine), points, func(t *testing.T, c *Collection) {
		r := search(t, c, Query{Vector: []float32{1, 0, 0, 0}, Prefix: 2, K: 2})
		if got, want := ids(r.Hits), "near far behind"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	c := newCollection(t, Dense(2, Cosine))
	nan := float32(math.NaN())
	for what, p := range map[string]Point{
		"no ID":             {Vector: []float32{1, 2}},
		"an empty ID":       {ID: Str(""), Vector: []float32{1, 2}},
		"NaN":               {ID: Num(1), Vector: []float32{1, nan}},
		"infinity":          {ID: Num(1), Vector: []float32{1, float32(math.Inf(1))}},
		"another length":    {ID: Num(1), Vector: []float32{1}},
		"an unknown vector": {ID: Num(1), Vectors: map[string][]float32{"x": {1}}},
		"an unknown sparse": {ID: Num(1), Sparse: map[string]Sparse{"x": {Indices: []uint32{1}, Values: []float32{1}}}},
		"NaN in a payload":  {ID: Num(1), Payload: Payload{"x": math.NaN()}},
		"a zero byte":       {ID: Num(1), Namespace: "a\x00b"},
	} {
		if err := c.Upsert(t.Context(), Point{ID: Num(9), Vector: []float32{1, 2}}, p); !strings.Contains(fmt.Sprint(err), "invalid") {
			t.Errorf("%s: got error %v, want ErrInvalid", what, err)
		}
	}
	for what, q := range map[string]Query{
		"nothing":           {},
		"two targets":       {Vector: []float32{1, 2}, Text: "x"},
		"NaN":               {Vector: []float32{1, nan}},
		"another length":    {Vector: []float32{1}},
		"an unknown vector": {Vector: []float32{1}, Using: "x"},
		"all without limit": {Vector: []float32{1, 2}, K: -1},
		"a wrong filter":    {Vector: []float32{1, 2}, Filter: &Filter{Must: []Condition{Range{Key: "x"}}}},
	} {
		if _, err := c.Search(t.Context(), q); !strings.Contains(fmt.Sprint(err), "invalid") {
			t.Errorf("query with %s: got error %v, want ErrInvalid", what, err)
		}
	}
	if n, err := c.Count(t.Context(), "", nil); n != 0 || err != nil {
		t.Errorf("got %d points, %v: a refused batch has left something", n, err)
	}
}

// TestGraphFindsWhatAScanFinds builds a graph over clustered data and compares
// with exact search, with filters of every selectivity, after deletions and
// after a restart.
func TestGraphFindsWhatAScanFinds(t *testing.T) {
	for _, kind := range []IndexKind{Graph, Lean} {
		t.Run(string(kind), func(t *testing.T) { findsWhatAScanFinds(t, kind) })
	}
}

func findsWhatAScanFinds(t *testing.T, kind IndexKind) {
	const n, dimensions, k = 6000, 16, 10
	random := rand.New(rand.NewPCG(7, 7))
	schema := Schema{
		Vectors: map[string]VectorSpec{"": {Dimensions: dimensions, Metric: L2, Index: kind}},
		Payload: map[string]PayloadIndex{"n": NumberIndex},
	}
	c := newCollection(t, schema)
	vector := func() []float32 {
		x := make([]float32, dimensions)
		centre := random.IntN(40)
		for i := range x {
			x[i] = float32((centre*(i+3))%11) + float32(random.NormFloat64())
		}
		return x
	}
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{ID: Num(uint64(i)), Vector: vector(), Payload: Payload{"n": i}}
	}
	upsert(t, c, points...)
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	compare := func(name string, filter *Filter, matches int) {
		t.Helper()
		found, total := 0, 0
		for range 30 {
			q := Query{Vector: vector(), K: k, Filter: filter, Params: Params{EF: 128}}
			got := search(t, c, q)
			q.Exact = true
			want := search(t, c, q)
			if len(got.Hits) != min(k, matches) || got.Plan.Matched != matches {
				t.Fatalf("%s: got %d hits of %d matches, want %d of %d", name, len(got.Hits), got.Plan.Matched, min(k, matches), matches)
			}
			for _, h := range want.Hits {
				total++
				if slices.ContainsFunc(got.Hits, func(g Hit) bool { return g.ID == h.ID }) {
					found++
				}
			}
		}
		if recall := float64(found) / float64(total); recall < 0.95 {
			t.Errorf("%s: recall %.3f, want 0.95", name, recall)
		}
	}
	compare("all", nil, n)
	for _, keep := range []int{0, 1, 6, 60, 600, 3000, 5400} {
		f := All(Range{Key: "n", LT: keep})
		compare(fmt.Sprint(keep, " of them"), f, keep)
	}
	if r := search(t, c, Query{Vector: vector()}); r.Plan.Strategies["graph"] != 1 {
		t.Errorf("the graph was not used: plan %+v", r.Plan)
	}
	if _, err := c.Delete(t.Context(), Where(All(Range{Key: "n", GTE: n / 2}))); err != nil {
		t.Fatal(err)
	}
	compare("half deleted", nil, n/2)
}

func TestAGraphOverOtherStorages(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	for i := range 4 {
		storage, kind := []Storage{Float16, Int8}[i/2], []IndexKind{Graph, Lean}[i%2]
		c := newCollection(t, Schema{Vectors: map[string]VectorSpec{"": {Dimensions: 8, Storage: storage, Index: kind}}})
		var points []Point
		for i := range 1000 {
			x := make([]float32, 8)
			for j := range x {
				x[j] = float32(random.NormFloat64())
			}
			points = append(points, Point{ID: Num(uint64(i)), Vector: x})
		}
		upsert(t, c, points...)
		if err := c.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		same := 0
		for _, p := range points[:50] {
			q := Query{Vector: p.Vector, K: 10, Params: Params{EF: 100}}
			got := search(t, c, q)
			if got.Plan.Strategies["graph"] != 1 {
				t.Fatalf("%s, %s: plan %+v, want the graph", storage, kind, got.Plan)
			}
			q.Exact = true
			for i, h := range search(t, c, q).Hits {
				if got.Hits[i].ID == h.ID && got.Hits[i].Score == h.Score {
					same++
				}
			}
		}
		if same < 475 {
			t.Errorf("%s, %s: %d of 500 hits are those of an exact search, in place and score", storage, kind, same)
		}
	}
}

func TestNamespacesAreApartAndCheap(t *testing.T) {
	c := newCollectionWith(t, Dense(2, L2), Options{SealBytes: 1 << 20})
	const tenants = 3000
	var b Batch
	for i := range tenants {
		b.Upsert(Point{ID: Num(1), Namespace: fmt.Sprint("tenant-", i), Vector: []float32{float32(i), 0}})
		if i%500 == 499 {
			if err := c.Write(context.Background(), &b); err != nil {
				t.Fatal(err)
			}
			b = Batch{}
		}
	}
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := search(t, c, Query{Namespace: "tenant-42", Vector: []float32{0, 0}})
	if len(r.Hits) != 1 || r.Hits[0].Score != 42 || r.Plan.Points != 1 || r.Plan.Visited != 1 {
		t.Errorf("got %v, plan %+v, want one hit and one point visited", r.Hits, r.Plan)
	}
	if _, err := c.Delete(t.Context(), Selection{Namespace: "tenant-42"}); err != nil {
		t.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := 0
	for range s.Namespaces() {
		n++
	}
	if n != tenants-1 {
		t.Errorf("got %d namespaces, want %d", n, tenants-1)
	}
}

// TestRecallSurvivesARestart wants the same answers after a restart, and, when
// the index files are gone, after the graph has been built again.
func TestRecallSurvivesARestart(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	vector := func() []float32 {
		x := make([]float32, 12)
		for i := range x {
			x[i] = float32(random.NormFloat64())
		}
		return x
	}
	dir := t.TempDir()
	schema := Schema{Vectors: map[string]VectorSpec{"": {Dimensions: 12, Index: Graph}}}
	var queries [][]float32
	for range 40 {
		queries = append(queries, vector())
	}
	open := func() (*DB, *Collection) {
		db, err := Open(dir, Options{SyncEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		c, err := db.Collection("test", schema)
		if err != nil {
			t.Fatal(err)
		}
		return db, c
	}
	answers := func(c *Collection) (all []string) {
		for _, q := range queries {
			all = append(all, ids(search(t, c, Query{Vector: q, Params: Params{EF: 50}}).Hits))
		}
		return all
	}
	db, c := open()
	for i := range 3000 {
		upsert(t, c, Point{ID: Num(uint64(i)), Vector: vector()})
		if i == 2500 {
			if err := c.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Delete(t.Context(), IDs(Num(1), Num(7), Num(2000))); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := answers(c)
	for _, without := range []string{"nothing", "*.idx"} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		gone, err := filepath.Glob(filepath.Join(dir, "test", without))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range gone {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
		db, c = open()
		if _, err := c.buildIndexes(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answers(c)); diff != "" {
			t.Errorf("after a restart without %s (-before +after):\n%s", without, diff)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := Check(dir); err != nil {
		t.Error(err)
	}
}
