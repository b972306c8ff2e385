package state

import (
	"context"
	"database/sql"
	"fmt"
)

// Revision is a number that changes with every change of keys, projects,
// limits, budgets and prices, whichever process makes it. What was read after
// Revision returned a number holds as long as it returns the same.
func (s *Store) Revision(ctx context.Context) (n int64, err error) {
	ctx = context.WithoutCancel(ctx) // to watch whether the caller goes would take longer
	if err := s.read.QueryRowContext(ctx, "SELECT number FROM revision").Scan(&n); err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	s.saw(n)
	return n, nil
}

// saw notes a revision, so that what was read before it is read anew.
func (s *Store) saw(n int64) {
	for last := s.seen.Load(); last < n && !s.seen.CompareAndSwap(last, n); last = s.seen.Load() {
	}
}

// configure runs change in a write transaction that makes a new revision.
func (s *Store) configure(ctx context.Context, change func(*sql.Tx) error) error {
	var n int64
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "UPDATE revision SET number = number + 1 RETURNING number").Scan(&n)
	})
	if err == nil {
		s.saw(n)
	}
	return err
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
