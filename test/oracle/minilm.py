"""Make the golden file for the encoder's test: what sentence-transformers says
of 1,000 real texts of mixed length and language, cut at the model's own limit.

    python minilm.py MODEL_FOLDER SHARED_DATA_FOLDER > minilm.json.gz

The file is gzipped: a line of JSON, then the vectors.

    texts    where each text comes from: file, item, and the characters taken
    ids      its token ids, so that the test does not depend on a tokenizer
    scales   per vector, the number that one step of its integers stands for

The vectors are eleven-bit integers: the low bytes of all of them, then the high
bytes, two's complement. The rounding lowers a cosine of 1 by about 1e-6.

Needs sentence-transformers.
"""

import gzip
import json
import pathlib
import random
import sys

import numpy as np
from sentence_transformers import SentenceTransformer

STEPS = 1023


def xquad(root, language):
    name = f"xquad/xquad.{language}.json"
    data = json.loads((root / name).read_text("utf-8"))["data"]
    for paragraph in (p for article in data for p in article["paragraphs"]):
        yield name, paragraph["context"]
        yield name, paragraph["qas"][0]["question"]


def scifact(root):
    name = "scifact/corpus.jsonl"
    for line in (root / name).read_text("utf-8").splitlines():
        document = json.loads(line)
        yield name, document["title"]
        yield name, document["text"]


def corpora(root):
    for path in sorted((root / "chunking/corpora").glob("*.md")):
        yield str(path.relative_to(root)), path.read_text("utf-8")


def choose(root):
    """Yield 1,000 texts with their places: whole ones, and pieces of corpora."""
    rng = random.Random(20261124)
    sources = [(xquad(root, "en"), 250), (xquad(root, "de"), 150), (xquad(root, "es"), 100),
               (xquad(root, "zh"), 100), (scifact(root), 250)]
    for items, count in sources:
        numbered = [(name, i, text) for i, (name, text) in enumerate(items)]
        for name, i, text in sorted(rng.sample(numbered, count)):
            yield {"file": name, "item": i, "start": 0, "end": len(text)}, text
    for name, text in corpora(root):
        for _ in range(30):
            length = int(20 * 100 ** rng.random())
            start = rng.randrange(len(text) - length)
            yield {"file": name, "item": 0, "start": start, "end": start + length}, text[start:start + length]


def main():
    model_folder, data = sys.argv[1], pathlib.Path(sys.argv[2])
    model = SentenceTransformer(model_folder, device="cpu")
    places, texts = zip(*choose(data))
    ids = [model.tokenizer(t, truncation=True, max_length=model.max_seq_length)["input_ids"] for t in texts]
    vectors = np.stack([model.encode([t], batch_size=1)[0] for t in texts])
    scales = np.abs(vectors).max(axis=1) / STEPS
    steps = np.rint(vectors / scales[:, None]).astype("<i2")
    kept = steps * scales[:, None]
    cosines = (kept * vectors).sum(1) / np.linalg.norm(kept, axis=1) / np.linalg.norm(vectors, axis=1)
    lengths = sorted(map(len, ids))
    print(f"{len(ids)} texts of {lengths[0]} to {lengths[-1]} tokens, median {lengths[len(ids) // 2]};"
          f" worst cosine of the kept vectors {cosines.min():.9f}", file=sys.stderr)
    head = {"texts": places, "ids": ids, "scales": [float(f"{s:.9g}") for s in scales]}
    planes = steps.tobytes()[0::2] + steps.tobytes()[1::2]
    data = json.dumps(head, separators=(",", ":")).encode() + b"\n" + planes
    sys.stdout.buffer.write(gzip.compress(data, 9, mtime=0))


main()
