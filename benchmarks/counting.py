"""Seconds and memory of the n-gram model on many symbols.

    python -m benchmarks.counting [--symbols 20000000] --out benchmarks/results/counting.json

The text is Python code: the modules of this interpreter and what is installed in it, a file an item, in the order of their
digests, until there are enough bytes; one file in 50 is validation. What is counted is the processor time of `fit` (a thread),
and by how much the process's peak of memory grows over what it had with the text loaded. The bits a byte are those of
validation, which has chosen the order.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import sysconfig
import time
from pathlib import Path

import numpy as np

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.families import ngram
from aigc_models.modalities import text
from aigc_models.sequences import Sequences

FORMAT = text.Format(length=1024)
EVERY = 50


def code(symbols: int) -> list[bytes]:
    """Whole files, `symbols` bytes in all at least where there are so many."""
    folders = {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")}
    files = {file for folder in folders for file in folder.rglob("*.py") if file.is_file()}
    contents, total = list[bytes](), 0
    for content in sorted({file.read_bytes() for file in files}, key=lambda each: hashlib.sha256(each).digest()):
        if total >= symbols:
            break
        contents.append(content)
        total += len(content) + 1
    return contents


def peak() -> float:
    """MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=20_000_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    items = code(options.symbols)
    end = text.vocabulary(FORMAT).end
    values = Sequences.of(np.append(np.frombuffer(item, dtype=np.uint8).astype(np.int16), end) for item in items)
    whole = Corpus("text", values, np.zeros(len(items), dtype=np.int64))
    held = np.arange(len(items)) % EVERY == 0
    train, validation = whole.take(~held), whole.take(held)
    model = ngram.build(ngram.Config(most_symbols=options.symbols), Shape("text", (), FORMAT))
    before, begun, wall, losses = peak(), time.process_time(), time.monotonic(), list[float]()
    model.fit(train, validation, lambda step, total, validation_loss: losses.append(validation_loss / np.log(2)))
    row = {
        "symbols": len(train.sequences.symbols),
        "validation_symbols": len(validation.sequences.symbols),
        "processor_seconds": round(time.process_time() - begun, 1),
        "seconds": round(time.monotonic() - wall, 1),
        "peak_grown_by_mb": round(peak() - before),
        "peak_mb": round(peak()),
        "order": model.order,
        "bits_a_byte_by_order": [round(loss, 4) for loss in losses],
        "model_mb": round(sum(tensor.nbytes for tensor in model.state_dict().values()) / 2**20),
        "machine": {"platform": platform.platform(), "cores": os.cpu_count(), "numpy": np.__version__},
    }
    print(json.dumps(row, indent=1))
    if options.out:
        options.out.write_text(json.dumps(row, indent=1) + "\n")


if __name__ == "__main__":
    main()
