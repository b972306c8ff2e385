// Package s3 runs the blobs of files against an S3-compatible server, Versity's
// gateway in front of a folder, which it builds and starts itself on a free port. It
// is a module of its own so that the server is not among the product's dependencies.
//
// `make s3` runs it.
package s3
