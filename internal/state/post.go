package state

import (
	"context"
	"fmt"
)

// mostUnapplied bounds what the journal may be ahead of the ledger: who settles
// beyond it helps first.
const mostUnapplied = 1 << 16

// post is Settle by the journal. It reports whether the journal takes the entry.
func (s *Store) post(ctx context.Context, h *hold, e Entry) (bool, error) {
	live, err := s.register(ctx)
	if err != nil {
		return false, fmt.Errorf("settle %s: %w", e.ID, err)
	}
	if posted, applied := live.journal.progress(); posted-applied > mostUnapplied {
		if err := s.settleOwn(ctx, live.journal); err != nil {
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
