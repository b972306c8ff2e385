package state

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
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
	if err := s.inTransaction(t.Context(), func(tx *sql.Tx) error { return s.addJob(t.Context(), tx, countTo{1}) }); err != nil {
		t.Fatal(err)
	}
	begun, resumed, end := make(chan bool), make(chan bool, 9), make(chan bool)
	var tries atomic.Int32
	stop, err := s.StartJobs(t.Context(), slog.New(slog.DiscardHandler), Does(func(ctx context.Context, _ countTo) error {
		if tries.Add(1) > 1 { // it still looks for jobs, unlike a dead one, and may be first
			resumed <- true
			return nil
		}
		begun <- true
		<-end
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	<-begun

	var again atomic.Int32
	count := Does(func(context.Context, countTo) error { again.Add(1); return nil })
	beside := open(t, dir)
	stopBeside, err := beside.StartJobs(t.Context(), slog.New(slog.DiscardHandler), count)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * jobsPoll) // nothing tells that a job is not fetched
	if n := again.Load(); n != 0 {
		t.Errorf("a live process's job was done %d times by another", n)
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
	stopNext, err := next.StartJobs(t.Context(), slog.New(slog.DiscardHandler), Does(func(context.Context, countTo) error { resumed <- true; return nil }))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-resumed:
	case <-time.After(20 * time.Second):
		t.Error("the job was not resumed")
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
