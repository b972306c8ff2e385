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
const defaultTenant = "SELECT organization_id, id FROM projects ORDER BY rowid LIMIT 1"

// DefaultTenant returns the project that keys are made for unless another is
// named.
func (s *Store) DefaultTenant(ctx context.Context) (t Tenant, err error) {
	err = s.read.QueryRowContext(ctx, defaultTenant).Scan(&t.OrganizationID, &t.ProjectID)
	return t, err
}

func makeDefaultTenant(ctx context.Context, tx *sql.Tx) error {
	var t Tenant
	err := tx.QueryRowContext(ctx, defaultTenant).Scan(&t.OrganizationID, &t.ProjectID)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	t, now := Tenant{NewID("org-"), NewID("proj_")}, time.Now().Unix()
	_, err = tx.ExecContext(ctx, "INSERT INTO organizations (id, name, created_at) VALUES (?, ?, ?)", t.OrganizationID, "Ragstone", now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO projects (id, organization_id, name, created_at) VALUES (?, ?, ?, ?)", t.ProjectID, t.OrganizationID, "Default project", now)
	return err
}
