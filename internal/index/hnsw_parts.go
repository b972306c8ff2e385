package index

import (
	"fmt"
	"math"
)

// HNSWParts are the links of an HNSW index, in a form for files of other programs.
type HNSWParts struct {
	// M is the most links of a node on a level, twice that on level 0.
	M int
	// Entry is the row where searches begin; it lies on the highest level. Without rows it
	// does not matter.
	Entry int
	// Links has, for every row and every level it lies on, from 0 up, the rows linked to.
	Links [][][]uint32
}

// Parts returns the links, deleted rows' among them. Add and Delete wait
// meanwhile.
func (h *HNSW) Parts() HNSWParts {
	h.writing.Lock()
	defer h.writing.Unlock()
	entry, _ := h.top()
	parts := HNSWParts{M: h.options.M, Entry: int(entry), Links: make([][][]uint32, h.Len())}
	for row := range parts.Links {
		for level := range h.store.level(uint32(row)) + 1 {
			parts.Links[row] = append(parts.Links[row], h.store.links(uint32(row), level).read(nil))
		}
	}
	return parts
}

// HNSWFromParts makes an index of a copy of the vectors in slab with the links of
// parts, all of which are checked.
func HNSWFromParts(metric Metric, dimensions int, slab []float32, parts HNSWParts, options HNSWOptions) (*HNSW, error) {
	if err := checkSlab(dimensions, slab); err != nil {
		return nil, fmt.Errorf("make an HNSW index of its parts: %w", err)
	}
	if parts.M < 2 || parts.M > maxM || metric > L1 || options.EFConstruction < 0 {
		return nil, fmt.Errorf("make an HNSW index of its parts: M is %d, EFConstruction %d, the metric %v", parts.M, options.EFConstruction, metric)
	}
	if err := parts.check(len(slab) / dimensions); err != nil {
		return nil, fmt.Errorf("make an HNSW index of its parts: %w", err)
	}
	options.M = parts.M
	h := NewHNSW(metric, dimensions, options)
	for row, levels := range parts.Links {
		node := h.store.grow(len(levels) - 1)
		copy(h.store.vector(node), slab[row*dimensions:(row+1)*dimensions])
		h.normalise(h.store.vector(node))
		h.store.publish()
	}
	for row, levels := range parts.Links {
		for level, links := range levels {
			list := h.store.links(uint32(row), level)
			for _, other := range links {
				list.add(other)
			}
		}
	}
	if len(parts.Links) > 0 {
		h.entry.Store(uint64(parts.Entry)<<32 | uint64(len(parts.Links[parts.Entry])))
	}
	return h, nil
}

// check finds what a search would stumble over.
func (p HNSWParts) check(rows int) error {
	if len(p.Links) != rows || rows > math.MaxInt32 {
		return fmt.Errorf("links of %d rows for %d vectors", len(p.Links), rows)
	}
	if rows > 0 && (p.Entry < 0 || p.Entry >= rows) {
		return fmt.Errorf("searches begin at row %d of %d", p.Entry, rows)
	}
	for row, levels := range p.Links {
		if len(levels) < 1 || len(levels) > maxLevel+1 || len(levels) > len(p.Links[p.Entry]) {
			return fmt.Errorf("row %d lies on %d levels, the entry on %d", row, len(levels), len(p.Links[p.Entry]))
		}
		for level, links := range levels {
			most := p.M
			if level == 0 {
				most *= 2
			}
			if len(links) > most {
				return fmt.Errorf("row %d has %d links on level %d; M is %d", row, len(links), level, p.M)
			}
			for _, other := range links {
				if int64(other) >= int64(rows) || len(p.Links[other]) <= level {
					return fmt.Errorf("row %d links to row %d on level %d, where there is none", row, other, level)
				}
			}
		}
	}
	return nil
}
