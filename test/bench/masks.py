#!/usr/bin/env python3
"""Measure Ragstone's token masks against llguidance's, on the same texts.

The schemas are the tools of the Berkeley Function Calling Leaderboard, the
texts the calls it expects, and the vocabulary that of the model given. For each
text both sides compile the schema afresh and then compute the mask before every
token: first masks, where nothing has been worked out before. The two run
alternately, in as many rounds as asked for, of which the best of each mask
counts: the machine may be busy with something else. Needs Go, and the package
llguidance.

    masks.py --model .../SmolLM2-135M-Instruct.Q4_1.gguf --bfcl .../data/bfcl --rounds 5
"""

import argparse
import base64
import ctypes
import glob
import json
import os
import statistics
import subprocess
import time

from llguidance import LLMatcher, LLTokenizer
from llguidance._tokenizer import TokenizerWrapper

TYPES = {"dict": "object", "float": "number", "tuple": "array"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", required=True, help="path of a GGUF file")
    arguments.add_argument("--bfcl", required=True, help="folder of the leaderboard's files")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--limit", type=int, default=400, help="calls measured")
    o = arguments.parse_args()

    calls = list(read_calls(o.bfcl))
    calls = calls[:: max(1, len(calls) // o.limit)]
    ours, theirs = [], []
    for _ in range(o.rounds):
        vocabulary, measured = ragstone(o.model, calls)
        ours.append(measured)
        theirs.append(llguidance(vocabulary, measured, calls))
    print(f"{len(calls)} calls, {sum(len(m['tokens']) for m in ours[0])} masks, {o.rounds} rounds")
    print("| | llguidance | Ragstone | ratio |")
    print("|---|---|---|---|")
    row("compile a schema, median, µs", theirs, ours, lambda m: [m["compile"]], statistics.median)
    row("compile a schema, longest, µs", theirs, ours, lambda m: [m["compile"]], max)
    row("a mask, mean, µs", theirs, ours, lambda m: m["masks"], statistics.fmean)
    row("a mask, median, µs", theirs, ours, lambda m: m["masks"], statistics.median)
    row("a mask, 99th percentile, µs", theirs, ours, lambda m: m["masks"], lambda x: statistics.quantiles(x, n=100)[98])
    row("a mask, longest, µs", theirs, ours, lambda m: m["masks"], max)


def row(name, theirs, ours, of, summary):
    a, b = (summary(best(side, of)) / 1000 for side in (theirs, ours))
    print(f"| {name} | {a:.2f} | {b:.2f} | {b / a:.2f} |")


def best(rounds, of):
    """The shortest of each time over the rounds."""
    times = [[t for m in measured for t in of(m)] for measured in rounds]
    return [min(each) for each in zip(*times)]


def read_calls(folder):
    """Yields schemas and the texts of their expected calls."""
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        answers = os.path.join(folder, "possible_answer", os.path.basename(path))
        if not os.path.exists(answers):
            continue
        with open(path) as questions, open(answers) as expected:
            for question, answer in zip(map(json.loads, questions), map(json.loads, expected)):
                tools = {f["name"]: f["parameters"] for f in question["function"]}
                for call in answer["ground_truth"]:
                    for name, given in call.items():
                        schema = json_schema(tools[name])
                        value = argument(schema, given)
                        if fits(schema, value):
                            yield {"schema": schema, "text": json.dumps(value, ensure_ascii=False)}


def json_schema(tool):
    """The tool's parameters with JSON Schema's names for their types."""
    schema = {k: v for k, v in tool.items() if k not in ("optional", "default", "description")}
    kind = schema.pop("type", "any")
    if kind != "any":
        schema["type"] = TYPES.get(kind, kind)
    if "properties" in schema:
        schema["properties"] = {k: json_schema(v) for k, v in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = json_schema(schema["items"])
    return schema


def argument(schema, given):
    """The call's first expected value of each property, in the schema's order."""
    value = {}
    for name in schema.get("properties", {}):
        if name in given and given[name] and given[name][0] != "":
            first = given[name][0]
            nested = schema["properties"][name]
            if isinstance(first, dict) and "properties" in nested:
                first = argument(nested, first)
            value[name] = first
    return value


def fits(schema, value):
    """Whether the expected value is one of the schema's; some are not."""
    kind = schema.get("type")
    if "enum" in schema and value not in schema["enum"]:
        return False
    if kind == "object":
        return isinstance(value, dict) and all(n in value for n in schema.get("required", [])) and \
            all(fits(schema.get("properties", {}).get(n, {}), v) for n, v in value.items())
    if kind == "array":
        return isinstance(value, list) and all(fits(schema.get("items", {}), v) for v in value) and \
            schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return kind is None or isinstance(value, str)


def ragstone(model, calls):
    lines = "\n".join(json.dumps(c) for c in calls)
    run = subprocess.run(["go", "run", "./test/bench/masks", "-model", model], input=lines, text=True,
                         capture_output=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    first, *rest = run.stdout.splitlines()
    return json.loads(first), [json.loads(line) for line in rest]


class Tokens:
    """The vocabulary, as llguidance wants it. Its encoding is not needed here."""

    def __init__(self, vocabulary):
        self.tokens = [base64.b64decode(t) if t else b"\xff[control]" for t in vocabulary["tokens"]]
        self.special_token_ids = [i for i, t in enumerate(vocabulary["tokens"]) if not t]
        self.eos_token_id, self.bos_token_id = vocabulary["end"][0], None

    def __call__(self, text):
        return []


def llguidance(vocabulary, measured, calls):
    wrapper = TokenizerWrapper(Tokens(vocabulary))
    tokenizer = LLTokenizer(wrapper, slices=LLTokenizer.json_slices())
    results = []
    words = (tokenizer.vocab_size + 31) // 32
    buffer = bytearray(4 * words)
    address = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    for m, c in zip(measured, calls):
        schema = json.dumps(c["schema"])
        start = time.perf_counter_ns()
        matcher = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema(schema))
        compiled = time.perf_counter_ns() - start
        masks = []
        for token in m["tokens"]:
            start = time.perf_counter_ns()
            matcher.unsafe_compute_mask_ptr(address, len(buffer))
            masks.append(time.perf_counter_ns() - start)
            if not matcher.consume_token(token):
                raise SystemExit(f"llguidance refuses {c['text']}: {matcher.get_error()}")
        results.append({"compile": compiled, "masks": masks})
    return results


main()
