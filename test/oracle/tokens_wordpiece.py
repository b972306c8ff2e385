"""Writes internal/tokenizer/testdata/wordpiece.json: what Hugging Face
tokenizers make of real texts and of odd ones, with offsets, using the default
embedding model's tokenizer.json.

    pip install tokenizers
    python test/oracle/tokens_wordpiece.py tokenizer.json ../shared/data \
        > internal/tokenizer/testdata/wordpiece.json

Texts of the shared data are kept as their number of tokens and two hashes
(FNV-1a, 64 bits): one over the ids, one over the start and end of each token,
all as little-endian 32-bit integers. Offsets are bytes of the UTF-8 text. The
test picks the same texts by the same rules. Odd texts are kept whole.
"""

import json
import struct
import sys

from tokenizers import Tokenizer

ODD = [
    "",
    " ",
    "Hello, World!",
    "naïve café Ångström ÀÉÎÕÜ",
    "nai\u0308ve cafe\u0301 A\u030angstro\u0308m",
    "İstanbul ISTANBUL ıI ŞŞ ẞ ß",
    "ΑΘΗΝΑ Ὀδυσσεύς ά\u0301",
    "한국어 텍스트 가나다",
    "東京タワーは高い。すごい！",
    "我想在apple工作1314151天～",
    "नमस्ते दुनिया",
    "สวัสดีชาวโลก",
    "שָׁלוֹם עולם",
    "السَّلامُ عليكم",
    "zero\u200bwidth\u00adsoft\ufeffbom\u2060joiner",
    "tab\tnew\nline\rreturn\x0bvt\x0cff\x85nel\u00a0nbsp\u3000wide\u2028ls",
    "nul\x00bell\x07esc\x1bdel\x7f",
    "\ufffd replacement \ue000 private",
    "🦙🚀 emoji 😶‍🌫️ ✅ 👩‍👩‍👧‍👦",
    "a" * 99,
    "a" * 100,
    "a" * 101,
    "é" * 100 + " " + "é" * 101,
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "don't can't I'm we've 'quoted' \u2018curly\u2019",
    "C++ C# f(x)=y_1^2 $5.00 50% <tag> `code` ~x |y| a@b.c",
    "￥１２３ ＡＢＣ ａｂｃ ﬁ ﬂ Ⅳ ½ ²",
    "\u037e Greek question \u1fef oxia \u2000 quad",
    "豈更車 \u2f800 compatibility",
    "𝒳 mathematical 𝔄 𝟘",
    "xqzwvk 2ⁿ ⟨a⟩ 〈b〉 「c」",
    "ﷺ ﻻ ｶﾞ",
    "\u0301 lone mark \u0300\u0301",
    "mixed日本語and한국어text",
    "A\u0301\u0302\u0303B",
    "̈ö",
    "¿Qué? ¡No! «oui»",
]


def fnv1a(numbers):
    h = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(numbers)}i", *numbers):
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h:016x}"


def real_texts(data):
    """Texts from the shared data, in the order the test takes them."""
    for language in ["en", "de", "es", "zh"]:
        with open(f"{data}/xquad/xquad.{language}.json", encoding="utf-8") as f:
            for article in json.load(f)["data"]:
                for paragraph in article["paragraphs"]:
                    yield paragraph["context"]
    with open(f"{data}/scifact/corpus.jsonl", encoding="utf-8") as f:
        documents = [json.loads(line) for line in f]
    for i in range(400):
        yield documents[12 * i]["text"]
    for i in range(200):
        yield documents[12 * i + 1]["title"]
    with open(f"{data}/code-context/codebase_chunks.json", encoding="utf-8") as f:
        chunks = [c["content"] for document in json.load(f) for c in document["chunks"]]
    yield from chunks[:200]
    for name in ["chatlogs", "finance", "pubmed", "state_of_the_union", "wikitexts"]:
        with open(f"{data}/chunking/corpora/{name}.md", encoding="utf-8", newline="") as f:
            text = f.read()
        for i in range(40):
            start = i * (len(text) // 40)
            yield text[start : start + 25 * (i + 1)]


def encode(tokenizer, text):
    """Ids and byte offsets, without the tokens around the text."""
    ends = [0]
    for c in text:
        ends.append(ends[-1] + len(c.encode("utf-8", "surrogatepass")))
    e = tokenizer.encode(text, add_special_tokens=False)
    return e.ids, [ends[i] for pair in e.offsets for i in pair]


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    tokenizer.no_truncation()
    tokenizer.no_padding()
    hashes = []
    for text in real_texts(sys.argv[2]):
        ids, offsets = encode(tokenizer, text)
        hashes.append(f"{len(ids)} {fnv1a(ids)} {fnv1a(offsets)}")
    odd = []
    for text in ODD:
        ids, offsets = encode(tokenizer, text)
        with_around = tokenizer.encode(text).ids
        odd.append({"text": text, "ids": ids, "offsets": offsets, "around": with_around, "decoded": tokenizer.decode(ids)})
    json.dump({"hashes": hashes, "odd": odd}, sys.stdout, separators=(",", ":"))
    print()


main()
