package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ragstone/ragstone/internal/disk"
)

// ErrNotFound means that no row has the id or hash asked for.
var ErrNotFound = errors.New("not found")

// Store is an open state folder, or database.
type Store struct {
	engine engine
	write  *sql.DB // for transactions
	read   *sql.DB
	secret []byte

	syncGroups bool
	group      *committer[*groupWrite]
	pools      *committer[*poolChange]
	jobs       jobInserter
	close      func() error

	dir        string       // the state folder
	files      disk.FS      // where journals lie in it
	journals   bool         // this store's processes keep journals
	applying   sync.Mutex   // held while the ledger gets what this process's journal has
	seen       atomic.Int64 // the newest revision that is known
	changes    *changes     // nil: only a query tells of them
	log        *slog.Logger
	closing    chan struct{}  // closed when the store is
	background sync.WaitGroup // what runs until then

	// For the writer of groups alone.
	touched map[string]int64 // when keys were last used

	// For the writer of pools alone.
	swept time.Time

	burying     sync.Mutex // held while a server's end is looked for
	registering sync.Mutex // held while the server gets an id, and while closing is closed; before mu

	mu       sync.Mutex // guards what follows
	server   *liveServer
	former   []*liveServer    // what this process was before its mark was lost
	holds    map[string]*hold // of running requests
	attempts map[string]bool  // that run here, by their ids
	buried   time.Time        // when dead servers were last looked for
}

// Options says how a Store works. Its zero value is the default.
type Options struct {
	// Database is the URL of a PostgreSQL database that holds the rows in the
	// place of the folder, postgres://USER:PASSWORD@HOST:PORT/NAME. Any number
	// of processes share it.
	Database string

	// SecretFile is the file of the secret, by default the one in the folder.
	// All processes of a database must have the same.
	SecretFile string

	// SyncLedger makes what a request costs survive a power loss too: the disk
	// has it before the caller has the answer's end. By default it survives the
	// end of the process, however sudden, and not that of the machine, or of
	// PostgreSQL's. All other rows survive both.
	SyncLedger bool

	// Log is told of journals that are damaged. Nil: only Verify tells.
	Log *slog.Logger

	vfs   string  // SQLite's file system, for tests
	files disk.FS // and that of the journals
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
	s := &Store{
		engine:     sqliteEngine{dir, o.vfs},
		dir:        dir,
		files:      cmp.Or[disk.FS](o.files, disk.OS{}),
		journals:   o.Database == "",
		syncGroups: o.SyncLedger,
		log:        cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		closing:    make(chan struct{}),
		touched:    map[string]int64{},
		holds:      map[string]*hold{},
		attempts:   map[string]bool{},
	}
	if o.Database != "" {
		if s.engine, err = newPostgres(o.Database); err != nil {
			return nil, err
		}
	}
	s.close = sync.OnceValue(s.shut)
	if s.write, s.read, err = s.engine.connect(ctx); err != nil {
		return nil, err
	}
	if s.journals {
		if s.changes, err = openChanges(dir); err != nil {
			return nil, errors.Join(err, s.write.Close(), s.read.Close())
		}
	}
	s.group, s.pools = startCommitter(s.writeGroup), startCommitter(s.writePools)
	s.background.Go(func() { s.returnIdle(s.closing) })
	if err := s.prepare(ctx, cmp.Or(o.SecretFile, filepath.Join(dir, "secret"))); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare brings the schema up to date and makes what every database must have.
func (s *Store) prepare(ctx context.Context, secretFile string) error {
	if err := migrate(ctx, s.write, s.engine); err != nil {
		return err
	}
	err := s.inTransaction(ctx, func(tx *sql.Tx) error {
		secret, err := openSecret(ctx, tx, secretFile)
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
	return s.transaction(ctx, turnRows, true, do)
}

// transaction is inTransaction in a turn. It waits for the disk only if sync
// says so.
func (s *Store) transaction(ctx context.Context, turn turn, sync bool, do func(*sql.Tx) error) (err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return s.engine.transaction(ctx, conn, turn, sync, do)
}

// Shared reports whether other servers share the database.
func (s *Store) Shared() bool {
	_, yes := s.engine.(*postgresEngine)
	return yes
}

// Check reports whether the database answers.
func (s *Store) Check(ctx context.Context) error {
	var one int
	return s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// IsFull reports whether an error of a Store means that the disk has no room
// left.
func IsFull(err error) bool {
	return sqliteIsFull(err) || postgresIsFull(err)
}

// Close ends the store's writes and closes it. Closing twice is fine.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	s.registering.Lock()
	close(s.closing)
	s.registering.Unlock()
	s.background.Wait()
	err := s.retire()
	s.pools.close()
	s.group.close()
	err = errors.Join(err, s.write.Close(), s.changes.close())
	if s.read != s.write {
		err = errors.Join(err, s.read.Close())
	}
	return err
}
