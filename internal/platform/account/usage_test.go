package account

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/internal/state"
)

// The pages of a query follow on each other without a gap, begin and end where
// it does, and sum up to the ledger.
func TestUsagePages(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	start := time.Date(2026, 11, 20, 6, 30, 0, 0, time.UTC)
	for hour := range 60 {
		e := state.Entry{
			ID: state.NewID("chatcmpl-"), At: start.Add(time.Duration(hour) * time.Hour), Kind: KindCompletions, Model: "m", Asked: "m",
			Spender: state.Spender{Tenant: tenant, KeyID: "key_a"}, InputTokens: 1, OutputCost: 10,
		}
		if err := a.Books.store.Settle(t.Context(), state.Settlement{Entry: e}); err != nil {
			t.Fatal(err)
		}
	}
	end := start.Add(50 * time.Hour)
	for _, width := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		q := UsageQuery{UsageQuery: state.UsageQuery{OrganizationID: tenant.OrganizationID, From: start, Until: end, Width: width}, Buckets: 700}
		if width == 24*time.Hour {
			q.Buckets = 2
		}
		at := start
		var requests, cost int64
		for pages := 1; ; pages++ {
			page, err := a.Books.Usage(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range page.Buckets {
				if !b.Begins.Equal(at) {
					t.Errorf("buckets of %v: one begins at %v, want %v", width, b.Begins, at)
				}
				if at = b.Ends; !at.Equal(end) && at.Unix()%int64(width/time.Second) != 0 {
					t.Errorf("buckets of %v: one ends at %v", width, at)
				}
				for _, r := range b.Rows {
					requests, cost = requests+r.Requests, cost+r.OutputCost
				}
			}
			if page.Next == "" {
				break
			}
			if pages > 10 {
				t.Fatalf("buckets of %v: no end of pages", width)
			}
			q.Page = page.Next
		}
		if !at.Equal(end) || requests != 50 || cost != 500 {
			t.Errorf("buckets of %v: %d requests cost %d until %v; want 50, 500 and %v", width, requests, cost, at, end)
		}
	}
	for _, token := range []string{"page", "page_", "page_!", "page_0", "page_zzzzzzzzzzzzzzzz"} {
		q := UsageQuery{UsageQuery: state.UsageQuery{From: start, Until: end, Width: time.Hour}, Buckets: 1, Page: token}
		if _, err := a.Books.Usage(t.Context(), q); !errors.Is(err, ErrPage) {
			t.Errorf("page %q: %v, want ErrPage", token, err)
		}
	}
}

// Without an end the last bucket is the one of now, whole.
func TestUsageUntilNow(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	before := time.Now()
	page, err := a.Books.Usage(t.Context(), UsageQuery{UsageQuery: state.UsageQuery{OrganizationID: tenant.OrganizationID, From: before.Add(-time.Hour), Width: time.Hour}, Buckets: 24})
	if err != nil || len(page.Buckets) < 2 {
		t.Fatalf("got %+v, %v", page, err)
	}
	if last := page.Buckets[len(page.Buckets)-1]; last.Ends.Before(before) || last.Ends.Sub(last.Begins) != time.Hour {
		t.Errorf("the last bucket is from %v to %v, now is %v", last.Begins, last.Ends, before)
	}
}

// A key's soft budget warns once it is spent, and refuses nothing.
func TestSoftBudgetsWarn(t *testing.T) {
	a, tenant := newAccounts(t, Rates{})
	key := create(t, a.Keys, KeyOptions{})
	budget, err := a.Organization.SetBudget(t.Context(), tenant.OrganizationID, state.Budget{SubjectID: key.ID, Amount: 5_000_000, Every: "day"})
	if err != nil {
		t.Fatal(err)
	}
	var warned [][]BudgetWarning
	for range 3 {
		if err := use(t, a.Keys, key.Secret, ScopeModels); err != nil {
			t.Fatal(err)
		}
		bill, err := a.Books.Open(t.Context(), Purchase{ID: state.NewID("chatcmpl-"), Caller: Caller{KeyID: key.ID, Tenant: tenant}, Kind: KindCompletions, Model: "gpt-4o-mini", Most: Tokens{Input: 20}})
		if err != nil {
			t.Fatal(err)
		}
		warned = append(warned, bill.Warnings())
		if err := bill.Settle(t.Context(), Tokens{Input: 20}, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]BudgetWarning{nil, nil, {{budget.ID, 5_000_000, 6_000_000}}}
	if diff := cmp.Diff(want, warned); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, b := range []state.Budget{{SubjectID: key.ID, Every: "week"}, {SubjectID: key.ID, Every: "day", Amount: -1}} {
		if _, err := a.Organization.SetBudget(t.Context(), tenant.OrganizationID, b); !errors.Is(err, ErrBudget) {
			t.Errorf("SetBudget(%+v) = %v, want ErrBudget", b, err)
		}
	}
}
