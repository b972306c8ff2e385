package state

import (
	"context"
	"database/sql"
)

// mostInGroup bounds the writes of one transaction, and so how long the first
// waits for the last.
const mostInGroup = 256

// groupWrite is one of the writes that share a transaction.
type groupWrite struct {
	ctx  context.Context
	do   func(*sql.Tx) error // may run twice, so it sets what it returns anew
	done chan error          // has room for one

	skipped bool // its caller went before its turn came
}

// inGroup runs do in a write transaction that it shares with whatever else is
// waiting to be written (group commit: DeWitt et al. 1984, section 4.2), and
// returns once that is committed. An error of do undoes do alone. Once it has
// begun, do ends whatever becomes of ctx.
func (s *Store) inGroup(ctx context.Context, do func(*sql.Tx) error) error {
	w := &groupWrite{ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case s.group <- w:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return sql.ErrConnDone
	}
	return <-w.done
}

// writeGroups commits groups until the store closes.
func (s *Store) writeGroups() {
	defer close(s.written)
	for {
		select {
		case w := <-s.group:
			s.writeGroup(s.gather(w))
		case <-s.closing:
			return
		}
	}
}

// gather returns w and what else is waiting.
func (s *Store) gather(w *groupWrite) []*groupWrite {
	writes := []*groupWrite{w}
	for len(writes) < mostInGroup {
		select {
		case next := <-s.group:
			writes = append(writes, next)
		default:
			return writes
		}
	}
	return writes
}

// writeGroup commits writes together or, if one of them fails, each alone, so
// that the others do not suffer.
func (s *Store) writeGroup(writes []*groupWrite) {
	err := s.transaction(context.Background(), s.syncGroups, func(tx *sql.Tx) error {
		for _, w := range writes {
			if err := w.run(tx); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range writes {
		switch {
		case w.skipped:
			w.done <- w.ctx.Err()
		case err == nil:
			w.done <- nil
		case len(writes) == 1:
			w.done <- err
		default:
			s.writeGroup([]*groupWrite{w})
		}
	}
}

// run does the write unless its caller has gone.
func (w *groupWrite) run(tx *sql.Tx) error {
	if w.skipped = w.ctx.Err() != nil; w.skipped {
		return nil
	}
	return w.do(tx)
}
