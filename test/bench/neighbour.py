#!/usr/bin/env python3
"""Measure what a busy neighbour costs: Ragstone's and llama.cpp's speed while other
processes spin on the processors, as a part of the speed beside nobody.

    neighbour.py --ragstone bin/ragstone --llama-bench .../llama-bench --model FILE.gguf [--threads 2] [--spinners 2] [--rounds 5]

Threads that share processors with as many spinners should keep about half of their
speed. The four measurements of a round follow one another; what is compared is the
median over the rounds of the part that each keeps. Needs Python alone.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys

import model


@contextlib.contextmanager
def spinning(n):
    """Keep n processes busy meanwhile."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for p in busy:
            p.kill()
            p.wait()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--ragstone", required=True, help="path of ragstone")
    arguments.add_argument("--llama-bench", required=True, help="path of llama-bench, built for this machine")
    arguments.add_argument("--model", required=True, help="path of a GGUF file")
    arguments.add_argument("--threads", default="2")
    arguments.add_argument("--spinners", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.set_defaults(prompt="64", decode="16", kernels="")
    o = arguments.parse_args()
    kept = {}
    for _ in range(o.rounds):
        for name, measure in (("Ragstone", model.ragstone), ("llama.cpp", model.llama)):
            alone = measure(o, o.threads)
            with spinning(o.spinners):
                busy = measure(o, o.threads)
            for work in alone:
                kept.setdefault(work, {}).setdefault(name, []).append(busy[work] / alone[work])
    print(f"| {o.threads} threads beside {o.spinners} spinners keep, of | Ragstone | llama.cpp |")
    print("|---|---|---|")
    for work, sides in kept.items():
        print(f"| {work} | " + " | ".join(f"{statistics.median(s):.2f} ({min(s):.2f}–{max(s):.2f})" for s in sides.values()) + " |")


if __name__ == "__main__":
    main()
