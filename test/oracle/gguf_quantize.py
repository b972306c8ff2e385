"""Writes internal/kernel/testdata/quantized.json: rows of numbers, and the bytes
that the `gguf` package quantises them to.

    pip install gguf numpy
    python test/oracle/gguf_quantize.py > internal/kernel/testdata/quantized.json

The rows are normal, at many scales; some are all zeros, end halfway between two
quants, or have their largest magnitude twice with opposite signs.
"""

import base64
import json
import sys

import numpy as np
from gguf import GGMLQuantizationType, quantize


def rows():
    rng = np.random.default_rng(20261124)
    some = [rng.standard_normal(64) * scale for scale in (1e-6, 1e-3, 0.02, 1, 50)]
    some.append(np.zeros(64))
    some.append(np.arange(64) * 0.5 - 15.75)
    some.append(np.where(np.arange(64) % 2 == 0, 1.0, -1.0) * (np.arange(64) % 5))
    some.append(np.where(np.arange(64) == 7, -127.0, np.arange(64) - 31.5))
    return np.array(some, dtype=np.float32)


def main():
    numbers = rows()
    out = {"rows": len(numbers), "numbers": base64.b64encode(numbers.tobytes()).decode()}
    for name in ("F16", "BF16", "Q8_0", "Q4_0"):
        with np.errstate(invalid="ignore"):
            stored = quantize(numbers, GGMLQuantizationType[name])
        out[name] = base64.b64encode(np.ascontiguousarray(stored).tobytes()).decode()
    json.dump(out, sys.stdout, indent=1)
    print()


main()
