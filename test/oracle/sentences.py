"""Make a tiny embedding model and a tiny cross-encoder with their tokenizers, and
write what sentence-transformers makes of some texts, for llm to be compared with.

    python test/oracle/sentences.py llm/testdata

The folder gets embedder/ and reranker/, the small files of models in the layout in
which such models are published, and sentences.json:

    tensors    names and shapes of the weights, by folder and file; they are those
               of `weights` in encoders.py, which the Go tests compute too
    texts      plain texts, the last too long for the window
    encode     their vectors, by the model's default prompt
    query      the same by its prompt for questions, and
    document   by that for passages
    scores     of the first text with each of the others, which shortens long pairs

Needs numpy, safetensors and sentence-transformers.
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

import encoders

WORDS = "the a cat dog sleeps sits mat on how long does far from home is it ##s ##ing : query passage title none".split()
SHAPE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=48)
TEXTS = [
    "How long does the cat sleep?", "The cat sleeps on the mat, far from home.", "A dog sits.", "",
    "Cats: " + "the dog sits on the mat. " * 12,
]


def tokenizer(folder, limit):
    """A WordPiece tokenizer of some words and all letters."""
    letters = [c for c in "abcdefghijklmnopqrstuvwxyz.,?"]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + letters + ["##" + c for c in letters]
    vocabulary = {w: i for i, w in enumerate(dict.fromkeys(words))}
    t = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(w, vocabulary[w]) for w in ("[CLS]", "[SEP]")],
    )
    t.enable_truncation(limit)
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=t, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", model_max_length=limit,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    wrapped.save_pretrained(folder)
    t.save(str(folder / "tokenizer.json"))  # with its truncation, as published models have it
    return len(vocabulary)


def rewrite(folder):
    """Give the weights in a folder their values; return their shapes by file."""
    return {str(f.relative_to(folder.parent)): encoders.rewrite(f) for f in sorted(folder.rglob("*.safetensors"))}


def embedder(folder):
    vocabulary = tokenizer(folder, 40)
    bert = transformers.BertModel(transformers.BertConfig(vocab_size=vocabulary, **SHAPE))
    bert.save_pretrained(folder)
    dense = Dense(32, 20, activation_function=torch.nn.Tanh())
    prompts = {"query": "query: ", "document": "passage: ", "titled": "title: none: "}
    made = SentenceTransformer(
        modules=[Transformer(str(folder), max_seq_length=40), Pooling(32, "mean"), dense, Normalize()],
        prompts=prompts, default_prompt_name="titled", device="cpu",
    )
    truncation = json.loads((folder / "tokenizer.json").read_text())
    made.save(str(folder))
    (folder / "tokenizer.json").write_text(json.dumps(truncation, indent=1))
    shapes = rewrite(folder)
    return SentenceTransformer(str(folder), device="cpu"), shapes


def reranker(folder):
    vocabulary = tokenizer(folder, 40)
    bert = transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=vocabulary, num_labels=1, **SHAPE))
    bert.save_pretrained(folder)
    shapes = rewrite(folder)
    return CrossEncoder(str(folder), device="cpu"), shapes


def rounded(rows):
    return [[float(f"{x:.9g}") for x in row] for row in rows.tolist()]


def main():
    out = pathlib.Path(sys.argv[1])
    for name in ("embedder", "reranker"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    (e, tensors), (r, more) = embedder(out / "embedder"), reranker(out / "reranker")
    pairs = [(TEXTS[0], t) for t in TEXTS] + [(TEXTS[4], TEXTS[4]), (TEXTS[4], TEXTS[0])]
    golden = {
        "tensors": tensors | more,
        "texts": TEXTS,
        "encode": rounded(e.encode(TEXTS)),
        "query": rounded(e.encode_query(TEXTS)),
        "document": rounded(e.encode_document(TEXTS)),
        "pairs": [[TEXTS.index(a), TEXTS.index(b)] for a, b in pairs],
        "scores": [float(f"{x:.9g}") for x in r.predict(pairs).tolist()],
    }
    (out / "sentences.json").write_text(json.dumps(golden) + "\n")
    for extra in ("*.safetensors", "README.md", "special_tokens_map.json"):
        for file in out.rglob(extra):
            file.unlink()


main()
