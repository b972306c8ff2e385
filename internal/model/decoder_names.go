package model

import "strings"

// hfParts are Hugging Face's names of the parts of a Llama's layer, by GGUF's.
var hfParts = map[string]string{
	"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
	"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
	"attn_qkv": "self_attn.qkv_proj", "attn_output": "self_attn.o_proj",
	"ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "ffn_gate_up": "mlp.gate_up_proj",
}

// hfName turns blk.3.attn_q.weight into model.layers.3.self_attn.q_proj.weight,
// and blk.3.ffn_up.5.weight, of an expert, into what the family calls it. It is
// empty where there is no such name.
func (f *family) hfName(name string) string {
	switch name {
	case tokenEmbedding:
		return "model.embed_tokens.weight"
	case outputNorm:
		return "model.norm.weight"
	case outputMatrix:
		return "lm_head.weight"
	}
	parts := strings.Split(name, ".")
	if len(parts) < 4 || parts[0] != "blk" {
		return ""
	}
	theirs, ok := f.names[parts[2]]
	if !ok {
		theirs = hfParts[parts[2]]
	}
	if len(parts) == 5 { // one of several experts
		before, after, some := strings.Cut(theirs, "*")
		if !some {
			return ""
		}
		theirs = before + parts[3] + after
	} else if strings.Contains(theirs, "*") {
		return ""
	}
	if theirs == "" {
		return ""
	}
	return "model.layers." + parts[1] + "." + theirs + "." + parts[len(parts)-1]
}
