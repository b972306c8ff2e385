package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Project is the row of a project.
type Project struct {
	ID             string
	OrganizationID string
	Name           string
	CreatedAt      time.Time
	ArchivedAt     time.Time // zero while it is active
}

const projectColumns = "id, organization_id, name, created_at, archived_at"

func projectsOf(organizationID string, archivedToo bool) selection {
	where := "organization_id = ?"
	if !archivedToo {
		where += " AND archived_at IS NULL"
	}
	return selection{"projects", projectColumns, where, []any{organizationID}}
}

// AddProject stores a project.
func (s *Store) AddProject(ctx context.Context, p Project) error {
	if err := s.configure(ctx, func(tx *sql.Tx) error { return insertProject(ctx, tx, p) }); err != nil {
		return fmt.Errorf("add project: %w", err)
	}
	return nil
}

func insertProject(ctx context.Context, tx *sql.Tx, p Project) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO projects ("+projectColumns+", sequence) SELECT ?, ?, ?, ?, ?, coalesce(max(sequence), 0) + 1 FROM projects",
		p.ID, p.OrganizationID, p.Name, p.CreatedAt.Unix(), nullTime(p.ArchivedAt))
	return err
}

// Project returns an organization's project, archived or not, or ErrNotFound.
func (s *Store) Project(ctx context.Context, organizationID, id string) (Project, error) {
	p, err := one(ctx, s.read, projectsOf(organizationID, true), id, scanProject)
	if err != nil {
		return Project{}, fmt.Errorf("project %s: %w", id, err)
	}
	return p, nil
}

// Projects returns a page of an organization's projects, and whether there are
// more.
func (s *Store) Projects(ctx context.Context, organizationID string, archivedToo bool, p Page) ([]Project, bool, error) {
	projects, more, err := page(ctx, s.read, projectsOf(organizationID, archivedToo), p, scanProject)
	if err != nil {
		return nil, false, fmt.Errorf("list projects: %w", err)
	}
	return projects, more, nil
}

// RenameProject gives a project another name; an unknown id is ErrNotFound.
func (s *Store) RenameProject(ctx context.Context, organizationID, id, name string) error {
	if err := s.configureRow(ctx, "UPDATE projects SET name = ? WHERE organization_id = ? AND id = ?", name, organizationID, id); err != nil {
		return fmt.Errorf("rename project %s: %w", id, err)
	}
	return nil
}

// ArchiveProject closes a project for good: none of its keys is accepted any
// more. Archiving it again changes nothing; an unknown id is ErrNotFound.
func (s *Store) ArchiveProject(ctx context.Context, organizationID, id string, at time.Time) error {
	err := s.configureRow(ctx, "UPDATE projects SET archived_at = coalesce(archived_at, ?) WHERE organization_id = ? AND id = ?", at.Unix(), organizationID, id)
	if err != nil {
		return fmt.Errorf("archive project %s: %w", id, err)
	}
	return nil
}

func scanProject(r row) (p Project, err error) {
	var created int64
	var archived sql.NullInt64
	err = r.Scan(&p.ID, &p.OrganizationID, &p.Name, &created, &archived)
	p.CreatedAt, p.ArchivedAt = time.Unix(created, 0), timeOf(archived)
	return p, err
}
