#!/usr/bin/env python3
"""A table of factory strings: what each index takes to build and in memory, and how fast it answers at a recall.

    python3 test/bench/factories.py --ragstone bin/ragstone --data FOLDER [--faiss]

FOLDER has base.fvecs, query.fvecs and gt.ivecs. For every index the row is the setting (nprobe or ef) with the least
recall@10 of at least 0.9, or else that with the highest recall. Rates are queries a second of processor time on one
thread. With --faiss the same strings are measured in FAISS 1.15 by this Python, with the same settings.
"""
import argparse, json, os, subprocess, time

SPECS = ["Flat", "SQ8", "SQ4", "PQ32", "PQ64x4fs,RFlat", "LSH", "PCA64,SQ8", "IVF256,Flat", "IVF256,SQ8", "IVF256,PQ32", "OPQ32,IVF256,PQ32",
         "IVF256,PQ64x4fs,RFlat", "HNSW32", "HNSW32,SQ8"]
WIDTHS = [8, 16, 32, 64, 128, 256]


def chosen(rows):
    enough = [r for r in rows if r["recall"] >= 0.9]
    return min(enough, key=lambda r: r["recall"]) if enough else max(rows, key=lambda r: (r["recall"], r["qps"]))


def widths(spec):
    return WIDTHS if "IVF" in spec or "HNSW" in spec else [8]


def ours(args, spec):
    out = subprocess.run([args.ragstone, "bench", "vectors", "--json", "--index", spec, "--ef", ",".join(map(str, widths(spec))), "--seconds", "0.3",
                          "--base", args.data + "/base.fvecs", "--queries", args.data + "/query.fvecs", "--truth", args.data + "/gt.ivecs"],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def theirs(args, spec):
    import faiss
    import numpy as np
    faiss.omp_set_num_threads(1)

    def vectors(name, kind):
        numbers = np.fromfile(f"{args.data}/{name}", np.int32)
        return np.ascontiguousarray(numbers.reshape(-1, numbers[0] + 1)[:, 1:].view(kind))

    base, queries, truth = vectors("base.fvecs", np.float32), vectors("query.fvecs", np.float32), vectors("gt.ivecs", np.int32)
    start = time.process_time()
    index = faiss.index_factory(base.shape[1], spec)
    index.train(base)
    index.add(base)
    rows, build = [], time.process_time() - start
    if spec.endswith("RFlat"):
        index.k_factor = 10
    for width in widths(spec):
        for name in ("nprobe",) if "IVF" in spec else ("efSearch",) if "HNSW" in spec else ():
            faiss.ParameterSpace().set_index_parameter(index, name, width)
        start, found = time.process_time(), []
        for q in queries:
            found.append(index.search(q[None], 10)[1][0])
        spent = time.process_time() - start
        recall = sum(len(set(f) & set(t[:10])) for f, t in zip(found, truth)) / (10 * len(found))
        rows.append({"recall": recall, "qps": len(queries) / spent, "build_cpu_s": build, "setting": f"ef={width}"})
    return rows


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--ragstone", default="bin/ragstone")
    p.add_argument("--data", required=True)
    p.add_argument("--faiss", action="store_true")
    p.add_argument("--specs", nargs="*", default=SPECS)
    args = p.parse_args()
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    print("| index | setting | recall@10 | queries/s | build s | MB |" + (" FAISS queries/s, recall, build s |" if args.faiss else ""))
    print("|---|---|---|---|---|---|" + ("---|" if args.faiss else ""))
    for spec in args.specs:
        r = chosen(ours(args, spec))
        setting = r["setting"].replace("ef", "nprobe") if "IVF" in spec else r["setting"] if "HNSW" in spec else ""
        line = f"| `{spec}` | {setting} | {r['recall']:.3f} | {r['qps']:,.0f} | {r['build_cpu_s']:.1f} | {r['memory_mb']:.0f} |"
        if args.faiss:
            same = [t for t in theirs(args, spec) if t["setting"] == r["setting"] or len(widths(spec)) == 1][0]
            line += f" {same['qps']:,.0f}, {same['recall']:.3f}, {same['build_cpu_s']:.1f} |"
        print(line, flush=True)


if __name__ == "__main__":
    main()
