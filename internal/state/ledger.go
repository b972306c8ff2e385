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

// Settle writes the entry, gives back what was held for it, counts the cost
// against every budget it concerns and stores the object it paid for: all of it
// or, on an error, nothing. A second settlement of an id is an error.
func (s *Store) Settle(ctx context.Context, settle Settlement) error {
	e := settle.Entry
	s.mu.Lock()
	server := s.holders[e.ID]
	s.mu.Unlock()
	err := s.inGroup(ctx, func(tx *sql.Tx, again bool) error {
		if again {
			var settled bool
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ledger WHERE id = ?)", e.ID).Scan(&settled); err != nil || settled {
				return err
			}
		}
		return s.settle(ctx, tx, settle, server)
	})
	if err != nil {
		return fmt.Errorf("settle %s: %w", e.ID, err)
	}
	s.holder(e.ID, "")
	return nil
}

// settle is Settle in a transaction. What is held, is under a server's id.
func (s *Store) settle(ctx context.Context, tx *sql.Tx, settle Settlement, server string) error {
	e := settle.Entry
	if server != "" {
		var held bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM servers WHERE id = ?)", server).Scan(&held); err != nil {
			return err
		}
		if !held {
			return ErrHoldLost
		}
		if err := release(ctx, tx, e.ID); err != nil {
			return err
		}
	}
	if err := charge(ctx, tx, settle); err != nil {
		return err
	}
	if err := s.touchKey(ctx, tx, e.Spender.KeyID, e.At); err != nil {
		return err
	}
	if settle.Completion == nil {
		return nil
	}
	return insertCompletion(ctx, tx, *settle.Completion)
}

// charge writes the entry and counts its cost, unless it is of an attempt that is
// charged.
func charge(ctx context.Context, tx *sql.Tx, settle Settlement) error {
	before, err := chargeAttempt(ctx, tx, settle.Attempt)
	if err != nil || before {
		return err
	}
	if err := insertEntry(ctx, tx, settle.Entry); err != nil {
		return err
	}
	return spend(ctx, tx, settle.Entry)
}

func insertEntry(ctx context.Context, tx *sql.Tx, e Entry) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO ledger ("+entryColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		e.ID, e.At.Unix(), e.Spender.Tenant.OrganizationID, e.Spender.Tenant.ProjectID, nullText(e.Spender.UserID), e.Spender.KeyID, e.Kind, e.Model, e.Asked,
		e.InputTokens, e.CachedTokens, e.OutputTokens, e.InputCost, e.CachedCost, e.OutputCost)
	return err
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
