#!/usr/bin/env python3
"""Measure `ragstone serve` against llama-server on the same file, as programs see
them: by HTTP.

    server.py --ragstone bin/ragstone --llama .../build/bin --model FILE.gguf [--threads 2] [--rounds 5] [ROW…]

The rows, all of them unless some are named:

    streams  8 completions at once, tokens a second of all together
    cached   the time to the first token of a prompt of about 1,500 tokens of which
             all but the last ten have been read before, and of one that is new
    load     from the start of the program to the first token; the file is in the
             page cache
    memory   what is resident after one request, with room for 2,048 tokens

Both servers take turns, and every row prints the median of each side, the median of
the rounds' ratios and their range, by the clock and by the processor time that each
server took meanwhile. The latter holds on a machine where others want the
processors too, but is fair with one thread only: llama.cpp's threads spin while they
wait for each other. Needs Python alone.
"""

import argparse
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

STREAMS = 8
STORY_TOKENS = 96

# Openings of different texts, so that no stream finds its prompt read already.
OPENINGS = [
    "The lighthouse keeper had not spoken to anyone for", "Dear editor, I am writing to you because the new",
    "Preheat the oven and take the largest bowl you", "In 1848 the town council decided, after a long",
    "A function that sorts a list of numbers begins", "Once the snow had melted, the two brothers went",
    "The patient reported mild pain in the left", "Among the birds of the northern coast there are",
]


class Server:
    """A running server. Leaving its with block ends it."""

    def __init__(self, command, environment, model, key=""):
        self.port, self.model, self.key = command[-1], pathlib.Path(model).stem, key
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ready(self):
        """Wait until the server has answered a request."""
        while True:
            try:
                return self.complete("Hello", 1)
            except (ConnectionError, http.client.HTTPException):
                if self.process.poll() is not None:
                    sys.exit(f"{self.process.args[0]} has ended with {self.process.returncode}")
                time.sleep(0.002)

    def complete(self, prompt, tokens, **more):
        """Stream a completion. Returns the seconds to its first piece, and its usage."""
        body = {"model": self.model, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "stream": True,
                "stream_options": {"include_usage": True}, **more}
        connection = http.client.HTTPConnection("127.0.0.1", int(self.port.rpartition(":")[2]), timeout=600)
        began = time.monotonic()
        connection.request("POST", "/v1/completions", json.dumps(body),
                           {"Content-Type": "application/json", "Authorization": "Bearer " + self.key})
        answer = connection.getresponse()
        if answer.status == 503:
            raise ConnectionError("still loading")
        if answer.status != 200:
            sys.exit(f"{self.process.args[0]}: {answer.status} {answer.read().decode()}")
        first, usage = None, None
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            first = first or time.monotonic() - began
            usage = json.loads(line[6:]).get("usage") or usage
        connection.close()
        return first, usage

    def cpu(self):
        """Seconds of processor time of its threads so far."""
        threads = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(t.read_text().split()[0]) for t in threads) / 1e9

    def measured(self, work):
        """Do some work. Returns its result, and the seconds it took by the clock and
        of the server's processor time."""
        began, used = time.monotonic(), self.cpu()
        result = work()
        return result, (time.monotonic() - began, self.cpu() - used)

    def memory(self):
        """Resident megabytes: now, and at most so far."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        return [int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]


class Programs:
    """Starts the servers."""

    def __init__(self, o, home):
        self.o, self.home, self.key = o, home, ""
        self.environment = {**os.environ, "RAGSTONE_HOME": home, "RAGSTONE_THREADS": str(o.threads)}
        subprocess.run([o.ragstone, "keys", "create", "--json"], env=self.environment, check=True,
                       stdout=(made := tempfile.TemporaryFile()))
        made.seek(0)
        self.key = json.load(made)["key"]

    def ragstone(self, *_):
        command = [self.o.ragstone, "serve", "--model", self.o.model, "--embedding-model", "none", "--addr", f"127.0.0.1:{free()}"]
        return Server(command, self.environment, self.o.model, self.key)

    def llama(self, streams=1, context=2048):
        command = [os.path.join(self.o.llama, "llama-server"), "-m", self.o.model, "-t", str(self.o.threads), "-np", str(streams),
                   "-c", str(streams * context), "--no-webui", "--port", str(free())]
        return Server(command, os.environ, self.o.model)


def free():
    """A port nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def together(server, round):
    """Run several streams together. Returns the seconds a token takes."""
    made = []

    def one(i):
        _, usage = server.complete(OPENINGS[i], STORY_TOKENS, temperature=0.8, seed=100 * round + i, logit_bias={"0": -100, "2": -100})
        made.append(usage["completion_tokens"])

    def all():
        threads = [threading.Thread(target=one, args=(i,)) for i in range(STREAMS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    _, seconds = server.measured(all)
    return [s / sum(made) for s in seconds]


def streams(o, programs):
    with programs.ragstone() as ours, programs.llama(STREAMS) as theirs:
        ours.ready(), theirs.ready()
        pairs = [(together(ours, i), together(theirs, i)) for i in range(o.rounds + 1)]
    report(f"{STREAMS} streams, tokens/s", "≥ 2.5", pairs[1:], lambda a, b: b / a, lambda s: 1 / s)


def text(i, words):
    """A text of so many words, of which a word is two to three tokens; another for each i."""
    own = pathlib.Path(__file__).read_text().split()
    return f"Text {i}. " + " ".join(own[(k * 7 + i) % len(own)] for k in range(words))


def cached(o, programs):
    pairs, fresh = [], []
    with programs.ragstone() as ours, programs.llama() as theirs:
        ours.ready(), theirs.ready()
        for i in range(o.rounds + 1):
            prompt = text(i, 630)
            new, again = [], []
            for s in (ours, theirs):
                (_, usage), seconds = s.measured(lambda: s.complete(prompt + " What follows is the first", 1))
                new.append(seconds)
                again.append(s.measured(lambda: s.complete(prompt + " And this is now another", 1))[1])
            pairs.append(again)
            fresh.append((again[0], new[0]))
        print(f"the prompts have {usage['prompt_tokens']} tokens", file=sys.stderr)
    report("first token, prefix cached, ms", "≥ 1.0", pairs[1:], lambda a, b: b / a, lambda s: 1e3 * s)
    report("the same against our own without the cache, ms", "< 0.05", fresh[1:], lambda a, b: a / b, lambda s: 1e3 * s)


def load(o, programs):
    pairs = []
    for i in range(o.rounds + 1):
        times = []
        for start in (programs.ragstone, programs.llama):
            with start() as s:
                s.ready()
                times.append((time.monotonic() - s.began, s.cpu()))
        pairs.append(times)
    report("load to first token, ms", "≤ 0.5", pairs[1:], lambda a, b: a / b, lambda s: 1e3 * s)


def memory(o, programs):
    pairs = []
    for i in range(o.rounds):
        sides = []
        for start in (programs.ragstone, programs.llama):
            with start() as s:
                s.ready()
                _, usage = s.complete(text(i, 730), 64)
                sides.append(s.memory())
        pairs.append(sides)
    print(f"the prompts have {usage['prompt_tokens']} tokens", file=sys.stderr)
    report("resident memory with 2,048 tokens of context full, and at most, MB", "≤ 1.0", pairs, lambda a, b: a / b, lambda mb: mb)


def report(name, asked, pairs, ratio, unit):
    """Print a row. A pair is both sides' two figures, by the clock and by the
    processor."""
    ours, theirs = (unit(statistics.median(side[0] for side in sides)) for sides in zip(*pairs))
    cells = []
    for k in range(2):
        ratios = [ratio(a[k], b[k]) for a, b in pairs]
        cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})")
    print(f"| {name} | {ours:.1f} | {theirs:.1f} | {' | '.join(cells)} | {asked} |", flush=True)


ROWS = {"streams": streams, "cached": cached, "load": load, "memory": memory}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--ragstone", required=True, help="path of ragstone")
    arguments.add_argument("--llama", required=True, help="folder of llama-server, built for this machine")
    arguments.add_argument("--model", required=True, help="path of SmolLM2's GGUF file")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("rows", nargs="*", choices=[[], *ROWS], help="default: all")
    o = arguments.parse_args()
    print("| work | Ragstone | llama-server | ratio | by processor time | asked |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        programs = Programs(o, home)
        for row in o.rows or ROWS:
            ROWS[row](o, programs)


if __name__ == "__main__":
    main()
