package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Key is the row of an API key. The key itself is nowhere.
type Key struct {
	ID               string
	Tenant           Tenant // ProjectID is empty for an admin key
	UserID           string // whose it is; empty if it is a program's
	ServiceAccountID string // the program whose it is
	Name             string
	Hash             []byte // of HashKey
	Redacted         string
	Permission       string // all, read_only or restricted; empty is stored as all
	Scopes           string // of a restricted key, with spaces between
	CreatedAt        time.Time
	ExpiresAt        time.Time // zero: never
	LastUsedAt       time.Time // to the minute; zero: never
	RevokedAt        time.Time // zero while the key is in force

	// ProjectArchived is the project's state and no column of the key.
	ProjectArchived bool
}

// Admin reports whether the key administers the organization rather than
// using a project's models.
func (k Key) Admin() bool { return k.Tenant.ProjectID == "" }

const (
	keyColumns = "id, organization_id, project_id, user_id, service_account_id, name, hash, redacted, permission, scopes, created_at, expires_at, last_used_at, revoked_at"

	// keyOutlook is keyColumns and what else decides whether the key is good.
	keyOutlook = keyColumns + ", EXISTS (SELECT 1 FROM projects WHERE projects.id = project_id AND archived_at IS NOT NULL)"
)

// AddKey stores a key. It is in force when AddKey returns.
func (s *Store) AddKey(ctx context.Context, k Key) error {
	if err := s.configure(ctx, func(tx *sql.Tx) error { return insertKey(ctx, tx, k) }); err != nil {
		return fmt.Errorf("add API key: %w", err)
	}
	return nil
}

// AddFirstKey stores a key if there has never been one, and reports whether it
// did. Of several processes that try at once one succeeds.
func (s *Store) AddFirstKey(ctx context.Context, k Key) (first bool, err error) {
	err = s.configure(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM api_keys)").Scan(&first); err != nil || !first {
			return err
		}
		return insertKey(ctx, tx, k)
	})
	if err != nil {
		return false, fmt.Errorf("add first API key: %w", err)
	}
	return first, nil
}

func insertKey(ctx context.Context, tx *sql.Tx, k Key) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO api_keys ("+keyColumns+", sequence) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, coalesce(max(sequence), 0) + 1 FROM api_keys",
		k.ID, k.Tenant.OrganizationID, nullText(k.Tenant.ProjectID), nullText(k.UserID), nullText(k.ServiceAccountID), k.Name, k.Hash, k.Redacted,
		cmp.Or(k.Permission, "all"), k.Scopes, k.CreatedAt.Unix(), nullTime(k.ExpiresAt))
	return err
}

// KeyByHash returns the key with a hash, in force or not, or ErrNotFound.
func (s *Store) KeyByHash(ctx context.Context, hash []byte) (Key, error) {
	k, err := scanKey(s.read.QueryRowContext(ctx, "SELECT "+keyOutlook+" FROM api_keys WHERE hash = ?", hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, ErrNotFound
	}
	if err != nil {
		return Key{}, fmt.Errorf("look up API key: %w", err)
	}
	return k, nil
}

// KeyFilter leaves some of an organization's keys.
type KeyFilter struct {
	OrganizationID string
	ProjectID      string // of this project; empty: admin keys
}

// keys selects the filter's keys that are not revoked.
func (f KeyFilter) keys() selection {
	if f.ProjectID == "" {
		return selection{"api_keys", keyOutlook, "organization_id = ? AND project_id IS NULL AND revoked_at IS NULL", []any{f.OrganizationID}}
	}
	return selection{"api_keys", keyOutlook, "organization_id = ? AND project_id = ? AND revoked_at IS NULL", []any{f.OrganizationID, f.ProjectID}}
}

// Key returns a key that is not revoked, or ErrNotFound.
func (s *Store) Key(ctx context.Context, f KeyFilter, id string) (Key, error) {
	k, err := one(ctx, s.read, f.keys(), id, scanKey)
	if err != nil {
		return Key{}, fmt.Errorf("API key %s: %w", id, err)
	}
	return k, nil
}

// KeyPage returns a page of the keys that are not revoked, and whether there
// are more.
func (s *Store) KeyPage(ctx context.Context, f KeyFilter, p Page) ([]Key, bool, error) {
	keys, more, err := page(ctx, s.read, f.keys(), p, scanKey)
	if err != nil {
		return nil, false, fmt.Errorf("list API keys: %w", err)
	}
	return keys, more, nil
}

// Keys returns all keys, oldest first, the revoked ones included.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	keys, err := every(ctx, s.read, selection{table: "api_keys", columns: keyOutlook, where: "true"}, scanKey)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return keys, nil
}

// RevokeKey takes a key out of force for good. Revoking it again changes
// nothing; an unknown id is ErrNotFound.
func (s *Store) RevokeKey(ctx context.Context, id string, at time.Time) error {
	if err := s.configureRow(ctx, "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", at.Unix(), id); err != nil {
		return fmt.Errorf("revoke API key %s: %w", id, err)
	}
	return nil
}

// UpdateKey stores a key's permission, scopes and expiry; all else of it stays
// as it is. One that is revoked or unknown is ErrNotFound.
func (s *Store) UpdateKey(ctx context.Context, k Key) error {
	err := s.configureRow(ctx, "UPDATE api_keys SET permission = ?, scopes = ?, expires_at = ? WHERE id = ? AND revoked_at IS NULL",
		cmp.Or(k.Permission, "all"), k.Scopes, nullTime(k.ExpiresAt), k.ID)
	if err != nil {
		return fmt.Errorf("update API key %s: %w", k.ID, err)
	}
	return nil
}

// scanKey reads keyOutlook.
func scanKey(r row) (k Key, err error) {
	var project, user, account sql.NullString
	var created int64
	var expires, used, revoked sql.NullInt64
	err = r.Scan(&k.ID, &k.Tenant.OrganizationID, &project, &user, &account, &k.Name, &k.Hash, &k.Redacted,
		&k.Permission, &k.Scopes, &created, &expires, &used, &revoked, &k.ProjectArchived)
	k.Tenant.ProjectID, k.UserID, k.ServiceAccountID = project.String, user.String, account.String
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt = time.Unix(created, 0), timeOf(expires), timeOf(used), timeOf(revoked)
	return k, err
}
