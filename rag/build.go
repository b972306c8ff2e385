package rag

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/lexical"
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
func (s *syncing) embeddedText(title string, p passageRecord, text string) string {
	e := s.Corpus.options.Embedding
	if e == nil {
		return text
	}
	if context := passageContext(title, p.headings); context != "" {
		full := e.Identity.PassagePrefix + context + "\n" + text
		if e.Count(full) <= e.Identity.Window {
			return full
		}
	}
	return e.Identity.PassagePrefix + text
}

// generation is a new index, ready to be written.
type generation struct {
	manifest *manifest
	texts    [][]byte // by document
	table    *table
	keywords *lexical.Index
	vectors  []float32 // one row a passage, or nil
}

// assemble builds the new generation from old parts and new files.
func (s *syncing) assemble(ctx context.Context) (*generation, error) {
	g := &generation{table: &table{}}
	for i := range s.files {
		f := &s.files[i]
		text := []byte(f.text)
		if f.reuse {
			text = s.old.text[f.record.start : f.record.start+f.record.length]
		}
		g.texts = append(g.texts, text)
		g.addDocument(f)
	}
	var err error
	if g.keywords, err = s.indexWords(g); err != nil {
		return nil, err
	}
	if s.want.Embedding != nil {
		if err := s.embed(ctx, g); err != nil {
			return nil, err
		}
	}
	number, err := s.store.nextGeneration()
	if err != nil {
		return nil, err
	}
	g.manifest = &manifest{
		Version:    manifestVersion,
		Generation: number,
		Written:    s.started,
		Roots:      s.roots,
		Exclude:    s.options.Exclude,
		Identity:   s.want,
		Documents:  len(g.table.documents),
		Passages:   len(g.table.passages),
	}
	return g, nil
}

func (g *generation) addDocument(f *fileState) {
	t, record := g.table, f.record
	record.start, record.first = 0, len(t.passages)
	if n := len(t.documents); n > 0 {
		record.start = t.documents[n-1].start + t.documents[n-1].length
	}
	for _, p := range f.passages {
		p.document = len(t.documents)
		t.passages = append(t.passages, p)
	}
	t.documents = append(t.documents, record)
}

// text returns the text of a passage of the new generation.
func (g *generation) text(p passageRecord) string {
	return string(g.texts[p.document][p.start:p.end])
}

// oldPassage returns where a passage of a reused document stood, or -1.
func (s *syncing) oldPassage(g *generation, id int) int {
	document := g.table.passages[id].document
	f := &s.files[document]
	if !f.reuse {
		return -1
	}
	return s.old.documents[f.before].first + id - g.table.documents[document].first
}

// indexWords builds the keyword index. Passages of unchanged documents are
// taken over from the old one.
func (s *syncing) indexWords(g *generation) (*lexical.Index, error) {
	b := lexical.NewBuilder(lexical.Default(), bm25)
	var kept, keptOld, fresh []int
	takeOver := s.old.manifest != nil && s.old.manifest.Identity.Keywords == s.want.Keywords
	for id := range g.table.passages {
		if old := s.oldPassage(g, id); old >= 0 && takeOver {
			kept, keptOld = append(kept, id), append(keptOld, old)
		} else {
			fresh = append(fresh, id)
		}
	}
	if len(keptOld) > 0 {
		if err := b.AddFrom(s.old.keywords, keptOld); err != nil {
			return nil, fmt.Errorf("index words: %w", err)
		}
	}
	for _, id := range fresh {
		p := g.table.passages[id]
		b.Add(passageContext(g.table.documents[p.document].title, p.headings), g.text(p))
	}
	b.Renumber(append(kept, fresh...))
	return b.Build(), nil
}

// embedBatch is how many passages the embedder is given at a time: enough to
// keep it busy, few enough for progress and for a cancelled context.
const embedBatch = 32

// embed fills the vectors: from the old index, from what an earlier Sync put
// aside, or from another index of the folder, where a passage's key is known; by
// the model elsewhere, equal passages once.
func (s *syncing) embed(ctx context.Context, g *generation) error {
	dimensions := s.want.Embedding.Dimensions
	g.vectors = make([]float32, dimensions*len(g.table.passages))
	aside, err := newPending(s.store, s.want.Embedding)
	if err != nil {
		return err
	}
	aside.load()
	known := s.knownVectors(aside)
	row := func(id int) []float32 { return g.vectors[id*dimensions : (id+1)*dimensions] }

	places := map[passageKey][]int{} // passages that wait for a vector, by key
	for id, p := range g.table.passages {
		if vector, ok := known[p.key]; ok {
			copy(row(id), vector)
			s.report.Reused++
			continue
		}
		places[p.key] = append(places[p.key], id)
	}
	if len(places) > 0 && s.Corpus.options.Indexes != "" {
		s.borrow(ctx, places, func(key passageKey, vector []float32) {
			for _, id := range places[key] {
				copy(row(id), vector)
				s.report.Reused++
			}
			delete(places, key)
		})
	}
	wanted := slices.SortedFunc(maps.Keys(places), func(a, b passageKey) int { return places[a][0] - places[b][0] })
	for done := 0; done < len(wanted); {
		s.options.Progress(Progress{PhaseEmbed, done, len(wanted)})
		keys := wanted[done:min(done+embedBatch, len(wanted))]
		vectors, err := s.embedPassages(ctx, g, keys, places)
		if err != nil {
			aside.save()
			return err
		}
		for i, key := range keys {
			aside.add(key, vectors[i])
			for _, id := range places[key] {
				copy(row(id), vectors[i])
				s.report.Embedded++
			}
		}
		done += len(keys)
		aside.saveSometimes()
		s.options.Progress(Progress{PhaseEmbed, done, len(wanted)})
	}
	return nil
}

// knownVectors maps keys to the vectors put aside and, if its vectors may
// stand beside new ones, to those of the old index.
func (s *syncing) knownVectors(aside *pending) map[passageKey][]float32 {
	known := map[passageKey][]float32{}
	for i, key := range aside.keys {
		known[key] = aside.vector(i)
	}
	if s.old.vectors != nil && s.old.manifest.Identity.sameVectors(s.want) {
		for id, p := range s.old.passages {
			known[p.key] = s.old.vectors.Vector(id)
		}
	}
	return known
}

// embedPassages embeds one passage for each key.
func (s *syncing) embedPassages(ctx context.Context, g *generation, keys []passageKey, places map[passageKey][]int) ([][]float32, error) {
	texts := make([]string, len(keys))
	for i, key := range keys {
		p := g.table.passages[places[key][0]]
		texts[i] = s.embeddedText(g.table.documents[p.document].title, p, g.text(p))
	}
	vectors, err := embedChecked(ctx, s.Corpus.options.Embedding, texts)
	if err != nil {
		p := g.table.passages[places[keys[0]][0]]
		return nil, fmt.Errorf("embed passages of %s: %w", g.table.documents[p.document].path, err)
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

// write puts the generation on disk: its parts, then the manifest that makes
// it the index.
func (g *generation) write(s store) error {
	parts := []struct {
		kind   string
		blocks [][]byte
	}{
		{partText, g.texts},
		{partTable, [][]byte{g.table.encode()}},
		{partKeywords, [][]byte{g.keywords.Bytes()}},
		{partVectors, [][]byte{floatBytes(g.vectors)}},
	}
	if g.manifest.Identity.Embedding == nil {
		parts = slices.Delete(parts, len(parts)-1, len(parts))
	}
	for _, p := range parts {
		written, err := s.writePart(p.kind, g.manifest.Generation, func(w io.Writer) error {
			for _, block := range p.blocks {
				if _, err := w.Write(block); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		g.manifest.Parts = append(g.manifest.Parts, written)
	}
	return s.commit(g.manifest)
}
