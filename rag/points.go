package rag

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ragstone/ragstone/vector"
)

// What an index is made of, as points of a vector database. Its one collection
// has three namespaces: passages, which are searched, files, and one point that
// says what the index was made of. All of a Sync's changes are one batch, or a
// database of their own.
const (
	collectionName = "passages"
	passageSpace   = "" // what vector.Query searches by itself
	fileSpace      = "files"
	stateSpace     = "state"

	keywordIndex = "text" // over a passage's context and text
	keyField     = "key"
)

// schema is that of the collection of an index.
func (id identity) schema() vector.Schema {
	s := vector.Schema{
		Keywords: map[string]vector.KeywordSpec{keywordIndex: {
			Keys: []string{"context", "text"}, Analyzer: id.Keywords.Analyzer, K1: id.Keywords.K1, B: id.Keywords.B, Exact: true,
		}},
		Payload: map[string]vector.PayloadIndex{keyField: vector.KeywordIndex},
	}
	if e := id.Embedding; e != nil {
		// A scan is exact, so that no passage is missed: 10,000 take about a millisecond.
		s.Vectors = map[string]vector.VectorSpec{"": {Dimensions: e.Dimensions, Metric: vector.Dot, Index: vector.Flat}}
	}
	return s
}

// indexState is the point that says what the index is.
type indexState struct {
	Written  time.Time `json:"written"` // when the Sync began that last looked at the files
	Roots    []string  `json:"roots"`   // what was indexed, and what of it left out
	Exclude  []string  `json:"exclude"` // by pattern
	Identity identity  `json:"identity"`

	Documents int    `json:"documents"`
	Passages  int    `json:"passages"`
	Next      uint64 `json:"next"` // the number of the next new document
}

var stateID = vector.Num(0)

func (s *indexState) point() vector.Point {
	return vector.Point{ID: stateID, Namespace: stateSpace, Payload: vector.Payload{"state": s}}
}

func decodeState(p vector.Payload) (*indexState, error) {
	raw, err := json.Marshal(p["state"])
	if err != nil {
		return nil, err
	}
	s := new(indexState)
	return s, json.Unmarshal(raw, s)
}

// documentRecord is a file as the index knows it.
type documentRecord struct {
	number  uint64 // of its point, and the upper part of its passages'
	path    string
	title   string
	problem string // why it gave no passages, or ""
	size    int64
	modTime int64 // nanoseconds since 1970
	hash    [32]byte
	unit    unit   // of its passages' marks
	tail    string // the text after the last passage

	count int // of its passages
	first int // number of its first passage among all, in order of paths
}

func (d *documentRecord) id() vector.ID { return vector.Num(d.number) }

func (d *documentRecord) point() vector.Point {
	payload := vector.Payload{
		"path": storedPath(d.path), "size": d.size, "modified": d.modTime, "hash": hex.EncodeToString(d.hash[:]),
		"passages": d.count,
	}
	setText(payload, "title", d.title)
	setText(payload, "problem", d.problem)
	setText(payload, "tail", d.tail)
	setNumber(payload, "unit", int(d.unit))
	return vector.Point{ID: d.id(), Namespace: fileSpace, Payload: payload}
}

func decodeDocument(p vector.Point) (d documentRecord, err error) {
	f := fields{payload: p.Payload}
	d.number, _ = p.ID.Number()
	if d.path, err = readPath(f.text("path")); err != nil {
		return d, err
	}
	d.title, d.problem, d.tail = f.text("title"), f.text("problem"), f.text("tail")
	d.size, d.modTime = f.number("size"), f.number("modified")
	d.unit, d.count = unit(f.number("unit")), int(f.number("passages"))
	if n, err := hex.Decode(d.hash[:], []byte(f.text("hash"))); err != nil || n != len(d.hash) {
		return d, fmt.Errorf("document %s has no hash", d.path)
	}
	if d.count < 0 || d.count > maxPassages || d.unit < 0 || d.unit >= numUnits {
		return d, fmt.Errorf("document %s has %d passages and unit %d", d.path, d.count, d.unit)
	}
	return d, nil
}

// maxPassages is how many passages a document may have: their number is the
// lower part of their points' IDs.
const (
	passageBits = 24
	maxPassages = 1 << passageBits
)

// passageID is the ID of a document's passage: IDs are in the order of passages
// in each document.
func (d *documentRecord) passageID(ordinal int) vector.ID {
	return vector.Num(d.number<<passageBits | uint64(ordinal))
}

// passageRecord is a passage; offsets are into its document's text.
type passageRecord struct {
	start    int
	before   string // the text between the passage ahead and this one
	text     string
	line     int // of the text, or 0 where its lines are not the file's
	headings []string
	marks    []placeMark // where text stands in the file, by offset in it
	key      passageKey
}

func (p *passageRecord) end() int { return p.start + len(p.text) }

// passageKey is the start of the SHA-256 of what the passage's vector is made
// from; equal keys have equal vectors.
type passageKey [16]byte

func (k passageKey) String() string { return hex.EncodeToString(k[:]) }

func parseKey(text string) (key passageKey, ok bool) {
	n, err := hex.Decode(key[:], []byte(text[:min(len(text), 2*len(key))]))
	return key, err == nil && n == len(key)
}

// point is a passage with its vector, nil in a keyword-only index.
func (p *passageRecord) point(d *documentRecord, ordinal int, embedding []float32) vector.Point {
	payload := vector.Payload{"text": p.text, "start": p.start, keyField: p.key.String()}
	setText(payload, "context", passageContext(d.title, p.headings))
	setText(payload, "before", p.before)
	setNumber(payload, "line", p.line)
	if len(p.headings) > 0 {
		payload["headings"] = p.headings
	}
	if len(p.marks) > 0 {
		var flat []int
		for _, m := range p.marks {
			flat = append(flat, m.start, m.number)
		}
		payload["marks"] = flat
	}
	return vector.Point{ID: d.passageID(ordinal), Vector: embedding, Payload: payload}
}

func decodePassage(p vector.Point) (passageRecord, error) {
	f := fields{payload: p.Payload}
	r := passageRecord{start: int(f.number("start")), before: f.text("before"), text: f.text("text"), line: int(f.number("line"))}
	for _, h := range f.list("headings") {
		heading, _ := h.(string)
		r.headings = append(r.headings, heading)
	}
	marks := f.list("marks")
	for i := 0; i+1 < len(marks); i += 2 {
		start, _ := marks[i].(int64)
		number, _ := marks[i+1].(int64)
		r.marks = append(r.marks, placeMark{int(start), int(number)})
	}
	var ok bool
	if r.key, ok = parseKey(f.text(keyField)); !ok || r.start < 0 || r.text == "" {
		return r, fmt.Errorf("passage %v has no key or no text", p.ID)
	}
	return r, nil
}

// fields reads a payload; what is missing or of another kind is zero.
type fields struct{ payload vector.Payload }

func (f fields) text(key string) string {
	s, _ := f.payload[key].(string)
	return s
}

func (f fields) number(key string) int64 {
	n, _ := f.payload[key].(int64)
	return n
}

func (f fields) list(key string) []any {
	l, _ := f.payload[key].([]any)
	return l
}

func setText(p vector.Payload, key, value string) {
	if value != "" {
		p[key] = value
	}
}

func setNumber(p vector.Payload, key string, value int) {
	if value != 0 {
		p[key] = value
	}
}

// Paths of some file systems are any bytes, and payloads are UTF-8: other paths
// are written as hexadecimal digits behind a byte that no path has.
const otherPath = "\x00"

func storedPath(path string) string {
	if utf8.ValidString(path) {
		return path
	}
	return otherPath + hex.EncodeToString([]byte(path))
}

func readPath(stored string) (string, error) {
	digits, other := strings.CutPrefix(stored, otherPath)
	if !other {
		return stored, nil
	}
	path, err := hex.DecodeString(digits)
	return string(path), err
}
