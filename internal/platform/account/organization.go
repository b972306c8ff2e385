package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

var (
	// ErrArchived means that a project is archived, and so takes nothing new.
	ErrArchived = errors.New("the project is archived")

	// ErrDefaultProject means that the first project was to be archived.
	ErrDefaultProject = errors.New("the default project cannot be archived")
)

// NotFoundError means that an organization has no object of an id.
type NotFoundError struct {
	Kind string // project, service account, API key, user or budget
	ID   string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("there is no %s %s", e.Kind, e.ID) }

// notFound turns state.ErrNotFound into a *NotFoundError.
func notFound(err error, kind, id string) error {
	if errors.Is(err, state.ErrNotFound) {
		return &NotFoundError{kind, id}
	}
	return err
}

// Organization administers projects, service accounts, keys and limits. Its
// methods return a *NotFoundError for what the organization does not have.
type Organization struct {
	store   *state.Store
	keys    *Keys
	limiter *Limiter
}

// CreateProject makes a project.
func (o *Organization) CreateProject(ctx context.Context, organization, name string) (state.Project, error) {
	p := state.Project{ID: state.NewID("proj_"), OrganizationID: organization, Name: name, CreatedAt: now()}
	if err := checkName(name); err != nil {
		return state.Project{}, err
	}
	return p, o.store.AddProject(ctx, p)
}

// now is the time as the store can keep it.
func now() time.Time { return time.Now().Truncate(time.Second) }

// Project returns a project, archived or not.
func (o *Organization) Project(ctx context.Context, organization, id string) (state.Project, error) {
	p, err := o.store.Project(ctx, organization, id)
	return p, notFound(err, "project", id)
}

// Projects returns a page of the organization's projects, and whether there
// are more.
func (o *Organization) Projects(ctx context.Context, organization string, archivedToo bool, p state.Page) ([]state.Project, bool, error) {
	projects, more, err := o.store.Projects(ctx, organization, archivedToo, p)
	return projects, more, notFound(err, "project", p.After)
}

// RenameProject gives a project another name and returns it.
func (o *Organization) RenameProject(ctx context.Context, organization, id, name string) (state.Project, error) {
	if err := checkName(name); err != nil {
		return state.Project{}, err
	}
	if err := o.store.RenameProject(ctx, organization, id, name); err != nil {
		return state.Project{}, notFound(err, "project", id)
	}
	return o.Project(ctx, organization, id)
}

// ArchiveProject closes a project for good and returns it: its keys are refused
// from the next request on. The default project is ErrDefaultProject.
func (o *Organization) ArchiveProject(ctx context.Context, organization, id string) (state.Project, error) {
	first, err := o.store.DefaultTenant(ctx)
	if err != nil {
		return state.Project{}, err
	}
	if id == first.ProjectID {
		return state.Project{}, ErrDefaultProject
	}
	if err := o.store.ArchiveProject(ctx, organization, id, time.Now()); err != nil {
		return state.Project{}, notFound(err, "project", id)
	}
	return o.Project(ctx, organization, id)
}

// open returns a project that is not archived.
func (o *Organization) open(ctx context.Context, organization, id string) error {
	p, err := o.Project(ctx, organization, id)
	if err == nil && !p.ArchivedAt.IsZero() {
		err = fmt.Errorf("project %s: %w", id, ErrArchived)
	}
	return err
}

// User returns a user.
func (o *Organization) User(ctx context.Context, organization, id string) (state.User, error) {
	u, err := o.store.User(ctx, organization, id)
	return u, notFound(err, "user", id)
}

// EnsureUser returns the user with an e-mail address, making one if need be.
func (o *Organization) EnsureUser(ctx context.Context, organization, email string) (state.User, error) {
	if err := checkName(email); err != nil {
		return state.User{}, err
	}
	return o.store.EnsureUser(ctx, state.User{ID: state.NewID("user-"), OrganizationID: organization, Name: email, Email: email, Role: "reader", CreatedAt: now()})
}
