package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/vector"
)

// vectorsImport is the choices of one import.
type vectorsImport struct {
	metric    string
	kind      string
	namespace string
	firstID   uint64
	batch     int
	keywords  []string
	indexes   []string
	compact   bool
	describes bool // a flag says what a new collection is like
}

func newVectorsImportCommand(a *app) *cobra.Command {
	var o vectorsImport
	c := &cobra.Command{
		Use:   "import FOLDER COLLECTION FILE",
		Short: "Add the points of a file to a collection",
		Long: `Add the points of a file to a collection, replacing those with the same id. The
database and the collection are made where they are absent, with the vectors of
the file's first point.

Files are, by their names: .jsonl, a point a line, such as
{"id": 1, "vector": [0.1, 0.2], "payload": {"title": "Metropolis"}}; .fvecs, and
.npy with an array of two dimensions, whose vectors are numbered; .faiss, an
index of FAISS, whose vectors come as it has kept them, with its ids.

--vector-index takes a factory string of FAISS too, such as IVF1024,PQ32.`,
		Example: `  ragstone vectors import films.db films films.jsonl --metric cosine --index year=number --keywords title,text
  ragstone vectors import sift.db sift base.fvecs --metric l2 --compact`,
		Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			if o.batch < 1 {
				return &exitError{exitUsage, errors.New("--batch must be positive")}
			}
			for _, name := range []string{"metric", "vector-index", "index", "keywords"} {
				o.describes = o.describes || c.Flags().Changed(name)
			}
			return a.importVectors(c.Context(), args[0], args[1], args[2], o)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.metric, "metric", "cosine", "how a new collection compares vectors: cosine, dot, l2 or l1")
	flags.StringVar(&o.kind, "vector-index", "", "how a new collection finds vectors: flat, graph, lean or a factory string; empty chooses by size")
	flags.StringVar(&o.namespace, "namespace", "", "namespace of points that name none")
	flags.Uint64Var(&o.firstID, "first-id", 0, "id of the first vector of a file without ids")
	flags.IntVar(&o.batch, "batch", 500, "points in one write")
	flags.StringSliceVar(&o.keywords, "keywords", nil, "payload keys that a new collection indexes by words, as the index \"words\"")
	flags.StringSliceVar(&o.indexes, "index", nil, "payload indexes of a new collection, as KEY=keyword|number|time|geo|text")
	flags.BoolVar(&o.compact, "compact", false, "merge everything into one segment afterwards, and build its graph")
	complete(c, "metric", "cosine", "dot", "l2", "l1")
	return c
}

func (a *app) importVectors(ctx context.Context, dir, name, path string, o vectorsImport) (err error) {
	file, err := openPoints(path, o.firstID)
	if err != nil {
		return err
	}
	defer file.Close()
	first, err := file.Next()
	if err == io.EOF {
		return fmt.Errorf("import %s: it has no points", path)
	}
	if err != nil {
		return err
	}
	schema, err := o.schema(&first)
	if err != nil {
		return err
	}
	n, made := 0, false
	removeFolder := newFolder(dir)
	db, err := vector.Open(dir, vector.Options{Threads: max(1, a.config.Threads)})
	if err != nil {
		return err
	}
	defer func() {
		refused := err != nil && n == 0 // then nothing stays of what was made for it
		if refused && made && removeFolder == nil {
			err = errors.Join(err, db.Drop(name))
		}
		err = errors.Join(err, db.Close())
		if refused && removeFolder != nil {
			err = errors.Join(err, removeFolder())
		}
	}()
	c, err := db.Lookup(name)
	switch {
	case errors.Is(err, vector.ErrNotFound) && len(schema.Vectors)+len(schema.Sparse)+len(schema.Keywords) == 0:
		err = &exitError{exitFailed, fmt.Errorf("import %s: point 1 has no vector: the first point says which vectors %s has", path, name)}
	case errors.Is(err, vector.ErrNotFound):
		made = true
		c, err = db.Collection(name, schema)
	case err == nil && o.describes:
		err = &exitError{exitUsage, fmt.Errorf("%s is there already: --metric, --vector-index, --index and --keywords are for a new collection", name)}
	}
	if err != nil {
		return err
	}
	a.warnOfDamage(c)
	n, err = a.importPoints(ctx, c, file, first, o)
	if err == nil && o.compact {
		p := a.newProgress("Merging", countOf("points"))
		p.Set(0, 0)
		err = c.Compact(ctx)
		p.Close()
	}
	if err != nil { // whatever it is, it is the file's
		return &exitError{exitFailed, fmt.Errorf("import %s: after %s: %w", path, plural(n, "point"), err)}
	}
	s, err := c.Statistics()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "Imported %d points; %s has %d.\n", n, name, s.Points)
	return err
}

// importPoints writes the points in batches and returns how many.
func (a *app) importPoints(ctx context.Context, c *vector.Collection, file *pointFile, point vector.Point, o vectorsImport) (n int, err error) {
	p := a.newProgress("Importing into "+c.Name(), bytesUnit)
	defer p.Close()
	var batch []vector.Point
	for err == nil {
		if point.Namespace == "" {
			point.Namespace = o.namespace
		}
		batch = append(batch, point)
		point, err = file.Next()
		if len(batch) < o.batch && err == nil {
			continue
		}
		if writeErr := c.Upsert(ctx, batch...); writeErr != nil {
			return n, writeErr
		}
		n += len(batch)
		batch = batch[:0]
		p.Set(file.Done(), file.size)
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// schema is that of a new collection: what the first point has. The error names
// the flag that it cannot have.
func (o vectorsImport) schema(p *vector.Point) (s vector.Schema, err error) {
	check := func(flag, value string) {
		if wrong := s.Validate(); wrong != nil && err == nil {
			err = misuse("--%s %s: %s", flag, value, strings.TrimPrefix(wrong.Error(), vector.ErrInvalid.Error()+": "))
		}
	}
	s = o.vectors(p, "")
	check("metric", o.metric)
	if s = o.vectors(p, vector.IndexKind(o.kind)); o.kind != "" {
		check("vector-index", o.kind)
	}
	if len(o.keywords) > 0 {
		s.Keywords = map[string]vector.KeywordSpec{"words": {Keys: o.keywords}}
		check("keywords", strings.Join(o.keywords, ","))
	}
	for _, pair := range o.indexes {
		key, kind, ok := strings.Cut(pair, "=")
		if !ok {
			return s, misuse("--index %s: want KEY=keyword, number, time, geo or text", pair)
		}
		if s.Payload == nil {
			s.Payload = map[string]vector.PayloadIndex{}
		}
		s.Payload[key] = vector.PayloadIndex(kind)
		check("index", pair)
	}
	return s, err
}

// vectors are those of a new collection: as the first point has them.
func (o vectorsImport) vectors(p *vector.Point, kind vector.IndexKind) vector.Schema {
	s := vector.Schema{Vectors: map[string]vector.VectorSpec{}}
	add := func(name string, dimensions int, multi bool) {
		s.Vectors[name] = vector.VectorSpec{Dimensions: dimensions, Metric: vector.Metric(o.metric), Multi: multi, Index: kind}
	}
	if p.Vector != nil {
		add("", len(p.Vector), false)
	}
	for name, x := range p.Vectors {
		add(name, len(x), false)
	}
	for name, rows := range p.Multi {
		if len(rows) > 0 {
			add(name, len(rows[0]), true)
		}
	}
	for name := range p.Sparse {
		s.Sparse = append(s.Sparse, name)
	}
	return s
}

func newVectorsExportCommand(a *app) *cobra.Command {
	var kind string
	c := &cobra.Command{
		Use:   "export FOLDER COLLECTION FILE",
		Short: "Write the points of a collection to a file",
		Long: `Write the points of a collection, as they were at one moment, to a file: .jsonl
holds everything; .fvecs and .npy hold the unnamed vectors alone, in the order
of namespaces and ids; .faiss holds an index of FAISS over the unnamed vectors,
built as the factory string --vector-index says, with the points' numeric ids.`,
		Example: `  ragstone vectors export films.db films films.jsonl
  ragstone vectors export films.db films films.faiss --vector-index IVF256,PQ32`,
		Args: cobra.ExactArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withCollection(args[0], args[1], func(collection *vector.Collection) error {
				export := a.exportVectors
				if filepath.Ext(args[2]) == ".faiss" {
					export = func(ctx context.Context, c *vector.Collection, path string) (int, error) {
						return a.exportFAISS(ctx, c, path, vector.IndexKind(kind))
					}
				}
				n, err := export(c.Context(), collection, args[2])
				if err == nil {
					_, err = fmt.Fprintf(a.stdout, "%d points are in %s.\n", n, args[2])
				}
				if err == nil {
					err = exportGaps(args[2], collection)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&kind, "vector-index", "Flat", "the index in a .faiss file, as a factory string")
	return c
}

// exportGaps is the error of a file that lacks what a collection has lost.
func exportGaps(path string, c *vector.Collection) error {
	damage := c.Damage()
	if len(damage) == 0 {
		return nil
	}
	segments := 0
	for _, d := range damage {
		if filepath.Ext(d.File) == ".seg" {
			segments++
		}
	}
	return fmt.Errorf("%s is not all of %s: %s and %s are missing, set aside as damaged; a backup may have what they held",
		path, c.Name(), plural(segments, "segment"), plural(len(damage)-segments, "other file"))
}

// exportFAISS builds an index of a collection's unnamed vectors.
func (a *app) exportFAISS(ctx context.Context, c *vector.Collection, path string, kind vector.IndexKind) (int, error) {
	s, err := c.Snapshot()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	var vectors [][]float32
	var ids []uint64
	err = allPoints(ctx, s, func(p vector.Point) error {
		id, ok := p.ID.Number()
		if !ok || p.Vector == nil || p.Namespace != "" {
			return fmt.Errorf("point %v of namespace %q has no numeric id, no unnamed vector, or a namespace, which FAISS does not have; .jsonl can hold it", p.ID, p.Namespace)
		}
		vectors, ids = append(vectors, p.Vector), append(ids, id)
		return nil
	})
	if err != nil {
		return 0, err
	}
	x, err := vector.BuildIndex(kind, c.Schema().Vectors[""].Metric, vectors, ids)
	if err != nil {
		return 0, misuse("--vector-index %s: %s", kind, strings.TrimPrefix(err.Error(), vector.ErrInvalid.Error()+": "))
	}
	return x.Len(), x.WriteFAISS(path)
}

func (a *app) exportVectors(ctx context.Context, c *vector.Collection, path string) (n int, err error) {
	s, err := c.Snapshot()
	if err != nil {
		return 0, err
	}
	defer s.Close()
	total := 0
	for namespace := range s.Namespaces() {
		points, err := s.Count(ctx, namespace, nil)
		if err != nil {
			return 0, err
		}
		total += points
	}
	p := a.newProgress("Exporting "+c.Name(), countOf("points"))
	defer p.Close()
	err = writePoints(path, total, func(write func(vector.Point) error) error {
		return allPoints(ctx, s, func(point vector.Point) error {
			n++
			p.Set(int64(n), int64(total))
			return write(point)
		})
	})
	return n, err
}

// wantDatabase refuses a folder that is not there, which opening would make.
func wantDatabase(dir string) error {
	at, err := os.Stat(dir)
	if err != nil {
		return misuse("%w", err)
	}
	if !at.IsDir() {
		return misuse("%s is a file: a vector database is a folder", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil { // every database has one
		return misuse("%s is no vector database; `ragstone vectors import` makes one", dir)
	}
	return nil
}
