"""Writes internal/tokenizer/testdata/llamacpp_vocabularies.json: what llama.cpp
makes of texts with the vocabularies of its own tests.

    python test/oracle/tokens_vocabularies.py TOKENIZE ../shared/data/xquad \
        internal/tokenizer/testdata/huggingface.json.gz LLAMA/models/ggml-vocab-*.gguf \
        > internal/tokenizer/testdata/llamacpp_vocabularies.json

TOKENIZE is the program tokenize.cpp. The texts are the xquad paragraphs, with
one hash a language, and the odd and random texts of the other golden file, with
one hash each: FNV-1a, the lower 32 bits, over ids as little-endian 32-bit
integers.
"""

import gzip
import json
import pathlib
import struct
import subprocess
import sys


def fnv1a(numbers):
    h = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(numbers)}i", *numbers):
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h & 0xFFFFFFFF:08x}"


def main():
    program, xquad, odd, *vocabularies = sys.argv[1:]
    languages = {}
    for language in ["en", "de", "es", "zh"]:
        with open(f"{xquad}/xquad.{language}.json", encoding="utf-8") as f:
            languages[language] = [p["context"] for a in json.load(f)["data"] for p in a["paragraphs"]]
    with gzip.open(odd) as f:
        texts = json.load(f)["texts"]
    everything = [t.encode() for l in languages.values() for t in l] + [t.encode() for t in texts]
    stream = b"".join(struct.pack("<I", len(t)) + t for t in everything)
    out = {}
    for path in sorted(vocabularies):
        name = pathlib.Path(path).name.removeprefix("ggml-vocab-").removesuffix(".gguf")
        done = subprocess.run([program, path], input=stream, capture_output=True)
        if done.returncode != 0:
            continue
        rows = [[int(x) for x in line.split()] for line in done.stdout.decode().split("\n")[:-1]]
        row = iter(rows)
        out[name] = {k: fnv1a([i for _ in v for i in next(row)]) for k, v in languages.items()}
        out[name]["odd"] = " ".join(fnv1a(ids) for ids in row)
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


main()
