package state

import (
	"context"
	"database/sql"
	"fmt"
)

// StorageError means that a project would have more bytes of files than it may.
type StorageError struct {
	Most   int64 // that it may have
	Stored int64 // that it has
	Wanted int64 // that were to be added
}

func (e *StorageError) Error() string {
	return fmt.Sprintf("the project has %d bytes of files stored, and may not have %d more: its limit is %d", e.Stored, e.Wanted, e.Most)
}

// StoredBytes is what the files of a project and the parts of its pending uploads
// take.
func (s *Store) StoredBytes(ctx context.Context, projectID string) (int64, error) {
	n, err := storedBytes(ctx, s.read, projectID)
	if err != nil {
		return 0, fmt.Errorf("add up the files of %s: %w", projectID, err)
	}
	return n, nil
}

func storedBytes(ctx context.Context, db asker, projectID string) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT CAST((SELECT coalesce(sum(bytes), 0) FROM files WHERE project_id = $1) +
		(SELECT coalesce(sum(blobs.bytes), 0) FROM uploads JOIN upload_parts ON upload_id = uploads.id JOIN blobs ON owner_id = upload_parts.id
			WHERE uploads.project_id = $1 AND status = 'pending') AS BIGINT)`, projectID).Scan(&n)
	return n, err
}

// checkRoom returns a *StorageError if so many bytes more would be above most;
// of a most of zero there is none.
func checkRoom(ctx context.Context, tx *sql.Tx, projectID string, most, wanted int64) error {
	if most <= 0 {
		return nil
	}
	stored, err := storedBytes(ctx, tx, projectID)
	if err == nil && stored+wanted > most {
		err = &StorageError{most, stored, wanted}
	}
	return err
}
