package state

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// poolChange is a change of a pool that waits to be written.
type poolChange struct {
	name   string
	change func(levels []byte) []byte
	done   chan error // has room for one
}

// ChangePool changes what all servers of a database know of the pool of rate
// limits with a name: change is given what the last change returned, or nil
// where there was none, and sees no other change meanwhile. It may run again
// where the first time was not committed. A pool that nobody has changed for a
// day, or that a crash of the database has undone, is nil again.
func (s *Store) ChangePool(ctx context.Context, name string, change func(levels []byte) []byte) error {
	c := &poolChange{name, change, make(chan error, 1)}
	err := s.pools.submit(ctx, c)
	if err == nil {
		err = <-c.done
	}
	if err != nil {
		return fmt.Errorf("change the pool of rate limits %s: %w", name, err)
	}
	return nil
}

// ChangePoolLater is ChangePool for whoever need not know when it is done, nor
// whether.
func (s *Store) ChangePoolLater(ctx context.Context, name string, change func(levels []byte) []byte) {
	s.pools.submit(ctx, &poolChange{name, change, make(chan error, 1)})
}

// writePools commits changes together: it reads every pool once, changes it as
// often as is asked, and writes it once.
func (s *Store) writePools(changes []*poolChange) {
	ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
	defer cancel()
	err := s.transaction(ctx, turnPools, false, func(tx *sql.Tx) error {
		levels, err := readPools(ctx, tx, changes)
		if err != nil {
			return err
		}
		for _, c := range changes {
			levels[c.name] = c.change(levels[c.name])
		}
		if err := writePools(ctx, tx, levels); err != nil {
			return err
		}
		return s.sweepPools(ctx, tx)
	})
	for _, c := range changes {
		c.done <- err
	}
}

func readPools(ctx context.Context, tx *sql.Tx, changes []*poolChange) (map[string][]byte, error) {
	var names []any
	for _, c := range changes {
		if !slices.Contains(names, any(c.name)) {
			names = append(names, c.name)
		}
	}
	rows, err := tx.QueryContext(ctx, "SELECT name, levels FROM pools WHERE name IN (?"+strings.Repeat(", ?", len(names)-1)+")", names...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	levels := map[string][]byte{}
	for rows.Next() {
		var name string
		var level []byte
		if err := rows.Scan(&name, &level); err != nil {
			return nil, err
		}
		levels[name] = level
	}
	return levels, rows.Err()
}

func writePools(ctx context.Context, tx *sql.Tx, levels map[string][]byte) error {
	now := time.Now().Unix()
	var arguments []any
	for name, level := range levels {
		arguments = append(arguments, name, level, now)
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO pools (name, levels, used_at) VALUES (?, ?, ?)"+strings.Repeat(", (?, ?, ?)", len(levels)-1)+
		" ON CONFLICT (name) DO UPDATE SET levels = excluded.levels, used_at = excluded.used_at", arguments...)
	return err
}

// sweepPools deletes, once an hour, the pools that nobody has used for a day.
func (s *Store) sweepPools(ctx context.Context, tx *sql.Tx) error {
	now := time.Now()
	if now.Sub(s.swept) < time.Hour {
		return nil
	}
	s.swept = now
	_, err := tx.ExecContext(ctx, "DELETE FROM pools WHERE used_at < ?", now.Add(-24*time.Hour).Unix())
	return err
}
