package model

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// hfConfig is what we read of a Hugging Face config.json. What is absent or null
// is zero.
type hfConfig struct {
	ModelType   string   `json:"model_type"`
	Vocab       int      `json:"vocab_size"`
	Context     int      `json:"max_position_embeddings"`
	Layers      int      `json:"num_hidden_layers"`
	Width       int      `json:"hidden_size"`
	FeedForward int      `json:"intermediate_size"`
	Heads       int      `json:"num_attention_heads"`
	KVHeads     int      `json:"num_key_value_heads"`
	HeadSize    int      `json:"head_dim"`
	Epsilon     *float64 `json:"rms_norm_eps"`
	Tied        *bool    `json:"tie_word_embeddings"`
	Activation  string   `json:"hidden_act"`
	Activation2 string   `json:"hidden_activation"` // Gemma's name for it
	Biased      bool     `json:"attention_bias"`

	RopeBase       float64 `json:"rope_theta"`
	RopeLocalBase  float64 `json:"rope_local_base_freq"`
	RopeScaling    *hfRope `json:"rope_scaling"`
	RopeParameters *hfRope `json:"rope_parameters"` // both of the above, since 2025
	Partial        float64 `json:"partial_rotary_factor"`
	Original       float64 `json:"original_max_position_embeddings"`
	Rotated        []int   `json:"no_rope_layers"` // despite its name: 1 is rotated
	UnrotatedEvery int     `json:"no_rope_layer_interval"`

	Window       int      `json:"sliding_window"`
	UseWindow    bool     `json:"use_sliding_window"`
	FullEvery    int      `json:"sliding_window_pattern"`
	WindowedFrom *int     `json:"max_window_layers"`
	LayerTypes   []string `json:"layer_types"`

	QueryScalar         float64 `json:"query_pre_attn_scalar"`
	AttentionCap        float64 `json:"attn_logit_softcapping"`
	LogitCap            float64 `json:"final_logit_softcapping"`
	EmbeddingMultiplier float64 `json:"embedding_multiplier"`
	AttentionMultiplier float64 `json:"attention_multiplier"`
	ResidualMultiplier  float64 `json:"residual_multiplier"`
	LogitsScaling       float64 `json:"logits_scaling"`

	Experts       int   `json:"num_experts"`
	LocalExperts  int   `json:"num_local_experts"` // Mixtral's name for it
	ExpertsUsed   int   `json:"num_experts_per_tok"`
	ExpertForward int   `json:"moe_intermediate_size"`
	ExpertsToOne  *bool `json:"norm_topk_prob"`
	SparseStep    *int  `json:"decoder_sparse_step"`
	DenseLayers   []int `json:"mlp_only_layers"`

	Quantization  json.RawMessage `json:"quantization_config"`
	Bidirectional bool            `json:"use_bidirectional_attention"`
	ClipQKV       *float64        `json:"clip_qkv"`
}

// hfRope is rope_scaling or rope_parameters; the second may have one for each
// type of layer instead.
type hfRope struct {
	Type      string    `json:"rope_type"`
	OldType   string    `json:"type"`
	Base      float64   `json:"rope_theta"`
	Partial   float64   `json:"partial_rotary_factor"`
	Factor    float64   `json:"factor"`
	Original  float64   `json:"original_max_position_embeddings"`
	Attention float64   `json:"attention_factor"`
	BetaFast  float64   `json:"beta_fast"`
	BetaSlow  float64   `json:"beta_slow"`
	MScale    float64   `json:"mscale"`
	MScaleAll float64   `json:"mscale_all_dim"`
	Truncate  *bool     `json:"truncate"`
	LowFreq   float64   `json:"low_freq_factor"`
	HighFreq  float64   `json:"high_freq_factor"`
	Short     []float64 `json:"short_factor"`
	Long      []float64 `json:"long_factor"`

	Full    *hfRope `json:"full_attention"`
	Sliding *hfRope `json:"sliding_attention"`
}

// parseHFConfig reads the shape from a config.json, its family, and whether the
// output matrix is the embedding matrix. longest is how many tokens a sequence
// may have, 0 meaning all that the model can.
func parseHFConfig(data []byte, longest int) (c DecoderConfig, fam *family, tied bool, err error) {
	var h hfConfig
	if err := json.Unmarshal(data, &h); err != nil {
		return c, nil, false, err
	}
	for i := range families {
		if families[i].hf == h.ModelType {
			fam = &families[i]
		}
	}
	if fam == nil {
		return c, nil, false, fmt.Errorf("the model_type %q is not supported", h.ModelType)
	}
	var p problems
	h.refuse(fam, &p)
	c = DecoderConfig{
		Architecture: fam.gguf,
		Vocab:        h.Vocab, Context: h.Context, Layers: h.Layers, Width: h.Width, FeedForward: h.FeedForward,
		Heads: h.Heads, KVHeads: h.KVHeads, HeadSize: h.HeadSize,
		AttentionCap: h.AttentionCap, LogitCap: h.LogitCap,
		traits: traits{Biased: h.Biased},
	}
	if longest > 0 {
		c.Context = min(c.Context, longest)
	}
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadSize == 0 {
		c.HeadSize = c.Width / max(1, c.Heads)
	}
	if h.Epsilon != nil {
		c.Epsilon = *h.Epsilon
	}
	h.scales(&c, fam)
	h.experts(&c, fam, &p)
	h.windows(&c, fam, &p)
	h.rotary(&c, fam, &p)
	tied = fam.tied
	if h.Tied != nil {
		tied = *h.Tied
	}
	fam.complete(&c)
	if p.err() != nil {
		return c, nil, false, p.err()
	}
	return c, fam, tied, c.validate()
}

// refuse adds what we would compute wrongly.
func (h *hfConfig) refuse(fam *family, p *problems) {
	activation, want := h.Activation2, "silu"
	if activation == "" {
		activation = h.Activation
	}
	if fam.traits.GELU {
		want = "gelu_pytorch_tanh"
	}
	if activation != want && !(activation == "" && !fam.traits.GELU) {
		p.add("hidden_act %q is not supported, only %q", activation, want)
	}
	if len(h.Quantization) > 0 && string(h.Quantization) != "null" {
		p.add("quantization_config %.80s is not supported: take the weights as they were before, or a GGUF file", h.Quantization)
	}
	if h.Bidirectional {
		p.add("use_bidirectional_attention is not supported")
	}
	if h.ClipQKV != nil {
		p.add("clip_qkv %v is not supported", *h.ClipQKV)
	}
	if h.Epsilon == nil {
		p.add("rms_norm_eps is missing")
	}
	if fam.offByOne && h.QueryScalar == 0 {
		p.add("query_pre_attn_scalar is missing")
	}
	if h.AttentionCap != 0 && fam.gguf != "gemma2" {
		p.add("attn_logit_softcapping %v is not supported", h.AttentionCap)
	}
	if h.LogitCap != 0 && !fam.offByOne {
		p.add("final_logit_softcapping %v is not supported", h.LogitCap)
	}
}

func (h *hfConfig) scales(c *DecoderConfig, fam *family) {
	if h.QueryScalar != 0 && fam.offByOne {
		c.AttentionScale = 1 / math.Sqrt(h.QueryScalar)
	}
	if fam.gguf == "granite" {
		c.EmbeddingScale = h.EmbeddingMultiplier
		c.ResidualScale = h.ResidualMultiplier
		c.AttentionScale = orDefault(h.AttentionMultiplier, 1)
		c.LogitScale = 1 / orDefault(h.LogitsScaling, 1)
	}
}

func (h *hfConfig) experts(c *DecoderConfig, fam *family, p *problems) {
	c.Experts, c.ExpertsUsed = max(h.Experts, h.LocalExperts), h.ExpertsUsed
	if c.Experts == 0 {
		if fam.sparse {
			p.add("num_experts is missing or 0")
		}
		c.ExpertsUsed = 0
		return
	}
	if !fam.sparse {
		p.add("num_experts %d is not supported for the model_type %q", c.Experts, h.ModelType)
	}
	if h.ExpertForward > 0 {
		c.FeedForward = h.ExpertForward
	}
	c.ExpertsToOne = fam.hf == "mixtral" || h.ExpertsToOne != nil && *h.ExpertsToOne
	if h.SparseStep != nil && *h.SparseStep != 1 {
		p.add("decoder_sparse_step %d is not supported, only 1", *h.SparseStep)
	}
	if len(h.DenseLayers) > 0 {
		p.add("mlp_only_layers %v is not supported, only none", h.DenseLayers)
	}
}

// windows says which layers see a window.
func (h *hfConfig) windows(c *DecoderConfig, fam *family, p *problems) {
	if len(h.LayerTypes) > 0 && len(h.LayerTypes) != h.Layers {
		p.add("layer_types names %d of %d layers", len(h.LayerTypes), h.Layers)
		return
	}
	marks := make([]bool, 0, len(h.LayerTypes))
	for i, t := range h.LayerTypes {
		if t != "full_attention" && t != "sliding_attention" {
			p.add("layer %d has the type %q, which is not supported", i, t)
			return
		}
		marks = append(marks, t == "sliding_attention")
	}
	if h.Window == 0 || fam.windowSwitch && !h.UseWindow {
		return
	}
	if !fam.windows {
		p.add("sliding_window %d is not supported for the model_type %q", h.Window, h.ModelType)
		return
	}
	c.Window = h.Window
	switch {
	case len(marks) > 0:
		c.Windowed = marks
	case h.FullEvery > 0:
		c.Windowed = not(everyNth(h.Layers, h.FullEvery))
	case fam.windowSwitch && fam.hf != "qwen3_moe" && h.WindowedFrom != nil:
		c.Windowed = everyNth(h.Layers, 1)
		clear(c.Windowed[:max(0, min(*h.WindowedFrom, len(c.Windowed)))])
	}
}

func (h *hfConfig) rotary(c *DecoderConfig, fam *family, p *problems) {
	for _, r := range h.Rotated {
		c.Unrotated = append(c.Unrotated, r == 0)
	}
	if h.UnrotatedEvery > 0 && c.Unrotated == nil && fam.unrotatedEvery > 0 {
		c.Unrotated = everyNth(h.Layers, h.UnrotatedEvery)
	}
	if c.Unrotated != nil && fam.unrotatedEvery == 0 {
		p.add("no_rope_layers is not supported for the model_type %q", h.ModelType)
	}
	full, local := h.RopeParameters, h.RopeParameters
	if full != nil && (full.Full != nil || full.Sliding != nil) {
		full, local = full.Full, full.Sliding
	}
	if full == nil {
		full = h.RopeScaling
	}
	if fam.localBase != 0 && local == h.RopeParameters {
		local = nil // a checkpoint from before rope_parameters: only Gemma 3's full layers are scaled
	} else if local == nil {
		local = full
	}
	base := orDefault(h.RopeBase, orDefault(fam.base, 10000))
	localBase := base
	if fam.localBase != 0 {
		localBase = orDefault(h.RopeLocalBase, fam.localBase)
	}
	c.Rotary = h.rope(c, base, full, p)
	c.LocalRotary = h.rope(c, localBase, local, p)
}

// rope is the rotary embedding of one type of layer.
func (h *hfConfig) rope(c *DecoderConfig, base float64, s *hfRope, p *problems) Rotary {
	if s == nil {
		s = new(hfRope)
	}
	dims := float64(c.HeadSize) * orDefault(s.Partial, orDefault(h.Partial, 1))
	r := Rotary{Base: orDefault(s.Base, base), Scale: 1, Pairing: kernel.Halves}
	if dims >= 0 && dims <= maxWidth {
		r.Dims = int(dims)
	}
	kind := s.Type
	if kind == "" {
		kind = s.OldType
	}
	if kind == "su" { // Phi-3's first name for it
		kind = "longrope"
	}
	original := orDefault(s.Original, orDefault(h.Original, float64(h.Context)))
	scaling := ropeScaling{
		kind: kind, factor: s.Factor, original: original, attention: s.Attention,
		betaFast: s.BetaFast, betaSlow: s.BetaSlow, mscale: s.MScale, mscaleAll: s.MScaleAll,
		exact: s.Truncate != nil && !*s.Truncate, lowFreq: s.LowFreq, highFreq: s.HighFreq,
		short: s.Short, long: s.Long, longestSequence: c.Context,
	}
	if kind == "longrope" && scaling.factor == 0 && original > 0 {
		scaling.factor = float64(h.Context) / original
	}
	r.scale(scaling, p)
	return r
}
