package rag

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/lexical"
)

// snapshot is one generation of an index in memory: its large parts are mapped
// files, used in place. It is immutable. A snapshot counts its users and
// unmaps the files when the last one lets go.
type snapshot struct {
	manifest *manifest // nil where there is no index
	*table
	text     []byte
	keywords *lexical.Index
	vectors  *index.Flat // nil without an embedding

	maps  []*disk.Mapping
	users atomic.Int32
}

// emptySnapshot is what a directory without an index holds.
func emptySnapshot() *snapshot {
	s := &snapshot{table: &table{}, keywords: lexical.NewBuilder(lexical.Default(), bm25).Build()}
	s.users.Store(1)
	return s
}

func (s *snapshot) release() {
	if s.users.Add(-1) > 0 {
		return
	}
	for _, m := range s.maps {
		_ = m.Close() // unmapping memory that was only read loses nothing
	}
}

// generation is 0 where there is no index.
func (s *snapshot) generation() uint64 {
	if s.manifest == nil {
		return 0
	}
	return s.manifest.Generation
}

// open loads the newest generation. Between reading the manifest and opening
// the files a writer may replace and remove them; then the manifest has
// changed, and open begins again.
func (s store) open() (*snapshot, error) {
	for {
		m, err := s.readManifest()
		if err != nil {
			return nil, err
		}
		if m == nil {
			return emptySnapshot(), nil
		}
		snap, err := s.load(m)
		if !errors.Is(err, fs.ErrNotExist) {
			return snap, err
		}
		if again, errAgain := s.readManifest(); errAgain != nil || again == nil || again.Generation == m.Generation {
			return nil, &CorruptError{s.path(manifestName), "a file it names is missing: " + err.Error()}
		}
	}
}

// load maps and checks the parts of a generation.
func (s store) load(m *manifest) (*snapshot, error) {
	snap := &snapshot{manifest: m}
	snap.users.Store(1)
	for _, load := range []func(*snapshot) error{s.loadTable, s.loadKeywords, s.loadVectors} {
		if err := load(snap); err != nil {
			snap.release()
			return nil, err
		}
	}
	return snap, nil
}

func (s store) loadTable(snap *snapshot) (err error) {
	if snap.text, err = s.openPart(snap, partText); err != nil {
		return err
	}
	raw, err := s.openPart(snap, partTable)
	if err != nil {
		return err
	}
	m := snap.manifest
	if snap.table, err = decodeTable(raw, len(snap.text), m.Version); err != nil {
		return s.corrupt(m, partTable, "%v", err)
	}
	if len(snap.documents) != m.Documents || len(snap.passages) != m.Passages {
		return s.corrupt(m, partTable, "it has %d documents and %d passages, and the manifest %d and %d",
			len(snap.documents), len(snap.passages), m.Documents, m.Passages)
	}
	return nil
}

func (s store) loadKeywords(snap *snapshot) error {
	raw, err := s.openPart(snap, partKeywords)
	if err != nil {
		return err
	}
	m := snap.manifest
	if snap.keywords, err = lexical.Load(raw); err != nil {
		return s.corrupt(m, partKeywords, "%v", err)
	}
	if snap.keywords.Len() != m.Passages {
		return s.corrupt(m, partKeywords, "it has %d passages, and the manifest %d", snap.keywords.Len(), m.Passages)
	}
	return nil
}

func (s store) loadVectors(snap *snapshot) error {
	m := snap.manifest
	if m.Identity.Embedding == nil {
		return nil
	}
	raw, err := s.openPart(snap, partVectors)
	if err != nil {
		return err
	}
	dimensions := m.Identity.Embedding.Dimensions
	if dimensions < 1 || len(raw) != 4*dimensions*m.Passages {
		return s.corrupt(m, partVectors, "it has %d bytes, want %d vectors of %d dimensions", len(raw), m.Passages, dimensions)
	}
	snap.vectors = index.NewFlat(index.Dot, dimensions, floats(raw))
	return nil
}

func (s store) corrupt(m *manifest, kind, format string, args ...any) error {
	p, _ := m.part(kind)
	return &CorruptError{s.path(p.Name), fmt.Sprintf(format, args...)}
}

// openPart maps a part and compares its length and checksum with the manifest.
func (s store) openPart(snap *snapshot, kind string) ([]byte, error) {
	p, ok := snap.manifest.part(kind)
	if !ok {
		return nil, &CorruptError{s.path(manifestName), "it names no " + kind + " part"}
	}
	data, err := s.bytes(snap, p)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	if int64(len(data)) != p.Bytes {
		return nil, &CorruptError{s.path(p.Name), fmt.Sprintf("it has %d bytes, want %d", len(data), p.Bytes)}
	}
	if got := checksum(data); got != p.CRC32C {
		return nil, &CorruptError{s.path(p.Name), fmt.Sprintf("checksum is %s, want %s", got, p.CRC32C)}
	}
	return data, nil
}

// bytes returns the content of a part: mapped from a real disk, read from any
// other. A file without content cannot be mapped everywhere, nor need be.
func (s store) bytes(snap *snapshot, p part) ([]byte, error) {
	if _, real := s.fs.(disk.OS); !real || p.Bytes == 0 {
		return disk.ReadFile(s.fs, s.path(p.Name))
	}
	m, err := disk.Map(s.path(p.Name))
	if err != nil {
		return nil, err
	}
	snap.maps = append(snap.maps, m)
	return m.Bytes(), nil
}

// floats views little-endian bytes as numbers. A mapping begins at a page, so
// the view is aligned; all platforms Ragstone is built for are little-endian.
func floats(raw []byte) []float32 {
	if len(raw) == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(raw))), len(raw)/4)
}

// floatBytes is the inverse of floats.
func floatBytes(numbers []float32) []byte {
	if len(numbers) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), 4*len(numbers))
}

// find returns the place of a path among the documents.
func (t *table) find(path string) (i int, ok bool) {
	return slices.BinarySearchFunc(t.documents, path, func(d documentRecord, path string) int {
		return strings.Compare(d.path, path)
	})
}

// documentText returns a copy of a document's text.
func (s *snapshot) documentText(d documentRecord) string {
	return string(s.text[d.start : d.start+d.length])
}

// passage returns a copy of passage id.
func (s *snapshot) passage(id int) Passage {
	p := s.passages[id]
	d := s.documents[p.document]
	passage := Passage{
		ID:       id,
		Path:     d.path,
		Title:    d.title,
		Start:    p.start,
		End:      p.end,
		Text:     string(s.text[d.start+p.start : d.start+p.end]),
		Headings: slices.Clone(p.headings),
		Place:    Place{Line: p.line},
		unit:     d.unit,
		marks:    within(d.marks, p.start, p.end),
	}
	passage.Place = passage.PlaceAt(0)
	if passage.isRow(lineAt(passage.Text, 0)) {
		above := s.text[d.start+max(0, p.start-maxHeadBytes) : d.start+p.start]
		passage.head = headOf(string(above)+passage.Text, len(above), passage.isRow)
	}
	return passage
}
