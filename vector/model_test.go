package vector

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/index"
)

var (
	modelOps  = flag.Int("model.ops", 200_000, "operations of the model test")
	modelSeed = flag.Uint64("model.seed", 0, "seed of the model test; 0 draws one")
)

// TestModel does random operations on a collection and on a plain map, and
// wants the same answers, through restarts, merges and snapshots.
func TestModel(t *testing.T) {
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	ops := *modelOps
	if testing.Short() {
		ops = min(ops, 20_000)
	}
	t.Logf("seed %d, %d operations", seed, ops)
	w := &modelWorld{
		t: t, fsys: disk.NewMemFS(), random: rand.New(rand.NewPCG(seed, 1)),
		points: map[modelKey]modelPoint{},
	}
	w.open()
	steps := w.steps()
	for i := range ops {
		step := steps[w.random.IntN(len(steps))]
		w.log = append(w.log[max(0, len(w.log)-20):], step.name)
		step.run()
		if t.Failed() {
			t.Fatalf("seed %d, operation %d; the last ones: %q", seed, i, w.log)
		}
	}
	w.restart()
	w.compareAll()
}

// modelKey is a point's place, modelPoint what it holds.
type modelKey struct {
	namespace string
	id        ID
}

type modelPoint struct {
	vector [3]float32
	sparse uint32 // its only index; 0: none
	color  string // "" is no payload
	n      int64
}

type modelWorld struct {
	t      *testing.T
	fsys   *disk.MemFS
	random *rand.Rand
	db     *DB
	c      *Collection
	points map[modelKey]modelPoint
	old    []oldWorld
	log    []string
}

// oldWorld is a snapshot and what it must show.
type oldWorld struct {
	s      *Snapshot
	points map[modelKey]modelPoint
}

var modelSchema = Schema{
	Vectors: map[string]VectorSpec{"": {Dimensions: 3, Metric: L2}},
	Sparse:  []string{"words"},
	Payload: map[string]PayloadIndex{"color": KeywordIndex},
}

func (w *modelWorld) open() {
	w.t.Helper()
	var err error
	if w.db, err = Open("db", Options{fsys: w.fsys, manual: true, SealBytes: 24 << 10, MaxBytes: 1 << 20}); err != nil {
		w.t.Fatal(err)
	}
	if w.c, err = w.db.Collection("points", modelSchema); err != nil {
		w.t.Fatal(err)
	}
}

func (w *modelWorld) restart() {
	w.t.Helper()
	for _, o := range w.old {
		o.s.Close()
	}
	w.old = nil
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	if w.random.IntN(2) == 0 {
		w.fsys.Crash() // nothing that was acknowledged may go
	}
	if err := check(w.fsys, "db"); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

type modelStep struct {
	name string
	run  func()
}

// steps lists the operations, each as often as it should be drawn.
func (w *modelWorld) steps() []modelStep {
	var steps []modelStep
	add := func(times int, name string, run func()) {
		steps = append(steps, slices.Repeat([]modelStep{{name, run}}, times)...)
	}
	add(500, "upsert", w.upsert)
	add(60, "batch", w.batch)
	add(120, "delete", w.delete)
	add(6, "delete where", w.deleteWhere)
	add(60, "update", w.update)
	add(250, "get", w.get)
	add(50, "search", w.search)
	add(30, "sparse search", w.sparseSearch)
	add(40, "count", w.count)
	add(10, "scroll", w.scroll)
	add(10, "facet", w.facet)
	add(3, "seal", func() { w.must(w.c.Seal(context.Background())) })
	add(4, "merge", func() {
		_, err := w.c.mergeOnce(context.Background())
		w.must(err)
	})
	add(1, "compact", func() { w.must(w.c.Compact(context.Background())) })
	add(4, "take snapshot", w.takeSnapshot)
	add(2, "compare snapshot", w.compareSnapshot)
	add(2, "restart", w.restart)
	return steps
}

func (w *modelWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Error(err)
	}
}

func (w *modelWorld) key() modelKey {
	k := modelKey{namespace: []string{"", "", "tenant", "tenant-b"}[w.random.IntN(4)]}
	switch n := w.random.IntN(150); n % 3 {
	case 0:
		k.id = Num(uint64(n))
	case 1:
		k.id = Str(fmt.Sprint("point ", n))
	default:
		k.id = UUID([16]byte{byte(n)})
	}
	return k
}

func (w *modelWorld) point() modelPoint {
	p := modelPoint{sparse: w.random.Uint32N(4)}
	for i := range p.vector {
		p.vector[i] = float32(w.random.IntN(20))
	}
	p.color = []string{"", "red", "green", "blue"}[w.random.IntN(4)]
	if p.color != "" {
		p.n = w.random.Int64N(10)
	}
	return p
}

func (p modelPoint) at(k modelKey) Point {
	out := Point{ID: k.id, Namespace: k.namespace, Vector: p.vector[:]}
	if p.sparse != 0 {
		out.Sparse = map[string]Sparse{"words": {Indices: []uint32{p.sparse}, Values: []float32{float32(p.n + 1)}}}
	}
	if p.color != "" {
		out.Payload = Payload{"color": p.color, "n": p.n}
	}
	return out
}

func (w *modelWorld) upsert() {
	k, p := w.key(), w.point()
	w.must(w.c.Upsert(context.Background(), p.at(k)))
	w.points[k] = p
}

func (w *modelWorld) batch() {
	var b Batch
	var k modelKey
	for range 1 + w.random.IntN(5) {
		k = w.key()
		p := w.point()
		b.Upsert(p.at(k))
		w.points[k] = p
	}
	if w.random.IntN(2) == 0 {
		b.Delete(Selection{Namespace: k.namespace, IDs: []ID{k.id}})
		delete(w.points, k)
	}
	if w.random.IntN(4) == 0 { // later steps see earlier ones
		p := w.point()
		p.color, p.n = "green", 77
		b.Upsert(p.at(k))
		b.Update(Selection{Namespace: k.namespace, Filter: &Filter{Must: []Condition{Match{"n", 77}}}}, Patch{Set: Payload{"n": 78}})
		p.n = 78
		if p.sparse != 0 {
			p.sparse = 0 // its value would still be that of 77
			b.Upsert(p.at(k))
		}
		w.points[k] = p
	}
	w.must(w.c.Write(context.Background(), &b))
}

func (w *modelWorld) delete() {
	k := w.key()
	n, err := w.c.Delete(context.Background(), Selection{Namespace: k.namespace, IDs: []ID{k.id}})
	w.must(err)
	_, there := w.points[k]
	if want := map[bool]int{true: 1}[there]; n != want {
		w.t.Errorf("delete %v: got %d, want %d", k, n, want)
	}
	delete(w.points, k)
}

// filter draws a filter and returns it with its meaning.
func (w *modelWorld) filter() (*Filter, func(modelPoint) bool) {
	low := w.random.Int64N(10)
	red := func(p modelPoint) bool { return p.color == "red" }
	above := func(p modelPoint) bool { return p.color != "" && p.n >= low }
	switch w.random.IntN(5) {
	case 0:
		f := All(Match{"color", "red"})
		return f, red
	case 1:
		f := All(Range{Key: "n", GTE: low}, MatchAny{"color", []any{"red", "blue"}})
		return f, func(p modelPoint) bool { return above(p) && p.color != "green" }
	case 2:
		f := &Filter{Should: []Condition{Match{"color", "red"}, Range{Key: "n", GTE: low}}, MustNot: []Condition{IsEmpty{"color"}}}
		return f, func(p modelPoint) bool { return red(p) || above(p) }
	case 3:
		f := Not(Match{"color", "red"})
		return f, func(p modelPoint) bool { return !red(p) }
	}
	return nil, func(modelPoint) bool { return true }
}

func (w *modelWorld) deleteWhere() {
	k := w.key()
	f := All(Match{"color", "blue"}, Match{"n", 3})
	_, err := w.c.Delete(context.Background(), Selection{Namespace: k.namespace, Filter: f})
	w.must(err)
	maps.DeleteFunc(w.points, func(other modelKey, p modelPoint) bool {
		return other.namespace == k.namespace && p.color == "blue" && p.n == 3
	})
}

func (w *modelWorld) update() {
	k := w.key()
	_, err := w.c.Update(context.Background(), Selection{Namespace: k.namespace, IDs: []ID{k.id}}, Patch{Set: Payload{"color": "green"}})
	w.must(err)
	if p, ok := w.points[k]; ok {
		if p.color == "" { // it has no n
			_, err := w.c.Delete(context.Background(), Selection{Namespace: k.namespace, IDs: []ID{k.id}})
			w.must(err)
			delete(w.points, k)
			return
		}
		p.color = "green"
		w.points[k] = p
	}
}

func (w *modelWorld) get() {
	k := w.key()
	s, err := w.c.Snapshot()
	w.must(err)
	defer s.Close()
	w.comparePoint(s, w.points, k)
}

func (w *modelWorld) comparePoint(s *Snapshot, points map[modelKey]modelPoint, k modelKey) {
	w.t.Helper()
	got, err := s.Get(context.Background(), k.namespace, With{AllVectors: true}, k.id)
	w.must(err)
	want := []Point{}
	if p, ok := points[k]; ok {
		want = append(want, p.at(k))
	}
	if !reflect.DeepEqual(want, got) { // cmp.Diff is for the sad case: it takes most of the test's time
		w.t.Errorf("get %v (-want +got):\n%s", k, cmp.Diff(want, got, cmp.AllowUnexported(ID{})))
	}
}

// ranked is what a search must find: scores and IDs, best first.
type ranked struct {
	Score float64
	ID    string
}

func (w *modelWorld) search() {
	k, q := w.key(), w.point()
	filter, holds := w.filter()
	limit := 1 + w.random.IntN(8)
	got, err := w.c.Search(context.Background(), Query{Namespace: k.namespace, Vector: q.vector[:], K: limit, Filter: filter})
	if w.must(err); err != nil {
		return
	}
	var want []ranked
	var ids = map[string]ID{}
	for other, p := range w.points {
		if other.namespace == k.namespace && holds(p) {
			d := index.L2.Compare(q.vector[:], p.vector[:])
			want = append(want, ranked{float64(index.L2.Value(d)), other.id.String()})
			ids[other.id.String()] = other.id
		}
	}
	slices.SortFunc(want, func(a, b ranked) int {
		if a.Score != b.Score {
			return map[bool]int{true: -1, false: 1}[a.Score < b.Score]
		}
		return ids[a.ID].Compare(ids[b.ID])
	})
	w.compareHits("search", want[:min(limit, len(want))], got)
}

func (w *modelWorld) compareHits(what string, want []ranked, result *Result) {
	w.t.Helper()
	var got []ranked
	for _, h := range result.Hits {
		got = append(got, ranked{h.Score, h.ID.String()})
	}
	if !slices.Equal(want, got) {
		w.t.Errorf("%s (-want +got):\n%s\nplan %+v", what, cmp.Diff(want, got), result.Plan)
	}
}

func (w *modelWorld) sparseSearch() {
	k := w.key()
	dim := 1 + w.random.Uint32N(3)
	got, err := w.c.Search(context.Background(), Query{Namespace: k.namespace, Using: "words", K: 500,
		Sparse: &Sparse{Indices: []uint32{dim, 9}, Values: []float32{2, 1}}})
	if w.must(err); err != nil {
		return
	}
	want := 0
	for other, p := range w.points {
		if other.namespace == k.namespace && p.sparse == dim {
			want++
		}
	}
	if len(got.Hits) != want {
		w.t.Errorf("sparse search: got %d hits, want %d", len(got.Hits), want)
	}
}

func (w *modelWorld) count() {
	k := w.key()
	filter, holds := w.filter()
	got, err := w.c.Count(context.Background(), k.namespace, filter)
	w.must(err)
	want := 0
	for other, p := range w.points {
		if other.namespace == k.namespace && holds(p) {
			want++
		}
	}
	if got != want {
		w.t.Errorf("count in %q by %+v: got %d, want %d", k.namespace, filter, got, want)
	}
}

func (w *modelWorld) scroll() {
	k := w.key()
	var got []ID
	q := Scroll{Namespace: k.namespace, Limit: 7}
	for {
		points, next, err := w.c.Scroll(context.Background(), q)
		if w.must(err); err != nil {
			return
		}
		for _, p := range points {
			got = append(got, p.ID)
		}
		if q.From = next; next.IsZero() {
			break
		}
	}
	var want []ID
	for other := range w.points {
		if other.namespace == k.namespace {
			want = append(want, other.id)
		}
	}
	slices.SortFunc(want, ID.Compare)
	if !slices.Equal(got, want) {
		w.t.Errorf("scroll %q: got %v, want %v", k.namespace, got, want)
	}
}

func (w *modelWorld) facet() {
	k := w.key()
	got, err := w.c.Facet(context.Background(), k.namespace, "color", nil, 10)
	w.must(err)
	counts := map[any]int{}
	for other, p := range w.points {
		if other.namespace == k.namespace && p.color != "" {
			counts[p.color]++
		}
	}
	for _, f := range got {
		if counts[f.Value] != f.Count {
			w.t.Errorf("facet %v: got %d, want %d", f.Value, f.Count, counts[f.Value])
		}
	}
	if len(got) != len(counts) {
		w.t.Errorf("facets: got %v, want %v", got, counts)
	}
}

func (w *modelWorld) takeSnapshot() {
	if len(w.old) == 3 {
		w.old[0].s.Close()
		w.old = w.old[1:]
	}
	s, err := w.c.Snapshot()
	if w.must(err); err == nil {
		w.old = append(w.old, oldWorld{s, maps.Clone(w.points)})
	}
}

func (w *modelWorld) compareSnapshot() {
	if len(w.old) == 0 {
		return
	}
	o := w.old[w.random.IntN(len(w.old))]
	w.compareWorld(o.s, o.points)
}

func (w *modelWorld) compareAll() {
	s, err := w.c.Snapshot()
	w.must(err)
	defer s.Close()
	w.compareWorld(s, w.points)
}

func (w *modelWorld) compareWorld(s *Snapshot, points map[modelKey]modelPoint) {
	w.t.Helper()
	total := 0
	for name := range s.Namespaces() {
		n, err := s.Count(context.Background(), name, nil)
		w.must(err)
		total += n
	}
	if total != len(points) {
		w.t.Errorf("got %d points, want %d", total, len(points))
	}
	for k := range points {
		w.comparePoint(s, points, k)
	}
}
