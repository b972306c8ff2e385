package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/safetensors"
)

// encoderWeights are the tensors of an encoder's files and where they go.
type encoderWeights struct {
	files  []*safetensors.Set
	slots  []encoderSlot
	unused []func(name string) bool // by file: tensors that may be there for nothing
}

// encoderSlot is a part of an encoder and the tensors it is made of: either one
// tensor as it is, or linear layers side by side.
type encoderSlot struct {
	file *safetensors.Set

	values *[]float32
	name   string
	shape  []int

	linear  *linear
	linears []string // each has a weight, and a bias if biased
	in      int
	outs    []int
	biased  bool
	reads   *layerNorm // whose results the layer reads; nil: not those of a normalisation
}

// transformer finds the layout of the file and lists the slots of the
// transformer and of a cross-encoder's head.
func (w *encoderWeights) transformer(e *Encoder, file *safetensors.Set) error {
	family := encoderFamilies[e.config.Architecture]
	for i := range family.names {
		n := &family.names[i]
		for _, prefix := range []string{"", n.prefix} {
			_, ok := file.Tensor(prefix + n.words + ".weight")
			if ok && len(family.names) > 1 { // layouts that differ by what follows the table
				_, ok = file.Tensor(prefix + n.first + ".weight")
			}
			if !ok {
				continue
			}
			m := slotMaker{file: file, prefix: prefix}
			m.transformer(e, n)
			if e.config.Labels > 0 {
				e.head = new(classifier)
				m.slots = append(m.slots, family.head(&e.config, e.head)...)
			}
			w.add(m.slots, file, func(name string) bool { return n.isUnused(strings.TrimPrefix(name, prefix)) })
			return nil
		}
	}
	return fmt.Errorf("the tensor %q is missing", family.names[0].words+".weight")
}

// dense lists the slots of a linear layer after the pooling.
func (w *encoderWeights) dense(e *Encoder, d *DenseModule, file *safetensors.Set) {
	step := vectorStep{dense: &linear{exact: true}, activation: d.Activation}
	e.steps = append(e.steps, step)
	m := slotMaker{}
	m.linear(step.dense, d.In, []int{d.Out}, d.Bias, "linear")
	w.add(m.slots, file, func(string) bool { return false })
}

// add takes the slots that file fills.
func (w *encoderWeights) add(slots []encoderSlot, file *safetensors.Set, unused func(string) bool) {
	for i := range slots {
		slots[i].file = file
	}
	w.slots = append(w.slots, slots...)
	w.unused = append(w.unused, unused)
}

// slotMaker lists slots whose tensors have a common prefix.
type slotMaker struct {
	file   *safetensors.Set
	prefix string
	reads  *layerNorm // of the linear layers that come next
	slots  []encoderSlot
}

func (m *slotMaker) table(into *[]float32, name string, shape ...int) {
	if name != "" {
		m.slots = append(m.slots, encoderSlot{values: into, name: m.prefix + name, shape: shape})
	}
}

func (m *slotMaker) norm(into *layerNorm, name string, width int, biased bool) {
	if name == "" {
		return
	}
	m.table(&into.gain, name+".weight", width)
	if biased {
		m.table(&into.bias, name+".bias", width)
	}
}

func (m *slotMaker) linear(into *linear, in int, outs []int, biased bool, names ...string) {
	s := encoderSlot{linear: into, in: in, outs: outs, biased: biased, reads: m.reads}
	for _, name := range names {
		s.linears = append(s.linears, m.prefix+name)
	}
	m.slots = append(m.slots, s)
}

// transformer lists the slots of the transformer by a layout's names.
func (m *slotMaker) transformer(e *Encoder, n *encoderNames) {
	c := &e.config
	e.layers = make([]encoderLayer, c.Layers)
	weight := func(name string) string {
		if name == "" {
			return ""
		}
		return name + ".weight"
	}
	m.table(&e.words, weight(n.words), c.Vocab, c.Width)
	m.table(&e.positions, weight(n.places), c.Positions+c.FirstRow, c.Width)
	if c.Types > 0 {
		m.table(&e.types, weight(n.types), c.Types, c.Width)
	}
	m.table(&e.distances, weight(n.buckets), c.Buckets, c.Heads)
	m.norm(&e.first, n.first, c.Width, c.biases.norm)
	m.norm(&e.final, n.final, c.Width, c.biases.norm)
	for i := range e.layers {
		l, at := &e.layers[i], strings.ReplaceAll(n.layer, "%d", fmt.Sprint(i))
		part := func(names ...string) []string {
			var full []string
			for _, name := range names {
				if name != "" {
					name = at + name
				}
				full = append(full, name)
			}
			return full
		}
		m.reads = e.readBy(i, true)
		l.attention.fine = c.projections() - c.KVHeads*c.HeadSize // the values
		m.linear(&l.attention, c.Width, cutInto(c, len(n.attention)), c.biases.attention, part(n.attention...)...)
		m.reads = nil
		m.table(&l.queryNorm, weight(part(n.queryNorm)[0]), c.HeadSize)
		m.table(&l.keyNorm, weight(part(n.keyNorm)[0]), c.HeadSize)
		m.linear(&l.projected, c.queries(), []int{c.Width}, c.biases.attention, at+n.projected)
		if i > 0 || !n.bare {
			m.norm(&l.attended, at+n.attended, c.Width, c.biases.norm)
		}
		up := []int{c.inner()}
		if len(n.up) == 2 {
			up = []int{c.FeedForward, c.FeedForward}
		}
		m.reads = e.readBy(i, false)
		m.linear(&l.up, c.Width, up, c.biases.feedForward, part(n.up...)...)
		m.reads = nil
		m.linear(&l.down, c.FeedForward, []int{c.Width}, c.biases.feedForward, at+n.down)
		m.norm(&l.output, at+n.output, c.Width, c.biases.norm)
	}
}

// readBy returns the normalisation whose results a layer's attention, or its
// feed-forward half, reads.
func (e *Encoder) readBy(layer int, attention bool) *layerNorm {
	l := &e.layers[layer]
	switch {
	case attention && e.config.PreNorm:
		return &l.attended
	case attention && layer == 0:
		return &e.first
	case attention:
		return &e.layers[layer-1].output
	case e.config.PreNorm:
		return &l.output
	}
	return &l.attended
}

// cutInto returns the widths of queries, keys and values: in one tensor, or each
// in its own.
func cutInto(c *EncoderConfig, tensors int) []int {
	if tensors == 1 {
		return []int{c.projections()}
	}
	return []int{c.queries(), c.KVHeads * c.HeadSize, c.KVHeads * c.HeadSize}
}

// check looks up every tensor and sets e.bytes. Nothing has been allocated for
// them then.
func (w *encoderWeights) check(e *Encoder) error {
	used := map[*safetensors.Set]map[string]bool{}
	for _, f := range w.files {
		used[f] = map[string]bool{}
	}
	var problems []error
	for i := range w.slots {
		s := &w.slots[i]
		for name, shape := range s.tensors {
			t, err := s.find(name, shape)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			used[s.file][t.Name] = true
			e.bytes += s.bytes(shape, e.precision)
		}
		if l := s.linear; l != nil && l.fine > 0 && e.precision == Int8 {
			e.bytes += int64(s.in) * int64(s.width()-l.fine)
		}
	}
	for i, f := range w.files {
		for _, name := range f.Names() {
			if !used[f][name] && !w.unused[i](name) {
				problems = append(problems, fmt.Errorf("the file has a tensor %q, which this architecture as we know it does not use", name))
			}
		}
	}
	const shown = 3
	if n := len(problems); n > shown {
		problems = append(problems[:shown], fmt.Errorf("and %d more", n-shown))
	}
	return errors.Join(problems...)
}

// tensors calls yield with the names and shapes of the tensors of a slot.
func (s *encoderSlot) tensors(yield func(name string, shape []int) bool) {
	if s.values != nil {
		yield(s.name, s.shape)
		return
	}
	for i, name := range s.linears {
		if !yield(name+".weight", []int{s.outs[i], s.in}) || s.biased && !yield(name+".bias", []int{s.outs[i]}) {
			return
		}
	}
}

// width returns the length of a linear slot's results.
func (s *encoderSlot) width() int {
	total := 0
	for _, n := range s.outs {
		total += n
	}
	return total
}

// find returns the tensor with a name and a shape.
func (s *encoderSlot) find(name string, shape []int) (safetensors.Tensor, error) {
	t, ok := s.file.Tensor(name)
	if !ok { // what the first BERT called the weights of its normalisations
		t, ok = s.file.Tensor(strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta").Replace(name))
	}
	if !ok {
		return t, fmt.Errorf("the tensor %q is missing", name)
	}
	if !slices.Equal(t.Shape, shape) {
		return t, fmt.Errorf("tensor %q: its shape is %v, the configuration says %v", t.Name, t.Shape, shape)
	}
	if !slices.Contains([]safetensors.DType{safetensors.F32, safetensors.F16, safetensors.BF16}, t.DType) {
		return t, fmt.Errorf("tensor %q: the type %s is not supported", t.Name, t.DType)
	}
	return t, nil
}

// bytes returns the memory that a tensor of a slot takes.
func (s *encoderSlot) bytes(shape []int, p Precision) int64 {
	size := int64(4)
	if s.linear != nil && len(shape) == 2 && p == Int8 && !s.linear.exact {
		size = 1
	}
	for _, n := range shape {
		size *= int64(n)
	}
	return size
}

// load fills an encoder: the tensors that stay as they are first, since linear
// layers are packed by the normalisations before them.
func (w *encoderWeights) load(e *Encoder) error {
	errs := make([]error, len(w.slots))
	for _, linears := range []bool{false, true} {
		e.run(len(w.slots), func(i int) {
			s := &w.slots[i]
			switch {
			case linears != (s.linear != nil):
			case linears:
				errs[i] = s.load(e.precision)
			default:
				*s.values, errs[i] = s.read(s.name, s.shape)
			}
		})
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	e.prepare()
	return nil
}

// read returns the numbers of a tensor.
func (s *encoderSlot) read(name string, shape []int) ([]float32, error) {
	t, err := s.find(name, shape)
	if err != nil {
		return nil, err
	}
	return t.Float32s()
}

// load packs the layers of a slot into one matrix.
func (s *encoderSlot) load(p Precision) error {
	var weights, bias []float32
	for name, shape := range s.tensors {
		numbers, err := s.read(name, shape)
		if err != nil {
			return err
		}
		if len(shape) == 2 {
			weights = append(weights, numbers...)
		} else {
			bias = append(bias, numbers...)
		}
	}
	var gain []float32
	if s.reads != nil {
		gain = s.reads.gain
	}
	s.linear.pack(weights, bias, s.in, s.width(), p, gain)
	return nil
}

// layerNorm is the weights of a normalisation. Without a gain it changes
// nothing.
type layerNorm struct{ gain, bias []float32 }
