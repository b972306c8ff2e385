package state

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"testing"
	"time"
)

type countTo struct {
	N int `json:"n"`
}

func (countTo) Kind() string { return "test_count" }

type tick struct{}

func (tick) Kind() string { return "test_tick" }

// A job that is added is done, with its fields; one whose transaction fails is
// not.
func TestJobsAreDoneIfTheirTransactionIs(t *testing.T) {
	s := open(t, t.TempDir())
	failed := errors.New("no")
	add := func(n int, then error) error {
		return s.inTransaction(t.Context(), func(tx *sql.Tx) error {
			return errors.Join(s.addJob(t.Context(), tx, countTo{n}), then)
		})
	}
	if err := add(1, failed); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if err := add(2, nil); err != nil {
		t.Fatal(err)
	}
	done, ticked := make(chan int, 9), make(chan bool, 9)
	stop, err := s.StartJobs(t.Context(), slog.New(slog.DiscardHandler),
		Does(func(_ context.Context, job countTo) error { done <- job.N; return nil }),
		Repeats[tick](time.Hour, func(context.Context) error { ticked <- true; return nil }))
	if err != nil {
		t.Fatal(err)
	}
	if n := <-done; n != 2 {
		t.Errorf("did the job %d, want 2", n)
	}
	<-ticked
	if err := stop(); err != nil {
		t.Error(err)
	}
	if len(done) > 0 || len(ticked) > 0 {
		t.Errorf("%d and %d jobs too many were done", len(done), len(ticked))
	}
}

// What a process was doing that has ended is done again by the next one at once;
// what a live one does is left to it.
func TestJobsOfDeadProcessesAreResumed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add := func(n int) {
		t.Helper()
		if err := s.inTransaction(t.Context(), func(tx *sql.Tx) error { return s.addJob(t.Context(), tx, countTo{n}) }); err != nil {
			t.Fatal(err)
		}
	}
	for n := range jobsAtOnce {
		add(n)
	}
	// The first process does as many as it does at once, and so takes no other.
	begun, end := make(chan bool), make(chan bool)
	stop, err := s.StartJobs(t.Context(), slog.New(slog.DiscardHandler), Does(func(context.Context, countTo) error {
		begun <- true
		<-end
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	for range jobsAtOnce {
		<-begun
	}

	done := make(chan int, 9)
	count := Does(func(_ context.Context, job countTo) error { done <- job.N; return nil })
	beside := open(t, dir)
	stopBeside, err := beside.StartJobs(t.Context(), slog.New(slog.DiscardHandler), count)
	if err != nil {
		t.Fatal(err)
	}
	const other = 99
	add(other)
	if n := <-done; n != other { // jobs are taken in the order they were added
		t.Errorf("the job %d of a live process was done by another", n)
	}
	if err := stopBeside(); err != nil {
		t.Fatal(err)
	}

	// The first process dies, as far as its row tells.
	if err := beside.inTransaction(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), "DELETE FROM servers")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	next := open(t, dir)
	stopNext, err := next.StartJobs(t.Context(), slog.New(slog.DiscardHandler), count)
	if err != nil {
		t.Fatal(err)
	}
	again := map[int]bool{}
	for range jobsAtOnce {
		again[<-done] = true
	}
	for n := range jobsAtOnce {
		if !again[n] {
			t.Errorf("the job %d was not resumed: %v were", n, again)
		}
	}
	close(end)
	if err := errors.Join(stopNext(), stop()); err != nil {
		t.Error(err)
	}
}

// A River that wants other tables than our migrations make needs a further one.
func TestRiversTablesAreOfItsVersion(t *testing.T) {
	s := open(t, t.TempDir())
	migrator, err := jobMigrator(s.engine, s.write)
	if err != nil {
		t.Fatal(err)
	}
	versions := migrator.AllVersions()
	if newest := versions[len(versions)-1].Version; newest != riverSchema {
		t.Errorf("River has version %d of its tables, the migrations make %d: add a migration beside jobTables", newest, riverSchema)
	}
}
