package state

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Tenant names who owns a row: a project and the organization it belongs to.
type Tenant struct {
	OrganizationID string
	ProjectID      string
}

// defaultTenant is the query for the oldest project, which Open made.
const defaultTenant = "SELECT organization_id, id FROM projects ORDER BY sequence LIMIT 1"

// DefaultTenant returns the project that keys are made for unless another is
// named.
func (s *Store) DefaultTenant(ctx context.Context) (t Tenant, err error) {
	err = s.read.QueryRowContext(ctx, defaultTenant).Scan(&t.OrganizationID, &t.ProjectID)
	return t, err
}

// makeDefaultTenant makes the organization, its project and its owner, as far
// as they are missing.
func makeDefaultTenant(ctx context.Context, tx *sql.Tx) error {
	now := time.Now()
	var t Tenant
	err := tx.QueryRowContext(ctx, defaultTenant).Scan(&t.OrganizationID, &t.ProjectID)
	if errors.Is(err, sql.ErrNoRows) {
		t = Tenant{NewID("org-"), NewID("proj_")}
		_, err = tx.ExecContext(ctx, "INSERT INTO organizations (id, name, created_at) VALUES (?, ?, ?)", t.OrganizationID, "Ragstone", now.Unix())
		if err == nil {
			err = insertProject(ctx, tx, Project{ID: t.ProjectID, OrganizationID: t.OrganizationID, Name: "Default project", CreatedAt: now})
		}
	}
	if err != nil {
		return err
	}
	return makeOwner(ctx, tx, t.OrganizationID, now)
}

// makeOwner gives an organization without users its owner, to whom the keys of
// nobody go.
func makeOwner(ctx context.Context, tx *sql.Tx, organizationID string, now time.Time) error {
	var any bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM users WHERE organization_id = ?)", organizationID).Scan(&any); err != nil || any {
		return err
	}
	owner := User{ID: NewID("user-"), OrganizationID: organizationID, Name: "Owner", Email: "owner@localhost", Role: "owner", CreatedAt: now}
	if err := insertUser(ctx, tx, owner); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE api_keys SET user_id = ? WHERE user_id IS NULL AND service_account_id IS NULL", owner.ID)
	return err
}
