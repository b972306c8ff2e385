package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

const (
	// mostApplied bounds the records of one transaction, and so how long requests
	// that need one wait.
	mostApplied = 256

	// applyEvery is how long records gather before the ledger gets them.
	applyEvery = 200 * time.Millisecond

	// mostUnapplied bounds what the journal may be ahead of the ledger: who
	// settles beyond it helps first.
	mostUnapplied = 1 << 16
)

// post is Settle by the journal. It reports whether the journal takes the entry.
func (s *Store) post(ctx context.Context, h *hold, e Entry) (bool, error) {
	live, err := s.register(ctx)
	if err != nil {
		return false, fmt.Errorf("settle %s: %w", e.ID, err)
	}
	if posted, applied := live.journal.progress(); posted-applied > mostUnapplied {
		if err := s.settleJournal(ctx); err != nil {
			return false, fmt.Errorf("settle %s: %w", e.ID, err)
		}
	}
	p := &posting{record: record{entry: e}, hold: h}
	if h != nil {
		p.record.taken = min(e.Cost(), h.amount)
		for _, purse := range h.purses {
			if purse.budget.Hard {
				p.record.leases = append(p.record.leases, purse.lease)
			}
		}
	}
	if p.record.bytes() > mostRecord {
		return false, nil
	}
	if err := live.journal.post(p); err != nil {
		return false, fmt.Errorf("settle %s: %w", e.ID, err)
	}
	if h == nil {
		return true, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.holds, e.ID)
	for _, purse := range h.purses {
		purse.unapplied += p.record.of(purse)
		if purse.budget.Hard {
			purse.running -= h.amount
		}
	}
	return true, nil
}

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

// settleJournal brings all that this folder's processes have answered by now into
// the ledger.
func (s *Store) settleJournal(ctx context.Context) error {
	if !s.journals {
		return nil
	}
	s.mu.Lock()
	live := s.server
	s.mu.Unlock()
	own := ""
	if live != nil {
		own = live.id
		if err := s.settleOwn(ctx, live.journal); err != nil {
			return err
		}
	}
	files, err := journalFiles(s.files, s.journalDir())
	if err != nil {
		return fmt.Errorf("list journals: %w", err)
	}
	for _, f := range files {
		if f.server == own {
			continue
		}
		// What a living server is writing may be cut off here: it has not ended.
		if _, err := s.replay(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// replay brings a journal's file into the ledger, and returns what it says. A
// file that has gone was in the ledger.
func (s *Store) replay(ctx context.Context, f journalFile) (_ journalContent, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("bring journal %s into the ledger: %w", f.path, err)
		}
	}()
	data, err := disk.ReadFile(s.files, f.path)
	if errors.Is(err, os.ErrNotExist) {
		return readJournal(nil), nil
	}
	if err != nil {
		return journalContent{}, err
	}
	content := readJournal(data)
	records, err := s.missing(ctx, content.records)
	for len(records) > 0 && err == nil {
		part := records[:min(len(records), mostApplied)]
		err = s.inGroup(ctx, func(tx *sql.Tx, _ bool) error { return s.applyRecords(ctx, tx, part) })
		records = records[len(part):]
	}
	return content, err
}

// missing is what is left of records without the first ones that the ledger has.
// It gets them in their order.
func (s *Store) missing(ctx context.Context, records []record) ([]record, error) {
	for i := len(records) - 1; i >= 0; i-- {
		var has bool
		if err := s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM ledger WHERE id = ?)", records[i].entry.ID).Scan(&has); err != nil {
			return nil, err
		}
		if has {
			return records[i+1:], nil
		}
	}
	return records, nil
}

// journalDir is where the processes of a folder keep their journals.
func (s *Store) journalDir() string { return filepath.Join(s.dir, "servers") }
