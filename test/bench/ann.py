#!/usr/bin/env python3
"""Measures vector indexes against other libraries: one thread, pinned, in alternating passes.

Every index is built in a process of its own and stays there. In each pass all are measured one after another, in
the other direction every second time. Printed are medians over the passes of the queries a second at a recall
(interpolated between the points measured), and of the ratio to a reference within the same pass: the machine's
mood, which changes from minute to minute, is then on both sides.

Ours are given as specs of `ragstone bench vectors --index`, with "@avx2" behind one to use other kernels; peers by the names that the peers' script knows. The
script is started as `python SCRIPT NAME DATA OUT`, prints a line with "ready" once built, measures once for every
line "pass" on its input, appends tab-separated lines to OUT (dataset, library, index, setting, CPU seconds to
build, MB, recall, queries a second of CPU, by the clock), and answers "done".
"""
import argparse, json, math, os, statistics, subprocess, sys, tempfile

TARGETS = (0.90, 0.95, 0.99)
ONE_THREAD = {v: "1" for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def at_recall(points, target):
    """The queries a second at a recall, interpolated in their logarithm; None if it is not reached. Of what has one setting
    only, such as a scan, its rate."""
    if len(points) == 1:
        return points[0][1]
    above = [p for p in points if p[0] >= target]
    below = [p for p in points if p[0] < target]
    if not above:
        return None
    high = max(above, key=lambda p: p[1])
    if not below:
        return high[1]
    low = max(below)
    if low[1] <= high[1]:
        return high[1]
    w = (target - low[0]) / (high[0] - low[0])
    return math.exp(math.log(low[1]) * (1 - w) + math.log(high[1]) * w)


class Ours:
    def __init__(self, args, spec):
        self.name = "ragstone " + spec
        spec, _, kernels = spec.partition("@")
        command = [args.ragstone, "bench", "vectors", "--base", args.data + "/base.fvecs", "--queries", args.data + "/query.fvecs",
                   "--truth", args.data + "/gt.ivecs", "--index", spec, "--on-command", "--batch", str(args.batch), "--ef", args.ef]
        if kernels:
            command += ["--kernels", kernels]
        self.process = subprocess.Popen(["taskset", "-c", args.core] + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        first = json.loads(self.process.stdout.readline())[0]
        self.build, self.memory = first["build_cpu_s"], first["memory_mb"]

    def measure(self):
        self.process.stdin.write("pass\n")
        self.process.stdin.flush()
        return [(row["recall"], row["qps"]) for row in json.loads(self.process.stdout.readline())]


class Peer:
    def __init__(self, args, name):
        self.name = name
        self.out = tempfile.NamedTemporaryFile("r", suffix=".tsv")
        self.process = subprocess.Popen(["taskset", "-c", args.core, args.python, args.peers, name, args.data, self.out.name],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=dict(os.environ, **ONE_THREAD))
        for line in self.process.stdout:
            if '"ready"' in line:
                ready = json.loads(line)
                self.build, self.memory = ready["build"], ready["rss"]
                return
        sys.exit(f"{name} did not start")

    def measure(self):
        self.process.stdin.write("pass\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("done"):
                break
        rows = [line.rstrip("\n").split("\t") for line in self.out.read().splitlines()]
        return [(float(r[7]), float(r[8])) for r in rows]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ragstone", default="bin/ragstone")
    p.add_argument("--data", required=True, help="folder with base.fvecs, query.fvecs, gt.ivecs")
    p.add_argument("--ours", action="append", default=[], help="an index spec; may be repeated")
    p.add_argument("--peer", action="append", default=[], help="a peer's name; the first is the reference")
    p.add_argument("--peers", help="the peers' script")
    p.add_argument("--python", default="python3", help="the Python that runs it")
    p.add_argument("--passes", type=int, default=5)
    p.add_argument("--core", default="1")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--ef", default="10,16,24,32,48,64,96,128,200,320")
    args = p.parse_args()
    runs = [Peer(args, name) for name in args.peer] + [Ours(args, spec) for spec in args.ours or ["graph"]]
    speeds = {r.name: [] for r in runs}
    for number in range(args.passes):
        for r in runs if number % 2 == 0 else runs[::-1]:
            points = r.measure()
            speeds[r.name].append([at_recall(points, t) for t in TARGETS])
    reference = runs[0]
    print("| " + os.path.basename(args.data) + " | " + " | ".join(f"{t:.2f}" for t in TARGETS) + f" | ratio to {reference.name} | build CPU s | MB |")
    print("|---|" + "---|" * (len(TARGETS) + 3))
    for r in runs:
        cells, ratios = [], []
        for i in range(len(TARGETS)):
            mine = [s[i] for s in speeds[r.name]]
            theirs = [s[i] for s in speeds[reference.name]]
            cells.append("-" if None in mine else f"{statistics.median(mine):,.0f}")
            pairs = [a / b for a, b in zip(mine, theirs) if a and b]
            ratios.append(f"{statistics.median(pairs):.2f}" if pairs else "-")
        print(f"| {r.name} | " + " | ".join(cells) + " | " + " / ".join(ratios) + f" | {r.build:.1f} | {r.memory:.0f} |", flush=True)
    for r in runs:
        r.process.stdin.close()


main()
