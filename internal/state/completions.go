package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Pair is one entry of an object's metadata.
type Pair struct{ Key, Value string }

// Completion is a stored chat completion.
type Completion struct {
	ID         string
	ProjectID  string
	CreatedAt  time.Time
	Model      string
	Completion []byte // JSON
	Messages   []byte // JSON
	Metadata   []Pair
}

// CompletionFilter leaves some of a project's completions. Empty fields leave
// all.
type CompletionFilter struct {
	Model    string
	Metadata []Pair // each of which they must have
}

const completionColumns = "id, project_id, created_at, model, completion, messages"

// AddCompletion stores a completion with its metadata.
func (s *Store) AddCompletion(ctx context.Context, c Completion) error {
	if err := s.inTransaction(ctx, func(tx *sql.Tx) error { return insertCompletion(ctx, tx, c) }); err != nil {
		return fmt.Errorf("store completion %s: %w", c.ID, err)
	}
	return nil
}

func insertCompletion(ctx context.Context, tx *sql.Tx, c Completion) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO chat_completions ("+completionColumns+") VALUES (?, ?, ?, ?, ?, ?)",
		c.ID, c.ProjectID, c.CreatedAt.Unix(), c.Model, c.Completion, c.Messages)
	if err != nil {
		return err
	}
	return setMetadata(ctx, tx, c.ID, c.Metadata)
}

// setMetadata replaces an object's metadata.
func setMetadata(ctx context.Context, tx *sql.Tx, object string, pairs []Pair) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM object_metadata WHERE object_id = ?", object); err != nil {
		return err
	}
	for i, p := range pairs {
		_, err := tx.ExecContext(ctx, "INSERT INTO object_metadata (object_id, position, key, value) VALUES (?, ?, ?, ?)", object, i, p.Key, p.Value)
		if err != nil {
			return err
		}
	}
	return nil
}

// Completion returns a project's completion, or ErrNotFound.
func (s *Store) Completion(ctx context.Context, projectID, id string) (Completion, error) {
	row := s.read.QueryRowContext(ctx, "SELECT "+completionColumns+" FROM chat_completions WHERE project_id = ? AND id = ?", projectID, id)
	c, err := scanCompletion(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Completion{}, ErrNotFound
	}
	if err == nil {
		c.Metadata, err = s.metadata(ctx, id)
	}
	if err != nil {
		return Completion{}, fmt.Errorf("read completion %s: %w", id, err)
	}
	return c, nil
}

// metadata returns an object's metadata, in the order given.
func (s *Store) metadata(ctx context.Context, object string) ([]Pair, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT key, value FROM object_metadata WHERE object_id = ? ORDER BY position", object)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var pairs []Pair
	for rows.Next() {
		var p Pair
		if err := rows.Scan(&p.Key, &p.Value); err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, rows.Err()
}

// Completions returns a page of a project's completions that pass the filter,
// and whether there are more. An After that the project does not have is
// ErrNotFound.
func (s *Store) Completions(ctx context.Context, projectID string, f CompletionFilter, p Page) ([]Completion, bool, error) {
	query := "SELECT " + completionColumns + " FROM chat_completions WHERE project_id = ?"
	arguments := []any{projectID}
	if f.Model != "" {
		query += " AND model = ?"
		arguments = append(arguments, f.Model)
	}
	for _, pair := range f.Metadata {
		query += " AND id IN (SELECT object_id FROM object_metadata WHERE key = ? AND value = ?)"
		arguments = append(arguments, pair.Key, pair.Value)
	}
	if p.After != "" {
		var created, sequence int64
		err := s.read.QueryRowContext(ctx, "SELECT created_at, sequence FROM chat_completions WHERE project_id = ? AND id = ?", projectID, p.After).Scan(&created, &sequence)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, false, ErrNotFound
		} else if err != nil {
			return nil, false, fmt.Errorf("list completions: %w", err)
		}
		arguments = append(arguments, created, sequence)
	}
	completions, err := s.queryCompletions(ctx, query+p.clause(p.After != ""), append(arguments, p.Limit+1)...)
	if err != nil {
		return nil, false, fmt.Errorf("list completions: %w", err)
	}
	completions, more := trim(completions, p)
	for i := range completions {
		if completions[i].Metadata, err = s.metadata(ctx, completions[i].ID); err != nil {
			return nil, false, fmt.Errorf("list completions: %w", err)
		}
	}
	return completions, more, nil
}

func (s *Store) queryCompletions(ctx context.Context, query string, arguments ...any) ([]Completion, error) {
	rows, err := s.read.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var completions []Completion
	for rows.Next() {
		c, err := scanCompletion(rows)
		if err != nil {
			return nil, err
		}
		completions = append(completions, c)
	}
	return completions, rows.Err()
}

// SetCompletionMetadata replaces a completion's metadata; an unknown id is
// ErrNotFound.
func (s *Store) SetCompletionMetadata(ctx context.Context, projectID, id string, pairs []Pair) error {
	return s.changeCompletion(ctx, projectID, id, func(tx *sql.Tx) error { return setMetadata(ctx, tx, id, pairs) })
}

// DeleteCompletion deletes a completion; an unknown id is ErrNotFound.
func (s *Store) DeleteCompletion(ctx context.Context, projectID, id string) error {
	return s.changeCompletion(ctx, projectID, id, func(tx *sql.Tx) error {
		if err := setMetadata(ctx, tx, id, nil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM chat_completions WHERE id = ?", id)
		return err
	})
}

// changeCompletion runs change in a transaction if the project has the
// completion.
func (s *Store) changeCompletion(ctx context.Context, projectID, id string, change func(*sql.Tx) error) error {
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		var one int
		if err := tx.QueryRowContext(ctx, "SELECT 1 FROM chat_completions WHERE project_id = ? AND id = ?", projectID, id).Scan(&one); err != nil {
			return err
		}
		return change(tx)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("change completion %s: %w", id, err)
	}
	return nil
}

// DeleteCompletionsBefore deletes all completions made before a time, and
// returns how many.
func (s *Store) DeleteCompletionsBefore(ctx context.Context, t time.Time) (int64, error) {
	var n int64
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM object_metadata WHERE object_id IN (SELECT id FROM chat_completions WHERE created_at < ?)", t.Unix())
		if err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "DELETE FROM chat_completions WHERE created_at < ?", t.Unix())
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("delete old completions: %w", err)
	}
	return n, nil
}

// scanCompletion reads completionColumns.
func scanCompletion(row interface{ Scan(...any) error }) (c Completion, err error) {
	var created int64
	err = row.Scan(&c.ID, &c.ProjectID, &created, &c.Model, &c.Completion, &c.Messages)
	c.CreatedAt = time.Unix(created, 0)
	return c, err
}
