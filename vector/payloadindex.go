package vector

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// A payload index of a segment is the rows that have any value at a key, and
// then, by its kind, postings or a column:
//
//   - postings map a value or word, as bytes in order, to a bitmap of rows
//     (KeywordIndex, TextIndex);
//   - a column is numbers in order, each with its row (NumberIndex, TimeIndex);
//   - places are a column of latitudes with longitudes beside them (GeoIndex).
type payloadIndex struct {
	kind    PayloadIndex
	present *roaring.Bitmap
	postings
	column numberColumn
	lons   []byte // of GeoIndex, beside column
}

// postings are sorted terms and their bitmaps.
type postings struct {
	terms   offsets
	bitmaps offsets
}

// numberColumn is float64 keys in order and the row of each.
type numberColumn struct {
	keys    []byte
	rows    []uint32
	n       int
	inexact bool // integers were rounded: neighbours of a bound must be looked at
}

func (c numberColumn) key(i int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(c.keys[8*i:]))
}

// otherTerm stands for values that are no strings, booleans or numbers: no
// encoded value begins with it.
var otherTerm = []byte{0xff}

// buildPayloadIndex reads all payloads and returns the section of one index.
func buildPayloadIndex(f payloadField, s *segment) ([]byte, error) {
	b := payloadIndexBuilder{field: f, present: roaring.New(), terms: map[string]*roaring.Bitmap{}}
	for row := range s.rows {
		s.payload(row).Leaves(f.path, func(v payload.Value) bool {
			b.add(uint32(row), v)
			return true
		})
	}
	return b.encode()
}

type payloadIndexBuilder struct {
	field   payloadField
	present *roaring.Bitmap
	terms   map[string]*roaring.Bitmap
	numbers []keyedRow
	inexact bool
}

type keyedRow struct {
	key, lon float64
	row      uint32
}

func (b *payloadIndexBuilder) add(row uint32, v payload.Value) {
	if v.Kind() == payload.Null {
		return
	}
	b.present.Add(row)
	switch b.field.kind {
	case KeywordIndex:
		term, ok := scalar(v)
		if !ok {
			term = otherTerm
		}
		b.term(row, string(term))
	case TextIndex:
		if text, ok := v.Text(); ok {
			for _, t := range lexical.Default().Terms(string(text)) {
				b.term(row, t)
			}
		}
	case NumberIndex, TimeIndex:
		if n, ok := (bounds{times: b.field.kind == TimeIndex}).number(v); ok {
			b.inexact = b.inexact || math.Abs(n.Float) >= 1<<53
			b.numbers = append(b.numbers, keyedRow{n.Float, 0, row})
		}
	case GeoIndex:
		if p, ok := placeOf(v); ok {
			b.numbers = append(b.numbers, keyedRow{p.lat, p.lon, row})
		}
	}
}

func (b *payloadIndexBuilder) term(row uint32, term string) {
	rows := b.terms[term]
	if rows == nil {
		rows = roaring.New()
		b.terms[term] = rows
	}
	rows.Add(row)
}

// encode returns the section: nine parts, each with its length before it as
// uint64 and zeros after it up to a multiple of eight, so that numbers can be
// used where they lie. Parts that the kind does not use are empty.
func (b *payloadIndexBuilder) encode() ([]byte, error) {
	present, err := b.present.ToBytes()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(b.terms))
	for name := range b.terms {
		names = append(names, name)
	}
	slices.Sort(names)
	var terms, termsAt, bitmaps, bitmapsAt []byte
	le := binary.LittleEndian
	for _, name := range names {
		termsAt = le.AppendUint64(termsAt, uint64(len(terms)))
		bitmapsAt = le.AppendUint64(bitmapsAt, uint64(len(bitmaps)))
		terms = append(terms, name...)
		b.terms[name].RunOptimize()
		data, err := b.terms[name].ToBytes()
		if err != nil {
			return nil, err
		}
		bitmaps = append(bitmaps, data...)
	}
	termsAt = le.AppendUint64(termsAt, uint64(len(terms)))
	bitmapsAt = le.AppendUint64(bitmapsAt, uint64(len(bitmaps)))
	slices.SortFunc(b.numbers, func(x, y keyedRow) int {
		return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.row, y.row))
	})
	var keys, rows, lons []byte
	for _, n := range b.numbers {
		keys = le.AppendUint64(keys, math.Float64bits(n.key))
		rows = le.AppendUint32(rows, n.row)
		if b.field.kind == GeoIndex {
			lons = le.AppendUint64(lons, math.Float64bits(n.lon))
		}
	}
	flags := []byte{0}
	if b.inexact {
		flags[0] = 1
	}
	var out []byte
	for _, part := range [][]byte{flags, present, terms, termsAt, bitmaps, bitmapsAt, keys, rows, lons} {
		out = append(le.AppendUint64(out, uint64(len(part))), part...)
		out = append(out, make([]byte, padding(len(part)))...)
	}
	return out, nil
}

// padding is what a length lacks to a multiple of eight.
func padding(n int) int { return -n & 7 }

// parsePayloadIndex reads a section for a segment of so many rows.
func parsePayloadIndex(kind PayloadIndex, data []byte, rows int) (*payloadIndex, error) {
	var parts [9][]byte
	for i := range parts {
		if len(data) < 8 {
			return nil, fmt.Errorf("part %d of the index is missing", i)
		}
		size := binary.LittleEndian.Uint64(data)
		if size > uint64(len(data)-8) {
			return nil, fmt.Errorf("part %d of the index has %d bytes, and %d are left", i, size, len(data)-8)
		}
		parts[i], data = data[8:8+size:8+size], data[8+size:]
		data = data[min(padding(int(size)), len(data)):]
	}
	present, err := readBitmap(parts[1])
	if err != nil {
		return nil, err
	}
	x := &payloadIndex{
		kind: kind, present: present,
		postings: postings{offsets{parts[3], parts[2]}, offsets{parts[5], parts[4]}},
		column:   numberColumn{keys: parts[6], rows: uint32s(parts[7]), n: len(parts[7]) / 4, inexact: len(parts[0]) == 1 && parts[0][0] != 0},
		lons:     parts[8],
	}
	if x.terms.len() != x.bitmaps.len() || len(parts[6]) != 8*x.column.n || kind == GeoIndex && len(parts[8]) != 8*x.column.n {
		return nil, fmt.Errorf("the parts of the index do not fit together")
	}
	for i := range x.column.n {
		if int(x.column.rows[i]) >= rows || i > 0 && !(x.column.key(i-1) <= x.column.key(i)) {
			return nil, fmt.Errorf("entry %d of the index is out of order", i)
		}
	}
	return x, nil
}

// find returns the place of a term.
func (p postings) find(term []byte) (int, bool) {
	return sort.Find(p.terms.len(), func(i int) int { return bytes.Compare(term, p.terms.item(i)) })
}

// addTerm adds the rows of a term. Damage gives fewer.
func (p postings) addTerm(rows rowSet, term []byte) {
	if i, ok := p.find(term); ok {
		rows.addStored(p.bitmaps.item(i))
	}
}

func (p postings) bitmap(i int) *roaring.Bitmap {
	b, err := readBitmap(p.bitmaps.item(i))
	if err != nil {
		return roaring.New()
	}
	return b
}

// between returns the entries of a column within bounds, as from (inclusive) to
// (exclusive). Where the column is inexact, the bounds are taken as inclusive.
func (c numberColumn) between(b bounds) (from, to int) {
	to = c.n
	below := func(limit float64, or bool) int { // the first entry above the limit, or at it
		return sort.Search(c.n, func(i int) bool { return c.key(i) > limit || or && c.key(i) == limit })
	}
	if b.gt != nil {
		from = max(from, below(b.gt.Float, c.inexact))
	}
	if b.gte != nil {
		from = max(from, below(b.gte.Float, true))
	}
	if b.lt != nil {
		to = min(to, below(b.lt.Float, !c.inexact))
	}
	if b.lte != nil {
		to = min(to, below(b.lte.Float, false))
	}
	return from, max(from, to)
}

func (c numberColumn) addRows(rows rowSet, from, to int) {
	for _, row := range c.rows[from:to] {
		rows[row>>6] |= 1 << (row & 63)
	}
}

// addWithin adds the rows with a place in an area.
func (x *payloadIndex) addWithin(rows rowSet, a area) {
	south, north := a.latitudes()
	low, high := payload.NumberOf(south), payload.NumberOf(north)
	from, to := x.column.between(bounds{gte: &low, lte: &high})
	for i := from; i < to; i++ {
		lon := math.Float64frombits(binary.LittleEndian.Uint64(x.lons[8*i:]))
		if a.holds(place{x.column.key(i), lon}) {
			rows.add(int(x.column.rows[i]))
		}
	}
}
