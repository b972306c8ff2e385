package state

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// spender is a key of the default project.
func spender(t *testing.T, s *Store) Spender {
	t.Helper()
	tenant, err := s.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	owner, err := s.Owner(t.Context(), tenant.OrganizationID)
	if err != nil {
		t.Fatal(err)
	}
	id := NewID("key_")
	if err := s.AddKey(t.Context(), Key{ID: id, Tenant: tenant, UserID: owner.ID, Hash: s.HashKey(id)}); err != nil {
		t.Fatal(err)
	}
	return Spender{tenant, id, owner.ID}
}

func setBudget(t *testing.T, s *Store, who Spender, subject string, amount int64, hard bool) Budget {
	t.Helper()
	b := Budget{ID: NewID("budget_"), OrganizationID: who.Tenant.OrganizationID, SubjectID: subject, Amount: amount, Hard: hard, Every: "month", CreatedAt: noon}
	if err := s.SetBudget(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(id string, who Spender, at time.Time, cost int64) Entry {
	return Entry{ID: id, At: at, Spender: who, Kind: "completions", Model: "m", Asked: "gpt-4o-mini", InputTokens: 10, CachedTokens: 2, OutputTokens: 5, InputCost: cost}
}

// unheld are the standings of budgets once leases that nobody uses have come
// back.
func unheld(t *testing.T, s *Store, who Spender) []BudgetStanding {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		standings, err := s.BudgetStandings(t.Context(), who.Tenant.OrganizationID, noon)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(standings, func(b BudgetStanding) bool { return b.Held != 0 }) {
			return standings
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute without requests: got %+v, want nothing held", standings)
		}
	}
}

func verify(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Verify(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestHeldMoneyIsSpentOrComesBack(t *testing.T) {
	s := open(t, t.TempDir())
	who := spender(t, s)
	setBudget(t, s, who, who.KeyID, 100, true)
	setBudget(t, s, who, who.Tenant.ProjectID, 30, false)

	if _, err := s.Hold(t.Context(), "a", who, noon, 60); err != nil {
		t.Fatal(err)
	}
	_, err := s.Hold(t.Context(), "b", who, noon, 41)
	if refused, ok := errors.AsType[*BudgetError](err); !ok || refused.Standing.Held != 60 || refused.Standing.Spent != 0 {
		t.Fatalf("41 more of 40 left: got %v, want a *BudgetError", err)
	}
	if _, err := s.Hold(t.Context(), "b", who, noon, 40); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), Settlement{Entry: entry("a", who, noon, 55)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Release(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	standings, err := s.Hold(t.Context(), "c", who, noon, 45)
	if err != nil || len(standings) != 2 || standings[0].Spent != 55 || standings[0].Held != 0 || standings[1].Spent != 55 {
		t.Errorf("the last 45 of 100: got %+v, %v; want 55 spent of both budgets and nothing held", standings, err)
	}
	// The next month has a budget of its own.
	if _, err := s.Hold(t.Context(), "d", who, noon.AddDate(0, 1, 0), 100); err != nil {
		t.Errorf("a month later: %v", err)
	}
	verify(t, s)
}

func TestAnAnswerIsChargedOnce(t *testing.T) {
	s := open(t, t.TempDir())
	who := spender(t, s)
	completion := Completion{ID: "chatcmpl-a", ProjectID: who.Tenant.ProjectID, CreatedAt: noon, Model: "m", Completion: []byte("{}"), Messages: []byte("[]")}
	settle := Settlement{Entry: entry("chatcmpl-a", who, noon, 1), Completion: &completion}
	if err := s.Settle(t.Context(), settle); err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), settle); err == nil {
		t.Error("settled twice")
	}
	if _, err := s.Completion(t.Context(), who.Tenant.ProjectID, "chatcmpl-a"); err != nil {
		t.Errorf("what was paid for is not there: %v", err)
	}
	// An object that cannot be stored is not paid for.
	completion.ID, settle.Entry.ID, completion.ProjectID = "chatcmpl-b", "chatcmpl-b", "proj_none"
	if err := s.Settle(t.Context(), settle); err == nil {
		t.Error("stored in a project that does not exist")
	}
	var ids []string
	for e, err := range s.Entries(t.Context(), who.Tenant.OrganizationID, noon, noon.Add(time.Second)) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	if diff := cmp.Diff([]string{"chatcmpl-a"}, ids); diff != "" {
		t.Errorf("the ledger (-want +got):\n%s", diff)
	}
	key, err := s.Key(t.Context(), KeyFilter{who.Tenant.OrganizationID, who.Tenant.ProjectID}, who.KeyID)
	if err != nil || !key.LastUsedAt.Equal(noon) {
		t.Errorf("the key was last used at %v, %v; want %v", key.LastUsedAt, err, noon)
	}
}

func TestTheLedgerIsAppendOnly(t *testing.T) {
	s := open(t, t.TempDir())
	who := spender(t, s)
	if err := s.Settle(t.Context(), Settlement{Entry: entry("a", who, noon, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.settleJournal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE ledger SET input_cost = 0", "DELETE FROM ledger"} {
		if _, err := s.write.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("%s: want it refused", statement)
		}
	}
}

// Two stores of one folder are two servers: what one holds the other sees, and
// what one held that has died the next to open gives back.
func TestServersShareBudgets(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	b := reopen(t, dir)
	who := spender(t, a)
	setBudget(t, a, who, who.Tenant.OrganizationID, 100, true)
	if _, err := a.Hold(t.Context(), "a", who, noon, 70); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Hold(t.Context(), "b", who, noon, 31); err == nil {
		t.Error("70 and 31 of 100 were held")
	}
	if _, err := b.Hold(t.Context(), "b", who, noon, 30); err != nil {
		t.Error(err)
	}
	c := open(t, dir) // buries nobody: both live
	if _, err := c.Hold(t.Context(), "c", who, noon, 1); err == nil {
		t.Error("a live server's hold was given away")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Hold(t.Context(), "c", who, noon, 30); err != nil {
		t.Errorf("a server that has closed still holds: %v", err)
	}
	verify(t, c)
}

// Whatever is held, settled and released at once, by whichever server and in
// whatever groups it is committed, no more is spent than the budget has, and the
// sums agree.
func TestNeverOverspentAtOnce(t *testing.T) {
	dir := t.TempDir()
	servers := []*Store{open(t, dir), open(t, dir), open(t, dir)}
	s := servers[0]
	who := spender(t, s)
	const amount = 10_000
	setBudget(t, s, who, who.Tenant.ProjectID, amount, true)
	var mu sync.Mutex
	var spent int64
	var wait sync.WaitGroup
	for i := range 32 {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		s := servers[i%len(servers)]
		wait.Go(func() {
			for n := range 20 {
				id, most := fmt.Sprintf("%d-%d", i, n), random.Int64N(200)
				if _, err := s.Hold(t.Context(), id, who, noon, most); err != nil {
					if _, ok := errors.AsType[*BudgetError](err); !ok {
						t.Error(err)
					}
					continue
				}
				if random.IntN(4) == 0 {
					if err := s.Release(t.Context(), id); err != nil {
						t.Error(err)
					}
					continue
				}
				cost := random.Int64N(most + 1)
				if err := s.Settle(t.Context(), Settlement{Entry: entry(id, who, noon, cost)}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				spent += cost
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	standings := unheld(t, s, who)
	if standings[0].Spent != spent || spent > amount {
		t.Errorf("got %+v; want %d spent of %d", standings, spent, amount)
	}
	verify(t, s)
}

// The sums of every width and grouping are the ledger's.
func TestUsageIsTheLedgersSum(t *testing.T) {
	s := open(t, t.TempDir())
	who, other := spender(t, s), spender(t, s)
	random := rand.New(rand.NewPCG(2, 2))
	var want UsageRow
	for i := range 200 {
		e := entry(fmt.Sprint(i), who, noon.Add(time.Duration(random.IntN(3*86400))*time.Second), random.Int64N(1e15))
		e.OutputCost, e.CachedCost, e.Model = random.Int64N(1e15), random.Int64N(1e12), fmt.Sprint("m", i%3)
		if i%2 == 0 {
			e.Spender = other
		}
		if i%5 == 0 {
			e.Kind = "embeddings"
		}
		if err := s.Settle(t.Context(), Settlement{Entry: e}); err != nil {
			t.Fatal(err)
		}
		want = add(want, UsageRow{Requests: 1, InputTokens: e.InputTokens, CachedTokens: e.CachedTokens, OutputTokens: e.OutputTokens, InputCost: e.InputCost, CachedCost: e.CachedCost, OutputCost: e.OutputCost})
	}
	for _, width := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		for _, by := range []UsageGroups{{}, {Project: true}, {User: true, Key: true}, {Model: true}, {true, true, true, true}} {
			var got UsageRow
			for _, kind := range []string{"completions", "embeddings"} {
				for day := range 4 { // in pages
					from := noon.Add(time.Duration(day) * 24 * time.Hour)
					rows, err := s.Usage(t.Context(), UsageQuery{OrganizationID: who.Tenant.OrganizationID, Kind: kind, From: from, Until: from.Add(24 * time.Hour), Width: width, By: by})
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range rows {
						if r.Bucket.Unix()%int64(width/time.Second) != 0 {
							t.Errorf("a bucket of %v begins at %v", width, r.Bucket)
						}
						got = add(got, r)
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("buckets of %v by %+v (-want +got):\n%s", width, by, diff)
			}
		}
	}
	rows, err := s.Usage(t.Context(), UsageQuery{OrganizationID: who.Tenant.OrganizationID, From: noon, Until: noon.AddDate(0, 0, 9), Width: 24 * time.Hour, Keys: []string{who.KeyID}, Models: []string{"m1", "m2"}, By: UsageGroups{Key: true}})
	if err != nil || len(rows) == 0 {
		t.Fatalf("filtered: got %d rows, %v", len(rows), err)
	}
	var n int64
	for _, r := range rows {
		n += r.Requests
		if r.Key != who.KeyID {
			t.Errorf("a row of key %s passed the filter", r.Key)
		}
	}
	if n != 67 { // of the 100 odd numbers below 200, those that leave 1 or 2 divided by 3
		t.Errorf("filtered: got %d requests, want 67", n)
	}
}

func add(a, b UsageRow) UsageRow {
	return UsageRow{
		Requests: a.Requests + b.Requests, InputTokens: a.InputTokens + b.InputTokens, CachedTokens: a.CachedTokens + b.CachedTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
		InputCost: a.InputCost + b.InputCost, CachedCost: a.CachedCost + b.CachedCost, OutputCost: a.OutputCost + b.OutputCost,
	}
}
