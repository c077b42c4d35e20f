"""Pictures in the format of MNIST: `*-images-idx3-ubyte` files beside `*-labels-idx1-ubyte` files, plain or packed with gzip.

    aigc data add fashion fashion/ --option "classes=T-shirt,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Boot"

Files whose name begins with `train` are for training, those with `t10k` or `test` are the test. The format:
http://yann.lecun.com/exdb/mnist (LeCun, Cortes and Burges).
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unusable
from tasks.ingest.readers import linked, packed, pixels
from tasks.ingest.readers.digests import digests
from tasks.ingest.source import RawItem, SourceSettings, options

IMAGES = re.compile(r"(?P<set>[\w-]+?)[-.]images[-.]idx3-ubyte(\.gz)?")
SPLITS = {"train": "train", "t10k": "test", "test": "test"}
BYTES = 0x08  # the type of the values: one unsigned byte
LARGEST = 50_000_000  # pixels of a picture
TOTAL, RATIO = 100_000_000_000, 1_100  # bytes that come out of a file: gzip packs no better than 1,032 to 1


class Options(BaseModel):
    """What the numbers of the labels mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: str = Field("", description="names of the classes from 0 on, with commas; numbers if left out")


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return bool(IMAGES.fullmatch(path.name)) if path.is_file() else path.is_dir() and bool(_images(path))


def fingerprint(source: SourceSettings) -> str:
    whole, paths = hashlib.sha256(), content_files(source)
    for file, digest in zip(paths, digests(paths), strict=True):
        whole.update(f"{file.name}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    return "image"


def content_files(source: SourceSettings) -> list[Path]:
    """The files of pictures, and those of their labels."""
    images = _images(source.path)
    return linked.checked([file for image in images for file in (image, _labels_of(image)) if file], source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """The pictures as PNG, by file and place."""
    if modality != "image":
        raise BadInput(f"{source.location} holds pictures: say --modality image, or nothing")
    source.labels.needs(("",), source.location)
    names = [name.strip() for name in options(source, Options).classes.split(",") if name.strip()]
    content_files(source)  # which refuses links that lead out
    for file in _images(source.path):
        yield from _pictures(file, names if source.labels.kind != "none" else None)


def _images(path: Path) -> list[Path]:
    """The files of pictures; of one that is there packed and plain, the plain one."""
    if path.is_file():
        return [path]
    paths = sorted(file for file in path.iterdir() if IMAGES.fullmatch(file.name) and file.is_file())
    return [file for file in paths if file.suffix != ".gz" or file.with_suffix("") not in paths]


def _labels_of(images: Path) -> Path | None:
    name = images.name.replace("images", "labels").replace("idx3", "idx1")
    place = images.with_name(name)
    others = (place, place.with_suffix("") if place.suffix == ".gz" else place.with_name(f"{name}.gz"))
    return next((file for file in others if file.is_file()), None)


def _pictures(file: Path, names: list[str] | None) -> Iterator[RawItem]:
    """`names` are those of the classes; empty for numbers, None for no labels."""
    paths = IMAGES.fullmatch(file.name)
    split = SPLITS.get(paths["set"]) if paths else None
    labels = _labels(file, names) if names is not None else None
    with _opened(file, 3) as (handle, (count, height, width)):
        if labels is not None and len(labels) != count:
            raise BadInput(f"{file.name} says that it holds {count:,} pictures, its labels are {len(labels):,}")
        if not 0 < height * width <= LARGEST:
            raise BadInput(f"{file.name} says that its pictures are {width} x {height} pixels; is it what its name says?")
        for number in range(1, count + 1):
            part = handle.read(height * width)
            whole = len(part) == height * width
            name = f"{file.name} {number}"
            name = name if whole else unusable(name, f"cut off: {count - number + 1:,} of {count:,} pictures are missing")
            label = labels[number - 1] if labels is not None else None
            content = pixels.png(part, height, width) if whole else b""
            yield RawItem(content, name, f"{file.name.removesuffix('.gz')}#{number}", label, split=split)
            if not whole:
                return


def _labels(images: Path, names: list[str]) -> list[str | None] | None:
    file = _labels_of(images)
    if file is None:
        return None
    with _opened(file, 1) as (handle, (count,)):
        values = handle.read(min(count, TOTAL))
    if names and values and max(values) >= len(names):
        raise BadInput(f"{file.name} has the class {max(values)}, and there are {len(names)} names (option classes)")
    return [names[value] if names else str(value) for value in values]


@contextmanager
def _opened(file: Path, dimensions: int) -> Iterator[tuple[IO[bytes] | _Bounded, tuple[int, ...]]]:
    """What comes after the header, and the size of each dimension; raises `BadInput` for what is no such file."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as raw:
        handle = _Bounded(raw, packed.Budget(file, TOTAL, RATIO))  # type: ignore[arg-type]
        header = handle.read(4 + 4 * dimensions)
        if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, BYTES, dimensions]):
            raise BadInput(f"{file.name} is no idx file of {dimensions} dimensions: its first bytes are others")
        sizes = struct.unpack(f">{dimensions}I", header[4:])
        if math.prod(sizes) > TOTAL:
            raise BadInput(f"{file.name} says that it holds {math.prod(sizes):,} values; is it what its name says?")
        yield handle, sizes


class _Bounded:
    """Counts what comes out; of a damaged file what comes before the damage, and in small parts whatever is asked for."""

    def __init__(self, raw: IO[bytes], budget: packed.Budget) -> None:
        self.raw, self.budget = raw, budget

    def read(self, size: int) -> bytes:
        paths = bytearray()
        try:
            while len(paths) < size and (part := self.raw.read(min(packed.CHUNK, size - len(paths)))):
                self.budget.take(len(part))
                paths += part
        except packed.DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise
        return bytes(paths)
