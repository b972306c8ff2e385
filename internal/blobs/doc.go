// Package blobs keeps the contents of files: byte sequences that are written
// once, under a key, and never changed. They lie in a folder or in a bucket of
// an S3-compatible service, chosen by URL (Open); which file or part a blob
// belongs to is a row of internal/state.
//
// Writing and reading hold a buffer each, never a blob: 512 MB pass through a
// megabyte or so of memory in a folder, and through two pieces of five megabytes
// on their way to S3.
//
// # Promises
//
// A blob is there as a whole or not at all. In a folder it is written beside its
// place, flushed to the device, renamed and its folder flushed, so that a blob
// whose Write has returned survives kill -9 and a power cut; S3 answers when a
// blob is stored for good. What a killed writer leaves behind, a file whose name
// ends in .tmp or an unfinished upload, is never read: a key is known once its
// row is committed (docs/decisions/0015-commit-order.md), and List shows such a
// file so that a sweep can delete it. Unfinished uploads to S3 are for a
// life-cycle rule of the bucket.
//
// A Bucket is safe for concurrent use, also by several processes.
package blobs
