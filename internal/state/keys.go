package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Key is the row of an API key. The key itself is nowhere.
type Key struct {
	ID        string
	Tenant    Tenant // ProjectID is empty for an admin key
	Name      string
	Hash      []byte // of HashKey
	Redacted  string
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key is in force
}

// Admin reports whether the key administers the organization rather than
// using a project's models.
func (k Key) Admin() bool { return k.Tenant.ProjectID == "" }

const (
	keyColumns = "id, organization_id, project_id, name, hash, redacted, created_at, revoked_at"
	insertKey  = "INSERT INTO api_keys (" + keyColumns + ") SELECT ?, ?, ?, ?, ?, ?, ?, NULL"
)

// AddKey stores a key. It is in force when AddKey returns.
func (s *Store) AddKey(ctx context.Context, k Key) error {
	_, err := s.write.ExecContext(ctx, insertKey, k.insertValues()...)
	if err != nil {
		return fmt.Errorf("add API key: %w", err)
	}
	return nil
}

// AddFirstKey stores a key if there has never been one, and reports whether it
// did. Of several processes that try at once one succeeds.
func (s *Store) AddFirstKey(ctx context.Context, k Key) (bool, error) {
	result, err := s.write.ExecContext(ctx, insertKey+" WHERE NOT EXISTS (SELECT 1 FROM api_keys)", k.insertValues()...)
	if err != nil {
		return false, fmt.Errorf("add first API key: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func (k Key) insertValues() []any {
	project := sql.NullString{String: k.Tenant.ProjectID, Valid: !k.Admin()}
	return []any{k.ID, k.Tenant.OrganizationID, project, k.Name, k.Hash, k.Redacted, k.CreatedAt.Unix()}
}

// KeyByHash returns the key with a hash, revoked or not, or ErrNotFound.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (Key, error) {
	k, err := scanKey(s.read.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM api_keys WHERE hash = ?", hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, ErrNotFound
	}
	if err != nil {
		return Key{}, fmt.Errorf("look up API key: %w", err)
	}
	return k, nil
}

// Keys returns all keys, oldest first, the revoked ones included.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT "+keyColumns+" FROM api_keys ORDER BY rowid")
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	defer rows.Close()
	var keys []Key
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, fmt.Errorf("list API keys: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}

// RevokeKey takes a key out of force for good. Revoking it again changes
// nothing; an unknown id is ErrNotFound.
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time) error {
	result, err := s.write.ExecContext(ctx, "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", at.Unix(), id)
	if err != nil {
		return fmt.Errorf("revoke API key %s: %w", id, err)
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return fmt.Errorf("API key %s: %w", id, ErrNotFound)
	}
	return nil
}

// scanKey reads keyColumns.
func scanKey(row interface{ Scan(...any) error }) (k Key, err error) {
	var project sql.NullString
	var created int64
	var revoked sql.NullInt64
	err = row.Scan(&k.ID, &k.Tenant.OrganizationID, &project, &k.Name, &k.Hash, &k.Redacted, &created, &revoked)
	k.Tenant.ProjectID, k.CreatedAt = project.String, time.Unix(created, 0)
	if revoked.Valid {
		k.RevokedAt = time.Unix(revoked.Int64, 0)
	}
	return k, err
}
