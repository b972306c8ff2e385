// Package files keeps the files of projects: what clients upload whole or in
// parts, what jobs make for them, and when each is gone again.
//
// # Content and rows
//
// The content of a file is one or more blobs (internal/blobs), the file a row
// that names them (internal/state). A blob is written before the row that names
// it is committed, under a random key in its project's name, and a row's end is
// committed with the job that deletes its blobs. So a row never names a blob
// that is not there; a blob that no row names, left by a process that was killed
// between the two, is deleted by Sweep once it is a day old: its epoch is over,
// and no request that could still name it is alive
// (docs/decisions/0015-commit-order.md).
//
// Completing an upload joins its parts by naming their blobs in the file's
// order: nothing is copied, and the file is there whole, in one transaction, or
// not at all. What is read then, for a checksum or because training data must be
// lines of JSON, passes through a buffer.
//
// # Expiry
//
// A file that has expired is gone for callers from that second on. The jobs of
// Workers delete its row and its blobs within a minute or two; a job whose
// process is killed goes on where it was when the next one starts
// (docs/decisions/0016-jobs.md). A pending upload expires after an hour.
//
// # Tenancy
//
// Everything is looked up by project: what another project has is not found.
//
// A Service is safe for concurrent use. It leaves out what files mean to those
// who use them: batches and fine-tuning jobs check theirs themselves.
package files
