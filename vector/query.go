package vector

import (
	"cmp"

	"github.com/ragstone/ragstone/internal/index"
)

// Query asks for the points nearest to something. Exactly one of Vector, Multi,
// Sparse, Text, Like and Parts says to what.
type Query struct {
	Namespace string

	// Vector is compared with the dense vector named Using.
	Vector []float32
	// Multi is several vectors, compared with the multi-vector named Using by
	// MaxSim, or with a dense vector as if it were a multi-vector of one.
	Multi [][]float32
	// Sparse is compared with the sparse vector named Using; points that share
	// no index with it are not found.
	Sparse *Sparse
	// Text is ranked by the keyword index named Using; points without any of
	// its words are not found.
	Text string
	// Like finds points near some examples and far from others, by the dense
	// vector named Using.
	Like *Like
	// Parts are queries of their own whose results are fused by Fusion.
	Parts  []Part
	Fusion Fusion
	// Using names the vector or keyword index.
	Using string

	// Filter says which points may be found. Nil means all.
	Filter *Filter
	// K is the number of hits. 0 means 10; −1 means all, which needs a Limit.
	K int
	// Offset is how many of the best hits to leave out: pages are made of it.
	Offset int
	// Limit, if not nil, is the worst score that is found: the lowest of a
	// similarity, the highest of a distance.
	Limit *float64

	// With says what of the points the hits carry: by default the payload.
	With With
	// GroupBy is a payload key: hits are grouped by its value, K is the number
	// of groups and GroupSize (0 means 3) the most hits in one. Points without
	// a value are left out.
	GroupBy   string
	GroupSize int
	// Diverse, if not nil, trades nearness for variety among the hits.
	Diverse *Diverse

	// Prefix searches by the first so many dimensions (Matryoshka models put
	// the most telling ones there), and ranks what it finds by all of them.
	Prefix int

	Params
}

// Params tune one search. The zero value is right for most.
type Params struct {
	// EF is the number of candidates that a graph search keeps: more finds more
	// and takes longer. 0 means the index's default; at least K are kept.
	EF int
	// NProbe is the number of lists an IVF index scans. 0 means its default.
	NProbe int
	// Rescore is how many candidates, as a multiple of K, an index over codes
	// compares again with the vectors themselves. 0 means its default.
	Rescore float32
	// Exact compares every point instead of using an approximate index.
	Exact bool
}

// Part is one of several queries that are fused. Its fields are Query's.
type Part struct {
	Vector []float32
	Multi  [][]float32
	Sparse *Sparse
	Text   string
	Like   *Like
	Using  string
	// K is how many hits the part brings. 0 means four times what the query
	// wants, at least 40.
	K int
	// Weight is how much the part counts. 0 means 1.
	Weight float64
}

// Like is examples of what is wanted and what is not: points of the namespace
// by ID, or vectors. The search goes for the mean of the positive examples,
// moved away from the mean of the negative ones (Rocchio 1971, with all weights
// one): 2·mean(positive) − mean(negative). Points given as examples are not
// found.
type Like struct {
	Positive, Negative []Example
}

// Example is the point with ID, or Vector.
type Example struct {
	ID     ID
	Vector []float32
}

// Diverse reorders the best Candidates by maximal marginal relevance (Carbonell
// and Goldstein 1998): each next hit maximises
// Lambda·nearness − (1−Lambda)·(nearness to the hits chosen so far).
type Diverse struct {
	Lambda     float64 // 0 (variety) to 1 (nearness)
	Candidates int     // 0 means four times what is wanted, at least 40
}

// Hit is a point that was found.
type Hit struct {
	Point
	// Score is the metric's value: for distances lower is nearer. Of fused
	// queries it is the fused score, of keyword queries BM25's: higher is better.
	Score float64 `json:"score"`
	// Parts are, for fused queries, the hit's rank and score in each part.
	Parts []PartScore `json:"parts,omitempty"`
}

// PartScore is where one part of a query placed a hit. Rank 0 means it did not
// find it.
type PartScore struct {
	Rank  int     `json:"rank"`
	Score float64 `json:"score"`
}

// Group is the best hits with one value of Query.GroupBy.
type Group struct {
	Value any   `json:"value"`
	Hits  []Hit `json:"hits"`
}

// Result is the answer to a query: Hits, best first, or, if it has GroupBy,
// Groups, that with the best hit first.
type Result struct {
	Hits   []Hit   `json:"hits,omitempty"`
	Groups []Group `json:"groups,omitempty"`
	Plan   Plan    `json:"plan"`
}

// Plan says how a query was answered.
type Plan struct {
	// Strategies are how segments were searched, and how many each way: "scan",
	// "graph", "filtered graph", "lists", "codes", "postings", "memory".
	Strategies map[string]int `json:"strategies"`
	// Points is how many points were in the namespace.
	Points int `json:"points"`
	// Estimated is for how many of them the filter was guessed to hold before
	// payloads were read; Matched is for how many it held.
	Estimated int `json:"estimated"`
	Matched   int `json:"matched"`
	// Visited is how many were compared in full, Scored how many at all.
	Visited int `json:"visited"`
	Scored  int `json:"scored"`
	// Parts are the plans of a fused query's parts, each with the score of the
	// part's best hit.
	Parts []Plan  `json:"parts,omitempty"`
	Best  float64 `json:"best,omitempty"`
}

const (
	defaultK         = 10
	defaultGroupSize = 3
	allHits          = -1
	minCandidates    = 40
)

// part is the query without what happens to its hits afterwards.
func (q *Query) part() Part {
	return Part{Vector: q.Vector, Multi: q.Multi, Sparse: q.Sparse, Text: q.Text, Like: q.Like, Using: q.Using}
}

// targets is how many of the ways to say what is near are used.
func (p *Part) targets() int {
	n := 0
	for _, used := range []bool{p.Vector != nil, p.Multi != nil, p.Sparse != nil, p.Text != "", p.Like != nil} {
		if used {
			n++
		}
	}
	return n
}

func (q *Query) validate() error {
	p := q.part()
	switch {
	case p.targets() > 1 || p.targets() == 1 && len(q.Parts) > 0 || p.targets() == 0 && len(q.Parts) == 0:
		return invalid("a query says what is near in exactly one way: by a vector, a multi-vector, a sparse vector, a text, examples (like) or parts")
	case q.K < allHits || q.Offset < 0 || q.GroupSize < 0:
		return invalid("a query with k %d, offset %d and group size %d: none may be negative", q.K, q.Offset, q.GroupSize)
	case q.K == allHits && (q.Limit == nil || len(q.Parts) > 0 || q.GroupBy != "" || q.Diverse != nil):
		return invalid("a query for all hits (k −1) needs a limit, and has neither parts nor groups nor variety")
	case q.Diverse != nil && !(q.Diverse.Lambda >= 0 && q.Diverse.Lambda <= 1):
		return invalid("a query for variety with lambda %v: want 0 to 1", q.Diverse.Lambda)
	case q.Diverse != nil && (len(q.Parts) > 0 || q.GroupBy != "" || q.Vector == nil && q.Like == nil):
		return invalid("a query for variety is by a vector or by examples, without groups")
	case q.EF < 0 || q.NProbe < 0 || q.Prefix < 0 || q.Prefix > 0 && q.Vector == nil:
		return invalid("a query with ef %d, nprobe %d and prefix %d: none may be negative, and a prefix is of a vector", q.EF, q.NProbe, q.Prefix)
	}
	for i := range q.Parts {
		if q.Parts[i].targets() != 1 || q.Parts[i].K < 0 || !(q.Parts[i].Weight >= 0) {
			return invalid("part %d of a query: want exactly one of vector, multi-vector, sparse vector, text and examples, and no negative k or weight", i)
		}
	}
	return q.Fusion.validate()
}

// wanted is how many hits, from the best on, must be known.
func (q *Query) wanted() int { return cmp.Or(q.K, defaultK) + q.Offset }

func (p Params) index(f *index.Filter) index.Params {
	return index.Params{EF: p.EF, NProbe: p.NProbe, Rescore: p.Rescore, Exact: p.Exact, Filter: f}
}
