package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ragstone/ragstone/internal/faiss"
	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/quant"
)

// vectorSpecs is the help on --index.
const vectorSpecs = `An index is a name and settings, separated by commas:
  flat                           compare with every vector
  graph,degree=32,efc=200        the graph of sealed segments
  lean,degree=32,efc=200         the graph with codes of four bits instead of
                                 vectors; the best are compared with those
  hnsw,m=16,efc=200              HNSW, vectors added one by one
  ivf,lists=1024,pq=64           lists of product codes of 4 bits, compared
                                 exactly; without pq, of RaBitQ codes
or a factory string of FAISS, such as IVF1024,PQ64x4fs,RFlat, OPQ32,IVF1024,PQ32,
HNSW32,SQ8, PCA64,SQ8 or LSH, which is searched as FAISS does; with RFlat 10
candidates a hit are compared exactly.`

// indexSpec is a parsed --index.
type indexSpec struct {
	name     string
	settings map[string]string
}

func parseIndexSpec(spec string) (indexSpec, error) {
	name, rest, _ := strings.Cut(spec, ",")
	s := indexSpec{name, map[string]string{}}
	for rest != "" {
		var setting string
		setting, rest, _ = strings.Cut(rest, ",")
		key, value, ok := strings.Cut(setting, "=")
		if !ok {
			return s, fmt.Errorf("index %q: %q is not of the form name=value", spec, setting)
		}
		s.settings[key] = value
	}
	return s, nil
}

// number takes a setting out, 0 if it is not there.
func (s indexSpec) number(key string, err *error) int {
	text, ok := s.settings[key]
	delete(s.settings, key)
	if !ok || *err != nil {
		return 0
	}
	n, failed := strconv.Atoi(text)
	if failed != nil {
		*err = fmt.Errorf("index %s: %s=%q is no number", s.name, key, text)
	}
	return n
}

// unknown names a setting that was not taken out.
func (s indexSpec) unknown() error {
	for key := range s.settings {
		return fmt.Errorf("index %s has no setting %q", s.name, key)
	}
	return nil
}

// buildIndex builds what a spec says, under L2.
func buildIndex(spec string, dimensions int, base []float32, threads int) (built index.Index, err error) {
	if name, _, _ := strings.Cut(spec, ","); strings.ToLower(name) != name {
		return buildFactoryIndex(spec, dimensions, base, threads)
	}
	s, err := parseIndexSpec(spec)
	if err != nil {
		return nil, err
	}
	switch s.name {
	case "flat":
		built = index.NewFlat(index.L2, dimensions, base)
	case "graph", "lean":
		built, err = s.graph(dimensions, base, threads)
	case "hnsw":
		built, err = s.hnsw(dimensions, base)
	case "ivf":
		built, err = s.ivf(dimensions, base, threads)
	default:
		return nil, fmt.Errorf("index %q is not known; see ragstone bench vectors --help", s.name)
	}
	if err = firstError(err, s.unknown()); err != nil {
		return nil, err
	}
	return built, nil
}

// factoryIndex compares more candidates exactly than FAISS does unless it is told to.
type factoryIndex struct{ *faiss.Index }

// Search implements index.Index.
func (x factoryIndex) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	p.Rescore = 10
	return x.Index.Search(query, k, p)
}

func buildFactoryIndex(text string, dimensions int, base []float32, threads int) (index.Index, error) {
	spec, err := faiss.Parse(text)
	if err != nil {
		return nil, err
	}
	x, err := faiss.Build(spec, index.L2, dimensions, base, faiss.Options{Threads: threads})
	if err != nil {
		return nil, err
	}
	return factoryIndex{x}, nil
}

func (s indexSpec) graph(dimensions int, base []float32, threads int) (index.Index, error) {
	var err error
	o := index.GraphOptions{Degree: s.number("degree", &err), EFConstruction: s.number("efc", &err), Threads: threads, Lean: s.name == "lean"}
	if err := firstError(err, s.unknown()); err != nil {
		return nil, err
	}
	g, err := index.BuildGraph(index.L2, dimensions, base, o)
	if err == nil && o.Lean {
		g.Attach(base)
	}
	return g, err
}

func (s indexSpec) hnsw(dimensions int, base []float32) (index.Index, error) {
	var err error
	o := index.HNSWOptions{M: s.number("m", &err), EFConstruction: s.number("efc", &err)}
	if err := firstError(err, s.unknown()); err != nil {
		return nil, err
	}
	h := index.NewHNSW(index.L2, dimensions, o)
	for at := 0; at < len(base); at += dimensions {
		if _, err := h.Add(base[at : at+dimensions]); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (s indexSpec) ivf(dimensions int, base []float32, threads int) (index.Index, error) {
	var err error
	o := index.IVFOptions{Lists: s.number("lists", &err), Threads: threads}
	if parts := s.number("pq", &err); parts > 0 && err == nil {
		o.Codec, err = quant.TrainProduct(parts, 4, dimensions, base, 0, threads)
	}
	if err := firstError(err, s.unknown()); err != nil {
		return nil, err
	}
	x, err := index.BuildIVF(index.L2, dimensions, base, o)
	if err != nil {
		return nil, err
	}
	x.Attach(base)
	return x, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
