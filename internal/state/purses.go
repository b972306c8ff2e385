package state

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// purse is a period of a budget as this process knows it, with the money that
// the process has taken out of it for its requests: its lease, one row of the
// table holds. Requests draw on the purse in memory. Store.mu guards it.
type purse struct {
	lease  string    // the id of the row
	budget Budget    // of which only the amount ever changes
	since  time.Time // when the period began

	spent  int64     // what the database said of it
	readAt time.Time // when it said so

	row       int64 // the lease, as it was last committed
	running   int64 // of it: what running requests may spend
	unapplied int64 // of it: what requests spent that the journal has and the ledger has not

	// In the transaction under way: what it takes out of the lease, and how much
	// of running and unapplied it ends.
	leaving int64
	ended   int64

	turns  int  // transactions that are about to read the lease
	unsure bool // nobody knows whether the last transaction was committed: row is to be read again

	exact    bool      // the budget is so near its end that a lease has no more than requests need
	block    int64     // what was last leased beyond need
	leasedAt time.Time // when
	used     bool      // since idle purses were last looked for
}

// purseKey tells the purses of a process apart.
type purseKey struct {
	budget string
	since  time.Time
}

// trust is how long a purse is believed in what others have spent of a soft
// budget.
const trust = time.Second

// free is what requests may still draw.
func (p *purse) free() int64 {
	if p.unsure {
		return 0
	}
	return p.row - p.running - p.unapplied - p.leaving
}

// within is free for the transaction under way, in which the lease has row.
func (p *purse) within(row int64) int64 {
	return max(0, row-p.running-p.unapplied+p.ended)
}

// committed notes what the lease has since the last transaction.
func (p *purse) committed(row int64) { p.row, p.unsure = row, false }

// doubt notes that the last transaction may have been committed or not.
func (p *purse) doubt() { p.unsure = p.budget.Hard }

// covers reports whether a request can be held for without asking the database.
func (p *purse) covers(amount int64, now time.Time) bool {
	if p.budget.Hard {
		return amount <= p.free()
	}
	return now.Sub(p.readAt) < trust
}

// standing is what is known of the period.
func (p *purse) standing() BudgetStanding {
	return BudgetStanding{Budget: p.budget, Since: p.since, Spent: p.spent + p.unapplied, Held: p.running}
}

const (
	// A lease has at most this part of what a budget has left, so that the
	// processes that share it find some, …
	largestPart = 16

	// … and nothing beyond need where that part would be fewer requests than:
	fewestRequests = 8
)

// beyond is how much to lease beyond what a request needs, where so much is
// left of the budget then: for as many requests as come in about a second, which
// it finds by doubling.
func (p *purse) beyond(amount, left int64, now time.Time) int64 {
	part := left / largestPart
	if p.exact = part/fewestRequests < amount; p.exact {
		p.block = 0
		return 0
	}
	if now.Sub(p.leasedAt) > time.Second {
		p.block = 0
	}
	p.leasedAt = now
	p.block = min(part, max(2*min(p.block, part), fewestRequests*amount))
	return p.block
}

// purse returns the purse of a period, which it makes where there is none. The
// caller holds Store.mu.
func (l *liveServer) purse(standing BudgetStanding) *purse {
	key := purseKey{standing.ID, standing.Since}
	p := l.purses[key]
	if p == nil {
		p = &purse{lease: NewID("lease_"), budget: standing.Budget, since: standing.Since}
		l.purses[key] = p
	}
	p.budget.Amount, p.used = standing.Amount, true
	return p
}

// leased is what a lease has.
func leased(ctx context.Context, tx *sql.Tx, lease string) (amount int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT amount FROM holds WHERE id = ?", lease).Scan(&amount)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return amount, err
}

// grow moves money from a period of a budget into a lease of a server's.
func grow(ctx context.Context, tx *sql.Tx, server string, p *purse, by int64) error {
	if _, err := tx.ExecContext(ctx, "UPDATE budget_periods SET held = held + ? WHERE budget_id = ? AND begins_at = ?", by, p.budget.ID, p.since.Unix()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO holds (id, server_id, budget_id, begins_at, amount) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id, budget_id) DO UPDATE SET amount = holds.amount + excluded.amount`, p.lease, server, p.budget.ID, p.since.Unix(), by)
	return err
}

// shrink takes money out of a lease, which is no longer held then. A lease that
// has gone with its budget or its server is fine.
func shrink(ctx context.Context, tx *sql.Tx, lease string, by int64) error {
	if by == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, "UPDATE budget_periods SET held = held - ? WHERE (budget_id, begins_at) IN (SELECT budget_id, begins_at FROM holds WHERE id = ?)", by, lease)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE holds SET amount = amount - ? WHERE id = ?", by, lease)
	}
	return err
}
