package model

import (
	"math"

	"github.com/ragstone/ragstone/internal/kernel"
)

// family is what tells one architecture from another where a file does not say
// it.
//
// To add a dense family: add a line to families with its names in both formats
// and what its layers have; if Hugging Face's checkpoints call its tensors
// otherwise than Llama's, say how; if its files have a setting of their own,
// read it in decoder_gguf.go and decoder_hf.go into a field of DecoderConfig.
// Then give test/oracle/decoders.py a tiny model of it, and docs/models.md a
// line. What a family has that is not listed here is refused: a tensor or a key
// that we do not know ends in an error.
type family struct {
	gguf    string         // general.architecture, and the prefix of its keys
	hf      string         // model_type in config.json
	pairing kernel.Pairing // in GGUF files; Hugging Face's always pair halves
	traits  traits

	// names are Hugging Face's for the parts of a layer, where they differ from
	// Llama's (see hfParts), by GGUF's.
	names map[string]string

	// tied says that the output matrix is the embedding where config.json does
	// not say.
	tied bool

	// offByOne says that Hugging Face's files hold normalisation weights less 1.
	offByOne bool

	// fullEvery: of the layers of a model with a window, every so manieth sees
	// all; 0 means none does. Files may say otherwise by layer.
	fullEvery int

	// windows says that files may ask for a window in this family's layers.
	windows bool

	// windowSwitch says that config.json's sliding_window counts only with
	// use_sliding_window.
	windowSwitch bool

	// base is the rotary base where config.json does not say; 0 means 10000.
	base float64

	// localBase is the rotary base of layers with a window where a file does not
	// say; 0 means that of the others.
	localBase float64

	// unrotatedEvery: every so manieth layer has no rotary embedding.
	unrotatedEvery int

	// wideLayers is how many layers the one model has whose GGUF file does not
	// say that it divides scores by √(Width/Heads), not by √HeadSize.
	wideLayers int

	// scaledEmbedding multiplies embeddings by √Width.
	scaledEmbedding bool

	// moe says that files may have experts; sparse that they must.
	moe, sparse bool
}

// The names that some families' checkpoints give to parts of a layer.
var (
	headNorms = map[string]string{"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}

	sandwichNorms = map[string]string{
		"post_attention_norm": "post_attention_layernorm",
		"ffn_norm":            "pre_feedforward_layernorm",
		"post_ffw_norm":       "post_feedforward_layernorm",
	}

	mixtralExperts = map[string]string{
		"ffn_gate_inp": "block_sparse_moe.gate",
		"ffn_gate":     "block_sparse_moe.experts.*.w1",
		"ffn_down":     "block_sparse_moe.experts.*.w2",
		"ffn_up":       "block_sparse_moe.experts.*.w3",
	}

	qwenExperts = map[string]string{
		"ffn_gate_inp": "mlp.gate",
		"ffn_gate":     "mlp.experts.*.gate_proj",
		"ffn_down":     "mlp.experts.*.down_proj",
		"ffn_up":       "mlp.experts.*.up_proj",
	}
)

// plain is a layer of Llama's.
var plain = traits{PreNorm: true}

// families are the architectures we run. A GGUF file's is the first with its
// name: what the converter writes for Mistral and Mixtral are Llamas.
var families = []family{
	{gguf: "llama", hf: "llama", pairing: kernel.Adjacent, traits: plain, moe: true},
	{gguf: "llama", hf: "mistral", traits: plain, windows: true},
	{gguf: "llama", hf: "mixtral", traits: plain, windows: true, names: mixtralExperts, base: 1e6, moe: true, sparse: true},
	{gguf: "smollm3", hf: "smollm3", pairing: kernel.Adjacent, traits: plain, unrotatedEvery: 4, tied: true, base: 2e6, windowSwitch: true},
	{gguf: "qwen2", hf: "qwen2", pairing: kernel.Halves, traits: traits{PreNorm: true, Biased: true}, windows: true, windowSwitch: true},
	{gguf: "qwen3", hf: "qwen3", pairing: kernel.Halves, traits: traits{PreNorm: true, QueryKeyNorm: headNormed}, windows: true, windowSwitch: true, names: headNorms},
	{gguf: "qwen3moe", hf: "qwen3_moe", pairing: kernel.Halves, traits: traits{PreNorm: true, QueryKeyNorm: headNormed}, windows: true, windowSwitch: true,
		names: merged(headNorms, qwenExperts), moe: true, sparse: true},
	{gguf: "gemma2", hf: "gemma2", pairing: kernel.Halves, traits: traits{PreNorm: true, PostNorm: true, GELU: true}, windows: true,
		names: sandwichNorms, tied: true, offByOne: true, fullEvery: 2, scaledEmbedding: true, wideLayers: 46},
	{gguf: "gemma3", hf: "gemma3_text", pairing: kernel.Halves, traits: traits{PreNorm: true, PostNorm: true, GELU: true, QueryKeyNorm: headNormed}, windows: true,
		names: merged(headNorms, sandwichNorms), tied: true, offByOne: true, fullEvery: 6, base: 1e6, localBase: 10000, scaledEmbedding: true, wideLayers: 62},
	{gguf: "phi3", hf: "phi3", pairing: kernel.Halves, traits: plain, windows: true},
	{gguf: "granite", hf: "granite", pairing: kernel.Adjacent, traits: plain},
	{gguf: "olmo2", hf: "olmo2", pairing: kernel.Halves, traits: traits{PostNorm: true, QueryKeyNorm: rowNormed}, names: merged(headNorms, sandwichNorms)},
}

// merged joins the names of parts.
func merged(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for part, name := range m {
			all[part] = name
		}
	}
	return all
}

// complete fills in what follows from the family once the numbers of a file are
// read: which layers have windows and rotation, and the scales.
func (f *family) complete(c *DecoderConfig) {
	c.traits = merge(f.traits, c.traits)
	if c.Window > 0 && c.Windowed == nil {
		c.Windowed = not(everyNth(c.Layers, max(1, f.fullEvery)))
		if f.fullEvery == 0 {
			c.Windowed = everyNth(c.Layers, 1)
		}
	}
	if c.Window == 0 {
		c.Windowed = nil
	}
	if f.unrotatedEvery > 0 && c.Unrotated == nil {
		c.Unrotated = everyNth(c.Layers, f.unrotatedEvery)
	}
	if f.scaledEmbedding {
		c.EmbeddingScale = float64(float32(math.Sqrt(float64(max(0, c.Width)))))
	}
	*c = c.withDefaults()
}

// merge is a family's traits with what a file adds to them.
func merge(family, file traits) traits {
	family.Biased = family.Biased || file.Biased
	return family
}
