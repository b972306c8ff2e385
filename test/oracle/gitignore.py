#!/usr/bin/env python3
"""Check internal/document/testdata/gitignore.txt against git itself.

    python3 test/oracle/gitignore.py          # report differences
    python3 test/oracle/gitignore.py -update  # write git's verdicts

The file has groups of lines: the patterns of a .gitignore, "----", then paths
(a folder ends in "/") after "+" for kept or "-" for ignored, and a blank line.
"""

import pathlib
import subprocess
import sys
import tempfile


def ignored(patterns, path):
    with tempfile.TemporaryDirectory() as top:
        root = pathlib.Path(top)
        subprocess.run(["git", "init", "-q", top], check=True)
        (root / ".gitignore").write_text("\n".join(patterns) + "\n")
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.mkdir() if path.endswith("/") else target.touch()
        run = subprocess.run(["git", "-C", top, "check-ignore", "-q", "--no-index", path.rstrip("/")])
        return run.returncode == 0


def main(update):
    golden = pathlib.Path(__file__).parents[2] / "internal/document/testdata/gitignore.txt"
    out, failed = [], False
    for group in golden.read_text().rstrip("\n").split("\n\n"):
        patterns, _, cases = group.partition("\n----\n")
        lines = []
        for case in cases.split("\n"):
            verdict = "-" if ignored(patterns.split("\n"), case[2:]) else "+"
            if verdict != case[0]:
                failed = True
                print(f"git says {verdict} of {case[2:]!r} under {patterns!r}")
            lines.append(f"{verdict} {case[2:]}")
        out.append(patterns + "\n----\n" + "\n".join(lines))
    if update:
        golden.write_text("\n\n".join(out) + "\n")
    return failed and not update


if __name__ == "__main__":
    sys.exit(main("-update" in sys.argv))
