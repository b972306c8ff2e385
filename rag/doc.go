// Package rag answers questions from documents, with citations.
//
// A Corpus is a set of files, cut into passages that are points of a vector
// database (package vector), found by words (BM25) and by meaning (exact cosine).
// Corpus.Sync brings the index up to date with the files; Corpus.Search
// returns passages in an order fused from both retrievers, each hit with the
// rank and score either gave it. An Answerer makes an answer of the results,
// and every quote in it is compared with its source before it is shown: see
// Ask.
//
// # The index
//
// It lives in a directory the caller names, away from the documents, and holds
// nothing that cannot be made again from them. All changes of a Sync are one
// batch of the database, or a new database that takes the old one's place in one
// step, so that a crash or a full disk at any moment leaves the old index or the
// new; one process writes at a time, and readers wait for nobody. An index built with another embedding model,
// chunker or analyser is never mixed with: searches refuse it until Sync has
// built the right one. The format is docs/formats/corpus.md, and Check verifies
// a directory. Indexes that lie in one folder share their vectors; Indexes lists
// them, and RemoveIndex removes one.
//
// # Concurrency
//
// A Corpus is safe for concurrent use. Searches run on the index as it was when
// they began, while a Sync writes.
package rag
