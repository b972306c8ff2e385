package state

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ragstone/ragstone/internal/testenv"
)

// onPostgres makes every test keep its rows in PostgreSQL: a database for each
// folder.
var onPostgres = flag.Bool("postgres", false, "run the tests on PostgreSQL instead of SQLite")

// TestOnPostgreSQL runs all tests of this package once more, on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	if *onPostgres {
		t.Skip("they are running")
	}
	testenv.SharedPostgres(t)
	arguments := []string{"-postgres", "-test.timeout=5m"}
	if testing.Short() {
		arguments = append(arguments, "-test.short")
	}
	out, err := exec.Command(os.Args[0], arguments...).CombinedOutput()
	if err != nil {
		t.Errorf("the tests on PostgreSQL: %v\n%s", err, out)
	}
}

// databases are the URLs of the folders that tests have opened.
var databases sync.Map

// options are those that open a test's folder, where rows lie in PostgreSQL if
// the tests are to run there.
func options(t testing.TB, dir string) Options {
	t.Helper()
	if !*onPostgres {
		return Options{}
	}
	url, ok := databases.Load(dir)
	if !ok {
		url = testenv.SharedPostgres(t).Database(t)
		databases.Store(dir, url)
	}
	return Options{Database: url.(string)}
}

// reopen opens a test's folder; the caller closes it.
func reopen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenWith(context.Background(), dir, options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A server that the database has cut off is taken for dead when its money is
// needed. Then it cannot settle what it held, and goes on as another.
func TestAServerTakenForDead(t *testing.T) {
	if !*onPostgres {
		t.Skip("a file's lock is not lost")
	}
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	who := spender(t, a)
	setBudget(t, a, who, who.KeyID, 100, true)
	if _, err := a.Hold(t.Context(), "held", who, noon, 70); err != nil {
		t.Fatal(err)
	}
	_, err := b.write.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) { // at most once a second it looks for the dead
		if _, err = b.Hold(t.Context(), "needed", who, noon, 60); err == nil || time.Since(begun) > time.Minute {
			break
		}
	}
	if err != nil {
		t.Fatalf("a dead server still holds: %v", err)
	}
	if err := a.Settle(t.Context(), Settlement{Entry: entry("held", who, noon, 70)}); !errors.Is(err, ErrHoldLost) {
		t.Errorf("the dead server settled: %v, want ErrHoldLost", err)
	}
	if _, err := a.Hold(t.Context(), "anew", who, noon, 40); err != nil {
		t.Errorf("under another id: %v", err)
	}
	for _, settle := range []struct {
		s    *Store
		id   string
		cost int64
	}{{b, "needed", 60}, {a, "anew", 40}} {
		if err := settle.s.Settle(t.Context(), Settlement{Entry: entry(settle.id, who, noon, settle.cost)}); err != nil {
			t.Error(err)
		}
	}
}

// What is wrong with the URL of a database is told without its password.
func TestThePasswordIsNotTold(t *testing.T) {
	for _, url := range []string{
		"postgres://me:hunter2@127.0.0.1:1/none", // nobody listens there
		"postgres://me:hunter2@127.0.0.1:port/none",
		"postgres://me:hunter2@/none?sslmode=perhaps",
		"postgres://me:hunter2%zz@/none",
	} {
		s, err := OpenWith(t.Context(), t.TempDir(), Options{Database: url})
		if err == nil {
			s.Close()
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v; want an error without the password", url, err)
		}
	}
}

// Pools are shared, changed one after the other, and forgotten after a day.
func TestPoolsAreShared(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	count := func(levels []byte) []byte { return append(levels, 'x') }
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			s, name := []*Store{a, b}[i%2], []string{"one", "other"}[i/50]
			if err := s.ChangePool(context.Background(), name, count); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, name := range []string{"one", "other", "none"} {
		want := map[string]int{"one": 50, "other": 50}[name]
		err := b.ChangePool(t.Context(), name, func(levels []byte) []byte {
			if len(levels) != want {
				t.Errorf("pool %s was changed %d times, want %d", name, len(levels), want)
			}
			return levels
		})
		if err != nil && want > 0 {
			t.Error(err)
		}
	}
	if _, err := a.write.ExecContext(t.Context(), "UPDATE pools SET used_at = used_at - 100000 WHERE name = 'one'"); err != nil {
		t.Fatal(err)
	}
	c := open(t, dir) // sweeps with its first change
	for _, name := range []string{"other", "one"} {
		err := c.ChangePool(t.Context(), name, func(levels []byte) []byte {
			if name == "one" && levels != nil {
				t.Errorf("a pool that nobody has used for a day has %d changes", len(levels))
			}
			return count(levels)
		})
		if err != nil {
			t.Error(err)
		}
	}
}
