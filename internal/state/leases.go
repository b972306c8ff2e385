package state

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"
)

// leasing is one request's turn to take money out of its budgets: what it needs
// beyond what its purses have, and some for those to come.
type leasing struct {
	store    *Store
	live     *liveServer
	revision int64 // of live, before
	id       string
	who      Spender
	at       time.Time
	hold     hold

	standings []BudgetStanding
	refused   *BudgetError
	rows      []int64 // of the leases, once it is committed
	reserved  bool    // the purses count it among running
}

// lease is Hold that asks the database. A request that is refused changes
// nothing. It asks again as the server that this process is meanwhile.
func (s *Store) lease(ctx context.Context, id string, who Spender, at time.Time, amount int64) ([]BudgetStanding, *BudgetError, error) {
	l := &leasing{store: s, id: id, who: who, at: at, hold: hold{amount: amount}}
	err := l.ask(ctx)
	if err != nil && s.buriedAlive(ctx, l.live) {
		err = l.ask(ctx)
	}
	return l.standings, l.refused, err
}

// ask takes the money as the server that this process is.
func (l *leasing) ask(ctx context.Context) (err error) {
	if l.live, err = l.store.register(ctx); err != nil {
		return err
	}
	l.hold.server = l.live
	l.store.asking(l.live, 1)
	defer l.store.asking(l.live, -1)
	if l.revision, err = l.store.reconcile(ctx, l.live); err != nil {
		return err
	}
	return l.store.inGroupThen(ctx, func(tx *sql.Tx, _ bool) error { return l.run(ctx, tx) }, l.end)
}

// asking counts a request that is about to lease as a server.
func (s *Store) asking(live *liveServer, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live.asking += by
}

// reconcile forgets what a server knew of budgets before the last change of any,
// and gives back what it has leased beyond need: the change may have lowered a
// budget. It returns the revision of what the server knows.
func (s *Store) reconcile(ctx context.Context, live *liveServer) (int64, error) {
	seen := s.seen.Load()
	s.mu.Lock()
	known := live.revision
	s.mu.Unlock()
	if known >= seen {
		return known, nil
	}
	if err := s.settleJournal(ctx); err != nil { // a new budget's period begins with what the ledger has
		return 0, err
	}
	everything := func() []*purse { return slices.Collect(maps.Values(live.purses)) }
	if err := s.giveBack(ctx, everything); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if live.revision < seen {
		live.revision = seen
		clear(live.budgets)
	}
	return live.revision, nil
}

// run takes from every budget what is needed, or notes which one lacks it.
func (l *leasing) run(ctx context.Context, tx *sql.Tx) (err error) {
	l.refused, l.reserved, l.hold.purses = nil, false, nil
	if l.standings, err = concerned(ctx, tx, l.who, l.at); err != nil {
		return err
	}
	purses := make([]*purse, len(l.standings))
	l.store.mu.Lock()
	for i, standing := range l.standings {
		purses[i] = l.live.purse(standing)
		purses[i].turns++
	}
	l.hold.purses = purses
	l.store.mu.Unlock()
	l.rows = make([]int64, len(purses))
	for i, p := range purses {
		if l.rows[i], err = leased(ctx, tx, p.lease); err != nil {
			return err
		}
	}
	growth := l.reserve()
	for i, by := range growth {
		if by == 0 {
			continue
		}
		if err := grow(ctx, tx, l.live.id, purses[i], by); err != nil {
			return err
		}
		l.rows[i] += by
	}
	return nil
}

// reserve counts the request among the running ones of its purses, and returns
// by how much their leases must grow for it: not at all if it is refused.
func (l *leasing) reserve() (growth []int64) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	amount := l.hold.amount
	growth = make([]int64, len(l.standings))
	now := time.Now()
	for i := range l.standings {
		b, p := &l.standings[i], l.hold.purses[i]
		if !b.Hard {
			continue
		}
		free := p.within(l.rows[i])
		left := b.Amount - b.Spent - b.Held // that nobody has leased
		b.Held -= free
		need := amount - free
		if need <= 0 {
			continue
		}
		if need > left {
			l.refused = &BudgetError{*b, amount}
			return nil
		}
		growth[i] = need + p.beyond(amount, left-need, now)
	}
	l.reserved = true
	for i, p := range l.hold.purses {
		if l.standings[i].Hard {
			p.running += amount
		}
	}
	return growth
}

// end tells the purses what came of it.
func (l *leasing) end(err error) {
	now := time.Now()
	for i, p := range l.hold.purses {
		p.turns--
		if l.reserved && err != nil && l.standings[i].Hard {
			p.running -= l.hold.amount
		}
		if err != nil {
			p.doubt()
			continue
		}
		p.committed(l.rows[i])
		p.spent, p.readAt = l.standings[i].Spent, now
	}
	if err != nil || !l.reserved {
		return
	}
	l.store.holds[l.id] = &l.hold
	if l.live.revision == l.revision {
		l.live.remember(l.who, l.standings)
	}
}

// mostKnown bounds the spenders whose budgets a server remembers.
const mostKnown = 10_000

// remember notes which budgets concern a spender.
func (l *liveServer) remember(who Spender, standings []BudgetStanding) {
	if len(l.budgets) >= mostKnown {
		clear(l.budgets)
	}
	budgets := make([]Budget, len(standings))
	for i, standing := range standings {
		budgets[i] = standing.Budget
	}
	l.budgets[who] = budgets
}
