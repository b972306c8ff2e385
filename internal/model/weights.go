package model

import (
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/internal/kernel"
)

// The GGUF names of the tensors outside the layers.
const (
	tokenEmbedding = "token_embd.weight"
	outputNorm     = "output_norm.weight"
	outputMatrix   = "output.weight"
)

// weights is a file's tensors, to be found by the names that GGUF gives them.
type weights interface {
	// find returns a tensor; what comes back has the file's own name even where
	// the file has no such tensor.
	find(name string) (stored, bool)

	// names are the file's own names of all tensors that must be used.
	names() []string

	// release is told what data has been read and may leave memory.
	release(data []byte)
}

// stored is a tensor in a file, whichever its format.
type stored struct {
	name   string // in the file
	shape  []int  // slowest dimension first: rows, then columns
	kind   string // the file's name for how numbers are stored
	data   []byte
	decode func(data []byte, dst []float32) error // decodes len(dst) numbers
}

// rows returns the rows [first, first+n) of a tensor that has count of them, all
// dimensions but the last counted as rows.
func (t stored) rows(first, n, count int) stored {
	size := len(t.data) / count
	t.data = t.data[first*size : (first+n)*size]
	return t
}

// source is where a slot's numbers may lie: in a tensor of their own, or in
// rows [first, first+slot.rows) of one with of rows, which holds several side by
// side. of zero means a tensor of their own.
type source struct {
	name      string
	first, of int
}

// slot is a tensor that a decoder needs and the place it is loaded to: matrix
// or vector, not both. A vector is one row.
type slot struct {
	sources    []source // the first that the file has counts
	rows, cols int
	matrix     **kernel.Matrix
	vector     *[]float32
	optional   bool
	addOne     bool // the file holds the numbers less 1
	precise    bool // not to be quantised: which expert is chosen depends on it
	outer      bool // embedding or output matrix: quantised to 8 bits at least
}

// planned is a slot with the tensor for it and how the weights will be held.
type planned struct {
	slot
	tensor stored
	format kernel.Format
	bytes  int64 // in memory
}

// plan finds the tensor for each slot, checks shape and type, and adds up what
// they will take in memory. Nothing has been allocated for them then.
func plan(w weights, slots []slot, q Quantization) (all []planned, bytes int64, err error) {
	used := map[string]bool{}
	for _, s := range slots {
		t, err := s.find(w)
		if err != nil {
			return nil, 0, err
		}
		if t.data == nil && s.optional {
			continue
		}
		used[t.name] = true
		p, err := s.check(t, q)
		if err != nil {
			return nil, 0, fmt.Errorf("tensor %q: %w", t.name, err)
		}
		bytes += p.bytes
		all = append(all, p)
	}
	// A tensor that we would leave out is a part of the model that we do not
	// know, such as a bias: without it the answers would be quietly wrong.
	for _, name := range w.names() {
		if !used[name] {
			return nil, 0, fmt.Errorf("the file has a tensor %q, which this architecture as we know it does not use", name)
		}
	}
	return all, bytes, nil
}

// find looks for a slot's numbers in its sources. An optional slot may come back
// empty.
func (s *slot) find(w weights) (stored, error) {
	var wrong error
	missing := ""
	for _, from := range s.sources {
		t, ok := w.find(from.name)
		if !ok {
			if missing == "" {
				missing = t.name
			}
			continue
		}
		want := from.shape(s)
		if s.fits(t.shape, want) {
			if from.of > 0 {
				t = t.rows(from.first, s.height(), from.of)
			}
			return t, nil
		}
		if wrong == nil {
			wrong = fmt.Errorf("tensor %q: its shape is %v, the configuration says %v (rows first)", t.name, t.shape, want)
		}
	}
	if wrong != nil {
		return stored{}, wrong
	}
	if s.optional {
		return stored{}, nil
	}
	return stored{}, fmt.Errorf("the tensor %q is missing", missing)
}

// height is the rows that a slot takes of a tensor, numbers where it is a
// vector.
func (s *slot) height() int {
	if s.vector != nil {
		return s.cols
	}
	return s.rows
}

// shape is what a source's tensor must have.
func (f *source) shape(s *slot) []int {
	height := s.height()
	if f.of > 0 {
		height = f.of
	}
	if s.vector != nil {
		return []int{height}
	}
	return []int{height, s.cols}
}

// fits compares shapes. Rows may be counted in two dimensions: experts, and the
// rows of each.
func (s *slot) fits(got, want []int) bool {
	if len(got) == 3 && len(want) == 2 && got[0] > 0 && got[1] <= maxWidth && got[0] <= maxWidth {
		got = []int{got[0] * got[1], got[2]}
	}
	return slices.Equal(got, want)
}

// check says how a tensor's numbers will be held, and in how many bytes.
func (s *slot) check(t stored, q Quantization) (planned, error) {
	p := planned{slot: *s, tensor: t}
	if s.vector != nil {
		if !isFloat(t.kind) {
			return p, fmt.Errorf("the type %s is not supported for a vector", t.kind)
		}
		p.bytes = 4 * int64(s.cols)
		return p, nil
	}
	f, err := s.format(t.kind, q)
	if err != nil {
		return p, err
	}
	size, err := kernel.Size(f, s.rows, s.cols)
	p.format, p.bytes = f, kernel.SlabSize(size)
	return p, err
}

// load fills each slot from its tensor, several at a time. Matrices go to the
// slab; what has been read of the file leaves memory, which so holds the weights
// once and not twice.
func load(w weights, all []planned, slab *kernel.Slab, p *kernel.Pool) error {
	errs := make([]error, len(all))
	p.Run(len(all), func(i int) {
		errs[i] = all[i].load(slab)
		w.release(all[i].tensor.data)
	})
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("load tensor %q: %w", all[i].tensor.name, err)
		}
	}
	return nil
}

func (p *planned) load(slab *kernel.Slab) (err error) {
	if p.matrix != nil {
		*p.matrix, err = p.pack(slab)
		return err
	}
	v := make([]float32, p.cols)
	err = p.tensor.decode(p.tensor.data, v)
	if p.addOne {
		for i := range v {
			v[i]++
		}
	}
	*p.vector = v
	return err
}
