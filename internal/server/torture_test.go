package server

import (
	"flag"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/testenv"
)

var (
	tortureTime     = flag.Duration("torture", 3*time.Second, "how long the server is killed again and again")
	tortureEvery    = flag.Duration("torture.every", 800*time.Millisecond, "how long it lives each time")
	tortureDatabase = flag.String("torture.database", "", "URL of an empty PostgreSQL database that it uses; default its home")
)

// However often the server is killed under load, the ledger equals the answers
// that clients got, no request is charged twice, and nothing stays held.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("starts servers again and again")
	}
	if *tortureDatabase != "" {
		torture(t, *tortureDatabase)
		return
	}
	t.Run("SQLite", func(t *testing.T) { torture(t, "") })
	if *tortureTime > time.Minute {
		return // one at a time: -torture.database is the other
	}
	t.Run("PostgreSQL", func(t *testing.T) { torture(t, testenv.SharedPostgres(t).Database(t)) })
}

func torture(t *testing.T, database string) {
	c := fleetConfig(filepath.Join(t.TempDir(), "home"), database, newCounter(t).URL)
	store := openStore(t, c)
	key := newKey(t, store)
	setBudget(t, store, key, math.MaxInt64)
	crowd := newClients(key.Secret)

	server := startChild(t, c)
	var url atomic.Pointer[string]
	url.Store(&server.url)
	over := make(chan struct{})
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if crowd.ask(*url.Load()) == 0 {
					time.Sleep(20 * time.Millisecond) // nobody is there
				}
			}
		})
	}
	lives := 1
	for begun := time.Now(); time.Since(begun) < *tortureTime; lives++ {
		time.Sleep(*tortureEvery)
		soon(t, "answers of this life", func() bool { return crowd.count(200) >= 10*lives })
		server.kill()
		server = startChild(t, c)
		url.Store(&server.url)
	}
	close(over)
	wait.Wait()
	server.kill()

	spent := accounting(t, store, crowd)
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	// PostgreSQL takes a moment to see that the last server has gone. A store that
	// is opened then gives back what dead servers held.
	soon(t, "what dead servers held", func() bool { store = openStore(t, c); return standing(t, store).Held == 0 })
	if s := standing(t, store); s.Spent != spent {
		t.Errorf("got %+v; want %d spent", s, spent)
	}
	t.Logf("%d lives", lives)
}
