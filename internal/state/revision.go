package state

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Revision is a number that changes with every change of keys, projects,
// limits, budgets and prices, whichever process makes it. What was read after
// Revision returned a number holds as long as it returns the same.
func (s *Store) Revision(ctx context.Context) (n int64, err error) {
	size, known := s.changes.size()
	if known {
		if n, ok := s.changes.revision(size); ok {
			return n, nil
		}
	}
	ctx = context.WithoutCancel(ctx) // to watch whether the caller goes would take longer
	if err := s.read.QueryRowContext(ctx, "SELECT number FROM revision").Scan(&n); err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	if known {
		s.changes.last.Store(&revisionAt{n, size, time.Now()})
	}
	s.saw(n)
	return n, nil
}

// saw notes a revision, so that what was read before it is read anew.
func (s *Store) saw(n int64) {
	for last := s.seen.Load(); last < n && !s.seen.CompareAndSwap(last, n); last = s.seen.Load() {
	}
}

// changes is a file beside SQLite's database that grows by a byte before and
// after every new revision is committed. Its size, which the operating system
// tells without a query, shows that there may be another revision: to every
// process as soon as the change has returned to who made it. A nil one knows
// nothing.
type changes struct {
	file *os.File
	last atomic.Pointer[revisionAt]
}

// revisionAt is the revision that a query returned, and what the size was before
// it.
type revisionAt struct {
	number, size int64
	at           time.Time
}

// Whoever changed something and died before the file grew again is noticed by a
// query that is made this often.
const revisionFor = time.Second

func openChanges(dir string) (*changes, error) {
	f, err := os.OpenFile(filepath.Join(dir, "changes"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &changes{file: f}, nil
}

func (c *changes) size() (n int64, known bool) {
	if c == nil {
		return 0, false
	}
	info, err := c.file.Stat()
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}

// revision returns the last one that is known, if the size and its age say that
// it holds.
func (c *changes) revision(size int64) (int64, bool) {
	last := c.last.Load()
	if last == nil || last.size != size || time.Since(last.at) > revisionFor {
		return 0, false
	}
	return last.number, true
}

// grow tells of a change.
func (c *changes) grow() error {
	if c == nil {
		return nil
	}
	_, err := c.file.Write([]byte{'.'})
	return err
}

func (c *changes) close() error {
	if c == nil {
		return nil
	}
	return c.file.Close()
}

// configure runs change in a write transaction that makes a new revision.
func (s *Store) configure(ctx context.Context, change func(*sql.Tx) error) error {
	var n int64
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "UPDATE revision SET number = number + 1 RETURNING number").Scan(&n); err != nil {
			return err
		}
		return s.changes.grow()
	})
	if err != nil {
		return err
	}
	s.saw(n)
	s.changes.grow() // it did before; should it not now, the query finds the change
	return nil
}

// configureRow runs a statement that changes rows, and makes a new revision. A
// statement that changes none is ErrNotFound.
func (s *Store) configureRow(ctx context.Context, statement string, arguments ...any) error {
	return s.configure(ctx, func(tx *sql.Tx) error { return changeRow(ctx, tx, statement, arguments...) })
}

func changeRow(ctx context.Context, tx *sql.Tx, statement string, arguments ...any) error {
	result, err := tx.ExecContext(ctx, statement, arguments...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}
