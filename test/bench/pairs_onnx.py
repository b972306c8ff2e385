"""Make a cross-encoder in BERT-base's shape with random weights, and export it to
ONNX, to measure both sides on the same model.

    python pairs_onnx.py MODEL_FOLDER OUT.onnx

The folder gets config.json and model.safetensors. The graph takes input_ids,
attention_mask and token_type_ids of any batch and length, gives the score of each
pair, and is rewritten by ONNX Runtime's own transformer optimizer.

Needs torch, transformers, onnx and onnxruntime.
"""

import sys

import torch
from onnxruntime.transformers import optimizer
from transformers import BertConfig, BertForSequenceClassification


class Scorer(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids, attention_mask, token_type_ids).logits


def main():
    folder, out = sys.argv[1:]
    torch.manual_seed(1)
    config = BertConfig(num_labels=1)
    config._attn_implementation = "eager"
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    ids = torch.randint(0, config.vocab_size, (2, 11))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {n: {0: "batch", 1: "length"} for n in names}
    torch.onnx.export(Scorer(model), (ids, torch.ones_like(ids), torch.zeros_like(ids)), out, dynamo=False, opset_version=17,
                      input_names=names, output_names=["scores"], dynamic_axes=axes | {"scores": {0: "batch"}})
    fused = optimizer.optimize_model(out, "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
    print("fused:", fused.get_fused_operator_statistics())
    fused.save_model_to_file(out)


main()
