#!/usr/bin/env python3
"""Compares two goroutines that search with two processes that search: one database or graph each way, in alternating passes.

A pass lets both processes, each pinned to a core, answer all queries as often as fits in the time, then one process with two
goroutines on both cores. Printed are queries a second, all together, by the clock, and the median ratios within a pass: by processor
time, in which waiting for caches and memory shows and sleeping for a lock does not, and by the clock.
"""
import argparse, json, os, statistics, struct, subprocess, sys, tempfile


def vectors(path):
    """The number of vectors in a .fvecs file."""
    with open(path, "rb") as file:
        dimensions = struct.unpack("<i", file.read(4))[0]
    return os.path.getsize(path) // (4 + 4 * dimensions)


def start(args, core, threads, folder):
    command = ["taskset", "-c", core, args.ragstone, "bench"]
    files = ["--base", args.data + "/base.fvecs", "--queries", args.data + "/query.fvecs", "--ef", args.ef,
             "--threads", str(threads), "--seconds", str(args.seconds)]
    if args.index == "collection":  # half of the points, by a filter
        for name, of, value in (("fields", "base", lambda i: i * 2654435761 >> 16 & 1), ("wanted", "query", lambda i: 1)):
            with open(f"{folder}/{name}.ivecs", "wb") as file:
                for i in range(vectors(f"{args.data}/{of}.fvecs")):
                    file.write(struct.pack("<ii", 1, value(i)))
        command += ["filters", "--fields", folder + "/fields.ivecs", "--wanted", folder + "/wanted.ivecs", *files]
    else:
        command += ["vectors", "--truth", args.data + "/gt.ivecs", "--index", args.index, "--on-command", *files]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if not process.stdout.readline():
        sys.exit("ragstone did not start")
    return process


def measure(processes):
    for p in processes:
        p.stdin.write("pass\n")
        p.stdin.flush()
    rows = [json.loads(p.stdout.readline())[-1] for p in processes]
    return sum(r["qps"] for r in rows), sum(r["wall_qps"] for r in rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ragstone", default="bin/ragstone")
    p.add_argument("--data", required=True)
    p.add_argument("--index", default="graph", help="graph, or collection for a whole database")
    p.add_argument("--ef", default="32")
    p.add_argument("--seconds", type=float, default=1)
    p.add_argument("--passes", type=int, default=5)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        one, other, both = (start(args, core, threads, folder) for core, threads in (("0", 1), ("1", 1), ("0,1", 2)))
    passes = []
    for number in range(args.passes):
        sides = [[one, other], [both]]
        rates = [measure(side) for side in (sides if number % 2 == 0 else sides[::-1])]
        passes.append(rates if number % 2 == 0 else rates[::-1])
    for p in (one, other, both):
        p.stdin.close()
        p.wait()
    # A process's rate by processor time is that of one goroutine, whatever their number.
    cpu = statistics.median(2 * t[0] / s[0] for s, t in passes)
    wall = statistics.median(t[1] / s[1] for s, t in passes)
    print(f"| {args.index} | two processes {statistics.median(s[1] for s, _ in passes):,.0f} | two goroutines {statistics.median(t[1] for _, t in passes):,.0f} "
          f"| ratio by processor time {cpu:.2f}, by the clock {wall:.2f} |")


main()
