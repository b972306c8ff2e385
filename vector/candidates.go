package vector

import "github.com/ragstone/ragstone/vector/internal/payload"

// candidates are the rows of a segment that a condition may hold for, as far as
// the payload indexes know: if exact, it holds for these and no others; if not,
// for some of these at most. Nil rows are all rows.
type candidates struct {
	rows  rowSet
	exact bool
}

// lookup answers conditions from the payload indexes of a segment, for points
// of one namespace.
type lookup struct {
	segment *segment
	derived *derived
	scope   *scope
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

// some returns candidates that fill puts into an empty set, exactly.
func (l lookup) some(fill func(rows rowSet)) candidates {
	rows := l.scope.rowSet(l.segment.rows)
	fill(rows)
	return candidates{rows, true}
}

func (l lookup) candidates(c Condition) candidates {
	switch c := c.(type) {
	case Filter:
		return l.filterCandidates(c)
	case *Filter:
		return l.filterCandidates(*c)
	case Match:
		return l.candidates(MatchAny{c.Key, []any{c.Value}})
	case MatchAny:
		if x := l.index(c.Key, KeywordIndex); x != nil {
			set, _ := newScalarSet(c.Key, c.Values)
			return l.some(func(rows rowSet) {
				for value := range set {
					x.addTerm(rows, []byte(value))
				}
			})
		}
	case MatchExcept:
		if x := l.index(c.Key, KeywordIndex); x != nil {
			return l.some(func(rows rowSet) { x.addExcept(rows, c) })
		}
	case Range:
		return l.rangeCandidates(c)
	case MatchText:
		if x := l.index(c.Key, TextIndex); x != nil {
			return l.words(x, c.terms())
		}
	case GeoRadius:
		return l.areaCandidates(c.Key, c)
	case GeoBox:
		return l.areaCandidates(c.Key, c)
	case IsEmpty:
		if x := l.index(c.Key, KeywordIndex, NumberIndex, TimeIndex, GeoIndex, TextIndex); x != nil {
			empty, present := allRows(l.segment.rows), newRowSet(l.segment.rows)
			present.addBitmap(x.present)
			empty.andNot(present)
			return candidates{empty, true}
		}
	case HasID:
		return l.some(func(rows rowSet) { l.addIDs(rows, c.IDs) })
	}
	return unknown
}

// addExcept adds the rows that have a value other than those of a condition.
func (x *payloadIndex) addExcept(rows rowSet, c MatchExcept) {
	set, _ := newScalarSet(c.Key, c.Values)
	for i := range x.terms.len() {
		if !set[string(x.terms.item(i))] {
			rows.addStored(x.bitmaps.item(i))
		}
	}
}

// words returns the rows that have all of some words, or, without words, any.
func (l lookup) words(x *payloadIndex, terms []string) candidates {
	if len(terms) == 0 {
		return l.some(func(rows rowSet) {
			for i := range x.terms.len() {
				rows.addStored(x.bitmaps.item(i))
			}
		})
	}
	all := candidates{exact: true}
	for _, t := range terms {
		all = all.and(l.some(func(rows rowSet) { x.addTerm(rows, []byte(t)) }))
	}
	return all
}

func (l lookup) rangeCandidates(c Range) candidates {
	b, err := c.bounds()
	kind := NumberIndex
	if b.times {
		kind = TimeIndex
	}
	x := l.index(c.Key, kind)
	if x == nil || err != nil {
		return unknown
	}
	known := l.some(func(rows rowSet) {
		from, to := x.column.between(b)
		x.column.addRows(rows, from, to)
	})
	known.exact = !x.column.inexact
	return known
}

func (l lookup) areaCandidates(key string, a area) candidates {
	if x := l.index(key, GeoIndex); x != nil {
		return l.some(func(rows rowSet) { x.addWithin(rows, a) })
	}
	return unknown
}

// addIDs adds the rows of IDs in the namespace.
func (l lookup) addIDs(rows rowSet, ids []ID) {
	for _, id := range ids {
		key := appendKey(nil, l.scope.namespace, id)
		if row := l.segment.search(key); row < l.segment.rows && string(l.segment.key(row)) == string(key) {
			rows.add(row)
		}
	}
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
			all.exact = false // for some of them it does not hold
			continue
		}
		if all.rows == nil {
			all.rows = allRows(l.segment.rows)
		}
		if not.rows == nil {
			not.rows = allRows(l.segment.rows)
		}
		all.rows.andNot(not.rows)
	}
	return all
}

// and intersects two sets, of which it may change the first.
func (a candidates) and(b candidates) candidates {
	exact := a.exact && b.exact
	switch {
	case a.rows == nil:
		return candidates{b.rows, exact}
	case b.rows != nil:
		a.rows.and(b.rows)
	}
	return candidates{a.rows, exact}
}

// shouldCandidates counts, for each row, the conditions that may hold: reached[i]
// is the rows for which at least i+1 may.
func (l lookup) shouldCandidates(f Filter) candidates {
	least, err := f.minShould()
	if err != nil {
		return unknown
	}
	reached := make([]rowSet, least)
	for i := range reached {
		reached[i] = newRowSet(l.segment.rows)
	}
	exact := true
	for _, c := range f.Should {
		one := l.candidates(c)
		if one.rows == nil {
			one.rows = allRows(l.segment.rows)
		}
		exact = exact && one.exact
		for i := least - 1; i > 0; i-- {
			for j, w := range one.rows {
				reached[i][j] |= reached[i-1][j] & w
			}
		}
		reached[0].or(one.rows)
	}
	return candidates{reached[least-1], exact}
}
