package vector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// conditionJSON is a condition as text: a key with one test, or one of the
// fields below it.
type conditionJSON struct {
	Key         string          `json:"key"`
	Match       *matchJSON      `json:"match"`
	Range       *rangeJSON      `json:"range"`
	ValuesCount *countJSON      `json:"values_count"`
	GeoRadius   *geoRadiusJSON  `json:"geo_radius"`
	GeoBox      *geoBoxJSON     `json:"geo_bounding_box"`
	IsNull      *keyJSON        `json:"is_null"`
	IsEmpty     *keyJSON        `json:"is_empty"`
	HasID       []ID            `json:"has_id"`
	Nested      *nestedJSON     `json:"nested"`
	Must        json.RawMessage `json:"must"`
	Should      json.RawMessage `json:"should"`
	MustNot     json.RawMessage `json:"must_not"`
	MinShould   json.RawMessage `json:"min_should"`
}

type matchJSON struct {
	Value  any    `json:"value"`
	Text   string `json:"text"`
	Any    []any  `json:"any"`
	Except []any  `json:"except"`
}

type rangeJSON struct {
	GT  any `json:"gt"`
	GTE any `json:"gte"`
	LT  any `json:"lt"`
	LTE any `json:"lte"`
}

type countJSON struct {
	GT  *int `json:"gt"`
	GTE *int `json:"gte"`
	LT  *int `json:"lt"`
	LTE *int `json:"lte"`
}

type keyJSON struct {
	Key string `json:"key"`
}

type placeJSON struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

type geoRadiusJSON struct {
	Center placeJSON `json:"center"`
	Radius float64   `json:"radius"`
}

type geoBoxJSON struct {
	TopLeft     placeJSON `json:"top_left"`
	BottomRight placeJSON `json:"bottom_right"`
}

type nestedJSON struct {
	Key    string  `json:"key"`
	Filter *Filter `json:"filter"`
}

type filterJSON struct {
	Must      json.RawMessage `json:"must"`
	Should    json.RawMessage `json:"should"`
	MustNot   json.RawMessage `json:"must_not"`
	MinShould *struct {
		Conditions []json.RawMessage `json:"conditions"`
		MinCount   int               `json:"min_count"`
	} `json:"min_should"`
}

// UnmarshalJSON reads a filter in the form that Qdrant's API has made common:
//
//	{"must": [{"key": "year", "range": {"gte": 1927}},
//	          {"key": "genres", "match": {"any": ["drama", "comedy"]}}],
//	 "must_not": [{"is_empty": {"key": "title"}}]}
//
// Unknown fields are refused.
func (f *Filter) UnmarshalJSON(data []byte) error {
	var j filterJSON
	if err := strict(data, &j); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	var errs [3]error
	*f = Filter{}
	f.Must, errs[0] = parseConditions(j.Must)
	f.Should, errs[1] = parseConditions(j.Should)
	f.MustNot, errs[2] = parseConditions(j.MustNot)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if j.MinShould == nil {
		return nil
	}
	least := &Filter{MinShould: j.MinShould.MinCount}
	for _, raw := range j.MinShould.Conditions {
		c, err := parseCondition(raw)
		if err != nil {
			return err
		}
		least.Should = append(least.Should, c)
	}
	f.Must = append(f.Must, least)
	return nil
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	return d.Decode(into)
}

// parseConditions reads a list of conditions, or one alone.
func parseConditions(data json.RawMessage) ([]Condition, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	var raw []json.RawMessage
	if bytes.TrimSpace(data)[0] != '[' {
		raw = []json.RawMessage{data}
	} else if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	var conditions []Condition
	for _, r := range raw {
		c, err := parseCondition(r)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

func parseCondition(data json.RawMessage) (Condition, error) {
	var j conditionJSON
	if err := strict(data, &j); err != nil {
		return nil, fmt.Errorf("condition %s: %w", short(data), err)
	}
	switch {
	case j.Must != nil || j.Should != nil || j.MustNot != nil || j.MinShould != nil:
		f := new(Filter)
		return f, f.UnmarshalJSON(data)
	case j.IsNull != nil:
		return IsNull{j.IsNull.Key}, nil
	case j.IsEmpty != nil:
		return IsEmpty{j.IsEmpty.Key}, nil
	case j.HasID != nil:
		return HasID{j.HasID}, nil
	case j.Nested != nil:
		return Nested{j.Nested.Key, j.Nested.Filter}, nil
	case j.Match != nil:
		return j.Match.condition(j.Key), nil
	case j.Range != nil:
		return Range{j.Key, j.Range.GT, j.Range.GTE, j.Range.LT, j.Range.LTE}, nil
	case j.ValuesCount != nil:
		return j.ValuesCount.condition(j.Key), nil
	case j.GeoRadius != nil:
		return GeoRadius{j.Key, j.GeoRadius.Center.Lat, j.GeoRadius.Center.Lon, j.GeoRadius.Radius}, nil
	case j.GeoBox != nil:
		b := j.GeoBox
		return GeoBox{Key: j.Key, North: b.TopLeft.Lat, West: b.TopLeft.Lon, South: b.BottomRight.Lat, East: b.BottomRight.Lon}, nil
	}
	return nil, fmt.Errorf("condition %s: it tests nothing", short(data))
}

func (m *matchJSON) condition(key string) Condition {
	switch {
	case m.Text != "":
		return MatchText{key, m.Text}
	case m.Any != nil:
		return MatchAny{key, m.Any}
	case m.Except != nil:
		return MatchExcept{key, m.Except}
	}
	return Match{key, m.Value}
}

func (n *countJSON) condition(key string) Condition {
	least, most := 0, math.MaxInt
	for _, bound := range []struct {
		at   *int
		more int
		low  bool
	}{{n.GT, 1, true}, {n.GTE, 0, true}, {n.LT, -1, false}, {n.LTE, 0, false}} {
		switch {
		case bound.at == nil:
		case bound.low:
			least = max(least, *bound.at+bound.more)
		default:
			most = min(most, *bound.at+bound.more)
		}
	}
	if most <= 0 { // Max 0 would mean no limit
		return IsEmpty{key}
	}
	return ValuesCount{key, least, most}
}

// short is the beginning of a text, for errors.
func short(data []byte) string {
	const most = 80
	if len(data) <= most {
		return string(data)
	}
	return string(data[:most]) + "…"
}
