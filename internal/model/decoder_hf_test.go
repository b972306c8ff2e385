package model

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Configurations as checkpoints from before rope_parameters have them. Those
// that transformers writes today are in testdata/decoders.
func TestOlderHuggingFaceConfigurations(t *testing.T) {
	layers := func(marks string) []bool {
		var out []bool
		for _, m := range marks {
			out = append(out, m == 'x')
		}
		return out
	}
	for name, c := range map[string]struct {
		config string
		check  func(c DecoderConfig, tied bool) (got, want any)
	}{
		"Llama 3.2": {
			`{"model_type": "llama", "vocab_size": 128256, "max_position_embeddings": 131072, "num_hidden_layers": 16, "hidden_size": 2048,
			"intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "rms_norm_eps": 1e-05, "hidden_act": "silu",
			"rope_theta": 500000.0, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
			"original_max_position_embeddings": 8192, "rope_type": "llama3"}, "tie_word_embeddings": true}`,
			func(c DecoderConfig, tied bool) (any, any) {
				d := c.Rotary.Divisors // the fast pairs stay, the slow ones are stretched in full
				return []any{c.Rotary.Base, tied, d[0], d[31], d[16] > 1 && d[16] < 32}, []any{500000.0, true, 1.0, 32.0, true}
			},
		},
		"Gemma 3": {
			`{"model_type": "gemma3_text", "vocab_size": 262144, "max_position_embeddings": 32768, "num_hidden_layers": 8, "hidden_size": 640,
			"intermediate_size": 2048, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "rms_norm_eps": 1e-06, "hidden_activation": "gelu_pytorch_tanh",
			"rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "sliding_window": 512,
			"sliding_window_pattern": 6, "query_pre_attn_scalar": 256, "attn_logit_softcapping": null, "final_logit_softcapping": null}`,
			func(c DecoderConfig, tied bool) (any, any) {
				return []any{c.Windowed, c.Window, c.Rotary.Base, c.Rotary.Divisors[0], c.LocalRotary.Base, c.LocalRotary.Divisors == nil, c.AttentionScale, c.EmbeddingScale, tied},
					[]any{layers("xxxxx.xx"), 512, 1e6, 8.0, 10000.0, true, 1.0 / 16, float64(float32(math.Sqrt(640))), true}
			},
		},
		"Phi-3.5": {
			`{"model_type": "phi3", "vocab_size": 32064, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "num_hidden_layers": 2,
			"hidden_size": 64, "intermediate_size": 8192, "num_attention_heads": 4, "num_key_value_heads": 4, "rms_norm_eps": 1e-05, "hidden_act": "silu",
			"sliding_window": 262144, "rope_theta": 10000.0, "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1, 1, 1, 1, 1.5], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8]}}`,
			func(c DecoderConfig, tied bool) (any, any) {
				return []any{c.Rotary.Divisors[7], c.Rotary.Scale, c.Windowed, tied}, []any{8.0, math.Sqrt(1 + math.Log(32)/math.Log(4096)), layers("xx"), false}
			},
		},
		"SmolLM3": {
			`{"model_type": "smollm3", "vocab_size": 128256, "max_position_embeddings": 65536, "num_hidden_layers": 5, "hidden_size": 2048, "intermediate_size": 11008,
			"num_attention_heads": 16, "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "hidden_act": "silu", "rope_theta": 5000000.0, "rope_scaling": null,
			"no_rope_layer_interval": 4, "no_rope_layers": [1, 1, 1, 0, 1], "use_sliding_window": false, "sliding_window": null, "layer_types":
			["full_attention", "full_attention", "full_attention", "full_attention", "full_attention"]}`,
			func(c DecoderConfig, tied bool) (any, any) {
				return []any{c.Unrotated, c.Windowed == nil, tied}, []any{layers("...x."), true, true}
			},
		},
		"Qwen2.5 with a window": {
			`{"model_type": "qwen2", "vocab_size": 151936, "max_position_embeddings": 32768, "num_hidden_layers": 4, "hidden_size": 896, "intermediate_size": 4864,
			"num_attention_heads": 14, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "hidden_act": "silu", "rope_theta": 1000000.0, "sliding_window": 32,
			"use_sliding_window": true, "max_window_layers": 3, "tie_word_embeddings": true}`,
			func(c DecoderConfig, tied bool) (any, any) {
				return []any{c.Windowed, c.Biased, c.HeadSize}, []any{layers("...x"), true, 64}
			},
		},
		"Qwen2.5 with YaRN": {
			`{"model_type": "qwen2", "vocab_size": 152064, "max_position_embeddings": 32768, "num_hidden_layers": 4, "hidden_size": 3584, "intermediate_size": 18944,
			"num_attention_heads": 28, "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "hidden_act": "silu", "rope_theta": 1000000.0, "sliding_window": 131072,
			"use_sliding_window": false, "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}}`,
			func(c DecoderConfig, tied bool) (any, any) {
				d := c.Rotary.Divisors
				return []any{c.Windowed == nil, d[0], d[len(d)-1], c.Rotary.Scale}, []any{true, 1.0, 4.0, 1 + 0.1*math.Log(4)}
			},
		},
		"Mixtral": {
			`{"model_type": "mixtral", "vocab_size": 32000, "max_position_embeddings": 32768, "num_hidden_layers": 2, "hidden_size": 4096, "intermediate_size": 14336,
			"num_attention_heads": 32, "num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2, "rms_norm_eps": 1e-05, "hidden_act": "silu", "sliding_window": null}`,
			func(c DecoderConfig, tied bool) (any, any) {
				return []any{c.Rotary.Base, c.Experts, c.ExpertsUsed, c.ExpertsToOne, c.Windowed == nil}, []any{1e6, 8, 2, true, true}
			},
		},
	} {
		c2, _, tied, err := parseHFConfig([]byte(c.config), 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, want := c.check(c2, tied)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// With a bound at the original context, Phi-3.5 uses the factors for short
// sequences.
func TestBoundedContextChoosesShortFactors(t *testing.T) {
	config := `{"model_type": "phi3", "vocab_size": 100, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "num_hidden_layers": 2,
		"hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "rms_norm_eps": 1e-05, "hidden_act": "silu",
		"rope_scaling": {"type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1, 1, 1.5], "long_factor": [1, 2, 3, 4, 5, 6, 7, 8]}}`
	for longest, want := range map[int]float64{0: 8, 4097: 8, 4096: 1.5} {
		c, _, _, err := parseHFConfig([]byte(config), longest)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Rotary.Divisors[7]; got != want || longest > 0 && c.Context != longest {
			t.Errorf("up to %d tokens: factor %v and a context of %d, want %v", longest, got, c.Context, want)
		}
	}
}

// Any text is an error or a configuration that validate has seen.
func FuzzParseHFConfig(f *testing.F) {
	for _, o := range oracles(f) {
		f.Add(string(o.Config))
	}
	f.Add(`{"model_type": "gemma3_text", "num_hidden_layers": 1e9, "sliding_window_pattern": -1, "layer_types": [null]}`)
	f.Add(`{"model_type": "phi3", "head_dim": -16, "partial_rotary_factor": 1e300, "rope_scaling": {"type": "longrope", "long_factor": []}}`)
	f.Fuzz(func(t *testing.T, config string) {
		c, _, _, err := parseHFConfig([]byte(config), 0)
		if err != nil {
			return
		}
		d := newDecoder(c, DecoderOptions{})
		if err := c.validate(); err != nil || c.workBytes() < 0 || c.CacheBytes(c.Context) < 0 {
			t.Errorf("%s: %v", strings.TrimSpace(config), err)
		}
		for i := range c.Layers {
			if r := d.rotary[c.kind(i)]; c.rotated(i) && len(r.frequencies) == 0 {
				t.Errorf("%s: layer %d is turned by nothing", config, i)
			}
		}
	})
}
