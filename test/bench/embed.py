"""Measure our f32 encoder against ONNX Runtime fp32 on the same weights: the
same token ids' count, batch and threads, alternating.

    go build -o /tmp/ragstone ./cmd/ragstone
    python test/bench/minilm_onnx.py MODEL_FOLDER /tmp/minilm.onnx
    python test/bench/embed.py /tmp/ragstone MODEL_FOLDER /tmp/minilm.onnx [ROUNDS] [SECONDS]

A row is one shape of batch: the median over the rounds of each side's median
batch, the median of the rounds' ratios (ours over theirs, larger is faster),
and the same ratio of processor time, which a busy machine disturbs less. ONNX
Runtime is timed without pooling, we with it; neither tokenizes.

Needs numpy and onnxruntime.
"""

import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime

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


def ours(binary, folder, batch, tokens, threads, seconds):
    command = [binary, "bench", "embed", folder, "--json", "--batch", batch, "--tokens", tokens, "--threads", threads, "--seconds", seconds]
    row = json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True).stdout)
    return row["batch_ms"], row["cpu_ms_per_batch"]


def main():
    binary, folder, onnx = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 2
    peers = {threads: session(onnx, threads) for threads in (1, 2)}
    print(f"onnxruntime {onnxruntime.__version__}, {rounds} rounds of {seconds} s")
    print("| threads | batch | tokens | texts/s | ONNX Runtime | ratio | ratio of CPU time |")
    print("|---|---|---|---|---|---|---|")
    for batch, tokens, threads in SHAPES:
        mine, other = [], []
        for _ in range(rounds):
            mine.append(ours(binary, folder, batch, tokens, threads, seconds))
            other.append(theirs(peers[threads], batch, tokens, seconds))
        rate = [batch / statistics.median(t for t, _ in side) * 1e3 for side in (mine, other)]
        wall, busy = (statistics.median(o[i] / m[i] for m, o in zip(mine, other)) for i in (0, 1))
        print(f"| {threads} | {batch} | {tokens} | {rate[0]:.1f} | {rate[1]:.1f} | {wall:.2f} | {busy:.2f} |", flush=True)


main()
