package model

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/testenv"
)

// remove drops a tensor.
func (m *made) remove(name string) {
	for i := range m.tensors {
		if m.tensors[i].Name == name {
			m.tensors = append(m.tensors[:i], m.tensors[i+1:]...)
			return
		}
	}
	panic("no tensor " + name)
}

// unset drops a metadata value.
func (m *made) unset(key string) {
	for i := range m.meta {
		if m.meta[i].Key == key {
			m.meta = append(m.meta[:i], m.meta[i+1:]...)
			return
		}
	}
	panic("no key " + key)
}

// replace gives a tensor another shape and type, with data to match.
func (m *made) replace(name string, t gguf.Type, shape ...int) {
	for i := range m.tensors {
		if m.tensors[i].Name != name {
			continue
		}
		bytes, _ := t.RowBytes(shape[0])
		for _, n := range shape[1:] {
			bytes *= n
		}
		m.tensors[i] = gguf.Tensor{Name: name, Type: t, Shape: shape, Data: make([]byte, bytes)}
	}
}

// add adds a tensor of zeros.
func (m *made) add(name string, t gguf.Type, shape ...int) {
	m.tensors = append(m.tensors, gguf.Tensor{Name: name})
	m.replace(name, t, shape...)
}

func TestTinyHostileFilesAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(m *made)
		want  string // in the error
	}{
		"no architecture":        {func(m *made) { m.unset("general.architecture") }, `"general.architecture"`},
		"unknown architecture":   {func(m *made) { m.set("general.architecture", "mamba") }, `the architecture "mamba" is not supported`},
		"architecture not text":  {func(m *made) { m.set("general.architecture", uint32(3)) }, "want a string"},
		"no layer count":         {func(m *made) { m.unset("llama.block_count") }, `"llama.block_count"`},
		"layer count is text":    {func(m *made) { m.set("llama.block_count", "two") }, "want an unsigned integer"},
		"no layers":              {func(m *made) { m.set("llama.block_count", uint32(0)) }, "the number of layers is 0, want 1 to 1024"},
		"a billion layers":       {func(m *made) { m.set("llama.block_count", uint32(1e9)) }, "the number of layers is 1000000000"},
		"layers beyond int":      {func(m *made) { m.set("llama.block_count", uint64(1<<63)) }, "the number of layers is 2147483647"},
		"more layers than there": {func(m *made) { m.set("llama.block_count", uint32(3)) }, `the tensor "blk.2.attn_norm.weight" is missing`},
		"fewer layers":           {func(m *made) { m.set("llama.block_count", uint32(1)) }, `tensor "blk.1.attn_norm.weight", which this architecture as we know it does not use`},
		"no heads":               {func(m *made) { m.set("llama.attention.head_count", uint32(0)) }, "the number of heads is 0"},
		"no key-value heads":     {func(m *made) { m.set("llama.attention.head_count_kv", uint32(0)) }, "the number of key-value heads is 0"},
		"uneven heads":           {func(m *made) { m.set("llama.attention.head_count_kv", uint32(3)) }, "4 heads cannot share 3 key-value heads evenly"},
		"heads by layer":         {func(m *made) { m.set("llama.attention.head_count", []uint32{4, 4}) }, "want an unsigned integer"},
		"negative heads":         {func(m *made) { m.set("llama.attention.head_count", int32(-4)) }, "want an unsigned integer"},
		"odd head size":          {func(m *made) { m.set("llama.attention.head_count", uint32(8)) }, "the head size is 8, want a multiple of 16"},
		"other value size":       {func(m *made) { m.set("llama.attention.value_length", uint32(32)) }, "keys of 16 and values of 32"},
		"no context":             {func(m *made) { m.set("llama.context_length", uint32(0)) }, "the context length is 0"},
		"endless context":        {func(m *made) { m.set("llama.context_length", uint64(1<<62)) }, "the context length is 2147483647"},
		"no width":               {func(m *made) { m.set("llama.embedding_length", uint32(0)) }, "the embedding width is 0"},
		"other width":            {func(m *made) { m.set("llama.embedding_length", uint32(128)) }, "its shape is [80 64], the configuration says [80 128]"},
		"other feed-forward":     {func(m *made) { m.set("llama.feed_forward_length", uint32(97)) }, "its shape is [96 64], the configuration says [97 64]"},
		"rotation beyond heads":  {func(m *made) { m.set("llama.rope.dimension_count", uint32(18)) }, "18 rotated dimensions do not fit heads of 16"},
		"rotary base zero":       {func(m *made) { m.set("llama.rope.freq_base", float32(0)) }, "the rotary base is 0"},
		"rotary base not text":   {func(m *made) { m.set("llama.rope.freq_base", "10000") }, "want a float"},
		"negative epsilon":       {func(m *made) { m.set("llama.attention.layer_norm_rms_epsilon", float32(-1)) }, "the normalisation epsilon is -1"},
		"scaled rotation":        {func(m *made) { m.set("llama.rope.scaling.type", "yarn") }, `the yarn rope scaling has the factor 0`},
		"unknown scaling":        {func(m *made) { m.set("llama.rope.scaling.type", "ntk") }, `the rope scaling "ntk" is not supported`},
		"unknown setting":        {func(m *made) { m.set("llama.attention.clamp_kqv", float32(8)) }, "the file has the setting llama.attention.clamp_kqv"},
		"no epsilon":             {func(m *made) { m.unset("llama.attention.layer_norm_rms_epsilon") }, `"llama.attention.layer_norm_rms_epsilon"`},
		"experts not there":      {func(m *made) { m.set("llama.expert_count", uint32(8)); m.set("llama.expert_used_count", uint32(2)) }, `the tensor "blk.0.ffn_gate_inp.weight" is missing`},
		"no experts used":        {func(m *made) { m.set("llama.expert_count", uint32(8)) }, "the number of experts that a token uses is 0, want 1 to 8"},
		"experts of other kinds": {func(m *made) { m.set("llama.expert_gating_func", uint32(2)) }, "llama.expert_gating_func 2 is not supported"},
		"rotary factors of zero": {func(m *made) { m.add("rope_freqs.weight", gguf.F32, 8) }, "rotary factor 0 is 0"},
		"too few rotary factors": {func(m *made) { m.add("rope_freqs.weight", gguf.F32, 7) }, "7 rotary factors for 8 pairs"},
		"no embedding":           {func(m *made) { m.remove("token_embd.weight") }, `"token_embd.weight" is missing`},
		"embedding a vector":     {func(m *made) { m.replace("token_embd.weight", gguf.F32, 64) }, `"token_embd.weight" is missing`},
		"no query":               {func(m *made) { m.remove("blk.1.attn_q.weight") }, `the tensor "blk.1.attn_q.weight" is missing`},
		"query turned":           {func(m *made) { m.replace("blk.1.ffn_up.weight", gguf.F32, 96, 64) }, `tensor "blk.1.ffn_up.weight": its shape is [64 96], the configuration says [96 64]`},
		"unsupported type":       {func(m *made) { m.replace("blk.0.attn_k.weight", gguf.I16, 64, 32) }, `tensor "blk.0.attn_k.weight": the type I16 is not supported`},
		"norm of integers":       {func(m *made) { m.replace("output_norm.weight", gguf.I32, 64) }, `tensor "output_norm.weight": the type I32 is not supported for a vector`},
		"another bias":           {func(m *made) { m.add("blk.0.ffn_up.bias", gguf.F32, 96) }, `tensor "blk.0.ffn_up.bias", which this architecture as we know it does not use`},
		"a short bias":           {func(m *made) { m.add("blk.0.attn_q.bias", gguf.F32, 32) }, `tensor "blk.0.attn_q.bias": its shape is [32], the configuration says [64]`},
	} {
		m := newMade(gguf.F32)
		c.spoil(m)
		_, err := LoadDecoder(m.file(t), DecoderOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %s", name, err, c.want)
		}
		if _, err := InspectDecoder(m.file(t), DecoderOptions{}); err == nil {
			t.Errorf("%s: inspection found nothing", name)
		}
	}
}

// Settings that say a feature is off are fine, and so is an output matrix that
// is the embedding.
func TestTinyFilesWithTheDefaultsWrittenOut(t *testing.T) {
	m := newMade(gguf.F32)
	m.set("llama.rope.scaling.type", "none")
	m.set("llama.expert_count", uint32(0))
	m.set("llama.attention.key_length", uint32(16))
	m.set("llama.rope.dimension_count", uint32(16))
	m.remove("output.weight")
	d := m.load(t, 1)
	if d.output != d.embedding {
		t.Error("without an output matrix, the embedding is not used for it")
	}
}

// What is said before loading is what is taken.
func TestTinyInspectionTellsTheMemory(t *testing.T) {
	for _, weights := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0, gguf.Q4_1} {
		m := newMade(weights)
		info, err := InspectDecoder(m.file(t), DecoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d := m.load(t, 1)
		if info.Bytes != d.Bytes() || !reflect.DeepEqual(info.Config, d.Config()) {
			t.Errorf("%v: inspection says %d bytes and %+v, the decoder %d and %+v", weights, info.Bytes, info.Config, d.Bytes(), d.Config())
		}
		taken := int64(0)
		opened, err := openGGUF(m.file(t), DecoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range d.slots(opened) {
			if s.matrix != nil {
				taken += kernel.SlabSize((*s.matrix).Bytes())
			} else {
				taken += 4 * int64(len(*s.vector))
			}
		}
		if weightBytes := d.Bytes() - d.config.workBytes(); taken != weightBytes {
			t.Errorf("%v: the weights take %d bytes, Bytes counts %d", weights, taken, weightBytes)
		}
		c := d.NewCache()
		run(t, d, &Input{Cache: c, Tokens: sentence(rand.New(rand.NewPCG(1, 1)), 65, madeVocab)})
		if got, want := int64(len(c.blocks)*2*len(c.blocks[0].data)), d.CacheBytes(65); got != want {
			t.Errorf("%v: 65 tokens take %d bytes of cache, CacheBytes says %d", weights, got, want)
		}
	}
}

func TestTinyFolderErrors(t *testing.T) {
	tiny := testenv.Shared(t, "data", "tinystories-656k")
	config, err := os.ReadFile(filepath.Join(tiny, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"not JSON":       {`{`, `[`, "config.json"},
		"other family":   {`"llama"`, `"mamba"`, `the model_type "mamba" is not supported`},
		"activation":     {`"silu"`, `"relu"`, `hidden_act "relu" is not supported`},
		"scaled":         {`"rope_scaling": null`, `"rope_scaling": {"type": "linear"}`, "the linear rope scaling has the factor 0"},
		"scaled oddly":   {`"rope_scaling": null`, `"rope_scaling": {"rope_type": "dynamic", "factor": 2}`, `the rope scaling "dynamic" is not supported`},
		"quantised":      {`"rope_scaling": null`, `"quantization_config": {"quant_method": "gptq"}`, "quantization_config"},
		"a window":       {`"rope_scaling": null`, `"sliding_window": 8`, `sliding_window 8 is not supported for the model_type "llama"`},
		"layer types":    {`"rope_scaling": null`, `"layer_types": ["full_attention", "linear_attention"]`, `layer 1 has the type "linear_attention"`},
		"few types":      {`"rope_scaling": null`, `"layer_types": ["full_attention"]`, "layer_types names 1 of 2 layers"},
		"experts":        {`"rope_scaling": null`, `"num_local_experts": 4`, "num_experts 4 is not supported"},
		"no epsilon":     {`"rms_norm_eps": 1e-06`, `"rms_norm_eps": null`, "rms_norm_eps is missing"},
		"capped":         {`"rope_scaling": null`, `"final_logit_softcapping": 30.0`, "final_logit_softcapping 30 is not supported"},
		"zero heads":     {`"num_attention_heads": 8`, `"num_attention_heads": 0`, "the number of heads is 0"},
		"negative width": {`"hidden_size": 128`, `"hidden_size": -128`, "the embedding width is -128"},
		"huge layers":    {`"num_hidden_layers": 2`, `"num_hidden_layers": 1000000000000`, "the number of layers is 1000000000000"},
		"other vocab":    {`"vocab_size": 2048`, `"vocab_size": 2049`, "its shape is [2048 128], the configuration says [2049 128]"},
		"fraction":       {`"vocab_size": 2048`, `"vocab_size": 2048.5`, "vocab_size"},
	} {
		folder := t.TempDir()
		changed := bytes.Replace(config, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, config) {
			t.Fatalf("%s: %s is not in config.json", name, c.old)
		}
		if err := os.WriteFile(filepath.Join(folder, "config.json"), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(tiny, "model.safetensors"), filepath.Join(folder, "model.safetensors")); err != nil {
			t.Skip(err)
		}
		_, err := LoadDecoderFolder(folder, DecoderOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %s", name, err, c.want)
		}
	}
	if _, err := LoadDecoderFolder(t.TempDir(), DecoderOptions{}); err == nil {
		t.Error("an empty folder: no error")
	}
}

// Any setting and any damage make an error or a decoder that runs.
func FuzzLoadDecoder(f *testing.F) {
	var b bytes.Buffer
	base := newMade(gguf.Q4_1)
	if err := gguf.Write(&b, base.meta, base.tensors); err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(1), uint64(2), uint32(0), byte(0))
	f.Add(uint8(5), uint64(0), uint32(300), byte(7))
	f.Add(uint8(20), uint64(1<<63), uint32(900), byte(255))
	pool := kernel.NewPool(1)
	f.Fuzz(func(t *testing.T, key uint8, value uint64, at uint32, change byte) {
		m := &made{meta: append([]gguf.KV(nil), base.meta...), tensors: base.tensors}
		if i := int(key); i > 0 && i < len(m.meta) {
			m.meta[i].Value = value
		}
		b.Reset()
		if err := gguf.Write(&b, m.meta, m.tensors); err != nil {
			t.Fatal(err)
		}
		data := bytes.Clone(b.Bytes())
		data[int(at)%len(data)] ^= change
		file, err := gguf.Parse(data)
		if err != nil {
			return
		}
		d, err := LoadDecoder(file, DecoderOptions{Pool: pool})
		if err != nil {
			return
		}
		in := &Input{Cache: d.NewCache(), Tokens: []int32{0}, Rows: []int{0}}
		if err := d.Forward(context.Background(), []*Input{in}); err != nil && in.Cache.Len() != 0 {
			t.Errorf("after %v the cache has %d tokens", err, in.Cache.Len())
		}
	})
}
