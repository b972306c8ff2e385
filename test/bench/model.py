#!/usr/bin/env python3
"""Measure Ragstone's decoder against llama.cpp's on the same file.

Both run alternately, with the same threads and lengths, and the medians of all
rounds are compared: a busy machine then slows both. A round of llama.cpp is one
llama-bench, a round of Ragstone one `ragstone bench model`; each warms up and
takes two measurements. Needs Python alone.

    model.py --ragstone bin/ragstone --llama-bench .../llama-bench \
        --model .../SmolLM2-135M-Instruct.Q4_1.gguf --threads 2,1 --prompt 512 --rounds 5
"""

import argparse
import json
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
    o = arguments.parse_args()

    print("| threads | work | llama.cpp, tokens/s | Ragstone, tokens/s | ratio |")
    print("|---|---|---|---|---|")
    for threads in o.threads.split(","):
        theirs, ours = {}, {}
        for _ in range(o.rounds):
            for work, speed in llama(o, threads).items():
                theirs.setdefault(work, []).append(speed)
            for work, speed in ragstone(o, threads).items():
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
               "--runs", "2", "--json")["rows"]
    speeds = {name(r["prompt"], 0): r["prefill_tps"] for r in rows}
    speeds[name(0, rows[0]["decode"])] = statistics.median(r["decode_tps"] for r in rows)
    return speeds


def name(prompt, decode):
    return f"prompt of {prompt}" if prompt else f"decoding {decode}"


def run(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


if __name__ == "__main__":
    main()
