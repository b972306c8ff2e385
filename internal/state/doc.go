// Package state keeps Ragstone's durable rows: organizations, users, projects,
// service accounts, API keys, limits, budgets, the ledger, stored completions,
// files and uploads now; threads and runs later. It stores them in one SQLite
// database in the state folder of Ragstone's home (docs/decisions/
// 0007-sqlite-by-default.md) or in a PostgreSQL database that several servers
// share (0019-postgresql-and-replicas.md). It knows nothing of what they mean:
// that is the business of internal/platform. Every query and migration is written
// once; what the databases differ in is an engine's.
//
// # Tenancy
//
// An organization owns projects; a project is the root of every object, cache
// key and metric that will ever be stored. Open makes the default
// organization and project, so there is no row without an owner. Ids are a
// prefix that names the kind and 24 random letters and digits (NewID): they
// reveal neither how many there are nor when they were made
// (docs/decisions/0008-tenancy-and-ids.md).
//
// # Files
//
//	ragstone.db         the rows; beside it SQLite's -wal and -shm
//	ragstone.db.lock    held while the schema is brought up to date
//	changes             grows with each revision
//	servers/ID.lock     held by a process that holds money, as long as it lives
//	servers/ID-N.journal  what its requests cost, until the ledger has it
//	secret              32 random bytes that key hashes are keyed with
//
// Of these a server of PostgreSQL has the secret alone, which all servers of a
// database have copies of.
//
// The secret is a file of its own so that a copy of the database alone can
// neither check nor forge a key. The database holds a proof of the secret;
// Open refuses a pair that does not belong together.
//
// # Promises
//
// A Store is safe for concurrent use, and several processes may have one open
// on the same folder: `ragstone keys` works beside a running server, which
// sees its effect with the next request: Revision tells cheaply whether keys,
// limits, budgets or prices have changed. Write transactions run one at a time,
// of all processes, and are in the log on disk (WAL, synchronous=FULL) before they
// return: what was acknowledged survives kill -9 and power loss.
//
// Hold takes what a request may cost out of money that this process has leased
// from the budgets, in memory, and leases more when that is not enough; leases
// are small near a budget's end and come back when they are idle. Settle appends
// to a journal, one of this process's, which the ledger gets a moment later, many
// settlements in a transaction; on PostgreSQL, and with an object, it is a
// transaction. Whoever reads the ledger brings in all journals of the folder
// first, so a read has every settlement that was acknowledged before it began. By
// default a settlement is in the operating system's hands when it is
// acknowledged, and so survives kill -9; Options.SyncLedger makes it wait for the
// disk. The journal of a process that has ended is brought in, and its lease given
// back, when the rows are opened next or when another request needs the money
// (docs/decisions/0012-money-and-ledger.md, 0021-leases-and-journal.md,
// docs/formats/journal.md).
//
// Writes of requests that need a transaction share one with whatever waits while
// another is committed. ChangePool writes in groups of its own.
//
// A database that goes away makes writes fail with ErrUnavailable; what was being
// written is then there whole or not at all, and once.
//
// # Jobs
//
// What is to be done later is a Job, which is added in the transaction of the row
// it belongs to and done at least once by a process that has called StartJobs; one
// whose process ends is done again. River keeps them, in tables of its own
// (docs/decisions/0016-jobs.md).
//
// # Schema
//
// The schema is changed by the numbered files in migrations, and by jobTables for
// River's, forward only; a database that a newer Ragstone has migrated is refused.
package state
