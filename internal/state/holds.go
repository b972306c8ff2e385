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

// hold is the most that a running request may cost, taken out of purses.
// Store.mu guards it.
type hold struct {
	server *liveServer
	amount int64
	purses []*purse // of all budgets that concern it; only hard ones are held from
	ending bool     // the transaction under way ends it
}

// exact reports whether a budget that is held from is so near its end that what
// is left over is given back at once.
func (h *hold) exact() bool {
	for _, p := range h.purses {
		if p.exact {
			return true
		}
	}
	return false
}

// Hold takes the most that a request may cost from every hard budget that
// concerns it, or from none and returns a *BudgetError. It returns all budgets
// that concern the request, as they were before, as far as this process knows.
// Settle or Release ends it; the end of the process does too, once another needs
// the money or opens the same database.
func (s *Store) Hold(ctx context.Context, id string, who Spender, at time.Time, amount int64) ([]BudgetStanding, error) {
	if standings, ok := s.draw(id, who, at, amount); ok {
		return standings, nil
	}
	standings, refused, err := s.lease(ctx, id, who, at, amount)
	if refused != nil && refused.Standing.Held > 0 {
		if err := s.buryAtNeed(ctx); err != nil {
			return nil, err
		}
		standings, refused, err = s.lease(ctx, id, who, at, amount)
	}
	if err != nil {
		return nil, fmt.Errorf("hold the cost of %s: %w", id, err)
	}
	if refused != nil {
		return standings, refused
	}
	return standings, nil
}

// draw is Hold from what this process has taken out of the budgets before, and
// reports whether that is enough of each.
func (s *Store) draw(id string, who Spender, at time.Time, amount int64) ([]BudgetStanding, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := s.server
	if live == nil || live.revision < s.seen.Load() {
		return nil, false
	}
	budgets, known := live.budgets[who]
	if !known {
		return nil, false
	}
	h := &hold{server: live, amount: amount}
	standings := make([]BudgetStanding, 0, len(budgets))
	now := time.Now()
	for _, b := range budgets {
		p := live.purses[purseKey{b.ID, b.begins(at)}]
		if p == nil || !p.covers(amount, now) {
			return nil, false
		}
		h.purses = append(h.purses, p)
		standings = append(standings, p.standing())
	}
	for _, p := range h.purses {
		p.used = true
		if p.budget.Hard {
			p.running += amount
		}
	}
	s.holds[id] = h
	return standings, true
}

// Release ends the hold of a request that came to nothing. A request that holds
// nothing is fine. What an error keeps from being given back to the budgets is
// given back later.
func (s *Store) Release(ctx context.Context, id string) error {
	s.mu.Lock()
	h := s.holds[id]
	if h == nil {
		s.mu.Unlock()
		return nil
	}
	delete(s.holds, id)
	for _, p := range h.purses {
		if p.budget.Hard {
			p.running -= h.amount
		}
	}
	exact := h.exact()
	s.mu.Unlock()
	if !exact {
		return nil
	}
	err := s.giveBack(ctx, func() []*purse { return h.purses })
	if err != nil {
		return fmt.Errorf("give back what %s held: %w", id, err)
	}
	return nil
}

// spend counts a cost, which the ledger has, against the budgets it concerns. A
// period without a row has nothing held; whoever makes its row takes what is
// spent from the ledger.
func spend(ctx context.Context, tx *sql.Tx, who Spender, at time.Time, cost int64) error {
	day, month, ever := Budget{Every: "day"}, Budget{Every: "month"}, Budget{Every: "ever"}
	_, err := tx.ExecContext(ctx, `UPDATE budget_periods SET spent = spent + ? WHERE (budget_id, begins_at) IN
		(SELECT id, CASE every WHEN 'day' THEN CAST(? AS BIGINT) WHEN 'month' THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END FROM budgets WHERE subject_id IN (?, ?, ?))`,
		cost, day.begins(at).Unix(), month.begins(at).Unix(), ever.begins(at).Unix(),
		who.KeyID, who.Tenant.ProjectID, who.Tenant.OrganizationID)
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
		if errors.Is(err, sql.ErrNoRows) {
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
