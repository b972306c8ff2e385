package state

import (
	"context"
	"errors"
	"fmt"
)

// contradiction is a query that finds what is broken of something.
type contradiction struct{ what, query string }

// Verify reads the whole database and reports what contradicts itself: what
// SQLite finds broken of its pages and references (PostgreSQL keeps its
// references itself, and its pages are its operator's), and budgets that
// disagree with the ledger or with what servers hold; and journals that were
// found damaged. It reads one snapshot, so requests may go on meanwhile.
func (s *Store) Verify(ctx context.Context) error {
	if err := s.settleJournal(ctx); err != nil {
		return fmt.Errorf("verify the database: %w", err)
	}
	tx, err := s.read.BeginTx(ctx, s.engine.snapshot())
	if err != nil {
		return fmt.Errorf("verify the database: %w", err)
	}
	defer tx.Rollback()
	problems, err := s.damagedJournals()
	if err != nil {
		return fmt.Errorf("verify the database: %w", err)
	}
	for _, q := range append(s.engine.contradictions(),
		contradiction{"budget that holds what no server does", `SELECT budget_id || ': ' || held FROM budget_periods AS p
			WHERE held <> (SELECT coalesce(sum(amount), 0) FROM holds WHERE holds.budget_id = p.budget_id AND holds.begins_at = p.begins_at)`},
		contradiction{"ledger row", `SELECT id FROM ledger WHERE cached_tokens > input_tokens
			OR cached_tokens < 0 OR output_tokens < 0 OR input_cost < 0 OR cached_cost < 0 OR output_cost < 0`},
		contradiction{"blob whose owner is gone", "SELECT key FROM blobs WHERE owner_id NOT IN (SELECT id FROM files) AND owner_id NOT IN (SELECT id FROM upload_parts)"},
		contradiction{"file whose blobs have another size", "SELECT id FROM files WHERE bytes <> (SELECT coalesce(sum(blobs.bytes), 0) FROM blobs WHERE owner_id = files.id)"},
	) {
		rows, err := tx.QueryContext(ctx, q.query)
		if err != nil {
			return fmt.Errorf("verify the database: %w", err)
		}
		for rows.Next() {
			var found string
			if err := rows.Scan(&found); err != nil {
				return errors.Join(err, rows.Close())
			}
			problems = append(problems, fmt.Errorf("broken %s: %s", q.what, found))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return fmt.Errorf("verify the database: %w", err)
		}
	}
	budgets, err := tx.QueryContext(ctx, "SELECT "+budgetColumns+", begins_at, spent FROM budgets JOIN budget_periods ON budget_id = id")
	if err != nil {
		return fmt.Errorf("verify the database: %w", err)
	}
	defer budgets.Close()
	type period struct {
		Budget
		begins, spent int64
	}
	var periods []period
	for budgets.Next() {
		var p period
		if p.Budget, err = scanBudget(alsoInto{budgets, []any{&p.begins, &p.spent}}); err != nil {
			return fmt.Errorf("verify the database: %w", err)
		}
		periods = append(periods, p)
	}
	for _, p := range periods {
		sum, err := ledgerSum(ctx, tx, p.Budget, unix(p.begins))
		if err != nil {
			return fmt.Errorf("verify the database: %w", err)
		}
		if sum != p.spent {
			problems = append(problems, fmt.Errorf("budget %s says %d is spent, the ledger %d", p.ID, p.spent, sum))
		}
	}
	return errors.Join(append(problems, budgets.Err())...)
}

// alsoInto scans further columns into more.
type alsoInto struct {
	row
	more []any
}

func (a alsoInto) Scan(into ...any) error { return a.row.Scan(append(into, a.more...)...) }
