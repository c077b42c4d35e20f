from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from aigc_models.modalities import series
from tasks.ingest.source import RawItem, SourceSettings, fingerprint, modality, plugin, read
from tasks.ingest.sources import compressed

TEXTS = [f"the {at}th of these is a text of words" for at in range(60)]
NUMBERS = "\n".join(f"{at % 7}.5,{at % 3}.25" for at in range(50)).encode()


def items(path: Path, **named: str) -> tuple[str, list[RawItem]]:
    source = SourceSettings(name="a", location=str(path), **named)
    assert plugin(source) is compressed
    return modality(source), list(read(source, modality(source)))


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_tables_and_texts(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    table = "\n".join(["kind,text", *(f"{'spam' if at % 4 else 'ham'},{text}" for at, text in enumerate(TEXTS))])
    (tmp_path / f"t.csv.{suffix}").write_bytes(pack(table.encode()))
    kind, raw_items = items(tmp_path / f"t.csv.{suffix}")
    assert (kind, [item.payload.decode() for item in raw_items]) == ("text", TEXTS)
    assert (raw_items[0].source, raw_items[0].label) == ("t.csv#1", "ham")
    (tmp_path / f"t.txt.{suffix}").write_bytes(pack("\n".join(TEXTS).encode()))
    kind, raw_items = items(tmp_path / f"t.txt.{suffix}", label="line:@")
    assert (kind, [item.payload.decode() for item in raw_items]) == ("text", TEXTS)


def test_numbers_without_dates_are_steps(tmp_path: Path) -> None:
    (tmp_path / "rates.txt.gz").write_bytes(gzip.compress(NUMBERS))
    kind, (item,) = items(tmp_path / "rates.txt.gz")
    content = series.read(item.payload, item.name)
    assert (kind, content.steps, content.values[:, 0].tolist()) == ("series", 50, [0.5, 0.25])
    (item,) = read(SourceSettings(name="a", location=str(tmp_path / "rates.txt.gz")), "text")
    assert item.payload == NUMBERS


def test_what_is_in_it_may_change(tmp_path: Path) -> None:
    path = tmp_path / "t.txt.gz"
    path.write_bytes(gzip.compress(b"first words"))
    before = fingerprint(SourceSettings(name="a", location=str(path)))
    path.write_bytes(gzip.compress(b"other words, and more"))
    assert items(path)[1][0].payload == b"other words, and more"
    assert fingerprint(SourceSettings(name="a", location=str(path))) != before


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"not packed at all", "t.csv.gz is damaged or not packed as its name says"),
        (gzip.compress(NUMBERS)[:-12], "t.csv.gz is damaged or not packed as its name says: it ends too early"),
        (gzip.compress(bytes(150_000_000), 1), "as a decompression bomb does"),
    ],
    ids=["not packed", "cut off", "a bomb"],  # the bytes hold the time at which they were packed
)
def test_damage_and_bombs_are_named(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "t.csv.gz").write_bytes(raw)
    with pytest.raises(BadInput, match=message):
        items(tmp_path / "t.csv.gz")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.gz").write_bytes(gzip.compress(bytes(range(256))))
    with pytest.raises(BadInput, match=r"holds t \(binary\), which cannot be read"):
        items(tmp_path / "t.gz")
