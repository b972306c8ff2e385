// Package rag answers questions from documents, with citations.
//
// A Corpus is a set of files, cut into passages and indexed twice: an inverted
// index for words (BM25) and a slab of vectors for meaning (exact cosine).
// Corpus.Sync brings the index up to date with the files; Corpus.Search
// returns passages in an order fused from both retrievers, each hit with the
// rank and score either gave it.
//
// The index lives in a directory the caller names, away from the documents.
// Its format is docs/formats/corpus.md.
package rag
