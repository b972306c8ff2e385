package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// encoderWeights are the checked tensors of a file and where they go.
type encoderWeights struct {
	file   *safetensors.File
	prefix string // before the names of all tensors
	slots  []encoderSlot
}

// encoderSlot is a part of an encoder and the tensors it is made of: either one
// tensor as it is, or linear layers side by side, each a weight and a bias.
type encoderSlot struct {
	values *[]float32
	name   string
	shape  []int

	panels  *kernel.Panels
	linears []string
	in, out int
}

// newEncoderWeights looks up every tensor that an encoder's shape asks for and
// sets e.bytes. Nothing has been allocated for them then.
func newEncoderWeights(e *Encoder, file *safetensors.File) (encoderWeights, error) {
	w := encoderWeights{file: file, slots: bertSlots(e)}
	for _, prefix := range encoderFamilies[e.config.Architecture].prefixes {
		if _, ok := file.Tensor(prefix + bertWords); ok {
			w.prefix = prefix
		}
	}
	used := map[string]bool{}
	var problems []error
	for _, s := range w.slots {
		for name, shape := range s.tensors {
			used[w.prefix+name] = true
			bytes, err := w.check(name, shape)
			if err != nil {
				problems = append(problems, err)
			}
			e.bytes += bytes
		}
	}
	for _, name := range file.Names() {
		if !used[name] && !unusedByBERT(strings.TrimPrefix(name, w.prefix)) {
			problems = append(problems, fmt.Errorf("the file has a tensor %q, which this architecture as we know it does not use", name))
		}
	}
	const shown = 3
	if n := len(problems); n > shown {
		problems = append(problems[:shown], fmt.Errorf("and %d more", n-shown))
	}
	return w, errors.Join(problems...)
}

// tensors calls yield with the names and shapes of the tensors of a slot.
func (s *encoderSlot) tensors(yield func(name string, shape []int) bool) {
	if s.values != nil {
		yield(s.name, s.shape)
		return
	}
	for _, name := range s.linears {
		if !yield(name+".weight", []int{s.out, s.in}) || !yield(name+".bias", []int{s.out}) {
			return
		}
	}
}

// check returns the bytes that a tensor takes in memory.
func (w encoderWeights) check(name string, shape []int) (int64, error) {
	t, ok := w.file.Tensor(w.prefix + name)
	if !ok {
		return 0, fmt.Errorf("the tensor %q is missing", w.prefix+name)
	}
	if !slices.Equal(t.Shape, shape) {
		return 0, fmt.Errorf("tensor %q: its shape is %v, the configuration says %v", t.Name, t.Shape, shape)
	}
	if !slices.Contains([]safetensors.DType{safetensors.F32, safetensors.F16, safetensors.BF16}, t.DType) {
		return 0, fmt.Errorf("tensor %q: the type %s is not supported", t.Name, t.DType)
	}
	return 4 * int64(len(t.Data)/t.DType.Size()), nil
}

// load fills an encoder.
func (w encoderWeights) load(e *Encoder) error {
	errs := make([]error, len(w.slots))
	e.run(len(w.slots), func(i int) {
		s := &w.slots[i]
		if s.values != nil {
			*s.values, errs[i] = w.values(s.name)
			return
		}
		errs[i] = w.linear(s)
	})
	return errors.Join(errs...)
}

// values returns the numbers of a tensor.
func (w encoderWeights) values(name string) ([]float32, error) {
	t, _ := w.file.Tensor(w.prefix + name) // checked
	return t.Float32s()
}

// linear packs the layers of a slot into one matrix.
func (w encoderWeights) linear(s *encoderSlot) error {
	var weights, bias []float32
	for _, name := range s.linears {
		w1, err := w.values(name + ".weight")
		b1, err1 := w.values(name + ".bias")
		if err := errors.Join(err, err1); err != nil {
			return err
		}
		weights, bias = append(weights, w1...), append(bias, b1...)
	}
	s.panels.PackColumns(weights, s.in, s.in, len(bias))
	s.panels.SetBias(bias)
	return nil
}

// bertWords is the name of BERT's table of token embeddings.
const bertWords = "embeddings.word_embeddings.weight"

// bertSlots lists the tensors of a BERT by Hugging Face's names.
func bertSlots(e *Encoder) []encoderSlot {
	c := &e.config
	e.layers = make([]encoderLayer, c.Layers)
	table := func(into *[]float32, name string, rows int) encoderSlot {
		return encoderSlot{values: into, name: name, shape: []int{rows, c.Width}}
	}
	vector := func(into *[]float32, name string) encoderSlot {
		return encoderSlot{values: into, name: name, shape: []int{c.Width}}
	}
	linear := func(into *kernel.Panels, in, out int, names ...string) encoderSlot {
		return encoderSlot{panels: into, linears: names, in: in, out: out}
	}
	slots := []encoderSlot{
		table(&e.words, bertWords, c.Vocab),
		table(&e.positions, "embeddings.position_embeddings.weight", c.Positions),
		table(&e.types, "embeddings.token_type_embeddings.weight", c.Types),
		vector(&e.embedded.gain, "embeddings.LayerNorm.weight"),
		vector(&e.embedded.bias, "embeddings.LayerNorm.bias"),
	}
	for i := range e.layers {
		l, at := &e.layers[i], fmt.Sprintf("encoder.layer.%d.", i)
		slots = append(slots,
			linear(&l.attention, c.Width, c.Width, at+"attention.self.query", at+"attention.self.key", at+"attention.self.value"),
			linear(&l.projected, c.Width, c.Width, at+"attention.output.dense"),
			vector(&l.attended.gain, at+"attention.output.LayerNorm.weight"),
			vector(&l.attended.bias, at+"attention.output.LayerNorm.bias"),
			linear(&l.up, c.Width, c.FeedForward, at+"intermediate.dense"),
			linear(&l.down, c.FeedForward, c.Width, at+"output.dense"),
			vector(&l.output.gain, at+"output.LayerNorm.weight"),
			vector(&l.output.bias, at+"output.LayerNorm.bias"),
		)
	}
	return slots
}

// unusedByBERT says whether a tensor has nothing to do with a vector: the
// training heads, and position numbers that are 0, 1, 2 and so on.
func unusedByBERT(name string) bool {
	return name == "embeddings.position_ids" || strings.HasPrefix(name, "pooler.") || strings.HasPrefix(name, "cls.")
}
