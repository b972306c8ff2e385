package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"
)

// Loading makes no second copy of a tensor, quantised or not: the Go heap sees
// rows, and nothing of more than 32 kB.
func TestLoadingHoldsTheWeightsOnce(t *testing.T) {
	const width, forward, vocab, layers = 256, 1024, 8192, 8
	o := &oracle{Name: "large", modelType: "llama", Shapes: map[string][]int{}, weights: map[string][]float32{}}
	o.Config = fmt.Appendf(nil, `{"model_type": "llama", "vocab_size": %d, "max_position_embeddings": 64, "num_hidden_layers": %d, "hidden_size": %d,
		"intermediate_size": %d, "num_attention_heads": 4, "rms_norm_eps": 1e-05, "tie_word_embeddings": true}`, vocab, layers, width, forward)
	add := func(name string, shape ...int) {
		o.Shapes[name] = shape
		o.weights[name] = oracleWeight("llama", name, shape)
	}
	add("model.embed_tokens.weight", vocab, width)
	add("model.norm.weight", width)
	for i := range layers {
		at := fmt.Sprintf("model.layers.%d.", i)
		for _, n := range []string{"q", "k", "v", "o"} {
			add(at+"self_attn."+n+"_proj.weight", width, width)
		}
		add(at+"mlp.gate_proj.weight", forward, width)
		add(at+"mlp.up_proj.weight", forward, width)
		add(at+"mlp.down_proj.weight", width, forward)
		add(at+"input_layernorm.weight", width)
		add(at+"post_attention_layernorm.weight", width)
	}
	dir := o.folder(t, 2)
	for _, q := range []Quantization{AsStored, QuantizeQ8, QuantizeQ4} {
		options := o.options(t, 2, q)
		before := largeAllocations()
		if _, err := LoadDecoderFolder(dir, options); err != nil {
			t.Fatal(err)
		}
		if n := largeAllocations() - before; n > 0 {
			t.Errorf("%q: loading allocated %d times more than 32 kB", q, n)
		}
	}
}

// largeAllocations counts what the Go heap was asked for so far in pieces of
// more than 32 kB.
func largeAllocations() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs-by-size:bytes"}}
	metrics.Read(sample)
	counts := sample[0].Value.Float64Histogram().Counts
	return counts[len(counts)-1]
}

// BF16, as most checkpoints are, gives the numbers of the same weights as F32.
func TestBF16CheckpointsEqualTheirFloats(t *testing.T) {
	for _, o := range oracles(t)[:3] {
		dir := o.folder(t, 1)
		path := filepath.Join(dir, "model.safetensors")
		rounded := *o
		rounded.weights = map[string][]float32{}
		for name, x := range o.weights {
			rounded.weights[name] = make([]float32, len(x))
			for i, v := range x {
				rounded.weights[name][i] = math.Float32frombits(math.Float32bits(v) &^ 0xffff)
			}
		}
		if err := os.WriteFile(path, rounded.bf16File(), 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := LoadDecoderFolder(dir, o.options(t, 2, AsStored))
		if err != nil {
			t.Fatal(err)
		}
		equalLogits(t, o.Name, o.logits(t, d), o.logits(t, rounded.load(t, 1, 2, AsStored)))
	}
}

// bf16File is a file of all tensors, whose numbers must be BF16's.
func (o *oracle) bf16File() []byte {
	var body []byte
	header := map[string]any{}
	for name, x := range o.weights {
		begin := len(body)
		for _, v := range x {
			body = binary.LittleEndian.AppendUint16(body, uint16(math.Float32bits(v)>>16))
		}
		header[name] = map[string]any{"dtype": "BF16", "shape": o.Shapes[name], "data_offsets": []int{begin, len(body)}}
	}
	return withHeader(header, body)
}
