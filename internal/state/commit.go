package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// mostInGroup bounds the writes of one transaction, and so how long the
	// first waits for the last.
	mostInGroup = 256

	// groupPatience bounds a group's transaction, so that a database that has
	// gone without a word does not hold up the next for ever.
	groupPatience = 15 * time.Second
)

// committer gathers writes, so that whatever waits while one group is committed
// shares the next transaction (group commit: DeWitt et al. 1984, section 4.2).
type committer[W any] struct {
	commit  func([]W)
	queue   chan W
	closing chan struct{} // closed when no more is to be written
	ended   chan struct{} // closed when nothing is being written
}

// startCommitter runs a committer until close is called.
func startCommitter[W any](commit func([]W)) *committer[W] {
	c := &committer[W]{commit, make(chan W), make(chan struct{}), make(chan struct{})}
	go c.run()
	return c
}

func (c *committer[W]) run() {
	defer close(c.ended)
	for {
		select {
		case w := <-c.queue:
			c.commit(c.gather(w))
		case <-c.closing:
			return
		}
	}
}

// gather returns w and what else is waiting.
func (c *committer[W]) gather(w W) []W {
	writes := []W{w}
	for len(writes) < mostInGroup {
		select {
		case next := <-c.queue:
			writes = append(writes, next)
		default:
			return writes
		}
	}
	return writes
}

// submit hands a write over. Without an error it will be committed.
func (c *committer[W]) submit(ctx context.Context, w W) error {
	select {
	case c.queue <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closing:
		return sql.ErrConnDone
	}
}

func (c *committer[W]) close() {
	close(c.closing)
	<-c.ended
}

// groupWrite is one of the writes that share a transaction.
type groupWrite struct {
	ctx  context.Context
	do   func(tx *sql.Tx, again bool) error // sets what it returns anew each time
	done chan error                         // has room for one

	// ended, which may be nil, is told what came of each transaction that do has
	// run in, in the order of the transactions and with Store.mu held.
	ended func(error)

	again   bool // it has run, and may have been committed though nobody has said so
	skipped bool // its caller went before its turn came
}

// inGroup runs do in a write transaction that it shares with whatever else is
// waiting to be written, and returns once that is committed. An error of do
// undoes do alone. Once it has begun, do ends whatever becomes of ctx. It may
// run again, then with again set where an earlier run may have been committed.
func (s *Store) inGroup(ctx context.Context, do func(tx *sql.Tx, again bool) error) error {
	return s.inGroupThen(ctx, do, nil)
}

// inGroupThen is inGroup for what memory is to know of the rows: ended is told
// of every run of do whether it is committed, in the order in which they are,
// with s.mu held and before another transaction begins.
func (s *Store) inGroupThen(ctx context.Context, do func(tx *sql.Tx, again bool) error, ended func(error)) error {
	w := &groupWrite{ctx: ctx, do: do, done: make(chan error, 1), ended: ended}
	if err := s.group.submit(ctx, w); err != nil {
		return err
	}
	return <-w.done
}

// writeGroup commits writes together. If the database has gone it tries once
// more; if a write fails, it commits each alone, so that the others do not
// suffer.
func (s *Store) writeGroup(writes []*groupWrite) {
	err := s.commitGroup(writes)
	if errors.Is(err, ErrUnavailable) {
		err = s.commitGroup(writes)
	}
	for _, w := range writes {
		switch {
		case w.skipped:
			w.done <- w.ctx.Err()
		case err == nil:
			w.done <- nil
		case len(writes) == 1 || errors.Is(err, ErrUnavailable):
			w.done <- err
		default:
			s.writeGroup([]*groupWrite{w})
		}
	}
}

func (s *Store) commitGroup(writes []*groupWrite) error {
	ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
	defer cancel()
	var ran []*groupWrite
	err := s.transaction(ctx, turnRows, s.syncGroups, func(tx *sql.Tx) error {
		for _, w := range writes {
			if w.skipped = !w.again && w.ctx.Err() != nil; w.skipped {
				continue
			}
			ran = append(ran, w)
			if err := w.run(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range ran {
		if w.ended != nil {
			w.ended(err)
		}
	}
	return err
}

// run does the write.
func (w *groupWrite) run(tx *sql.Tx) error {
	again := w.again
	w.again = true
	return w.do(tx, again)
}
