package faiss

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/ragstone/ragstone/internal/index"
	"github.com/ragstone/ragstone/internal/quant"
)

// Options steer the building of an index. The zero value is good for most data.
type Options struct {
	// Threads is the number of goroutines that train; 0 means GOMAXPROCS. The index
	// does not depend on it.
	Threads int
	// Seed draws samples, rotations and levels.
	Seed uint64
	// Labels are the labels of the vectors, for a spec with IDMap; nil means rows.
	Labels []int
}

// Least returns how few vectors an index can be built from: as many as lists, and as
// many as centroids of product codes.
func (s Spec) Least() int {
	least := max(1, s.Lists)
	if s.Codec.Kind == ProductCodec {
		least = max(least, 1<<s.Codec.Bits)
	}
	for _, t := range s.Transforms {
		if t.Kind == OPQ {
			least = max(least, 256)
		}
	}
	return least
}

// Check reports whether vectors of so many dimensions can be indexed so.
func (s Spec) Check(metric index.Metric, dimensions int) error {
	d := dimensions
	for _, t := range s.Transforms {
		if t.Out > d {
			return fmt.Errorf("index %s: %s wants vectors of at least %d dimensions; these have %d", s, t, t.Out, d)
		}
		if t.Out > 0 {
			d = t.Out
		}
		if t.Kind == OPQ && d%t.Parts != 0 {
			return fmt.Errorf("index %s: the %d parts of %s do not divide %d dimensions", s, t.Parts, t, d)
		}
	}
	switch {
	case s.Binary != metric.Binary():
		return fmt.Errorf("index %s under metric %v: BFlat and BHNSW go with binary vectors, and only they", s, metric)
	case s.Binary && metric != index.Hamming:
		return fmt.Errorf("index %s under metric %v: binary indexes compare by Hamming", s, metric)
	case s.Binary && dimensions%8 != 0:
		return fmt.Errorf("index %s: binary vectors have a multiple of 8 bits, not %d", s, dimensions)
	case metric == index.L1 && (s.Codec.Kind != FlatCodec || s.Lists > 0):
		return fmt.Errorf("index %s under metric l1: only Flat and HNSW take it", s)
	case s.Codec.Kind == ProductCodec && d%s.Codec.Parts != 0:
		return fmt.Errorf("index %s: the %d parts of %s do not divide %d dimensions", s, s.Codec.Parts, s.Codec, d)
	case s.Codec.Kind == SignCodec && !s.Codec.Rotated && s.Codec.Bits > d:
		return fmt.Errorf("index %s: %d signs of %d numbers; LSH%dr turns them first", s, s.Codec.Bits, d, s.Codec.Bits)
	}
	return nil
}

// Build makes an index of the vectors in slab, which it may keep. Binary vectors are numbers
// of which those above zero are ones. Under Cosine the index is L2norm and the spec under Dot.
func Build(s Spec, metric index.Metric, dimensions int, slab []float32, o Options) (*Index, error) {
	if err := s.Check(metric, dimensions); err != nil {
		return nil, err
	}
	n := len(slab) / max(1, dimensions)
	if n*dimensions != len(slab) || n < s.Least() {
		return nil, fmt.Errorf("build index %s: %d numbers are %d vectors of %d dimensions; it takes at least %d", s, len(slab), n, dimensions, s.Least())
	}
	if s.IDMap && o.Labels != nil && len(o.Labels) != n {
		return nil, fmt.Errorf("build index %s: %d labels for %d vectors", s, len(o.Labels), n)
	}
	for row := range n {
		if err := index.CheckFinite(slab[row*dimensions : (row+1)*dimensions]); err != nil {
			return nil, fmt.Errorf("build index %s: row %d: %w", s, row, err)
		}
	}
	if metric == index.Cosine {
		metric = index.Dot
		s.Transforms = append([]Transform{{Kind: Normalise}}, s.Transforms...)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	b := builder{s, o, header{dimensions, n, metric}}
	root, err := b.whole(slab)
	if err != nil {
		return nil, fmt.Errorf("build index %s: %w", s, err)
	}
	return &Index{root}, nil
}

// builder builds node after node.
type builder struct {
	spec    Spec
	options Options
	header  // of the vectors at hand
}

// whole builds the index: IDMap around refinement around transforms.
func (b *builder) whole(slab []float32) (x node, err error) {
	if b.spec.Binary {
		x, err = b.binary(slab)
	} else {
		var exact *flat
		if b.spec.Refine {
			exact = newFlat(b.header, slab)
		}
		x, err = b.transformed(slab)
		if err == nil && exact != nil {
			x = &refine{header{exact.Dimensions(), exact.Len(), exact.Metric()}, x, exact, 1}
		}
	}
	if err != nil || !b.spec.IDMap {
		return x, err
	}
	labels := b.options.Labels
	for row := len(labels); row < x.Len(); row++ {
		labels = append(labels, row)
	}
	return &idMap{x, labels}, checkLabels(labels)
}

func (b *builder) binary(slab []float32) (node, error) {
	size := b.dimensions / 8
	data := make([]byte, 0, b.n*size)
	for row := range b.n {
		data = append(data, packBits(slab[row*b.dimensions:(row+1)*b.dimensions])...)
	}
	x := &binaryFlat{b.header, index.NewBinary(index.Hamming, size, data), data}
	if b.spec.HNSW == 0 {
		return x, nil
	}
	return b.graph(x, index.L2)
}

// transformed learns the transforms and builds the rest on their results.
func (b *builder) transformed(slab []float32) (node, error) {
	if len(b.spec.Transforms) == 0 {
		return b.lists(slab)
	}
	x := &preTransform{header: b.header}
	for _, t := range b.spec.Transforms {
		chain, err := b.learn(t, slab)
		if err != nil {
			return nil, err
		}
		x.chain = append(x.chain, chain...)
		for _, t := range chain {
			slab = b.applyTo(t, slab)
		}
	}
	var err error
	if x.inner, err = b.lists(slab); err == nil {
		x.metric = x.inner.Metric()
	}
	return x, err
}

// applyTo returns all vectors transformed.
func (b *builder) applyTo(t transform, slab []float32) []float32 {
	in, out := t.dimensions()
	result := make([]float32, 0, len(slab)/in*out)
	for at := 0; at < len(slab); at += in {
		result = append(result, t.apply(slab[at:at+in])...)
	}
	b.dimensions = out
	return result
}

// lists builds what stands behind the transforms.
func (b *builder) lists(slab []float32) (node, error) {
	if b.spec.Lists > 0 {
		return b.ivf(slab)
	}
	x, err := b.plain(slab)
	if err != nil || b.spec.HNSW == 0 {
		return x, err
	}
	return b.graph(x, b.metric)
}

// plain builds what compares with everything.
func (b *builder) plain(slab []float32) (node, error) {
	switch b.spec.Codec.Kind {
	case FlatCodec:
		return newFlat(b.header, slab), nil
	case SignCodec:
		return b.signs(slab), nil
	}
	codec, err := b.codec(slab)
	if err != nil {
		return nil, err
	}
	return newCodes(b.metric, codec, quant.EncodeAll(codec, slab), b.spec.Codec.Fast), nil
}

// codec learns how vectors are encoded.
func (b *builder) codec(slab []float32) (quant.Codec, error) {
	switch c := b.spec.Codec; c.Kind {
	case ScalarCodec:
		s, err := quant.TrainScalar(c.Bits, b.dimensions, slab)
		if err != nil {
			return nil, err
		}
		return stepMiddles(s)
	case HalfCodec:
		return quant.NewF16(b.dimensions), nil
	case ProductCodec:
		return quant.TrainProduct(c.Parts, c.Bits, b.dimensions, slab, b.options.Seed, b.options.Threads)
	}
	return quant.NewF32(b.dimensions), nil
}

// stepMiddles makes codes that stand for the middle of a step, as in FAISS, of a codec whose
// codes stand for its ends.
func stepMiddles(s *quant.Scalar) (quant.Codec, error) {
	low, step := s.Ranges()
	low, step = slices.Clone(low), slices.Clone(step)
	steps := float32(int(1) << s.Bits())
	for i := range low {
		step[i] *= (steps - 1) / steps
		low[i] += step[i] / 2
	}
	return quant.NewScalar(s.Bits(), low, step)
}

// signs builds an LSH index.
func (b *builder) signs(slab []float32) node {
	c := b.spec.Codec
	x := &lsh{header: b.header, given: b.metric, bits: c.Bits}
	x.metric = index.Hamming
	if x.bits == 0 {
		x.bits = b.dimensions
	}
	if c.Rotated {
		x.turn = randomTurn(b.dimensions, x.bits, b.options.Seed)
	}
	if c.Thresholds {
		x.thresholds = b.medians(x, slab)
	}
	for row := range b.n {
		x.data = append(x.data, x.signs(slab[row*b.dimensions:(row+1)*b.dimensions])...)
	}
	x.codes = index.NewBinary(index.Hamming, (x.bits+7)/8, x.data)
	return x
}

// medians returns the median of every number whose sign will be taken.
func (b *builder) medians(x *lsh, slab []float32) []float32 {
	values := make([][]float32, x.bits)
	for row := range b.n {
		v := slab[row*b.dimensions : (row+1)*b.dimensions]
		if x.turn != nil {
			v = x.turn.apply(v)
		}
		for i := range values {
			values[i] = append(values[i], v[i])
		}
	}
	out := make([]float32, x.bits)
	for i, all := range values {
		slices.Sort(all)
		out[i] = all[len(all)/2]
	}
	return out
}

// graph builds links over the vectors of a node, as they decode.
func (b *builder) graph(storage node, metric index.Metric) (node, error) {
	m := b.spec.HNSW
	graph := index.NewHNSW(metric, storage.Dimensions(), index.HNSWOptions{M: m, EFConstruction: defaultEFBuild, Seed: b.options.Seed})
	var failure error
	err := storage.each(func(_ int, v []float32) {
		if _, err := graph.Add(v); err != nil && failure == nil {
			failure = err
		}
	})
	if err != nil {
		return nil, err
	}
	return &hnsw{header{storage.Dimensions(), storage.Len(), storage.Metric()}, graph, storage, defaultEFSearch, defaultEFBuild}, failure
}

// The training of the centroids, as FAISS sets it.
const (
	ivfRounds  = 10
	ivfSamples = 256 // vectors a centroid
)

// ivf builds lists.
func (b *builder) ivf(slab []float32) (node, error) {
	d, count, o := b.dimensions, b.spec.Lists, b.options
	sample := quant.Sample(d, slab, ivfSamples*count, o.Seed)
	centroids := quant.KMeans(d, sample, count, ivfRounds, o.Seed, o.Threads)
	x := &ivf{header: b.header, nprobe: 1, lists: make([]ivfList, count)}
	x.coarse = newFlat(header{d, count, b.metric}, centroids)
	if b.spec.CoarseM > 0 {
		over := builder{Spec{HNSW: b.spec.CoarseM}, o, header{d, count, b.metric}}
		var err error
		if x.coarse, err = over.graph(x.coarse, b.metric); err != nil {
			return nil, err
		}
	}
	nearest := b.assign(x, slab, centroids)
	c := b.spec.Codec
	x.residual = !c.Fast && c.Kind != FlatCodec
	if x.residual {
		slab = differences(d, slab, centroids, nearest)
	}
	var err error
	if x.codec, err = b.codec(slab); err != nil {
		return nil, err
	}
	x.exact = c.Kind == FlatCodec
	for row, list := range nearest {
		l, v := &x.lists[list], slab[row*d:(row+1)*d]
		l.labels = append(l.labels, row)
		if x.exact {
			l.vectors = append(l.vectors, v...)
		} else {
			code := make([]byte, x.codec.CodeSize())
			x.codec.Encode(v, code)
			l.codes = append(l.codes, code...)
		}
	}
	return x, x.settle(c.Fast)
}

// assign finds each vector's list: that whose centroid a search finds first.
func (b *builder) assign(x *ivf, slab, centroids []float32) []uint32 {
	nearest := make([]uint32, b.n)
	if b.metric == index.L2 {
		quant.Assign(b.dimensions, slab, centroids, nearest, b.options.Threads)
		return nearest
	}
	for row := range nearest {
		hits, _ := x.coarse.Search(slab[row*b.dimensions:(row+1)*b.dimensions], 1, index.Params{})
		nearest[row] = uint32(hits[0].Row)
	}
	return nearest
}

func differences(d int, slab, centroids []float32, nearest []uint32) []float32 {
	out := slices.Clone(slab)
	for row, list := range nearest {
		v, c := out[row*d:(row+1)*d], centroids[int(list)*d:(int(list)+1)*d]
		for i := range v {
			v[i] -= c[i]
		}
	}
	return out
}

// randomTurn returns a matrix of random orthonormal rows; of more rows than dimensions it is
// several such matrices.
func randomTurn(in, out int, seed uint64) *linear {
	random := rand.New(rand.NewPCG(seed, 9))
	t := &linear{kind: "rrot", in: in, out: out, matrix: make([]float32, in*out)}
	for i := range t.matrix {
		t.matrix[i] = float32(random.NormFloat64())
	}
	for from := 0; from < out; from += in {
		orthonormalise(t.matrix[from*in:min(from+in, out)*in], in)
	}
	return t
}
