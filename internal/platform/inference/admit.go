package inference

import (
	"context"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// defaultCompletionCap is Config.CompletionCap where that is zero.
const defaultCompletionCap = 4096

// admission is what a request was let in with: tokens of its caller's buckets
// and money of the budgets that concern it. It is settled or dropped, once.
type admission struct {
	reservation *account.Reservation
	bill        *account.Bill // nil: nothing is charged
}

// admit lets a request in that takes at most bound. The error is an
// *account.LimitError, a *state.BudgetError, or one of the store's.
func (s *Service) admit(ctx context.Context, caller account.Caller, r *route, kind, id string, bound Usage) (_ admission, err error) {
	ctx, span := tracerOf(ctx).Start(ctx, "admission")
	defer func() { endSpan(span, err) }()
	reservation, err := s.limiter.Reserve(ctx, account.Demand{
		Tenant: caller.Tenant,
		Model:  r.model.Name,
		Asked:  r.asked,
		Kind:   kind,
		Tokens: bound.PromptTokens + bound.CompletionTokens,
	})
	if err != nil || s.books == nil {
		return admission{reservation, nil}, err
	}
	bill, err := s.books.Open(ctx, account.Purchase{
		ID:      id,
		Caller:  caller,
		Kind:    kind,
		Model:   r.model.Name,
		Asked:   r.asked,
		Local:   !r.elsewhere,
		Attempt: attemptOf(ctx),
		Most:    account.Tokens{Input: int64(bound.PromptTokens), Output: int64(bound.CompletionTokens)},
	})
	if err != nil {
		reservation.Settle(0)
	}
	return admission{reservation, bill}, err
}

// settle charges what a request took, together with the object it paid for,
// which may be nil, and gives back the rest. That its caller has gone changes
// nothing.
func (a admission) settle(t account.Tokens, bought *state.Completion) error {
	a.reservation.Settle(int(t.Input + t.Output))
	return a.bill.Settle(context.Background(), t, bought)
}

// drop gives back all that was taken for a request that came to nothing.
func (a admission) drop() error {
	a.reservation.Settle(0)
	return a.bill.Drop(context.Background())
}

// head is what an answer's headers say of its admission.
func (a admission) head(r *route) Head {
	return Head{Model: r.model.Name, Limits: a.reservation.Limits(), Warnings: a.bill.Warnings()}
}

// Runs returns the name of the model that a name means, which is what limits
// and the ledger know it by, or a *ModelNotFoundError.
func (s *Service) Runs(name string) (string, error) {
	r, err := s.route(name)
	if err != nil {
		return "", err
	}
	return r.model.Name, nil
}
