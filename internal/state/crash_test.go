package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/testenv"
)

// TestMain lets this test program play the process that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 {
		o := Options{Database: os.Args[3]}
		switch os.Args[1] {
		case "add-keys-until-killed":
			addKeysUntilKilled(os.Args[2], o)
		case "spend-until-killed":
			spendUntilKilled(os.Args[2], o)
		case "attempt-until-killed":
			attemptUntilKilled(os.Args[2], o)
		}
	}
	os.Exit(m.Run())
}

// addKeysUntilKilled prints a key's hash input once the key is acknowledged.
func addKeysUntilKilled(dir string, o Options) {
	s, err := OpenWith(context.Background(), dir, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tenant, _ := s.DefaultTenant(context.Background())
	for {
		secret := NewID("sk-proj-")
		err := s.AddKey(context.Background(), Key{ID: NewID("key_"), Tenant: tenant, Hash: s.HashKey(secret)})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(secret)
	}
}

// Every key that was acknowledged before a kill -9 is in force after it, also
// when the kill falls into the making of the folder itself.
func TestKilledWhileAddingKeys(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []string
	for _, before := range []int{0, 1, 3, 20} {
		acknowledged = append(acknowledged, testenv.KillAfter(t, before, "add-keys-until-killed", dir, options(t, dir).Database)...)
		s := open(t, dir)
		for _, secret := range acknowledged {
			if _, err := s.KeyByHash(t.Context(), s.HashKey(secret)); err != nil {
				t.Errorf("key %s was acknowledged and is gone: %v", secret, err)
			}
		}
	}
	if len(acknowledged) < 24 {
		t.Errorf("only %d keys were acknowledged", len(acknowledged))
	}
}

// spendUntilKilled runs requests that cost up to 10 of a budget's 2,000, forty
// at once, and prints each once it is settled.
func spendUntilKilled(dir string, o Options) {
	ctx := context.Background()
	s, err := OpenWith(ctx, dir, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	keys, _ := s.Keys(ctx)
	who := Spender{keys[0].Tenant, keys[0].ID, keys[0].UserID}
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			for n := 0; ; n++ {
				id := NewID("chatcmpl-")
				if _, err := s.Hold(ctx, id, who, noon, 10); err != nil {
					if refusal, ok := errors.AsType[*BudgetError](err); ok && refusal.Standing.Held == 0 {
						return // the budget is spent
					}
					continue
				}
				err := s.Settle(ctx, Settlement{Entry: entry(id, who, noon, int64(i+n)%11)})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(id)
			}
		})
	}
	wait.Wait()
	os.Exit(0)
}

// spendable is their budget: enough to lease from, and to come near its end.
const spendable = 2000

// However often the server is killed, no more is spent than the budget has, no
// answer is missing in the ledger, and what was held comes back.
func TestKilledWhileSpending(t *testing.T) {
	dir := t.TempDir()
	s := reopen(t, dir)
	who := spender(t, s)
	setBudget(t, s, who, who.KeyID, spendable, true)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var settled []string
	for _, before := range []int{1, 7, 30, 90} {
		settled = append(settled, testenv.KillAfter(t, before, "spend-until-killed", dir, options(t, dir).Database)...)
		s := reopen(t, dir)
		in := map[string]bool{}
		var spent int64
		for e, err := range s.Entries(t.Context(), who.Tenant.OrganizationID, noon, noon.Add(time.Second)) {
			if err != nil {
				t.Fatal(err)
			}
			in[e.ID], spent = true, spent+e.Cost()
		}
		for _, id := range settled {
			if !in[id] {
				t.Errorf("%s was settled and is not in the ledger", id)
			}
		}
		standings, err := s.BudgetStandings(t.Context(), who.Tenant.OrganizationID, noon)
		if err != nil || standings[0].Spent != spent || standings[0].Held != 0 || spent > spendable {
			t.Errorf("after a kill: got %+v, %v; want %d of at most %d spent and nothing held", standings, err, spent, spendable)
		}
		verify(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(settled) < 128 {
		t.Errorf("only %d requests were settled", len(settled))
	}
}
