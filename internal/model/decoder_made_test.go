package model

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
)

// made is a random model as a GGUF file holds it, for tests to spoil.
type made struct {
	meta    []gguf.KV
	tensors []gguf.Tensor
}

// The shape of made models: small, with several queries to a key-value head.
const madeVocab, madeWidth, madeForward, madeHeads, madeKV, madeContext = 80, 64, 96, 4, 2, 700

// newMade makes a Llama of two layers whose matrices are of a type.
func newMade(matrices gguf.Type) *made {
	r := rand.New(rand.NewPCG(11, uint64(matrices)))
	m := &made{meta: []gguf.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "llama.block_count", Value: uint32(2)},
		{Key: "llama.context_length", Value: uint32(madeContext)},
		{Key: "llama.embedding_length", Value: uint32(madeWidth)},
		{Key: "llama.feed_forward_length", Value: uint32(madeForward)},
		{Key: "llama.attention.head_count", Value: uint32(madeHeads)},
		{Key: "llama.attention.head_count_kv", Value: uint32(madeKV)},
		{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(1e-5)},
		{Key: "llama.rope.freq_base", Value: float32(10000)},
	}}
	matrix := func(name string, rows, cols int) {
		m.tensors = append(m.tensors, gguf.Tensor{Name: name, Type: matrices, Shape: []int{cols, rows}, Data: randomData(r, matrices, rows*cols)})
	}
	vector := func(name string, n int) {
		data := make([]byte, 0, 4*n)
		for range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(1+float32(r.NormFloat64())/8))
		}
		m.tensors = append(m.tensors, gguf.Tensor{Name: name, Type: gguf.F32, Shape: []int{n}, Data: data})
	}
	const head = madeWidth / madeHeads
	matrix("token_embd.weight", madeVocab, madeWidth)
	vector("output_norm.weight", madeWidth)
	matrix("output.weight", madeVocab, madeWidth)
	for i := range 2 {
		part := func(s string) string { return fmt.Sprintf("blk.%d.%s.weight", i, s) }
		vector(part("attn_norm"), madeWidth)
		matrix(part("attn_q"), madeHeads*head, madeWidth)
		matrix(part("attn_k"), madeKV*head, madeWidth)
		matrix(part("attn_v"), madeKV*head, madeWidth)
		matrix(part("attn_output"), madeWidth, madeHeads*head)
		vector(part("ffn_norm"), madeWidth)
		matrix(part("ffn_gate"), madeForward, madeWidth)
		matrix(part("ffn_up"), madeForward, madeWidth)
		matrix(part("ffn_down"), madeWidth, madeForward)
	}
	return m
}

// randomData is n weights of about 1/8.
func randomData(r *rand.Rand, t gguf.Type, n int) []byte {
	var data []byte
	half := func(v float64) { data = binary.LittleEndian.AppendUint16(data, kernel.ToFloat16(float32(v))) }
	quants := func(n int) {
		for range n {
			data = append(data, byte(r.Uint32()))
		}
	}
	switch t {
	case gguf.F32:
		for range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(r.NormFloat64()/8)))
		}
	case gguf.F16:
		for range n {
			half(r.NormFloat64() / 8)
		}
	case gguf.Q8_0:
		for range n / 32 {
			half(1.0 / 512)
			quants(32)
		}
	case gguf.Q4_0:
		for range n / 32 {
			half(1.0 / 32)
			quants(16)
		}
	case gguf.Q4_1:
		for range n / 32 {
			half(1.0 / 32)
			half(-7.5 / 32)
			quants(16)
		}
	}
	return data
}

// set replaces a metadata value.
func (m *made) set(key string, value any) {
	for i := range m.meta {
		if m.meta[i].Key == key {
			m.meta[i].Value = value
			return
		}
	}
	m.meta = append(m.meta, gguf.KV{Key: key, Value: value})
}

// file writes the model and reads it back.
func (m *made) file(t testing.TB) *gguf.File {
	t.Helper()
	var b bytes.Buffer
	if err := gguf.Write(&b, m.meta, m.tensors); err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// load makes a decoder of the model.
func (m *made) load(t testing.TB, threads int) *Decoder {
	t.Helper()
	pool := kernel.NewPool(threads)
	t.Cleanup(pool.Close)
	d, err := LoadDecoder(m.file(t), DecoderOptions{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
