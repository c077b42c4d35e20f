"""How fast training reads its batches, beside decoding the same items anew.

    AIGC_MIRROR=DIR python benchmarks/reading.py --out benchmarks/results/reading.json

An epoch of batches of 64 in random order: from the memory-mapped arrays that `tasks/train/encode.py` writes, through the loader
that training uses (`aigc_models.corpus.Shuffled`); and from the clean table, read, unpacked, encoded and made tensors, as many
batches of as many items. Both run one after the other, several times in turn; the figure is the median of ratios. Beside
it stands the ratio where the packed items are held in memory, so that the table is not read.
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
ROUNDS = 9


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


def write_items(items: list[bytes], path: Path) -> Path:
    """A table like the clean one."""
    import pyarrow

    from tasks.ingest.ingest import write_table

    write_table(pyarrow.table({"content": pyarrow.array(items, pyarrow.binary())}), path)
    return path


def decode_epoch(kind: str, source: Path | list[bytes], format: Any, epoch: int) -> float:
    """Seconds for the same number of batches, decoded anew."""
    from pyarrow import parquet

    from aigc_models.find import find

    modality = find("aigc_models.modalities", kind)
    began = time.perf_counter()
    items = parquet.read_table(source)["content"].to_pylist() if isinstance(source, Path) else source
    for index in orders(len(items), epoch):
        modality.tensor(modality.encode([modality.unpack(items[at]) for at in index], format))
    return time.perf_counter() - began


def measured(kind: str, mirror: Path, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        items = packed(kind, mirror, count)
        table = write_items(items, Path(scratch) / "clean.parquet")
        format, corpus = corpus_of(kind, items, Path(scratch) / "corpus")
        rounds = []
        for epoch in range(ROUNDS + 1):
            decoded = [decode_epoch(kind, source, format, epoch) for source in (table, items)]
            rounds.append((read_epoch(corpus, epoch), *decoded))
    read, from_table, from_memory = zip(*rounds[1:], strict=True)  # the first warms up
    return {
        "modality": kind,
        "items": len(items),
        "format": format.model_dump(),
        "read_items_a_second": round(len(items) / statistics.median(read)),
        "decoded_items_a_second": round(len(items) / statistics.median(from_table)),
        "times_faster": ratio(read, from_table),
        "times_faster_than_from_memory": ratio(read, from_memory),
    }


def ratio(fast: tuple[float, ...], slow: tuple[float, ...]) -> float:
    return round(statistics.median(other / one for one, other in zip(fast, slow, strict=True)), 1)


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
