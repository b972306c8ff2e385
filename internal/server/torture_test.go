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
	time.Sleep(200 * time.Millisecond) // PostgreSQL sees that the last server has gone
	store = openStore(t, c)            // which gives back what dead servers held
	if s := standing(t, store); s.Spent != spent || s.Held != 0 {
		t.Errorf("got %+v; want %d spent and nothing held", s, spent)
	}
	if len(crowd.answered) < 10*lives {
		t.Errorf("only %d answers in %d lives", len(crowd.answered), lives)
	}
	t.Logf("%d lives", lives)
}
