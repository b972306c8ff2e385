package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"
)

const (
	// mostApplied bounds the records of one transaction, and so how long requests
	// that need one wait.
	mostApplied = 256

	// applyEvery is how long records gather before the ledger gets them.
	applyEvery = 200 * time.Millisecond
)

// of is what the record takes out of a purse: of a soft budget it only counts
// as spent.
func (r *record) of(p *purse) int64 {
	if p.budget.Hard {
		return r.taken
	}
	return r.entry.Cost()
}

// application is records on their way from the journal to the ledger.
type application struct {
	store    *Store
	postings []*posting
	purses   []*purse // that they drew on
	rows     []int64  // the leases of these, then
	spent    []int64  // and what is spent of their budgets
}

// applyNext moves the next records from this process's journal to the ledger, and
// returns how many. The caller holds s.applying.
func (s *Store) applyNext(ctx context.Context, j *journal) (int, error) {
	a := &application{store: s, postings: j.waiting(mostApplied)}
	if len(a.postings) == 0 {
		return 0, nil
	}
	// Nobody's request ends this: what it does is for all.
	err := s.inGroupThen(context.WithoutCancel(ctx), func(tx *sql.Tx, _ bool) error { return a.run(context.WithoutCancel(ctx), tx) }, a.end)
	if err != nil {
		return 0, fmt.Errorf("bring the journal into the ledger: %w", err)
	}
	j.done(len(a.postings))
	return len(a.postings), nil
}

func (a *application) run(ctx context.Context, tx *sql.Tx) error {
	a.purses, a.rows, a.spent = nil, nil, nil
	records := make([]record, len(a.postings))
	drew := map[*purse]bool{}
	for i, p := range a.postings {
		records[i] = p.record
		if p.hold == nil {
			continue
		}
		for _, purse := range p.hold.purses {
			if !drew[purse] {
				drew[purse] = true
				a.purses = append(a.purses, purse)
			}
		}
	}
	a.count(1)
	if err := a.store.applyRecords(ctx, tx, records); err != nil {
		return err
	}
	for _, p := range a.purses {
		row, err := leased(ctx, tx, p.lease)
		if err != nil {
			return err
		}
		var spent int64
		err = tx.QueryRowContext(ctx, "SELECT spent FROM budget_periods WHERE budget_id = ? AND begins_at = ?", p.budget.ID, p.since.Unix()).Scan(&spent)
		if err != nil && !errors.Is(err, sql.ErrNoRows) { // it went with its budget
			return err
		}
		a.rows, a.spent = append(a.rows, row), append(a.spent, spent)
	}
	return nil
}

// count adds a number of times what the records take to what the transaction
// under way ends.
func (a *application) count(times int64) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	a.countLocked(times)
}

func (a *application) countLocked(times int64) {
	for _, p := range a.postings {
		if p.hold == nil {
			continue
		}
		for _, purse := range p.hold.purses {
			purse.ended += times * p.record.of(purse)
		}
	}
}

// end tells the purses what came of it.
func (a *application) end(err error) {
	if a.purses == nil {
		return
	}
	a.countLocked(-1)
	for i, p := range a.purses {
		if err != nil {
			p.doubt()
			continue
		}
		p.committed(a.rows[i])
		p.spent = a.spent[i]
	}
	if err != nil {
		return
	}
	for _, p := range a.postings {
		if p.hold == nil {
			continue
		}
		for _, purse := range p.hold.purses {
			purse.unapplied -= p.record.of(purse)
		}
	}
}

// daily is what entries are summed up by.
type daily struct {
	who Spender
	day time.Time
}

// applyRecords writes records that the ledger has not, and leaves alone those
// it has, which as a rule are the first. The sums of many cost little more than
// that of one.
func (s *Store) applyRecords(ctx context.Context, tx *sql.Tx, records []record) error {
	costs, taken, used := map[daily]int64{}, map[string]int64{}, map[string]time.Time{}
	had := true
	for i := range records {
		e := &records[i].entry
		if had {
			if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ledger WHERE id = ?)", e.ID).Scan(&had); err != nil {
				return err
			}
			if had {
				continue
			}
		}
		result, err := tx.ExecContext(ctx, insertEntrySQL+" ON CONFLICT (id) DO NOTHING", e.columns()...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		costs[daily{e.Spender, Budget{Every: "day"}.begins(e.At)}] += e.Cost()
		if e.At.After(used[e.Spender.KeyID]) {
			used[e.Spender.KeyID] = e.At
		}
		for _, lease := range records[i].leases {
			taken[lease] += records[i].taken
		}
		runtime.Gosched() // requests go first
	}
	for a, cost := range costs {
		if err := spend(ctx, tx, a.who, a.day, cost); err != nil {
			return err
		}
	}
	for key, at := range used {
		if err := s.touchKey(ctx, tx, key, at); err != nil {
			return err
		}
	}
	for lease, by := range taken {
		if err := shrink(ctx, tx, lease, by); err != nil {
			return err
		}
	}
	return nil
}

// applyJournal moves records to the ledger as they come, until closing is closed.
func (s *Store) applyJournal(j *journal, closing <-chan struct{}) {
	for {
		select {
		case <-j.wake:
		case <-closing:
			return
		}
		select {
		case <-time.After(applyEvery):
		case <-closing:
			return
		}
		// An error is told to whoever reads the ledger next. What is to come wakes
		// this loop again, and so does what was left.
		if err := s.settleOwn(context.Background(), j); err != nil {
			time.AfterFunc(time.Second, j.rouse)
		}
	}
}

// settleOwn brings what a journal of this process has by now into the ledger.
func (s *Store) settleOwn(ctx context.Context, j *journal) error {
	target, _ := j.progress()
	s.applying.Lock()
	defer s.applying.Unlock()
	for {
		if _, applied := j.progress(); applied >= target {
			return nil
		}
		if _, err := s.applyNext(ctx, j); err != nil {
			return err
		}
	}
}
