package vector

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
)

// Merging keeps the number of segments small: several are written as one,
// without the rows that have died. Rows whose death is only in the log are
// taken along, since the log may be cut back by a power cut; they are marked in
// the new segment.

const (
	// mergeWidth is how many segments of about one size are merged.
	mergeWidth = 4
	// mergeDeadShare is the share of dead rows from which a segment is written
	// anew by itself.
	mergeDeadShare = 0.3
	// mergeRowBytes is what a merge needs in memory for a row, beside what an
	// index takes.
	mergeRowBytes = 24
)

// pickMerge returns segments to merge, none if all is well: those with many
// dead rows, or mergeWidth of about one size, smallest first, that have no more rows
// together than most. Larger segments stay as they are. Deaths that are only in the log do
// not count: a merge would take these rows along. The caller holds c.structure.
func (c *Collection) pickMerge(segments []*segment, most int) []*segment {
	for _, s := range segments {
		at := slices.IndexFunc(c.manifest.Segments, func(e manifestSegment) bool { return e.Number == s.number })
		dead := at >= 0 && c.manifest.Segments[at].Deleted > 0 && float64(c.manifest.Segments[at].Deleted) >= mergeDeadShare*float64(s.rows)
		large := s.rows > most && unindexed([]*segment{s}) != nil // the ceiling was higher once
		if dead || large {
			return []*segment{s}
		}
	}
	bySize := slices.Clone(segments)
	slices.SortStableFunc(bySize, func(a, b *segment) int { return a.rows - b.rows })
	for i := 0; i+mergeWidth <= len(bySize); i++ {
		window := bySize[i : i+mergeWidth]
		if livingRows(window) > most {
			return nil
		}
		if window[mergeWidth-1].rows <= mergeWidth*max(window[0].rows, 64) {
			return window
		}
	}
	return nil
}

// livingRows is how many rows of some segments have not died.
func livingRows(segments []*segment) (n int) {
	for _, s := range segments {
		n += s.rows - int(s.deaths.count.Load())
	}
	return n
}

// mergeOnce does one merge if one is due, else builds the vector indexes of one segment
// that lacks them, and reports whether there was anything to do.
func (c *Collection) mergeOnce(ctx context.Context) (bool, error) {
	merged, err := c.merge(ctx, c.pickMerge)
	if merged || err != nil {
		return merged, err
	}
	return c.buildIndexes(ctx)
}

// buildIndexes builds the vector indexes of one segment that lacks them. The segment is
// in use meanwhile.
func (c *Collection) buildIndexes(ctx context.Context) (bool, error) {
	c.merging.Lock()
	defer c.merging.Unlock()
	c.structure.Lock()
	s := unindexed(c.segments())
	if s != nil && s.rows > c.mostRows() {
		s = nil // a merge will split it
	}
	if s != nil {
		s.retain()
	}
	c.structure.Unlock()
	if s == nil {
		return false, nil
	}
	defer s.release()
	if err := c.derive(ctx, s, true); err != nil {
		return false, fmt.Errorf("index collection %q: %w", c.name, err)
	}
	return true, nil
}

// Compact merges all segments into one, without deleted points, after sealing
// what is in memory; into several, where building the indexes of one would take more than half
// of Options.MaxBytes. It takes long for large collections; reads and writes go
// on meanwhile.
func (c *Collection) Compact(ctx context.Context) error {
	if err := c.Seal(ctx); err != nil {
		return err
	}
	_, err := c.merge(ctx, func(all []*segment, most int) []*segment {
		if pieces := max(1, (livingRows(all)+most-1)/most); len(all) <= pieces && !slices.ContainsFunc(all, func(s *segment) bool { return s.deaths.count.Load() > 0 }) {
			return nil
		}
		return all
	})
	if err != nil {
		return err
	}
	_, err = c.buildIndexes(ctx)
	return err
}

// merge writes the segments that pick chooses as one.
func (c *Collection) merge(ctx context.Context, pick func(all []*segment, most int) []*segment) (bool, error) {
	c.merging.Lock()
	defer c.merging.Unlock()
	inputs, flushed, err := c.mergeInputs(pick)
	if err != nil || len(inputs) == 0 {
		return false, err
	}
	defer func() {
		for _, s := range inputs {
			s.release()
		}
	}()
	if err := c.mergeInto(ctx, inputs, flushed); err != nil {
		return false, fmt.Errorf("merge segments of collection %q: %w", c.name, err)
	}
	return true, nil
}

// mergeInputs chooses and retains the segments to merge, and returns the write
// up to which deaths are durable.
func (c *Collection) mergeInputs(pick func(all []*segment, most int) []*segment) ([]*segment, uint64, error) {
	c.structure.Lock()
	defer c.structure.Unlock()
	inputs := slices.Clone(pick(c.segments(), c.mostRows()))
	slices.SortFunc(inputs, func(a, b *segment) int { return int(a.number) - int(b.number) })
	for _, s := range inputs {
		s.retain()
	}
	return inputs, c.manifest.Flushed, nil
}

func (c *Collection) mergeInto(ctx context.Context, inputs []*segment, flushed uint64) error {
	for _, s := range inputs { // a new checksum must not cover old damage
		if err := s.file.Verify(); err != nil {
			return corrupt(s.path, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	sources := make([]source, len(inputs))
	for i, s := range inputs {
		sources[i] = s
	}
	order := mergeOrder(inputs, func(s *segment, row int) bool {
		died := s.deaths.at(row)
		return died == 0 || died > flushed
	})
	var pieces []mergedPiece
	defer func() {
		for _, p := range pieces {
			p.segment.release() // the view retains it
		}
	}()
	for part := range slices.Chunk(order, evenly(len(order), c.mostRows())) {
		merged, err := c.newSegment(ctx, sources, part, true)
		if err != nil {
			return err
		}
		pieces = append(pieces, mergedPiece{merged, part})
	}
	return c.commitMerge(inputs, pieces)
}

// mergedPiece is a segment that a merge wrote, and where its rows come from.
type mergedPiece struct {
	segment *segment
	order   []rowRef
}

// evenly returns the size of pieces, as few as can be and of about one size, none of more
// than most.
func evenly(n, most int) int {
	pieces := max(1, (n+most-1)/most)
	return max(1, (n+pieces-1)/pieces)
}

// mostRows is how many rows a segment may have for its indexes to be built below the
// ceiling of memory.
func (c *Collection) mostRows() int {
	l := c.layout.Load()
	return max(1, sort.Search(math.MaxInt32, func(rows int) bool {
		return int64(rows)*mergeRowBytes+l.indexBytes(int64(rows)) > c.db.options.MaxBytes/2
	})-1)
}

// commitMerge puts the merged pieces in the place of their inputs, with the
// deaths that came meanwhile.
func (c *Collection) commitMerge(inputs []*segment, pieces []mergedPiece) error {
	c.structure.Lock()
	defer c.structure.Unlock()
	next := c.manifest.clone()
	next.Segments = slices.DeleteFunc(next.Segments, func(e manifestSegment) bool {
		return slices.ContainsFunc(inputs, func(s *segment) bool { return s.number == e.Number })
	})
	for _, p := range pieces {
		p.carryDeaths(inputs, c.manifest.Flushed)
		entry := manifestSegment{Number: p.segment.number, Points: p.segment.rows}
		if dead := int(p.segment.deaths.count.Load()); dead > 0 {
			entry.Deletions, entry.Deleted = c.newNumber(), dead
			if err := writeDeletions(c.fsys, c.path(deletionsName(entry.Number, entry.Deletions)), p.segment.deaths, c.manifest.Flushed); err != nil {
				return err
			}
		}
		next.Segments = append(next.Segments, entry)
	}
	c.noteDeletions(inputs)
	if err := c.commit(next); err != nil {
		return err
	}
	c.swapMerged(inputs, pieces)
	return nil
}

// carryDeaths marks the rows that died up to a write.
func (p mergedPiece) carryDeaths(inputs []*segment, until uint64) {
	for i, r := range p.order {
		if died := inputs[r.source].deaths.at(int(r.row)); died != 0 && died <= until && p.segment.deaths.at(i) == 0 {
			p.segment.deaths.mark(i, died)
		}
	}
}

// noteDeletions tells segments which deletions file goes with them.
func (c *Collection) noteDeletions(segments []*segment) {
	for _, s := range segments {
		for _, e := range c.manifest.Segments {
			if e.Number == s.number {
				s.deletions = e.Deletions
			}
		}
	}
}

func (c *Collection) swapMerged(inputs []*segment, pieces []mergedPiece) {
	c.writer.Lock()
	defer c.writer.Unlock()
	before := c.view.current
	if before == nil {
		return // closed meanwhile
	}
	next := &view{segments: without(before.segments, inputs), frozen: before.frozen}
	for _, p := range pieces {
		p.carryDeaths(inputs, endless)
		next.segments = append(next.segments, p.segment)
	}
	for _, s := range inputs {
		s.obsolete.Store(true)
	}
	c.view.replace(next, c.active)
}
