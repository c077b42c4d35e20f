"""Zip and tar archives: the same items as the folder that they were made of, and what does not get in."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

from aigc_models.errors import BadInput
from tasks.ingest.readers import files, packed
from tasks.ingest.source import RawItem, SourceSettings, plugin
from tasks.ingest.sources import archive, folder

PICTURES = {"train/cat/2.png": b"b", "train/cat/1.png": b"a", "test/dog/1.png": b"c", ".git/x.png": b"d", "README.md": b"e"}
KINDS = ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"]


def pack(path: Path, content: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, payload in content.items():
                zipped.writestr(name, payload)
        return path
    openers: dict[str, Any] = {".tar": open, ".bz2": partial(bz2.open, compresslevel=1), ".xz": lzma.open}
    with openers.get(path.suffix, gzip.open)(path, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name, payload in content.items():
            add(tar, name, payload)
    return path


def add(tar: tarfile.TarFile, name: str, payload: bytes = b"", **fields: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(payload)
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(payload))


def settings(path: Path, **options: Any) -> SourceSettings:
    return SourceSettings(name="a", location=str(path), **options)


def items(path: Path, modality: str = "image", **options: Any) -> list[RawItem]:
    return list(archive.read(settings(path, **options), modality))


@pytest.mark.parametrize("name", KINDS)
def test_items_are_those_of_the_folder(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, PICTURES)
    for file, payload in PICTURES.items():
        (tmp_path / "plain" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / file).write_bytes(payload)
    assert plugin(settings(path)) is archive
    assert archive.modality(settings(path)) == "image"
    raw_items = items(path, split="folder")
    assert raw_items == items(path, split="folder")
    expected = list(folder.read(settings(tmp_path / "plain", split="folder"), "image"))
    assert sorted(raw_items, key=lambda item: item.source) == expected
    assert [item.source for item in raw_items] == ["train/cat/2.png", "train/cat/1.png", "test/dog/1.png"]


def test_the_folder_that_all_lies_in_is_neither_label_nor_split(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", {f"./pets/{name}": payload for name, payload in PICTURES.items()} | {"pets/x.png": b"x"})
    raw_items = items(path, split="folder")
    assert [(item.source, item.label, item.split) for item in raw_items] == [
        ("pets/train/cat/2.png", "cat", "train"),
        ("pets/train/cat/1.png", "cat", "train"),
        ("pets/test/dog/1.png", "dog", "test"),
        ("pets/x.png", None, None),
    ]


@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_texts_are_cut_and_labelled_as_in_a_folder(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, {"b/long.txt": b"word " * 500, "a/short": b"two words", "c.csv": b"a,b"})
    with pytest.raises(BadInput, match=r"mixed kinds: 2 text, 1 \.csv; say which to take with --modality"):
        archive.modality(settings(path))
    raw_items = items(path, "text", label="folder")
    assert [(item.source, item.label, item.group) for item in raw_items] == [
        ("b/long.txt#1", "b", "b/long.txt"),
        ("b/long.txt#2", "b", "b/long.txt"),
        ("b/long.txt#3", "b", "b/long.txt"),
        ("a/short", "a", None),
    ]
    assert {item.label for item in items(path, "text", label="name:^(.)")} == {"l", "s"}


def test_of_files_with_one_name_the_last_counts(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, "a.png", b"old")
        add(tar, "b.png", b"b")
        add(tar, "a.png", b"new")
    assert [(item.source, item.payload) for item in items(tmp_path / "a.tar")] == [("b.png", b"b"), ("a.png", b"new")]


def test_entries_of_a_tar_that_are_no_plain_files_are_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        add(tar, "a.png", b"a")
        add(tar, "link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(tar, "hard.png", type=tarfile.LNKTYPE, linkname="a.png")
        add(tar, "null.png", type=tarfile.CHRTYPE)
        add(tar, "../../up.png", b"u")
        add(tar, "/etc/down.png", b"d")
        add(tar, "more.tar.gz", b"x")
        add(tar, "b.png", b"b")
    raw_items = items(tmp_path / "a.tar.gz")
    assert archive.modality(settings(tmp_path / "a.tar.gz")) == "image"
    assert [item.payload for item in raw_items] == [b"a", *[b""] * 6, b"b"]
    reasons = ["link to /etc/passwd", "link to a.png", "a device", "leads out", "absolute name", "archive inside an archive"]
    assert all(reason in item.name for reason, item in zip(reasons, raw_items[1:], strict=False))


def test_entries_of_a_zip_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("a.png", b"fine")
        zipped.writestr("damaged.png", b"payload-to-damage")
        zipped.writestr("..\\..\\up.png", b"x")
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "a.png")
        zipped.writestr("inner.zip", b"x")
        zipped.writestr("secret.png", b"x")
    raw = path.read_bytes().replace(b"payload-to-damage", b"payload_to_damage")
    entry = raw.index(b"PK\x01\x02", raw.rindex(b"PK\x01\x02") - 1)  # of secret.png in the table of contents
    path.write_bytes(raw[: entry + 8] + b"\x01" + raw[entry + 9 :])
    raw_items = items(path)
    assert [item.payload for item in raw_items] == [b"fine", *[b""] * 5]
    reasons = ["do not fit its checksum", "leads out", "is a link", "archive inside an archive", "is encrypted"]
    assert all(reason in item.name for reason, item in zip(reasons, raw_items[1:], strict=True))


def test_a_damaged_file_without_a_suffix_is_named_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("a.txt", b"fine")
        zipped.writestr("b", b"payload-to-damage")
    path = tmp_path / "a.zip"
    path.write_bytes(path.read_bytes().replace(b"payload-to-damage", b"payload_to_damage"))
    fine, damaged = items(path, "text")
    assert (fine.payload, damaged.payload, damaged.source) == (b"fine", b"", "b")
    assert "do not fit its checksum" in damaged.name


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("share", [0.4, 0.6, 0.97])
def test_of_a_tar_that_was_cut_off_the_rest_is_read(tmp_path: Path, name: str, share: float) -> None:
    noise = random.Random(0)
    content = {f"{number}.png": noise.randbytes(5_000) for number in range(60)}
    path = pack(tmp_path / name, content)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    *whole, last = items(path)
    assert [(item.source, item.payload) for item in whole] == list(content.items())[: len(whole)]
    assert len(whole) > 60 * share - 21  # bzip2 gives whole blocks alone
    assert last.payload == b""
    assert last.source == name
    assert "damaged at or after" in last.name


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_a_file_that_is_too_large_is_named(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 10_000)
    path = pack(tmp_path / name, {"a.png": b"x" * 10_001, "b.png": b"y"})
    large, small = items(path)
    assert (large.payload, small.payload) == (b"", b"y")
    assert "the limit is 0 MB" in large.name


def test_a_zip_whose_header_lies_about_the_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FLOOR", 10_000)
    path = pack(tmp_path / "a.zip", {"bomb.png": b"\0" * 3_000_000, "b.png": b"y" * 99})
    raw = path.read_bytes()
    path.write_bytes(raw.replace((3_000_000).to_bytes(4, "little"), (99).to_bytes(4, "little")))
    bomb, small = items(path)
    assert (bomb.payload, small.payload) == (b"", b"y" * 99)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz"])
def test_bombs_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FLOOR", 10_000)
    path = pack(tmp_path / name, {f"{number}.png": b"\0" * 1_000_000 for number in range(5)})
    many = {"ratio": "100000"}
    assert len(items(path, options=many)) == 5
    with pytest.raises(BadInput, match="option total=BYTES"):
        items(path, options=many | {"total": "3000000"})
    with pytest.raises(BadInput, match=r"option of .*total"):
        items(path, options={"total": "much"})
    with pytest.raises(BadInput, match="as a decompression bomb does"):
        items(path, options={"ratio": "10"})


def test_a_bomb_in_a_zip_of_honest_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FLOOR", 10_000)
    path = pack(tmp_path / "a.zip", {"bomb.png": b"\0" * 1_000_000, "b.png": random.Random(0).randbytes(20_000)})
    bomb, honest = items(path)
    assert (bomb.payload, len(honest.payload)) == (b"", 20_000)
    assert "is it a bomb?" in bomb.name


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"PK\x03\x04 and no more", "is no zip archive, or damaged from its start"),
        ("a.zip", b"", "is no archive|damaged"),
        ("a.tar", b"x" * 2000, "is no archive, or damaged from its start"),
        ("a.tgz", b"\x1f\x8b\x08 and no more", "is no archive, or damaged from its start"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        archive.modality(settings(tmp_path / name))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "holds no file that can be read"),
        ({"a.csv": b"a,b"}, "a.csv has a header and no rows"),
        ({"a.zip": b""}, "no file that can be read: a.zip: is an archive inside an archive"),
        ({"a.pdf": b"%PDF-1.4"}, "holds 1 .pdf; what can be read is"),
    ],
)
@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_what_holds_nothing_of_use_is_refused(tmp_path: Path, name: str, content: dict[str, bytes], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        archive.modality(settings(pack(tmp_path / name, content)))


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", PICTURES)
    before = archive.fingerprint(settings(path))
    assert before == archive.fingerprint(settings(path))
    assert before != archive.fingerprint(settings(pack(path, {"a.png": b"x"})))


TABLES = {"x/may.csv": b"text;kind\nfirst;a\nsecond;b\n", "x/june.csv": b"text;kind\nthird;a\n", "x/README.md": b"notes"}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_rows_of_tables_are_items_under_the_name_of_their_table(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / name, TABLES)
    given = settings(path, content="text", label="column:kind", options={"delimiter": ";"})
    assert plugin(given).modality(given) == "text"
    raw_items = list(archive.read(given, "text"))
    assert [(item.source, item.payload, item.label) for item in raw_items] == [
        ("x/may.csv#1", b"first", "a"),
        ("x/may.csv#2", b"second", "b"),
        ("x/june.csv#1", b"third", "a"),
    ]


def test_tables_of_other_kinds_are_read_from_memory_too(tmp_path: Path) -> None:
    held = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": ["one", "two"]}), held)
    lines = b'{"text": "three"}\n{"text": "four"}\n'
    path = pack(tmp_path / "a.zip", {"a.parquet": held.getvalue(), "b.jsonl": lines})
    assert [item.payload for item in items(path, "text")] == [b"one", b"two", b"three", b"four"]


def test_a_table_that_is_none_is_named(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.csv": b"text\nfirst\n", "b.parquet": b"no such thing"})
    with pytest.raises(BadInput, match=r"b\.parquet"):
        items(path, "text")


def test_a_table_too_large_for_memory_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "TABLE", 50)
    path = pack(tmp_path / "a.zip", {"a.csv": b"text\nfirst\n", "b.csv": b"text\n" + b"x" * 50})
    first, aside = items(path, "text")
    assert first.payload == b"first"
    assert (aside.source, aside.payload) == ("b.csv", b"")
    assert "too much to read from an archive; unpack it" in aside.name


def test_series_in_an_archive_and_options_of_tables_for_files_are_refused(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-{day:02},{day}\n" for day in range(1, 29)).encode()
    with pytest.raises(BadInput, match="holds tables of series; unpack it"):
        items(pack(tmp_path / "a.zip", {"a.csv": b"time,load\n" + rows}), "series")
    with pytest.raises(BadInput, match=r"option 'delimiter' does not fit .*: it holds no tables"):
        items(pack(tmp_path / "b.zip", PICTURES), options={"delimiter": ";"})


def test_a_zip_with_an_entry_without_a_name_or_a_program_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for name in ("", "a.png"):
            zipped.writestr(zipfile.ZipInfo(name), b"a")
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert {item.source: item.payload for item in items(path)}["a.png"] == b"a"


def test_what_lies_beside_the_content_is_said_and_what_decodes_is_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {"r.pos": b"good\nbetter\n", "r.neg": b"bad\n", "README.md": b"x", ".DS_Store": b"x", "1.png": b"\x89PNG"}
    path = pack(tmp_path / "a.zip", content)
    lines = items(path, "text", label="name:[.]([^.]+)$", options={"items": "lines"})
    assert {(item.source, item.label) for item in lines} == {("r.neg#1", "neg"), ("r.pos#1", "pos"), ("r.pos#2", "pos")}
    said = capsys.readouterr().err
    assert "left out: .DS_Store, README.md" in said
    assert "1 file is left out, being no text: 1 .png" in said
