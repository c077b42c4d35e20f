"""How fast training reads its batches, beside decoding the same items anew.

    AIGC_MIRROR=DIR python benchmarks/reading.py --out benchmarks/results/reading.json

An epoch of batches of 64 in random order: from the memory-mapped arrays that `tasks/encode.py` writes, through the loader
that training uses (`aigc_models.corpus.Shuffled`); and from the packed items in memory, unpacked, encoded and made tensors,
the same items in the same order. Both run one after the other, several times in turn; the figure is the median of ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SETS = {"image": ("cifar10_subset", "*.jpg"), "audio": ("fsdd", "*.wav"), "text": ("financial_phrasebank", "*50Agree.txt")}
BATCH = 64
ROUNDS = 5


def packed(kind: str, mirror: Path, count: int) -> list[bytes]:
    """Items as they lie in the clean table."""
    from aigc_models.find import find

    modality = find("aigc_models.modalities", kind)
    folder, pattern = SETS[kind]
    files = sorted((mirror / folder).rglob(pattern))
    if kind == "text":
        payloads = files[0].read_text("latin-1").encode("utf-8").splitlines()
    else:
        payloads = [file.read_bytes() for file in files[:: max(1, len(files) // count)]]
    return [modality.pack(modality.normalise(modality.read(payload, "item"))) for payload in payloads[:count]]


def corpus_of(kind: str, items: list[bytes], folder: Path) -> tuple[Any, Any]:
    """The format, and the corpus as training finds it: on disk, memory-mapped."""
    from aigc_models.corpus import Corpus
    from aigc_models.find import find

    modality = find("aigc_models.modalities", kind)
    contents = [modality.unpack(item) for item in items]
    format = modality.choose_format(contents)
    Corpus(kind, modality.encode(contents, format), np.zeros(len(items), dtype=np.int64)).save(folder)
    return format, Corpus.load(folder, kind)


def orders(count: int, epoch: int) -> Iterator[np.ndarray]:
    order = np.random.default_rng(epoch).permutation(count)
    yield from (order[start : start + BATCH] for start in range(0, count, BATCH))


def read_epoch(corpus: Any, epoch: int) -> float:
    """Seconds for the batches of an epoch through the loader."""
    from aigc_models.corpus import Shuffled

    batches = Shuffled(corpus, BATCH, 0)
    steps = -(-len(corpus) // BATCH)
    began = time.perf_counter()
    for step in range(epoch * steps, (epoch + 1) * steps):
        batches(step)
    return time.perf_counter() - began


def decode_epoch(kind: str, items: list[bytes], format: Any, epoch: int) -> float:
    """Seconds for the same number of batches, decoded anew."""
    from aigc_models.find import find

    modality = find("aigc_models.modalities", kind)
    began = time.perf_counter()
    for index in orders(len(items), epoch):
        modality.tensor(modality.encode([modality.unpack(items[at]) for at in index], format))
    return time.perf_counter() - began


def measured(kind: str, mirror: Path, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        items = packed(kind, mirror, count)
        format, corpus = corpus_of(kind, items, Path(scratch))
        read_epoch(corpus, 0)
        pairs = [(read_epoch(corpus, epoch), decode_epoch(kind, items, format, epoch)) for epoch in range(ROUNDS)]
    read, decoded = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return {
        "modality": kind,
        "items": len(items),
        "format": format.model_dump(),
        "read_items_a_second": round(len(items) / read),
        "decoded_items_a_second": round(len(items) / decoded),
        "times_faster": round(statistics.median(slow / fast for fast, slow in pairs), 1),
        "each_round": [round(slow / fast, 1) for fast, slow in pairs],
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--items", type=int, default=3000)
    arguments.add_argument("--out", type=Path)
    asked = arguments.parse_args()
    runs = [measured(kind, Path(os.environ["AIGC_MIRROR"]), asked.items) for kind in SETS]
    for run in runs:
        print(json.dumps({name: value for name, value in run.items() if name != "format"}), flush=True)
    if asked.out:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
