package model

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// encoderSettings is an encoder's config.json: the keys of all families.
type encoderSettings struct {
	ModelType     string   `json:"model_type"`
	Architectures []string `json:"architectures"`
	Vocab         int      `json:"vocab_size"`
	Positions     int      `json:"max_position_embeddings"`
	Types         *int     `json:"type_vocab_size"`
	Layers        int      `json:"num_hidden_layers"`
	Width         int      `json:"hidden_size"`
	Heads         int      `json:"num_attention_heads"`
	KVHeads       int      `json:"num_key_value_heads"`
	HeadSize      int      `json:"head_dim"`
	FeedForward   int      `json:"intermediate_size"`
	Epsilon       *float64 `json:"layer_norm_eps"`
	NormEpsilon   *float64 `json:"norm_eps"`
	RMSEpsilon    *float64 `json:"rms_norm_eps"`
	Activation    string   `json:"hidden_act"`
	Activation2   string   `json:"hidden_activation"`
	Embedding     string   `json:"position_embedding_type"`
	Decoder       bool     `json:"is_decoder"`
	Padding       *int32   `json:"pad_token_id"`
	Buckets       *int     `json:"relative_attention_num_buckets"`

	AttentionBias bool     `json:"attention_bias"`
	MLPBias       bool     `json:"mlp_bias"`
	NormBias      bool     `json:"norm_bias"`
	LayerTypes    []string `json:"layer_types"`
	GlobalEvery   int      `json:"global_attn_every_n_layers"`
	Local         int      `json:"local_attention"`
	LocalTheta    float64  `json:"local_rope_theta"`
	GlobalTheta   float64  `json:"global_rope_theta"`
	Theta         float64  `json:"rope_theta"`
	SlidingWindow bool     `json:"use_sliding_window"`

	RopeParameters json.RawMessage `json:"rope_parameters"`
	RopeScaling    json.RawMessage `json:"rope_scaling"`

	Labels         *int              `json:"num_labels"`
	LabelNames     map[string]string `json:"id2label"`
	HeadPooling    string            `json:"classifier_pooling"`
	HeadActivation string            `json:"classifier_activation"`
	HeadBias       bool              `json:"classifier_bias"`
	ScoreBy        string            `json:"sbert_ce_default_activation_function"`
	Sentences      struct {
		ScoreBy string `json:"activation_fn"`
	} `json:"sentence_transformers"`

	nomicSettings
}

// nomicSettings are the keys of NomicBERT's first config.json, which goes by
// GPT-2's names.
type nomicSettings struct {
	NWidth       int      `json:"n_embd"`
	NHeads       int      `json:"n_head"`
	NInner       int      `json:"n_inner"`
	NLayers      int      `json:"n_layer"`
	NPositions   int      `json:"n_positions"`
	NEpsilon     *float64 `json:"layer_norm_epsilon"`
	NActivation  string   `json:"activation_function"`
	NTheta       float64  `json:"rotary_emb_base"`
	NFraction    *float64 `json:"rotary_emb_fraction"`
	NInterleaved bool     `json:"rotary_emb_interleaved"`
	NScaling     *float64 `json:"rotary_scaling_factor"`
	NPreNorm     bool     `json:"prenorm"`
	NParallel    bool     `json:"parallel_block"`
	NRMSNorm     bool     `json:"use_rms_norm"`
	NQKVBias     bool     `json:"qkv_proj_bias"`
	NBias1       bool     `json:"mlp_fc1_bias"`
	NBias2       bool     `json:"mlp_fc2_bias"`
}

// config translates the settings. What a family's own function does not touch
// is as in BERT.
func (s *encoderSettings) config() (EncoderConfig, error) {
	family, ok := encoderFamilies[s.ModelType]
	if !ok {
		return EncoderConfig{}, fmt.Errorf("the model_type %q is not an encoder we can run", s.ModelType)
	}
	c := EncoderConfig{
		Architecture: s.ModelType, Vocab: s.Vocab, Positions: s.Positions, Layers: s.Layers,
		Width: s.Width, Heads: s.Heads, HeadSize: s.HeadSize, KVHeads: s.KVHeads,
		FeedForward: s.FeedForward, Epsilon: *cmp.Or(s.Epsilon, s.NormEpsilon, s.RMSEpsilon, new(1e-12)),
		Types: *cmp.Or(s.Types, new(2)), Padding: -1,
		biases: encoderBiases{true, true, true, true}, classifyBy: tanh,
	}
	var err error
	if c.Activation, err = parseActivation(cmp.Or(s.Activation, s.Activation2, "gelu")); err != nil {
		return c, err
	}
	if s.Decoder {
		return c, errors.New("is_decoder is true: the model is not an encoder")
	}
	if s.Embedding != "" && s.Embedding != "absolute" {
		return c, fmt.Errorf("position_embedding_type is %q, only \"absolute\" is supported", s.Embedding)
	}
	if family.settings != nil {
		if err := family.settings(s, &c); err != nil {
			return c, err
		}
	}
	if c.HeadSize == 0 && c.Heads > 0 {
		if c.Width%c.Heads != 0 {
			return c, fmt.Errorf("%d numbers cannot be shared by %d heads evenly", c.Width, c.Heads)
		}
		c.HeadSize = c.Width / c.Heads
	}
	c.KVHeads = cmp.Or(c.KVHeads, c.Heads)
	return c, nil
}

// padded makes positions begin behind the padding token's number, as fairseq
// counts them: the table's rows up to it are not used.
func (s *encoderSettings) padded(c *EncoderConfig) error {
	c.Padding = *cmp.Or(s.Padding, new(int32(1)))
	if c.Padding < 0 {
		return fmt.Errorf("pad_token_id is %d", c.Padding)
	}
	c.FirstRow = int(c.Padding) + 1
	c.Positions -= c.FirstRow
	return nil
}

// mpnet adds the bias of distances and takes the segments away.
func (s *encoderSettings) mpnet(c *EncoderConfig) error {
	s.Padding = new(int32(1)) // fixed, whatever the file says
	c.Buckets, c.Types = *cmp.Or(s.Buckets, new(32)), 0
	if c.Buckets != 32 {
		return fmt.Errorf("relative_attention_num_buckets is %d, only 32 is supported", c.Buckets)
	}
	return s.padded(c)
}

// nomic is BERT with rotary positions, gated and without biases.
func (s *encoderSettings) nomic(c *EncoderConfig) error {
	if s.NWidth > 0 { // the first layout of the file
		c.Width, c.Heads, c.FeedForward, c.Layers, c.Positions = s.NWidth, s.NHeads, s.NInner, s.NLayers, s.NPositions
		c.Epsilon = *cmp.Or(s.NEpsilon, new(c.Epsilon))
		s.Activation = cmp.Or(s.NActivation, "swiglu")
	}
	switch s.Activation {
	case "", "swiglu", "silu", "swish":
		c.Activation = silu
	default:
		return fmt.Errorf("the activation %q of this family is not supported", s.Activation)
	}
	for _, refused := range []struct {
		key string
		set bool
	}{
		{"rotary_emb_fraction", s.NFraction != nil && *s.NFraction != 1},
		{"rotary_emb_interleaved", s.NInterleaved},
		{"rotary_scaling_factor", s.NScaling != nil && *s.NScaling != 1},
		{"prenorm", s.NPreNorm}, {"parallel_block", s.NParallel}, {"use_rms_norm", s.NRMSNorm},
		{"qkv_proj_bias", s.NQKVBias}, {"mlp_fc1_bias", s.NBias1}, {"mlp_fc2_bias", s.NBias2},
	} {
		if refused.set {
			return fmt.Errorf("%s has a value that is not supported", refused.key)
		}
	}
	c.Gated = true
	c.biases.attention, c.biases.feedForward = false, false
	theta, err := s.theta(1000)
	c.Rotary = repeated(cmp.Or(s.NTheta, theta), c.Layers)
	return err
}

// modernBERT normalises first, and in two of three layers looks at neighbours only.
func (s *encoderSettings) modernBERT(c *EncoderConfig) error {
	c.Types, c.PreNorm, c.Gated = 0, true, true
	c.biases = encoderBiases{s.AttentionBias, s.MLPBias, s.NormBias, s.HeadBias}
	every := cmp.Or(s.GlobalEvery, 3)
	local := cmp.Or(s.Local, 128)
	if every < 1 || local < 2 || s.LayerTypes != nil && len(s.LayerTypes) != c.Layers {
		return fmt.Errorf("%d layer_types for %d layers, every %d-th global, windows of %d: no such model",
			len(s.LayerTypes), c.Layers, every, local)
	}
	kinds := map[string]float64{}
	for kind, old := range map[string]float64{
		"full_attention": cmp.Or(s.GlobalTheta, 160_000), "sliding_attention": cmp.Or(s.LocalTheta, 10_000),
	} {
		var err error
		if kinds[kind], err = s.thetaOf(kind, old); err != nil {
			return err
		}
	}
	for i := range min(c.Layers, maxLayers) {
		kind := "full_attention"
		if s.LayerTypes != nil {
			kind = s.LayerTypes[i]
		} else if i%every != 0 {
			kind = "sliding_attention"
		}
		theta, ok := kinds[kind]
		if !ok {
			return fmt.Errorf("layer_types: %q is not supported", kind)
		}
		window := 0
		if kind == "sliding_attention" {
			window = local / 2
		}
		c.Rotary, c.Windows = append(c.Rotary, theta), append(c.Windows, window)
	}
	return nil
}

// qwen3 is a decoder that was trained to embed: its rows are used as they are.
func (s *encoderSettings) qwen3(c *EncoderConfig) error {
	if s.SlidingWindow {
		return errors.New("use_sliding_window is not supported")
	}
	c.Types, c.PreNorm, c.RMSNorm, c.Causal, c.Gated = 0, true, true, true, true
	c.biases = encoderBiases{attention: s.AttentionBias}
	c.HeadSize = cmp.Or(c.HeadSize, 128)
	theta, err := s.theta(10_000)
	c.Rotary = repeated(theta, c.Layers)
	return err
}

// ropeParameters is a rotary embedding's own object in config.json.
type ropeParameters struct {
	Theta float64 `json:"rope_theta"`
	Kind  string  `json:"rope_type"`
	Kind2 string  `json:"type"`
}

// theta returns the base of the rotary embedding, and refuses any scaling.
func (s *encoderSettings) theta(standard float64) (float64, error) {
	var p ropeParameters
	for _, raw := range []json.RawMessage{s.RopeParameters, s.RopeScaling} {
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			return 0, fmt.Errorf("rope_parameters: %w", err)
		}
	}
	return p.base(cmp.Or(s.Theta, standard))
}

// thetaOf is theta where each kind of layer has its own.
func (s *encoderSettings) thetaOf(kind string, standard float64) (float64, error) {
	if len(s.RopeScaling) > 0 && string(s.RopeScaling) != "null" {
		return 0, errors.New("rope_scaling is not supported")
	}
	kinds := map[string]ropeParameters{}
	if len(s.RopeParameters) > 0 {
		if err := json.Unmarshal(s.RopeParameters, &kinds); err != nil {
			return 0, fmt.Errorf("rope_parameters: %w", err)
		}
	}
	p := kinds[kind]
	return p.base(standard)
}

func (p *ropeParameters) base(standard float64) (float64, error) {
	if kind := cmp.Or(p.Kind, p.Kind2, "default"); kind != "default" {
		return 0, fmt.Errorf("rope_parameters: the type %q is not supported", kind)
	}
	theta := cmp.Or(p.Theta, standard)
	if !(theta > 1 && theta < 1e12) {
		return 0, fmt.Errorf("the base of the rotary embedding is %v", theta)
	}
	return theta, nil
}

// classifier reads what a cross-encoder's head is.
func (s *encoderSettings) classifier(c *EncoderConfig) error {
	if len(s.Architectures) == 0 || !strings.HasSuffix(s.Architectures[0], "ForSequenceClassification") {
		return fmt.Errorf("config.json: the architectures are %q: a cross-encoder's first ends in ForSequenceClassification", s.Architectures)
	}
	if encoderFamilies[s.ModelType].head == nil {
		return fmt.Errorf("config.json: a %s with a classifier is not supported", s.ModelType)
	}
	c.Labels = 2
	switch {
	case s.LabelNames != nil:
		c.Labels = len(s.LabelNames)
	case s.Labels != nil:
		c.Labels = *s.Labels
	}
	if c.Labels < 1 {
		return fmt.Errorf("config.json: %d labels", c.Labels)
	}
	if c.Architecture == "modernbert" {
		switch s.HeadPooling {
		case "", "cls":
		case "mean":
			c.classifyMean = true
		default:
			return fmt.Errorf("config.json: classifier_pooling %q is not supported", s.HeadPooling)
		}
		var err error
		if c.classifyBy, err = parseActivation(cmp.Or(s.HeadActivation, "gelu")); err != nil {
			return fmt.Errorf("config.json: classifier_activation: %w", err)
		}
	}
	switch by := cmp.Or(s.Sentences.ScoreBy, s.ScoreBy); by[strings.LastIndexByte(by, '.')+1:] {
	case "":
		c.Sigmoid = c.Labels == 1
	case "Sigmoid":
		c.Sigmoid = true
	case "Identity":
	default:
		return fmt.Errorf("config.json: the scores' activation %q is not supported", by)
	}
	return nil
}

// repeated returns n times x, or as many as a model may have layers.
func repeated(x float64, n int) []float64 {
	list := make([]float64, max(0, min(n, maxLayers)))
	for i := range list {
		list[i] = x
	}
	return list
}
