package rag

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// documentRecord is a file as the index knows it.
type documentRecord struct {
	path    string
	title   string
	problem string // why it gave no passages, or ""
	size    int64
	modTime int64 // nanoseconds since 1970
	hash    [32]byte

	unit  unit        // of marks
	marks []placeMark // where the text stands in the file

	start, length int // of its text, in the text part
	first, count  int // of its passages
}

// passageRecord is a passage; offsets are into its document's text.
type passageRecord struct {
	document   int
	start, end int
	line       int // of the text, or 0 where its lines are not the file's
	headings   []string
	key        passageKey
}

// passageKey is the start of the SHA-256 of what the passage's vector is made
// from; equal keys have equal vectors.
type passageKey [16]byte

// table holds the documents in order of paths and their passages in order.
type table struct {
	documents []documentRecord
	passages  []passageRecord
}

// encode writes the table as docs/formats/corpus.md describes it.
func (t *table) encode() []byte {
	e := tableEncoder{known: map[string]int{}}
	e.number(len(t.documents))
	e.number(len(t.passages))
	for _, d := range t.documents {
		e.text(d.path)
		e.text(d.title)
		e.text(d.problem)
		e.number(int(d.size))
		e.out = binary.LittleEndian.AppendUint64(e.out, uint64(d.modTime))
		e.out = append(e.out, d.hash[:]...)
		e.number(d.length)
		e.number(d.count)
		e.marks(d.unit, d.marks)
		for _, p := range t.passages[d.first : d.first+d.count] {
			e.number(p.start)
			e.number(p.end - p.start)
			e.number(p.line)
			e.number(len(p.headings))
			for _, heading := range p.headings {
				e.text(heading)
			}
			e.out = append(e.out, p.key[:]...)
		}
	}
	return e.out
}

// tableEncoder writes each string once: a number above zero is an earlier
// string, counted from 1; zero is a new one.
type tableEncoder struct {
	out   []byte
	known map[string]int
}

// marks writes each start and number as its distance from the one before, the
// numbers' zigzagged since they may go back.
func (e *tableEncoder) marks(u unit, marks []placeMark) {
	e.number(int(u))
	e.number(len(marks))
	before := placeMark{}
	for _, m := range marks {
		e.number(m.start - before.start)
		e.out = binary.AppendVarint(e.out, int64(m.number-before.number))
		before = m
	}
}

func (e *tableEncoder) number(n int) { e.out = binary.AppendUvarint(e.out, uint64(n)) }

func (e *tableEncoder) text(s string) {
	if id, ok := e.known[s]; ok {
		e.number(id)
		return
	}
	e.known[s] = len(e.known) + 1
	e.number(0)
	e.number(len(s))
	e.out = append(e.out, s...)
}

// tableDecoder is tableEncoder's inverse; its first error stays.
type tableDecoder struct {
	version int // of the manifest
	data    []byte
	known   []string
	err     error
}

var errTableEnds = errors.New("it ends too early")

func (d *tableDecoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.data = nil
}

// number reads a number up to limit.
func (d *tableDecoder) number(limit int) int {
	n, size := binary.Uvarint(d.data)
	if size <= 0 {
		d.fail(errTableEnds)
		return 0
	}
	if n > uint64(limit) {
		d.fail(fmt.Errorf("the number %d where at most %d can stand", n, limit))
		return 0
	}
	d.data = d.data[size:]
	return int(n)
}

func (d *tableDecoder) bytes(n int) []byte {
	if n > len(d.data) {
		d.fail(errTableEnds)
		return make([]byte, min(n, 32))
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *tableDecoder) text() string {
	if id := d.number(len(d.known)); id > 0 {
		return d.known[id-1]
	} else if d.err != nil {
		return ""
	}
	s := string(d.bytes(d.number(len(d.data))))
	d.known = append(d.known, s)
	return s
}

const maxNumber = 1 << 48

// The least a record takes, which bounds what a damaged count can allocate.
const (
	minDocumentBytes = 3 + 1 + 8 + 32 + 1 + 1
	minPassageBytes  = 4 + 16
	minMarkBytes     = 2
)

// decodeTable reads a table of a version whose texts together have textBytes. What it
// returns holds together: every range lies inside what it is a range of.
func decodeTable(data []byte, textBytes, version int) (*table, error) {
	d := &tableDecoder{data: data, version: version}
	documents := d.number(len(data) / minDocumentBytes)
	passages := d.number(len(data) / minPassageBytes)
	if d.err != nil {
		return nil, d.err
	}
	t := &table{make([]documentRecord, 0, documents), make([]passageRecord, 0, passages)}
	textEnd := 0
	for i := range documents {
		doc := d.document(textEnd, textBytes, len(t.passages), passages)
		for range doc.count {
			t.passages = append(t.passages, d.passage(i, doc.length))
			if d.err != nil {
				return nil, fmt.Errorf("document %d: %w", i, d.err)
			}
		}
		if d.err != nil {
			return nil, fmt.Errorf("document %d: %w", i, d.err)
		}
		textEnd += doc.length
		t.documents = append(t.documents, doc)
	}
	if len(d.data) > 0 || textEnd != textBytes || len(t.passages) != passages {
		return nil, fmt.Errorf("%d passages, %d bytes of text and %d bytes left: want %d, %d and 0",
			len(t.passages), textEnd, len(d.data), passages, textBytes)
	}
	return t, nil
}

func (d *tableDecoder) document(start, textBytes, first, passages int) documentRecord {
	doc := documentRecord{path: d.text(), title: d.text(), problem: d.text(), start: start, first: first}
	doc.size = int64(d.number(maxNumber))
	doc.modTime = int64(binary.LittleEndian.Uint64(d.bytes(8)))
	copy(doc.hash[:], d.bytes(len(doc.hash)))
	doc.length = d.number(textBytes - start)
	doc.count = d.number(passages - first)
	if d.version > 1 {
		doc.unit = unit(d.number(int(numUnits) - 1))
		doc.marks = d.marks(doc.length)
	}
	return doc
}

// marks reads the marks of a text of that many bytes.
func (d *tableDecoder) marks(length int) []placeMark {
	n := d.number(len(d.data) / minMarkBytes)
	if n == 0 {
		return nil
	}
	marks := make([]placeMark, n)
	before := placeMark{}
	for i := range marks {
		before.start += d.number(length - before.start)
		before.number += d.difference()
		if before.number < 1 || before.number > maxNumber {
			d.fail(fmt.Errorf("mark %d has the number %d", i, before.number))
			return nil
		}
		marks[i] = before
	}
	return marks
}

// difference reads a number that may be negative.
func (d *tableDecoder) difference() int {
	n, size := binary.Varint(d.data)
	if size <= 0 {
		d.fail(errTableEnds)
		return 0
	}
	d.data = d.data[size:]
	return int(n)
}

func (d *tableDecoder) passage(document, length int) passageRecord {
	p := passageRecord{document: document, start: d.number(length)}
	p.end = p.start + d.number(length-p.start)
	p.line = d.number(maxNumber)
	if d.version == 1 {
		d.number(maxNumber) // the page, which marks tell now
	}
	for range d.number(len(d.data)) {
		p.headings = append(p.headings, d.text())
	}
	copy(p.key[:], d.bytes(len(p.key)))
	return p
}
