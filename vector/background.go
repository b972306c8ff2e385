package vector

import (
	"context"
	"sync"
	"time"
)

// background is the work that nobody waits for: one goroutine seals, one
// merges, and one flushes logs where Options.SyncEvery asks for it. It is owned
// by a DB, whose Close stops it.
type background struct {
	db     *DB
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	seals  queue
	merges queue
}

// queue is collections that want a piece of work, each at most once.
type queue struct {
	mu      sync.Mutex
	waiting []*Collection
	ready   chan struct{} // holds one token while somebody waits
}

func (q *queue) add(c *Collection) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		if w == c {
			return
		}
	}
	q.waiting = append(q.waiting, c)
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take returns all that wait.
func (q *queue) take() []*Collection {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting = nil
	return waiting
}

func startBackground(db *DB) *background {
	b := &background{db: db}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.seals.ready = make(chan struct{}, 1)
	b.merges.ready = make(chan struct{}, 1)
	if db.options.manual || db.options.ReadOnly {
		return b
	}
	b.wait.Go(func() { b.run(&b.seals, b.sealNow) })
	b.wait.Go(func() { b.run(&b.merges, b.mergeNow) })
	if db.options.SyncEvery > 0 {
		b.wait.Go(b.flushLogs)
	}
	return b
}

func (b *background) stop() {
	b.cancel()
	b.wait.Wait()
}

func (b *background) run(q *queue, work func(*Collection)) {
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-q.ready:
			for _, c := range q.take() {
				work(c)
			}
		}
	}
}

// seal asks for the frozen segments of a collection to be written.
func (b *background) seal(c *Collection) { b.seals.add(c) }

// sealAll asks for all of a collection's points in memory to be written.
func (b *background) sealAll(c *Collection) {
	c.view.mu.Lock()
	some := len(c.view.rows) > 0
	c.view.mu.Unlock()
	if some {
		b.seals.add(c)
	}
}

func (b *background) sealNow(c *Collection) {
	for c.waiting() > 0 && b.ctx.Err() == nil {
		if c.sealOne() != nil {
			return // those who wait for room are told
		}
	}
	if b.db.memory.Load() > b.db.options.MaxBytes/2 {
		_ = c.Seal(b.ctx) // the same
	}
	b.merges.add(c)
}

// mergeNow merges until nothing is to be merged. A merge that fails, for want
// of space for one, is tried again after the next seal; until then searches
// visit more segments.
func (b *background) mergeNow(c *Collection) {
	for b.ctx.Err() == nil {
		if more, err := c.mergeOnce(b.ctx); err != nil || !more {
			return
		}
	}
}

func (b *background) flushLogs() {
	tick := time.NewTicker(b.db.options.SyncEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-tick.C:
			b.db.mu.Lock()
			open := b.db.collections()
			b.db.mu.Unlock()
			for _, c := range open {
				c.flushIfNeeded()
			}
		}
	}
}

// flushIfNeeded flushes the log if something was written since. A failure shows
// in the next write.
func (c *Collection) flushIfNeeded() {
	c.sync.Lock()
	defer c.sync.Unlock()
	if c.durable.Load() < c.applied.Load() {
		_ = c.flushLog()
	}
}
