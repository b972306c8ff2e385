// Package faiss builds, searches, reads and writes indexes as the library FAISS knows
// them (Douze et al. 2024, "The Faiss library"): from its factory strings, such as
// "OPQ32,IVF1024,PQ32", and in its files, so that both programs can use what either
// has built.
//
// # Terms
//
// A spec is a parsed factory string. An index is a tree of nodes, as in FAISS: a
// transform in front of lists, whose centroids are found by a graph, and so on. A label
// is what a search returns for a vector: its row, unless the index maps rows to ids.
// A fourcc is the four letters that begin a node in a file and say its kind.
//
// # Equal results
//
// An index that was read is searched the way FAISS searches it, over the same codes,
// centroids and links, with the file's own nprobe, efSearch and k_factor unless the search
// says otherwise. Scores differ by rounding, so labels may differ where they are
// tied. There are three deliberate differences. Lists run on beyond nprobe until k vectors were
// met, where FAISS returns −1. Codes for fast scan are estimated from tables of
// bytes in both programs, which round differently; with RFlat the order is that of exact
// distances again. Very small graphs are scanned.
//
// Cosine similarity, which FAISS does not have, is inner product behind a transform
// that divides by the norm ("L2norm").
//
// # Safety
//
// Files are data: every length, row and link is checked before it is used, memory grows
// with the file's true size only, and what is not supported is refused by name.
// Indexes do not change once made; searches are safe for concurrent use.
//
// # Left out
//
// Additive quantisers, RaBitQ, NSG, binary lists and hashes, lists on disk, polysemous
// search, and product codes of other than 4 and 8 bits.
package faiss
