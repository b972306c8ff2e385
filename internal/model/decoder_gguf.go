package model

import (
	"fmt"
	"math"
	"strings"

	"github.com/ragstone/ragstone/internal/gguf"
)

// ggufConfig reads the shape from a GGUF file's metadata and the few tensors
// that hold settings; the vocabulary's size is that of the embedding matrix.
// longest is how many tokens a sequence may have, 0 meaning all that the model
// can.
func ggufConfig(f *gguf.File, longest int) (DecoderConfig, *family, error) {
	arch, err := f.String("general.architecture")
	if err != nil {
		return DecoderConfig{}, nil, err
	}
	var fam *family
	for i := range families {
		if families[i].gguf == arch {
			fam = &families[i]
			break
		}
	}
	if fam == nil {
		return DecoderConfig{}, nil, fmt.Errorf("the architecture %q is not supported", arch)
	}
	r := &metadata{file: f, prefix: arch + ".", known: map[string]bool{}}
	c := DecoderConfig{
		Architecture: arch,
		Context:      r.count("context_length"),
		Layers:       r.count("block_count"),
		Width:        r.count("embedding_length"),
		FeedForward:  r.countOr("feed_forward_length", 0),
		Heads:        r.count("attention.head_count"),
		Epsilon:      r.float("attention.layer_norm_rms_epsilon"),
	}
	c.KVHeads = r.countOr("attention.head_count_kv", c.Heads)
	c.HeadSize = r.countOr("attention.key_length", c.Width/max(1, c.Heads))
	if values := r.countOr("attention.value_length", c.HeadSize); values != c.HeadSize {
		r.fail("keys of %d and values of %d numbers a head are not supported", c.HeadSize, values)
	}
	if longest > 0 {
		c.Context = min(c.Context, longest)
	}
	if t, ok := f.Tensor(tokenEmbedding); ok && len(t.Shape) == 2 {
		c.Vocab = t.Shape[1]
	} else {
		r.fail("the embedding matrix %q is missing", tokenEmbedding)
	}
	r.scales(&c, fam)
	r.experts(&c, fam)
	r.windows(&c, fam)
	r.rotary(&c, fam)
	r.refuseUnknown()
	if err := r.problems.err(); err != nil {
		return c, nil, err
	}
	fam.complete(&c)
	return c, fam, c.validate()
}

// scales reads what multiplies and what caps.
func (r *metadata) scales(c *DecoderConfig, fam *family) {
	switch fam.gguf {
	case "granite":
		c.EmbeddingScale = r.floatOr("embedding_scale", 0)
		c.ResidualScale = r.floatOr("residual_scale", 0)
		c.AttentionScale = r.floatOr("attention.scale", 0)
		if s := r.floatOr("logit_scale", 1); s != 0 {
			c.LogitScale = 1 / s
		}
	case "gemma2", "gemma3":
		c.AttentionCap = r.floatOr("attn_logit_softcapping", 0)
		c.LogitCap = r.floatOr("final_logit_softcapping", 0)
	}
	if c.Layers == fam.wideLayers && c.Heads > 0 {
		c.AttentionScale = 1 / math.Sqrt(float64(c.Width/c.Heads))
	}
}

// experts reads how a layer chooses among feed-forward units.
func (r *metadata) experts(c *DecoderConfig, fam *family) {
	if !fam.moe {
		return
	}
	c.Experts = r.countOr("expert_count", 0)
	c.ExpertsUsed = r.countOr("expert_used_count", 0)
	width := r.countOr("expert_feed_forward_length", c.FeedForward)
	c.ExpertsToOne = r.boolOr("expert_weights_norm", true)
	if c.Experts > 0 {
		c.FeedForward = width
	}
	if scale := r.floatOr("expert_weights_scale", 1); scale != 1 && scale != 0 {
		r.fail("%sexpert_weights_scale %v is not supported", r.prefix, scale)
	}
	const softmax = 1
	if gating := r.countOr("expert_gating_func", softmax); gating != softmax {
		r.fail("%sexpert_gating_func %d is not supported, only 1 (softmax)", r.prefix, gating)
	}
	if fam.sparse && c.Experts == 0 {
		r.fail("%sexpert_count is missing or 0", r.prefix)
	}
}

// windows reads which layers see a window, and how wide it is.
func (r *metadata) windows(c *DecoderConfig, fam *family) {
	if !fam.windows {
		return
	}
	c.Window = r.countOr("attention.sliding_window", 0)
	const pattern = "attention.sliding_window_pattern"
	if !r.has(pattern) || c.Window == 0 {
		return
	}
	if marks, err := r.file.Bools(r.prefix + pattern); err == nil {
		c.Windowed = marks
		return
	}
	n := r.count(pattern)
	if c.Windowed = not(everyNth(c.Layers, n)); len(c.Windowed) == 0 {
		r.fail("%s%s is %d, want at least 1", r.prefix, pattern, n)
	}
}

// rotary reads how positions turn queries and keys.
func (r *metadata) rotary(c *DecoderConfig, fam *family) {
	base := Rotary{
		Base:    r.floatOr("rope.freq_base", 10000),
		Dims:    r.countOr("rope.dimension_count", c.HeadSize),
		Scale:   1,
		Pairing: fam.pairing,
	}
	local := base
	local.Base = orDefault(fam.localBase, base.Base)
	if fam.windows {
		local.Base = r.floatOr("rope.freq_base_swa", local.Base)
	}
	s := r.ropeScaling(c)
	var p problems
	base.scale(s, &p)
	if fam.localBase == 0 {
		local.scale(s, &p) // in Gemma 3, what has a window was never stretched
	}
	if factors := r.vector(ropeFrequencies); factors != nil {
		base.Divisors, local.Divisors = factors, factors
	}
	for _, problem := range p {
		r.fail("%w", problem)
	}
	c.Rotary, c.LocalRotary = base, local
}

func (r *metadata) ropeScaling(c *DecoderConfig) ropeScaling {
	s := ropeScaling{
		kind:            r.stringOr("rope.scaling.type", "none"),
		factor:          r.floatOr("rope.scaling.factor", r.floatOr("rope.scale_linear", 0)),
		original:        float64(r.countOr("rope.scaling.original_context_length", 0)),
		attention:       r.floatOr("rope.scaling.attn_factor", 0),
		betaFast:        r.floatOr("rope.scaling.yarn_beta_fast", 0),
		betaSlow:        r.floatOr("rope.scaling.yarn_beta_slow", 0),
		long:            r.vector(ropeLong),
		short:           r.vector(ropeShort),
		longestSequence: c.Context,
	}
	s.attention = r.floatOr("rope.scaling.yarn_attn_factor", s.attention)
	if e := r.floatOr("rope.scaling.yarn_ext_factor", 1); e != 1 {
		r.fail("%srope.scaling.yarn_ext_factor %v is not supported", r.prefix, e)
	}
	if !r.boolOr("rope.scaling.finetuned", true) && r.prefix == "granite." {
		r.fail("granite.rope.scaling.finetuned false (no rotary embedding) is not supported")
	}
	if m := r.floatOr("rope.scaling.yarn_log_multiplier", 0); m != 0 {
		r.fail("%srope.scaling.yarn_log_multiplier %v is not supported", r.prefix, m)
	}
	switch {
	case s.kind == "none" && (s.long != nil || s.short != nil):
		s.kind = "longrope" // older converters of Phi-3 leave it to the tensors
	case s.kind == "none" && s.factor > 1:
		s.kind = "linear"
	}
	return s
}

// refuseUnknown refuses every setting of the architecture that was not read,
// unless its value says that it is off: it might change what the model
// computes.
func (r *metadata) refuseUnknown() {
	for _, key := range harmless {
		r.known[r.prefix+key] = true
	}
	for _, key := range r.file.Keys() {
		if strings.HasPrefix(key, r.prefix) && !r.known[key] && !r.off(key) {
			r.fail("the file has the setting %s, which this architecture as we know it does not have", key)
		}
	}
}

// harmless are settings that change nothing here: what a tensor's shape says,
// what concerns the reader of vectors, and remarks.
var harmless = []string{
	"vocab_size", "pooling_type", "tensor_data_layout",
}

// off reports whether a value means that a feature is not used.
func (r *metadata) off(key string) bool {
	if s, err := r.file.String(key); err == nil {
		return s == "none"
	}
	if n, err := r.file.Uint(key); err == nil {
		return n == 0
	}
	if v, err := r.file.Float(key); err == nil {
		return v == 0
	}
	b, err := r.file.Bool(key)
	return err == nil && !b && !strings.HasSuffix(key, "attention.causal")
}

// metadata reads hyperparameters, remembers which there are, and gathers what
// is wrong with them.
type metadata struct {
	file     *gguf.File
	prefix   string
	known    map[string]bool
	problems problems
}

func (r *metadata) fail(format string, args ...any) { r.problems.add(format, args...) }

// has reports whether the file has a setting, which is known from then on.
func (r *metadata) has(key string) bool {
	r.known[r.prefix+key] = true
	return r.file.Has(r.prefix + key)
}

func (r *metadata) count(key string) int {
	r.known[r.prefix+key] = true
	n, err := r.file.Uint(r.prefix + key)
	if err != nil {
		r.fail("%w", err)
		return 0
	}
	return int(min(n, math.MaxInt32)) // validate refuses what is cut here
}

func (r *metadata) countOr(key string, absent int) int {
	if !r.has(key) {
		return absent
	}
	return r.count(key)
}

func (r *metadata) floatOr(key string, absent float64) float64 {
	if !r.has(key) {
		return absent
	}
	return r.float(key)
}

func (r *metadata) float(key string) float64 {
	r.known[r.prefix+key] = true
	v, err := r.file.Float(r.prefix + key)
	if err != nil {
		r.fail("%w", err)
	}
	return v
}

func (r *metadata) stringOr(key, absent string) string {
	if !r.has(key) {
		return absent
	}
	s, err := r.file.String(r.prefix + key)
	if err != nil {
		r.fail("%w", err)
	}
	return s
}

func (r *metadata) boolOr(key string, absent bool) bool {
	if !r.has(key) {
		return absent
	}
	b, err := r.file.Bool(r.prefix + key)
	if err != nil {
		r.fail("%w", err)
	}
	return b
}

// vector reads a small tensor that holds settings; nil where the file has none.
func (r *metadata) vector(name string) []float64 {
	t, ok := r.file.Tensor(name)
	if !ok {
		return nil
	}
	if len(t.Shape) != 1 || t.Shape[0] > maxWidth {
		r.fail("tensor %q: its shape is %v, want one dimension", name, t.Shape)
		return nil
	}
	values, err := t.Float32s()
	if err != nil {
		r.fail("%w", err)
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

// The tensors of a GGUF file that are settings of rotary embedding.
const (
	ropeFrequencies = "rope_freqs.weight"
	ropeLong        = "rope_factors_long.weight"
	ropeShort       = "rope_factors_short.weight"
)
