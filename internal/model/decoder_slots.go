package model

import (
	"fmt"

	"github.com/ragstone/ragstone/internal/kernel"
)

// decoderLayer is the weights of one layer; what its family lacks is nil.
type decoderLayer struct {
	attentionNorm            []float32
	query, key, value        *kernel.Matrix
	queryBias, keyBias       []float32
	valueBias, projectedBias []float32
	queryNorm, keyNorm       []float32
	projected                *kernel.Matrix
	attentionPostNorm        []float32
	forwardNorm              []float32
	router                   *kernel.Matrix // scores the experts
	experts                  []gatedUnit    // one where there is no choice
	forwardPostNorm          []float32
}

// gatedUnit is a feed-forward unit: down · (activation(gate·x) ∘ up·x).
type gatedUnit struct {
	gate, up, down *kernel.Matrix
}

// slots lists every tensor of the decoder: where it may lie in the file and
// where it goes.
func (d *Decoder) slots(m *opened) []slot {
	c := &d.config
	all := &slotList{offByOne: m.family.offByOne && isCheckpoint(m.weights)}
	all.matrix(&d.embedding, c.Vocab, c.Width, source{name: tokenEmbedding}).outer = true
	all.norm(&d.norm, c.Width, outputNorm)
	if m.output {
		all.matrix(&d.output, c.Vocab, c.Width, source{name: outputMatrix}).outer = true
	}
	for i := range d.layers {
		all.prefix = fmt.Sprintf("blk.%d.", i)
		all.attention(&d.layers[i], c)
		all.feedForward(&d.layers[i], c)
	}
	return all.slots
}

// isCheckpoint reports whether weights are as Hugging Face stores them.
func isCheckpoint(w weights) bool {
	_, ok := w.(hfWeights)
	return ok
}

// slotList gathers slots.
type slotList struct {
	slots    []slot
	prefix   string // before the names of a layer's tensors
	offByOne bool   // norms are stored less 1
}

// matrix adds a matrix; what it returns may be changed until the next is added.
func (l *slotList) matrix(into **kernel.Matrix, rows, cols int, from ...source) *slot {
	for i := range from {
		from[i].name = l.prefix + from[i].name
	}
	l.slots = append(l.slots, slot{sources: from, rows: rows, cols: cols, matrix: into})
	return &l.slots[len(l.slots)-1]
}

// vector adds a vector of n numbers.
func (l *slotList) vector(into *[]float32, n int, from ...source) *slot {
	for i := range from {
		from[i].name = l.prefix + from[i].name
	}
	l.slots = append(l.slots, slot{sources: from, rows: 1, cols: n, vector: into})
	return &l.slots[len(l.slots)-1]
}

// norm adds the weights of a normalisation.
func (l *slotList) norm(into *[]float32, n int, name string) {
	l.vector(into, n, source{name: name}).addOne = l.offByOne
}

// attention adds the tensors of the first half of a layer. Queries, keys and
// values may lie in one tensor, one after another (Phi-3).
func (l *slotList) attention(d *decoderLayer, c *DecoderConfig) {
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	fused := heads + 2*kv
	if c.PreNorm {
		l.norm(&d.attentionNorm, c.Width, "attn_norm.weight")
	}
	for _, p := range []struct {
		name        string
		matrix      **kernel.Matrix
		bias        *[]float32
		rows, first int
	}{
		{"attn_q", &d.query, &d.queryBias, heads, 0},
		{"attn_k", &d.key, &d.keyBias, kv, heads},
		{"attn_v", &d.value, &d.valueBias, kv, heads + kv},
	} {
		l.matrix(p.matrix, p.rows, c.Width, source{name: p.name + ".weight"}, source{"attn_qkv.weight", p.first, fused})
		l.vector(p.bias, p.rows, source{name: p.name + ".bias"}, source{"attn_qkv.bias", p.first, fused}).optional = !c.Biased
	}
	switch c.QueryKeyNorm {
	case headNormed:
		l.norm(&d.queryNorm, c.HeadSize, "attn_q_norm.weight")
		l.norm(&d.keyNorm, c.HeadSize, "attn_k_norm.weight")
	case rowNormed:
		l.norm(&d.queryNorm, heads, "attn_q_norm.weight")
		l.norm(&d.keyNorm, kv, "attn_k_norm.weight")
	}
	l.matrix(&d.projected, c.Width, heads, source{name: "attn_output.weight"})
	l.vector(&d.projectedBias, c.Width, source{name: "attn_output.bias"}).optional = true
	if c.PostNorm {
		l.norm(&d.attentionPostNorm, c.Width, "post_attention_norm.weight")
	}
}

// feedForward adds the tensors of the second half of a layer. Gate and up
// matrices may lie in one tensor, one after the other (Phi-3), and so may those
// of all experts.
func (l *slotList) feedForward(d *decoderLayer, c *DecoderConfig) {
	if c.PreNorm {
		l.norm(&d.forwardNorm, c.Width, "ffn_norm.weight")
	}
	n := c.FeedForward
	if c.Experts == 0 {
		u := &d.experts[0]
		l.matrix(&u.gate, n, c.Width, source{name: "ffn_gate.weight"}, source{"ffn_gate_up.weight", 0, 2 * n}, source{"ffn_up.weight", 0, 2 * n})
		l.matrix(&u.up, n, c.Width, source{"ffn_gate_up.weight", n, 2 * n}, source{name: "ffn_up.weight"}, source{"ffn_up.weight", n, 2 * n})
		l.matrix(&u.down, c.Width, n, source{name: "ffn_down.weight"})
	} else {
		l.matrix(&d.router, c.Experts, c.Width, source{name: "ffn_gate_inp.weight"}).precise = true
	}
	for i := range c.Experts {
		u := &d.experts[i]
		own := func(part string) source { return source{name: fmt.Sprintf("%s.%d.weight", part, i)} }
		l.matrix(&u.gate, n, c.Width, own("ffn_gate"), source{"ffn_gate_exps.weight", i * n, c.Experts * n})
		l.matrix(&u.up, n, c.Width, own("ffn_up"), source{"ffn_up_exps.weight", i * n, c.Experts * n})
		l.matrix(&u.down, c.Width, n, own("ffn_down"), source{"ffn_down_exps.weight", i * c.Width, c.Experts * c.Width})
	}
	if c.PostNorm {
		l.norm(&d.forwardPostNorm, c.Width, "post_ffw_norm.weight")
	}
}
