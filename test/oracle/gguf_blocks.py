"""Writes internal/gguf/testdata/blocks.json: random blocks of each stored type
and the numbers that the `gguf` package decodes them to.

    pip install gguf numpy
    python test/oracle/gguf_blocks.py > internal/gguf/testdata/blocks.json

Scales are drawn from all finite binary16 numbers, so signs, zeros and
subnormals occur; the other bytes are uniform. The tests of internal/kernel read
the file too.
"""

import base64
import json
import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

# For each type, the positions of its binary16 scales within a block.
SCALES = {
    "F32": [],
    "F16": [0],
    "BF16": [],
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q8_0": [0],
    "Q2_K": [80, 82],
    "Q3_K": [108],
    "Q4_K": [0, 2],
    "Q5_K": [0, 2],
    "Q6_K": [208],
    "IQ4_NL": [0],
    "IQ4_XS": [0],
}


def finite_half(rng):
    while True:
        b = rng.integers(0, 256, 2, dtype=np.uint8)
        if np.isfinite(b.view(np.float16)[0]):
            return b


def block(rng, name, size):
    if name == "F32":
        return rng.standard_normal(1, dtype=np.float32).view(np.uint8)
    if name == "BF16":
        return rng.standard_normal(1, dtype=np.float32).view(np.uint8)[2:]
    b = rng.integers(0, 256, size, dtype=np.uint8)
    for at in SCALES[name]:
        b[at : at + 2] = finite_half(rng)
    return b


def main():
    rng = np.random.default_rng(20260831)
    out = []
    for name in SCALES:
        kind = GGMLQuantizationType[name]
        values, size = GGML_QUANT_SIZES[kind]
        count = max(4, 128 // values)
        blocks = np.concatenate([block(rng, name, size) for _ in range(count)])
        decoded = dequantize(blocks, kind).astype(np.float32)
        out.append(
            {
                "type": name,
                "blocks": base64.b64encode(blocks.tobytes()).decode(),
                "values": base64.b64encode(decoded.tobytes()).decode(),
            }
        )
    json.dump(out, sys.stdout, indent=1)
    print()


main()
