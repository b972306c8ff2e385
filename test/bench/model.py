#!/usr/bin/env python3
"""Measure Ragstone's decoder against llama.cpp's on the same file.

Both run alternately, with the same threads and lengths, and the medians of all
rounds are compared: a busy machine then slows both. A round of llama.cpp is one
llama-bench, a round of Ragstone one `ragstone bench model`; each warms up and
takes two measurements. Needs Python alone.

    model.py --ragstone bin/ragstone --llama-bench .../llama-bench \
        --model .../SmolLM2-135M-Instruct.Q4_1.gguf --threads 2,1 --prompt 512 --rounds 5

With --cpu it counts tokens a second of processor time instead: what a program with
few and with more measurements used, the difference. That holds on a machine where
others want the processors too, but is fair on one thread only: llama.cpp's threads
spin while they wait for each other.
"""

import argparse
import json
import resource
import statistics
import subprocess


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--ragstone", required=True, help="path of ragstone")
    arguments.add_argument("--llama-bench", required=True, help="path of llama-bench, built for this machine")
    arguments.add_argument("--model", required=True, help="path of a GGUF file")
    arguments.add_argument("--threads", default="2,1")
    arguments.add_argument("--prompt", default="512")
    arguments.add_argument("--decode", default="64")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--cpu", action="store_true", help="tokens a second of processor time")
    arguments.add_argument("--tokens", type=int, default=1500, help="how many of them --cpu measures at least")
    arguments.add_argument("--kernels", default="", help="those of Ragstone, such as avx2 against a build of llama.cpp with no more")
    o = arguments.parse_args()

    print("| threads | work | llama.cpp, tokens/s | Ragstone, tokens/s | ratio |")
    print("|---|---|---|---|---|")
    for threads in o.threads.split(","):
        theirs, ours = {}, {}
        for _ in range(o.rounds):
            for work, speed in (llama_cpu if o.cpu else llama)(o, threads).items():
                theirs.setdefault(work, []).append(speed)
            for work, speed in (ragstone_cpu if o.cpu else ragstone)(o, threads).items():
                ours.setdefault(work, []).append(speed)
        for work in theirs:
            a, b = statistics.median(theirs[work]), statistics.median(ours[work])
            print(f"| {threads} | {work} | {spread(theirs[work])} | {spread(ours[work])} | {b / a:.2f} |", flush=True)


def spread(speeds):
    return f"{statistics.median(speeds):.0f} ({min(speeds):.0f}–{max(speeds):.0f})"


def llama(o, threads):
    rows = run(o.llama_bench, "-m", o.model, "-t", threads, "-p", o.prompt, "-n", o.decode, "-r", "2", "-o", "json")
    return {name(r["n_prompt"], r["n_gen"]): r["avg_ts"] for r in rows}


def ragstone(o, threads):
    rows = run(o.ragstone, "bench", "model", o.model, "--threads", threads, "--prompt", o.prompt, "--decode", o.decode,
               "--runs", "2", "--kernels", o.kernels, "--json")["rows"]
    speeds = {name(r["prompt"], 0): r["prefill_tps"] for r in rows}
    speeds[name(0, rows[0]["decode"])] = statistics.median(r["decode_tps"] for r in rows)
    return speeds


def llama_cpu(o, threads):
    base = [o.llama_bench, "-m", o.model, "-t", threads, "-o", "json"]
    return {name(p, n): extra(p or n, o.tokens, lambda runs: [*base, "-p", str(p), "-n", str(n), "-r", str(runs)]) for p, n in works(o)}


def ragstone_cpu(o, threads):
    base = [o.ragstone, "bench", "model", o.model, "--threads", threads, "--kernels", o.kernels, "--json"]
    return {name(p, n): extra(p or n, o.tokens, lambda runs: [*base, "--prompt", str(p or 1), "--decode", str(n or 1), "--runs", str(runs)])
            for p, n in works(o)}


def works(o):
    return [(int(p), 0) for p in o.prompt.split(",")] + [(0, int(o.decode))]


def extra(tokens, least, command):
    """Tokens a second of processor time, of the measurements beyond the first."""
    more = max(2, least // tokens)
    few, many = (used(command(1 + n)) for n in (0, more))
    return more * tokens / (many - few)


def used(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def name(prompt, decode):
    return f"prompt of {prompt}" if prompt else f"decoding {decode}"


def run(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


if __name__ == "__main__":
    main()
