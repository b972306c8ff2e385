package model

import "strings"

// encoderFamilies are the architectures we can run, by model_type. To add one,
// write how it reads its config.json, and what its tensors are called; what no
// other family does yet also needs a field in EncoderConfig.
var encoderFamilies = map[string]encoderFamily{
	"bert":        {names: []encoderNames{bertNames("bert.")}, head: bertHead},
	"roberta":     {settings: (*encoderSettings).padded, names: []encoderNames{bertNames("roberta.")}, head: robertaHead},
	"xlm-roberta": {settings: (*encoderSettings).padded, names: []encoderNames{bertNames("roberta.")}, head: robertaHead},
	"camembert":   {settings: (*encoderSettings).padded, names: []encoderNames{bertNames("roberta.")}, head: robertaHead},
	"mpnet":       {settings: (*encoderSettings).mpnet, names: []encoderNames{mpnetNames()}, head: robertaHead},
	"nomic_bert":  {settings: (*encoderSettings).nomic, names: []encoderNames{nomicNames, nomicNames2}},
	"modernbert":  {settings: (*encoderSettings).modernBERT, names: []encoderNames{modernNames}, head: modernHead},
	"qwen3":       {settings: (*encoderSettings).qwen3, names: []encoderNames{qwenNames}},
}

// encoderFamily is what tells one architecture from another where its files do
// not say it.
type encoderFamily struct {
	settings func(*encoderSettings, *EncoderConfig) error // nil: as BERT
	names    []encoderNames                               // the layouts that its files have
	head     func(c *EncoderConfig, h *classifier) []encoderSlot
}

// encoderNames are what a layout calls the tensors of an encoder. A name that is
// empty stands for a part that the architecture does not have.
type encoderNames struct {
	prefix  string   // may stand before all other names
	words   string   // the table of tokens
	places  string   // the table of positions
	types   string   // the table of segments
	buckets string   // the table of distances' biases
	first   string   // normalisation of what the tables say
	final   string   // normalisation of the last layer's rows
	unused  []string // beginnings of names that have nothing to do with vectors or pairs

	layer     string   // before the names of a layer, with %d for its number
	bare      bool     // the first layer does not normalise before attention
	attention []string // queries, keys and values: three products, or one for all
	queryNorm string   // normalisation of each head's queries,
	keyNorm   string   // and keys
	projected string
	attended  string   // normalisation that belongs to attention
	up        []string // the first feed-forward product; a gated one has two, the activated first
	down      string
	output    string // normalisation that belongs to the feed-forward half
}

// bertNames is the layout that BERT, RoBERTa and XLM-RoBERTa share.
func bertNames(prefix string) encoderNames {
	return encoderNames{
		prefix: prefix,
		words:  "embeddings.word_embeddings", places: "embeddings.position_embeddings",
		types: "embeddings.token_type_embeddings", first: "embeddings.LayerNorm",
		unused:    []string{"embeddings.position_ids", "pooler.", "cls.", "lm_head."},
		layer:     "encoder.layer.%d.",
		attention: []string{"attention.self.query", "attention.self.key", "attention.self.value"},
		projected: "attention.output.dense", attended: "attention.output.LayerNorm",
		up: []string{"intermediate.dense"}, down: "output.dense", output: "output.LayerNorm",
	}
}

// mpnetNames is BERT's layout with other names for attention.
func mpnetNames() encoderNames {
	n := bertNames("mpnet.")
	n.types, n.buckets = "", "encoder.relative_attention_bias"
	n.attention = []string{"attention.attn.q", "attention.attn.k", "attention.attn.v"}
	n.projected, n.attended = "attention.attn.o", "attention.LayerNorm"
	return n
}

// nomicNames is the layout of NomicBERT as its makers publish it.
var nomicNames = encoderNames{
	prefix: "bert.",
	words:  "embeddings.word_embeddings", types: "embeddings.token_type_embeddings", first: "emb_ln",
	unused:    []string{"pooler.", "cls."},
	layer:     "encoder.layers.%d.",
	attention: []string{"attn.Wqkv"}, projected: "attn.out_proj", attended: "norm1",
	up: []string{"mlp.fc12", "mlp.fc11"}, down: "mlp.fc2", output: "norm2",
}

// nomicNames2 is the layout of NomicBERT inside the transformers library.
var nomicNames2 = encoderNames{
	prefix: "nomic_bert.",
	words:  "embeddings.word_embeddings", types: "embeddings.token_type_embeddings", first: "embeddings.LayerNorm",
	unused:    []string{"pooler.", "cls."},
	layer:     "layers.%d.",
	attention: []string{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}, projected: "self_attn.o_proj",
	attended: "post_attention_layernorm",
	up:       []string{"mlp.gate_proj", "mlp.up_proj"}, down: "mlp.down_proj", output: "post_mlp_layernorm",
}

var modernNames = encoderNames{
	prefix: "model.",
	words:  "embeddings.tok_embeddings", first: "embeddings.norm", final: "final_norm",
	unused: []string{"head.", "decoder."},
	layer:  "layers.%d.", bare: true,
	attention: []string{"attn.Wqkv"}, projected: "attn.Wo", attended: "attn_norm",
	up: []string{"mlp.Wi"}, down: "mlp.Wo", output: "mlp_norm",
}

var qwenNames = encoderNames{
	prefix: "model.",
	words:  "embed_tokens", final: "norm",
	unused:    []string{"lm_head."},
	layer:     "layers.%d.",
	attention: []string{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
	queryNorm: "self_attn.q_norm", keyNorm: "self_attn.k_norm", projected: "self_attn.o_proj",
	attended: "input_layernorm",
	up:       []string{"mlp.gate_proj", "mlp.up_proj"}, down: "mlp.down_proj", output: "post_attention_layernorm",
}

// isUnused says whether a tensor has nothing to do with vectors or pairs: the
// heads of training, and numbers that follow from the shape.
func (n *encoderNames) isUnused(name string) bool {
	for _, u := range n.unused {
		if strings.HasPrefix(name, u) {
			return true
		}
	}
	return strings.HasSuffix(name, "inv_freq")
}
