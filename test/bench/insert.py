#!/usr/bin/env python3
"""Compares durable inserts with hnswlib's inserts into memory: insert.py RAGSTONE DATA [ROWS].

DATA has base.fvecs and query.fvecs. Of both one thread inserts, 100 points a call. Ours are acknowledged when they are in the
log on the device, and indexed in the background; hnswlib's (M=16, ef_construction=200) are indexed and not durable. Rates are
by processor time, alternating, medians of three rounds; then what ours does while another goroutine searches, and recall
before and after half of the points are deleted. Needs numpy and hnswlib.
"""
import json, os, statistics, subprocess, sys, tempfile, time

import hnswlib
import numpy as np

ROUNDS = 3


def vectors(path):
    numbers = np.fromfile(path, np.int32)
    return numbers.reshape(-1, numbers[0] + 1)


def theirs(base):
    index = hnswlib.Index(space="l2", dim=base.shape[1])
    index.init_index(len(base), M=16, ef_construction=200)
    start = time.process_time()
    for at in range(0, len(base), 100):
        index.add_items(base[at:at + 100], np.arange(at, min(at + 100, len(base))), num_threads=1)
    return len(base) / (time.process_time() - start)


def main():
    ragstone, data = sys.argv[1:3]
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else None
    stored = vectors(data + "/base.fvecs")[:rows]
    base = np.ascontiguousarray(stored[:, 1:].view(np.float32))
    with tempfile.TemporaryDirectory() as folder:
        stored.tofile(folder + "/base.fvecs")
        command = [ragstone, "bench", "insert", "--base", folder + "/base.fvecs", "--queries", data + "/query.fvecs"]
        runs = []
        for number in range(ROUNDS):
            order = [lambda: theirs(base), lambda: json.loads(subprocess.check_output(command))]
            pair = [run() for run in (order if number % 2 == 0 else order[::-1])]
            runs.append(pair if number % 2 == 0 else pair[::-1])
    middle = lambda values: statistics.median(values)
    print(f"{len(base):,} points of {base.shape[1]} dimensions")
    print(f"hnswlib {middle([t for t, _ in runs]):,.0f} points/s, ragstone {middle([o['inserts_alone'] for _, o in runs]):,.0f}, "
          f"ratio {middle([o['inserts_alone'] / t for t, o in runs]):.1f}, by processor time")
    print(f"while another goroutine searches: {middle([o['inserts'] for _, o in runs]):,.0f} points/s by the clock, "
          f"{middle([o['searches'] for _, o in runs]):,.0f} searches done meanwhile, ratio {middle([o['inserts'] / t for t, o in runs]):.1f}")
    print(f"recall {middle([o['recall'] for _, o in runs]):.4f}, with half of the points deleted {middle([o['recall_half'] for _, o in runs]):.4f}")


main()
