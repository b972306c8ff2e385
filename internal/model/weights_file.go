package model

import (
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// ggufWeights are the tensors of a GGUF file.
type ggufWeights struct{ file *gguf.File }

func (w ggufWeights) find(name string) (stored, bool) {
	t, ok := w.file.Tensor(name)
	if !ok {
		return stored{name: name}, false
	}
	shape := slices.Clone(t.Shape)
	slices.Reverse(shape)
	decode := func(data []byte, dst []float32) error { return gguf.Dequantize(t.Type, data, dst) }
	return stored{name, shape, t.Type.String(), t.Data, decode}, true
}

func (w ggufWeights) names() []string {
	var names []string
	for _, t := range w.file.Tensors() {
		if !slices.Contains([]string{ropeFrequencies, ropeLong, ropeShort}, t.Name) {
			names = append(names, t.Name)
		}
	}
	return names
}

func (w ggufWeights) release(data []byte) { w.file.Release(data) }

// hfWeights are the tensors of a Hugging Face checkpoint.
type hfWeights struct {
	set    *safetensors.Set
	family *family
	tied   bool // the output matrix is the embedding: the files may have either name or both
}

func (w hfWeights) find(name string) (stored, bool) {
	theirs := w.family.hfName(name)
	t, ok := w.set.Tensor(theirs)
	if !ok && w.tied && name == tokenEmbedding {
		theirs = w.family.hfName(outputMatrix)
		t, ok = w.set.Tensor(theirs)
	}
	if !ok {
		return stored{name: w.family.hfName(name)}, false
	}
	return stored{theirs, t.Shape, string(t.DType), t.Data, t.DType.Decode}, true
}

func (w hfWeights) names() []string {
	var names []string
	for _, n := range w.set.Names() {
		// Old checkpoints keep the rotary frequencies, which follow from the
		// configuration.
		if !strings.HasSuffix(n, ".rotary_emb.inv_freq") && !(w.tied && n == w.family.hfName(outputMatrix)) {
			names = append(names, n)
		}
	}
	return names
}

func (w hfWeights) release(data []byte) { w.set.Release(data) }
