package vector

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// latest is a snapshot of everything applied, published or not, for a writer to
// plan by. The caller holds c.writer.
func (c *Collection) latest() *Snapshot {
	v := &c.view
	s := &Snapshot{c: c, layout: c.layout.Load(), seq: c.applied.Load()}
	v.mu.Lock()
	s.view = v.current
	s.view.users++
	v.mu.Unlock()
	for _, m := range s.view.frozen {
		s.memory = append(s.memory, memoryView{m, m.rows})
	}
	s.memory = append(s.memory, memoryView{c.active, c.active.rows})
	return s
}

// keys returns the keys of the points in a scope.
func (s *Snapshot) keys(namespace string, filter *Filter) ([][]byte, error) {
	sc, err := s.scope(namespace, filter)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for _, g := range s.view.segments {
		sc.rows(g).each(g.rows, func(row int) bool {
			keys = append(keys, slices.Clone(g.key(row)))
			return true
		})
	}
	sc.memory(func(v *row) { keys = append(keys, []byte(v.key)) })
	return keys, nil
}

// find returns where a point is.
func (s *Snapshot) find(key []byte) (located, bool) {
	for i := len(s.memory) - 1; i >= 0; i-- {
		if v := s.memory[i].find(string(key), s.seq); v != nil {
			return located{memory: v}, true
		}
	}
	for i := len(s.view.segments) - 1; i >= 0; i-- {
		g := s.view.segments[i]
		if row, ok := g.find(key, s.seq); ok {
			return located{segment: g, row: row}, true
		}
	}
	return located{}, false
}

// point returns what is wanted of a point.
func (s *Snapshot) point(at located, with With) (Point, error) {
	namespace, id, ok := parseKey(at.key())
	if !ok {
		return Point{}, corrupt(at.segment.path, fmt.Errorf("row %d has no key", at.row))
	}
	p := Point{ID: id, Namespace: namespace}
	if with.vectors() {
		return p, s.layout.decodePoint(&p, at.record(), with)
	}
	if with.WithoutPayload {
		return p, nil
	}
	return p, s.layout.decodePoint(&p, record{payload: at.payload()}, with)
}

// Get returns points by their IDs, in that order. Those that are not there are
// left out.
func (s *Snapshot) Get(ctx context.Context, namespace string, with With, ids ...ID) ([]Point, error) {
	if err := validateNamespace(namespace); err != nil {
		return nil, invalid("%w", err)
	}
	points := make([]Point, 0, len(ids))
	for _, id := range ids {
		if err := cmp.Or(ctx.Err(), id.validate()); err != nil {
			return nil, err
		}
		at, ok := s.find(appendKey(nil, namespace, id))
		if !ok {
			continue
		}
		p, err := s.point(at, with)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

// Scroll is a way to read all points: in the order of their IDs, page by page.
type Scroll struct {
	Namespace string
	Filter    *Filter
	// From is the ID to begin at; the zero ID is the beginning. It need not be
	// that of a point.
	From ID
	// Limit is the number of points in a page. 0 means 100.
	Limit int
	With  With
}

// Scroll returns a page of points and the ID that the next page begins at, zero
// if this is the last.
func (s *Snapshot) Scroll(ctx context.Context, q Scroll) (points []Point, next ID, err error) {
	limit := cmp.Or(q.Limit, 100)
	if limit < 0 {
		return nil, ID{}, invalid("scroll: limit %d", limit)
	}
	for p, err := range s.Points(ctx, q) {
		if err != nil {
			return nil, ID{}, err
		}
		if len(points) == limit {
			return points, p.ID, nil
		}
		points = append(points, p)
	}
	return points, ID{}, nil
}

// Points yields all points, in the order of their IDs; q.Limit is ignored. It
// ends after an error.
func (s *Snapshot) Points(ctx context.Context, q Scroll) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		sc, err := s.scope(q.Namespace, q.Filter)
		if err != nil {
			yield(Point{}, err)
			return
		}
		from := append([]byte(q.Namespace), 0)
		if !q.From.IsZero() {
			from = appendKey(nil, q.Namespace, q.From)
		}
		sc.ascend(from, func(at located) bool {
			if err := ctx.Err(); err != nil {
				yield(Point{}, err)
				return false
			}
			p, err := s.point(at, q.With)
			return yield(p, err) && err == nil
		})
	}
}

// Count returns the number of points in a namespace for which a filter holds;
// a nil filter holds for all.
func (s *Snapshot) Count(ctx context.Context, namespace string, filter *Filter) (int, error) {
	sc, err := s.scope(namespace, filter)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, g := range s.view.segments {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n += sc.rows(g).count
	}
	sc.memory(func(*row) { n++ })
	return n, nil
}

// Namespaces yields the names of all namespaces that have points, in order.
func (s *Snapshot) Namespaces() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range s.namespaces() {
			if !yield(name) {
				return
			}
		}
	}
}

func (s *Snapshot) namespaces() []string {
	names := map[string]bool{}
	for _, g := range s.view.segments {
		for row := 0; row < g.rows; {
			name, _, ok := parseKey(g.key(row))
			if !ok {
				break
			}
			_, to := g.namespace(name)
			for at := row; at < to && !names[name]; at++ {
				if g.deaths.visible(at, s.seq) {
					names[name] = true
				}
			}
			row = max(to, row+1)
		}
	}
	for _, m := range s.memory {
		for _, v := range m.rows {
			if v.visible(s.seq) {
				name, _, _ := parseKey([]byte(v.key))
				names[name] = true
			}
		}
	}
	list := make([]string, 0, len(names))
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// FacetCount is a value of a payload key and how many points have it.
type FacetCount struct {
	Value any `json:"value"` // a string, bool, int64, uint64 or float64
	Count int `json:"count"`
}

// Facet counts the points of a namespace by their values at a key, most
// frequent first and equal counts by value; a point with several values counts
// for each. Limit 0 means 10.
func (s *Snapshot) Facet(ctx context.Context, namespace, key string, filter *Filter, limit int) ([]FacetCount, error) {
	sc, err := s.scope(namespace, filter)
	if err != nil {
		return nil, err
	}
	path, err := payload.ParsePath(key)
	if err != nil {
		return nil, invalid("facet: %w", err)
	}
	counts := map[string]int{}
	for _, g := range s.view.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sc.facetSegment(g, path, counts)
	}
	sc.memory(func(v *row) { countLeaves(v.payload, path, counts) })
	return topFacets(counts, cmp.Or(limit, 10))
}

func (sc *scope) facetSegment(g *segment, path payload.Path, counts map[string]int) {
	r := sc.rows(g)
	d := g.derived.Load()
	if d == nil || d.payload[payloadName(path, KeywordIndex)] == nil {
		r.each(g.rows, func(row int) bool {
			countLeaves(g.payload(row), path, counts)
			return true
		})
		return
	}
	x := d.payload[payloadName(path, KeywordIndex)]
	for i := range x.terms.len() {
		n := 0
		for it := x.bitmap(i).Iterator(); it.HasNext(); {
			if r.has(int(it.Next())) {
				n++
			}
		}
		if term := x.terms.item(i); n > 0 && string(term) != string(otherTerm) {
			counts[string(term)] += n
		}
	}
}

// countLeaves counts each different value once.
func countLeaves(body payload.Value, path payload.Path, counts map[string]int) {
	var seen []string
	body.Leaves(path, func(v payload.Value) bool {
		if term, ok := scalar(v); ok && !slices.Contains(seen, string(term)) {
			seen = append(seen, string(term))
			counts[string(term)]++
		}
		return true
	})
}

func topFacets(counts map[string]int, limit int) ([]FacetCount, error) {
	terms := make([]string, 0, len(counts))
	for term := range counts {
		terms = append(terms, term)
	}
	slices.SortFunc(terms, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	facets := []FacetCount{}
	for _, term := range terms[:min(max(limit, 0), len(terms))] {
		value, err := payload.Value(term).Decode()
		if err != nil {
			return nil, fmt.Errorf("facet: %w", err)
		}
		facets = append(facets, FacetCount{value, counts[term]})
	}
	return facets, nil
}

// read runs a read on a snapshot of its own.
func read[T any](c *Collection, f func(*Snapshot) (T, error)) (T, error) {
	s, err := c.Snapshot()
	if err != nil {
		var none T
		return none, fmt.Errorf("collection %q: %w", c.name, err)
	}
	defer s.Close()
	return f(s)
}

// Get is Snapshot.Get now, in the namespace "", with payload and vectors.
func (c *Collection) Get(ctx context.Context, ids ...ID) ([]Point, error) {
	return read(c, func(s *Snapshot) ([]Point, error) { return s.Get(ctx, "", With{AllVectors: true}, ids...) })
}

// Count is Snapshot.Count now.
func (c *Collection) Count(ctx context.Context, namespace string, filter *Filter) (int, error) {
	return read(c, func(s *Snapshot) (int, error) { return s.Count(ctx, namespace, filter) })
}

// Scroll is Snapshot.Scroll now. Pages of one snapshot fit together even while
// points change; pages of a collection show each point that stayed.
func (c *Collection) Scroll(ctx context.Context, q Scroll) (points []Point, next ID, err error) {
	points, err = read(c, func(s *Snapshot) (p []Point, err error) {
		p, next, err = s.Scroll(ctx, q)
		return p, err
	})
	return points, next, err
}

// Facet is Snapshot.Facet now.
func (c *Collection) Facet(ctx context.Context, namespace, key string, filter *Filter, limit int) ([]FacetCount, error) {
	return read(c, func(s *Snapshot) ([]FacetCount, error) { return s.Facet(ctx, namespace, key, filter, limit) })
}
