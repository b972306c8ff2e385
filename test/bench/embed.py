"""Measure our encoder against ONNX Runtime on the same weights, in float32 and in
eight bits: the same token ids' count, batch and threads, alternating.

    go build -o /tmp/ragstone ./cmd/ragstone
    python test/bench/minilm_onnx.py MODEL_FOLDER /tmp/minilm.onnx
    python test/bench/embed.py /tmp/ragstone MODEL_FOLDER /tmp/minilm.onnx

and a cross-encoder, whose texts are pairs:

    python test/bench/pairs_onnx.py MODEL_FOLDER /tmp/pairs.onnx
    python test/bench/embed.py /tmp/ragstone MODEL_FOLDER /tmp/pairs.onnx --pairs --shapes 8x128x2,8x128x1

ONNX Runtime's int8 model is made on the spot from the other by its
quantize_dynamic. A row is one shape of batch: the median over the rounds of each
side's median batch in texts/s, and the medians of the rounds' ratios of processor
time, which a busy machine disturbs less than the clock (theirs over ours: larger
is better for us). ONNX Runtime is timed without pooling, we with it; neither
tokenizes.

Needs numpy, onnx and onnxruntime.
"""

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic

SHAPES = [(batch, tokens, threads) for threads in (2, 1) for batch in (32, 1) for tokens in (128, 16)]


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def theirs(peer, batch, tokens, seconds):
    ids = np.random.default_rng(1).integers(0, 30522, (batch, tokens))
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    kinds = {i.name: np.int32 if "int32" in i.type else np.int64 for i in peer.get_inputs()}
    inputs = {name: inputs[name].astype(kind) for name, kind in kinds.items()}
    peer.run(None, inputs)
    times, start, used = [], time.perf_counter(), cpu()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        peer.run(None, inputs)
        times.append(time.perf_counter() - before)
    return statistics.median(times) * 1e3, (cpu() - used) / len(times) * 1e3


def ours(binary, folder, pairs, precision, batch, tokens, threads, seconds):
    command = [
        binary, "bench", "embed", folder, "--json", "--precision", precision,
        f"--pairs={'true' if pairs else 'false'}", "--batch", batch, "--tokens", tokens, "--threads", threads, "--seconds", seconds,
    ]
    row = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
    return row["batch_ms"], row["cpu_ms_per_batch"]


def int8(onnx):
    """Quantise a model as ONNX Runtime does, beside it, unless that is done."""
    path = pathlib.Path(onnx).with_suffix(".int8.onnx")
    if not path.exists():
        floats = {"DefaultTensorType": TensorProto.FLOAT}  # where the exporter left no type
        quantize_dynamic(onnx, path, weight_type=QuantType.QInt8, extra_options=floats)
    return str(path)


def shapes(text):
    return [tuple(map(int, shape.split("x"))) for shape in text.split(",")]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("folder")
    arguments.add_argument("onnx")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=1)
    arguments.add_argument("--pairs", action="store_true", help="the model is a cross-encoder")
    arguments.add_argument("--shapes", type=shapes, default=SHAPES, help="BATCHxTOKENSxTHREADS, separated by commas")
    a = arguments.parse_args()
    files = {"fp32": a.onnx, "int8": int8(a.onnx)}
    peers = {(kind, threads): session(path, threads) for kind, path in files.items() for threads in (1, 2)}
    print(f"onnxruntime {onnxruntime.__version__}, {a.rounds} rounds of {a.seconds} s")
    print("| threads | batch | tokens | f32 | int8 | ONNX fp32 | ONNX int8 | f32/fp32 | int8/fp32 | int8/int8 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for batch, tokens, threads in a.shapes:
        times = {name: [] for name in ("f32", "int8", "onnx fp32", "onnx int8")}
        for _ in range(a.rounds):
            for kind in ("f32", "int8"):
                times[kind].append(ours(a.binary, a.folder, a.pairs, kind, batch, tokens, threads, a.seconds))
            for kind in ("fp32", "int8"):
                times["onnx " + kind].append(theirs(peers[kind, threads], batch, tokens, a.seconds))
        rates = [f"{batch / statistics.median(t for t, _ in side) * 1e3:.1f}" for side in times.values()]
        ratios = [
            f"{statistics.median(o[1] / m[1] for m, o in zip(times[mine], times[other])):.2f}"
            for mine, other in (("f32", "onnx fp32"), ("int8", "onnx fp32"), ("int8", "onnx int8"))
        ]
        print("| " + " | ".join([str(threads), str(batch), str(tokens)] + rates + ratios) + " |", flush=True)


main()
