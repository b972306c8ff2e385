#!/usr/bin/env python3
"""Write the golden file for Gemma 3 270M: llama.cpp's own greedy continuations.

As smollm2_greedy.py, and with its prompts but for chats (this is a base model):
the token ids of a prompt, the tokens that follow at temperature 0, and by how
much llama.cpp preferred each to the next best. llama.cpp runs on the weights of
the file written out as float32, with float32 in attention and cache: it then
rounds nothing that we do not. Some prompts are longer than the window of 512
tokens that most layers have.

    gemma3_greedy.py --llama-cpp .../llama.cpp --model .../gemma-3-270m-q4_k_m.gguf \
        --out internal/model/testdata/gemma3_greedy.json

Needs what decoders.py needs, and 2 GB of memory.
"""

import argparse
import ctypes
import json
import pathlib
import tempfile

import gguf
import numpy as np

from decoders import LlamaCpp
from smollm2_greedy import prompts

STEPS = 24
LONGEST = 1300  # tokens of a prompt
FLASH_ATTENTION, TYPE_K, TYPE_V = 13, 26, 27  # places in llama_context_params, counted in 32-bit words


def write_float32(source, target):
    """Write a GGUF file again with all weights as float32."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        sub = field.types[1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=sub)
    for t in reader.tensors:
        values = gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)
        writer.add_tensor(t.name, values.reshape(tuple(reversed([int(n) for n in t.shape]))))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--llama-cpp", type=pathlib.Path, required=True, help="llama.cpp's sources, built")
    arguments.add_argument("--model", required=True, help="path of the GGUF file")
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="golden file to write")
    o = arguments.parse_args()
    llama = LlamaCpp(o.llama_cpp)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "float32.gguf"
        write_float32(o.model, path)
        golden = list(continuations(llama, path))
    lines = ",\n".join(json.dumps(g, separators=(",", ":")) for g in golden)
    o.out.write_text(f"[\n{lines}\n]\n")


def continuations(llama, path):
    model = llama.load(path)
    vocab = ctypes.c_void_p(llama.lib.llama_model_get_vocab(ctypes.c_void_p(model)))
    size = llama.lib.llama_vocab_n_tokens(vocab)
    for name, text in prompts().items():
        if "chat" in name:
            continue
        prompt = tokenize(llama, vocab, text)
        if len(prompt) > LONGEST:
            continue
        run = llama.context(model, {0: 2048, FLASH_ATTENTION: 1, TYPE_K: 0, TYPE_V: 0})
        _, greedy = llama.continuation(run, prompt, STEPS, size)
        llama.lib.llama_free(run)
        print(f"{len(prompt):5} tokens, smallest gap {min(greedy['gaps']):6.3f}, {name}", flush=True)
        yield dict(name=name, prompt=prompt, continuation=greedy["continuation"], gaps=greedy["gaps"])


def tokenize(llama, vocab, text):
    data = text.encode()
    tokens = (ctypes.c_int32 * (len(data) + 8))()
    n = llama.lib.llama_tokenize(vocab, data, len(data), tokens, len(tokens), ctypes.c_bool(True), ctypes.c_bool(True))
    return list(tokens[:n])


if __name__ == "__main__":
    main()
