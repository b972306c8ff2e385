package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// liveServer is this process as one that holds money of budgets. The engine
// marks it as living, which ends with the process, however that ends, and so
// tells the others that nobody will settle what it holds.
type liveServer struct {
	id     string
	unmark func() error

	journal *journal // nil: settlements are transactions

	// Store.mu guards these.
	purses   map[purseKey]*purse
	budgets  map[Spender][]Budget // that concern it
	revision int64                // of what budgets has
	asking   int                  // requests that are about to lease as it
}

// serverID returns the id of this process.
func (s *Store) serverID(ctx context.Context) (string, error) {
	live, err := s.register(ctx)
	if err != nil {
		return "", err
	}
	return live.id, nil
}

// register returns this process as a server, which it registers as if it is
// none. A process whose mark was lost gets another id.
func (s *Store) register(ctx context.Context) (_ *liveServer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("register this server: %w", err)
		}
	}()
	s.registering.Lock()
	defer s.registering.Unlock()
	s.mu.Lock()
	live := s.server
	s.mu.Unlock()
	if live != nil {
		return live, nil
	}
	select {
	case <-s.closing:
		return nil, sql.ErrConnDone
	default:
	}
	id := NewID("server_")
	unmark, err := s.engine.live(ctx, id, func() { s.lost(id) })
	if err != nil {
		return nil, err
	}
	err = s.inGroup(ctx, func(tx *sql.Tx, _ bool) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO servers (id, started_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", id, time.Now().Unix())
		return err
	})
	if err != nil {
		return nil, errors.Join(err, unmark())
	}
	live = &liveServer{id: id, unmark: unmark, purses: map[purseKey]*purse{}, budgets: map[Spender][]Budget{}, revision: s.seen.Load()}
	if s.journals {
		live.journal = newJournal(s.files, s.journalDir(), id, s.syncGroups)
		s.background.Go(func() { s.applyJournal(live.journal, s.closing) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = live
	return live, nil
}

// lost forgets this process's id: the others may take it for dead now, and what
// it holds under it for free.
func (s *Store) lost(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil && s.server.id == id {
		s.former = append(s.former, s.server)
		s.server = nil
	}
}

// buriedAlive reports whether a server that this process was or is has been
// taken for dead by another process, so that it has another id now or none.
func (s *Store) buriedAlive(ctx context.Context, live *liveServer) bool {
	s.mu.Lock()
	same := s.server == live
	s.mu.Unlock()
	if live == nil || !same {
		return live != nil
	}
	var listed bool
	err := s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM servers WHERE id = ?)", live.id).Scan(&listed)
	if err != nil || listed {
		return false
	}
	s.lost(live.id)
	live.unmark() // of what nobody believes any more; an error changes nothing
	return true
}

// retire takes this process off the list of servers. What an error keeps here,
// the next to open the rows does.
func (s *Store) retire() error {
	s.mu.Lock()
	live, former := s.server, s.former
	s.server, s.former = nil, nil
	s.mu.Unlock()
	var err error
	if live != nil {
		err = errors.Join(s.leave(live), live.unmark())
	}
	for _, live := range former { // whose marks have gone
		err = errors.Join(err, s.leave(live))
	}
	return err
}

// leave takes a server that was this process off the list, once the ledger has
// its journal, and gives back what it holds.
func (s *Store) leave(live *liveServer) error {
	ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
	defer cancel()
	if live.journal != nil {
		live.journal.stop()
		if err := s.settleOwn(ctx, live.journal); err != nil {
			return err
		}
	}
	err := s.inTransaction(ctx, func(tx *sql.Tx) error { return buryServer(ctx, tx, live.id) })
	if live.journal != nil && err == nil {
		err = live.journal.remove()
	}
	return err
}

// leaveFormer is leave for servers that this process was and that no request
// holds money under any more. What an error keeps here is tried again.
func (s *Store) leaveFormer() {
	s.mu.Lock()
	var idle []*liveServer
	for _, live := range s.former {
		held := func(h *hold) bool { return h.server == live }
		if live.asking == 0 && !slices.ContainsFunc(slices.Collect(maps.Values(s.holds)), held) {
			idle = append(idle, live)
		}
	}
	s.mu.Unlock()
	for _, live := range idle {
		if s.leave(live) != nil {
			continue
		}
		s.mu.Lock()
		s.former = slices.DeleteFunc(s.former, func(l *liveServer) bool { return l == live })
		s.mu.Unlock()
	}
}

// buryServers brings the journals of processes that have ended into the ledger,
// and gives back what they hold beyond. Requests that they were running have no
// answer, and the ledger has no row of them.
func (s *Store) buryServers(ctx context.Context) error {
	ids, err := collect(ctx, s.read, "SELECT id FROM servers", nil, func(r row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("list servers: %w", err)
	}
	if s.journals {
		files, err := journalFiles(s.files, s.journalDir())
		if err != nil {
			return fmt.Errorf("list journals: %w", err)
		}
		for _, f := range files {
			if !slices.Contains(ids, f.server) {
				ids = append(ids, f.server) // the row was lost with the power, or the database is an older one
			}
		}
	}
	for _, id := range ids {
		if err := s.bury(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// bury is buryServers for one server. It does nothing to one that lives.
func (s *Store) bury(ctx context.Context, id string) error {
	s.burying.Lock() // who asks meanwhile is not to take the one that buries for a living server
	defer s.burying.Unlock()
	err := s.engine.bury(ctx, s, id, func(tx *sql.Tx) error { return buryServer(ctx, tx, id) })
	if err != nil {
		return fmt.Errorf("release what server %s held: %w", id, err)
	}
	return nil
}

// buryAtNeed is buryServers for a request that a budget has refused, at most
// once a second.
func (s *Store) buryAtNeed(ctx context.Context) error {
	s.mu.Lock()
	wait := time.Since(s.buried) < time.Second
	if !wait {
		s.buried = time.Now()
	}
	s.mu.Unlock()
	if wait {
		return nil
	}
	return s.buryServers(ctx)
}

func buryServer(ctx context.Context, tx *sql.Tx, id string) error {
	for _, statement := range []string{
		`UPDATE budget_periods SET held = held - (SELECT sum(amount) FROM holds WHERE server_id = $1 AND holds.budget_id = budget_periods.budget_id AND holds.begins_at = budget_periods.begins_at)
		 WHERE EXISTS (SELECT 1 FROM holds WHERE server_id = $1 AND holds.budget_id = budget_periods.budget_id AND holds.begins_at = budget_periods.begins_at)`,
		"DELETE FROM holds WHERE server_id = $1",
		"DELETE FROM servers WHERE id = $1",
	} {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return err
		}
	}
	return nil
}
