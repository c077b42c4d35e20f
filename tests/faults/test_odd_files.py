"""Files as disks hold them: names of 255 bytes, with new lines, escapes, bytes that are no text or a leading dash, names that
differ by Unicode's form or by case alone, pipes, sockets, links in circles and out of the folder, deep folders. Nothing is
lost, nothing is opened that may never end, and each that is left out is named.
"""

from __future__ import annotations

import io
import os
import socket
import unicodedata
import wave
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.datasets import settled
from tasks.dataset.tables import shards
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

ODD = "is no file but a pipe, a socket or a device"
LEFT_OUT = {
    "pipe": ODD,
    "socket": ODD,
    "loop": "is a link to nothing",
    "out": "is a link that leads out of the folder; --follow-links takes what it leads to",
    "empty": "zero bytes",
}


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (12, 12, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def sound(seed: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((9000 * np.sin(np.arange(2000) * (0.1 + seed / 40))).astype("<i2").tobytes())
    return buffer.getvalue()


def table(seed: int) -> bytes:
    return ("text,kind\n" + "\n".join(f"line {at} of the table {seed},{'ab'[at % 2]}" for at in range(4))).encode()


def course(seed: int) -> bytes:
    return ("date,v\n" + "\n".join(f"{date(2020, 1, 1) + timedelta(days=at)},{at % 7 + seed}" for at in range(40))).encode()


def tune(seed: int) -> bytes:
    return f"X:1\nM:4/4\nL:1/8\nK:G\n{'CDEFGABc'[seed % 8] * 3}GAB{'CDEFGABc'[seed // 8]}c GABc|]\n".encode()


def text(seed: int) -> bytes:
    return f"the {seed}th of these is a text of some words".encode()


KINDS: dict[str, tuple[Callable[[int], bytes], str, int]] = {
    "pictures": (picture, ".png", 1),
    "texts": (text, ".txt", 1),
    "tables": (table, ".csv", 4),
    "sounds": (sound, ".wav", 1),
    "courses": (course, ".csv", 1),
    "tunes": (tune, ".abc", 1),
}


def lay(folder: Path, make: Callable[[int], bytes], suffix: str) -> int:
    """Write the files, good and odd; how many are good."""
    deep = Path(*["d" * 200] * 15)
    composed = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    good = ["plain", "n" * (255 - len(suffix)), "a\nb\r", "-rf", "\x1b[31mred\x07", *composed, "Same", "same", "SAME"]
    for at, name in enumerate(good):
        (folder / f"{name}{suffix}").write_bytes(make(at))
    (folder / deep).mkdir(parents=True)
    descriptor = os.open(folder / deep.parent, os.O_DIRECTORY)
    with os.fdopen(os.open(f"{deep.name}/x{suffix}", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor), "wb") as file:
        file.write(make(len(good)))
    os.close(descriptor)
    (folder / f"folder{suffix}").mkdir()
    (folder / f"folder{suffix}" / f"in{suffix}").write_bytes(make(len(good) + 1))
    with open(os.fsencode(folder) + b"/\xff\xfe" + suffix.encode(), "wb") as file:
        file.write(make(len(good) + 2))
    os.mkfifo(folder / f"pipe{suffix}")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / f"socket{suffix}"))
    (folder / f"loop{suffix}").symlink_to(folder / f"loop{suffix}")
    (folder / "itself").symlink_to(folder)
    (folder.parent / f"outside{suffix}").write_bytes(make(30))
    (folder / f"out{suffix}").symlink_to(folder.parent / f"outside{suffix}")
    (folder / f"empty{suffix}").write_bytes(b"")
    return len(good) + 3


@pytest.mark.parametrize("kind", KINDS)
def test_odd_files_are_read_or_named(
    kind: str, tmp_path_factory: pytest.TempPathFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path_factory.mktemp("o")  # a short path: those of sockets may have 107 bytes
    make, suffix, items = KINDS[kind]
    (root / "in").mkdir()
    good = lay(root / "in", make, suffix)
    context = StageContext(root, Workspace(root / "w"))
    source = settled(SourceSettings(name="x", location=str(root / "in")))
    folder = clean.plain(ingest.plain(source, context=context), CleanSettings(), context=context).path(context.workspace)
    kept = [name for path in shards(folder) for name in parquet.read_table(path)["source"].to_pylist()]
    assert len(kept) == len(set(kept)) == good * items
    rejected = [row for path in shards(folder, rejected=True) for row in parquet.read_table(path).to_pylist()]
    assert {row["source"].removesuffix(suffix): row["reason"] for row in rejected} == LEFT_OUT
    assert not {"\x1b", "\x07"} & set(capfd.readouterr().err)


@pytest.mark.parametrize("kind", ["pictures", "courses"])
def test_labels_that_look_alike(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, suffix, _ = KINDS[kind]
    names = [unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"), "Cat", "cat"]
    for at, name in enumerate(names):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / f"x{suffix}").write_bytes(make(at))
    context = StageContext(tmp_path, Workspace(tmp_path / "w"))
    folder = ingest.plain(settled(SourceSettings(name="x", location=str(tmp_path / "in"), label="folder")), context=context)
    labels = [
        label for path in shards(folder.path(context.workspace)) for label in parquet.read_table(path)["label"].to_pylist()
    ]
    assert sorted(labels) == ["Cat", "cat", names[0], names[0]]
    assert "labels that differ by case or white space alone are different ones: 'Cat', 'cat'" in capfd.readouterr().err
