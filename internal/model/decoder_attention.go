package model

import (
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
)

// attention is the work of one chunk's attention in layers of one kind, planned
// once and done for every such layer. A task is a tile of queries that share a key-value head. Where
// there are few tasks, as when one sequence decodes, they are cut further, into
// segments of keys; a task's segments are merged in order either way, so the
// numbers are the same.
type attention struct {
	window   int // tokens that a query sees, itself included; 0 means all
	tasks    []attentionTask
	split    bool
	pieces   []piece // of split tasks: a task and one of its segments
	partials []kernel.Partial
	scratch  sync.Pool // of *scratch
}

type attentionTask struct {
	span     *span
	head     int // key-value head
	from, n  int // queries, counted over the span's rows and the head's query heads
	first    int // the first segment that one of the queries sees
	segments int // how many from there on
	partial  int // of a split task: the index of its first partial
}

type piece struct{ task, segment int }

// scratch is what one thread needs for a task.
type scratch struct {
	queries  []float32
	sum, now kernel.Partial
	wide     []uint16 // a segment's pages, of a cache that holds bytes
}

// plan lists the tasks of a chunk in layers with a window, or without one for 0.
func (a *attention) plan(d *Decoder, spans []span, window int) {
	group := d.config.Heads / d.config.KVHeads
	a.window, a.tasks, a.pieces = window, a.tasks[:0], a.pieces[:0]
	segments := 0
	for i := range spans {
		s := &spans[i]
		for head := range d.config.KVHeads {
			for from := 0; from < s.n*group; from += kernel.MaxQueries {
				n := min(kernel.MaxQueries, s.n*group-from)
				first := a.begin(s.position+from/group) / kernel.SegmentTokens
				last := (s.position + (from+n-1)/group) / kernel.SegmentTokens
				t := attentionTask{span: s, head: head, from: from, n: n, first: first, segments: last - first + 1, partial: segments}
				segments += t.segments
				a.tasks = append(a.tasks, t)
			}
		}
	}
	a.split = len(a.tasks) < 4*d.pool.Threads() && segments > len(a.tasks)
	if !a.split {
		return
	}
	for i := range a.tasks {
		for s := range a.tasks[i].segments {
			a.pieces = append(a.pieces, piece{i, s})
		}
	}
	if len(a.partials) < segments {
		a.partials = make([]kernel.Partial, segments)
	}
}

// begin is the first token that the one at a position sees.
func (a *attention) begin(position int) int {
	if a.window == 0 {
		return 0
	}
	return max(0, position+1-a.window)
}

// run computes a layer's attention from the queries and the caches.
func (a *attention) run(d *Decoder, layer int) {
	if !a.split {
		d.pool.Run(len(a.tasks), func(i int) {
			t, w := &a.tasks[i], a.take()
			a.segment(d, t, layer, 0, w, &w.sum)
			for s := 1; s < t.segments; s++ {
				a.segment(d, t, layer, s, w, &w.now)
				w.sum.Add(&w.now)
			}
			t.finish(d, &w.sum)
			a.scratch.Put(w)
		})
		return
	}
	d.pool.Run(len(a.pieces), func(i int) {
		p, w := a.pieces[i], a.take()
		t := &a.tasks[p.task]
		a.segment(d, t, layer, p.segment, w, &a.partials[t.partial+p.segment])
		a.scratch.Put(w)
	})
	for i := range a.tasks {
		t := &a.tasks[i]
		for s := 1; s < t.segments; s++ {
			a.partials[t.partial].Add(&a.partials[t.partial+s])
		}
		t.finish(d, &a.partials[t.partial])
	}
}

func (a *attention) take() *scratch {
	if w, ok := a.scratch.Get().(*scratch); ok {
		return w
	}
	return new(scratch)
}

// segment attends from a task's queries to one of its segments of keys.
func (a *attention) segment(d *Decoder, t *attentionTask, layer, segment int, w *scratch, p *kernel.Partial) {
	c := &d.config
	group, dim := c.Heads/c.KVHeads, c.HeadSize
	segment += t.first
	start := segment * kernel.SegmentTokens
	w.queries = w.queries[:0]
	var from, to [kernel.MaxQueries]int
	for i := range t.n {
		row, head := t.query(i, group)
		at := row*c.Heads*dim + head*dim
		w.queries = append(w.queries, d.work.query[at:at+dim]...)
		position := t.span.position + (t.from+i)/group
		from[i], to[i] = a.begin(position)-start, position+1-start
	}
	var pages [kernel.SegmentPages][]uint16
	blocks := t.span.in.Cache.blocks[segment*kernel.SegmentPages:]
	n := min(len(blocks), kernel.SegmentPages)
	for i, b := range blocks[:n] {
		pages[i] = d.page(b, layer, t.head)
	}
	if c.ByteCache {
		w.widen(pages[:n], from[0], to[t.n-1], dim)
	}
	if a.window == 0 && c.AttentionCap == 0 {
		p.Attend(w.queries, pages[:n], to[:t.n], float32(c.AttentionScale))
		return
	}
	p.AttendWindow(w.queries, pages[:n], from[:t.n], to[:t.n], float32(c.AttentionScale), float32(c.AttentionCap))
}

// widen replaces byte pages by pages that attention reads; of those that lie
// outside the tokens from ≤ i < to, which no query sees, it leaves the numbers
// open.
func (w *scratch) widen(pages [][]uint16, from, to, dim int) {
	size := kernel.PageSize(dim)
	if len(w.wide) < kernel.SegmentPages*size {
		w.wide = make([]uint16, kernel.SegmentPages*size)
	}
	for i, page := range pages {
		pages[i] = w.wide[i*size : (i+1)*size]
		if (i+1)*kernel.PageTokens > from && i*kernel.PageTokens < to {
			kernel.WidenBytes(pages[i], page, dim)
		}
	}
}

// finish writes the task's attention to where the projection reads it.
func (t *attentionTask) finish(d *Decoder, p *kernel.Partial) {
	group, dim := d.config.Heads/d.config.KVHeads, d.config.HeadSize
	for i := range t.n {
		row, head := t.query(i, group)
		p.Result(i, d.work.attended.Row(row)[head*dim:(head+1)*dim])
	}
}

// query returns the chunk's row and the head of the task's i-th query.
func (t *attentionTask) query(i, group int) (row, head int) {
	return t.span.row + (t.from+i)/group, t.head*group + (t.from+i)%group
}
