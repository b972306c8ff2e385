package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ragstone/ragstone/internal/disk"
)

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

// damagedSuffix marks a journal that was found damaged, which is kept for
// whoever wants to look at it.
const damagedSuffix = ".damaged"

// replayAll brings the journal of a server that has ended into the ledger. Of a
// file with a hole it takes every frame that is whole, and tells the log; one
// that is damaged, or of projects that an older database does not have, it sets
// aside.
func (s *Store) replayAll(ctx context.Context, server string) error {
	files, err := journalFiles(s.files, s.journalDir())
	if err != nil {
		return fmt.Errorf("list journals: %w", err)
	}
	for _, f := range files {
		if f.server != server {
			continue
		}
		content, err := s.replay(ctx, f)
		switch {
		case isForeign(err):
			s.log.LogAttrs(ctx, slog.LevelError, "journal of projects that the database does not have: its answers are missing in the ledger", slog.String("journal", f.path+damagedSuffix))
			if err := s.setAside(f); err != nil {
				return err
			}
		case err != nil:
			return err
		case content.hole < 0:
		case !content.synced:
			s.log.LogAttrs(ctx, slog.LevelWarn, "power was lost: the last answers may be missing in the ledger", slog.String("journal", f.path), slog.Int("at_byte", content.hole))
		default:
			s.log.LogAttrs(ctx, slog.LevelError, "journal damaged: answers may be missing in the ledger", slog.String("journal", f.path+damagedSuffix), slog.Int("at_byte", content.hole))
			if err := s.setAside(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// setAside keeps a journal from being read again.
func (s *Store) setAside(f journalFile) error {
	if err := s.files.Rename(f.path, f.path+damagedSuffix); err != nil {
		return fmt.Errorf("set a damaged journal aside: %w", err)
	}
	return nil
}

// removeJournals removes the journal of a server that has ended, which the ledger
// has.
func (s *Store) removeJournals(server string) error {
	files, err := journalFiles(s.files, s.journalDir())
	for _, f := range files {
		if f.server == server {
			err = errors.Join(err, s.files.Remove(f.path))
		}
	}
	return err
}

// damagedJournals tells of the journals that were set aside.
func (s *Store) damagedJournals() (problems []error, err error) {
	if !s.journals {
		return nil, nil
	}
	entries, err := s.files.ReadDir(s.journalDir())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), journalSuffix+damagedSuffix) {
			problems = append(problems, fmt.Errorf("journal %s was damaged, or of another database: answers may be missing in the ledger; remove it once they are accounted for",
				filepath.Join(s.journalDir(), entry.Name())))
		}
	}
	return problems, nil
}
