#!/usr/bin/env python3
"""Write a GGUF file with the shape of Qwen2.5 0.5B and random weights, Q8_0: enough
to measure speed. llama-quantize makes the other formats of it.

    random_qwen.py OUT.gguf [LAYERS]

Needs numpy and gguf.
"""

import sys

import gguf
import numpy as np

WIDTH, HEADS, KV_HEADS, HEAD, FORWARD, VOCABULARY = 896, 14, 2, 64, 4864, 151936


def main():
    path, layers = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 24
    random = np.random.default_rng(1)
    w = gguf.GGUFWriter(path, "qwen2")
    w.add_block_count(layers)
    w.add_context_length(32768)
    w.add_embedding_length(WIDTH)
    w.add_feed_forward_length(FORWARD)
    w.add_head_count(HEADS)
    w.add_head_count_kv(KV_HEADS)
    w.add_rope_freq_base(1e6)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_vocab_size(VOCABULARY)
    w.add_tokenizer_model("no_vocab")

    def matrix(name, rows, columns):
        blocks = random.integers(0, 256, (rows, columns // 32, 34), np.uint8)
        blocks[..., :2] = np.frombuffer(np.float16(0.02 / 74).tobytes(), np.uint8)  # weights of about 0.02
        blocks = blocks.reshape(rows, -1)
        w.add_tensor(name, blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)

    def vector(name, n, value):
        w.add_tensor(name, np.full(n, value, np.float32))

    matrix("token_embd.weight", VOCABULARY, WIDTH)
    vector("output_norm.weight", WIDTH, 1)
    for i in range(layers):
        layer = f"blk.{i}."
        vector(layer + "attn_norm.weight", WIDTH, 1)
        vector(layer + "ffn_norm.weight", WIDTH, 1)
        for name, rows in (("q", HEADS * HEAD), ("k", KV_HEADS * HEAD), ("v", KV_HEADS * HEAD)):
            matrix(f"{layer}attn_{name}.weight", rows, WIDTH)
            vector(f"{layer}attn_{name}.bias", rows, 0.01)
        matrix(layer + "attn_output.weight", WIDTH, HEADS * HEAD)
        matrix(layer + "ffn_gate.weight", FORWARD, WIDTH)
        matrix(layer + "ffn_up.weight", FORWARD, WIDTH)
        matrix(layer + "ffn_down.weight", WIDTH, FORWARD)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main()
