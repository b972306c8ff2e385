"""Writes internal/tokenizer/testdata/huggingface.json.gz: small tokenizers of
every kind, trained here, and what Hugging Face tokenizers make of texts with
them.

    pip install tokenizers sentencepiece
    python test/oracle/tokenizers_hf.py ../shared/data internal/tokenizer/testdata/huggingface.json.gz

Each tokenizer has its tokenizer.json and a hash for every text: FNV-1a over the
ids as little-endian 32-bit integers, 32 bits of it. The texts are odd ones and
random ones, kept in the file, and the four languages of xquad, where one hash
is for all paragraphs together. Some texts are also decoded, and put together in
pairs.
"""

import gzip
import io
import json
import random
import struct
import sys

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ODD = [
    "",
    " ",
    "  ",
    "a",
    " a",
    "a ",
    "Hello, World! it's IT'S we'll 'tis don't",
    "  two  spaces \t tab\n\n\nlines\r\n\r\n  end  \n ",
    "123 4567890 ½² Ⅳ ٣٤ 1a2b3c １２３",
    "CamelCaseHTTPServer iPhone McDONALD's ǅ ʰa ªº ЁЖик ΑΒγδς ΟΔΟΣ",
    "日本語テキスト中文한국어 abc漢字ABC",
    "e\u0301te\u0301 A\u0301B\u0302 \u0301lone क्षत्रिय नमस्ते",
    "!?!? ... -- foo/bar//baz /\r\n/ x/\n=> {}[]();:",
    "🦙🚀 e👩‍👩‍👧‍👦 #️⃣ ☃!a $€£1",
    "nbsp\u00a0x \u00a0 y\u3000z\u2028w\u0085v \u200bzero",
    "___ __init__ snake_case a_1 ▁a ▁▁ b▁c",
    "tab\t\tx\t1\t!",
    "\x01\x1f control \x7f \ufeffbom \ufffd",
    "ﬁ ﬂ Ⅷ ㌔ ① ｶﾞ ﷺ İstanbul ẞß ſ",
    "가각 ᄀ\u1161 \u1100\u1161\u11a8 ệ e\u0323\u0302",
    "[MASK] x[MASK] y [MASK]z <extra>one<extra> two <extra> Extra EXTRA wordword word. <pad><s></s>",
    "supercalifragilisticexpialidocious" * 4,
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u0627\u0644\u0633\u064e\u0651\u0644\u0627\u0645",
]

ALPHABET = (
    list("abcdefgh ABC  12.,'!-_\n\t") + ["the ", " of", "ing", "'s", "'LL", "é", "e\u0301", "ß", "Ω", "ж", "中", "国", "日本", "한", "ﬁ", "½",
    "🦙", "👩‍👧", "\u00a0", "\u3000", "▁", "[MASK]", "<extra>", "\r\n", "ü", "I\u0307", "ᄀ\u1161", "x\u0327"]
)


def fnv1a(numbers):
    h = 0xCBF29CE484222325
    for byte in struct.pack(f"<{len(numbers)}i", *numbers):
        h = (h ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{h & 0xFFFFFFFF:08x}"


def paragraphs(data, language):
    with open(f"{data}/xquad/xquad.{language}.json", encoding="utf-8") as f:
        return [p["context"] for a in json.load(f)["data"] for p in a["paragraphs"]]


def small_charsmap():
    """SentencePiece's table for a few rules, so that it is small."""
    rules = {"ﬁ": "fi", "ﬂ": "fl", "½": "1/2", "①": "1", "ﷺ": "صلى", "\u00a0": " ", "\u3000": " ", "e\u0301": "é", "\u200b": "", "A": "a", "İ": "i\u0307"}
    tsv = "".join(
        " ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n" for k, v in rules.items()
    )
    with open("/tmp/rules.tsv", "w") as f:
        f.write(tsv)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the cat sat on the mat", "a dog in the fog"]), model_writer=model, vocab_size=30,
        hard_vocab_limit=False, normalization_rule_tsv="/tmp/rules.tsv", minloglevel=2,
    )
    from sentencepiece import sentencepiece_model_pb2 as pb

    proto = pb.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def byte_tokens():
    return [f"<0x{b:02X}>" for b in range(256)]


def train(kind, corpus, normalizer=None, pre=None, size=300, **options):
    """A tokenizer of a kind: BPE, Unigram or WordPiece."""
    model = {
        "bpe": lambda: models.BPE(unk_token=options.get("unk"), fuse_unk=options.get("fuse", False), byte_fallback=options.get("bytes", False)),
        "unigram": lambda: models.Unigram(),
        "wordpiece": lambda: models.WordPiece(unk_token="[UNK]"),
    }[kind]()
    t = Tokenizer(model)
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    special = ["<unk>", "<s>", "</s>", "<pad>"] if kind != "wordpiece" else ["[UNK]", "[CLS]", "[SEP]"]
    if options.get("bytes"):
        special = special + byte_tokens()
        size += 256
    trainer = {
        "bpe": lambda: trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if options.get("alphabet") else []),
        "unigram": lambda: trainers.UnigramTrainer(vocab_size=size, special_tokens=special, unk_token="<unk>", show_progress=False),
        "wordpiece": lambda: trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False),
    }[kind]()
    # Unigram wants a token for every character: no Chinese for it.
    t.train_from_iterator(corpus[:75] if kind == "unigram" else corpus, trainer)
    if options.get("bytes"):  # bytes are ordinary tokens, not matched in text
        d = json.loads(t.to_str())
        d["added_tokens"] = [a for a in d["added_tokens"] if not a["content"].startswith("<0x")]
        d["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(d))
    return t


def add_tokens(t):
    t.add_special_tokens([AddedToken("[MASK]", lstrip=True)])
    t.add_tokens([AddedToken("<extra>", rstrip=True, normalized=False), AddedToken("word", single_word=True), AddedToken("Extra", normalized=True)])


def tokenizers(corpus):
    N, P, D = normalizers, pre_tokenizers, decoders
    bytelevel = lambda **o: P.ByteLevel(**{"add_prefix_space": False, **o})
    gpt4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    seed = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"
    kimi = (
        r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    isolated = lambda e: P.Split(Regex(e), "isolated")
    out = {}

    def put(name, t, decoder=None, post=None, added=True):
        if decoder:
            t.decoder = decoder
        if post:
            t.post_processor = post
        if added:
            add_tokens(t)
        out[name] = t

    put("byte-level, GPT-2", train("bpe", corpus, pre=bytelevel(), alphabet=True, size=700), D.ByteLevel())
    put("byte-level, a leading space", train("bpe", corpus, pre=bytelevel(add_prefix_space=True), alphabet=True, size=400), D.ByteLevel(),
        processors.RobertaProcessing(("</s>", 2), ("<s>", 1)))
    put("byte-level, NFC, Llama 3", train("bpe", corpus, N.NFC(), P.Sequence([isolated(gpt4), bytelevel(use_regex=False)]), alphabet=True, size=400), D.ByteLevel())
    put("byte-level, Seed", train("bpe", corpus, None, P.Sequence([isolated(seed), bytelevel(use_regex=False)]), alphabet=True, size=400), D.ByteLevel())
    put("byte-level, Kimi", train("bpe", corpus, None, P.Sequence([isolated(kimi), bytelevel(use_regex=False)]), alphabet=True, size=400), D.ByteLevel())
    put("byte-level, digits after bytes", train("bpe", corpus, None, P.Sequence([P.Punctuation("contiguous"), bytelevel(), P.Digits(False), isolated("[0-9][0-9][0-9]")]), alphabet=True, size=400), D.ByteLevel())
    gemma = N.Replace(" ", "▁")
    put("characters, Gemma", train("bpe", corpus, gemma, P.Split(" ", "merged_with_previous"), unk="<unk>", fuse=True, bytes=True, size=400),
        D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse()]),
        processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]))
    llama = N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])
    put("characters, Llama 2", train("bpe", corpus, llama, unk="<unk>", fuse=True, bytes=True, size=400, pre=P.Split("▁", "merged_with_next")),
        D.Sequence([D.Replace("▁", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)]))
    put("characters, unknowns apart", train("bpe", corpus, None, P.Metaspace(prepend_scheme="never"), unk="<unk>", size=300), D.Metaspace(prepend_scheme="never"))
    put("characters, unknowns fused", train("bpe", corpus, None, P.Metaspace(prepend_scheme="first"), unk="<unk>", fuse=True, size=300), D.Metaspace(prepend_scheme="first"))
    table = N.Precompiled(small_charsmap())
    put("unigram, a table", train("unigram", corpus, N.Sequence([table, N.Replace(Regex(" {2,}"), " ")]), P.Metaspace(), size=400), D.Metaspace(),
        processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]))
    put("unigram, words first", train("unigram", corpus, N.Sequence([N.Nmt(), N.NFKC()]), P.Sequence([P.WhitespaceSplit(), P.Metaspace()]), size=300), D.Metaspace())
    put("unigram, first only", train("unigram", corpus, N.Sequence([N.Strip(False, True), N.Lowercase(), N.StripAccents()]), P.Metaspace(prepend_scheme="first", split=False), size=300), D.Metaspace(prepend_scheme="first"))
    put("wordpiece, BERT", train("wordpiece", corpus, N.BertNormalizer(), P.BertPreTokenizer(), size=400), D.WordPiece(),
        processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]))
    put("wordpiece, other steps", train("wordpiece", corpus, N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents()]), P.Whitespace(), size=300), D.WordPiece())
    put("wordpiece, BERT in a sequence", train("wordpiece", corpus, N.Sequence([N.BertNormalizer(lowercase=False), N.NFKD()]), P.Sequence([P.BertPreTokenizer(), P.Digits(True)]), size=300), D.WordPiece())
    for b in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        put(f"split, {b}", train("bpe", corpus, None, P.Sequence([P.Split(Regex(r"[aeiou]|\s"), b), P.Punctuation(b)]), unk="<unk>", size=200), D.Fuse(), added=False)
    put("split, inverted", train("bpe", corpus, None, P.Sequence([P.Split(Regex(r"\w+"), "removed", invert=True), P.CharDelimiterSplit("e")]), unk="<unk>", size=200), D.Fuse(), added=False)
    return out


def main():
    data, path = sys.argv[1:]
    languages = {language: paragraphs(data, language) for language in ["en", "de", "es", "zh"]}
    corpus = [p for texts in languages.values() for p in texts[:25]]
    rng = random.Random(7)
    texts = ODD + ["".join(rng.choice(ALPHABET) for _ in range(rng.randrange(1, 60))) for _ in range(300)]
    out = {"texts": texts, "tokenizers": []}
    for name, t in tokenizers(corpus).items():
        ids = [t.encode(x, add_special_tokens=False).ids for x in texts]
        pairs = [t.encode(texts[i], texts[i + 1]) for i in range(4, 8)]
        out["tokenizers"].append({
            "name": name,
            "file": json.loads(t.to_str()),
            "hashes": " ".join(fnv1a(x) for x in ids),
            "around": [t.encode(x).ids for x in texts[3:7]],
            "pairs": [[e.ids, e.type_ids] for e in pairs],
            "decoded": [t.decode(x) for x in ids[:24]],
            "xquad": {k: fnv1a([i for p in v for i in t.encode(p, add_special_tokens=False).ids]) for k, v in languages.items()},
        })
    with gzip.GzipFile(path, "wb", mtime=0) as f:
        f.write(json.dumps(out, ensure_ascii=False, separators=(",", ":")).encode())


main()
