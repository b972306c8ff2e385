package account

import (
	"context"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// filter selects the keys of a project, or the admin keys where project is empty.
func (o *Organization) filter(ctx context.Context, organization, project string) (state.KeyFilter, error) {
	if project != "" {
		if _, err := o.Project(ctx, organization, project); err != nil {
			return state.KeyFilter{}, err
		}
	}
	return state.KeyFilter{OrganizationID: organization, ProjectID: project}, nil
}

// Key returns a key of a project that is not revoked; of an empty project, an
// admin key.
func (o *Organization) Key(ctx context.Context, organization, project, id string) (Key, error) {
	f, err := o.filter(ctx, organization, project)
	if err != nil {
		return Key{}, err
	}
	row, err := o.store.Key(ctx, f, id)
	return describe(row), notFound(err, "API key", id)
}

// Keys returns a page of a project's keys that are not revoked, and whether
// there are more; of an empty project, the admin keys.
func (o *Organization) Keys(ctx context.Context, organization, project string, p state.Page) ([]Key, bool, error) {
	f, err := o.filter(ctx, organization, project)
	if err != nil {
		return nil, false, err
	}
	rows, more, err := o.store.KeyPage(ctx, f, p)
	keys := make([]Key, len(rows))
	for i, row := range rows {
		keys[i] = describe(row)
	}
	return keys, more, notFound(err, "API key", p.After)
}

// KeyChange is what is to become of a key.
type KeyChange struct {
	Scopes   []string      // as the API names them: empty are all, foreign ones grant nothing; nil: as they are
	Lifetime time.Duration // from now on; zero: as it is
}

// UpdateKey changes what a project's key may do, or how long, from the next
// request on, and returns it. One that has expired is a *NotFoundError;
// ErrPermission is a scope that a project's key cannot have.
func (o *Organization) UpdateKey(ctx context.Context, organization, project, id string, change KeyChange) (Key, error) {
	key, err := o.Key(ctx, organization, project, id)
	if err != nil {
		return Key{}, err
	}
	if !key.InForce() {
		return Key{}, &NotFoundError{"API key in force", id}
	}
	if change.Scopes != nil {
		key.Permission, key.Scopes = PermissionOf(change.Scopes)
		if err := checkPermission(key.Permission, key.Scopes, false, true); err != nil {
			return Key{}, err
		}
	}
	if change.Lifetime > 0 {
		key.ExpiresAt = now().Add(change.Lifetime)
	}
	row := state.Key{ID: id, Permission: key.Permission, Scopes: strings.Join(key.Scopes, " "), ExpiresAt: key.ExpiresAt}
	return key, notFound(o.store.UpdateKey(ctx, row), "API key", id)
}

// DeleteKey revokes a key of a project; of an empty project, an admin key.
func (o *Organization) DeleteKey(ctx context.Context, organization, project, id string) error {
	if _, err := o.Key(ctx, organization, project, id); err != nil {
		return err
	}
	return notFound(o.store.RevokeKey(ctx, id, time.Now()), "API key", id)
}
