#!/usr/bin/env python3
"""Write the golden files of the decoder families: tiny models with weights from
a formula, what Hugging Face `transformers` makes of them, and what llama.cpp does.

    decoders.py --llama-cpp .../llama.cpp --out internal/model/testdata/decoders [NAME...]

For each case of CASES the file has

    config      config.json as transformers writes it
    tensors     names and shapes of the checkpoint; `weight` below fills them
    tokens      the sequence
    rows        positions whose logits are kept
    logits      theirs, of the float32 model whose attention rounds keys and
                values to half precision, as a cache of ours does
    exact       by how much at most that rounding moved a logit
    context     the longest sequence that the model is loaded for, where it matters
    gguf        llama.cpp's converter's: settings, and of each tensor the name,
                shape and the start of the SHA-256 of its float32 numbers, or the
                numbers where the converter computed them
    greedy      llama.cpp's own greedy continuation of the first tokens, run from
                that file, and by how much it preferred each token to the next best

The weights are not kept: Go computes the same ones from the same formula.

Needs torch, transformers (5 or later), safetensors, numpy, and llama.cpp's
sources with a build in build/bin. Without --llama-cpp, gguf and greedy are left
out.
"""

import argparse
import ctypes
import hashlib
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file
from transformers.masking_utils import AttentionMaskInterface, eager_mask
from transformers.modeling_utils import AttentionInterface
from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward

VOCAB = 64
SMALL = dict(vocab_size=VOCAB, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0)
WIDE = dict(SMALL, head_dim=32)


def rope(kind, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=10000.0, **more))


LONG = dict(long_factor=[1.0 + 0.5 * i for i in range(16)], short_factor=[1.0 + 0.125 * i for i in range(16)], original_max_position_embeddings=32)
GEMMA3_ROPE = dict(rope_parameters=dict(full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6),
                                        sliding_attention=dict(rope_type="default", rope_theta=10000.0)))

# name: (model_type, configuration, tokens of the sequence, kept rows, context)
CASES = {
    "llama": ("llama", SMALL, 48, 12, 0),
    "llama-untied-biased": ("llama", dict(WIDE, attention_bias=True, tie_word_embeddings=False, rms_norm_eps=1e-5), 40, 8, 0),
    "llama-linear": ("llama", dict(SMALL, **rope("linear", factor=4.0)), 40, 8, 0),
    "llama3": ("llama", dict(WIDE, **rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)), 48, 12, 0),
    "llama-yarn": ("llama", dict(WIDE, **rope("yarn", factor=4.0, original_max_position_embeddings=32)), 48, 12, 0),
    "smollm3": ("smollm3", dict(SMALL, num_hidden_layers=4), 40, 8, 0),
    "mistral": ("mistral", dict(SMALL, sliding_window=16), 48, 12, 0),
    "mistral-long": ("mistral", dict(SMALL, sliding_window=290, max_position_embeddings=1024), 620, 4, 0),
    "mixtral": ("mixtral", dict(SMALL, num_local_experts=4, num_experts_per_tok=2, sliding_window=None), 40, 8, 0),
    "qwen2": ("qwen2", SMALL, 40, 8, 0),
    "qwen2-window": ("qwen2", dict(SMALL, use_sliding_window=True, sliding_window=16, max_window_layers=1, num_hidden_layers=3), 48, 12, 0),
    "qwen3": ("qwen3", WIDE, 40, 8, 0),
    "qwen3moe": ("qwen3_moe", dict(WIDE, num_experts=8, num_experts_per_tok=4, moe_intermediate_size=32, norm_topk_prob=True, decoder_sparse_step=1), 40, 8, 0),
    "qwen3moe-unscaled": ("qwen3_moe", dict(WIDE, num_experts=8, num_experts_per_tok=3, moe_intermediate_size=32, norm_topk_prob=False, decoder_sparse_step=1), 40, 8, 0),
    "gemma2": ("gemma2", dict(WIDE, num_hidden_layers=3, sliding_window=16, query_pre_attn_scalar=32, attn_logit_softcapping=5.0, final_logit_softcapping=4.0), 48, 12, 0),
    "gemma2-scalar": ("gemma2", dict(WIDE, num_hidden_layers=3, sliding_window=16, query_pre_attn_scalar=24, attn_logit_softcapping=5.0, final_logit_softcapping=4.0), 48, 12, 0),
    "gemma3": ("gemma3_text", dict(WIDE, num_hidden_layers=7, sliding_window=16, query_pre_attn_scalar=32, **GEMMA3_ROPE), 48, 12, 0),
    "gemma3-long": ("gemma3_text", dict(WIDE, num_hidden_layers=6, sliding_window=300, query_pre_attn_scalar=32, max_position_embeddings=1024, **GEMMA3_ROPE), 620, 4, 0),
    "phi3": ("phi3", dict(SMALL, sliding_window=None), 40, 8, 0),
    "phi3-window": ("phi3", dict(SMALL, sliding_window=16), 48, 12, 0),
    "phi3-partial": ("phi3", dict(SMALL, hidden_size=128, partial_rotary_factor=0.75), 40, 8, 0),
    "phi3-longrope": ("phi3", dict(SMALL, hidden_size=128, **rope("longrope", **LONG), original_max_position_embeddings=32), 48, 12, 0),
    "phi3-shortrope": ("phi3", dict(SMALL, hidden_size=128, **rope("longrope", **LONG), original_max_position_embeddings=32), 30, 8, 32),
    "granite": ("granite", dict(SMALL, embedding_multiplier=12.0, attention_multiplier=0.125, residual_multiplier=0.25, logits_scaling=4.0), 40, 8, 0),
    "olmo2": ("olmo2", SMALL, 40, 8, 0),
}

# What the converter or llama.cpp does otherwise than transformers; the greedy
# comparison would compare two different models.
NOT_IN_LLAMA_CPP = {
    "mistral": "the converter drops the window",
    "mistral-long": "the converter drops the window",
    "qwen2-window": "the converter drops the window",
    "phi3-window": "llama.cpp ignores the window",
    "phi3-shortrope": "llama.cpp rounds contexts up to 256 tokens, and takes the long factors then",
    "phi3-partial": "the converter wants rotary factors or a tokenizer that we lack",
    "qwen3moe-unscaled": "llama.cpp always scales the weights of experts to 1",
    "gemma2-scalar": "llama.cpp divides scores by the root of the head size, whatever query_pre_attn_scalar says",
}

GAMMA = 0x9E3779B97F4A7C15


def mixed(seed, n):
    """n random 64-bit numbers: splitmix64 from a seed."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(GAMMA)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def fnv(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def weight(model_type, name, shape):
    """The numbers of a tensor: uniform, 24 bits each, so exact in float32. The
    scores of experts are spread, so that few tokens are a toss-up for them."""
    u = (mixed(fnv(name), int(np.prod(shape))) >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24) - np.float32(0.5)
    if name.endswith("norm.weight"):
        u = u * np.float32(0.5)
        if not model_type.startswith("gemma"):
            u = np.float32(1) + u
    elif name.endswith("embed_tokens.weight"):
        u = u * np.float32(2)
    elif len(shape) > 1 and not name.endswith((".mlp.gate.weight", ".block_sparse_moe.gate.weight")):
        u = u * np.float32(0.5 if shape[-1] < 128 else 0.25)
    return u.reshape(shape)


def half_cache(module, query, key, value, mask, **more):
    return eager_attention_forward(module, query, key.half().float(), value.half().float(), mask, **more)


def exactly(module, query, key, value, mask, **more):
    return eager_attention_forward(module, query, key, value, mask, **more)


for name, attention in {"half_cache": half_cache, "exact": exactly}.items():
    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, eager_mask)


def make(folder, model_type, settings):
    """Write a checkpoint with our weights; return its configuration and tensors."""
    config = transformers.AutoConfig.for_model(model_type, **settings)
    transformers.AutoModelForCausalLM.from_config(config).float().save_pretrained(folder)
    path = folder / "model.safetensors"
    shapes = {name: list(t.shape) for name, t in load_file(path).items()}
    save_file({name: weight(model_type, name, shape) for name, shape in shapes.items()}, path, metadata={"format": "pt"})
    return json.loads((folder / "config.json").read_text()), shapes


def logits(folder, tokens, attention):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation=attention).eval()
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0].numpy()


def convert(llama_cpp, folder):
    """Run the converter on a checkpoint that has no tokenizer; return the file."""
    sys.path.insert(0, str(llama_cpp / "gguf-py"))
    sys.path.insert(0, str(llama_cpp))
    import gguf
    from conversion import get_model_architecture, get_model_class, ModelBase, ModelType

    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {f"t{i}": i for i in range(VOCAB)}}, "added_tokens": []}))
    hparams = ModelBase.load_hparams(folder, False)
    base = get_model_class(get_model_architecture(hparams, ModelType.TEXT))

    class Bare(base):
        model_arch = base.model_arch

        def set_vocab(self):
            self.gguf_writer.add_tokenizer_model("no_vocab")

        def set_gguf_parameters(self):
            if base.__name__ == "Phi3MiniModel":
                self.rope_parameters.setdefault("original_max_position_embeddings", self.hparams["max_position_embeddings"])
            super().set_gguf_parameters()
            if not any(k.endswith(".vocab_size") for k in self.gguf_writer.kv_data[0]):
                self.gguf_writer.add_vocab_size(VOCAB)

    path = folder / "model.gguf"
    Bare(folder, gguf.LlamaFileType.ALL_F32, path).write()
    return path


def described(path):
    """The settings and tensors of a GGUF file."""
    import gguf

    reader = gguf.GGUFReader(path)
    arch = reader.fields["general.architecture"].contents()
    settings = {}
    for key, field in reader.fields.items():
        if key == "general.architecture" or key.startswith(arch + "."):
            settings[key] = [field.types[0].name if field.types[0].name != "ARRAY" else field.types[1].name + "[]", field.contents()]
    tensors = []
    for t in reader.tensors:
        assert t.tensor_type.name == "F32", (t.name, t.tensor_type)
        data = np.ascontiguousarray(t.data, dtype="<f4").tobytes()
        kept = [float(v) for v in t.data] if t.name.startswith("rope_") else hashlib.sha256(data).hexdigest()[:16]
        tensors.append([t.name, [int(n) for n in t.shape], kept])
    return dict(settings=settings, tensors=tensors)


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32)] + [(f, ctypes.c_void_p) for f in ("token", "embd", "pos", "n_seq_id", "seq_id", "logits")]


class Blob(ctypes.Structure):
    """The parameters of a call, larger than they are: they travel on the stack."""
    _fields_ = [("data", ctypes.c_uint8 * 1024)]


class LlamaCpp:
    """llama.cpp as a library, run on token ids."""

    def __init__(self, root):
        self.lib = ctypes.CDLL(str(root / "build/bin/libllama.so"))
        for name, result, arguments in [
            ("llama_model_default_params", Blob, []), ("llama_context_default_params", Blob, []),
            ("llama_model_load_from_file", ctypes.c_void_p, [ctypes.c_char_p, Blob]),
            ("llama_init_from_model", ctypes.c_void_p, [ctypes.c_void_p, Blob]),
            ("llama_batch_get_one", Batch, [ctypes.c_void_p, ctypes.c_int32]),
            ("llama_decode", ctypes.c_int32, [ctypes.c_void_p, Batch]),
            ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float), [ctypes.c_void_p, ctypes.c_int32]),
            ("llama_free", None, [ctypes.c_void_p]), ("llama_model_free", None, [ctypes.c_void_p]),
        ]:
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments
        self.quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
        self.lib.llama_log_set(self.quiet, None)
        self.lib.llama_backend_init()

        self.lib.llama_model_get_vocab.restype = ctypes.c_void_p

    def load(self, path):
        model = self.lib.llama_model_load_from_file(str(path).encode(), self.lib.llama_model_default_params())
        if not model:
            raise SystemExit(f"llama.cpp does not load {path}")
        return model

    def context(self, model, settings):
        """Make a context; settings are 32-bit words of its parameters by place."""
        parameters = self.lib.llama_context_default_params()
        words = ctypes.cast(ctypes.pointer(parameters), ctypes.POINTER(ctypes.c_uint32))
        for place, value in settings.items():
            words[place] = value
        return self.lib.llama_init_from_model(model, parameters)

    def feed(self, context, tokens, vocab):
        """Append tokens, return the logits after the last."""
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        if self.lib.llama_decode(context, self.lib.llama_batch_get_one(array, len(tokens))) != 0:
            raise SystemExit("llama.cpp: decoding failed")
        return np.ctypeslib.as_array(self.lib.llama_get_logits_ith(context, -1), (vocab,)).copy()

    def continuation(self, context, prompt, steps, vocab):
        """The logits after a prompt, and the greedy tokens with their gaps."""
        row, tokens, gaps = self.feed(context, prompt, vocab), [], []
        first = row
        for _ in range(steps):
            second, best = np.partition(row, -2)[-2:]
            tokens.append(int(row.argmax()))
            gaps.append(round(float(best - second), 4))
            row = self.feed(context, tokens[-1:], vocab)
        return first, dict(prompt=len(prompt), continuation=tokens, gaps=gaps)

    def greedy(self, path, prompt, steps, context, vocab):
        model = self.load(path)
        run = self.context(model, {0: context})
        result = self.continuation(run, prompt, steps, vocab)
        self.lib.llama_free(run)
        self.lib.llama_model_free(model)
        return result


def case(name, llama, root):
    model_type, settings, length, kept, context = CASES[name]
    tokens = [int(t) for t in mixed(fnv(name), length) % np.uint64(VOCAB)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        config, shapes = make(folder, model_type, settings)
        half, exact = (logits(folder, tokens, a) for a in ("half_cache", "exact"))
        rows = list(range(length))[-kept:]
        golden = dict(name=name, config=config, tensors=shapes, tokens=tokens, context=context, rows=rows,
                      logits=[[float(f"{v:.7g}") for v in half[r]] for r in rows], exact=float(f"{np.abs(half - exact).max():.3g}"))
        note = ""
        if name in NOT_IN_LLAMA_CPP:
            golden["gguf_absent"] = NOT_IN_LLAMA_CPP[name]
        elif llama:
            path = convert(root, folder)
            golden["gguf"] = described(path)
            prompt = tokens[:max(8, length - 24)]
            first, golden["greedy"] = llama.greedy(path, prompt, 24, context or config["max_position_embeddings"], VOCAB)
            note = f", llama.cpp differs by {np.abs(first - exact[len(prompt) - 1]).max():.2g}"
        print(f"{name:20} logits within ±{np.abs(half).max():.3g}, rounding of the cache moves them by {golden['exact']:.2g}{note}", flush=True)
        return golden


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--llama-cpp", type=pathlib.Path, help="llama.cpp's sources, built")
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="folder of the golden files")
    arguments.add_argument("names", nargs="*", help="cases; all by default")
    o = arguments.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    o.out.mkdir(parents=True, exist_ok=True)
    llama = LlamaCpp(o.llama_cpp) if o.llama_cpp else None
    for name in o.names or CASES:
        golden = case(name, llama, o.llama_cpp)
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in golden.items())
        (o.out / f"{name}.json").write_text("{" + lines + "}\n")


if __name__ == "__main__":
    main()
