package vector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/internal/lexical"
	"github.com/ragstone/ragstone/vector/internal/container"
	"github.com/ragstone/ragstone/vector/internal/payload"
)

// indexKind marks an index file.
var indexKind = [4]byte{'i', 'n', 'd', 'x'}

// derived is what a segment's index file holds: everything here can be made
// again from the segment. What is missing is done without, more slowly.
type derived struct {
	payload  map[string]*payloadIndex      // by payloadName
	keywords []*lexical.Index              // by keyword index of the layout
	sparse   []*sparseIndex                // by field number; nil for others
	indexes  []*indexFile                  // by field number; nil: scan
	lengths  []atomic.Pointer[scaledIndex] // by keyword index: the last one asked for
	bytes    int64
	close    func() error
	before   *derived // an earlier one, which readers may still use
}

// scaledIndex is a keyword index that scores by another average length.
type scaledIndex struct {
	average float64
	index   *lexical.Index
}

// scaled returns a keyword index that scores by an average length of texts. One
// is kept, since that changes with writes only.
func (d *derived) scaled(number int, average float64) *lexical.Index {
	if kept := d.lengths[number].Load(); kept != nil && kept.average == average {
		return kept.index
	}
	made := &scaledIndex{average, d.keywords[number].Scaled(average)}
	d.lengths[number].Store(made)
	return made.index
}

// aboutDerived ties an index file to its segment.
type aboutDerived struct {
	Segment uint64 `json:"segment"`
	Rows    int    `json:"rows"`
}

// payloadName names a payload index, and its section.
func payloadName(path payload.Path, kind PayloadIndex) string {
	return "payload." + string(kind) + "." + strings.Join(path, "\x00")
}

func keywordsName(k keywordField) string { return "keywords." + k.name }

// derive writes a segment's index file and uses it. Vector indexes take long to build,
// so they are left to merges, and given up when ctx ends: until then vectors are scanned.
func (c *Collection) derive(ctx context.Context, s *segment, vectors bool) error {
	l := c.layout.Load()
	path := c.path(indexName(s.number))
	err := disk.WriteFileIn(c.fsys, path, 0o644, func(f io.Writer) error {
		w := container.NewWriter(f, indexKind)
		about, err := json.Marshal(aboutDerived{s.number, s.rows})
		if err != nil {
			return err
		}
		w.Section("about", about)
		if err := c.writeDerived(ctx, w, l, s, vectors); err != nil {
			return err
		}
		return w.Close()
	})
	if err != nil {
		return fmt.Errorf("index segment %d: %w", s.number, err)
	}
	return c.useDerived(s, l)
}

func (c *Collection) writeDerived(ctx context.Context, w *container.Writer, l *layout, s *segment, vectors bool) error {
	for _, f := range l.payload {
		section, err := buildPayloadIndex(f, s)
		if err != nil {
			return fmt.Errorf("payload index %q: %w", f.key, err)
		}
		w.Section(payloadName(f.path, f.kind), section)
	}
	for _, k := range l.keywords {
		w.Section(keywordsName(k), k.build(s))
	}
	for number, f := range l.fields {
		switch f.kind {
		case sparseField:
			w.Section(sectionName(number, ""), buildSparse(s, number))
		case denseField:
			if old := s.derived.Load(); old != nil && old.indexes[number] != nil && !old.indexes[number].damaged.Load() {
				w.Section(sectionName(number, ""), old.indexes[number].data)
			} else if column := &s.columns[number]; vectors && column.wantsIndex() {
				w.Begin(sectionName(number, ""))
				if err := column.writeIndex(ctx, w, c.db.options.Threads); err != nil {
					return fmt.Errorf("vector %q: %w", f.name, err)
				}
			}
		}
	}
	return nil
}

// build returns the keyword index of a segment: document n is row n.
func (k keywordField) build(s *segment) []byte {
	b := lexical.NewBuilder(k.spec.analyzer(), k.spec.params())
	for row := range s.rows {
		var parts []string
		texts(s.payload(row), k.keys, func(text string) { parts = append(parts, text) })
		b.Add(parts...)
	}
	return b.Build().Bytes()
}

// loadDerived uses a segment's index file, and makes it again if it is missing,
// damaged or lacks an index of the schema.
func (c *Collection) loadDerived(s *segment) error {
	err := c.useDerived(s, c.layout.Load())
	if lost(err) && !c.db.options.ReadOnly {
		return c.derive(context.Background(), s, false)
	}
	return err
}

// useDerived opens a segment's index file.
func (c *Collection) useDerived(s *segment, l *layout) error {
	path := c.path(indexName(s.number))
	data, unmap, err := mapped(c.fsys, path)
	if err != nil {
		return err
	}
	d, err := parseDerived(data, l, s, c.db.options.ReadOnly)
	if err != nil {
		unmap()
		return corrupt(path, err)
	}
	before := s.derived.Load()
	d.before = before
	d.close = func() error {
		if before != nil {
			before.close()
		}
		return unmap()
	}
	s.derived.Store(d)
	return nil
}

// parseDerived reads an index file. Its sections are checked against their
// checksums, except for vector indexes, which check themselves.
func parseDerived(data []byte, l *layout, s *segment, readOnly bool) (*derived, error) {
	f, err := container.Open(data, indexKind)
	if err != nil {
		return nil, err
	}
	if err := f.Verify("about"); err != nil {
		return nil, err
	}
	var about aboutDerived
	if err := json.Unmarshal(f.Section("about"), &about); err != nil {
		return nil, err
	}
	if want := (aboutDerived{s.number, s.rows}); about != want {
		return nil, fmt.Errorf("it belongs to another segment: %+v, want %+v", about, want)
	}
	d := &derived{
		payload: map[string]*payloadIndex{}, bytes: int64(len(data)),
		sparse: make([]*sparseIndex, len(l.fields)), indexes: make([]*indexFile, len(l.fields)),
		lengths: make([]atomic.Pointer[scaledIndex], len(l.keywords)),
	}
	for _, field := range l.payload {
		name := payloadName(field.path, field.kind)
		if readOnly && !f.Has(name) {
			continue // it is being added, and done without until then
		}
		if err := f.Verify(name); err != nil {
			return nil, err
		}
		if d.payload[name], err = parsePayloadIndex(field.kind, f.Section(name), s.rows); err != nil {
			return nil, fmt.Errorf("section %q: %w", name, err)
		}
	}
	for _, k := range l.keywords {
		x, err := lexical.Load(f.Section(keywordsName(k)))
		if err != nil {
			return nil, err
		}
		if x.Len() != s.rows {
			return nil, fmt.Errorf("section %q: it has %d documents, want %d", keywordsName(k), x.Len(), s.rows)
		}
		d.keywords = append(d.keywords, x)
	}
	return d, d.parseVectors(f, l, s)
}

func (d *derived) parseVectors(f *container.File, l *layout, s *segment) (err error) {
	for number, field := range l.fields {
		name := sectionName(number, "")
		switch {
		case field.kind == sparseField:
			if err := f.Verify(name); err != nil {
				return err
			}
			if d.sparse[number], err = parseSparse(f.Section(name), s.rows); err != nil {
				return fmt.Errorf("section %q: %w", name, err)
			}
		case f.Has(name):
			d.indexes[number] = &indexFile{data: f.Section(name), verify: func() error { return f.Verify(name) }}
		}
	}
	return nil
}

// IndexPayload adds an index over a payload key, replacing one of another kind,
// and builds it for the points that are there. It waits for a merge that is
// under way.
func (c *Collection) IndexPayload(key string, kind PayloadIndex) error {
	if c.db.options.ReadOnly {
		return fmt.Errorf("add a payload index: %w", ErrReadOnly)
	}
	c.merging.Lock()
	defer c.merging.Unlock()
	c.structure.Lock()
	defer c.structure.Unlock()
	next := c.manifest.clone()
	next.Schema = next.Schema.clone()
	if next.Schema.Payload[key] == kind {
		return nil
	}
	if next.Schema.Payload == nil {
		next.Schema.Payload = map[string]PayloadIndex{}
	}
	next.Schema.Payload[key] = kind
	l, err := next.Schema.compile()
	if err != nil {
		return invalid("%w", err)
	}
	if err := c.commit(next); err != nil {
		return fmt.Errorf("add a payload index: %w", err)
	}
	c.layout.Store(l)
	for _, s := range c.segments() {
		if err := c.derive(context.Background(), s, false); err != nil {
			return fmt.Errorf("add a payload index: %w", err)
		}
	}
	return nil
}
