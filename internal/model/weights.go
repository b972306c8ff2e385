package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/safetensors"
)

// tokenEmbedding is the GGUF name of the embedding matrix.
const tokenEmbedding = "token_embd.weight"

// weights is a file's tensors by the names that GGUF gives them.
type weights interface {
	find(name string) (stored, bool)
	names() []string
}

// stored is a tensor in a file, whichever its format.
type stored struct {
	shape    []int  // slowest dimension first: rows, then columns
	kind     string // the file's name for how numbers are stored
	data     []byte
	float32s func() ([]float32, error)
}

// formats are the stored forms that the kernels multiply.
var formats = map[string]kernel.Format{
	"F32": kernel.F32, "F16": kernel.F16,
	"Q8_0": kernel.Q8_0, "Q4_0": kernel.Q4_0, "Q4_1": kernel.Q4_1,
}

// vectorKinds are the stored forms of the weights of a normalisation, which are
// used as float32.
var vectorKinds = []string{"F32", "F16", "BF16"}

// slot is a tensor that a decoder needs and the place it is loaded to: matrix
// or vector, not both.
type slot struct {
	name       string
	rows, cols int
	matrix     **kernel.Matrix
	vector     *[]float32
}

// plan finds the tensor for each slot, checks shape and type, and adds up what
// they will take in memory. Nothing has been allocated for them then.
func plan(w weights, slots []slot) (tensors []stored, bytes int64, err error) {
	used := map[string]bool{}
	for _, s := range slots {
		t, ok := w.find(s.name)
		if !ok {
			return nil, 0, fmt.Errorf("the tensor %q is missing", s.name)
		}
		size, err := s.check(t)
		if err != nil {
			return nil, 0, fmt.Errorf("tensor %q: %w", s.name, err)
		}
		used[s.name] = true
		bytes += size
		tensors = append(tensors, t)
	}
	// A tensor that we would leave out is a part of the model that we do not
	// know, such as a bias: without it the answers would be quietly wrong.
	for _, name := range w.names() {
		if !used[name] {
			return nil, 0, fmt.Errorf("the file has a tensor %q, which this architecture as we know it does not use", name)
		}
	}
	return tensors, bytes, nil
}

// check returns the bytes that a tensor takes once loaded.
func (s *slot) check(t stored) (int64, error) {
	want := []int{s.rows, s.cols}
	if s.vector != nil {
		want = []int{s.cols}
	}
	if !slices.Equal(t.shape, want) {
		return 0, fmt.Errorf("its shape is %v, the configuration says %v (rows first)", t.shape, want)
	}
	if s.vector != nil {
		if !slices.Contains(vectorKinds, t.kind) {
			return 0, fmt.Errorf("the type %s is not supported for a vector", t.kind)
		}
		return 4 * int64(s.cols), nil
	}
	f, ok := formats[t.kind]
	if !ok {
		return 0, fmt.Errorf("the type %s is not supported", t.kind)
	}
	size, err := kernel.Size(f, s.rows, s.cols)
	return kernel.SlabSize(size), err
}

// load fills each slot from its tensor, several at a time. Matrices go to the
// slab.
func load(slots []slot, tensors []stored, slab *kernel.Slab, p *kernel.Pool) error {
	errs := make([]error, len(slots))
	p.Run(len(slots), func(i int) {
		s, t := slots[i], tensors[i]
		if s.matrix != nil {
			*s.matrix = kernel.NewMatrix(slab, formats[t.kind], t.data, s.rows, s.cols)
			return
		}
		*s.vector, errs[i] = t.float32s()
	})
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("load tensor %q: %w", slots[i].name, err)
		}
	}
	return nil
}

// ggufWeights are the tensors of a GGUF file.
type ggufWeights struct{ file *gguf.File }

func (w ggufWeights) find(name string) (stored, bool) {
	t, ok := w.file.Tensor(name)
	if !ok {
		return stored{}, false
	}
	shape := make([]int, len(t.Shape))
	for i, n := range t.Shape {
		shape[len(shape)-1-i] = n
	}
	return stored{shape, t.Type.String(), t.Data, t.Float32s}, true
}

func (w ggufWeights) names() []string {
	var names []string
	for _, t := range w.file.Tensors() {
		names = append(names, t.Name)
	}
	return names
}

// safetensorsWeights are the tensors of a safetensors file with Hugging Face's
// names for a Llama.
type safetensorsWeights struct {
	file *safetensors.File
	tied bool // the output matrix is the embedding: the file may have either name or both
}

func (w safetensorsWeights) find(name string) (stored, bool) {
	t, ok := w.file.Tensor(hfName(name))
	if !ok && w.tied && name == tokenEmbedding {
		t, ok = w.file.Tensor(hfNames["output"])
	}
	return stored{t.Shape, string(t.DType), t.Data, t.Float32s}, ok
}

func (w safetensorsWeights) names() []string {
	var names []string
	for _, n := range w.file.Names() {
		name := ggufName(n)
		if w.tied && name == "output.weight" {
			name = tokenEmbedding
		}
		names = append(names, name)
	}
	return names
}

// hfNames translates the parts of tensor names from GGUF's to Hugging Face's.
var hfNames = map[string]string{
	"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head.weight",
	"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
	"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
	"ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}

// hfName turns blk.3.attn_q.weight into model.layers.3.self_attn.q_proj.weight.
func hfName(name string) string {
	if name == "output.weight" {
		return hfNames["output"]
	}
	parts := strings.Split(name, ".")
	if len(parts) == 4 && parts[0] == "blk" {
		return "model.layers." + parts[1] + "." + hfNames[parts[2]] + "." + parts[3]
	}
	return hfNames[parts[0]] + "." + strings.Join(parts[1:], ".")
}

// ggufName is the inverse of hfName; a name it does not know stays as it is.
func ggufName(name string) string {
	if name == hfNames["output"] {
		return "output.weight"
	}
	prefix, rest := "", name
	if after, ok := strings.CutPrefix(name, "model.layers."); ok {
		n, r, _ := strings.Cut(after, ".")
		prefix, rest = "blk."+n+".", r
	}
	for ours, theirs := range hfNames {
		if rest == theirs+".weight" {
			return prefix + ours + ".weight"
		}
	}
	return name
}
