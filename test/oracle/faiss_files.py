"""Writes small FAISS files and what FAISS finds in them, and checks files that Ragstone wrote.

    python faiss_files.py make internal/faiss/testdata
    python faiss_files.py check FOLDER

make writes, for every factory string, NAME.faiss and NAME.json with queries' hits. Both are made
of the vectors of numbers(), which the Go test computes too.

check reads FOLDER/NAME.faiss and FOLDER/NAME.json as Ragstone wrote them (the factory string, k,
and for every query labels and distances) and compares them with what FAISS finds.

Wants faiss-cpu and numpy.
"""
import json
import os
import sys

import faiss
import numpy as np

faiss.omp_set_num_threads(1)
N, D, QUERIES, K = 600, 16, 20, 10
INNER, L2, L1 = faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2, faiss.METRIC_L1

SPECS = [
    ("Flat", INNER), ("Flat", L2), ("Flat", L1),
    ("IVF8,Flat", L2), ("IVF8,Flat", INNER), ("IVF8_HNSW4,Flat", L2),
    ("IVF8,PQ4x4", L2), ("IVF8,PQ4x4", INNER), ("IVF8,SQ8", L2), ("IVF8,SQ8", INNER),
    ("IVF8,SQfp16", L2), ("IVF8,PQ4x4fs", L2), ("IVF8,PQ4x4fs,RFlat", L2), ("IVF8,PQ4x4fs,RFlat", INNER),
    ("PQ4x4", L2), ("PQ4x4", INNER), ("PQ2", L2), ("IVF2,PQ2", L2), ("PQ4x4fs", L2),
    ("SQ8", L2), ("SQ8", INNER), ("SQ4", L2), ("SQfp16", L2),
    ("HNSW8", L2), ("HNSW8", INNER), ("HNSW8,SQ8", L2), ("HNSW8,PQ4x4", L2),
    ("LSH", L2), ("LSH32rt", L2),
    ("IDMap,Flat", L2), ("IDMap,SQ8", INNER),
    ("PCA8,Flat", L2), ("PCAR8,SQ8", L2), ("RR16,Flat", L2), ("L2norm,Flat", INNER), ("OPQ4,IVF8,PQ4x4", L2),
    ("BFlat", None), ("BHNSW4", None), ("IDMap,BFlat", None),
]


def numbers(count, seed):
    """Whole multiples of 1/8 from -4 to 4, from a linear congruential generator."""
    out, state = np.empty(count, "f4"), seed
    for i in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out[i] = ((state >> 33) % 65) / 8 - 4
    return out


def name(spec, metric):
    kind = {INNER: "ip", L2: "l2", L1: "l1", None: "bits"}[metric]
    return spec.lower().replace(",", "-") + "-" + kind


def labels(spec, n):
    return np.arange(n, dtype="i8") * 7 + 3 if spec.startswith("IDMap") else np.arange(n, dtype="i8")


def bits(x):
    return np.packbits(x > 0, axis=1, bitorder="little")


def settings(index, spec):
    if "IVF" in spec:
        faiss.ParameterSpace().set_index_parameter(index, "nprobe", 3)
    if "RFlat" in spec:
        index.k_factor = 4
    if spec.startswith("BHNSW"):
        index.hnsw.efSearch = 64  # many distances are equal, and which are kept is chance


def make(folder):
    x, q = numbers(N * D, 1).reshape(N, D), numbers(QUERIES * D, 2).reshape(QUERIES, D)
    for spec, metric in SPECS:
        if metric is None:
            index = faiss.index_binary_factory(D, spec)
            base, queries, write = bits(x), bits(q), faiss.write_index_binary
            if spec.startswith("IDMap"):
                index = faiss.IndexBinaryIDMap(faiss.index_binary_factory(D, spec[6:]))
        else:
            index = faiss.index_factory(D, spec, metric)
            base, queries, write = x, q, faiss.write_index
        index.train(base)
        if spec.startswith("IDMap"):
            index.add_with_ids(base, labels(spec, N))
        else:
            index.add(base)
        settings(index, spec)
        path = os.path.join(folder, name(spec, metric))
        write(index, path + ".faiss")
        distances, found = index.search(queries, K)
        with open(path + ".json", "w") as f:
            json.dump({"spec": spec, "labels": found.tolist(), "distances": [[float(v) for v in row] for row in distances]}, f)
            f.write("\n")


def differences(want, got):
    """How many queries have other distances, and other labels where distances differ by more than
    rounding from their neighbours."""
    (wd, wl), (gd, gl) = want, got
    other = 0
    for i in range(len(wd)):
        scale = 1e-4 * (1 + np.abs(wd[i]).max())
        if np.abs(np.sort(wd[i]) - np.sort(gd[i])).max() > scale:
            other += 1
            continue
        gaps = np.abs(wd[i][:, None] - wd[i][None, :]) < scale
        alone = gaps.sum(1) == 1
        alone[-1] = False
        other += bool((wl[i][alone] != gl[i][alone]).any())
    return other


def check(folder):
    q = numbers(QUERIES * D, 2).reshape(QUERIES, D)
    bad = 0
    for entry in sorted(os.listdir(folder)):
        if not entry.endswith(".json"):
            continue
        path = os.path.join(folder, entry[:-5])
        expected = json.load(open(path + ".json"))
        if expected["spec"].find("BFlat") >= 0 or expected["spec"].find("BHNSW") >= 0:
            index, queries = faiss.read_index_binary(path + ".faiss"), bits(q)
        else:
            index, queries = faiss.read_index(path + ".faiss"), q
        distances, found = index.search(queries, K)
        want = (np.array(expected["distances"], "f4"), np.array(expected["labels"]))
        if "fs" in expected["spec"]:  # estimated from tables of bytes, which round differently
            same = np.mean([len(set(a) & set(b)) / K for a, b in zip(want[1], found)])
            print(f"{entry[:-5]:28} {same:.3f} of the labels are the same")
            bad += same < 0.85
            continue
        if "BHNSW" in expected["spec"]:  # nearly all distances are tied, and the ways through the graph too
            same = np.mean(want[0] == distances)
            print(f"{entry[:-5]:28} {same:.3f} of the distances are the same")
            bad += same < 0.85
            continue
        other = differences(want, (distances.astype("f4"), found))
        print(f"{entry[:-5]:28} {other} of {len(q)} queries differ")
        bad += other
    return bad


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        sys.exit(1 if check(sys.argv[2]) else 0)
