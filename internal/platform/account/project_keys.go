package account

import (
	"context"
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

// DeleteKey revokes a key of a project; of an empty project, an admin key.
func (o *Organization) DeleteKey(ctx context.Context, organization, project, id string) error {
	if _, err := o.Key(ctx, organization, project, id); err != nil {
		return err
	}
	return notFound(o.store.RevokeKey(ctx, id, time.Now()), "API key", id)
}
