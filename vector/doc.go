// Package vector is a vector database to import: collections of points with
// vectors and JSON payloads, searched by nearness, by filter and by words,
// durable in a folder. No server, no cgo.
//
//	db, err := vector.Open("films.db", vector.Options{})
//	films, err := db.Collection("films", vector.Dense(384, vector.Cosine))
//	err = films.Upsert(ctx, vector.Point{ID: vector.Num(7), Vector: embedding,
//		Payload: vector.Payload{"title": "Metropolis", "year": 1927}})
//	result, err := films.Search(ctx, vector.Query{Vector: question, K: 5,
//		Filter: vector.All(vector.Range{Key: "year", LT: 1960})})
//	for _, hit := range result.Hits {
//		fmt.Println(hit.Score, hit.Payload["title"])
//	}
//
// # Terms
//
// A [Point] has an [ID] (a number, a UUID or a string), any number of named
// vectors, and a payload. Vectors are dense, sparse, or multi-vectors (many
// dense ones, compared by MaxSim). A [Collection] holds points of one [Schema],
// in namespaces: parts that are searched by themselves and cost nothing to
// have, one for each user, say. A [Filter] tells points by their payloads. A
// [Query] says what is near, and how much of it is wanted; parts of one query
// may ask by vector, by sparse vector and by words, and are fused. The answer
// carries a [Plan]: how it was found and how many points were looked at. A
// [Snapshot] is a collection at one moment.
//
// # How it works
//
// A collection is a log and segments. A write is appended to the log, flushed,
// applied in memory and acknowledged. When the points in memory have grown to
// Options.SealBytes, they are sealed: written as a segment, an immutable file
// that is mapped, its points in the order of namespace and ID. Beside each
// segment lies a file of indexes over it (vectors, sparse vectors, payload
// keys, words), which can be made again at any time. Merges in the background
// keep segments few. A manifest names the files that count; replacing it is the
// commit of every change to them. docs/formats/vector.md draws all of it.
//
// A point that is replaced or deleted stays where it was, with the number of
// the write that ended it. So a snapshot is two things, the list of segments
// and the number of a write, and it costs nothing to take: readers see what was
// alive at that write, and neither side waits for the other.
//
// A search asks every segment for its best points and merges them. Which rows
// of a segment may be found is a bitmap: of the namespace (a range, since rows
// are sorted), of the living, and of the filter, as far as payload indexes know;
// for the rest payloads are read, in their binary form. The segment's index
// takes the bitmap and decides, by how many bits are set, whether to scan those
// rows or to walk the graph around them.
//
// # Promises
//
// Durability: with the default options an acknowledged write survives a killed
// process, a power cut and a full disk; one that was not is there whole or not
// at all. Torn tails of the log are cut. A file damaged otherwise is set aside,
// named by Collection.Damage, and the rest goes on. [Check] verifies a folder.
//
// Completeness: a search returns min(K, matches) hits. With Params.Exact, or
// while a collection is small, they are the nearest; an approximate index may
// miss some.
//
// Concurrency: everything but [Batch] is safe for concurrent use. A read sees
// all writes that were acknowledged before it began. One DB at a time opens a
// folder to write; any number of others, in this process and in others, may
// read it meanwhile, each as it was when it looked (Options.ReadOnly).
//
// Memory: points that are not sealed yet, and merges, stay below
// Options.MaxBytes. Segments are mapped and paged.
//
// The package leaves out transactions over several collections, replication,
// and access control.
package vector
