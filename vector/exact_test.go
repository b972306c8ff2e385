package vector

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// exactly is a schema whose keyword scores depend on the living alone.
func exactly() Schema {
	s := Dense(2, Dot)
	s.Keywords = map[string]KeywordSpec{"text": {Keys: []string{"text"}, Exact: true}}
	return s
}

// Exact keyword scores are those of a collection that never held anything but
// the points that are left: to the last bit, in any mixture of segments, deleted
// points, other namespaces and points in memory.
func TestExactKeywordScoresForgetThePast(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	words := strings.Fields("lamp pier keeper gull harbour mast rope stone brick wall")
	text := func(most int) string {
		var b strings.Builder
		for range 1 + random.IntN(most) {
			b.WriteString(words[min(random.IntN(len(words)), random.IntN(len(words)))] + " ")
		}
		return b.String()
	}
	c, fresh := newCollection(t, exactly()), newCollection(t, exactly())
	left := map[uint64]string{}
	put := func(id uint64, most int) {
		left[id] = text(most)
		upsert(t, c, Point{ID: Num(id), Payload: Payload{"text": left[id]}})
	}
	compare := func(stage string) {
		t.Helper()
		if _, err := fresh.Delete(t.Context(), Selection{}); err != nil {
			t.Fatal(err)
		}
		if err := fresh.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		var all []Point
		for id, text := range left {
			all = append(all, Point{ID: Num(id), Payload: Payload{"text": text}})
		}
		upsert(t, fresh, all...)
		if err := fresh.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, question := range []string{"lamp", "wall brick stone", "rope lamp rope keeper unknown"} {
			q := Query{Text: question, Using: "text", K: 25, With: With{WithoutPayload: true}}
			want, got := search(t, fresh, q).Hits, search(t, c, q).Hits
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Hit{}, "Parts"), cmp.AllowUnexported(ID{})); diff != "" {
				t.Errorf("%s, %q (-a fresh collection's +got):\n%s", stage, question, diff)
			}
			if diff := cmp.Diff(termsOf(t, fresh, question), termsOf(t, c, question)); diff != "" {
				t.Errorf("%s, terms of %q (-a fresh collection's +got):\n%s", stage, question, diff)
			}
		}
	}
	for id := range uint64(60) {
		put(id, 6)
	}
	compare("in memory")
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	compare("in a segment")
	for id := range uint64(40) {
		upsert(t, c, Point{ID: Num(id), Namespace: "others", Payload: Payload{"text": "lamp lamp stone"}})
		put(100+id, 30)
	}
	compare("in a segment and in memory, beside another namespace")
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id := uint64(0); id < 140; id += 3 {
		delete(left, id)
		if _, err := c.Delete(t.Context(), IDs(Num(id))); err != nil {
			t.Fatal(err)
		}
	}
	for id := uint64(1); id < 20; id += 4 {
		put(id, 90)
	}
	compare("after deletions and changes")
	if err := c.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	compare("compacted, beside another namespace")
}

func termsOf(t *testing.T, c *Collection, question string) []TermCount {
	t.Helper()
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	terms, err := s.Terms("", "text", question)
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

// Shares are of each part's best, and Complete gives a point the share of a part
// that did not bring it.
func TestFusionByShares(t *testing.T) {
	c := newCollection(t, exactly())
	upsert(t, c,
		Point{ID: Num(1), Vector: []float32{4, 0}, Payload: Payload{"text": "brick"}},
		Point{ID: Num(2), Vector: []float32{2, 0}, Payload: Payload{"text": "lamp"}},
		Point{ID: Num(3), Vector: []float32{-1, 0}, Payload: Payload{"text": "wall"}})
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	upsert(t, c, Point{ID: Num(4), Vector: []float32{1, 0}, Payload: Payload{"text": "rope"}})
	q := Query{
		Parts: []Part{
			{Text: "lamp", Using: "text", K: 1, Weight: 3},
			{Vector: []float32{1, 0}, K: 2},
		},
		Fusion: Fusion{Method: Share}, With: With{WithoutPayload: true},
	}
	shown := func() string {
		r := search(t, c, q)
		var b strings.Builder
		for _, h := range r.Hits {
			fmt.Fprintf(&b, "%v: %v, rank %d and %d, vector %v; ", h.ID, h.Score, h.Parts[0].Rank, h.Parts[1].Rank, h.Parts[1].Score)
		}
		fmt.Fprintf(&b, "best %v", r.Plan.Parts[1].Best)
		return b.String()
	}
	want := "2: 0.875, rank 1 and 2, vector 2; 1: 0.25, rank 0 and 1, vector 4; best 4"
	if got := shown(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	q.Parts[1].K = 1 // so that the vectors do not bring the lamp
	want = "2: 0.75, rank 1 and 0, vector 0; 1: 0.25, rank 0 and 1, vector 4; best 4"
	if got := shown(); got != want {
		t.Errorf("incomplete: got  %s\nwant %s", got, want)
	}
	q.Fusion.Complete = true
	want = "2: 0.875, rank 1 and 0, vector 2; 1: 0.25, rank 0 and 1, vector 4; best 4"
	if got := shown(); got != want {
		t.Errorf("complete: got  %s\nwant %s", got, want)
	}
	q.Parts[0].Text = "rope wall" // a point in memory, and one whose vector points away
	q.Parts[0].K = 2
	want = "4: 0.8125, rank 2 and 0, vector 1; 3: 0.75, rank 1 and 0, vector -1; 1: 0.25, rank 0 and 1, vector 4; best 4"
	if got := shown(); got != want {
		t.Errorf("complete: got  %s\nwant %s", got, want)
	}
}
