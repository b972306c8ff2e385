package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

// ErrBudget means that a budget cannot be as it was wanted.
var ErrBudget = errors.New("no such kind of budget")

// Periods are those a budget may be for.
var periods = []string{"day", "month", "ever"}

// SetBudget makes a budget, or changes the one that the same subject has for
// such a period and is as hard. The subject is the id of the organization, one
// of its projects or one of its keys. The error is ErrBudget, a *NotFoundError,
// or one of the store's.
func (o *Organization) SetBudget(ctx context.Context, organization string, b state.Budget) (state.Budget, error) {
	if !slices.Contains(periods, b.Every) {
		return b, fmt.Errorf("%w: period %q; want day, month or ever", ErrBudget, b.Every)
	}
	if b.Amount < 0 {
		return b, fmt.Errorf("%w: it is below zero", ErrBudget)
	}
	if err := o.subject(ctx, organization, b.SubjectID); err != nil {
		return b, err
	}
	b.ID, b.OrganizationID, b.CreatedAt = state.NewID("budget_"), organization, now()
	if err := o.store.SetBudget(ctx, b); err != nil {
		return b, err
	}
	all, err := o.store.Budgets(ctx, organization)
	for _, stored := range all {
		if stored.SubjectID == b.SubjectID && stored.Every == b.Every && stored.Hard == b.Hard {
			b = stored
		}
	}
	return b, err
}

// subject checks that an id is one that can have a budget.
func (o *Organization) subject(ctx context.Context, organization, id string) error {
	if id == organization {
		return nil
	}
	if _, err := o.store.Project(ctx, organization, id); !errors.Is(err, state.ErrNotFound) {
		return err
	}
	keys, err := o.store.Keys(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k state.Key) bool {
		return k.ID == id && k.Tenant.OrganizationID == organization && !k.Admin()
	}) {
		return &NotFoundError{"organization, project or project key", id}
	}
	return nil
}

// Budgets returns the organization's budgets and how far they are spent.
func (o *Organization) Budgets(ctx context.Context, organization string) ([]state.BudgetStanding, error) {
	return o.store.BudgetStandings(ctx, organization, time.Now())
}

// DeleteBudget deletes a budget.
func (o *Organization) DeleteBudget(ctx context.Context, organization, id string) error {
	return notFound(o.store.DeleteBudget(ctx, organization, id), "budget", id)
}
