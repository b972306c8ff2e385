package rag

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector"
)

// snapshot is an index at one moment: its database, opened to be read beside
// whoever writes, and the list of its documents. It is immutable. A snapshot
// counts its users and closes the database when the last one lets go.
type snapshot struct {
	manifest  *manifest // nil where there is no index
	state     indexState
	documents []documentRecord // in order of paths
	passages  int
	numbers   map[uint64]int // document number to its place

	db     *vector.DB         // nil where there is no index, or one of an older version
	points *vector.Collection // of db
	view   *vector.Snapshot   // of points
	dir    string             // of db

	users atomic.Int32
}

// emptySnapshot is what a directory without an index holds, or with one of an
// older version.
func emptySnapshot(m *manifest) *snapshot {
	s := &snapshot{manifest: m}
	s.users.Store(1)
	return s
}

func (s *snapshot) release() {
	if s.users.Add(-1) > 0 || s.db == nil {
		return
	}
	if s.view != nil {
		s.view.Close()
	}
	_ = s.db.Close() // it was only read
}

// hasVectors reports whether passages can be ranked by vectors.
func (s *snapshot) hasVectors() bool { return s.db != nil && s.state.Identity.Embedding != nil }

// open opens the index. Between reading the manifest and opening the database a
// writer may replace and remove it; then the manifest has changed, and open
// begins again.
func (s store) open() (*snapshot, error) {
	m, err := s.readManifest()
	for {
		if err != nil {
			return nil, err
		}
		if m == nil || m.foreign() {
			return emptySnapshot(m), nil
		}
		snap, openErr := s.load(m)
		var again *manifest
		if again, err = s.readManifest(); err == nil && again != nil && *again == *m {
			return snap, openErr
		}
		if openErr == nil {
			snap.release()
		}
		m = again
	}
}

// load opens the database that a manifest names and lists its documents.
func (s store) load(m *manifest) (*snapshot, error) {
	snap, err := s.openDatabase(m.Database, true)
	if err != nil {
		return nil, err
	}
	snap.manifest = m
	if err := snap.list(); err != nil {
		snap.release()
		return nil, &CorruptError{snap.dir, err.Error()}
	}
	return snap, nil
}

// openDatabase opens a database and reads its state. With verify all its bytes
// are compared with their checksums.
func (s store) openDatabase(number uint64, verify bool) (*snapshot, error) {
	snap := emptySnapshot(nil)
	snap.dir = s.database(number)
	options := vector.Options{ReadOnly: true, Verify: verify}
	if _, real := s.fs.(disk.OS); !real {
		options = options.OnFiles(s.fs)
	}
	err := snap.openView(options)
	if err == nil {
		return snap, nil
	}
	snap.release()
	damaged, ok := errors.AsType[*vector.CorruptError](err)
	switch {
	case ok:
		return nil, &CorruptError{damaged.Path, damaged.Reason}
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, vector.ErrNotFound):
		return nil, &CorruptError{snap.dir, "it is missing"}
	}
	return nil, fmt.Errorf("open index: %w", err)
}

func (s *snapshot) openView(options vector.Options) (err error) {
	if s.db, err = vector.Open(s.dir, options); err != nil {
		return err
	}
	if s.points, err = s.db.Lookup(collectionName); err != nil {
		return err
	}
	if s.view, err = s.points.Snapshot(); err != nil {
		return err
	}
	found, err := s.view.Get(context.Background(), stateSpace, vector.With{}, stateID)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &vector.CorruptError{Path: s.dir, Reason: "it does not say what it is an index of"}
	}
	state, err := decodeState(found[0].Payload)
	if err != nil {
		return &vector.CorruptError{Path: s.dir, Reason: err.Error()}
	}
	s.state = *state
	return nil
}

// list reads all documents and counts passages.
func (s *snapshot) list() error {
	for p, err := range s.view.Points(context.Background(), vector.Scroll{Namespace: fileSpace}) {
		if err != nil {
			return err
		}
		d, err := decodeDocument(p)
		if err != nil {
			return err
		}
		s.documents = append(s.documents, d)
	}
	slices.SortFunc(s.documents, func(a, b documentRecord) int { return strings.Compare(a.path, b.path) })
	s.numbers = make(map[uint64]int, len(s.documents))
	for i := range s.documents {
		d := &s.documents[i]
		d.first = s.passages
		s.passages += d.count
		s.numbers[d.number] = i
	}
	if len(s.documents) != s.state.Documents || s.passages != s.state.Passages {
		return fmt.Errorf("it has %d documents and %d passages, and says %d and %d",
			len(s.documents), s.passages, s.state.Documents, s.state.Passages)
	}
	return nil
}

// current reports whether nothing was written since the snapshot was opened.
func (s *snapshot) current(m *manifest) bool {
	if m == nil || s.db == nil || m.Database != s.manifest.Database {
		return m == nil && s.manifest == nil
	}
	changed, err := s.points.Changed()
	return err == nil && !changed
}

// find returns the place of a path among the documents.
func (s *snapshot) find(path string) (i int, ok bool) {
	return slices.BinarySearchFunc(s.documents, path, func(d documentRecord, path string) int {
		return strings.Compare(d.path, path)
	})
}

// readable counts the documents with passages.
func (s *snapshot) readable() int {
	n := 0
	for _, d := range s.documents {
		if d.problem == "" {
			n++
		}
	}
	return n
}

// documentOf returns the document of passage id.
func (s *snapshot) documentOf(id int) *documentRecord {
	i, ok := slices.BinarySearchFunc(s.documents, id, func(d documentRecord, id int) int { return d.first - id })
	if !ok {
		i--
	}
	for s.documents[i].count == 0 { // shares its first with the one that has passages
		i++
	}
	return &s.documents[i]
}

// place returns the number of a passage among all, by its point.
func (s *snapshot) place(id vector.ID) (passage int, ok bool) {
	n, _ := id.Number()
	i, ok := s.numbers[n>>passageBits]
	if !ok {
		return 0, false
	}
	return s.documents[i].first + int(n&(maxPassages-1)), true
}

// documentPoints returns the points of a document's passages, in order.
func (s *snapshot) documentPoints(ctx context.Context, d *documentRecord, with vector.With) ([]vector.Point, error) {
	ids := make([]vector.ID, d.count)
	for i := range ids {
		ids[i] = d.passageID(i)
	}
	points, err := s.view.Get(ctx, passageSpace, with, ids...)
	if err == nil && len(points) != d.count {
		err = &CorruptError{s.dir, fmt.Sprintf("document %s has %d passages of %d", d.path, len(points), d.count)}
	}
	return points, err
}

// documentPassages reads a document's passages.
func (s *snapshot) documentPassages(ctx context.Context, d *documentRecord) ([]passageRecord, error) {
	points, err := s.documentPoints(ctx, d, vector.With{})
	if err != nil {
		return nil, err
	}
	records := make([]passageRecord, len(points))
	for i, p := range points {
		if records[i], err = decodePassage(p); err != nil {
			return nil, &CorruptError{s.dir, err.Error()}
		}
	}
	return records, nil
}

// documentText puts a document's text together.
func (s *snapshot) documentText(d *documentRecord) (string, error) {
	records, err := s.documentPassages(context.Background(), d)
	if err != nil {
		return "", err
	}
	return joined(records, d.tail), nil
}

// joined is the text that passages, which may overlap, and what lies between
// them add up to.
func joined(records []passageRecord, tail string) string {
	var text strings.Builder
	for _, p := range records {
		text.WriteString(p.before)
		known := max(0, text.Len()-p.start)
		text.WriteString(p.text[min(known, len(p.text)):])
	}
	text.WriteString(tail)
	return text.String()
}

// passage returns passage id.
func (s *snapshot) passage(id int) (Passage, error) {
	d := s.documentOf(id)
	points, err := s.view.Get(context.Background(), passageSpace, vector.With{}, d.passageID(id-d.first))
	if err != nil {
		return Passage{}, err
	}
	if len(points) == 0 {
		return Passage{}, &CorruptError{s.dir, fmt.Sprintf("document %s lacks passage %d", d.path, id-d.first)}
	}
	r, err := decodePassage(points[0])
	if err != nil {
		return Passage{}, &CorruptError{s.dir, err.Error()}
	}
	passage := Passage{
		ID:       id,
		Path:     d.path,
		Title:    d.title,
		Start:    r.start,
		End:      r.end(),
		Text:     r.text,
		Headings: r.headings,
		Place:    Place{Line: r.line},
		unit:     d.unit,
		marks:    r.marks,
	}
	passage.Place = passage.PlaceAt(0)
	if passage.isRow(lineAt(passage.Text, 0)) {
		text, err := s.documentText(d)
		if err != nil {
			return Passage{}, err
		}
		above := text[max(0, r.start-maxHeadBytes):r.start]
		passage.head = headOf(above+passage.Text, len(above), passage.isRow)
	}
	return passage, nil
}
