package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// AttemptsFor is how long an attempt and its answer are kept.
const AttemptsFor = 24 * time.Hour

// mostKept bounds the bytes of answers that are kept for one API key.
const mostKept = 64 << 20

var (
	// ErrAttemptRunning means that another attempt of the same request has not
	// ended yet.
	ErrAttemptRunning = errors.New("another attempt of the request is running")

	// ErrAttemptDiffers means that an attempt's key was used for another request.
	ErrAttemptDiffers = errors.New("the attempt's key was used for another request")
)

// Attempt is a request that its caller may send again, without effect but the
// first's.
type Attempt struct {
	KeyID   string // the id of the caller's API key
	Key     string // what the caller calls the request by
	Request []byte // a hash of all that is asked
}

// KeptAnswer is the answer of an attempt.
type KeptAnswer struct {
	Status      int
	ContentType string
	Model       string // what ran; may be empty
	Body        []byte // nil: it was too large to keep
}

// BeginAttempt begins an attempt that none of the same key has ended, and returns
// an id that all of them share; or it returns the answer of the one that has.
// Other errors than the store's are ErrAttemptRunning and ErrAttemptDiffers. What
// has begun ends with EndAttempt or AbandonAttempt, whatever they return, or with
// the process.
func (s *Store) BeginAttempt(ctx context.Context, a Attempt) (id string, kept *KeptAnswer, err error) {
	server, err := s.serverID(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("register this server: %w", err)
	}
	b := &beginningAttempt{store: s, attempt: a, server: server, now: time.Now()}
	err = b.begin(ctx)
	if errors.Is(err, ErrAttemptRunning) && b.elsewhere {
		if err = s.bury(ctx, b.holder); err == nil {
			err = b.begin(ctx)
		}
	}
	switch {
	case errors.Is(err, ErrAttemptRunning), errors.Is(err, ErrAttemptDiffers):
		return "", nil, err
	case err != nil:
		return "", nil, fmt.Errorf("begin attempt %s: %w", a.Key, err)
	}
	return b.id, b.kept, nil
}

// beginningAttempt is an attempt that begins.
type beginningAttempt struct {
	store   *Store
	attempt Attempt
	server  string // this one
	now     time.Time

	id        string
	kept      *KeptAnswer
	holder    string // the server of an attempt that has not ended
	elsewhere bool   // it is another process
}

// begin takes the attempt, or notes what is in its place.
func (b *beginningAttempt) begin(ctx context.Context) error {
	taken := false
	err := b.store.inTransaction(ctx, func(tx *sql.Tx) (err error) {
		if taken, err = b.take(ctx, tx); taken {
			b.store.running(b.id, true) // before the next transaction looks
		}
		return err
	})
	if taken && err != nil {
		b.store.running(b.id, false)
	}
	return err
}

// take reports whether the attempt is to run.
func (b *beginningAttempt) take(ctx context.Context, tx *sql.Tx) (bool, error) {
	a := b.attempt
	_, err := tx.ExecContext(ctx, "DELETE FROM attempts WHERE key_id = ? AND attempt_key = ? AND created_at < ?", a.KeyID, a.Key, b.now.Add(-AttemptsFor).Unix())
	if err != nil {
		return false, err
	}
	fresh := NewID("attempt_")
	_, err = tx.ExecContext(ctx, `INSERT INTO attempts (key_id, attempt_key, id, request, created_at, server_id, charged, status, content_type, model)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0, '', '') ON CONFLICT (key_id, attempt_key) DO NOTHING`, a.KeyID, a.Key, fresh, a.Request, b.now.Unix(), b.server)
	if err != nil {
		return false, err
	}
	var k KeptAnswer
	var request []byte
	var listed bool
	err = tx.QueryRowContext(ctx, `SELECT id, request, server_id, EXISTS (SELECT 1 FROM servers WHERE servers.id = attempts.server_id), status, content_type, model, body
		FROM attempts WHERE key_id = ? AND attempt_key = ?`, a.KeyID, a.Key).Scan(&b.id, &request, &b.holder, &listed, &k.Status, &k.ContentType, &k.Model, &k.Body)
	switch {
	case err != nil:
		return false, err
	case b.id == fresh:
		return true, nil
	case !bytes.Equal(request, a.Request):
		return false, ErrAttemptDiffers
	case k.Status != 0:
		b.kept = &k
		return false, nil
	}
	here, mine := b.store.attemptHere(b.id, b.holder)
	b.elsewhere = listed && !mine
	if here || b.elsewhere {
		return false, ErrAttemptRunning
	}
	// Whoever ran it has ended: this attempt goes on in its place.
	_, err = tx.ExecContext(ctx, "UPDATE attempts SET server_id = ? WHERE id = ?", b.server, b.id)
	return err == nil, err
}

// running notes whether an attempt runs in this process.
func (s *Store) running(id string, runs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if runs {
		s.attempts[id] = true
	} else {
		delete(s.attempts, id)
	}
}

// attemptHere reports whether an attempt runs in this process, and whether its
// holder is or was this process, of which an attempt that does not run any more
// has ended, though the database could not be told.
func (s *Store) attemptHere(id, holder string) (runs, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine = s.server != nil && s.server.id == holder ||
		slices.ContainsFunc(s.former, func(l *liveServer) bool { return l.id == holder })
	return s.attempts[id], mine
}

// EndAttempt keeps the answer of an attempt. Where its caller has as much kept
// as it may, the body is not.
func (s *Store) EndAttempt(ctx context.Context, id string, answer KeptAnswer) error {
	defer s.running(id, false)
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		var kept int64
		err := tx.QueryRowContext(ctx, "SELECT COALESCE(SUM(LENGTH(body)), 0) FROM attempts WHERE key_id = (SELECT key_id FROM attempts WHERE id = ?)", id).Scan(&kept)
		if err != nil {
			return err
		}
		if kept+int64(len(answer.Body)) > mostKept {
			answer.Body = nil
		}
		_, err = tx.ExecContext(ctx, "UPDATE attempts SET status = ?, content_type = ?, model = ?, body = ? WHERE id = ?", answer.Status, answer.ContentType, answer.Model, answer.Body, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the answer of attempt %s: %w", id, err)
	}
	return nil
}

// AbandonAttempt ends an attempt without an answer: the next one runs.
func (s *Store) AbandonAttempt(ctx context.Context, id string) error {
	defer s.running(id, false)
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE attempts SET server_id = '' WHERE id = ?", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("abandon attempt %s: %w", id, err)
	}
	return nil
}

// DeleteAttemptsBefore deletes all attempts that began before a time, and returns
// how many.
func (s *Store) DeleteAttemptsBefore(ctx context.Context, t time.Time) (n int64, err error) {
	err = s.inTransaction(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM attempts WHERE created_at < ?", t.Unix())
		if err == nil {
			n, err = result.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete old attempts: %w", err)
	}
	return n, nil
}

// chargeAttempt notes that an attempt is charged, and reports whether it was
// before: then it is not charged again.
func chargeAttempt(ctx context.Context, tx *sql.Tx, id string) (before bool, err error) {
	if id == "" {
		return false, nil
	}
	result, err := tx.ExecContext(ctx, "UPDATE attempts SET charged = 1 WHERE id = ? AND charged = 0", id)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 0, err
}
