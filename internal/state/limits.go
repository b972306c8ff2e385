package state

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
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

	// Of uses that there are none of yet.
	ImagesPerMinute         int64
	AudioMegabytesPerMinute int64
	BatchTokensPerDay       int64
}

// numbers are the limit's numbers in the order of limitNumbers.
func (l *Limit) numbers() []*int64 {
	return []*int64{&l.RequestsPerMinute, &l.TokensPerMinute, &l.RequestsPerDay, &l.ImagesPerMinute, &l.AudioMegabytesPerMinute, &l.BatchTokensPerDay}
}

// limitNumbers are the columns that are null where a limit sets no number.
var limitNumbers = []string{"requests_per_minute", "tokens_per_minute", "requests_per_day", "images_per_minute", "audio_megabytes_per_minute", "batch_tokens_per_day"}

// SetLimit stores a limit in the place of the one for the same project and
// model. One that sets no number is deleted.
func (s *Store) SetLimit(ctx context.Context, l Limit) error {
	values, set := []any{l.OrganizationID, l.ProjectID, l.Model}, false
	for _, n := range l.numbers() {
		values, set = append(values, sql.NullInt64{Int64: *n, Valid: *n > 0}), set || *n > 0
	}
	err := s.configure(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM limits WHERE organization_id = ? AND project_id = ? AND model = ?", values[:3]...)
		if err != nil || !set {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO limits (organization_id, project_id, model, "+strings.Join(limitNumbers, ", ")+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values...)
		return err
	})
	if err != nil {
		return fmt.Errorf("set the limit of %s: %w", l.Model, err)
	}
	return nil
}

// Limits returns all limits.
func (s *Store) Limits(ctx context.Context) ([]Limit, error) {
	query := "SELECT organization_id, project_id, model"
	for _, column := range limitNumbers {
		query += ", coalesce(" + column + ", 0)"
	}
	limits, err := collect(ctx, s.read, query+" FROM limits ORDER BY organization_id, project_id, model", nil, func(r row) (l Limit, err error) {
		into := []any{&l.OrganizationID, &l.ProjectID, &l.Model}
		for _, n := range l.numbers() {
			into = append(into, n)
		}
		err = r.Scan(into...)
		return l, err
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
