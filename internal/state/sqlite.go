package state

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/ragstone/ragstone/internal/disk"
)

// sqliteEngine keeps the rows in a file of the state folder. One connection
// writes, and its transactions take SQLite's write lock when they begin, so
// that one runs at a time whatever its turn.
type sqliteEngine struct {
	dir string
	vfs string // SQLite's file system; empty: the operating system's
}

func (e sqliteEngine) path() string { return filepath.Join(e.dir, "ragstone.db") }

func (e sqliteEngine) connect(context.Context) (write, read *sql.DB, err error) {
	if err := touchPrivate(e.path()); err != nil {
		return nil, nil, err
	}
	if write, err = e.pool(true, "_txlock=immediate", 1); err != nil {
		return nil, nil, err
	}
	if read, err = e.pool(false, "_pragma=query_only(1)", 4); err != nil {
		return nil, nil, errors.Join(err, write.Close())
	}
	return write, read, nil
}

// touchPrivate makes the database's file, for its owner's eyes only. SQLite
// gives the files beside it the same permissions.
func touchPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// pool opens a pool of at most n connections. A connection that finds the
// database locked by another process waits up to ten seconds.
func (e sqliteEngine) pool(writes bool, option string, n int) (*sql.DB, error) {
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(e.path())}
	if e.vfs != "" {
		option += "&vfs=" + e.vfs
	}
	connector, err := sqlite.NewConnector(file.String() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&" + option)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(sqliteConnector{connector, writes})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

func (e sqliteEngine) migrating(ctx context.Context, _ *sql.DB, do func() error) (err error) {
	lock, err := disk.Lock(ctx, e.path()+".lock")
	if err != nil {
		return err
	}
	return errors.Join(do(), lock.Unlock())
}

func (sqliteEngine) jobs(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) }

func (sqliteEngine) dialect() goose.Dialect { return goose.DialectSQLite3 }

func (sqliteEngine) source(migration []byte) []byte { return only("sqlite", migration) }

// transaction syncs the log if sync says so. A log that is synced later holds
// all that went before.
func (sqliteEngine) transaction(ctx context.Context, conn *sql.Conn, _ turn, sync bool, do func(*sql.Tx) error) (err error) {
	if sync {
		if _, err := conn.ExecContext(ctx, "PRAGMA synchronous=FULL"); err != nil {
			return err
		}
		defer func() {
			_, reset := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous=NORMAL")
			err = errors.Join(err, reset)
		}()
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (e sqliteEngine) livePath(id string) string { return filepath.Join(e.dir, "servers", id+".lock") }

// live locks a file. The operating system unlocks it when the process ends,
// however that ends.
func (e sqliteEngine) live(_ context.Context, id string, _ func()) (unmark func() error, err error) {
	if err := os.MkdirAll(filepath.Join(e.dir, "servers"), 0o700); err != nil {
		return nil, err
	}
	lock, err := disk.TryLock(e.livePath(id))
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(lock.Unlock(), os.Remove(e.livePath(id))) }, nil
}

func (e sqliteEngine) bury(ctx context.Context, s *Store, id string, do func(*sql.Tx) error) error {
	lock, err := disk.TryLock(e.livePath(id))
	switch {
	case errors.Is(err, disk.ErrLocked):
		return nil // it lives
	case errors.Is(err, os.ErrNotExist): // its folder was not restored from a backup
		return s.inTransaction(ctx, do)
	case err != nil:
		return err
	}
	err = s.replayAll(ctx, id)
	if err == nil {
		err = s.inTransaction(ctx, do) // synced, and all that went before with it
	}
	if err == nil {
		err = s.removeJournals(id)
	}
	return errors.Join(err, lock.Unlock(), os.Remove(e.livePath(id)))
}

func (sqliteEngine) contradictions() []contradiction {
	return []contradiction{
		{"page", "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
		{"foreign key", `SELECT "table" || ' row ' || rowid FROM pragma_foreign_key_check`},
	}
}

// snapshot is nil: every transaction of SQLite reads one.
func (sqliteEngine) snapshot() *sql.TxOptions { return nil }

// sqliteIsFull reports whether an error means that the disk has no room left.
func sqliteIsFull(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_FULL || disk.IsFull(err)
}

// isForeign reports whether an error means that a row refers to one that the
// database does not have. (Only journals have such rows, so only SQLite.)
func isForeign(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}
