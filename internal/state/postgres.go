package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// Limits of what a process asks of PostgreSQL.
const (
	postgresConns    = 12               // connections, of the 100 that a server takes unless told otherwise
	postgresPatience = 10 * time.Second // for a connection
	postgresRestart  = 30 * time.Second // after the database's start, until servers have come back to it
)

// postgresEngine keeps the rows in a PostgreSQL database, which any number of
// processes share. Transactions take a lock of the database first (an advisory
// lock, PostgreSQL manual, section 13.3.5), so that one of a turn runs at a
// time, as on SQLite, whichever process it is of.
type postgresEngine struct{ config *pgx.ConnConfig }

// newPostgres reads a URL such as postgres://USER:PASSWORD@HOST:5432/NAME. Its
// error does not repeat the password.
func newPostgres(url string) (*postgresEngine, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database's URL cannot be read: want postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresPatience
	}
	for name, value := range map[string]string{
		"application_name": "ragstone",
		"lock_timeout":     "10s", // as long as SQLite's busy_timeout
		// What a machine holds that stops or is cut off in the midst of a
		// transaction comes free.
		"idle_in_transaction_session_timeout": "30s",
		"tcp_keepalives_idle":                 "10",
		"tcp_keepalives_interval":             "5",
		"tcp_keepalives_count":                "3",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	return &postgresEngine{config}, nil
}

func (e *postgresEngine) connect(ctx context.Context) (write, read *sql.DB, err error) {
	db := sql.OpenDB(postgresConnector{stdlib.GetConnector(*e.config)})
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, db, nil
}

// Keys of advisory locks. Those of turns follow lockTurns.
const (
	lockMigrating int64 = 0x7261677374_00 // "ragst" and a number
	lockTurns     int64 = 0x7261677374_10
)

// lockOfServer is the key of the lock that a process holds while it lives.
func lockOfServer(id string) int64 {
	h := fnv.New64a()
	h.Write([]byte("ragstone server " + id))
	return int64(h.Sum64())
}

func (e *postgresEngine) migrating(ctx context.Context, write *sql.DB, do func() error) (err error) {
	conn, err := write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = 0"); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(?)", lockMigrating); err != nil {
		return err
	}
	defer func() {
		_, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(?)", lockMigrating)
		_, reset := conn.ExecContext(context.WithoutCancel(ctx), "RESET lock_timeout")
		err = errors.Join(err, unlock, reset)
	}()
	return do()
}

func (*postgresEngine) jobs(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riverdatabasesql.New(db) }

func (*postgresEngine) dialect() goose.Dialect { return goose.DialectPostgres }

func (*postgresEngine) source(migration []byte) []byte {
	return []byte(forPostgres.Replace(string(only("postgres", migration))))
}

// transaction reads what is committed when each statement begins, as the lock
// comes with the first.
func (e *postgresEngine) transaction(ctx context.Context, conn *sql.Conn, turn turn, sync bool, do func(*sql.Tx) error) error {
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	commit := "off"
	if sync {
		commit = "on"
	}
	_, err = tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(?), set_config('synchronous_commit', ?, true)", lockTurns+int64(turn), commit)
	if err == nil {
		err = do(tx)
	}
	if err != nil {
		tx.Rollback() // what it says adds nothing: what is not committed is undone
		return err
	}
	return tx.Commit()
}

// live holds an advisory lock on a connection of its own. The database lets go
// of it when the connection ends, and so the process or its machine.
func (e *postgresEngine) live(ctx context.Context, id string, gone func()) (unmark func() error, err error) {
	conn, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lockOfServer(id)); err != nil {
		return nil, errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	watching, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer conn.Close(context.Background())
		for watching.Err() == nil {
			if _, err := conn.WaitForNotification(watching); err != nil && watching.Err() == nil {
				gone()
				return
			}
		}
	}()
	return func() error {
		stop()
		<-ended
		return nil
	}, nil
}

// bury waits a while after the database has begun: servers that registered
// before may not have come back to it.
func (e *postgresEngine) bury(ctx context.Context, s *Store, id string, do func(*sql.Tx) error) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		var dead bool
		err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock(?)
			AND (now() > pg_postmaster_start_time() + make_interval(secs => ?)
				OR EXISTS (SELECT 1 FROM servers WHERE id = ? AND started_at >= floor(extract(epoch FROM pg_postmaster_start_time()))))`,
			lockOfServer(id), postgresRestart.Seconds(), id).Scan(&dead)
		if err != nil || !dead {
			return err
		}
		return do(tx)
	})
}

func (*postgresEngine) contradictions() []contradiction { return nil }

func (*postgresEngine) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// postgresIsFull reports whether an error means that the disk has no room left.
func postgresIsFull(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == codeDiskFull
}
