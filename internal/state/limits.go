package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Limit is how fast a model may be used. A number of zero is not set.
type Limit struct {
	OrganizationID    string
	ProjectID         string // empty: by every project
	Model             string // what runs
	RequestsPerMinute int64
	TokensPerMinute   int64
	RequestsPerDay    int64
}

// SetLimit stores a limit in the place of the one for the same project and
// model. One that sets no number is deleted.
func (s *Store) SetLimit(ctx context.Context, l Limit) error {
	number := func(n int64) sql.NullInt64 { return sql.NullInt64{Int64: n, Valid: n > 0} }
	err := s.configure(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM limits WHERE organization_id = ? AND project_id = ? AND model = ?", l.OrganizationID, l.ProjectID, l.Model)
		if err != nil || l.RequestsPerMinute <= 0 && l.TokensPerMinute <= 0 && l.RequestsPerDay <= 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO limits (organization_id, project_id, model, requests_per_minute, tokens_per_minute, requests_per_day) VALUES (?, ?, ?, ?, ?, ?)",
			l.OrganizationID, l.ProjectID, l.Model, number(l.RequestsPerMinute), number(l.TokensPerMinute), number(l.RequestsPerDay))
		return err
	})
	if err != nil {
		return fmt.Errorf("set the limit of %s: %w", l.Model, err)
	}
	return nil
}

// Limits returns all limits.
func (s *Store) Limits(ctx context.Context) ([]Limit, error) {
	limits, err := collect(ctx, s.read, `SELECT organization_id, project_id, model, coalesce(requests_per_minute, 0), coalesce(tokens_per_minute, 0), coalesce(requests_per_day, 0)
		FROM limits ORDER BY organization_id, project_id, model`, nil, func(r row) (l Limit, err error) {
		return l, r.Scan(&l.OrganizationID, &l.ProjectID, &l.Model, &l.RequestsPerMinute, &l.TokensPerMinute, &l.RequestsPerDay)
	})
	if err != nil {
		return nil, fmt.Errorf("list limits: %w", err)
	}
	return limits, nil
}

// Price is what the operator has set for a model's tokens, in 10^-12 dollar
// each.
type Price struct {
	Model                 string
	Since                 time.Time
	Input, Cached, Output int64
}

// SetPrice stores a price, which holds for requests that are let in from its
// time on until a later one begins.
func (s *Store) SetPrice(ctx context.Context, p Price) error {
	err := s.configureRow(ctx, `INSERT INTO prices (model, since, input, cached, output) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (model, since) DO UPDATE SET input = excluded.input, cached = excluded.cached, output = excluded.output`,
		p.Model, p.Since.Unix(), p.Input, p.Cached, p.Output)
	if err != nil {
		return fmt.Errorf("set the price of %s: %w", p.Model, err)
	}
	return nil
}

// ClearPrices forgets what was set for a model; nothing set is ErrNotFound.
// What the ledger has stays as it is.
func (s *Store) ClearPrices(ctx context.Context, model string) error {
	if err := s.configureRow(ctx, "DELETE FROM prices WHERE model = ?", model); err != nil {
		return fmt.Errorf("clear the prices of %s: %w", model, err)
	}
	return nil
}

// Prices returns what has been set, by model, the oldest first.
func (s *Store) Prices(ctx context.Context) ([]Price, error) {
	prices, err := collect(ctx, s.read, "SELECT model, since, input, cached, output FROM prices ORDER BY model, since", nil, func(r row) (p Price, err error) {
		var since int64
		err = r.Scan(&p.Model, &since, &p.Input, &p.Cached, &p.Output)
		p.Since = time.Unix(since, 0)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list prices: %w", err)
	}
	return prices, nil
}
