package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/ragstone/ragstone/internal/state"
)

// ErrLimit means that a limit is not one that a project may have.
var ErrLimit = errors.New("the limit is not allowed")

// Rates returns how fast a project may use a model; of an empty project, every
// project, unless it has a lower limit of its own.
func (o *Organization) Rates(ctx context.Context, tenant state.Tenant, model string) (Rates, error) {
	_, err := o.keys.directory.refresh(ctx)
	return o.limiter.rates(tenant, model), err
}

// SetRates changes how fast a project may use a model, or every project where
// tenant names none; numbers of zero stay as they are. It holds from the next
// request on. ErrLimit is a negative number, or one above the organization's.
func (o *Organization) SetRates(ctx context.Context, tenant state.Tenant, model string, change Rates) (Rates, error) {
	if change.RequestsPerMinute < 0 || change.TokensPerMinute < 0 || change.RequestsPerDay < 0 {
		return Rates{}, fmt.Errorf("%w: a limit is a number above 0", ErrLimit)
	}
	if tenant.ProjectID != "" {
		if err := o.withinOrganization(ctx, tenant, model, change); err != nil {
			return Rates{}, err
		}
	}
	s, err := o.keys.directory.refresh(ctx)
	if err != nil {
		return Rates{}, err
	}
	stored := s.limits[limitKey{tenant.OrganizationID, tenant.ProjectID, model}]
	stored.OrganizationID, stored.ProjectID, stored.Model = tenant.OrganizationID, tenant.ProjectID, model
	for _, n := range change.limited(&stored) {
		if *n.rate > 0 {
			*n.stored = int64(*n.rate)
		}
	}
	if err := o.store.SetLimit(ctx, stored); err != nil {
		return Rates{}, err
	}
	return o.Rates(ctx, tenant, model)
}

func (o *Organization) withinOrganization(ctx context.Context, tenant state.Tenant, model string, change Rates) error {
	if err := o.open(ctx, tenant.OrganizationID, tenant.ProjectID); err != nil {
		return err
	}
	most, err := o.Rates(ctx, state.Tenant{OrganizationID: tenant.OrganizationID}, model)
	if err != nil {
		return err
	}
	switch {
	case change.RequestsPerMinute > most.RequestsPerMinute:
		return fmt.Errorf("%w: %d requests per minute are above the organization's %d", ErrLimit, change.RequestsPerMinute, most.RequestsPerMinute)
	case change.TokensPerMinute > most.TokensPerMinute:
		return fmt.Errorf("%w: %d tokens per minute are above the organization's %d", ErrLimit, change.TokensPerMinute, most.TokensPerMinute)
	case most.RequestsPerDay > 0 && change.RequestsPerDay > most.RequestsPerDay:
		return fmt.Errorf("%w: %d requests per day are above the organization's %d", ErrLimit, change.RequestsPerDay, most.RequestsPerDay)
	}
	return nil
}

// ClearRates forgets the limit that was set for a model, by a project or by
// the organization.
func (o *Organization) ClearRates(ctx context.Context, tenant state.Tenant, model string) error {
	return o.store.SetLimit(ctx, state.Limit{OrganizationID: tenant.OrganizationID, ProjectID: tenant.ProjectID, Model: model})
}

// StoredLimits returns the limits that have been set.
func (o *Organization) StoredLimits(ctx context.Context) ([]state.Limit, error) {
	return o.store.Limits(ctx)
}
