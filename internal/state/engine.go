package state

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
)

// engine is all that the two databases differ in. Every query and migration is
// written once: in what both understand, with ? for arguments.
type engine interface {
	// connect opens the pools of connections that write and read. They may be
	// the same.
	connect(ctx context.Context) (write, read *sql.DB, err error)

	// migrating runs do while no other process migrates the database.
	migrating(ctx context.Context, write *sql.DB, do func() error) error

	// dialect is what goose calls the database, and source what the lines of a
	// migration are marked with that are for it alone.
	dialect() goose.Dialect
	source(migration []byte) []byte

	// transaction runs do in a write transaction on conn, commits it unless do
	// fails, and waits for the disk if sync says so. Of the transactions of all
	// processes under one turn, one runs at a time.
	transaction(ctx context.Context, conn *sql.Conn, turn turn, sync bool, do func(*sql.Tx) error) error

	// jobs is how River speaks to the database.
	jobs(db *sql.DB) riverdriver.Driver[*sql.Tx]

	// live marks this process as one that lives, under an id, until it ends or
	// unmark is called. gone is called at most once, when the mark is lost while
	// the process lives on.
	live(ctx context.Context, id string, gone func()) (unmark func() error, err error)

	// bury runs do if the process with an id has ended, while nobody else does
	// so.
	bury(ctx context.Context, s *Store, id string, do func(*sql.Tx) error) error

	// contradictions are queries that find what is broken, beside those of
	// Verify, which reads everything in a transaction of the kind snapshot.
	contradictions() []contradiction
	snapshot() *sql.TxOptions
}

// turn is what transactions wait for each other for.
type turn int64

const (
	turnRows  turn = iota // everything but:
	turnPools             // the levels of rate limits, which no other row depends on
)
