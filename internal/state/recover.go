package state

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// damagedSuffix marks a journal that was found damaged, which is kept for
// whoever wants to look at it.
const damagedSuffix = ".damaged"

// replayAll brings the journal of a server that has ended into the ledger. Of a
// file with a hole it takes every frame that is whole, and tells the log; a
// damaged one it sets aside.
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
		case err != nil:
			return err
		case content.hole < 0:
		case !content.synced:
			s.log.LogAttrs(ctx, slog.LevelWarn, "power was lost: the last answers may be missing in the ledger", slog.String("journal", f.path), slog.Int("at_byte", content.hole))
		default:
			s.log.LogAttrs(ctx, slog.LevelError, "journal damaged: answers may be missing in the ledger", slog.String("journal", f.path+damagedSuffix), slog.Int("at_byte", content.hole))
			if err := s.files.Rename(f.path, f.path+damagedSuffix); err != nil {
				return fmt.Errorf("set a damaged journal aside: %w", err)
			}
		}
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
			problems = append(problems, fmt.Errorf("journal %s was damaged: answers may be missing in the ledger; remove it once they are accounted for",
				filepath.Join(s.journalDir(), entry.Name())))
		}
	}
	return problems, nil
}
