#!/usr/bin/env python3
"""Measures filtered search against other libraries: one thread, pinned, one query a call, in alternating passes.

Cases: 0.1, 1, 10, 50 and 90 % of the vectors kept at random; a query's own region, and the region farthest from it, where
ten random vectors are the regions' centres and every vector belongs to the nearest. Ours is a database on disk with a payload
index, filter evaluated in every query; "scan" is the same database asked for exact answers. For each case stand the queries
a second of CPU at the least setting with the recall wanted, medians of the passes, and the median ratio of ours to the
best of the others in the same pass.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile

import numpy as np

CASES = ["0.1 %", "1 %", "10 %", "50 %", "90 %", "own region", "far region"]
SHARES = [0.001, 0.01, 0.1, 0.5, 0.9]
ONE_THREAD = {v: "1" for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
HERE = os.path.dirname(os.path.abspath(__file__))


def vectors(path):
    numbers = np.fromfile(path, np.int32)
    return np.ascontiguousarray(numbers.reshape(-1, numbers[0] + 1)[:, 1:].view(np.float32))


def write(path, rows):
    rows = np.ascontiguousarray(rows, np.int32)
    np.hstack([np.full((len(rows), 1), rows.shape[1], np.int32), rows]).tofile(path)


def make_cases(folder, data, count):
    """Writes the numbers of vectors and queries; see ragstone bench filters --help."""
    base, queries = vectors(data + "/base.fvecs"), vectors(data + "/query.fvecs")[:count]
    random = np.random.default_rng(7)
    rank = random.permutation(len(base))
    columns = [(rank < share * len(base)).astype(np.int32) for share in SHARES]
    anchors = base[random.choice(len(base), 10, replace=False)]
    distance = lambda x: (anchors * anchors).sum(1) - 2 * (x @ anchors.T)
    region = distance(base).argmin(1)
    asked = distance(queries)
    write(folder + "/fields.ivecs", np.stack(columns + [region, region], 1))
    write(folder + "/wanted.ivecs", np.stack([np.ones(len(queries))] * len(SHARES) + [asked.argmin(1), asked.argmax(1)], 1))
    os.symlink(os.path.abspath(data + "/base.fvecs"), folder + "/base.fvecs")
    d = queries.shape[1]
    np.hstack([np.full((len(queries), 1), d, np.int32), queries.view(np.int32)]).tofile(folder + "/query.fvecs")


class Process:
    def __init__(self, args, command):
        self.process = subprocess.Popen(["taskset", "-c", args.core] + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL if not args.verbose else None, text=True, env=dict(os.environ, **ONE_THREAD))

    def ask(self):
        self.process.stdin.write("pass\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


class Ours(Process):
    names = ["ragstone", "scan"]

    def __init__(self, args, folder):
        super().__init__(args, [args.ragstone, "bench", "filters", "--base", folder + "/base.fvecs", "--queries", folder + "/query.fvecs",
                                "--fields", folder + "/fields.ivecs", "--wanted", folder + "/wanted.ivecs", "--ef", args.ef])
        if not self.process.stdout.readline():
            sys.exit("ragstone did not start")

    def measure(self, args):
        rows = json.loads(self.ask())
        if args.verbose:
            for r in rows:
                print("   ", r, file=sys.stderr)
        self.missing = sum(r["missing"] for r in rows)
        return {name: [[r["case"], r["setting"], r["recall"], r["qps"]] for r in rows if (r["setting"] == "exact") == (name == "scan")]
                for name in self.names}


class Peer(Process):
    def __init__(self, args, folder, name):
        self.names = [name]
        self.out = f"{folder}/{name}.json"
        super().__init__(args, [args.python, HERE + "/filters_peer.py", name, folder, self.out])
        if "ready" not in self.process.stdout.readline():
            sys.exit(f"{name} did not start")

    def measure(self, args):
        self.ask()
        return {self.names[0]: json.load(open(self.out))}


def rates(points, recall):
    """By case, the queries a second of the fastest setting with the recall; None where there is none."""
    return [max((p[3] for p in points if p[0] == case and p[2] >= recall), default=None) for case in range(len(CASES))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ragstone", default="bin/ragstone")
    p.add_argument("--data", required=True, help="folder with base.fvecs and query.fvecs")
    p.add_argument("--peer", action="append", default=[], help="faiss, faissivf or qdrant; may be repeated")
    p.add_argument("--python", default=sys.executable, help="the Python that has them")
    p.add_argument("--passes", type=int, default=3)
    p.add_argument("--queries", type=int, default=200)
    p.add_argument("--recall", type=float, default=0.95)
    p.add_argument("--core", default="1")
    p.add_argument("--ef", default="10,12,14,16,20,24,28,32,40,48,64,96")
    p.add_argument("--verbose", action="store_true")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_cases(folder, args.data, args.queries)
        runs = [Ours(args, folder)] + [Peer(args, folder, name) for name in args.peer]
        passes = []
        for number in range(args.passes):
            measured = {}
            for r in runs if number % 2 == 0 else runs[::-1]:
                measured.update(r.measure(args))
            passes.append({name: rates(points, args.recall) for name, points in measured.items()})
        for r in runs:
            r.process.stdin.close()
            r.process.wait()
    print("| | " + " | ".join(CASES) + " |")
    print("|---" * (len(CASES) + 1) + "|")
    middle = lambda values: statistics.median(values) if values and None not in values else None
    for name in passes[0]:
        cells = [middle([p[name][c] for p in passes]) for c in range(len(CASES))]
        print(f"| {name} | " + " | ".join("–" if x is None else f"{x:,.0f}" for x in cells) + " |")
    ratios = []
    for c in range(len(CASES)):
        pairs = [(p["ragstone"][c] or 0) / max(rate[c] or 0 for name, rate in p.items() if name != "ragstone") for p in passes]
        ratios.append(f"{statistics.median(pairs):.2f}")
    print("| ratio to the best of the others | " + " | ".join(ratios) + " |")
    print(f"hits missing: {runs[0].missing}")


main()
