#!/usr/bin/env python3
"""Write a GGUF file with random weights, Q8_0: enough to measure speed. It has the
shape of Qwen2.5 0.5B, or with --experts that of Qwen3's mixtures in small: 12 layers
of 32 experts, 4 of which take part. llama-quantize makes the other formats of it.

    random_qwen.py OUT.gguf [--experts]

Needs numpy and gguf.
"""

import sys

import gguf
import numpy as np

DENSE = dict(architecture="qwen2", layers=24, width=896, heads=14, kv_heads=2, head=64, forward=4864, vocabulary=151936, experts=0)
MIXED = dict(architecture="qwen3moe", layers=12, width=1024, heads=16, kv_heads=4, head=64, forward=384, vocabulary=49152, experts=32)


def main():
    shape = MIXED if "--experts" in sys.argv else DENSE
    write(sys.argv[1], **shape)


def write(path, architecture, layers, width, heads, kv_heads, head, forward, vocabulary, experts):
    random = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, architecture)
    w.add_block_count(layers)
    w.add_context_length(32768)
    w.add_embedding_length(width)
    w.add_feed_forward_length(forward)
    w.add_head_count(heads)
    w.add_head_count_kv(kv_heads)
    w.add_key_length(head)
    w.add_value_length(head)
    w.add_rope_freq_base(1e6)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_vocab_size(vocabulary)
    w.add_tokenizer_model("no_vocab")
    if experts:
        w.add_expert_count(experts)
        w.add_expert_used_count(4)
        w.add_expert_feed_forward_length(forward)

    def matrix(name, rows, columns, copies=()):
        blocks = random.integers(0, 256, (*copies, rows, columns // 32, 34), np.uint8)
        blocks[..., :2] = np.frombuffer(np.float16(0.02 / 74).tobytes(), np.uint8)  # weights of about 0.02
        w.add_tensor(name, blocks.reshape(*copies, rows, -1), raw_dtype=gguf.GGMLQuantizationType.Q8_0)

    def vector(name, n, value):
        w.add_tensor(name, np.full(n, value, np.float32))

    matrix("token_embd.weight", vocabulary, width)
    vector("output_norm.weight", width, 1)
    for i in range(layers):
        layer = f"blk.{i}."
        vector(layer + "attn_norm.weight", width, 1)
        vector(layer + "ffn_norm.weight", width, 1)
        for name, rows in (("q", heads * head), ("k", kv_heads * head), ("v", kv_heads * head)):
            matrix(f"{layer}attn_{name}.weight", rows, width)
            if not experts:
                vector(f"{layer}attn_{name}.bias", rows, 0.01)
        matrix(layer + "attn_output.weight", width, heads * head)
        if not experts:
            matrix(layer + "ffn_gate.weight", forward, width)
            matrix(layer + "ffn_up.weight", forward, width)
            matrix(layer + "ffn_down.weight", width, forward)
            continue
        vector(layer + "attn_q_norm.weight", head, 1)
        vector(layer + "attn_k_norm.weight", head, 1)
        w.add_tensor(layer + "ffn_gate_inp.weight", random.standard_normal((experts, width), np.float32) * 0.05)
        matrix(layer + "ffn_gate_exps.weight", forward, width, (experts,))
        matrix(layer + "ffn_up_exps.weight", forward, width, (experts,))
        matrix(layer + "ffn_down_exps.weight", width, forward, (experts,))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main()
