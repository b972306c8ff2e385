package index

import (
	"fmt"
	"iter"
	"math/bits"
)

// Filter is a set of rows that a search may return, as a bit map. It is not
// changed by searches; many may share it.
type Filter struct {
	words []uint64
	count int
}

// NewFilter makes a filter of a bit map: row r is admitted if bit r&63 of
// words[r>>6] is set. Rows beyond the words are not admitted. The filter keeps
// words, which must not change any more; it counts the bits now.
func NewFilter(words []uint64) *Filter {
	f := &Filter{words: words}
	for _, w := range words {
		f.count += bits.OnesCount64(w)
	}
	return f
}

// CountedFilter is NewFilter for a bit map whose bits the caller has counted.
func CountedFilter(words []uint64, count int) *Filter { return &Filter{words, count} }

// FilterOf makes a filter of rows, which must not be negative.
func FilterOf(rows ...int) *Filter {
	var words []uint64
	for _, r := range rows {
		if r < 0 {
			panic(fmt.Sprintf("index.FilterOf: row %d", r))
		}
		for r>>6 >= len(words) {
			words = append(words, 0)
		}
		words[r>>6] |= 1 << (r & 63)
	}
	return NewFilter(words)
}

// Has reports whether the filter admits a row. A nil filter admits every row.
func (f *Filter) Has(row int) bool {
	return f == nil || row>>6 < len(f.words) && f.words[row>>6]>>(row&63)&1 != 0
}

// Count returns how many rows the filter admits; it panics on a nil filter.
func (f *Filter) Count() int { return f.count }

// matches returns how many of n rows a filter, which may be nil, admits.
func (f *Filter) matches(n int) int {
	if f == nil {
		return n
	}
	if len(f.words) <= n>>6 {
		return f.count
	}
	count := f.count
	for row := range f.from(n) {
		_ = row
		count--
	}
	return count
}

// below yields the words of the bit map, with their numbers, cut to rows below n.
func (f *Filter) below(n int) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		for i, word := range f.words[:min(len(f.words), (n+63)/64)] {
			if i == n>>6 {
				word &= 1<<(n&63) - 1
			}
			if word != 0 && !yield(i, word) {
				return
			}
		}
	}
}

// rows yields the admitted rows below n, in order.
func (f *Filter) rows(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for row := range f.from(0) {
			if row >= n || !yield(row) {
				return
			}
		}
	}
}

// from yields the admitted rows from start on, in order.
func (f *Filter) from(start int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := start >> 6; i < len(f.words); i++ {
			w := f.words[i]
			if i == start>>6 {
				w &= ^uint64(0) << (start & 63)
			}
			for ; w != 0; w &= w - 1 {
				if !yield(i<<6 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// block returns the bits of rows 32·b to 32·b+31.
func (f *Filter) block(b int) uint32 {
	if b>>1 >= len(f.words) {
		return 0
	}
	return uint32(f.words[b>>1] >> (b & 1 * 32))
}
