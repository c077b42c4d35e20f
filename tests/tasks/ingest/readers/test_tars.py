"""Tar archives with headers that make no sense, or are bombs."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from tasks.ingest.readers import tars
from tasks.ingest.readers.packed import Budget, Packed


def entries(path: Path) -> list[Packed]:
    return list(tars.walk(path, lambda number, name: 1_000_000, Budget(path, 10**9, 200)))


def add(tar: tarfile.TarFile, name: str, payload: bytes, kind: bytes = tarfile.REGTYPE) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.type = len(payload), kind
    tar.addfile(info, io.BytesIO(payload))


def test_a_header_in_the_middle_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name in "abc":
            add(tar, name, name.encode())
    raw = bytearray(path.read_bytes())
    raw[1024:1030] = b"\xff" * 6
    path.write_bytes(raw)
    first, last = entries(path)
    assert (first.payload, last.payload) == (b"a", b"")
    assert "damaged at or after 'a' (a header that makes no sense)" in last.problem


def test_an_archive_without_the_mark_of_an_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        add(tar, "a", b"a")
    path.write_bytes(path.read_bytes()[:1024])
    first, last = entries(path)
    assert (first.payload, last.problem.partition("(")[2][:17]) == (b"a", "no mark of an end")


def test_a_header_that_is_a_bomb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        add(tar, "a.png", b"a")
        add(tar, "x", b"\0" * 20_000_000, tarfile.XHDTYPE)
    first, last = entries(path)
    assert (first.payload, last.payload) == (b"a", b"")
    assert "a header of more than 16 MB" in last.problem


def test_a_file_that_claims_a_terabyte_is_not_searched_for_behind_the_end(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = 2**40
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2000))
    first, last = entries(tmp_path / "a.tar")
    assert "has 1,099,512 MB" in first.problem
    assert "the archive ends before its last file does" in last.problem


def test_a_checksum_that_stands_behind_the_end_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "a", b"a")
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))
    first, last = entries(path)
    assert first.payload == b"a"
    assert last.problem.startswith("damaged behind its last file (its bytes do not fit its checksum)")
