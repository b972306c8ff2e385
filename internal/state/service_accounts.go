package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// ServiceAccount is a program that uses a project with keys of its own.
type ServiceAccount struct {
	ID        string
	ProjectID string
	Name      string
	Role      string // member, owner, or none
	CreatedAt time.Time
}

const serviceAccountColumns = "id, project_id, name, role, created_at"

func serviceAccountsOf(projectID string) selection {
	return selection{"service_accounts", serviceAccountColumns, "project_id = ? AND deleted_at IS NULL", []any{projectID}}
}

// AddServiceAccount stores a service account and, in the same transaction, the
// keys that it begins with.
func (s *Store) AddServiceAccount(ctx context.Context, a ServiceAccount, keys ...Key) error {
	err := s.configure(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO service_accounts ("+serviceAccountColumns+") VALUES (?, ?, ?, ?, ?)",
			a.ID, a.ProjectID, a.Name, a.Role, a.CreatedAt.Unix())
		for i := 0; err == nil && i < len(keys); i++ {
			err = insertKey(ctx, tx, keys[i])
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add service account: %w", err)
	}
	return nil
}

// ServiceAccount returns a project's service account, or ErrNotFound.
func (s *Store) ServiceAccount(ctx context.Context, projectID, id string) (ServiceAccount, error) {
	a, err := one(ctx, s.read, serviceAccountsOf(projectID), id, scanServiceAccount)
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("service account %s: %w", id, err)
	}
	return a, nil
}

// ServiceAccounts returns a page of a project's service accounts, and whether
// there are more.
func (s *Store) ServiceAccounts(ctx context.Context, projectID string, p Page) ([]ServiceAccount, bool, error) {
	accounts, more, err := page(ctx, s.read, serviceAccountsOf(projectID), p, scanServiceAccount)
	if err != nil {
		return nil, false, fmt.Errorf("list service accounts: %w", err)
	}
	return accounts, more, nil
}

// UpdateServiceAccount changes a service account's name and role; an unknown
// one is ErrNotFound.
func (s *Store) UpdateServiceAccount(ctx context.Context, a ServiceAccount) error {
	err := s.configureRow(ctx, "UPDATE service_accounts SET name = ?, role = ? WHERE project_id = ? AND id = ? AND deleted_at IS NULL", a.Name, a.Role, a.ProjectID, a.ID)
	if err != nil {
		return fmt.Errorf("update service account %s: %w", a.ID, err)
	}
	return nil
}

// DeleteServiceAccount takes a service account and all its keys out of force;
// an unknown one is ErrNotFound. Its row stays, for the ledger names it.
func (s *Store) DeleteServiceAccount(ctx context.Context, projectID, id string, at time.Time) error {
	err := s.configure(ctx, func(tx *sql.Tx) error {
		err := changeRow(ctx, tx, "UPDATE service_accounts SET deleted_at = ? WHERE project_id = ? AND id = ? AND deleted_at IS NULL", at.Unix(), projectID, id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE service_account_id = ?", at.Unix(), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete service account %s: %w", id, err)
	}
	return nil
}

func scanServiceAccount(r row) (a ServiceAccount, err error) {
	var created int64
	err = r.Scan(&a.ID, &a.ProjectID, &a.Name, &a.Role, &created)
	a.CreatedAt = time.Unix(created, 0)
	return a, err
}
