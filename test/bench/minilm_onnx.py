"""Export the default embedding model to ONNX, so that ONNX Runtime can be
measured on the same weights.

    python minilm_onnx.py MODEL_FOLDER OUT.onnx

The result takes input_ids, attention_mask and token_type_ids of any batch and
length and gives last_hidden_state. The graph is then rewritten by ONNX
Runtime's own transformer optimizer (attention, GELU and layer normalisation
fused), which is the faster form: the peer gets its best.

Needs torch, transformers, onnx and onnxruntime.
"""

import sys

import torch
from onnxruntime.transformers import optimizer
from transformers import BertModel


class Encoder(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").eval()

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state


def main():
    folder, out = sys.argv[1:]
    model = Encoder(folder)
    ids = torch.randint(0, model.bert.config.vocab_size, (2, 11))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(model, (ids, torch.ones_like(ids), torch.zeros_like(ids)), out, dynamo=False, opset_version=17,
                      input_names=names, output_names=["last_hidden_state"],
                      dynamic_axes={n: axes for n in names + ["last_hidden_state"]})
    config = model.bert.config
    fused = optimizer.optimize_model(out, "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
    print("fused:", fused.get_fused_operator_statistics())
    fused.save_model_to_file(out)


main()
