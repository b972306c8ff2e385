package state

import (
	"context"
	"database/sql"
	"time"
)

// returned is what a transaction gives back of leases to their budgets.
type returned struct {
	store  *Store
	purses []*purse
	given  []int64
	rows   []int64
}

// giveBack gives back what leases of purses have beyond what requests need. It
// asks which at its turn, with s.mu held.
func (s *Store) giveBack(ctx context.Context, purses func() []*purse) error {
	r := &returned{store: s}
	return s.inGroupThen(ctx, func(tx *sql.Tx, _ bool) error {
		s.mu.Lock()
		chosen := purses()
		s.mu.Unlock()
		return r.run(ctx, tx, chosen, func(*purse) bool { return true })
	}, r.end)
}

// run reads the leases of hard budgets and gives back what those have too much
// that all returns true for.
func (r *returned) run(ctx context.Context, tx *sql.Tx, purses []*purse, all func(*purse) bool) error {
	r.purses, r.given, r.rows = nil, nil, nil
	for _, p := range purses {
		if !p.budget.Hard {
			continue
		}
		row, err := leased(ctx, tx, p.lease)
		if err != nil {
			return err
		}
		given := int64(0)
		r.store.mu.Lock()
		if all(p) {
			given = p.within(row)
			p.leaving += given
		}
		r.store.mu.Unlock()
		r.purses, r.given, r.rows = append(r.purses, p), append(r.given, given), append(r.rows, row-given)
		if given == 0 {
			continue
		}
		if err := shrink(ctx, tx, p.lease, given); err != nil {
			return err
		}
		if row != given {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM holds WHERE id = ?", p.lease); err != nil {
			return err
		}
	}
	return nil
}

// end tells the purses what came of it.
func (r *returned) end(err error) {
	for i, p := range r.purses {
		p.leaving -= r.given[i]
		if err != nil {
			p.doubt()
			continue
		}
		p.committed(r.rows[i])
	}
}

// idleAfter is how often leases are looked for that nobody has drawn on since.
const idleAfter = 500 * time.Millisecond

// returnIdle gives back leases that nobody draws on, and all of servers that this
// process was, until closing is closed.
func (s *Store) returnIdle(closing <-chan struct{}) {
	ticks := time.NewTicker(idleAfter)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			if idle := s.idle(); len(idle) > 0 {
				// What an error keeps here is idle the next time too.
				s.giveBack(context.Background(), func() []*purse { return idle })
			}
			s.leaveFormer()
		case <-closing:
			return
		}
	}
}

// idle returns the purses that nobody has used since it was last called and
// that have something left, or may have. It forgets those that have nothing.
func (s *Store) idle() (idle []*purse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	for key, p := range s.server.purses {
		switch {
		case p.unsure:
			idle = append(idle, p)
		case p.used || p.turns > 0:
			p.used = false
		case p.budget.Hard && p.free() > 0:
			idle = append(idle, p)
		case p.row == 0 && p.running == 0 && p.unapplied == 0:
			delete(s.server.purses, key)
		}
	}
	return idle
}
