"""CIFAR-10 as its authors publish it for C programs: `cifar-10-binary.tar.gz`, or the folder that it unpacks to.

A record is a byte for the class and 3,072 for a picture of 32 x 32 pixels, red, green and blue one after the other; the names
of the classes stand in `batches.meta.txt`. `data_batch_*.bin` is for training, `test_batch.bin` the test.
https://www.cs.toronto.edu/~kriz/cifar.html (Krizhevsky 2009).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aigc_models.errors import BadInput, unusable
from tasks.ingest.readers import files, linked, packed, pixels, tars
from tasks.ingest.readers.digests import digests
from tasks.ingest.source import RawItem, SourceSettings

NAMES = "batches.meta.txt"
TRAIN, TEST = tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"
SIDE, PLANES = 32, 3
RECORD = 1 + PLANES * SIDE * SIDE
LARGEST = 100_000_000  # bytes of a file of records; those published have 30,730,000
TOTAL, RATIO = 1_000_000_000, 200  # bytes that come out of the archive


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    if path.is_file():
        return path.name.startswith("cifar-10-binary") and path.name.endswith((".tar.gz", ".tar"))
    return path.is_dir() and any((path / name).is_file() for name in (*TRAIN, TEST))


def content_files(source: SourceSettings) -> list[Path]:
    if source.path.is_file():
        return [source.path]
    there = (source.path / name for name in (NAMES, *TRAIN, TEST))
    return linked.checked([file for file in there if file.is_file()], source)


def fingerprint(source: SourceSettings) -> str:
    whole, paths = hashlib.sha256(), content_files(source)
    for file, digest in zip(paths, digests(paths), strict=True):
        whole.update(f"{file.name}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    return "image"


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """The pictures as PNG with the names of their classes, by file and place."""
    if modality != "image":
        raise BadInput(f"{source.location} holds pictures: say --modality image, or nothing")
    source.labels.needs(("",), source.location)
    names = next((content.decode("utf-8", "replace").split() for _, content in _contents(source, (NAMES,))), [])
    paths = 0
    for name, content in _contents(source, (*TRAIN, TEST)):
        paths += 1
        yield from _pictures(name, content, names, source.labels.kind != "none")
    if not paths:
        raise BadInput(f"{source.location} holds none of {TRAIN[0]} to {TEST}; is it the binary version of CIFAR-10?")


def _contents(source: SourceSettings, wanted: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each of these files, in the order in which they lie; nothing is unpacked to the disk."""
    if source.path.is_dir():
        for file in content_files(source):
            if file.name in wanted:
                with file.open("rb") as handle:
                    yield file.name, handle.read(LARGEST)
        return
    sizes = dict.fromkeys(wanted, LARGEST)
    budget = packed.Budget(source.path, TOTAL, RATIO)
    for entry in tars.walk(source.path, lambda _, name: sizes.get(PurePosixPath(name).name, 0), budget):
        name = PurePosixPath(entry.name).name
        if entry.problem and (name in wanted or not name):
            raise BadInput(f"{source.path.name}: {entry.name or 'the archive'} {entry.problem}")
        if name in wanted:
            yield name, entry.payload


def _pictures(file: str, content: bytes, names: list[str], labelled: bool) -> Iterator[RawItem]:
    split = files.SPLITS["test" if file == TEST else "train"]
    for number, start in enumerate(range(0, len(content), RECORD), start=1):
        record, source = content[start : start + RECORD], f"{file}#{number}"
        kind = record[0]
        problem = "cut off: the file ends before the picture does" if len(record) < RECORD else ""
        problem = problem or (f"has the class {kind}, there are {len(names)} names" if names and kind >= len(names) else "")
        if problem:
            yield RawItem(b"", unusable(f"{file} {number}", problem), source, split=split)
        else:
            label = (names[kind] if names else str(kind)) if labelled else None
            yield RawItem(pixels.png(record[1:], SIDE, SIDE, PLANES), f"{file} {number}", source, label, split=split)
