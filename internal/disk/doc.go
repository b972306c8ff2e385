// Package disk is what the rest of Ragstone knows about files: how to replace
// one so that a crash leaves the old content or the new, how to keep two
// processes apart, how to map one into memory, and how much room is left.
//
// # Durability
//
// [WriteFile] writes a temporary file beside the target, flushes it to the
// device, renames it over the target and flushes the folder. The rename is the
// commit: before it a reader sees the old content, after it the new, and no
// reader ever sees half. When WriteFile returns nil the new content survives
// kill -9 and a power cut; when it returns an error the old content is in
// place, except that a failed flush of the folder (the last step) leaves the
// new content visible but not yet promised. Temporary files of killed writers
// have recognisable names and [Sweep] removes them.
//
// A set of files is committed by its last one: write the parts under names
// that nobody reads yet, then the one file that names them.
//
// # The seam
//
// [FS] has the operations durability depends on. [OS] is the real file system;
// [MemFS] is one in memory that forgets what was not flushed when it crashes,
// stops at a chosen operation, and fills up or breaks on demand. Package
// disktest walks a piece of code through a crash at every operation.
//
// # Concurrency
//
// Functions and OS are safe for concurrent use. Two writers of the same file
// do not corrupt it, but the last one wins: [Lock] keeps them apart, in one
// process and between processes. Locks are advisory and end with the process
// that holds them, however it dies.
//
// The package leaves out network file systems: locks and flushes are as good
// there as the server makes them.
package disk
