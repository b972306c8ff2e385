package state

import (
	"context"
	"database/sql"
	"fmt"
)

// AnnounceBudget adds jobs that tell of so many percent of a budget having been
// spent, unless that has been announced of its period and amount. It reports
// whether it did.
func (s *Store) AnnounceBudget(ctx context.Context, b BudgetStanding, percent int64, jobs ...Job) (announced bool, err error) {
	err = s.inTransaction(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO budget_notices (budget_id, begins_at, percent, amount) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			b.ID, b.Since.Unix(), percent, b.Amount)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if announced = n > 0; err != nil || !announced {
			return err
		}
		for _, job := range jobs {
			if err := s.addJob(ctx, tx, job); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("announce budget %s: %w", b.ID, err)
	}
	return announced, nil
}
