package vector

import (
	"context"
	"fmt"
	"slices"
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
// dead rows, or mergeWidth of about one size, smallest first.
func pickMerge(segments []*segment) []*segment {
	for _, s := range segments {
		if dead := s.deaths.count.Load(); dead > 0 && float64(dead) >= mergeDeadShare*float64(s.rows) {
			return []*segment{s}
		}
	}
	bySize := slices.Clone(segments)
	slices.SortStableFunc(bySize, func(a, b *segment) int { return a.rows - b.rows })
	for i := 0; i+mergeWidth <= len(bySize); i++ {
		window := bySize[i : i+mergeWidth]
		if window[mergeWidth-1].rows <= mergeWidth*max(window[0].rows, 64) {
			return window
		}
	}
	return nil
}

// mergeOnce does one merge if one is due, else builds the vector indexes of one segment
// that lacks them, and reports whether there was anything to do.
func (c *Collection) mergeOnce(ctx context.Context) (bool, error) {
	merged, err := c.merge(ctx, pickMerge)
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
	if s != nil && c.layout.Load().indexBytes(int64(s.rows)) > c.db.options.MaxBytes/2 {
		s = nil
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
// what is in memory. It takes long for large collections; reads and writes go
// on meanwhile.
func (c *Collection) Compact(ctx context.Context) error {
	if err := c.Seal(ctx); err != nil {
		return err
	}
	_, err := c.merge(ctx, func(all []*segment) []*segment {
		if len(all) == 1 && all[0].deaths.count.Load() == 0 {
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
func (c *Collection) merge(ctx context.Context, pick func([]*segment) []*segment) (bool, error) {
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
func (c *Collection) mergeInputs(pick func([]*segment) []*segment) ([]*segment, uint64, error) {
	c.structure.Lock()
	defer c.structure.Unlock()
	inputs := slices.Clone(pick(c.segments()))
	rows := int64(0)
	for _, s := range inputs {
		rows += int64(s.rows)
	}
	if need := rows*mergeRowBytes + c.layout.Load().indexBytes(rows); need > c.db.options.MaxBytes/2 {
		return nil, 0, nil // a merge beyond the ceiling is left undone: searches visit more segments
	}
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
	var merged *segment
	if len(order) > 0 {
		var err error
		if merged, err = c.newSegment(ctx, sources, order, true); err != nil {
			return err
		}
	}
	return c.commitMerge(inputs, merged, order)
}

// commitMerge puts the merged segment in the place of its inputs, with the
// deaths that came meanwhile.
func (c *Collection) commitMerge(inputs []*segment, merged *segment, order []rowRef) error {
	c.structure.Lock()
	defer c.structure.Unlock()
	if merged != nil {
		defer merged.release() // the view retains it
		carryDeaths(inputs, merged, order, c.manifest.Flushed)
	}
	next := c.manifest.clone()
	next.Segments = slices.DeleteFunc(next.Segments, func(e manifestSegment) bool {
		return slices.ContainsFunc(inputs, func(s *segment) bool { return s.number == e.Number })
	})
	if merged != nil {
		entry := manifestSegment{Number: merged.number, Points: merged.rows}
		if dead := int(merged.deaths.count.Load()); dead > 0 {
			entry.Deletions, entry.Deleted = c.newNumber(), dead
			if err := writeDeletions(c.fsys, c.path(deletionsName(merged.number, entry.Deletions)), merged.deaths, c.manifest.Flushed); err != nil {
				return err
			}
		}
		next.Segments = append(next.Segments, entry)
	}
	c.noteDeletions(inputs)
	if err := c.commit(next); err != nil {
		return err
	}
	c.swapMerged(inputs, merged, order)
	return nil
}

// carryDeaths marks the rows of a merged segment that died up to a write.
func carryDeaths(inputs []*segment, merged *segment, order []rowRef, until uint64) {
	for i, r := range order {
		if died := inputs[r.source].deaths.at(int(r.row)); died != 0 && died <= until && merged.deaths.at(i) == 0 {
			merged.deaths.mark(i, died)
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

func (c *Collection) swapMerged(inputs []*segment, merged *segment, order []rowRef) {
	c.writer.Lock()
	defer c.writer.Unlock()
	before := c.view.current
	if before == nil {
		return // closed meanwhile
	}
	next := &view{segments: without(before.segments, inputs), frozen: before.frozen}
	if merged != nil {
		carryDeaths(inputs, merged, order, endless)
		next.segments = append(next.segments, merged)
	}
	for _, s := range inputs {
		s.obsolete.Store(true)
	}
	c.view.replace(next, c.active)
}
