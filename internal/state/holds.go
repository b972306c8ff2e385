package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// BudgetError means that a hard budget does not have what a request may cost.
type BudgetError struct {
	Standing  BudgetStanding
	Requested int64
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("budget %s of %s has %d of %d left, less %d held by running requests, and %d were requested",
		e.Standing.ID, e.Standing.SubjectID, e.Standing.Amount-e.Standing.Spent, e.Standing.Amount, e.Standing.Held, e.Requested)
}

// Hold takes the most that a request may cost from every hard budget that
// concerns it, or from none and returns a *BudgetError. It returns all budgets
// that concern the request, as they were before. Settle or Release ends it; the
// end of the process does too, once another needs the money or opens the same
// database.
func (s *Store) Hold(ctx context.Context, id string, who Spender, at time.Time, amount int64) ([]BudgetStanding, error) {
	standings, refused, err := s.tryHold(ctx, id, who, at, amount)
	switch {
	case refused != nil && refused.Standing.Held > 0:
		if err := s.buryAtNeed(ctx); err != nil {
			return nil, err
		}
		standings, refused, err = s.tryHold(ctx, id, who, at, amount)
	case err != nil && s.buriedAlive(ctx):
		standings, refused, err = s.tryHold(ctx, id, who, at, amount)
	}
	if err != nil {
		return nil, fmt.Errorf("hold the cost of %s: %w", id, err)
	}
	if refused != nil {
		return standings, refused
	}
	return standings, nil
}

// tryHold takes amount from every budget or returns which one lacks it.
func (s *Store) tryHold(ctx context.Context, id string, who Spender, at time.Time, amount int64) (standings []BudgetStanding, refused *BudgetError, err error) {
	server, err := s.serverID(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("register this server: %w", err)
	}
	s.holder(id, server)
	err = s.inGroup(ctx, func(tx *sql.Tx, again bool) (err error) {
		refused = nil
		if again {
			if err := release(ctx, tx, id); err != nil {
				return err
			}
		}
		if standings, err = concerned(ctx, tx, who, at); err != nil {
			return err
		}
		for _, b := range standings {
			if b.Hard && amount > b.Amount-b.Spent-b.Held {
				refused = &BudgetError{b, amount}
				return nil
			}
		}
		for _, b := range standings {
			if !b.Hard {
				continue
			}
			if err := hold(ctx, tx, id, server, b, amount); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrUnavailable):
		s.owe(id) // it may hold all the same
	case err != nil || refused != nil:
		s.holder(id, "")
	}
	return standings, refused, err
}

// holder notes under which server's id a request holds money; none where it
// holds no more.
func (s *Store) holder(id, server string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if server == "" {
		delete(s.holders, id)
		return
	}
	s.holders[id] = server
}

func hold(ctx context.Context, tx *sql.Tx, id, server string, b BudgetStanding, amount int64) error {
	if _, err := tx.ExecContext(ctx, "UPDATE budget_periods SET held = held + ? WHERE budget_id = ? AND begins_at = ?", amount, b.ID, b.Since.Unix()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO holds (id, server_id, budget_id, begins_at, amount) VALUES (?, ?, ?, ?, ?)", id, server, b.ID, b.Since.Unix(), amount)
	return err
}

// Release gives back all that a request holds. A request that holds nothing is
// fine. What cannot be given back for an error is with the next write.
func (s *Store) Release(ctx context.Context, id string) error {
	s.holder(id, "")
	err := s.inGroup(ctx, func(tx *sql.Tx, _ bool) error { return release(ctx, tx, id) })
	if err != nil {
		s.owe(id)
		return fmt.Errorf("release what %s held: %w", id, err)
	}
	return nil
}

// owe notes that what a request may hold is to be given back.
func (s *Store) owe(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.holders, id)
	s.owing = append(s.owing, id)
}

// releaseOwed gives back what Release could not.
func (s *Store) releaseOwed(ctx context.Context, tx *sql.Tx) error {
	s.mu.Lock()
	s.owed, s.owing = append(s.owed, s.owing...), nil
	s.mu.Unlock()
	for _, id := range s.owed {
		if err := release(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

func release(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `UPDATE budget_periods SET held = held - (SELECT amount FROM holds WHERE holds.id = $1 AND holds.budget_id = budget_periods.budget_id)
		WHERE EXISTS (SELECT 1 FROM holds WHERE holds.id = $1 AND holds.budget_id = budget_periods.budget_id AND holds.begins_at = budget_periods.begins_at)`, id)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM holds WHERE id = $1", id)
	}
	return err
}

// spend counts an entry, which the ledger has, against the budgets it
// concerns. A period without a row has nothing held; whoever makes its row takes
// what is spent from the ledger.
func spend(ctx context.Context, tx *sql.Tx, e Entry) error {
	day, month, ever := Budget{Every: "day"}, Budget{Every: "month"}, Budget{Every: "ever"}
	_, err := tx.ExecContext(ctx, `UPDATE budget_periods SET spent = spent + ? WHERE (budget_id, begins_at) IN
		(SELECT id, CASE every WHEN 'day' THEN CAST(? AS BIGINT) WHEN 'month' THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END FROM budgets WHERE subject_id IN (?, ?, ?))`,
		e.Cost(), day.begins(e.At).Unix(), month.begins(e.At).Unix(), ever.begins(e.At).Unix(),
		e.Spender.KeyID, e.Spender.Tenant.ProjectID, e.Spender.Tenant.OrganizationID)
	return err
}

// concerned returns the budgets of a spender with their periods at a time,
// which it makes where they are missing.
func concerned(ctx context.Context, tx *sql.Tx, who Spender, at time.Time) ([]BudgetStanding, error) {
	budgets, err := budgetsOf(ctx, tx, who)
	if err != nil {
		return nil, err
	}
	var standings []BudgetStanding
	for _, b := range budgets {
		standing := BudgetStanding{Budget: b, Since: b.begins(at)}
		err := tx.QueryRowContext(ctx, "SELECT spent, held FROM budget_periods WHERE budget_id = ? AND begins_at = ?", b.ID, standing.Since.Unix()).Scan(&standing.Spent, &standing.Held)
		if err == sql.ErrNoRows {
			standing.Spent, err = beginPeriod(ctx, tx, b, standing.Since)
		}
		if err != nil {
			return nil, err
		}
		standings = append(standings, standing)
	}
	return standings, nil
}

// beginPeriod makes the row of a budget's period and returns what has been
// spent in it.
func beginPeriod(ctx context.Context, tx *sql.Tx, b Budget, begins time.Time) (int64, error) {
	spent, err := ledgerSum(ctx, tx, b, begins)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO budget_periods (budget_id, begins_at, spent, held) VALUES (?, ?, ?, 0)", b.ID, begins.Unix(), spent)
	return spent, err
}

func budgetsOf(ctx context.Context, tx *sql.Tx, who Spender) ([]Budget, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+budgetColumns+" FROM budgets WHERE subject_id IN (?, ?, ?) ORDER BY sequence",
		who.KeyID, who.Tenant.ProjectID, who.Tenant.OrganizationID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var budgets []Budget
	for rows.Next() {
		b, err := scanBudget(rows)
		if err != nil {
			return nil, err
		}
		budgets = append(budgets, b)
	}
	return budgets, rows.Err()
}
