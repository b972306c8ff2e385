package rag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/vector"
)

// A Sync's changes are written in one of two ways. What is small beside the index
// is one batch of its database, which is there whole or not at all. What is not,
// a first Sync and an index built with other settings are a database of their own,
// written in steps and made the index by the manifest. It is then one sorted
// segment without a log, which is how an index opens fastest.

const (
	// defaultLogBytes is how much memory the points in the log may take: opening reads
	// the log anew each time.
	defaultLogBytes = 2 << 20
	// fewDead is how many deleted points do no harm in any index.
	fewDead = 1000
	// stepPoints is how many points of a new database are written at a time.
	stepPoints = 64
	// maxUnfinished is how many databases of earlier Syncs that ended early are
	// kept for the vectors in them.
	maxUnfinished = 2
)

// passageContext is what stands above a passage in its document, which both
// retrievers read before it: its headings, or the document's title where it
// has none.
func passageContext(title string, headings []string) string {
	if len(headings) == 0 {
		return title
	}
	return strings.Join(headings, " ")
}

// embeddedText is what a passage's vector is made from: its context and text,
// or the text alone where both are more than the model reads.
func (s *syncing) embeddedText(title string, p passageRecord) string {
	e := s.Corpus.options.Embedding
	if e == nil {
		return p.text
	}
	if context := passageContext(title, p.headings); context != "" {
		full := e.Identity.PassagePrefix + context + "\n" + p.text
		if e.Count(full) <= e.Identity.Window {
			return full
		}
	}
	return e.Identity.PassagePrefix + p.text
}

// write brings the index up to date with s.files and returns the number of its
// database.
func (s *syncing) write(ctx context.Context) (uint64, error) {
	s.assignNumbers()
	if s.small = s.isSmall(); s.small {
		return s.old.manifest.Database, s.writeBatch(ctx)
	}
	return s.writeDatabase(ctx)
}

// assignNumbers gives new documents their numbers and makes the new state.
func (s *syncing) assignNumbers() {
	s.state = indexState{
		Written: s.started, Roots: s.roots, Exclude: s.options.Exclude, Identity: s.want,
		Documents: len(s.files), Next: s.old.state.Next,
	}
	for i := range s.files {
		f := &s.files[i]
		if f.before >= 0 {
			f.record.number = s.old.documents[f.before].number
		} else {
			f.record.number = s.state.Next
			s.state.Next++
		}
		s.state.Passages += f.record.count
	}
}

// isSmall reports whether the changes are one batch: the index is the right one,
// its log stays short, and most of its points stay alive.
func (s *syncing) isSmall() bool {
	if s.old.db == nil || !s.old.state.Identity.equal(s.want) {
		return false
	}
	statistics, err := s.old.points.Statistics()
	if err != nil {
		return false
	}
	bytes, dead := statistics.Memory, statistics.Deleted
	for i := range s.files {
		f := &s.files[i]
		if !s.isFresh(f) {
			continue
		}
		bytes += 1 << 10
		if f.before >= 0 {
			dead += s.old.documents[f.before].count
		}
		for _, p := range f.passages {
			bytes += int64(1<<10 + 3*len(p.text))
			if s.want.Embedding != nil {
				bytes += int64(8 * s.want.Embedding.Dimensions)
			}
		}
	}
	for _, d := range s.gone() {
		dead += d.count
	}
	return bytes <= s.Corpus.options.logBytes && dead <= max(fewDead, s.old.passages/2)
}

// isFresh reports whether a file's point must be written: it is new, its content
// has changed, or it was touched.
func (s *syncing) isFresh(f *fileState) bool {
	return !f.reuse || s.old.documents[f.before].modTime != f.record.modTime
}

// gone lists the old documents whose files are there no more.
func (s *syncing) gone() []*documentRecord {
	kept := make([]bool, len(s.old.documents))
	for _, f := range s.files {
		if f.before >= 0 {
			kept[f.before] = true
		}
	}
	var gone []*documentRecord
	for i := range s.old.documents {
		if !kept[i] {
			gone = append(gone, &s.old.documents[i])
		}
	}
	return gone
}

// writer returns the options of a database that is written.
func (s store) writer() vector.Options {
	// The log never grows to be sealed by itself, except in a new database.
	options := vector.Options{}
	if _, real := s.fs.(disk.OS); !real {
		options = options.OnFiles(s.fs)
	}
	return options
}

// writeBatch writes the changes as one batch.
func (s *syncing) writeBatch(ctx context.Context) (err error) {
	var batch vector.Batch
	ids := func(d *documentRecord, from int) vector.Selection {
		selection := vector.Selection{Namespace: passageSpace, IDs: []vector.ID{}}
		for i := from; i < d.count; i++ {
			selection.IDs = append(selection.IDs, d.passageID(i))
		}
		return selection
	}
	for _, d := range s.gone() {
		batch.Delete(ids(d, 0))
		batch.Delete(vector.Selection{Namespace: fileSpace, IDs: []vector.ID{d.id()}})
	}
	for i := range s.files {
		f := &s.files[i]
		if s.isFresh(f) {
			batch.Upsert(f.record.point())
		}
		if !f.reuse && f.before >= 0 {
			batch.Delete(ids(&s.old.documents[f.before], f.record.count))
		}
	}
	put := func(points ...vector.Point) error {
		batch.Upsert(points...)
		return nil
	}
	if err := s.passages(ctx, put); err != nil {
		return err
	}
	batch.Upsert(s.state.point())
	s.options.Progress(Progress{Phase: PhaseWrite})
	db, err := vector.Open(s.old.dir, s.store.writer())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.Lookup(collectionName)
	if err != nil {
		return err
	}
	return c.Write(ctx, &batch)
}

// writeDatabase writes a new database with all that the index shall hold, and
// makes it the index.
func (s *syncing) writeDatabase(ctx context.Context) (number uint64, err error) {
	earlier, err := s.store.databases()
	if err != nil {
		return 0, err
	}
	number = 1
	if len(earlier) > 0 {
		number += earlier[len(earlier)-1]
	}
	s.unfinished = slices.DeleteFunc(earlier, func(n uint64) bool { return s.old.db != nil && n == s.old.manifest.Database })
	for len(s.unfinished) > maxUnfinished {
		s.store.removeAll(s.store.database(s.unfinished[0]))
		s.unfinished = s.unfinished[1:]
	}
	options := s.store.writer()
	options.SyncEvery = -1 // sealed, and so flushed, before it counts
	db, err := vector.Open(s.store.database(number), options)
	if err != nil {
		return 0, err
	}
	if err = errors.Join(s.fill(ctx, db), db.Close()); err != nil {
		return 0, err
	}
	return number, s.store.commit(number)
}

// fill writes all points to a new database and seals it into one segment.
func (s *syncing) fill(ctx context.Context, db *vector.DB) error {
	c, err := db.Collection(collectionName, s.want.schema())
	if err != nil {
		return err
	}
	// The state comes first, so that the next Sync knows whose vectors these are
	// if this one ends early.
	if err := c.Upsert(ctx, s.state.point()); err != nil {
		return err
	}
	var held []vector.Point
	flush := func() error {
		points := held
		held = nil
		return c.Upsert(context.WithoutCancel(ctx), points...)
	}
	put := func(points ...vector.Point) error {
		held = append(held, points...)
		if len(held) < stepPoints {
			return nil
		}
		return flush()
	}
	err = s.passages(ctx, put)
	for i := range s.files {
		if err == nil {
			err = put(s.files[i].record.point())
		}
	}
	if flushErr := flush(); err != nil || flushErr != nil {
		return errors.Join(err, flushErr)
	}
	s.options.Progress(Progress{Phase: PhaseWrite})
	return c.Compact(ctx)
}

// passages gives put the points of all passages that must be written, with their
// vectors: those of changed files for a batch, all of them for a new database.
func (s *syncing) passages(ctx context.Context, put func(...vector.Point) error) error {
	w := &vectorizing{syncing: s, put: put, waiting: map[passageKey][]waiting{}}
	keep := s.old.db != nil && s.old.state.Identity.sameVectors(s.want)
	for i := range s.files {
		f := &s.files[i]
		switch {
		case !f.reuse:
			w.add(&f.record, f.passages)
		case s.small:
			w.kept += f.record.count
		case keep:
			points, err := s.old.documentPoints(ctx, &f.record, vector.With{AllVectors: true})
			if err != nil {
				return err
			}
			w.kept += len(points)
			if err := put(points...); err != nil {
				return err
			}
		default:
			records, err := s.old.documentPassages(ctx, &f.record)
			if err != nil {
				return err
			}
			w.add(&f.record, records)
		}
	}
	return w.run(ctx)
}

// vectorizing gives passages their vectors: from where a passage's key is known,
// and from the model elsewhere, equal passages once.
type vectorizing struct {
	*syncing
	put     func(...vector.Point) error
	kept    int // passages that have theirs
	keys    []passageKey
	waiting map[passageKey][]waiting
}

// waiting is a passage without its vector.
type waiting struct {
	document *documentRecord
	ordinal  int
	record   *passageRecord
}

func (w *vectorizing) add(d *documentRecord, records []passageRecord) {
	for i := range records {
		key := records[i].key
		if w.waiting[key] == nil {
			w.keys = append(w.keys, key)
		}
		w.waiting[key] = append(w.waiting[key], waiting{d, i, &records[i]})
	}
}

// take writes all passages of a key.
func (w *vectorizing) take(key passageKey, embedding []float32) (passages int, err error) {
	list := w.waiting[key]
	delete(w.waiting, key)
	for _, p := range list {
		err = errors.Join(err, w.put(p.record.point(p.document, p.ordinal, embedding)))
	}
	return len(list), err
}

// embedBatch is how many passages the embedder is given at a time: enough to
// keep it busy, few enough for progress and for a cancelled context.
const embedBatch = 32

func (w *vectorizing) run(ctx context.Context) error {
	if w.want.Embedding == nil {
		for _, key := range w.keys {
			if _, err := w.take(key, nil); err != nil {
				return err
			}
		}
		return nil
	}
	w.report.Reused += w.kept
	if err := w.borrow(ctx); err != nil {
		return err
	}
	left := slices.DeleteFunc(w.keys, func(key passageKey) bool { return w.waiting[key] == nil })
	for done := 0; done < len(left); {
		w.options.Progress(Progress{PhaseEmbed, done, len(left)})
		keys := left[done:min(done+embedBatch, len(left))]
		vectors, err := w.embedPassages(ctx, keys)
		if err != nil {
			return err
		}
		for i, key := range keys {
			n, err := w.take(key, vectors[i])
			w.report.Embedded += n
			if err != nil {
				return err
			}
		}
		done += len(keys)
		w.options.Progress(Progress{PhaseEmbed, done, len(left)})
	}
	return nil
}

// embedPassages embeds one passage for each key.
func (w *vectorizing) embedPassages(ctx context.Context, keys []passageKey) ([][]float32, error) {
	texts := make([]string, len(keys))
	for i, key := range keys {
		first := w.waiting[key][0]
		texts[i] = w.embeddedText(first.document.title, *first.record)
	}
	vectors, err := embedChecked(ctx, w.Corpus.options.Embedding, texts)
	if err != nil {
		return nil, fmt.Errorf("embed passages of %s: %w", w.waiting[keys[0]][0].document.path, err)
	}
	return vectors, nil
}

// embedChecked embeds texts and holds the embedder to its identity.
func embedChecked(ctx context.Context, e *Embedding, texts []string) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	vectors, err := e.Embedder.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("%s gave %d vectors for %d texts", e.Identity.Model, len(vectors), len(texts))
	}
	for _, v := range vectors {
		if len(v) != e.Identity.Dimensions {
			return nil, fmt.Errorf("%s gave a vector of %d dimensions, want %d", e.Identity.Model, len(v), e.Identity.Dimensions)
		}
	}
	return vectors, nil
}

// wanted returns the keys that wait for a vector, as values of a filter.
func (w *vectorizing) wanted() []any {
	values := make([]any, 0, len(w.waiting))
	for key := range w.waiting {
		values = append(values, key.String())
	}
	return values
}
