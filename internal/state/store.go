package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/ragstone/ragstone/internal/disk"
)

// ErrNotFound means that no row has the id or hash asked for.
var ErrNotFound = errors.New("not found")

// Store is an open state folder.
type Store struct {
	write  *sql.DB // one connection; every transaction takes the write lock at once
	read   *sql.DB
	secret []byte
	dir    string

	syncGroups bool
	group      chan *groupWrite
	closing    chan struct{} // closed when no more groups are to be written
	written    chan struct{} // closed when none are being written
	close      func() error
	touched    map[string]int64 // when keys were last used; for the writer of groups alone

	mu     sync.Mutex // guards server
	server *liveServer
}

// Options says how a Store works. Its zero value is the default.
type Options struct {
	// SyncLedger makes what a request costs survive a power loss too: the disk
	// has it before the caller has the answer's end. By default it survives the
	// end of the process, however sudden, and not that of the machine. All
	// other rows survive both.
	SyncLedger bool
}

// Open opens the state folder dir, which it makes if need be together with the
// default organization and project. The caller closes the Store.
func Open(ctx context.Context, dir string) (*Store, error) {
	return OpenWith(ctx, dir, Options{})
}

// OpenWith is Open with options.
func OpenWith(ctx context.Context, dir string, o Options) (_ *Store, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open state folder %s: %w", dir, err)
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "ragstone.db")
	if err := touchPrivate(path); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, touched: map[string]int64{}, syncGroups: o.SyncLedger, group: make(chan *groupWrite), closing: make(chan struct{}), written: make(chan struct{})}
	s.close = sync.OnceValue(s.shut)
	if s.write, err = connect(path, "_txlock=immediate", 1); err != nil {
		return nil, err
	}
	if s.read, err = connect(path, "_pragma=query_only(1)", 4); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	go s.writeGroups()
	if err := s.prepare(ctx, dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
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

// connect opens a pool of at most n connections. A connection that finds the
// database locked by another process waits up to ten seconds.
func connect(path, option string, n int) (*sql.DB, error) {
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path)}
	connector, err := sqlite.NewConnector(file.String() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&" + option)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// prepare brings the schema up to date and makes what every folder must have.
func (s *Store) prepare(ctx context.Context, dir string) error {
	if err := migrate(ctx, s.write, filepath.Join(dir, "ragstone.db.lock")); err != nil {
		return err
	}
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		secret, err := openSecret(ctx, tx, filepath.Join(dir, "secret"))
		if err != nil {
			return err
		}
		s.secret = secret
		return makeDefaultTenant(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.buryServers(ctx)
}

// inTransaction runs do in a write transaction, which it commits unless do
// fails. What it committed is on the disk.
func (s *Store) inTransaction(ctx context.Context, do func(*sql.Tx) error) error {
	return s.transaction(ctx, true, do)
}

// transaction is inTransaction, which waits for the disk only if sync says so.
// A log that is synced later holds all that went before.
func (s *Store) transaction(ctx context.Context, sync bool, do func(*sql.Tx) error) (err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
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

// Check reports whether the database answers.
func (s *Store) Check(ctx context.Context) error {
	var one int
	return s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// IsFull reports whether an error of a Store means that the disk has no room
// left.
func IsFull(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_FULL || disk.IsFull(err)
}

// Close ends the store's writes and closes it. Closing twice is fine.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	close(s.closing)
	<-s.written
	return errors.Join(s.retire(), s.read.Close(), s.write.Close())
}
