package index_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/index"
)

func TestHNSWParts(t *testing.T) {
	const rows, dimensions = 1200, 10
	slab, query := clustered(1, rows, dimensions), clustered(2, 1, dimensions)
	for _, m := range floatMetrics {
		for _, n := range []int{0, 1, rows} {
			h := fillHNSW(t, m, dimensions, slab[:n*dimensions], index.HNSWOptions{M: 8, Seed: 5})
			parts := h.Parts()
			again, err := index.HNSWFromParts(m, dimensions, slab[:n*dimensions], parts, index.HNSWOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(parts, again.Parts()); diff != "" {
				t.Fatalf("%v, %d rows (-parts +again):\n%s", m, n, diff)
			}
			want, _ := h.Search(query, 10, index.Params{EF: 20})
			got, _ := again.Search(query, 10, index.Params{EF: 20})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v, %d rows (-built +again):\n%s", m, n, diff)
			}
			if row, err := again.Add(query); err != nil || row != n {
				t.Errorf("added afterwards: row %d, %v", row, err)
			}
		}
	}
}

func TestHNSWPartsDamaged(t *testing.T) {
	slab := clustered(1, 100, 4)
	for what, damage := range map[string]func(p *index.HNSWParts){
		"a row too few":      func(p *index.HNSWParts) { p.Links = p.Links[:99] },
		"an entry outside":   func(p *index.HNSWParts) { p.Entry = 100 },
		"a link outside":     func(p *index.HNSWParts) { p.Links[3][0][0] = 100 },
		"a huge link":        func(p *index.HNSWParts) { p.Links[3][0][0] = 1 << 31 },
		"a link to no level": func(p *index.HNSWParts) { p.Links[p.Entry][1] = []uint32{lowRow(*p)} },
		"no level":           func(p *index.HNSWParts) { p.Links[5] = nil },
		"above the entry":    func(p *index.HNSWParts) { p.Links[5] = make([][]uint32, len(p.Links[p.Entry])+1) },
		"M below the lists":  func(p *index.HNSWParts) { p.M = 2 },
		"too many links":     func(p *index.HNSWParts) { p.Links[1][0] = make([]uint32, 9) },
		"an M of one":        func(p *index.HNSWParts) { p.M = 1 },
	} {
		parts := fillHNSW(t, index.L2, 4, slab, index.HNSWOptions{M: 4}).Parts()
		damage(&parts)
		if _, err := index.HNSWFromParts(index.L2, 4, slab, parts, index.HNSWOptions{}); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// lowRow returns a row on level 0 only.
func lowRow(p index.HNSWParts) uint32 {
	for row, levels := range p.Links {
		if len(levels) == 1 {
			return uint32(row)
		}
	}
	panic("every row lies on a higher level")
}
