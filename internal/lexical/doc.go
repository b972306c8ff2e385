// Package lexical finds documents by their words.
//
// An Analyzer turns text into terms. A Builder collects the terms of numbered
// documents and writes an Index: for every term its postings, the documents
// that hold it and how often. Index.Search ranks documents by BM25.
//
// # Scores
//
// The score of a document is the sum over the question's terms of
//
//	idf · tf / (tf + k1·(1 − b + b·length/average))
//	idf = ln(1 + (N − df + ½) / (df + ½))
//
// with N documents, df of them holding the term, tf times in this one. This is
// Lucene's BM25Similarity since version 8: Robertson and Zaragoza 2009, "The
// probabilistic relevance framework: BM25 and beyond", without the constant
// factor k1+1 and with an idf that is never negative. Lengths are exact where
// Lucene keeps one byte of them.
//
// # Search
//
// Postings are stored in blocks of up to 128, each with the highest score
// factor tf / (tf + …) found in it. Search walks documents in order and passes
// over those that cannot reach the k best so far: MaxScore (Turtle and Flood
// 1995) over terms, with the bounds of blocks as in Ding and Suel 2011. The
// result is the same, bit for bit, as scoring every document: contributions
// are added in the order of the question's terms, and equal scores are ordered
// by document number.
//
// # Encoding and concurrency
//
// An Index works on its encoded bytes in place, so opening one costs a checksum
// and a pass over the document lengths. The format is docs/formats/lexical.md.
// Load refuses bytes whose checksum or structure is wrong. An Index is
// immutable and safe for concurrent use; a Builder is not.
//
// Positions of words are not kept, so there are no phrase queries, and nothing
// is deleted: Builder.AddFrom copies what stays into a new index.
package lexical
