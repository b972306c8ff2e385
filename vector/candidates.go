package vector

import (
	"github.com/RoaringBitmap/roaring/v2"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// candidates are the rows of a segment that a condition may hold for, as far as
// the payload indexes know: if exact, it holds for these and no others; if not,
// for some of these at most. Nil rows are all rows.
type candidates struct {
	rows  *roaring.Bitmap
	exact bool
}

// lookup answers conditions from the payload indexes of a segment, for points
// of one namespace.
type lookup struct {
	segment   *segment
	derived   *derived
	namespace string
}

// unknown is what is known about a condition without an index.
var unknown = candidates{}

// index returns the index of one of the kinds over a key, nil if there is none.
func (l lookup) index(key string, kinds ...PayloadIndex) *payloadIndex {
	path, err := payload.ParsePath(key)
	if err != nil {
		return nil
	}
	for _, kind := range kinds {
		if x := l.derived.payload[payloadName(path, kind)]; x != nil {
			return x
		}
	}
	return nil
}

func (l lookup) candidates(c Condition) candidates {
	switch c := c.(type) {
	case Filter:
		return l.filterCandidates(c)
	case Match:
		return l.candidates(MatchAny{c.Key, []any{c.Value}})
	case MatchAny:
		if x := l.index(c.Key, KeywordIndex); x != nil {
			set, _ := newScalarSet(c.Key, c.Values)
			rows := roaring.New()
			for value := range set {
				rows.Or(x.rows([]byte(value)))
			}
			return candidates{rows, true}
		}
	case MatchExcept:
		if x := l.index(c.Key, KeywordIndex); x != nil {
			return candidates{x.except(c), true}
		}
	case Range:
		return l.rangeCandidates(c)
	case MatchText:
		if x := l.index(c.Key, TextIndex); x != nil {
			return candidates{x.words(c.terms()), true}
		}
	case GeoRadius:
		return l.areaCandidates(c.Key, c)
	case GeoBox:
		return l.areaCandidates(c.Key, c)
	case IsEmpty:
		if x := l.index(c.Key, KeywordIndex, NumberIndex, TimeIndex, GeoIndex, TextIndex); x != nil {
			return candidates{roaring.Flip(x.present, 0, uint64(l.segment.rows)), true}
		}
	case HasID:
		return candidates{l.segment.withIDs(l.namespace, c.IDs), true}
	}
	return unknown
}

// except returns the rows that have a value other than those of a condition.
func (x *payloadIndex) except(c MatchExcept) *roaring.Bitmap {
	set, _ := newScalarSet(c.Key, c.Values)
	rows := roaring.New()
	for i := range x.terms.len() {
		if !set[string(x.terms.item(i))] {
			rows.Or(x.bitmap(i))
		}
	}
	return rows
}

// words returns the rows that have all of some words.
func (x *payloadIndex) words(terms []string) *roaring.Bitmap {
	if len(terms) == 0 { // any text will do, and the rows with words are not kept
		rows := roaring.New()
		for i := range x.terms.len() {
			rows.Or(x.bitmap(i))
		}
		return rows
	}
	rows := x.rows([]byte(terms[0]))
	for _, t := range terms[1:] {
		rows.And(x.rows([]byte(t)))
	}
	return rows
}

func (l lookup) rangeCandidates(c Range) candidates {
	b, err := c.bounds()
	kind := NumberIndex
	if b.times {
		kind = TimeIndex
	}
	if x := l.index(c.Key, kind); x != nil && err == nil {
		from, to := x.column.between(b)
		return candidates{x.column.rowsOf(from, to), !x.column.inexact}
	}
	return unknown
}

func (l lookup) areaCandidates(key string, a area) candidates {
	if x := l.index(key, GeoIndex); x != nil {
		return candidates{x.within(a), true}
	}
	return unknown
}

// withIDs returns the rows of IDs in a namespace.
func (s *segment) withIDs(namespace string, ids []ID) *roaring.Bitmap {
	rows := roaring.New()
	for _, id := range ids {
		key := appendKey(nil, namespace, id)
		if row := s.search(key); row < s.rows && string(s.key(row)) == string(key) {
			rows.Add(uint32(row))
		}
	}
	return rows
}

func (l lookup) filterCandidates(f Filter) candidates {
	all := candidates{exact: true}
	for _, c := range f.Must {
		all = all.and(l.candidates(c))
	}
	if len(f.Should) > 0 {
		all = all.and(l.shouldCandidates(f))
	}
	for _, c := range f.MustNot {
		not := l.candidates(c)
		if !not.exact {
			all.exact = false
			continue
		}
		if all.rows == nil {
			all.rows = roaring.New()
			all.rows.AddRange(0, uint64(l.segment.rows))
		}
		if not.rows == nil { // it holds for all
			all.rows = roaring.New()
			continue
		}
		all.rows = roaring.AndNot(all.rows, not.rows)
	}
	return all
}

func (a candidates) and(b candidates) candidates {
	exact := a.exact && b.exact
	switch {
	case a.rows == nil:
		return candidates{b.rows, exact}
	case b.rows == nil:
		return candidates{a.rows, exact}
	}
	return candidates{roaring.And(a.rows, b.rows), exact}
}

// shouldCandidates counts, for each row, the conditions that hold.
func (l lookup) shouldCandidates(f Filter) candidates {
	least, err := f.minShould()
	if err != nil {
		return unknown
	}
	// reached[i] is the rows for which at least i+1 conditions may hold.
	reached := make([]*roaring.Bitmap, least)
	for i := range reached {
		reached[i] = roaring.New()
	}
	exact := true
	for _, c := range f.Should {
		one := l.candidates(c)
		if one.rows == nil {
			one.rows = roaring.New()
			one.rows.AddRange(0, uint64(l.segment.rows))
		}
		exact = exact && one.exact
		for i := least - 1; i > 0; i-- {
			reached[i].Or(roaring.And(reached[i-1], one.rows))
		}
		reached[0].Or(one.rows)
	}
	return candidates{reached[least-1], exact}
}
