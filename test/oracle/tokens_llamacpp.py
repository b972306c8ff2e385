"""Writes internal/tokenizer/testdata/llamacpp_xquad.json: what llama.cpp's
tokenizer makes of every xquad paragraph with the default chat model.

    llama-server -m SmolLM2-135M-Instruct.Q4_1.gguf --port 8123 &
    python test/oracle/tokens_llamacpp.py http://127.0.0.1:8123 ../shared/data/xquad \
        > internal/tokenizer/testdata/llamacpp_xquad.json

A paragraph is kept as its number of tokens and a hash of their ids: FNV-1a,
64 bits, over the ids as little-endian 32-bit integers. The first paragraphs of
each language are kept whole, to see what differs.
"""

import json
import struct
import sys
import urllib.request

WHOLE = 2


def fnv1a(ids):
    h = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(ids)}i", *ids):
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h:016x}"


def tokenize(server, text):
    body = json.dumps({"content": text, "add_special": False, "parse_special": False})
    request = urllib.request.Request(server + "/tokenize", body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["tokens"]


def main():
    server, folder = sys.argv[1:]
    out = {}
    for language in ["en", "de", "es", "zh"]:
        with open(f"{folder}/xquad.{language}.json", encoding="utf-8") as f:
            articles = json.load(f)["data"]
        rows = [tokenize(server, p["context"]) for a in articles for p in a["paragraphs"]]
        out[language] = {
            "hashes": [f"{len(ids)} {fnv1a(ids)}" for ids in rows],
            "whole": rows[:WHOLE],
        }
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


main()
