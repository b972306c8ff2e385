package server

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/internal/testenv"
)

// replicas starts n servers of one database, each with a home of its own, and
// returns them with a store of the same database.
func replicas(t *testing.T, n int) ([]*child, *state.Store) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts three servers")
	}
	database, upstream, folder := testenv.SharedPostgres(t).Database(t), newCounter(t).URL, t.TempDir()
	store := openStore(t, fleetConfig(filepath.Join(folder, "tools"), database, upstream))
	var servers []*child
	for i := range n {
		server := startChild(t, fleetConfig(filepath.Join(folder, fmt.Sprint("replica", i)), database, upstream))
		t.Cleanup(server.kill)
		servers = append(servers, server)
	}
	return servers, store
}

// A thousand requests at once against a budget that covers a hundred, spread
// over three processes, one of which is killed in the midst: no more is spent
// than the budget has, and the ledger has every answer.
func TestThreeReplicasKeepABudget(t *testing.T) {
	servers, store := replicas(t, 3)
	key := newKey(t, store)
	crowd := newClients(key.Secret)
	const price, most = 600_000, 100 // of a token of output; gpt-4o-mini's input is a quarter
	budget := int64(most * outputTokens * price * 5)
	setBudget(t, store, key, budget)

	var back atomic.Int64 // requests that have come back
	var wait sync.WaitGroup
	for i := range 1000 {
		wait.Go(func() {
			crowd.ask(servers[i%3].url)
			if back.Add(1) == 100 {
				servers[1].kill()
			}
		})
	}
	wait.Wait()
	// What the dead one held comes back within a second or so to who needs it;
	// then the budget is spent to the last request that it covers.
	soon(t, "the budget to be spent", func() bool { return crowd.ask(servers[0].url) != 200 && standing(t, store).Held == 0 })
	spent := accounting(t, store, crowd)
	if s := standing(t, store); s.Spent != spent || s.Held != 0 || spent > budget || spent < budget*9/10 {
		t.Errorf("got %+v; want %d spent, nearly all of %d, and nothing held", s, spent, budget)
	}
	if crowd.statuses[200] == 0 || crowd.statuses[0] == 0 || crowd.statuses[429] < 500 || crowd.statuses[503]+crowd.statuses[500] > 0 {
		t.Errorf("statuses %v; want some answers, some lost with their server, most refused for the budget, and no faults", crowd.statuses)
	}
}

// A limit counts the requests of all replicas; it, and keys, change for all of
// them at once.
func TestThreeReplicasKeepALimit(t *testing.T) {
	servers, store := replicas(t, 3)
	key := newKey(t, store)
	crowd := newClients(key.Secret)
	tenant, err := store.DefaultTenant(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accounts := account.New(store, account.Rates{})
	allowed := 0
	for _, limit := range []int{150, 200} {
		if _, err := accounts.Organization.SetRates(t.Context(), tenant, "gpt-4o-mini", account.Rates{RequestsPerDay: limit}); err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		for i := range 300 {
			wait.Go(func() { crowd.ask(servers[i%3].url) })
		}
		wait.Wait()
		allowed = limit
		if crowd.statuses[200] != allowed {
			t.Errorf("a limit of %d requests a day: statuses %v in all", limit, crowd.statuses)
		}
	}
	if err := accounts.Keys.Revoke(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	for i, server := range servers {
		if status := crowd.ask(server.url); status != 401 {
			t.Errorf("replica %d answers a revoked key with %d, want 401", i, status)
		}
	}
	accounting(t, store, crowd)
}

// While the database is away requests are answered with 503; when it is back
// all is as before, and what was answered was charged once.
func TestTheDatabaseRestarts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server and a database")
	}
	postgres := testenv.OwnPostgres(t)
	c := fleetConfig(filepath.Join(t.TempDir(), "home"), postgres.Database(t), newCounter(t).URL)
	server := startChild(t, c)
	t.Cleanup(server.kill)
	store := openStore(t, c)
	key := newKey(t, store)
	setBudget(t, store, key, 1<<60)
	crowd := newClients(key.Secret)
	over := make(chan struct{})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if crowd.ask(server.url) != 200 {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	soon(t, "answers", func() bool { return crowd.count(200) >= 50 })
	postgres.Stop(t, syscall.SIGINT)
	soon(t, "refusals while the database is away", func() bool { return crowd.count(503) >= 5 })
	postgres.Start(t)
	before := crowd.count(200)
	soon(t, "answers after it has come back", func() bool { return crowd.count(200) >= before+50 })
	close(over)
	wait.Wait()
	if crowd.statuses[500] > 0 || crowd.statuses[502] > 0 {
		t.Errorf("statuses %v; want 503 while the database was away", crowd.statuses)
	}
	store = openStore(t, c) // whose connections are new
	spent := accounting(t, store, crowd)
	soon(t, "what was held to come back", func() bool { return standing(t, store).Held == 0 })
	if s := standing(t, store); s.Spent != spent {
		t.Errorf("got %+v; want %d spent", s, spent)
	}
}
