package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// File is a file of a project. Its content is its blobs, one after the other.
type File struct {
	ID        string
	ProjectID string
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	Name      string
	Purpose   string
	MediaType string // as its sender said; may be empty
	Bytes     int64
}

// Blob is a piece of content, stored under a key before a row names it.
type Blob struct {
	Key   string
	Bytes int64
}

// DropBlobs is the job that deletes blobs whose rows are gone. It is committed
// with their rows' end.
type DropBlobs struct {
	Keys []string `json:"keys"`
}

// Kind implements Job.
func (DropBlobs) Kind() string { return "drop_blobs" }

const (
	fileColumns = "id, project_id, created_at, expires_at, name, purpose, media_type, bytes"

	// alive leaves the files that have not expired at a time. They are gone for
	// callers at that time, whenever the job that deletes them comes.
	alive = "(expires_at IS NULL OR expires_at > ?)"
)

// AddFile stores a file and names its blobs, or returns a *StorageError if its
// project would have more than most bytes then; a most of zero is any number.
func (s *Store) AddFile(ctx context.Context, f File, most int64, blobs ...Blob) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := checkRoom(ctx, tx, f.ProjectID, most, f.Bytes); err != nil {
			return err
		}
		if err := insertFile(ctx, tx, f); err != nil {
			return err
		}
		for i, b := range blobs {
			if err := insertBlob(ctx, tx, f.ID, i, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store file %s: %w", f.ID, err)
	}
	return nil
}

func insertFile(ctx context.Context, tx *sql.Tx, f File) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO files ("+fileColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		f.ID, f.ProjectID, f.CreatedAt.Unix(), nullTime(f.ExpiresAt), f.Name, f.Purpose, f.MediaType, f.Bytes)
	return err
}

func insertBlob(ctx context.Context, tx *sql.Tx, owner string, position int, b Blob) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO blobs (key, owner_id, position, bytes) VALUES (?, ?, ?, ?)", b.Key, owner, position, b.Bytes)
	return err
}

// filesAt selects a project's files that have not expired at a time.
func filesAt(projectID string, at time.Time) selection {
	return selection{table: "files", columns: fileColumns, where: "project_id = ? AND " + alive, arguments: []any{projectID, at.Unix()}}
}

// File returns a project's file, or ErrNotFound if at that time there is none.
func (s *Store) File(ctx context.Context, projectID, id string, at time.Time) (File, error) {
	f, err := one(ctx, s.read, filesAt(projectID, at), id, scanFile)
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("read file %s: %w", id, err)
	}
	return f, err
}

// Files returns a page of a project's files, and whether there are more. An
// empty purpose is any; an After that is not among them is ErrNotFound.
func (s *Store) Files(ctx context.Context, projectID, purpose string, at time.Time, p Page) ([]File, bool, error) {
	selected := filesAt(projectID, at)
	if purpose != "" {
		selected.where += " AND purpose = ?"
		selected.arguments = append(selected.arguments, purpose)
	}
	files, more, err := page(ctx, s.read, selected, p, scanFile)
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("list files: %w", err)
	}
	return files, more, err
}

// Blobs returns the blobs of a file or part, in order.
func (s *Store) Blobs(ctx context.Context, ownerID string) ([]Blob, error) {
	blobs, err := collect(ctx, s.read, "SELECT key, bytes FROM blobs WHERE owner_id = ? ORDER BY position", []any{ownerID}, scanBlob)
	if err != nil {
		return nil, fmt.Errorf("read the blobs of %s: %w", ownerID, err)
	}
	return blobs, nil
}

// DeleteFile deletes a file with the rows of its blobs, and adds the job that
// deletes these. A file that at that time there is not is ErrNotFound.
func (s *Store) DeleteFile(ctx context.Context, projectID, id string, at time.Time) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := changeRow(ctx, tx, "DELETE FROM files WHERE id = ? AND project_id = ? AND "+alive, id, projectID, at.Unix()); err != nil {
			return err
		}
		return s.dropBlobs(ctx, tx, "owner_id = ?", id)
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("delete file %s: %w", id, err)
	}
	return err
}

// DeleteExpiredFiles deletes up to most files that have expired at a time, with
// their blobs' rows, adds the job that deletes their blobs, and returns how many
// files there were.
func (s *Store) DeleteExpiredFiles(ctx context.Context, at time.Time, most int) (n int, err error) {
	const expired = "SELECT id FROM files WHERE expires_at <= ? ORDER BY expires_at, id LIMIT ?"
	err = s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := s.dropBlobs(ctx, tx, "owner_id IN ("+expired+")", at.Unix(), most); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "DELETE FROM files WHERE id IN ("+expired+")", at.Unix(), most)
		if err != nil {
			return err
		}
		deleted, err := result.RowsAffected()
		n = int(deleted)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete expired files: %w", err)
	}
	return n, nil
}

// dropBlobs deletes the rows of blobs that a condition selects, and adds the job
// that deletes the blobs.
func (s *Store) dropBlobs(ctx context.Context, tx *sql.Tx, where string, arguments ...any) error {
	keys, err := collect(ctx, tx, "DELETE FROM blobs WHERE "+where+" RETURNING key", arguments, scanText)
	if err != nil || len(keys) == 0 {
		return err
	}
	return s.addJob(ctx, tx, DropBlobs{keys})
}

// UnnamedBlobs returns those of some keys that no row names.
func (s *Store) UnnamedBlobs(ctx context.Context, keys []string) ([]string, error) {
	var unnamed []string
	for _, key := range keys {
		var named bool
		if err := s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM blobs WHERE key = ?)", key).Scan(&named); err != nil {
			return nil, fmt.Errorf("look for the row of blob %s: %w", key, err)
		}
		if !named {
			unnamed = append(unnamed, key)
		}
	}
	return unnamed, nil
}

// ProjectIDs returns the ids of all projects of the database, archived ones too.
func (s *Store) ProjectIDs(ctx context.Context) ([]string, error) {
	ids, err := collect(ctx, s.read, "SELECT id FROM projects ORDER BY created_at, sequence", nil, scanText)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return ids, nil
}

// scanFile reads fileColumns.
func scanFile(r row) (f File, err error) {
	var created int64
	var expires sql.NullInt64
	err = r.Scan(&f.ID, &f.ProjectID, &created, &expires, &f.Name, &f.Purpose, &f.MediaType, &f.Bytes)
	f.CreatedAt, f.ExpiresAt = time.Unix(created, 0), timeOf(expires)
	return f, err
}

func scanBlob(r row) (b Blob, err error) {
	err = r.Scan(&b.Key, &b.Bytes)
	return b, err
}

func scanText(r row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
