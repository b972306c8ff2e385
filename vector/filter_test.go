package vector

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// films are the points that the table of filters below is about.
var films = []Point{
	{ID: Str("metropolis"), Payload: Payload{
		"year": 1927, "genres": []any{"drama", "science fiction"}, "seen": true, "title": "Metropolis",
		"premiere": "1927-01-10T20:00:00Z", "place": map[string]any{"lat": 52.5068, "lon": 13.3324},
		"cast": []any{map[string]any{"name": "Helm", "role": "Maria"}, map[string]any{"name": "Abel", "role": "Fredersen"}}}},
	{ID: Str("sunrise"), Payload: Payload{
		"year": 1927.0, "genres": []any{"drama"}, "seen": false, "title": "Sunrise: A Song of Two Humans",
		"premiere": "1927-09-23", "place": map[string]any{"lat": 40.7570, "lon": -73.9859},
		"cast": []any{map[string]any{"name": "Gaynor", "role": "The Wife"}}, "note": nil}},
	{ID: Num(3), Payload: Payload{
		"year": 1936, "genres": "comedy", "title": "Modern Times", "note": []any{},
		"place": map[string]any{"lat": 34.0928, "lon": -118.3287}}},
	{ID: Num(4)},
}

var filmSchema = Schema{
	Vectors: map[string]VectorSpec{"": {Dimensions: 1, Metric: L2}},
	Payload: map[string]PayloadIndex{
		"genres": KeywordIndex, "year": NumberIndex, "premiere": TimeIndex, "place": GeoIndex, "title": TextIndex,
	},
}

// filterCases says which films, in the order of IDs, a condition holds for.
var filterCases = []struct {
	condition Condition
	want      string
}{
	{Match{"year", 1927}, "metropolis sunrise"},
	{Match{"year", 1927.0}, "metropolis sunrise"},
	{Match{"genres", "drama"}, "metropolis sunrise"},
	{Match{"genres", "Drama"}, ""},
	{Match{"genres[]", "comedy"}, "3"},
	{Match{"seen", false}, "sunrise"},
	{Match{"cast.role", "Maria"}, "metropolis"},
	{MatchAny{"genres", []any{"comedy", "science fiction"}}, "3 metropolis"},
	{MatchAny{"genres", nil}, ""},
	{MatchExcept{"genres", []any{"drama"}}, "3 metropolis"},
	{MatchExcept{"year", []any{1936}}, "metropolis sunrise"},
	{Range{Key: "year", GT: 1927}, "3"},
	{Range{Key: "year", GTE: 1927, LT: 1936}, "metropolis sunrise"},
	{Range{Key: "year", LTE: 1926.5}, ""},
	{Range{Key: "premiere", GTE: "1927-02-01"}, "sunrise"},
	{Range{Key: "premiere", LT: time.Date(1927, 9, 23, 0, 0, 0, 1000, time.UTC)}, "metropolis sunrise"},
	{MatchText{"title", "songs HUMAN"}, "sunrise"},
	{MatchText{"title", "modern metropolis"}, ""},
	{IsNull{"note"}, "sunrise"},
	{IsEmpty{"note"}, "3 4 metropolis sunrise"},
	{IsEmpty{"genres"}, "4"},
	{ValuesCount{Key: "genres", Min: 2}, "metropolis"},
	{ValuesCount{Key: "cast.name", Min: 1, Max: 1}, "sunrise"},
	{GeoRadius{Key: "place", Lat: 52.52, Lon: 13.405, Meters: 6000}, "metropolis"},
	{GeoRadius{Key: "place", Lat: 52.52, Lon: 13.405, Meters: 4000}, ""},
	{GeoBox{Key: "place", North: 45, South: 30, West: -120, East: -70}, "3 sunrise"},
	{GeoBox{Key: "place", North: 60, South: 30, West: 10, East: -100}, "3 metropolis"}, // over the 180th meridian
	{Nested{"cast", All(Match{"name", "Abel"}, Match{"role", "Maria"})}, ""},
	{Nested{"cast", All(Match{"name", "Helm"}, Match{"role", "Maria"})}, "metropolis"},
	{HasID{[]ID{Num(4), Str("sunrise"), Num(77)}}, "4 sunrise"},
	{Not(Match{"genres", "drama"}), "3 4"},
	{Any(Match{"year", 1936}, Match{"seen", true}), "3 metropolis"},
	{Filter{MinShould: 2, Should: []Condition{Match{"genres", "drama"}, Match{"year", 1927}, Match{"seen", true}}}, "metropolis sunrise"},
	{Filter{MinShould: 3, Should: []Condition{Match{"genres", "drama"}, Match{"year", 1927}, Match{"seen", true}}}, "metropolis"},
	{Filter{Must: []Condition{Any(Match{"genres", "comedy"}, Match{"genres", "drama"})}, MustNot: []Condition{IsNull{"note"}}}, "3 metropolis"},
	{Filter{}, "3 4 metropolis sunrise"},
}

func TestFilters(t *testing.T) {
	films := slices.Clone(films)
	for i := range films {
		films[i].Vector = []float32{0}
	}
	for _, schema := range []Schema{filmSchema, Dense(1, L2)} { // with indexes, and by reading payloads
		inEveryPlace(t, schema, films, func(t *testing.T, c *Collection) {
			for _, fc := range filterCases {
				f := All(fc.condition)
				if got := ids(search(t, c, Query{Vector: []float32{0}, Filter: f}).Hits); got != fc.want {
					t.Errorf("%#v: got %q, want %q", fc.condition, got, fc.want)
				}
				n, err := c.Count(t.Context(), "", f)
				if want := len(search(t, c, Query{Vector: []float32{0}, Filter: f}).Hits); n != want || err != nil {
					t.Errorf("%#v: count is %d, %v, want %d", fc.condition, n, err, want)
				}
			}
		})
	}
}

func TestWrongConditionsAreRefused(t *testing.T) {
	for _, c := range []Condition{
		Match{"", 1}, Match{"a", []any{1}}, Range{Key: "a"}, Range{Key: "a", GT: 1, LT: "2020-01-01"},
		Range{Key: "a", GT: "soon"}, ValuesCount{Key: "a", Min: 3, Max: 2}, GeoRadius{Key: "a", Lat: 91},
		GeoBox{Key: "a", North: 1, South: 2}, Nested{"a", All(Match{"", 1})}, HasID{[]ID{{}}},
		Filter{MinShould: 2, Should: []Condition{Match{"a", 1}}}, Filter{Must: []Condition{nil}},
	} {
		if _, err := c.compile(); err == nil {
			t.Errorf("%#v: no error", c)
		}
	}
}

// TestIndexesAgreeWithPayloads compares random filters on random payloads, once
// answered by indexes and once by reading.
func TestIndexesAgreeWithPayloads(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	value := func() any {
		return []any{nil, "a", "b", "b c", 1, 2, 2.5, true, int64(1)<<53 + 1, int64(1) << 53, []any{"a", 2}, []any{},
			map[string]any{"lat": random.Float64() * 50, "lon": random.Float64() * 50}, "2020-01-02", "2020-01-03T04:05:06Z"}[random.IntN(15)]
	}
	var points []Point
	for i := range 400 {
		p := Point{ID: Num(uint64(i)), Payload: Payload{}}
		for _, key := range []string{"k", "n", "t", "g", "x"} {
			if random.IntN(5) > 0 {
				p.Payload[key] = value()
			}
		}
		points = append(points, p)
	}
	c := newCollection(t, Schema{Payload: map[string]PayloadIndex{
		"k": KeywordIndex, "n": NumberIndex, "t": TimeIndex, "g": GeoIndex, "x": TextIndex}})
	upsert(t, c, points...)
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	var condition func(depth int) Condition
	condition = func(depth int) Condition {
		switch random.IntN(11) {
		case 0:
			return Match{"k", []any{"a", "b", 1, 2.0, 2.5, true}[random.IntN(6)]}
		case 1:
			return MatchAny{"k", []any{"b", 2, int64(1) << 53}}
		case 2:
			return MatchExcept{"k", []any{"a", 1}}
		case 3:
			return Range{Key: "n", GT: []any{0, 1, 2, 2.5, int64(1) << 53}[random.IntN(5)]}
		case 4:
			return Range{Key: "n", GTE: 1, LTE: []any{1, 2.5, int64(1) << 53}[random.IntN(3)]}
		case 5:
			return Range{Key: "t", LT: "2020-01-03"}
		case 6:
			return GeoBox{Key: "g", South: 10, North: 40, West: 0, East: random.Float64() * 50}
		case 7:
			return MatchText{"x", []string{"b", "c b", "a", "the"}[random.IntN(4)]}
		case 8:
			return IsEmpty{[]string{"k", "n", "t", "g", "x"}[random.IntN(5)]}
		case 9:
			return HasID{[]ID{Num(uint64(random.IntN(400))), Num(7)}}
		}
		if depth > 2 {
			return Match{"k", "a"}
		}
		f := Filter{Must: []Condition{condition(depth + 1)}, MustNot: []Condition{condition(depth + 1)}}
		for range 3 {
			f.Should = append(f.Should, condition(depth+1))
		}
		f.MinShould = random.IntN(4)
		return f
	}
	for range 500 {
		f := All(condition(0), condition(0))
		match, err := f.compile()
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, p := range points {
			body, err := payload.Encode(nil, p.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if match(matched{string(appendKey(nil, "", p.ID)), body}) {
				want++
			}
		}
		got, err := c.Count(t.Context(), "", f)
		if got != want || err != nil {
			t.Fatalf("%#v: got %d, %v, want %d", f, got, err, want)
		}
	}
}

func TestAPayloadIndexAddedLater(t *testing.T) {
	c := newCollection(t, Dense(1, L2))
	for i := range 100 {
		upsert(t, c, Point{ID: Num(uint64(i)), Vector: []float32{0}, Payload: Payload{"n": i, "color": fmt.Sprint("color ", i%3)}})
	}
	if err := c.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.IndexPayload("color", KeywordIndex); err != nil {
		t.Fatal(err)
	}
	s, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := All(Match{"color", "color 1"})
	g := s.view.segments[0]
	if known := (lookup{g, g.derived.Load(), &scope{}}).candidates(f); !known.exact || known.rows.count() != 33 {
		t.Errorf("the index knows %+v, want 33 rows exactly", known)
	}
	facets, err := c.Facet(t.Context(), "", "color", nil, 2)
	if got, want := fmt.Sprint(facets, err), "[{color 0 34} {color 1 33}] <nil>"; got != want {
		t.Errorf("facets: got %s, want %s", got, want)
	}
	if got := c.Schema().Payload["color"]; got != KeywordIndex {
		t.Errorf("schema: got %q, want %q", got, KeywordIndex)
	}
}
