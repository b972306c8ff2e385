package account

import (
	"context"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// CreateServiceAccount makes a service account of a project with its first key,
// of a lifetime or, if that is zero, for ever; the account is in force with its
// key or not at all.
func (o *Organization) CreateServiceAccount(ctx context.Context, organization, project, name string, lifetime time.Duration) (state.ServiceAccount, Created, error) {
	a, err := o.newServiceAccount(ctx, organization, project, name, "member")
	if err != nil {
		return a, Created{}, err
	}
	created, row, err := o.keys.newKey(ctx, KeyOptions{Name: "Secret Key", Project: project, Lifetime: lifetime, serviceAccount: a.ID})
	if err != nil {
		return a, Created{}, err
	}
	return a, created, o.store.AddServiceAccount(ctx, a, row)
}

// CreateServiceAccountOnly makes a service account without a key.
func (o *Organization) CreateServiceAccountOnly(ctx context.Context, organization, project, name string) (state.ServiceAccount, error) {
	a, err := o.newServiceAccount(ctx, organization, project, name, "none")
	if err != nil {
		return a, err
	}
	return a, o.store.AddServiceAccount(ctx, a)
}

func (o *Organization) newServiceAccount(ctx context.Context, organization, project, name, role string) (state.ServiceAccount, error) {
	a := state.ServiceAccount{ID: state.NewID("svc_acct_"), ProjectID: project, Name: name, Role: role, CreatedAt: now()}
	if err := checkName(name); err != nil {
		return a, err
	}
	return a, o.open(ctx, organization, project)
}

// ServiceAccount returns a service account of a project.
func (o *Organization) ServiceAccount(ctx context.Context, organization, project, id string) (state.ServiceAccount, error) {
	if _, err := o.Project(ctx, organization, project); err != nil {
		return state.ServiceAccount{}, err
	}
	a, err := o.store.ServiceAccount(ctx, project, id)
	return a, notFound(err, "service account", id)
}

// ServiceAccounts returns a page of a project's service accounts, and whether
// there are more.
func (o *Organization) ServiceAccounts(ctx context.Context, organization, project string, p state.Page) ([]state.ServiceAccount, bool, error) {
	if _, err := o.Project(ctx, organization, project); err != nil {
		return nil, false, err
	}
	accounts, more, err := o.store.ServiceAccounts(ctx, project, p)
	return accounts, more, notFound(err, "service account", p.After)
}

// UpdateServiceAccount changes a service account's name and role, where they
// are not empty, and returns it.
func (o *Organization) UpdateServiceAccount(ctx context.Context, organization, project, id, name, role string) (state.ServiceAccount, error) {
	a, err := o.ServiceAccount(ctx, organization, project, id)
	if err != nil {
		return a, err
	}
	if name != "" {
		a.Name = name
	}
	if role != "" {
		a.Role = role
	}
	if err := checkName(a.Name); err != nil {
		return a, err
	}
	return a, notFound(o.store.UpdateServiceAccount(ctx, a), "service account", id)
}

// DeleteServiceAccount takes a service account and all its keys out of force.
func (o *Organization) DeleteServiceAccount(ctx context.Context, organization, project, id string) error {
	if _, err := o.Project(ctx, organization, project); err != nil {
		return err
	}
	return notFound(o.store.DeleteServiceAccount(ctx, project, id, time.Now()), "service account", id)
}

// CreateServiceAccountKey makes a further key of a service account.
func (o *Organization) CreateServiceAccountKey(ctx context.Context, organization, project, id string, options KeyOptions) (Created, error) {
	if _, err := o.ServiceAccount(ctx, organization, project, id); err != nil {
		return Created{}, err
	}
	options.Project, options.serviceAccount = project, id
	return o.keys.Create(ctx, options)
}
