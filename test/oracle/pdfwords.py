#!/usr/bin/env python3
"""Write internal/document/testdata/pdfwords.txt.gz, the words that poppler's
pdftotext finds in the PDFs of the shared test data.

    apt-get install poppler-utils
    python3 test/oracle/pdfwords.py ../shared/data/documents

One line a file: its path, then each word's hash (FNV-1a, 32 bits, of its
UTF-8 bytes) and count. A word is a maximal run of letters and digits.
"""

import collections
import gzip
import pathlib
import re
import subprocess
import sys


def fnv1a(word):
    h = 0x811C9DC5
    for byte in word.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def main(root):
    lines = []
    for path in sorted(root.rglob("*.pdf")):
        run = subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True)
        words = collections.Counter(re.findall(r"[^\W_]+", run.stdout.decode(errors="replace")))
        if words:
            counts = " ".join(f"{fnv1a(w):08x}:{n}" for w, n in sorted(words.items()))
            lines.append(f"{path.relative_to(root).as_posix()}\t{counts}\n")
    out = pathlib.Path(__file__).parents[2] / "internal/document/testdata/pdfwords.txt.gz"
    out.write_bytes(gzip.compress("".join(lines).encode(), mtime=0))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
