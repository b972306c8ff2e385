package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Upload is a file that arrives in parts.
type Upload struct {
	ID        string
	ProjectID string
	CreatedAt time.Time
	ExpiresAt time.Time
	Name      string
	Purpose   string
	MediaType string
	Bytes     int64         // of the whole
	KeepFor   time.Duration // the file, in whole seconds; zero: ever
	Status    string        // one of the constants below
}

// The states of an upload. It ends as one of the last three.
const (
	UploadPending   = "pending"
	UploadCompleted = "completed"
	UploadCancelled = "cancelled"
	UploadExpired   = "expired"
)

// Part is a part of a pending upload.
type Part struct {
	ID        string
	UploadID  string
	CreatedAt time.Time
	Blob      Blob
}

// UploadError means that an upload is not pending any more.
type UploadError struct{ ID, Status string }

func (e *UploadError) Error() string {
	return fmt.Sprintf("upload %s is %s", e.ID, e.Status)
}

const uploadColumns = "id, project_id, created_at, expires_at, name, purpose, media_type, bytes, keep_for, status"

// AddUpload stores a new upload, which is pending.
func (s *Store) AddUpload(ctx context.Context, u Upload) error {
	keep := sql.NullInt64{Int64: int64(u.KeepFor / time.Second), Valid: u.KeepFor > 0}
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO uploads ("+uploadColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			u.ID, u.ProjectID, u.CreatedAt.Unix(), u.ExpiresAt.Unix(), u.Name, u.Purpose, u.MediaType, u.Bytes, keep, UploadPending)
		return err
	})
	if err != nil {
		return fmt.Errorf("store upload %s: %w", u.ID, err)
	}
	return nil
}

// Upload returns a project's upload as it stands at a time, or ErrNotFound.
func (s *Store) Upload(ctx context.Context, projectID, id string, at time.Time) (Upload, error) {
	u, err := scanUpload(s.read.QueryRowContext(ctx, "SELECT "+uploadColumns+" FROM uploads WHERE project_id = ? AND id = ?", projectID, id))
	if errors.Is(err, sql.ErrNoRows) {
		return u, ErrNotFound
	}
	if err != nil {
		return u, fmt.Errorf("read upload %s: %w", id, err)
	}
	if u.Status == UploadPending && !u.ExpiresAt.After(at) {
		u.Status = UploadExpired
	}
	return u, nil
}

// Parts returns the parts of an upload, in no order that means anything.
func (s *Store) Parts(ctx context.Context, uploadID string) ([]Part, error) {
	parts, err := collect(ctx, s.read, `SELECT upload_parts.id, upload_id, created_at, key, bytes
		FROM upload_parts JOIN blobs ON owner_id = upload_parts.id WHERE upload_id = ?`, []any{uploadID}, scanPart)
	if err != nil {
		return nil, fmt.Errorf("list the parts of upload %s: %w", uploadID, err)
	}
	return parts, nil
}

// AddPart stores a part of an upload and names its blob. The upload must be
// pending when the part was created; if it is not, the error is an *UploadError.
// It is a *StorageError if the project would have more than most bytes then, of
// which zero is any number.
func (s *Store) AddPart(ctx context.Context, projectID string, p Part, most int64) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := touchPending(ctx, tx, p.UploadID, UploadPending, p.CreatedAt); err != nil {
			return err
		}
		if err := checkRoom(ctx, tx, projectID, most, p.Blob.Bytes); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO upload_parts (id, upload_id, created_at) VALUES (?, ?, ?)", p.ID, p.UploadID, p.CreatedAt.Unix()); err != nil {
			return err
		}
		return insertBlob(ctx, tx, p.ID, 0, p.Blob)
	})
	return aboutUpload("add a part to", p.UploadID, err)
}

// CompleteUpload makes the file of an upload out of its parts, in the order
// given. What the upload does not use of its parts is dropped. If the upload is
// not pending when the file was created the error is an *UploadError; a part
// that is not there any more is ErrNotFound.
func (s *Store) CompleteUpload(ctx context.Context, id string, f File, partIDs []string) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := touchPending(ctx, tx, id, UploadCompleted, f.CreatedAt); err != nil {
			return err
		}
		if err := insertFile(ctx, tx, f); err != nil {
			return err
		}
		for i, part := range partIDs {
			if err := changeRow(ctx, tx, "UPDATE blobs SET owner_id = ?, position = ? WHERE owner_id = ?", f.ID, i, part); err != nil {
				return err
			}
		}
		return s.dropParts(ctx, tx, id)
	})
	return aboutUpload("complete", id, err)
}

// CancelUpload drops a pending upload's parts. If it is not pending at that time
// the error is an *UploadError.
func (s *Store) CancelUpload(ctx context.Context, id string, at time.Time) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		if err := touchPending(ctx, tx, id, UploadCancelled, at); err != nil {
			return err
		}
		return s.dropParts(ctx, tx, id)
	})
	return aboutUpload("cancel", id, err)
}

// touchPending gives an upload that is pending at a time a status, which may be
// the same: a second writer of the upload waits for this one.
func touchPending(ctx context.Context, tx *sql.Tx, id, status string, at time.Time) error {
	err := changeRow(ctx, tx, "UPDATE uploads SET status = ? WHERE id = ? AND status = ? AND expires_at > ?", status, id, UploadPending, at.Unix())
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	var is string
	if err := tx.QueryRowContext(ctx, "SELECT status FROM uploads WHERE id = ?", id).Scan(&is); errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	} else if err != nil {
		return err
	}
	if is == UploadPending {
		is = UploadExpired
	}
	return &UploadError{id, is}
}

// dropParts deletes what is left of an upload's parts, and adds the job that
// deletes their blobs.
func (s *Store) dropParts(ctx context.Context, tx *sql.Tx, id string) error {
	if err := s.dropBlobs(ctx, tx, "owner_id IN (SELECT id FROM upload_parts WHERE upload_id = ?)", id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM upload_parts WHERE upload_id = ?", id)
	return err
}

// ExpireUploads ends up to most pending uploads whose time is over, with their
// parts, and returns how many there were.
func (s *Store) ExpireUploads(ctx context.Context, at time.Time, most int) (n int, err error) {
	err = s.inTransaction(ctx, func(tx *sql.Tx) error {
		ids, err := collect(ctx, tx, "SELECT id FROM uploads WHERE status = ? AND expires_at <= ? ORDER BY expires_at, id LIMIT ?", []any{UploadPending, at.Unix(), most}, scanText)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, "UPDATE uploads SET status = ? WHERE id = ?", UploadExpired, id); err != nil {
				return err
			}
			if err := s.dropParts(ctx, tx, id); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("expire uploads: %w", err)
	}
	return n, nil
}

// DeleteUploadsBefore forgets the uploads that ended and expired before a time.
func (s *Store) DeleteUploadsBefore(ctx context.Context, t time.Time) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM uploads WHERE status <> ? AND expires_at < ?", UploadPending, t.Unix())
		return err
	})
	if err != nil {
		return fmt.Errorf("delete old uploads: %w", err)
	}
	return nil
}

// aboutUpload adds to an error what was being done, but for those that callers
// ask for.
func aboutUpload(doing, id string, err error) error {
	if _, ended := errors.AsType[*UploadError](err); err == nil || ended || errors.Is(err, ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s upload %s: %w", doing, id, err)
}

// scanUpload reads uploadColumns.
func scanUpload(r row) (u Upload, err error) {
	var created, expires int64
	var keep sql.NullInt64
	err = r.Scan(&u.ID, &u.ProjectID, &created, &expires, &u.Name, &u.Purpose, &u.MediaType, &u.Bytes, &keep, &u.Status)
	u.CreatedAt, u.ExpiresAt, u.KeepFor = time.Unix(created, 0), time.Unix(expires, 0), time.Duration(keep.Int64)*time.Second
	return u, err
}

func scanPart(r row) (p Part, err error) {
	var created int64
	err = r.Scan(&p.ID, &p.UploadID, &created, &p.Blob.Key, &p.Blob.Bytes)
	p.CreatedAt = time.Unix(created, 0)
	return p, err
}
