//go:build linux

package state

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/testenv"
)

// promised is what a store has acknowledged.
type promised struct {
	mu    sync.Mutex
	ids   []string // of settlements
	keys  []string
	until int // how many settlements there are to be
}

func (p *promised) add(list *[]string, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*list = append(*list, id)
}

func (p *promised) soFar() (ids, keys []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ids), slices.Clone(p.keys)
}

// atLeast is soFar once n settlements have been acknowledged.
func (p *promised) atLeast(t *testing.T, n int) (ids, keys []string) {
	t.Helper()
	const more = 1000 // that run on meanwhile
	p.mu.Lock()
	p.until = n + more
	p.mu.Unlock()
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		if ids, keys = p.soFar(); len(ids) >= n {
			return ids, keys
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("only %d of %d settlements were acknowledged in a minute", len(ids), n)
		}
	}
}

// enough reports whether there are as many settlements as are wanted by now.
func (p *promised) enough() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ids) >= p.until
}

// load settles requests of a budget, eight at once, and makes a key now and
// then, as many as p is asked for, until stop is closed or the database goes.
func load(s *Store, who Spender, p *promised, stop chan struct{}) *sync.WaitGroup {
	var wait sync.WaitGroup
	ctx := context.Background()
	for range 8 {
		wait.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if p.enough() {
					time.Sleep(time.Millisecond)
					continue
				}
				id := NewID("chatcmpl-")
				if _, err := s.Hold(ctx, id, who, noon, 10); err != nil {
					return
				}
				if err := s.Settle(ctx, Settlement{Entry: entry(id, who, noon, int64(n%11))}); err != nil {
					return
				}
				p.add(&p.ids, id)
				if n%100 != 99 {
					continue
				}
				key := NewID("sk-")
				if err := s.AddKey(ctx, Key{ID: NewID("key_"), Tenant: who.Tenant, Hash: s.HashKey(key)}); err != nil {
					return
				}
				p.add(&p.keys, key)
			}
		})
	}
	return &wait
}

// kept checks a store after a power loss: it is whole, keys that were
// acknowledged are there, and of the ledger at most the end is missing. It
// returns how many acknowledged settlements are.
func kept(t *testing.T, s *Store, who Spender, ids, keys []string) (lost int) {
	t.Helper()
	verify(t, s)
	for _, key := range keys {
		if _, err := s.KeyByHash(t.Context(), s.HashKey(key)); err != nil {
			t.Errorf("key %s was acknowledged and is gone: %v", key, err)
		}
	}
	in := map[string]bool{}
	for e, err := range s.Entries(t.Context(), who.Tenant.OrganizationID, noon, noon.Add(time.Second)) {
		if err != nil {
			t.Fatal(err)
		}
		in[e.ID] = true
	}
	for _, id := range ids {
		if !in[id] {
			lost++
		}
	}
	var last int
	if err := s.read.QueryRowContext(t.Context(), "SELECT coalesce(max(sequence), 0) FROM ledger").Scan(&last); err != nil || last != len(in) {
		t.Errorf("the ledger has %d rows, the last of which is number %d, %v: some are missing in the midst", len(in), last, err)
	}
	return lost
}

// Whatever a power loss takes of what was not synced, the database is whole,
// and with SyncLedger nothing that was acknowledged is missing. Without it the
// end of the ledger may be, which also shows that this test can see a loss.
func TestPowerLoss(t *testing.T) {
	if *onPostgres {
		t.Skip("TestPowerLossOfPostgreSQL does it")
	}
	if testing.Short() {
		t.Skip("the race detector's checks of pointers do not know memory that SQLite shares")
	}
	registerLossy()
	for _, synced := range []bool{true, false} {
		dir := t.TempDir()
		s, err := OpenWith(t.Context(), dir, Options{SyncLedger: synced, vfs: lossyVFS, files: lossyFS{}})
		if err != nil {
			t.Fatal(err)
		}
		who := spender(t, s)
		setBudget(t, s, who, who.KeyID, 1<<60, true)
		var p promised
		stop := make(chan struct{})
		wait := load(s, who, &p, stop)
		random := rand.New(rand.NewPCG(3, 3))
		lost, acknowledged := 0, 0
		const losses = 15
		for range losses {
			ids, keys := p.atLeast(t, acknowledged+1+random.IntN(60))
			after := reopen(t, survivor(t, dir, lossy.afterPowerLoss(random)))
			lost += kept(t, after, who, ids, keys)
			if err := after.Close(); err != nil {
				t.Error(err)
			}
			acknowledged = len(ids)
		}
		close(stop)
		wait.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if synced && lost > 0 || !synced && lost == 0 {
			t.Errorf("SyncLedger %t: %d acknowledged settlements were lost in %d power losses", synced, lost, losses)
		}
		t.Logf("SyncLedger %t: %d settlements, %d lost in %d power losses", synced, acknowledged, lost, losses)
		maps.DeleteFunc(lossy.files, func(name string, _ *lossyFile) bool { return strings.HasPrefix(name, dir) })
	}
}

// survivor makes a folder of what the disk still holds, and the secret.
func survivor(t *testing.T, dir string, files map[string][]byte) string {
	t.Helper()
	after := t.TempDir()
	secret, err := os.ReadFile(filepath.Join(dir, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	files["secret"] = secret
	if err := os.Mkdir(filepath.Join(after, "servers"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, contents := range files {
		if strings.HasSuffix(name, journalSuffix) {
			name = filepath.Join("servers", name)
		}
		if err := os.WriteFile(filepath.Join(after, name), contents, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return after
}

// The same of PostgreSQL, whose log has then what had been flushed.
func TestPowerLossOfPostgreSQL(t *testing.T) {
	if *onPostgres || testing.Short() {
		t.Skip("it needs a server of its own, which it starts itself")
	}
	postgres := testenv.OwnPostgres(t, "wal_writer_delay=10s", "wal_writer_flush_after=1GB", "bgwriter_lru_maxpages=0")
	for _, synced := range []bool{true, false} {
		dir, o := t.TempDir(), Options{SyncLedger: synced, Database: postgres.Database(t)}
		s, err := OpenWith(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		who := spender(t, s)
		setBudget(t, s, who, who.KeyID, 1<<60, true)
		var p promised
		stop := make(chan struct{})
		wait := load(s, who, &p, stop)
		ids, keys := p.atLeast(t, 50)
		postgres.LosePower(t)
		close(stop)
		wait.Wait()
		if !synced {
			ids, _ = p.soFar() // those since are surely not on the disk
		}
		s.Close() // its farewell has nobody to hear it
		postgres.Start(t)
		after, err := OpenWith(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		lost := kept(t, after, who, ids, keys)
		if synced && lost > 0 || !synced && lost == 0 {
			t.Errorf("SyncLedger %t: %d of %d acknowledged settlements were lost", synced, lost, len(ids))
		}
		t.Logf("SyncLedger %t: %d settlements, %d lost", synced, len(ids), lost)
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
}
