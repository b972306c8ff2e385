// Command realsets makes vector sets of real data for `make bench-ann`: base.fvecs, query.fvecs
// and gt.ivecs, the queries' hundred nearest, in a folder each.
//
//   - mnist: 63,000 images of digits as 784 numbers, the last thousand of them queries;
//   - scifact: the abstracts of SciFact by MiniLM, searched for by its claims;
//   - xquad: the sentences of the XQuAD paragraphs in four languages by MiniLM, searched for by the
//     English questions.
//
// Embeddings have length 1, so that L2 ranks as cosine does.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/chunk"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/llm"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "folder of the shared test data")
	model := flag.String("model", "", "folder of all-minilm-l6-v2")
	out := flag.String("out", "", "folder to write to")
	flag.Parse()
	if err := run(context.Background(), *data, *model, *out, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// run makes the sets of the given names.
func run(ctx context.Context, data, model, out string, names []string) error {
	for _, name := range names {
		var s set
		var err error
		switch name {
		case "mnist":
			s, err = digits(filepath.Join(data, "mnist"))
		case "scifact", "xquad":
			s, err = embedded(ctx, model, filepath.Join(data, name), name)
		default:
			err = fmt.Errorf("there are the sets mnist, scifact and xquad")
		}
		if err == nil {
			err = s.write(filepath.Join(out, name))
		}
		if err != nil {
			return fmt.Errorf("make set %q: %w", name, err)
		}
	}
	return nil
}

// set is vectors and queries, one after another.
type set struct {
	dimensions    int
	base, queries []float32
}

const (
	digitQueries = 1000
	depth        = 100 // of the truth
)

// digits reads the sheets of images, a row each.
func digits(folder string) (set, error) {
	s := set{dimensions: 784}
	paths, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil {
		return s, err
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return s, err
		}
		sheet, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			return s, fmt.Errorf("%s: %w", path, err)
		}
		s.base = appendPixels(s.base, sheet)
	}
	split := len(s.base) - digitQueries*s.dimensions
	if split <= 0 || len(s.base)%s.dimensions != 0 {
		return s, fmt.Errorf("%d numbers are no images of %d", len(s.base), s.dimensions)
	}
	s.base, s.queries = s.base[:split], s.base[split:]
	return s, nil
}

func appendPixels(to []float32, sheet image.Image) []float32 {
	b := sheet.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			to = append(to, float32(color.GrayModel.Convert(sheet.At(x, y)).(color.Gray).Y))
		}
	}
	return to
}

// embedded embeds the texts and questions of a set.
func embedded(ctx context.Context, model, folder, name string) (set, error) {
	read := abstracts
	if name == "xquad" {
		read = sentences
	}
	texts, questions, err := read(folder)
	if err != nil {
		return set{}, err
	}
	e, err := llm.OpenEmbedder(ctx, model, llm.Options{})
	if err != nil {
		return set{}, err
	}
	defer e.Close()
	s := set{dimensions: e.Dimensions()}
	if s.base, err = embed(ctx, e, texts); err == nil {
		s.queries, err = embed(ctx, e, questions)
	}
	return s, err
}

func embed(ctx context.Context, e *llm.LocalEmbedder, texts []string) (all []float32, err error) {
	const batch = 32
	for len(texts) > 0 {
		some := texts[:min(batch, len(texts))]
		vectors, err := e.EmbedCut(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, v := range vectors {
			all = append(all, v...)
		}
		texts = texts[len(some):]
	}
	return all, nil
}

// abstracts reads SciFact's abstracts with their titles, and all its claims.
func abstracts(folder string) (texts, questions []string, err error) {
	err = lines(filepath.Join(folder, "corpus.jsonl"), func(line []byte) error {
		var d struct{ Title, Text string }
		err := json.Unmarshal(line, &d)
		texts = append(texts, d.Title+"\n"+d.Text)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = lines(filepath.Join(folder, "queries.jsonl"), func(line []byte) error {
		var q struct{ Text string }
		err := json.Unmarshal(line, &q)
		questions = append(questions, q.Text)
		return err
	})
	return texts, questions, err
}

func lines(path string, each func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if err := each(s.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return s.Err()
}

// sentences reads those of XQuAD's paragraphs, and the English questions.
func sentences(folder string) (texts, questions []string, err error) {
	for _, language := range []string{"en", "de", "es", "zh"} {
		raw, err := os.ReadFile(filepath.Join(folder, "xquad."+language+".json"))
		if err != nil {
			return nil, nil, err
		}
		var file struct {
			Data []struct {
				Paragraphs []struct {
					Context string
					QAs     []struct{ Question string }
				}
			}
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			return nil, nil, fmt.Errorf("xquad.%s.json: %w", language, err)
		}
		for _, article := range file.Data {
			for _, p := range article.Paragraphs {
				for _, s := range chunk.Sentences(p.Context) {
					texts = append(texts, p.Context[s.Start:s.End])
				}
				for _, q := range p.QAs {
					if language == "en" {
						questions = append(questions, q.Question)
					}
				}
			}
		}
	}
	return texts, questions, nil
}

// write writes a set's three files.
func (s set) write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	flat, truth := index.NewFlat(index.L2, s.dimensions, s.base), []uint32(nil)
	for _, hits := range flat.SearchBatch(s.queries, depth, index.Params{}) {
		for _, h := range hits {
			truth = append(truth, uint32(h.Row))
		}
	}
	for name, numbers := range map[string]struct {
		width int
		data  any
	}{
		"base.fvecs":  {s.dimensions, s.base},
		"query.fvecs": {s.dimensions, s.queries},
		"gt.ivecs":    {depth, truth},
	} {
		if err := writeVectors(filepath.Join(folder, name), numbers.width, numbers.data); err != nil {
			return err
		}
	}
	log.Printf("%s: %d vectors, %d queries, %d dimensions", folder, len(s.base)/s.dimensions, len(s.queries)/s.dimensions, s.dimensions)
	return nil
}

// writeVectors writes numbers of 32 bits as vectors, each behind its length.
func writeVectors(path string, width int, numbers any) error {
	var raw bytes.Buffer
	if err := binary.Write(&raw, binary.LittleEndian, numbers); err != nil {
		return err
	}
	length := binary.LittleEndian.AppendUint32(nil, uint32(width))
	var out bytes.Buffer
	for raw.Len() > 0 {
		out.Write(length)
		out.Write(raw.Next(4 * width))
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}
