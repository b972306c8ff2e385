package vector

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiltersAsText(t *testing.T) {
	for text, want := range map[string]*Filter{
		`{}`: {},
		`{"must":[{"key":"a","match":{"value":"x"}}]}`:                                              All(Match{"a", "x"}),
		`{"must":{"key":"a","match":{"value":7}}}`:                                                  All(Match{"a", json.Number("7")}),
		`{"should":[{"key":"a","match":{"any":["x",true]}}]}`:                                       Any(MatchAny{"a", []any{"x", true}}),
		`{"must_not":[{"key":"a","match":{"except":["x"]}}]}`:                                       Not(MatchExcept{"a", []any{"x"}}),
		`{"must":[{"key":"a","match":{"text":"two words"}}]}`:                                       All(MatchText{"a", "two words"}),
		`{"must":[{"key":"a","range":{"gte":1.5,"lt":"2020-01-01"}}]}`:                              All(Range{Key: "a", GTE: json.Number("1.5"), LT: "2020-01-01"}),
		`{"must":[{"is_null":{"key":"a"}},{"is_empty":{"key":"b"}}]}`:                               All(IsNull{"a"}, IsEmpty{"b"}),
		`{"must":[{"key":"a","values_count":{"gt":1,"lte":3}}]}`:                                    All(ValuesCount{"a", 2, 3}),
		`{"must":[{"has_id":[1,"x"]}]}`:                                                             All(HasID{[]ID{Num(1), Str("x")}}),
		`{"must":[{"nested":{"key":"a","filter":{"must":[{"key":"b","match":{"value":false}}]}}}]}`: All(Nested{"a", All(Match{"b", false})}),
		`{"must":[{"should":[{"is_null":{"key":"a"}}]}]}`:                                           All(Any(IsNull{"a"})),
		`{"min_should":{"conditions":[{"is_null":{"key":"a"}},{"is_null":{"key":"b"}}],"min_count":2}}`: All(
			&Filter{MinShould: 2, Should: []Condition{IsNull{"a"}, IsNull{"b"}}}),
		`{"must":[{"key":"a","geo_radius":{"center":{"lat":1,"lon":2},"radius":3}}]}`: All(GeoRadius{"a", 1, 2, 3}),
		`{"must":[{"key":"a","geo_bounding_box":{"top_left":{"lat":4,"lon":1},"bottom_right":{"lat":2,"lon":3}}}]}`: All(
			GeoBox{Key: "a", North: 4, West: 1, South: 2, East: 3}),
	} {
		got := new(Filter)
		if err := json.Unmarshal([]byte(text), got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(ID{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, wrong := range []string{`[]`, `{"mustn't":[]}`, `{"must":[{"key":"a"}]}`, `{"must":[{"key":"a","match":{"value":1},"x":1}]}`, `{"must":[7]}`} {
		var got Filter
		if err := json.Unmarshal([]byte(wrong), &got); err == nil {
			t.Errorf("%s: got %#v, want an error", wrong, got)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"must":[{"key":"a","range":{"gte":1}},{"should":[{"has_id":[1]}]}],"min_should":{"conditions":[],"min_count":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got Filter
		if json.Unmarshal(data, &got) == nil {
			if match, err := got.compile(); err == nil {
				match(matched{})
			}
		}
	})
}
