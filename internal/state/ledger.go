package state

import (
	"context"
	"database/sql"
	"errors"
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

// Settlement is the end of a request: its entry in the ledger and the object
// it paid for.
type Settlement struct {
	Entry      Entry
	Completion *Completion // stored with the entry or not at all; may be nil
	Attempt    string      // the id of an attempt, which is charged once; empty if it is none
}

// ErrHoldLost means that what a request held was given back before it was
// settled: its server was cut off from the database and taken for dead.
var ErrHoldLost = errors.New("what the request held of its budgets has been given back: this server was taken for dead")

// Settle writes the entry, ends what was held for it, counts the cost against
// every budget it concerns and stores the object it paid for: all of it or, on
// an error, nothing. The ledger has an id once: a second settlement of it is an
// error or changes nothing.
//
// Where this process keeps a journal, an entry alone is there when Settle
// returns, and in the ledger soon after; whoever reads the ledger waits for
// that. Whatever must be in one transaction with other rows is.
func (s *Store) Settle(ctx context.Context, settle Settlement) error {
	s.mu.Lock()
	h := s.holds[settle.Entry.ID]
	alone := settle.Completion == nil && settle.Attempt == "" && (h == nil || !h.exact())
	s.mu.Unlock()
	if alone && s.journals {
		written, err := s.post(ctx, h, settle.Entry)
		if written || err != nil {
			return err
		}
	}
	w := &settling{store: s, settle: settle, hold: h}
	err := s.inGroupThen(ctx, func(tx *sql.Tx, again bool) error { return w.run(ctx, tx, again) }, w.end)
	if err != nil {
		return fmt.Errorf("settle %s: %w", settle.Entry.ID, err)
	}
	return nil
}

// settling is a settlement in a transaction.
type settling struct {
	store    *Store
	settle   Settlement
	hold     *hold // nil: nothing was held
	returned returned
}

func (w *settling) run(ctx context.Context, tx *sql.Tx, again bool) error {
	e, before := w.settle.Entry, false
	if again {
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ledger WHERE id = ?)", e.ID).Scan(&before); err != nil {
			return err
		}
	}
	if !before {
		if err := w.write(ctx, tx); err != nil {
			return err
		}
	}
	h := w.hold
	if h == nil {
		return nil
	}
	w.store.mu.Lock()
	h.ending = true
	for _, p := range h.purses {
		if p.budget.Hard {
			p.ended += h.amount
		}
	}
	w.store.mu.Unlock()
	w.returned.store = w.store
	return w.returned.run(ctx, tx, h.purses, func(p *purse) bool { return p.exact })
}

// write writes all that the settlement is.
func (w *settling) write(ctx context.Context, tx *sql.Tx) error {
	e := w.settle.Entry
	if w.hold != nil {
		var lives bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM servers WHERE id = ?)", w.hold.server.id).Scan(&lives); err != nil {
			return err
		}
		if !lives {
			return ErrHoldLost
		}
	}
	charged, err := charge(ctx, tx, w.settle)
	if err != nil {
		return err
	}
	if w.hold != nil && charged {
		for _, p := range w.hold.purses {
			if !p.budget.Hard {
				continue
			}
			if err := shrink(ctx, tx, p.lease, min(e.Cost(), w.hold.amount)); err != nil {
				return err
			}
		}
	}
	if err := w.store.touchKey(ctx, tx, e.Spender.KeyID, e.At); err != nil {
		return err
	}
	if w.settle.Completion == nil {
		return nil
	}
	return insertCompletion(ctx, tx, *w.settle.Completion)
}

// end tells the purses what came of it.
func (w *settling) end(err error) {
	h := w.hold
	if h == nil {
		return
	}
	w.returned.end(err)
	for _, p := range h.purses {
		if p.budget.Hard && h.ending {
			p.ended -= h.amount
		}
		if p.budget.Hard && err == nil {
			p.running -= h.amount
		}
		if err == nil {
			p.spent += w.settle.Entry.Cost()
		} else {
			p.doubt()
		}
	}
	h.ending = false
	if err == nil {
		delete(w.store.holds, w.settle.Entry.ID)
	}
	w.returned = returned{}
}

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
