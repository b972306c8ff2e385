package state

import (
	"context"
	"database/sql"
	"errors"
)

// row is what a query gives: one row of several, or the only one.
type row interface{ Scan(...any) error }

// selection is some rows of a table that has the columns id, created_at and
// sequence, the order of its lists.
type selection struct {
	table     string
	columns   string
	where     string // a condition, at least "true"
	arguments []any  // of the condition
}

// page returns a page of a selection, and whether there is more after it. An
// After that is not in the selection is ErrNotFound.
func page[T any](ctx context.Context, db *sql.DB, s selection, p Page, scan func(row) (T, error)) ([]T, bool, error) {
	query := "SELECT " + s.columns + " FROM " + s.table + " WHERE " + s.where
	arguments := append([]any(nil), s.arguments...)
	if p.After != "" {
		var created, sequence int64
		err := db.QueryRowContext(ctx, "SELECT created_at, sequence FROM "+s.table+" WHERE "+s.where+" AND id = ?",
			append(append([]any(nil), s.arguments...), p.After)...).Scan(&created, &sequence)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, false, ErrNotFound
		} else if err != nil {
			return nil, false, err
		}
		arguments = append(arguments, created, sequence)
	}
	items, err := collect(ctx, db, query+p.clause(p.After != ""), append(arguments, p.Limit+1), scan)
	if err != nil {
		return nil, false, err
	}
	items, more := trim(items, p)
	return items, more, nil
}

// every returns all rows of a selection, oldest first.
func every[T any](ctx context.Context, db *sql.DB, s selection, scan func(row) (T, error)) ([]T, error) {
	return collect(ctx, db, "SELECT "+s.columns+" FROM "+s.table+" WHERE "+s.where+" ORDER BY created_at, sequence", s.arguments, scan)
}

// one returns the row of a selection that has an id, or ErrNotFound.
func one[T any](ctx context.Context, db *sql.DB, s selection, id string, scan func(row) (T, error)) (T, error) {
	item, err := scan(db.QueryRowContext(ctx, "SELECT "+s.columns+" FROM "+s.table+" WHERE "+s.where+" AND id = ?", append(append([]any(nil), s.arguments...), id)...))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return item, err
}

// querier is a *sql.DB, or the *sql.Tx that a query belongs to.
type querier interface {
	QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error)
}

// collect returns the rows of a query.
func collect[T any](ctx context.Context, db querier, query string, arguments []any, scan func(row) (T, error)) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}
