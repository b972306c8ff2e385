"""Writes internal/tokenizer/testdata/splits.json: where the published regular
expressions of pre-tokenisers cut odd texts and the first xquad paragraphs.

    pip install tokenizers
    python test/oracle/splits.py ../shared/data > internal/tokenizer/testdata/splits.json

For each expression and text there is a hash of the pieces' ends, FNV-1a, 64
bits, over little-endian 32-bit byte offsets.
"""

import json
import struct
import sys

from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
TAIL = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
LEAD = r"[^\r\n\p{L}\p{N}]?"


def llama3(digits):
    return CONTRACTIONS + "|" + LEAD + r"\p{L}+|" + digits + r"| ?[^\s\p{L}\p{N}]+[\r\n]*" + TAIL


def cased(digits, tail):
    return (
        f"{LEAD}{UPPER}*{LOWER}+{tail}|{LEAD}{UPPER}+{LOWER}*{tail}|{digits}"
        + r"| ?[^\s\p{L}\p{N}]+[\r\n/]*"
        + TAIL
    )


EXPRESSIONS = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    llama3(r"\p{N}{1,3}"),
    llama3(r"\p{N}"),
    CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
    + TAIL,
    cased(r"\p{N}{1,3}", CONTRACTIONS + "?"),
    cased(r"\p{N}", ""),
    r"\p{N}",
    r"\p{N}{1,3}",
]

ODD = [
    "Hello, World! it's IT'S we'll WE'LL don't 'tis 'S'T x'y",
    "  two  spaces \t tab\n\n\nlines\r\n\r\n  end  \n ",
    " \n \n a \n\tb\n ",
    "a\n\n",
    "   ",
    "\n",
    "123 4567890 ½² Ⅳ ٣٤ 1a2b3c １２３",
    "CamelCaseHTTPServer iPhone McDONALD's ǅ ʰa ªº ЁЖик ΑΒγδ",
    "日本語テキスト中文한국어 abc漢字ABC",
    "e\u0301te\u0301 A\u0301B\u0302 \u0301lone क्षत्रिय नमस्ते",
    "!?!? ... -- foo/bar//baz /\r\n/ x/\n=> {}[]();:",
    "🦙🚀 e👩‍👩‍👧‍👦 #️⃣ ☃!a $€£1",
    "nbsp\u00a0x \u00a0 y\u3000z\u2028w\u0085v \u200bzero",
    "'", "''s", "'LL'", "a'", " 's", "\u2019s",
    "___ __init__ snake_case a_1",
    "tab\t\tx\t1\t!",
    "\x00\x1f control \x7f",
]


def fnv1a(numbers):
    h = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(numbers)}i", *numbers):
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h:016x}"


def ends(splitter, text):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return [at[span[1]] for _, span in splitter.pre_tokenize_str(text)]


def main():
    texts = list(ODD)
    for language in ["en", "de", "es", "zh"]:
        with open(f"{sys.argv[1]}/xquad/xquad.{language}.json", encoding="utf-8") as f:
            articles = json.load(f)["data"]
        texts += [p["context"] for a in articles for p in a["paragraphs"]][:40]
    out = {"odd": ODD, "expressions": []}
    for e in EXPRESSIONS:
        splitter = Split(Regex(e), "isolated")
        out["expressions"].append({"regex": e, "hashes": [fnv1a(ends(splitter, t)) for t in texts]})
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


main()
