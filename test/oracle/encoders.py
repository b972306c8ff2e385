"""Write the vectors and scores that transformers gives for tiny encoders of each
family, for internal/model to be compared with.

    python test/oracle/encoders.py > internal/model/testdata/encoders.json

The models' weights are not kept: element i of a tensor is a hash of the tensor's
name and of i, which this script and testenv.WriteWeights compute alike (see `weights`).
What is kept is each model's config.json and other small files, the names and
shapes of its tensors as the library writes them, some token sequences, and the
library's results in float64 arithmetic, rounded to nine digits.

Needs numpy, safetensors, sentence-transformers, torch and transformers.
"""

import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file
from sentence_transformers.sentence_transformer.modules import Pooling
from sentence_transformers.base.modules import Dense, Normalize

WIDTH, HEADS, INNER, LAYERS, VOCAB, POSITIONS = 64, 4, 96, 4, 61, 192
BERT = dict(
    vocab_size=VOCAB, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
    intermediate_size=INNER, max_position_embeddings=POSITIONS,
)
ROBERTA = dict(BERT, max_position_embeddings=POSITIONS + 2, type_vocab_size=1, pad_token_id=1)
MODERN = dict(BERT, local_attention=16, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
QWEN = dict(BERT, num_key_value_heads=2, head_dim=32, max_position_embeddings=POSITIONS)


def weights(name, shape):
    """The weights that a tensor gets: uniform, as wide as keeps rows about
    unchanged in size; gains are around 1."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF  # FNV-1a
    x = (np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(0x9E3779B9)) + np.uint32(seed)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    x ^= x >> np.uint32(16)
    uniform = (x >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    if len(shape) == 1:
        values = 1 + uniform / 2 if name.endswith("weight") else uniform / 2
    else:
        values = uniform * (3 / shape[1]) ** 0.5
    return values.astype(np.float32).reshape(shape)


def rewrite(path):
    """Give the tensors of a file their weights; return their shapes."""
    shapes = {name: list(t.shape) for name, t in sorted(load_file(path).items())}
    save_file({name: weights(name, shape) for name, shape in shapes.items()}, path)
    return shapes


def sequences(pad):
    rng = np.random.default_rng(7)
    ids = [rng.integers(3, VOCAB, n).tolist() for n in (1, 2, 9, 40, 150)]
    if pad:
        ids[2][4] = pad  # a padding token inside a text has a position of its own
    return ids


def case(name, config, kind, pooling=None, change=None, types=False, dense=None, normalize=False, rename=None):
    """Make a model, give it its weights, and run it."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        kind(config).save_pretrained(folder)
        settings = json.loads((folder / "config.json").read_text())
        for key, value in (change or {}).items():
            settings.pop(key, None)
            if value is not None:
                settings[key] = value
        (folder / "config.json").write_text(json.dumps(settings))
        if rename:
            tensors = rename(load_file(folder / "model.safetensors"))
            save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        files = {"model.safetensors": rewrite(folder / "model.safetensors")}
        model = kind.from_pretrained(folder, attn_implementation="eager").double().eval()
        small = {"config.json": json.dumps(settings)}
        steps = []
        if pooling:
            modules = ["models.Transformer", "models.Pooling"]
            steps.append(Pooling(WIDTH, pooling))
            if dense:
                steps.append(Dense(WIDTH, dense, activation_function=torch.nn.Tanh()))
                modules.append("models.Dense")
            if normalize:
                steps.append(Normalize())
                modules.append("models.Normalize")
            paths = [""] + [f"{i}_{m.rsplit('.')[-1]}" for i, m in enumerate(modules) if i]
            small["modules.json"] = json.dumps([{"path": p, "type": f"sentence_transformers.{m}"} for p, m in zip(paths, modules)])
            for path, step in zip(paths[1:], steps):
                (folder / path).mkdir()
                step.save(str(folder / path))
                if (folder / path / "config.json").exists():
                    small[f"{path}/config.json"] = (folder / path / "config.json").read_text()
                if isinstance(step, Dense):
                    files[f"{path}/model.safetensors"] = rewrite(folder / path / "model.safetensors")
                    steps[steps.index(step)] = Dense.load(str(folder / path)).double().eval()
        results, kinds = [], []
        ids = sequences(1 if settings["model_type"] in ("roberta", "xlm-roberta", "mpnet") else None)
        for i, tokens in enumerate(ids):
            inputs = {"input_ids": torch.tensor([tokens]), "attention_mask": torch.ones(1, len(tokens), dtype=torch.long)}
            if types:
                kinds.append([int(j > len(tokens) // 3) for j in range(len(tokens))])
                inputs["token_type_ids"] = torch.tensor([kinds[-1]])
            with torch.no_grad():
                out = model(**inputs)
                if not pooling:
                    results.append(out.logits[0].tolist())
                    continue
                features = {"token_embeddings": out.last_hidden_state, "attention_mask": inputs["attention_mask"]}
                for step in steps:
                    features = step(features)
                results.append(features["sentence_embedding"][0].tolist())
        results = [[float(f"{x:.9g}") for x in r] for r in results]
        return {"name": name, "small": small, "tensors": files, "ids": ids, "types": kinds or None, "results": results}


def own_layout(tensors):
    """NomicBERT's tensors as the transformers library calls them, who writes them
    as the model's makers do."""
    renamed = {}
    for name, t in tensors.items():
        for old, new in (
            ("encoder.layers", "layers"), ("emb_ln", "embeddings.LayerNorm"), ("attn.out_proj", "self_attn.o_proj"),
            ("fc11", "up_proj"), ("fc12", "gate_proj"), ("fc2", "down_proj"),
            ("norm1", "post_attention_layernorm"), ("norm2", "post_mlp_layernorm"),
        ):
            name = name.replace(old, new)
        if "attn.Wqkv" in name:
            for i, part in enumerate(np.split(t, 3)):
                renamed[name.replace("attn.Wqkv", "self_attn." + "qkv"[i] + "_proj")] = part
        else:
            renamed[name] = t
    return renamed


def main():
    t = transformers
    old_modern = {
        "layer_types": None, "rope_parameters": None, "global_attn_every_n_layers": 2,
        "global_rope_theta": 5000.0, "local_rope_theta": 300.0,
    }
    score = dict(num_labels=1)
    cases = [
        case("bert, mean", t.BertConfig(**BERT), t.BertModel, "mean", types=True),
        case("bert, first token, gelu_new", t.BertConfig(**BERT, hidden_act="gelu_new"), t.BertModel, "cls", normalize=True),
        case("roberta, mean", t.RobertaConfig(**ROBERTA), t.RobertaModel, "mean"),
        case("xlm-roberta, first token, dense", t.XLMRobertaConfig(**ROBERTA), t.XLMRobertaModel, "cls", dense=24, normalize=True),
        case("mpnet, mean", t.MPNetConfig(**{k: v for k, v in ROBERTA.items() if k != "type_vocab_size"}), t.MPNetModel, "mean", normalize=True),
        case("nomic_bert, mean", t.NomicBertConfig(**BERT), t.NomicBertModel, "mean"),
        case("nomic_bert, the library's own names", t.NomicBertConfig(**BERT), t.NomicBertModel, "cls", rename=own_layout),
        case("modernbert, mean", t.ModernBertConfig(**MODERN), t.ModernBertModel, "mean", normalize=True),
        case("modernbert, the settings' first form", t.ModernBertConfig(**MODERN), t.ModernBertModel, "cls", change=old_modern),
        case("qwen3, last token", t.Qwen3Config(**QWEN), t.Qwen3Model, "lasttoken", normalize=True),
        case("bert, scores", t.BertConfig(**BERT, **score), t.BertForSequenceClassification, types=True),
        case("bert, three labels", t.BertConfig(**BERT, num_labels=3), t.BertForSequenceClassification, types=True),
        case("xlm-roberta, scores", t.XLMRobertaConfig(**ROBERTA, **score), t.XLMRobertaForSequenceClassification),
        case("mpnet, scores", t.MPNetConfig(**{k: v for k, v in ROBERTA.items() if k != "type_vocab_size"}, **score), t.MPNetForSequenceClassification),
        case("modernbert, scores", t.ModernBertConfig(**MODERN, **score), t.ModernBertForSequenceClassification),
        case("modernbert, scores by the mean", t.ModernBertConfig(**MODERN, **score, classifier_pooling="mean"), t.ModernBertForSequenceClassification),
    ]
    print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")


if __name__ == "__main__":
    main()
