package faiss

import (
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// ivf keeps vectors in lists around centroids, as they are or as codes of themselves or
// of their differences from the centroid: IndexIVFFlat, IndexIVFPQ,
// IndexIVFPQFastScan and IndexIVFScalarQuantizer.
type ivf struct {
	header
	coarse   node // over the centroids
	nprobe   int
	codec    quant.Codec
	exact    bool // the codec is float32
	residual bool
	fast     *index.IVF // nil unless codes are for fast scan, which then has them
	lists    []ivfList
}

// ivfList is a list's members.
type ivfList struct {
	labels  []int
	codes   []byte    // nil where fast or vectors has them
	vectors []float32 // of an exact codec
	// biases are |r|² + 2⟨c, r⟩ of the decoded differences r from the centroid c under L2. Then
	// |q−c−r|² = |q−c|² + bias − 2⟨q, r⟩, where ⟨q, r⟩ comes from tables made once a query.
	biases []float32
}

// listCentroids returns the centroids.
func (x *ivf) centroids() ([]float32, error) { return slabOf(x.coarse) }

func (r *reader) ivf(code string) node {
	x := &ivf{header: r.header()}
	r.floatMetric(x.header)
	count := r.number("the number of lists", r.remaining())
	x.nprobe = r.number("nprobe", 1<<40)
	x.coarse = r.node()
	r.directMap()
	if r.err == nil && (x.coarse.Len() != count || count < 1 || x.coarse.Dimensions() != x.dimensions) {
		r.fail("%d lists and %d centroids of %d dimensions", count, x.coarse.Len(), x.coarse.Dimensions())
	}
	if r.err != nil {
		return failed{}
	}
	x.nprobe = max(1, min(x.nprobe, count))
	size, fast := 0, code == "IwPf"
	switch code {
	case "IwFl":
		x.codec, x.exact = quant.NewF32(x.dimensions), true
		size = x.codec.CodeSize()
	case "IwSq":
		x.codec = r.scalarCodec(x.dimensions)
		size, x.residual = r.number("the size of a code", 1<<20), r.boolean()
	default:
		x.residual, size = r.boolean(), r.number("the size of a code", 1<<20)
		if fast {
			r.fastHeader()
		}
		if product := r.productCodec(x.dimensions); product != nil {
			x.codec = product
		}
	}
	if r.err != nil {
		return failed{}
	}
	if size != x.codec.CodeSize() || fast && x.codec.(*quant.Product).Bits() != 4 {
		r.fail("codes of %d bytes and the quantiser %s", size, x.codec.Name())
		return failed{}
	}
	if fast && x.residual {
		r.fail("IndexIVFPQFastScan over differences from the centroid (by_residual) is not supported")
		return failed{}
	}
	if fast {
		r.fastLists(x, count)
	} else {
		r.invertedLists(x, count)
	}
	if r.err == nil {
		if err := x.settle(fast); err != nil {
			r.fail("%v", err)
		}
	}
	return x
}

// directMap skips the table from labels to places.
func (r *reader) directMap() {
	kind := r.fixed(1)[0]
	r.take(8 * r.count("the direct map", 8))
	if kind == 2 {
		r.take(16 * r.count("the direct map", 16))
	}
}

// fastHeader reads what codes for fast scan have besides.
func (r *reader) fastHeader() {
	block, groups := r.i32(), r.u64()
	r.i32() // which implementation searches
	r.u64() // of how many queries at once
	if r.err == nil && block != fastBlock {
		r.fail("IndexIVFPQFastScan with blocks of %d vectors is not supported", block)
	}
	if r.err == nil && groups%2 != 0 {
		r.fail("IndexIVFPQFastScan with %d groups", groups)
	}
}

// invertedLists reads lists of codes one after another.
func (r *reader) invertedLists(x *ivf, count int) {
	if kind := r.fourcc(); r.err == nil && kind != "ilar" {
		r.fail("lists of kind %q are not supported; those in the file itself (ilar) are", kind)
	}
	lists, size := r.number("the number of lists", r.remaining()), r.number("the size of a code", 1<<20)
	layout := r.fourcc()
	if r.err == nil && (lists != count || size != x.codec.CodeSize()) {
		r.fail("%d lists of codes of %d bytes; want %d of %d", lists, size, count, x.codec.CodeSize())
	}
	n := r.count("the lengths of lists", 8)
	lengths := r.labels(n)
	if r.err != nil {
		return
	}
	x.lists = make([]ivfList, count)
	at := func(i int) (list, length int) { return i, lengths[i] }
	switch {
	case layout == "full" && n == count:
	case layout == "sprs" && n%2 == 0:
		at = func(i int) (list, length int) { return lengths[2*i], lengths[2*i+1] }
		n /= 2
	default:
		r.fail("%d lengths of %d lists in the form %q", n, count, layout)
		return
	}
	for i := range n {
		list, length := at(i)
		if list >= count || int64(length) > r.remaining()/int64(size) {
			r.fail("list %d of %d has %d members", list, count, length)
			return
		}
		l := &x.lists[list]
		if x.exact {
			l.vectors = r.floatRun("vectors", length*x.dimensions)
		} else {
			l.codes = r.take(length * size)
		}
		l.labels = r.labels(length)
	}
}

// fastLists reads lists of interleaved codes.
func (r *reader) fastLists(x *ivf, count int) {
	if kind := r.fourcc(); r.err == nil && kind != "ilbl" {
		r.fail("lists of kind %q are not supported; interleaved ones in the file itself (ilbl) are", kind)
	}
	codec := x.codec.(*quant.Product)
	want := fastBlock * fastGroups(codec.Parts()) / 2
	lists := r.number("the number of lists", r.remaining())
	r.u64() // the size of a code, which is not always set
	block, size := r.u64(), r.u64()
	if r.err == nil && (lists != count || block != fastBlock || size != uint64(want)) {
		r.fail("%d lists of blocks of %d vectors in %d bytes; want %d of %d in %d", lists, block, size, count, fastBlock, want)
	}
	if r.err != nil {
		return
	}
	x.lists = make([]ivfList, count)
	for i := range x.lists {
		l := &x.lists[i]
		n := r.count("the labels of a list", 8)
		l.labels = r.labels(n)
		raw := r.bytes("the codes of a list", (n+fastBlock-1)/fastBlock*want)
		if r.err != nil {
			return
		}
		l.codes = unpackFast(raw, n, codec)
	}
}

// settle checks what was read or built, and arranges codes for fast scan.
func (x *ivf) settle(fast bool) error {
	total := 0
	for _, l := range x.lists {
		total += len(l.labels)
	}
	if total != x.n {
		return fmt.Errorf("the lists have %d members; want %d", total, x.n)
	}
	if !fast {
		x.findBiases()
		return nil
	}
	parts := index.IVFParts{Codec: x.codec.(*quant.Product)}
	var err error
	if parts.Centroids, err = x.centroids(); err != nil {
		return err
	}
	for i, l := range x.lists {
		rows := make([]uint32, len(l.labels))
		for j, label := range l.labels {
			if label >= x.n {
				return fmt.Errorf("list %d has the label %d, and there are %d vectors: ids in lists of codes for fast scan are not supported, those of IDMap are", i, label, x.n)
			}
			rows[j] = uint32(label)
		}
		parts.Rows, parts.Codes = append(parts.Rows, rows), append(parts.Codes, l.codes)
	}
	if x.fast, err = index.IVFFromParts(x.metric, parts); err != nil {
		return err
	}
	for i := range x.lists {
		x.lists[i] = ivfList{}
	}
	return nil
}

// findBiases prepares lists of codes of differences for searches under L2.
func (x *ivf) findBiases() {
	if !x.residual || x.metric != index.L2 {
		return
	}
	r, size := make([]float32, x.dimensions), x.codec.CodeSize()
	for i := range x.lists {
		l, c := &x.lists[i], x.centroid(i)
		l.biases = make([]float32, len(l.labels))
		for j := range l.biases {
			x.codec.Decode(l.codes[j*size:(j+1)*size], r)
			l.biases[j] = kernel.Dot(r, r) + 2*kernel.Dot(c, r)
		}
	}
}

// list returns a list's labels and codes.
func (x *ivf) list(i int) ivfList {
	if x.fast == nil {
		return x.lists[i]
	}
	l := ivfList{codes: x.fast.Codes(i)}
	for _, row := range x.fast.List(i) {
		l.labels = append(l.labels, int(row))
	}
	return l
}

func (x *ivf) write(w *writer) {
	product, isProduct := x.codec.(*quant.Product)
	switch {
	case x.exact:
		w.fourcc("IwFl")
	case x.fast != nil:
		w.fourcc("IwPf")
	case isProduct:
		w.fourcc("IwPQ")
	default:
		w.fourcc("IwSq")
	}
	w.header(x.header)
	w.u64(len(x.lists))
	w.u64(x.nprobe)
	x.coarse.write(w)
	w.raw([]byte{0}) // no direct map
	w.u64(0)
	switch {
	case x.exact:
	case isProduct:
		w.boolean(x.residual)
		w.u64(x.codec.CodeSize())
		if x.fast != nil {
			w.i32(fastBlock)
			w.u64(fastGroups(product.Parts()))
			w.i32(0)
			w.u64(0)
		}
		w.productCodec(product)
	default:
		w.scalarCodec(x.codec)
		w.u64(x.codec.CodeSize())
		w.boolean(x.residual)
	}
	if x.fast != nil {
		x.writeFastLists(w, product)
	} else {
		x.writeLists(w)
	}
}

func (x *ivf) writeLists(w *writer) {
	w.fourcc("ilar")
	w.u64(len(x.lists))
	w.u64(x.codec.CodeSize())
	w.fourcc("full")
	w.u64(len(x.lists))
	for _, l := range x.lists {
		w.u64(len(l.labels))
	}
	for _, l := range x.lists {
		w.raw(l.codes)
		w.floatRun(l.vectors)
		w.labels(l.labels)
	}
}

func (x *ivf) writeFastLists(w *writer, codec *quant.Product) {
	w.fourcc("ilbl")
	w.u64(len(x.lists))
	w.u64(codec.CodeSize())
	w.u64(fastBlock)
	w.u64(fastBlock * fastGroups(codec.Parts()) / 2)
	for i := range x.lists {
		l := x.list(i)
		w.u64(len(l.labels))
		w.labels(l.labels)
		w.bytes(packFast(l.codes, codec))
	}
}

// Search scans the file's nprobe lists, or NProbe, and more until k vectors were met.
func (x *ivf) Search(query []float32, k int, p index.Params) ([]index.Hit, index.Stats) {
	if p.NProbe <= 0 {
		p.NProbe = x.nprobe
	}
	if x.fast != nil {
		return x.fast.Search(query, k, p)
	}
	stats := index.Stats{Strategy: index.StrategyLists}
	k = min(k, admitted(p.Filter, x.n))
	if k <= 0 {
		return nil, stats
	}
	s := x.newScan(query, k, p)
	probes := min(p.NProbe, len(x.lists))
	if p.Exact {
		probes = len(x.lists)
	}
	nearest, _ := x.coarse.Search(query, probes, index.Params{})
	for _, list := range nearest {
		s.scan(list)
	}
	if s.met < k && probes < len(x.lists) {
		s.scanRest(nearest)
	}
	stats.Visited, stats.Scored = s.met, s.met
	return s.best.sorted(), stats
}

// SearchBatch implements batcher.
func (x *ivf) SearchBatch(queries []float32, k int, p index.Params) [][]index.Hit {
	if p.NProbe <= 0 {
		p.NProbe = x.nprobe
	}
	if x.fast != nil {
		return x.fast.SearchBatch(queries, k, p)
	}
	found := make([][]index.Hit, len(queries)/x.dimensions)
	for i := range found {
		found[i], _ = x.Search(queries[i*x.dimensions:(i+1)*x.dimensions], k, p)
	}
	return found
}

// ivfScan is one search.
type ivfScan struct {
	*ivf
	query  []float32
	filter *index.Filter
	scorer quant.Scorer // of vectors, or of products with differences
	best   *best
	scores []float32
	met    int
}

func (x *ivf) newScan(query []float32, k int, p index.Params) *ivfScan {
	s := &ivfScan{ivf: x, query: query, filter: p.Filter, best: newBest(k)}
	switch {
	case x.exact:
	case x.metric == index.L2 && !x.residual:
		s.scorer = x.codec.Scorer(query, quant.ByL2)
	default:
		s.scorer = x.codec.Scorer(query, quant.ByDot)
	}
	return s
}

// scan scores the members of a list. A centroid's product with the query is its score.
func (s *ivfScan) scan(list index.Hit) {
	l := &s.lists[list.Row]
	scores := s.score(l, list)
	for i, label := range l.labels {
		if s.filter.Has(label) {
			s.met++
			s.best.add(label, scores[i])
		}
	}
}

func (s *ivfScan) score(l *ivfList, list index.Hit) []float32 {
	s.scores = slices.Grow(s.scores[:0], len(l.labels))[:len(l.labels)]
	if s.exact {
		for i := range s.scores {
			s.scores[i] = s.metric.Compare(s.query, l.vectors[i*s.dimensions:(i+1)*s.dimensions])
		}
		return s.scores
	}
	s.scorer.Score(l.codes, s.scores)
	switch {
	case !s.residual:
	case s.metric == index.L2: // the centroid's score is −|q−c|²
		for i, bias := range l.biases {
			s.scores[i] = list.Score - bias + 2*s.scores[i]
		}
	default: // and here ⟨q, c⟩
		for i := range s.scores {
			s.scores[i] += list.Score
		}
	}
	return s.scores
}

// centroid returns the centroid of a list, which must not be changed.
func (x *ivf) centroid(list int) []float32 {
	switch c := x.coarse.(type) {
	case *flat:
		return c.Vector(list)
	case *hnsw:
		return c.graph.Vector(list)
	}
	slab, err := slabOf(x.coarse)
	if err != nil {
		return make([]float32, x.dimensions)
	}
	return slab[list*x.dimensions : (list+1)*x.dimensions]
}

// scanRest scans the lists that were not scanned, nearest first, until there are k.
func (s *ivfScan) scanRest(done []index.Hit) {
	scanned := make(map[int]bool, len(done))
	for _, list := range done {
		scanned[list.Row] = true
	}
	all, _ := s.coarse.Search(s.query, len(s.lists), index.Params{Exact: true})
	for _, list := range all {
		if s.met >= s.best.k {
			return
		}
		if !scanned[list.Row] {
			s.scan(list)
		}
	}
}

// Range implements index.Index.
func (x *ivf) Range(query []float32, threshold float32, p index.Params) ([]index.Hit, index.Stats) {
	return rangeOf(x, query, threshold, p)
}

func (x *ivf) each(show func(int, []float32)) error {
	v := make([]float32, x.dimensions)
	size := x.codec.CodeSize()
	for i := range x.lists {
		l := x.list(i)
		for j, label := range l.labels {
			if x.exact {
				copy(v, l.vectors[j*x.dimensions:])
			} else {
				x.codec.Decode(l.codes[j*size:(j+1)*size], v)
			}
			if x.residual {
				for k, c := range x.centroid(i) {
					v[k] += c
				}
			}
			show(label, v)
		}
	}
	return nil
}

func (x *ivf) Bytes() int64 {
	sum := x.coarse.Bytes()
	if x.fast != nil {
		return sum + x.fast.Bytes()
	}
	for _, l := range x.lists {
		sum += int64(8*len(l.labels) + len(l.codes) + 4*len(l.vectors) + 4*len(l.biases))
	}
	return sum
}

func (x *ivf) describe() string {
	text := fmt.Sprintf("IVF%d", len(x.lists))
	if h, ok := x.coarse.(*hnsw); ok {
		text += "_" + h.describe()
	}
	if x.exact {
		return text + ",Flat"
	}
	return text + "," + codecSpec(x.codec, x.fast != nil).String()
}
