"""The binary version of CIFAR-10, made here with a few records."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aigc_models.errors import BadInput, no_content
from tasks.ingest import source
from tasks.ingest.source import RawItem, SourceSettings


def record(kind: int, red: int) -> bytes:
    return bytes([kind]) + bytes([red]) * 1024 + bytes([10]) * 1024 + bytes([20]) * 1024


FILES = {
    "batches.meta.txt": b"airplane\nautomobile\n\n",
    "data_batch_1.bin": record(1, 100) + record(0, 101),
    "readme.html": b"<html>",
    "test_batch.bin": record(1, 102),
}


def folder(place: Path, content: dict[str, bytes] = FILES) -> Path:
    place.mkdir()
    for name, held in content.items():
        (place / name).write_bytes(held)
    return place


def archive(place: Path, content: dict[str, bytes] = FILES) -> Path:
    with tarfile.open(place, "w:gz") as tar:
        for name, held in content.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(held)
            tar.addfile(info, io.BytesIO(held))
    return place


def items(path: Path, **fields: object) -> list[RawItem]:
    settings = SourceSettings.model_validate({"name": "a", "location": str(path), **fields})
    return list(source.read(settings, source.modality(settings)))


def test_a_folder_and_the_archive_give_the_same(tmp_path: Path) -> None:
    raw_items = items(folder(tmp_path / "cifar-10-batches-bin"))
    assert [(item.source, item.label, item.split) for item in raw_items] == [
        ("data_batch_1.bin#1", "automobile", "train"),
        ("data_batch_1.bin#2", "airplane", "train"),
        ("test_batch.bin#1", "automobile", "test"),
    ]
    pixels = np.asarray(Image.open(io.BytesIO(raw_items[0].payload)))
    assert pixels.shape == (32, 32, 3)
    assert pixels[5, 7].tolist() == [100, 10, 20]
    assert items(archive(tmp_path / "cifar-10-binary.tar.gz")) == raw_items


def test_other_archives_are_read_as_archives(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"mixed kinds|can be read is"):
        items(archive(tmp_path / "other.tar.gz"))


def test_without_names_and_without_labels(tmp_path: Path) -> None:
    content = {name: held for name, held in FILES.items() if name != "batches.meta.txt"}
    place = folder(tmp_path / "a", content)
    assert [item.label for item in items(place)] == ["1", "0", "1"]
    assert {item.label for item in items(place, label="none")} == {None}


def test_records_that_are_cut_off_or_of_no_class(tmp_path: Path) -> None:
    content = {**FILES, "data_batch_1.bin": record(7, 1) + record(0, 2) + record(1, 3)[:100]}
    raw_items = items(folder(tmp_path / "a", content))
    assert [bool(item.payload) for item in raw_items] == [False, True, False, True]
    assert str(no_content(raw_items[0].name)) == "has the class 7, there are 2 names"
    assert "cut off" in str(no_content(raw_items[2].name))


def test_an_archive_that_is_damaged_or_another_one(tmp_path: Path) -> None:
    place = archive(tmp_path / "cifar-10-binary.tar.gz", {"a.txt": b"x"})
    with pytest.raises(BadInput, match="is it the binary version"):
        items(place)
    archive(place)
    place.write_bytes(place.read_bytes()[:120])
    with pytest.raises(BadInput, match="damaged"):
        items(place)
    with pytest.raises(BadInput, match="say --modality image"):
        items(place, modality="text")
