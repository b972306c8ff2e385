package vector

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/ragstone/ragstone/internal/faiss"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// MaxDimensions is the longest vector.
const MaxDimensions = 65536

// Schema says what the points of a collection consist of. A point may lack any
// of the vectors. Vectors are named; the name "" is the one that Point.Vector
// and a Query without Using mean.
type Schema struct {
	// Vectors are the dense vectors, by name.
	Vectors map[string]VectorSpec `json:"vectors,omitempty"`
	// Sparse are the names of sparse vectors, compared by inner product.
	Sparse []string `json:"sparse,omitempty"`
	// Keywords are the keyword indexes (BM25) over payload texts, by name.
	Keywords map[string]KeywordSpec `json:"keywords,omitempty"`
	// Payload are the indexes over payload keys: filters and facets on these
	// keys are answered without reading payloads. Other keys can be filtered
	// too, by reading them. Collection.IndexPayload adds more later.
	Payload map[string]PayloadIndex `json:"payload,omitempty"`
}

// VectorSpec describes one dense vector, or a multi-vector.
type VectorSpec struct {
	// Dimensions is the length, 1 to MaxDimensions.
	Dimensions int `json:"dimensions"`
	// Metric is how vectors are compared. The zero value is Cosine.
	Metric Metric `json:"metric,omitempty"`
	// Storage is how numbers are kept. The zero value is Float32.
	Storage Storage `json:"storage,omitempty"`
	// Index is how they are found. The zero value is Auto.
	Index IndexKind `json:"index,omitempty"`
	// Multi makes a point hold any number of these vectors, as late-interaction
	// models such as ColBERT give them. A query of several vectors scores a
	// point with MaxSim: the sum, over the query's vectors, of the best score
	// with any of the point's.
	Multi bool `json:"multi,omitempty"`
}

// KeywordSpec describes one keyword index.
type KeywordSpec struct {
	// Keys are the payload keys whose texts are indexed, together.
	Keys []string `json:"keys"`
	// Analyzer is the name of the analyser; "" is Ragstone's own for English.
	Analyzer string `json:"analyzer,omitempty"`
	// K1 and B are BM25's constants; both zero means 0.9 and 0.4.
	K1 float64 `json:"k1,omitempty"`
	B  float64 `json:"b,omitempty"`
	// Exact scores a point by the living points of its namespace and nothing
	// else: as if the namespace were a collection of its own that never held any
	// other. Otherwise deleted points, and those of other namespaces, count until
	// they are merged away. A query then costs a pass over the lengths of texts
	// where a segment has such points, and over the postings of its terms.
	Exact bool `json:"exact,omitempty"`
}

func (k KeywordSpec) params() lexical.Params {
	if k.K1 == 0 && k.B == 0 {
		return lexical.Params{K1: 0.9, B: 0.4}
	}
	return lexical.Params{K1: k.K1, B: k.B}
}

func (k KeywordSpec) analyzer() *lexical.Analyzer {
	if k.Analyzer == "" {
		return lexical.Default()
	}
	a, _ := lexical.Named(k.Analyzer)
	return a
}

// Dense is the schema of a collection with one unnamed vector.
func Dense(dimensions int, metric Metric) Schema {
	return Schema{Vectors: map[string]VectorSpec{"": {Dimensions: dimensions, Metric: metric}}}
}

// Metric is how vectors are compared.
type Metric string

// The metrics. Scores of a similarity are higher for nearer points, those of a
// distance lower.
const (
	// Cosine is the cosine of the angle, −1 to 1; 0 if a vector is zero.
	Cosine Metric = "cosine"
	// Dot is the inner product, whatever the norms.
	Dot Metric = "dot"
	// L2 is the Euclidean distance.
	L2 Metric = "l2"
	// L1 is the Manhattan distance.
	L1 Metric = "l1"
	// Hamming is the number of bits that differ. It wants Storage Binary.
	Hamming Metric = "hamming"
	// Jaccard is the number of common ones over the number of ones in either
	// vector, 0 to 1: a similarity. It wants Storage Binary.
	Jaccard Metric = "jaccard"
)

// IsDistance reports whether a lower score is nearer.
func (m Metric) IsDistance() bool { return m.kernel().Distance() }

// kernel is the metric as package index knows it.
func (m Metric) kernel() index.Metric {
	if m == "" {
		return index.Cosine
	}
	k, err := index.ParseMetric(string(m))
	if err != nil {
		panic("vector: " + err.Error()) // validate has passed it
	}
	return k
}

// Storage is how the numbers of a vector are kept on disk. What Get returns is
// what was kept.
type Storage string

// The storages.
const (
	// Float32 keeps numbers as they are given.
	Float32 Storage = "float32"
	// Float16 keeps eleven bits of precision; beyond ±65504 is refused.
	Float16 Storage = "float16"
	// Int8 keeps each number as one of 255 steps between the vector's greatest
	// magnitude and its negative; whole numbers within ±127 are kept exactly.
	Int8 Storage = "int8"
	// Binary keeps whether a number is above zero, and gives 1 or 0 back.
	Binary Storage = "binary"
)

// IndexKind is how vectors are found in a sealed segment: one of the constants, or a factory
// string as the library FAISS reads it, outermost part first, separated by commas:
//
//   - Transforms: PCA64 (PCAR64 turned, PCAW64 whitened), RR64, OPQ32, L2norm.
//   - Lists: IVF1024, or IVF1024_HNSW32 with a graph over the centroids. Params.NProbe
//     says how many are scanned.
//   - How vectors are kept: Flat, SQ8, SQ4, SQfp16, PQ32 (32 bytes), PQ32x4, PQ64x4fs
//     (in blocks, for fast scans), LSH; HNSW32, or HNSW32,SQ8, is a graph of its own, and
//     Params.EF says how wide it is searched. BHNSW32 is for Hamming.
//
// Candidates found by codes are ranked by the vectors (Params.Rescore). A segment with fewer
// vectors than lists or than centroids of PQ (256) is scanned. Under Cosine vectors are divided by
// their norm first. IDMap and RFlat may stand there and change nothing.
type IndexKind string

// The kinds of index.
const (
	// Auto scans small segments and builds a graph over large ones.
	Auto IndexKind = ""
	// Flat always scans: exact, and linear in the number of points.
	Flat IndexKind = "flat"
	// Graph builds a graph of neighbours however few the points are. It is for
	// Cosine, Dot and L2; vectors under other metrics are scanned.
	Graph IndexKind = "graph"
	// Lean is Graph in a fifth of its memory, in half of it from 512 dimensions on: of every vector
	// four bits a dimension, and its links or, from there on, signs of some dimensions of its neighbours. The
	// vectors themselves are read, from the mapped segment, to rank the best few: two thirds of
	// the speed at 128 dimensions, half at 768.
	Lean IndexKind = "lean"
)

// PayloadIndex is the kind of an index over a payload key.
type PayloadIndex string

// The payload indexes.
const (
	// KeywordIndex maps whole values (strings, integers, booleans) to points.
	KeywordIndex PayloadIndex = "keyword"
	// NumberIndex sorts numbers, for ranges and equality.
	NumberIndex PayloadIndex = "number"
	// TimeIndex sorts RFC 3339 date-times, for ranges.
	TimeIndex PayloadIndex = "time"
	// GeoIndex sorts places {"lat": …, "lon": …}, for radius and box.
	GeoIndex PayloadIndex = "geo"
	// TextIndex maps the words of texts to points, for full-text match.
	TextIndex PayloadIndex = "text"
)

// layout is a schema in the order of its field numbers, which never change once
// given: the log and the segments use them.
type layout struct {
	fields   []field
	number   map[string]int // of dense and multi-vectors
	sparse   map[string]int
	keywords []keywordField
	payload  []payloadField
}

// field is one dense, multi- or sparse vector.
type field struct {
	name string
	spec VectorSpec
	kind fieldKind
}

type fieldKind byte

const (
	denseField fieldKind = iota
	multiField
	sparseField
)

type keywordField struct {
	name string
	spec KeywordSpec
	keys []payload.Path
}

type payloadField struct {
	key  string
	path payload.Path
	kind PayloadIndex
}

// Validate says what of a schema cannot be: the error is an ErrInvalid.
func (s Schema) Validate() error {
	if _, err := s.compile(); err != nil {
		return invalid("%w", err)
	}
	return nil
}

// compile checks a schema and lays it out: names sorted, dense and multi-vectors
// before sparse ones.
func (s Schema) compile() (*layout, error) {
	l := &layout{number: map[string]int{}, sparse: map[string]int{}}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(s.Vectors)) {
		spec := s.Vectors[name]
		if err := errors.Join(validateFieldName(name), spec.validate()); err != nil {
			problems = append(problems, fmt.Errorf("vector %q: %w", name, err))
		}
		kind := denseField
		if spec.Multi {
			kind = multiField
		}
		l.number[name] = len(l.fields)
		l.fields = append(l.fields, field{name, spec, kind})
	}
	for _, name := range slices.Sorted(slices.Values(s.Sparse)) {
		_, twice := l.sparse[name]
		if err := validateFieldName(name); err != nil || twice {
			problems = append(problems, fmt.Errorf("sparse vector %q: a name that is twice there or unfit", name))
		}
		l.sparse[name] = len(l.fields)
		l.fields = append(l.fields, field{name: name, kind: sparseField})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Keywords)) {
		f, err := s.Keywords[name].compile(name)
		if err != nil {
			problems = append(problems, fmt.Errorf("keyword index %q: %w", name, err))
		}
		l.keywords = append(l.keywords, f)
	}
	for _, key := range slices.Sorted(maps.Keys(s.Payload)) {
		path, err := payload.ParsePath(key)
		if err != nil {
			problems = append(problems, err)
		}
		kind := s.Payload[key]
		if !slices.Contains([]PayloadIndex{KeywordIndex, NumberIndex, TimeIndex, GeoIndex, TextIndex}, kind) {
			problems = append(problems, fmt.Errorf("payload index %q: there is no kind %q", key, kind))
		}
		l.payload = append(l.payload, payloadField{key, path, kind})
	}
	return l, errors.Join(problems...)
}

func (k KeywordSpec) compile(name string) (keywordField, error) {
	f := keywordField{name: name, spec: k}
	if len(k.Keys) == 0 {
		return f, errors.New("names no payload key")
	}
	for _, key := range k.Keys {
		path, err := payload.ParsePath(key)
		if err != nil {
			return f, err
		}
		f.keys = append(f.keys, path)
	}
	if k.analyzer() == nil {
		return f, fmt.Errorf("there is no analyser %q", k.Analyzer)
	}
	if p := k.params(); !(p.K1 >= 0 && p.K1 <= 1000 && p.B >= 0 && p.B <= 1) {
		return f, fmt.Errorf("k1 %v and b %v: want 0 ≤ k1 ≤ 1000 and 0 ≤ b ≤ 1", p.K1, p.B)
	}
	return f, validateFieldName(name)
}

func (v VectorSpec) validate() error {
	if v.Dimensions < 1 || v.Dimensions > MaxDimensions {
		return fmt.Errorf("%d dimensions: want 1 to %d", v.Dimensions, MaxDimensions)
	}
	metric := index.Cosine
	if v.Metric != "" {
		var err error
		if metric, err = index.ParseMetric(string(v.Metric)); err != nil {
			return err
		}
	}
	switch v.Storage {
	case "", Float32, Float16, Int8, Binary:
	default:
		return fmt.Errorf("there is no storage %q", v.Storage)
	}
	if metric.Binary() != (v.Storage == Binary) {
		return fmt.Errorf("metric %s with storage %s: hamming and jaccard go with binary, and only they", metric, v.Storage.name())
	}
	switch v.Index {
	case Auto, Flat, Graph, Lean:
	default:
		return v.validateFactory(metric)
	}
	return nil
}

// validateFactory checks an index that is none of the constants.
func (v VectorSpec) validateFactory(metric index.Metric) error {
	spec, err := faiss.Parse(string(v.Index))
	if err != nil {
		return err
	}
	if v.Multi {
		return fmt.Errorf("index %s: multi-vectors are scanned", v.Index)
	}
	return spec.Check(metric, v.Dimensions)
}

func (s Storage) name() string {
	if s == "" {
		return string(Float32)
	}
	return string(s)
}

func validateFieldName(name string) error {
	if len(name) > 255 || !utf8.ValidString(name) {
		return errors.New("a name has at most 255 bytes of UTF-8")
	}
	return nil
}

// dense returns the number of a dense or multi-vector.
func (l *layout) dense(name string) (int, error) {
	n, ok := l.number[name]
	if !ok {
		return 0, fmt.Errorf("the collection has no vector %q; it has %q", name, slices.Sorted(maps.Keys(l.number)))
	}
	return n, nil
}

func (s Schema) clone() Schema {
	s.Vectors, s.Keywords, s.Payload = maps.Clone(s.Vectors), maps.Clone(s.Keywords), maps.Clone(s.Payload)
	s.Sparse = slices.Clone(s.Sparse)
	return s
}

// compatible reports whether points of one schema fit the other: all but the
// payload indexes is equal.
func (s Schema) compatible(other Schema) bool {
	s, other = s.clone(), other.clone()
	s.Payload, other.Payload = nil, nil
	return s.String() == other.String()
}

// String returns the schema as JSON, with defaults written out.
func (s Schema) String() string {
	s = s.clone()
	for name, v := range s.Vectors {
		v.Metric, v.Storage = cmp.Or(v.Metric, Cosine), cmp.Or(v.Storage, Float32)
		s.Vectors[name] = v
	}
	slices.Sort(s.Sparse)
	text, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
