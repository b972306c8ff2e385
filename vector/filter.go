package vector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// Filter says which points are wanted, by conditions on their payloads and IDs.
// The zero value wants all.
//
// Keys are paths into the payload: "address.city". Arrays are looked through:
// a condition on a key holds if one of the values there fits. Nested makes
// conditions hold for the same element of an array of objects.
type Filter struct {
	Must    []Condition // all of these hold
	MustNot []Condition // none of these holds
	Should  []Condition // at least MinShould of these hold
	// MinShould is how many of Should must hold; 0 means 1, if there are any.
	MinShould int
}

// Condition is one of the types below, or a Filter or a pointer to one.
type Condition interface {
	// compile checks the condition and returns how a payload is tested.
	compile() (matcher, error)
}

// All wants points for which every condition holds.
func All(conditions ...Condition) *Filter { return &Filter{Must: conditions} }

// Any wants points for which at least one condition holds.
func Any(conditions ...Condition) *Filter { return &Filter{Should: conditions} }

// Not wants points for which no condition holds.
func Not(conditions ...Condition) *Filter { return &Filter{MustNot: conditions} }

// Match holds if a value equals Value: a string, a boolean or a number.
type Match struct {
	Key   string
	Value any
}

// MatchAny holds if a value equals one of Values.
type MatchAny struct {
	Key    string
	Values []any
}

// MatchExcept holds if there is a value that equals none of Values.
type MatchExcept struct {
	Key    string
	Values []any
}

// Range holds if a value lies within the bounds that are not nil. They are
// numbers, or times: a time.Time, or a string of RFC 3339 (or of its date
// alone, which is midnight UTC) to compare with values of that form.
type Range struct {
	Key              string
	GT, GTE, LT, LTE any
}

// MatchText holds if a text has all words of Query, as the analyser of keyword
// indexes sees them.
type MatchText struct {
	Key   string
	Query string
}

// IsNull holds if there is a value and it is null.
type IsNull struct{ Key string }

// IsEmpty holds if there is no value, or it is null or an array without
// elements.
type IsEmpty struct{ Key string }

// ValuesCount holds if the number of values lies within Min and Max. An array
// has as many values as elements, anything else one, a missing or null one
// none. Max 0 means no limit.
type ValuesCount struct {
	Key      string
	Min, Max int
}

// GeoRadius holds if a place {"lat": …, "lon": …} lies within Meters of a
// centre.
type GeoRadius struct {
	Key      string
	Lat, Lon float64
	Meters   float64
}

// GeoBox holds if a place lies in a box. A box whose West is greater than its
// East crosses the 180th meridian.
type GeoBox struct {
	Key                      string
	North, South, East, West float64
}

// Nested holds if the filter holds for one object at Key, or for one element of
// an array of objects there.
type Nested struct {
	Key    string
	Filter *Filter
}

// HasID holds for the points with these IDs.
type HasID struct{ IDs []ID }

// matched is what a filter looks at: a point, or within Nested an object of it.
type matched struct {
	key     string // of the point
	payload payload.Value
}

// matcher tests one point.
type matcher func(matched) bool

// optional compiles a filter that may be nil; that one, and one without
// conditions, give a nil matcher.
func (f *Filter) optional() (matcher, error) {
	if f == nil || f.isZero() {
		return nil, nil
	}
	return f.compile()
}

func (f Filter) isZero() bool { return len(f.Must)+len(f.MustNot)+len(f.Should) == 0 }

func (f Filter) compile() (matcher, error) {
	must, err1 := compileAll(f.Must)
	not, err2 := compileAll(f.MustNot)
	should, err3 := compileAll(f.Should)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	least, err := f.minShould()
	if err != nil {
		return nil, err
	}
	return func(m matched) bool {
		for _, holds := range must {
			if !holds(m) {
				return false
			}
		}
		for _, holds := range not {
			if holds(m) {
				return false
			}
		}
		missing := least
		for i := 0; missing > 0 && len(should)-i >= missing; i++ {
			if should[i](m) {
				missing--
			}
		}
		return missing == 0
	}, nil
}

// minShould is how many of Should must hold.
func (f Filter) minShould() (int, error) {
	if f.MinShould < 0 || f.MinShould > len(f.Should) {
		return 0, fmt.Errorf("min_should is %d, and should has %d conditions", f.MinShould, len(f.Should))
	}
	if f.MinShould == 0 && len(f.Should) > 0 {
		return 1, nil
	}
	return f.MinShould, nil
}

func compileAll(conditions []Condition) ([]matcher, error) {
	matchers := make([]matcher, len(conditions))
	for i, c := range conditions {
		if f, ok := c.(*Filter); c == nil || ok && f == nil {
			return nil, errors.New("a condition is nil")
		}
		var err error
		if matchers[i], err = c.compile(); err != nil {
			return nil, err
		}
	}
	return matchers, nil
}

// leaves returns a matcher that holds if one value at the key fits.
func leaves(key string, fits func(payload.Value) bool) (matcher, error) {
	path, err := payload.ParsePath(key)
	if err != nil {
		return nil, err
	}
	return func(m matched) bool {
		found := false
		m.payload.Leaves(path, func(v payload.Value) bool {
			found = fits(v)
			return !found
		})
		return found
	}, nil
}

func (c Match) compile() (matcher, error) { return MatchAny{c.Key, []any{c.Value}}.compile() }

func (c MatchAny) compile() (matcher, error) {
	set, err := newScalarSet(c.Key, c.Values)
	if err != nil {
		return nil, err
	}
	return leaves(c.Key, set.has)
}

func (c MatchExcept) compile() (matcher, error) {
	set, err := newScalarSet(c.Key, c.Values)
	if err != nil {
		return nil, err
	}
	return leaves(c.Key, func(v payload.Value) bool { return v.Kind() != payload.Null && !set.has(v) })
}

// scalarSet is the values of a match, in the form scalar gives them.
type scalarSet map[string]bool

func newScalarSet(key string, values []any) (scalarSet, error) {
	set := scalarSet{}
	for _, value := range values {
		encoded, err := payload.Encode(nil, value)
		if err != nil {
			return nil, fmt.Errorf("match %q: %w", key, err)
		}
		s, ok := scalar(encoded)
		if !ok {
			return nil, fmt.Errorf("match %q: %v is no string, boolean or number", key, value)
		}
		set[string(s)] = true
	}
	return set, nil
}

func (s scalarSet) has(v payload.Value) bool {
	canonical, ok := scalar(v)
	return ok && s[string(canonical)]
}

// scalar returns a string, boolean or number as bytes that are equal if the
// values are: a float that is a whole number becomes an integer.
func scalar(v payload.Value) (canonical []byte, ok bool) {
	switch v.Kind() {
	case payload.String, payload.True, payload.False, payload.Int, payload.Uint:
		return v, true
	case payload.Float:
		n, ok := v.Number()
		if ok && n.Integer {
			canonical, _ = payload.Encode(nil, n.Int)
			return canonical, true
		}
		return v, ok
	}
	return nil, false
}

// bounds is a Range over numbers or times; times are compared as numbers of
// microseconds.
type bounds struct {
	times            bool
	gt, gte, lt, lte *payload.Number
}

func (c Range) bounds() (b bounds, err error) {
	kinds := 0
	for _, bound := range []struct {
		value any
		to    **payload.Number
	}{{c.GT, &b.gt}, {c.GTE, &b.gte}, {c.LT, &b.lt}, {c.LTE, &b.lte}} {
		if bound.value == nil {
			continue
		}
		n, isTime, err := rangeBound(bound.value)
		if err != nil {
			return b, fmt.Errorf("range of %q: %w", c.Key, err)
		}
		*bound.to = &n
		b.times = isTime
		if isTime {
			kinds |= 2
		} else {
			kinds |= 1
		}
	}
	if kinds == 0 || kinds == 3 {
		return b, fmt.Errorf("range of %q: want one or more bounds, all numbers or all times", c.Key)
	}
	return b, nil
}

func rangeBound(value any) (n payload.Number, isTime bool, err error) {
	switch v := value.(type) {
	case time.Time:
		return timeNumber(v), true, nil
	case string:
		t, ok := parseTime(v)
		if !ok {
			return n, false, fmt.Errorf("%q is no date-time of RFC 3339", v)
		}
		return timeNumber(t), true, nil
	}
	encoded, err := payload.Encode(nil, value)
	if err != nil {
		return n, false, err
	}
	n, ok := payload.Value(encoded).Number()
	if !ok {
		return n, false, fmt.Errorf("%v is neither a number nor a time", value)
	}
	return n, false, nil
}

func timeNumber(t time.Time) payload.Number {
	return payload.Number{Float: float64(t.UnixMicro()), Int: t.UnixMicro(), Integer: true}
}

func parseTime(text string) (time.Time, bool) {
	if len(text) < len(time.DateOnly) || text[4] != '-' {
		return time.Time{}, false // most texts are no times
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// number returns what a value is compared by.
func (b bounds) number(v payload.Value) (payload.Number, bool) {
	if !b.times {
		return v.Number()
	}
	text, ok := v.Text()
	if !ok {
		return payload.Number{}, false
	}
	t, ok := parseTime(string(text))
	return timeNumber(t), ok
}

func (b bounds) hold(n payload.Number) bool {
	return (b.gt == nil || n.Compare(*b.gt) > 0) && (b.gte == nil || n.Compare(*b.gte) >= 0) &&
		(b.lt == nil || n.Compare(*b.lt) < 0) && (b.lte == nil || n.Compare(*b.lte) <= 0)
}

func (c Range) compile() (matcher, error) {
	b, err := c.bounds()
	if err != nil {
		return nil, err
	}
	return leaves(c.Key, func(v payload.Value) bool {
		n, ok := b.number(v)
		return ok && b.hold(n)
	})
}

// terms returns the words that a text must have, once each.
func (c MatchText) terms() []string {
	terms := lexical.Default().Terms(c.Query)
	slices.Sort(terms)
	return slices.Compact(terms)
}

func (c MatchText) compile() (matcher, error) {
	path, err := payload.ParsePath(c.Key)
	if err != nil {
		return nil, err
	}
	wanted := c.terms()
	return func(m matched) bool {
		have := map[string]bool{}
		texts(m.payload, []payload.Path{path}, func(text string) {
			for _, t := range lexical.Default().Terms(text) {
				have[t] = true
			}
		})
		for _, t := range wanted {
			if !have[t] {
				return false
			}
		}
		return len(have) > 0
	}, nil
}

func (c IsNull) compile() (matcher, error) {
	return leaves(c.Key, func(v payload.Value) bool { return v.Kind() == payload.Null })
}

// countValues is the number of values at a path that are not null.
func countValues(v payload.Value, path payload.Path) int {
	n := 0
	v.Leaves(path, func(leaf payload.Value) bool {
		if leaf.Kind() != payload.Null {
			n++
		}
		return true
	})
	return n
}

func (c IsEmpty) compile() (matcher, error) {
	path, err := payload.ParsePath(c.Key)
	return func(m matched) bool { return countValues(m.payload, path) == 0 }, err
}

func (c ValuesCount) compile() (matcher, error) {
	path, err := payload.ParsePath(c.Key)
	if err == nil && (c.Min < 0 || c.Max < 0 || c.Max > 0 && c.Max < c.Min) {
		err = fmt.Errorf("values count of %q: from %d to %d", c.Key, c.Min, c.Max)
	}
	return func(m matched) bool {
		n := countValues(m.payload, path)
		return n >= c.Min && (c.Max == 0 || n <= c.Max)
	}, err
}

func (c Nested) compile() (matcher, error) {
	path, err := payload.ParsePath(c.Key)
	if err != nil {
		return nil, err
	}
	if c.Filter == nil {
		return nil, fmt.Errorf("nested %q: it has no filter", c.Key)
	}
	holds, err := c.Filter.compile()
	if err != nil {
		return nil, err
	}
	return func(m matched) bool {
		found := false
		m.payload.Leaves(path, func(v payload.Value) bool {
			found = v.Kind() == payload.Object && holds(matched{m.key, v})
			return !found
		})
		return found
	}, nil
}

func (c HasID) compile() (matcher, error) {
	set := map[string]bool{}
	for _, id := range c.IDs {
		if err := id.validate(); err != nil {
			return nil, err
		}
		set[string(appendKey(nil, "", id))] = true
	}
	return func(m matched) bool { // what follows the namespace is the key of the namespace ""
		return set[m.key[max(0, strings.IndexByte(m.key, 0)):]]
	}, nil
}
