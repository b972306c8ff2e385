package testenv

import (
	"syscall"
	"testing"
)

// Postgres is a PostgreSQL server for tests. On Windows there is none.
type Postgres struct{}

// SharedPostgres ends the test.
func SharedPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	tb.Skip("tests start PostgreSQL on Unix only")
	return nil
}

// OwnPostgres ends the test.
func OwnPostgres(tb testing.TB, _ ...string) *Postgres { return SharedPostgres(tb) }

func (*Postgres) Start(testing.TB)                {}
func (*Postgres) Stop(testing.TB, syscall.Signal) {}
func (*Postgres) LosePower(testing.TB)            {}
func (*Postgres) Database(testing.TB) string      { return "" }
