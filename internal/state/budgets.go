package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Budget is what an organization, a project or a key may spend in a period.
type Budget struct {
	ID             string // budget_…
	OrganizationID string
	SubjectID      string // of the organization, project or key
	Amount         int64  // 10^-12 dollar
	Hard           bool   // beyond it requests are refused
	Every          string // day or month, in UTC, or ever
	CreatedAt      time.Time
}

// BudgetStanding is a budget and how far it is spent.
type BudgetStanding struct {
	Budget
	Since time.Time // when the period began
	Spent int64     // as the ledger has it
	Held  int64     // more that running requests may spend and, in the database, that servers have leased for the next
}

const budgetColumns = "id, organization_id, subject_id, amount, hard, every, created_at"

// SetBudget stores a budget. It takes the place of the one that its subject has
// for such a period, if that is as hard, and keeps its id.
func (s *Store) SetBudget(ctx context.Context, b Budget) error {
	err := s.configureRow(ctx, "INSERT INTO budgets ("+budgetColumns+") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject_id, every, hard) DO UPDATE SET amount = excluded.amount",
		b.ID, b.OrganizationID, b.SubjectID, b.Amount, b.Hard, b.Every, b.CreatedAt.Unix())
	if err != nil {
		return fmt.Errorf("set budget of %s: %w", b.SubjectID, err)
	}
	return nil
}

// DeleteBudget deletes a budget; an unknown id is ErrNotFound.
func (s *Store) DeleteBudget(ctx context.Context, organizationID, id string) error {
	if err := s.configureRow(ctx, "DELETE FROM budgets WHERE organization_id = ? AND id = ?", organizationID, id); err != nil {
		return fmt.Errorf("delete budget %s: %w", id, err)
	}
	return nil
}

// Budgets returns an organization's budgets, oldest first.
func (s *Store) Budgets(ctx context.Context, organizationID string) ([]Budget, error) {
	budgets, err := every(ctx, s.read, selection{"budgets", budgetColumns, "organization_id = ?", []any{organizationID}}, scanBudget)
	if err != nil {
		return nil, fmt.Errorf("list budgets: %w", err)
	}
	return budgets, nil
}

func scanBudget(r row) (b Budget, err error) {
	var created int64
	err = r.Scan(&b.ID, &b.OrganizationID, &b.SubjectID, &b.Amount, &b.Hard, &b.Every, &created)
	b.CreatedAt = time.Unix(created, 0)
	return b, err
}

// begins is when the period that holds t began.
func (b Budget) begins(t time.Time) time.Time {
	t = t.UTC()
	switch b.Every {
	case "day":
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	case "month":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Unix(0, 0)
}

// ends is when the period that began at t ends.
func (b Budget) ends(t time.Time) time.Time {
	switch b.Every {
	case "day":
		return t.AddDate(0, 0, 1)
	case "month":
		return t.AddDate(0, 1, 0)
	}
	return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
}

// BudgetStandings returns how far an organization's budgets are spent at a
// time, the oldest budget first.
func (s *Store) BudgetStandings(ctx context.Context, organizationID string, at time.Time) ([]BudgetStanding, error) {
	if err := s.settleJournal(ctx); err != nil {
		return nil, err
	}
	budgets, err := s.Budgets(ctx, organizationID)
	if err != nil {
		return nil, err
	}
	var standings []BudgetStanding
	for _, b := range budgets {
		standing := BudgetStanding{Budget: b, Since: b.begins(at)}
		err := s.read.QueryRowContext(ctx, "SELECT held FROM budget_periods WHERE budget_id = ? AND begins_at = ?", b.ID, standing.Since.Unix()).Scan(&standing.Held)
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			standing.Spent, err = ledgerSum(ctx, s.read, b, standing.Since)
		}
		if err != nil {
			return nil, fmt.Errorf("sum up budget %s: %w", b.ID, err)
		}
		standings = append(standings, standing)
	}
	return standings, nil
}

// asker is what can be asked for one row.
type asker interface {
	QueryRowContext(ctx context.Context, query string, arguments ...any) *sql.Row
}

// ledgerSum is what the ledger says of a budget's period.
func ledgerSum(ctx context.Context, db asker, b Budget, begins time.Time) (sum int64, err error) {
	var column string
	switch b.SubjectID[:min(len(b.SubjectID), 4)] {
	case "org-":
		column = "organization_id"
	case "proj":
		column = "project_id"
	default:
		column = "key_id"
	}
	err = db.QueryRowContext(ctx, "SELECT coalesce(sum(input_cost + cached_cost + output_cost), 0) FROM ledger WHERE "+column+" = ? AND created_at >= ? AND created_at < ?",
		b.SubjectID, begins.Unix(), b.ends(begins).Unix()).Scan(&sum)
	return sum, err
}

// BudgetSubjects returns the ids of all that have a budget.
func (s *Store) BudgetSubjects(ctx context.Context) ([]string, error) {
	ids, err := collect(ctx, s.read, "SELECT DISTINCT subject_id FROM budgets", nil, func(r row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("list the subjects of budgets: %w", err)
	}
	return ids, nil
}
