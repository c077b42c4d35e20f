"""Files in the format of MNIST, made here."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aigc_models.errors import BadInput, no_content
from tasks.ingest import source
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import idx


def images(count: int, height: int = 3, width: int = 4, claimed: int | None = None) -> bytes:
    pixels = bytes(at % 256 for at in range(count * height * width))
    return struct.pack(">4I", 0x803, count if claimed is None else claimed, height, width) + pixels


def labels(*values: int) -> bytes:
    return struct.pack(">2I", 0x801, len(values)) + bytes(values)


def of(path: Path, **fields: object) -> SourceSettings:
    return SourceSettings.model_validate({"name": "a", "location": str(path), **fields})


def items(path: Path, **fields: object) -> list[RawItem]:
    settings = of(path, **fields)
    return list(source.read(settings, source.modality(settings)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(images(3)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels(1, 0, 1)))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(images(1))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(labels(0))
    return tmp_path


def test_pictures_with_labels_and_splits(folder: Path) -> None:
    raw_items = items(folder, options={"classes": "shirt, boot"})
    assert [(item.source, item.label, item.split) for item in raw_items] == [
        ("t10k-images-idx3-ubyte#1", "shirt", "test"),
        ("train-images-idx3-ubyte#1", "boot", "train"),
        ("train-images-idx3-ubyte#2", "shirt", "train"),
        ("train-images-idx3-ubyte#3", "boot", "train"),
    ]
    pixels = np.asarray(Image.open(io.BytesIO(raw_items[2].payload)))
    assert pixels.tolist() == np.arange(12, 24).reshape(3, 4).tolist()


def test_packed_or_not_they_are_the_same_items(folder: Path) -> None:
    packed = items(folder)
    assert packed[1].label == "1"
    place = folder / "train-images-idx3-ubyte.gz"
    place.with_suffix("").write_bytes(gzip.decompress(place.read_bytes()))  # both are there now
    assert [(item.id, item.label) for item in items(folder)] == [(item.id, item.label) for item in packed]


def test_one_file_alone_and_without_labels(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert [item.label for item in items(folder / "t10k-images-idx3-ubyte")] == [None]
    assert {item.label for item in items(folder, label="none")} == {None}


def test_the_fingerprint_follows_the_labels_too(folder: Path) -> None:
    before = source.content_digest(of(folder))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(labels(1))
    assert source.content_digest(of(folder)) != before


@pytest.mark.parametrize("packed", [False, True])
def test_of_a_file_that_was_cut_off_what_is_left_is_kept(tmp_path: Path, packed: bool) -> None:
    whole = gzip.compress(np.random.default_rng(0).bytes(0) + images(200), 0) if packed else images(200)
    place = tmp_path / f"train-images-idx3-ubyte{'.gz' if packed else ''}"
    place.write_bytes(whole[: len(whole) // 2])
    *kept, end = items(place)
    assert len(kept) > 90
    assert all(item.payload for item in kept)
    assert "of 200 pictures are missing" in str(no_content(end.name))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no idx file"),
        (b"\0\0\x0d\3" + images(1)[4:], "is no idx file"),
        (images(1, claimed=2**32 - 1), "its labels are 1"),
        (struct.pack(">4I", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1), "is it what its name says"),
        (struct.pack(">4I", 0x803, 1, 0, 0), "0 x 0 pixels"),
    ],
)
def test_headers_that_lie_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(content)
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(labels(0))
    with pytest.raises(BadInput, match=message):
        items(tmp_path)


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx, "TOTAL", 1000)
    (tmp_path / "a-images-idx3-ubyte.gz").write_bytes(gzip.compress(images(80)))
    raw_items = items(tmp_path)
    assert len(raw_items) == 80
    (tmp_path / "a-images-idx3-ubyte.gz").write_bytes(gzip.compress(images(84)))
    with pytest.raises(BadInput, match="1,008 values"):
        items(tmp_path)


def test_what_does_not_fit(folder: Path) -> None:
    with pytest.raises(BadInput, match="has the class 1, and there are 1 names"):
        items(folder, options={"classes": "shirt"})
    with pytest.raises(BadInput, match="say --modality image"):
        items(folder, modality="text")
    with pytest.raises(BadInput, match="does not fit"):
        items(folder, label="folder")
