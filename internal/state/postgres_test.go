package state

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"sync"
	"testing"

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
