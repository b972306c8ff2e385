package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// User is a person of an organization.
type User struct {
	ID             string
	OrganizationID string
	Name           string
	Email          string
	Role           string // owner or reader
	CreatedAt      time.Time
}

const userColumns = "id, organization_id, name, email, role, created_at"

// Owner returns the user who owns the organization, whom Open made.
func (s *Store) Owner(ctx context.Context, organizationID string) (User, error) {
	u, err := scanUser(s.read.QueryRowContext(ctx, "SELECT "+userColumns+" FROM users WHERE organization_id = ? ORDER BY sequence LIMIT 1", organizationID))
	if err != nil {
		return User{}, fmt.Errorf("find the owner of %s: %w", organizationID, err)
	}
	return u, nil
}

// User returns a user of an organization, or ErrNotFound.
func (s *Store) User(ctx context.Context, organizationID, id string) (User, error) {
	u, err := one(ctx, s.read, usersOf(organizationID), id, scanUser)
	if err != nil {
		return User{}, fmt.Errorf("user %s: %w", id, err)
	}
	return u, nil
}

// Users returns an organization's users, oldest first.
func (s *Store) Users(ctx context.Context, organizationID string) ([]User, error) {
	users, err := every(ctx, s.read, usersOf(organizationID), scanUser)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

func usersOf(organizationID string) selection {
	return selection{"users", userColumns, "organization_id = ?", []any{organizationID}}
}

// EnsureUser returns the organization's user with u's e-mail address, whom it
// adds as u if there is none.
func (s *Store) EnsureUser(ctx context.Context, u User) (User, error) {
	var found User
	err := s.inTransaction(ctx, func(tx *sql.Tx) (err error) {
		found, err = scanUser(tx.QueryRowContext(ctx, "SELECT "+userColumns+" FROM users WHERE organization_id = ? AND email = ?", u.OrganizationID, u.Email))
		if errors.Is(err, sql.ErrNoRows) {
			found, err = u, insertUser(ctx, tx, u)
		}
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("add user %s: %w", u.Email, err)
	}
	return found, nil
}

func insertUser(ctx context.Context, tx *sql.Tx, u User) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO users ("+userColumns+") VALUES (?, ?, ?, ?, ?, ?)",
		u.ID, u.OrganizationID, u.Name, u.Email, u.Role, u.CreatedAt.Unix())
	return err
}

func scanUser(r row) (u User, err error) {
	var created int64
	err = r.Scan(&u.ID, &u.OrganizationID, &u.Name, &u.Email, &u.Role, &created)
	u.CreatedAt = time.Unix(created, 0)
	return u, err
}
