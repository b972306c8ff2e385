#!/usr/bin/env python3
"""A table of fewer dimensions: what is found by the first of a vector's numbers, by its principal components, and when
ten times as many candidates are then compared by all numbers.

    python3 test/bench/dimensions.py --ragstone bin/ragstone --data FOLDER [--dimensions 256,128,64]

FOLDER has base.fvecs, query.fvecs and gt.ivecs of vectors of length 1. Recall is that of the ten nearest; queries a second
of processor time, one thread, are of scans.
"""
import argparse, array, json, math, subprocess, tempfile


def vectors(path):
    numbers = array.array("f", open(path, "rb").read())
    width = array.array("i", numbers[:1].tobytes())[0] + 1
    return [numbers[i + 1:i + width] for i in range(0, len(numbers), width)]


def shorten(source, target, d):
    """Writes the first d numbers of every vector, at length 1 again."""
    with open(target, "wb") as f:
        for v in vectors(source):
            part = v[:d]
            length = math.sqrt(sum(x * x for x in part)) or 1
            f.write(array.array("i", [d]).tobytes() + array.array("f", (x / length for x in part)).tobytes())


def measure(args, folder, spec):
    out = subprocess.run([args.ragstone, "bench", "vectors", "--json", "--index", spec, "--ef", "1", "--base", folder + "/base.fvecs",
                          "--queries", folder + "/query.fvecs", "--truth", args.data + "/gt.ivecs"], capture_output=True, text=True, check=True).stdout
    return json.loads(out)[0]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ragstone", default="bin/ragstone")
    p.add_argument("--data", required=True)
    p.add_argument("--dimensions", default="256,192,128,64,32")
    args = p.parse_args()
    whole = len(vectors(args.data + "/query.fvecs")[0])
    print("| dimensions | the first | principal | principal, 10 compared | queries/s, principal |\n|---|---|---|---|---|")
    row = measure(args, args.data, "flat")
    print(f"| {whole} | {row['recall']:.3f} | | | {row['qps']:,.0f} |", flush=True)
    for d in map(int, args.dimensions.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("base", "query"):
                shorten(f"{args.data}/{name}.fvecs", f"{folder}/{name}.fvecs", d)
            first = measure(args, folder, "flat")
        plain, compared = measure(args, args.data, f"PCA{d},Flat"), measure(args, args.data, f"PCA{d},Flat,RFlat")
        print(f"| {d} | {first['recall']:.3f} | {plain['recall']:.3f} | {compared['recall']:.3f} | {plain['qps']:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
