"""Encoding text with the default chat model's tokenizer, against Hugging Face
tokenizers, one thread each, by CPU time.

    go test -c -o tokenizer.test ./internal/tokenizer
    python test/bench/encode_text.py ./tokenizer.test SmolLM2-135M-Instruct.Q4_1.gguf ../shared/data 5

Both encode the xquad paragraphs of a language one by one, again and again, in
alternating rounds. CPU time is compared since it hardly depends on what else the
machine does; the time to load is subtracted.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from gguf import GGUFReader
from tokenizers import Tokenizer, models, pre_tokenizers

PASSES = 100


def peer(path):
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    t = Tokenizer(models.BPE(vocab={k: i for i, k in enumerate(tokens)}, merges=merges))
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return t


def ours(program, language, passes):
    """CPU seconds of so many passes, loading included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "-test.run", "^$", "-test.cpu", "1", "-test.bench", f"ByteLevel/{language}$", "-test.benchtime", f"{passes}x"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="internal/tokenizer")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    program, model, data, rounds = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    tokenizer = peer(model)
    print("| text | Ragstone, MB/s | tokenizers, MB/s | ratio |\n|---|---|---|---|")
    for language in ["en", "de", "es", "zh"]:
        with open(f"{data}/xquad/xquad.{language}.json", encoding="utf-8") as f:
            texts = [p["context"] for a in json.load(f)["data"] for p in a["paragraphs"]]
        size = sum(len(t.encode()) for t in texts) * PASSES / 1e6
        rows = []
        for _ in range(rounds):
            mine = size / (ours(program, language, 1 + PASSES) - ours(program, language, 1))
            start = time.process_time()
            for _ in range(PASSES):
                for t in texts:
                    tokenizer.encode(t, add_special_tokens=False)
            rows.append((mine, size / (time.process_time() - start)))
        a, b = (statistics.median(column) for column in zip(*rows))
        ratio = statistics.median(x / y for x, y in rows)
        print(f"| {language} | {a:.1f} | {b:.1f} | {ratio:.1f} |")


main()
