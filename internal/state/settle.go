package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

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
