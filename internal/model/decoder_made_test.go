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
func newMade(matrices gguf.Type) *made { return newMadeOf(matrices, madeWidth, madeForward) }

// newMadeOf is newMade of a shape.
func newMadeOf(matrices gguf.Type, width, forward int) *made {
	r := rand.New(rand.NewPCG(11, uint64(matrices)))
	m := &made{meta: []gguf.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "llama.block_count", Value: uint32(2)},
		{Key: "llama.context_length", Value: uint32(madeContext)},
		{Key: "llama.embedding_length", Value: uint32(width)},
		{Key: "llama.feed_forward_length", Value: uint32(forward)},
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
	head := width / madeHeads
	matrix("token_embd.weight", madeVocab, width)
	vector("output_norm.weight", width)
	matrix("output.weight", madeVocab, width)
	for i := range 2 {
		part := func(s string) string { return fmt.Sprintf("blk.%d.%s.weight", i, s) }
		vector(part("attn_norm"), width)
		matrix(part("attn_q"), madeHeads*head, width)
		matrix(part("attn_k"), madeKV*head, width)
		matrix(part("attn_v"), madeKV*head, width)
		matrix(part("attn_output"), width, madeHeads*head)
		vector(part("ffn_norm"), width)
		matrix(part("ffn_gate"), forward, width)
		matrix(part("ffn_up"), forward, width)
		matrix(part("ffn_down"), width, forward)
	}
	return m
}

// blockScales are where a block has half-precision numbers, and what makes its
// random quants weights of about 1/8; a minimum is minus the middle of the quants.
var blockScales = map[gguf.Type]struct{ scale, scaleAt, minimum, minimumAt int }{
	// One over the scale, and over the minimum where the format has one.
	gguf.Q8_0: {512, 0, 0, 0}, gguf.Q4_0: {32, 0, 0, 0}, gguf.Q4_1: {32, 0, -4, 2},
	gguf.Q5_0: {64, 0, 0, 0}, gguf.Q5_1: {64, 0, -4, 2}, gguf.Q2K: {128, 80, 128, 82}, gguf.Q3K: {512, 108, 0, 0},
	gguf.Q4K: {2048, 0, 256, 2}, gguf.Q5K: {4096, 0, 256, 2}, gguf.Q6K: {8192, 208, 0, 0},
	gguf.IQ4NL: {512, 0, 0, 0}, gguf.IQ4XS: {8192, 0, 0, 0},
}

// randomData is n weights of about 1/8.
func randomData(r *rand.Rand, t gguf.Type, n int) []byte {
	var data []byte
	switch t {
	case gguf.F32, gguf.F16, gguf.BF16:
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64() / 8)
		}
		f, _ := kernel.ParseFormat(t.String())
		return appendFormat(nil, f, x)
	}
	values, size := t.Block()
	for range n / values {
		block := make([]byte, size)
		for i := range block {
			block[i] = byte(r.Uint32())
		}
		s := blockScales[t]
		put := func(at, inverse int) { binary.LittleEndian.PutUint16(block[at:], kernel.ToFloat16(1/float32(inverse))) }
		put(s.scaleAt, s.scale)
		if s.minimum != 0 {
			put(s.minimumAt, s.minimum)
		}
		data = append(data, block...)
	}
	return data
}

// appendFormat appends numbers as a GGUF file holds them in a format.
func appendFormat(data []byte, f kernel.Format, x []float32) []byte {
	size, _ := f.RowBytes(len(x))
	row := make([]byte, size)
	kernel.QuantizeRow(f, x, row)
	return append(data, row...)
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
	return m.loadWith(t, threads, DecoderOptions{})
}

// loadWith is load with other options than the threads.
func (m *made) loadWith(t testing.TB, threads int, o DecoderOptions) *Decoder {
	t.Helper()
	o.Pool = kernel.NewPool(threads)
	t.Cleanup(o.Pool.Close)
	d, err := LoadDecoder(m.file(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
