package api

import (
	"fmt"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// budgetFailure tells a caller that a budget is spent. Where only running
// requests stand in the way, the rest of what they hold may soon be free.
func budgetFailure(e *state.BudgetError) failure {
	f := failure{status: 429, kind: "insufficient_quota", code: "insufficient_quota"}
	f.message = fmt.Sprintf("You exceeded your current quota, please check your plan and billing details. The budget of %s is $%s; $%s is spent, and this request may cost $%s.",
		e.Standing.SubjectID, account.Dollars(e.Standing.Amount), account.Dollars(e.Standing.Spent), account.Dollars(e.Requested))
	if e.Requested <= e.Standing.Amount-e.Standing.Spent {
		f.retryAfter = time.Second
		f.message += fmt.Sprintf(" Requests that are running hold $%s until they end.", account.Dollars(e.Standing.Held))
		return f
	}
	f.noRetry = true
	return f
}
