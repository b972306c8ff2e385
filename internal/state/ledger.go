package state

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"
)

// Spender is who pays for a request: a key, and so its project and
// organization.
type Spender struct {
	Tenant Tenant
	KeyID  string
	UserID string // the key's user or service account
}

// Entry is a row of the ledger: what one answer took and cost. Costs are in
// 10^-12 dollar.
type Entry struct {
	ID      string // of the answer; the ledger has it once
	At      time.Time
	Spender Spender
	Kind    string // completions or embeddings
	Model   string // what ran
	Asked   string // the name it was asked for by

	InputTokens  int64 // those cached included
	CachedTokens int64
	OutputTokens int64

	InputCost  int64 // of the input that was not cached
	CachedCost int64
	OutputCost int64
}

// Cost is what the entry cost in all, in 10^-12 dollar.
func (e Entry) Cost() int64 { return e.InputCost + e.CachedCost + e.OutputCost }

const entryColumns = "id, created_at, organization_id, project_id, user_id, key_id, kind, model, asked, input_tokens, cached_tokens, output_tokens, input_cost, cached_cost, output_cost"

// charge writes the entry and counts its cost, unless it is of an attempt that is
// charged. It reports whether it did.
func charge(ctx context.Context, tx *sql.Tx, settle Settlement) (bool, error) {
	before, err := chargeAttempt(ctx, tx, settle.Attempt)
	if err != nil || before {
		return false, err
	}
	e := settle.Entry
	if err := insertEntry(ctx, tx, e); err != nil {
		return false, err
	}
	return true, spend(ctx, tx, e.Spender, e.At, e.Cost())
}

const insertEntrySQL = "INSERT INTO ledger (" + entryColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

func insertEntry(ctx context.Context, tx *sql.Tx, e Entry) error {
	_, err := tx.ExecContext(ctx, insertEntrySQL, e.columns()...)
	return err
}

// columns are the entry as the ledger has it.
func (e *Entry) columns() []any {
	return []any{
		e.ID, e.At.Unix(), e.Spender.Tenant.OrganizationID, e.Spender.Tenant.ProjectID, nullText(e.Spender.UserID), e.Spender.KeyID, e.Kind, e.Model, e.Asked,
		e.InputTokens, e.CachedTokens, e.OutputTokens, e.InputCost, e.CachedCost, e.OutputCost,
	}
}

// touchKey notes when a key was last used, to the minute and once in each.
// That the transaction may yet fail costs at most a minute of it.
func (s *Store) touchKey(ctx context.Context, tx *sql.Tx, id string, at time.Time) error {
	minute := at.Unix() - at.Unix()%60
	if last, ok := s.touched[id]; ok && last >= minute {
		return nil
	}
	if len(s.touched) > mostTouched {
		clear(s.touched)
	}
	s.touched[id] = minute
	_, err := tx.ExecContext(ctx, "UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)", minute, id, minute)
	return err
}

// mostTouched bounds the keys of which the store remembers the last use.
const mostTouched = 10_000

// Entries returns an organization's entries from a time until, but not at,
// another, oldest first. Its error ends it.
func (s *Store) Entries(ctx context.Context, organizationID string, from, until time.Time) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := s.settleJournal(ctx); err != nil {
			yield(Entry{}, fmt.Errorf("read the ledger: %w", err))
			return
		}
		rows, err := s.read.QueryContext(ctx, "SELECT "+entryColumns+" FROM ledger WHERE organization_id = ? AND created_at >= ? AND created_at < ? ORDER BY created_at, sequence",
			organizationID, from.Unix(), until.Unix())
		if err != nil {
			yield(Entry{}, fmt.Errorf("read the ledger: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			e, err := scanEntry(rows)
			if err != nil {
				err = fmt.Errorf("read the ledger: %w", err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Entry{}, fmt.Errorf("read the ledger: %w", err))
		}
	}
}

func scanEntry(r row) (e Entry, err error) {
	var created int64
	var user sql.NullString
	err = r.Scan(&e.ID, &created, &e.Spender.Tenant.OrganizationID, &e.Spender.Tenant.ProjectID, &user, &e.Spender.KeyID, &e.Kind, &e.Model, &e.Asked,
		&e.InputTokens, &e.CachedTokens, &e.OutputTokens, &e.InputCost, &e.CachedCost, &e.OutputCost)
	e.At, e.Spender.UserID = time.Unix(created, 0), user.String
	return e, err
}
