package state

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// Job is something to be done once, later, by whichever process gets to it: its
// fields, which are stored as JSON, say to what. It is done at least once, so
// doing it twice must be fine. Kind names what is to be done, and is never
// changed.
type Job interface{ Kind() string }

// Worker does the jobs of one kind.
type Worker struct {
	register func(*river.Workers)
	repeat   *river.PeriodicJob // or nil
}

// Does returns the worker that does jobs of a kind. A job that fails, or whose
// process ends, is done again, later and later, up to 25 times.
func Does[J Job](do func(context.Context, J) error) Worker {
	return Worker{register: func(w *river.Workers) {
		river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[J]) error { return do(ctx, j.Args) }))
	}}
}

// Repeats is Does for jobs without fields of which one is added when workers
// start and after every interval, unless there is one that has not been done. The
// next one is all that is done about one that failed.
func Repeats[J Job](every time.Duration, do func(context.Context) error) Worker {
	w := Does(func(ctx context.Context, _ J) error { return do(ctx) })
	unfinished := []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
	w.repeat = river.NewPeriodicJob(river.PeriodicInterval(every), func() (river.JobArgs, *river.InsertOpts) {
		var job J
		return job, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: unfinished}}
	}, &river.PeriodicJobOpts{RunOnStart: true})
	return w
}

// How jobs are done.
const (
	jobsAtOnce   = 4
	jobsPoll     = time.Second      // how often to look for new ones
	jobTimeout   = 10 * time.Minute // of one try
	jobsPatience = 5 * time.Second  // for running jobs, when workers are stopped
)

// StartJobs does jobs until stop is called, which lets running ones finish for a
// moment. A job that another process was doing when it ended is done again at
// once. Only processes that start workers for all kinds of jobs may start any.
// Log is told of jobs that fail.
func (s *Store) StartJobs(ctx context.Context, log *slog.Logger, workers ...Worker) (stop func() error, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start doing jobs: %w", err)
		}
	}()
	id, err := s.serverID(ctx)
	if err != nil {
		return nil, err
	}
	config := &river.Config{
		ID:                id,
		Logger:            slog.New(warnings{log.Handler()}),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobsAtOnce}},
		Workers:           river.NewWorkers(),
		JobTimeout:        jobTimeout,
		SoftStopTimeout:   jobsPatience,
		FetchPollInterval: jobsPoll,
		PollOnly:          true,
	}
	for _, w := range workers {
		w.register(config.Workers)
		if w.repeat != nil {
			config.PeriodicJobs = append(config.PeriodicJobs, w.repeat)
		}
	}
	client, err := river.NewClient(s.jobDriver(), config)
	if err != nil {
		return nil, err
	}
	if err := s.resumeJobs(ctx, client); err != nil {
		return nil, err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*jobsPatience)
		defer cancel()
		return client.Stop(ctx)
	}, nil
}

// resumeJobs makes the jobs available again that processes were doing which have
// ended. (River itself would wait until they are surely stuck, an hour.)
func (s *Store) resumeJobs(ctx context.Context, client *river.Client[*sql.Tx]) error {
	live, err := collect(ctx, s.read, "SELECT id FROM servers", nil, scanText)
	if err != nil {
		return err
	}
	running, err := client.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).First(mostRunning))
	if err != nil {
		return err
	}
	for _, job := range running.Jobs {
		if n := len(job.AttemptedBy); n > 0 && slices.Contains(live, job.AttemptedBy[n-1]) {
			continue
		}
		err := s.inTransaction(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE river_job SET state = 'available' WHERE id = ? AND state = 'running' AND attempt = ?", job.ID, job.Attempt)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// mostRunning bounds the running jobs that are looked at, far above jobsAtOnce
// in every process.
const mostRunning = 10_000

// jobInserter adds jobs. Its zero value is ready.
type jobInserter struct {
	once   sync.Once
	client *river.Client[*sql.Tx]
	err    error
}

// addJob adds a job, which is there once tx is committed.
func (s *Store) addJob(ctx context.Context, tx *sql.Tx, job Job) error {
	s.jobs.once.Do(func() {
		s.jobs.client, s.jobs.err = river.NewClient(s.jobDriver(), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	})
	if s.jobs.err != nil {
		return s.jobs.err
	}
	if _, err := s.jobs.client.InsertTx(ctx, tx, job, nil); err != nil {
		return fmt.Errorf("add the job %s: %w", job.Kind(), err)
	}
	return nil
}

func (s *Store) jobDriver() riverdriver.Driver[*sql.Tx] { return s.engine.jobs(s.write) }

// riverSchema is the version of River's tables that jobTables makes. A River
// that wants another gets a further migration.
const riverSchema = 8

// jobTables is the migration that makes River's tables. River makes them in steps
// that PostgreSQL wants to see committed one by one, and that it remembers;
// SQLite's one connection is in goose's transaction.
func jobTables(e engine, db *sql.DB) *goose.Migration {
	const version = 11
	target := &rivermigrate.MigrateOpts{TargetVersion: riverSchema}
	if e.dialect() == goose.DialectPostgres {
		return goose.NewGoMigration(version, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
			migrator, err := jobMigrator(e, db)
			if err == nil {
				_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, target)
			}
			return err
		}}, nil)
	}
	return goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		migrator, err := jobMigrator(e, db)
		if err == nil {
			//lint:ignore SA1019 its warning is for databases that commit a schema in steps
			_, err = migrator.MigrateTx(ctx, tx, rivermigrate.DirectionUp, target)
		}
		return err
	}}, nil)
}

func jobMigrator(e engine, db *sql.DB) (*rivermigrate.Migrator[*sql.Tx], error) {
	return rivermigrate.New(e.jobs(db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}

// warnings leaves what is worth an operator's while of a talkative log.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
