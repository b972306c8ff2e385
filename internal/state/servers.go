package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// liveServer is this process as one that holds money of budgets. The lock of
// its file ends with the process, however that ends, and so tells the others
// that nobody will settle what it holds.
type liveServer struct {
	id   string
	lock *disk.FileLock
}

func (s *Store) serverPath(id string) string { return filepath.Join(s.dir, "servers", id+".lock") }

// serverID returns the id of this process, which the first call registers.
func (s *Store) serverID(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return s.server.id, nil
	}
	id := NewID("server_")
	if err := os.MkdirAll(filepath.Join(s.dir, "servers"), 0o700); err != nil {
		return "", err
	}
	lock, err := disk.TryLock(s.serverPath(id))
	if err != nil {
		return "", err
	}
	err = s.inGroup(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO servers (id, started_at) VALUES (?, ?)", id, time.Now().Unix())
		return err
	})
	if err != nil {
		return "", errors.Join(err, lock.Unlock())
	}
	s.server = &liveServer{id, lock}
	return id, nil
}

// retire takes this process off the list of servers.
func (s *Store) retire() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		return nil
	}
	live := s.server
	s.server = nil
	return errors.Join(s.bury(context.Background(), live.id), live.lock.Unlock(), os.Remove(s.serverPath(live.id)))
}

// buryServers gives back what processes hold that have ended without settling.
// Their requests have no answer, and the ledger has no row of them.
func (s *Store) buryServers(ctx context.Context) error {
	ids, err := collect(ctx, s.read, "SELECT id FROM servers", nil, func(r row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return fmt.Errorf("list servers: %w", err)
	}
	for _, id := range ids {
		lock, err := disk.TryLock(s.serverPath(id))
		switch {
		case errors.Is(err, disk.ErrLocked):
			continue // it lives
		case errors.Is(err, os.ErrNotExist): // its folder was not restored from a backup
		case err != nil:
			return err
		}
		err = s.bury(ctx, id)
		if lock != nil {
			err = errors.Join(err, lock.Unlock(), os.Remove(s.serverPath(id)))
		}
		if err != nil {
			return fmt.Errorf("release what server %s held: %w", id, err)
		}
	}
	return nil
}

func (s *Store) bury(ctx context.Context, id string) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
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
	})
}
