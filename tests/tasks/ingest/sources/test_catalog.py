"""Public sets by name: from a made-up mirror, from made-up addresses, and from the real mirror where there is one."""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.readers import catalogue
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import catalog

LINES = b"good news@up\nbad news@down\n"
TONES = {"recordings/1_ann.wav": b"RIFF1", "recordings/2_bob.wav": b"RIFF2"}
PAIR = {
    "t10k-images-idx3-ubyte": struct.pack(">4I", 0x803, 1, 2, 2) + bytes(4),
    "t10k-labels-idx1-ubyte": struct.pack(">2I", 0x801, 1) + bytes([1]),
}
REAL_MIRROR = os.environ.get(catalogue.MIRROR, "")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def near(folder: Path, name: str, content: bytes) -> dict[str, str]:
    """The entry of a file that lies away, of which the md5 alone is published."""
    (folder / "away" / name).write_bytes(content)
    return {"path": name, "md5": hashlib.md5(content).hexdigest(), "url": f"file://{folder}/away/{name}"}


def made_up(folder: Path) -> dict[str, dict[str, Any]]:
    lines = "".join(f"{sha256(content)}  {name.split('/')[1]}\n" for name, content in TONES.items())
    (folder / "away").mkdir()
    (folder / "away/news.txt").write_bytes(LINES)
    with zipfile.ZipFile(folder / "away/tones.zip", "w") as archive:
        for name, content in {**TONES, "setup.py": b"1", "recordings/.DS_Store": b"2"}.items():
            archive.writestr(f"tones-1/{name}", content)
    common = {"home": "https://example.org", "licence": "CC0"}
    news = {"path": "news.txt", "sha256": sha256(LINES), "url": f"file://{folder}/away/news.txt"}
    tones = {"url": f"file://{folder}/away/tones.zip", "inside": "tones-1/recordings/"}
    tree = {"path": "recordings", "sha256": sha256(lines.encode()), "bytes": 10, "archives": [tones]}
    return {
        "news": {**common, "about": "two lines", "terms": "no commercial use", "folder": "news_2020", "modality": "text",
                 "label": "line:@", "files": [news]},
        "tones": {**common, "about": "two sounds", "modality": "audio", "label": "name:^([0-9])_", "tree": tree},
        "rare": {**common, "about": "nowhere", "modality": "text", "files": [{"path": "a.txt"}]},
        "far": {**common, "about": "away", "modality": "text", "files": [{"path": "a.txt", "url": f"file://{folder}/no.txt"}]},
        "pair": {**common, "about": "a picture and its label", "modality": "image", "together": True,
                 "options": {"classes": "shirt,boot"}, "files": [near(folder, *each) for each in PAIR.items()]},
        "halves": {**common, "about": "two tables", "modality": "text", "content": "text", "label": "column:kind",
                   "options": {"columns": "kind,text"}, "files": [
                       {**near(folder, "train.csv", b'"1","one, two"\n'), "split": "train"},
                       {**near(folder, "test.csv", b"2,three\n"), "split": "test"}]},
        "cut": {**common, "about": "large", "modality": "audio", "tree": {**tree, "bytes": 9}},
    }  # fmt: skip


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "catalogue.yaml").write_text(yaml.safe_dump(made_up(tmp_path)))
    monkeypatch.setattr(catalogue, "FILE", tmp_path / "catalogue.yaml")
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("AIGC_MIRROR", str(tmp_path / "mirror"))
    catalog._say_terms.cache_clear()
    held = {"news_2020/news.txt": LINES, "news_2020/SOURCE.md": b"#"} | {f"tones/{name}": tone for name, tone in TONES.items()}
    for name, content in held.items():
        (tmp_path / "mirror" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mirror" / name).write_bytes(content)
    return tmp_path / "mirror"


def of(name: str, **settings: Any) -> SourceSettings:
    return SourceSettings(name="a", location=f"catalog:{name}", **settings)


def items(settings: SourceSettings) -> list[RawItem]:
    return list(source.read(settings, source.modality(settings)))


def test_a_set_is_read_from_the_mirror_by_the_rule_of_its_entry(mirror: Path) -> None:
    assert [(item.payload, item.label) for item in items(of("news"))] == [(b"good news", "up"), (b"bad news", "down")]
    assert [(item.payload, item.label) for item in items(of("tones"))] == [(b"RIFF1", "1"), (b"RIFF2", "2")]
    assert [item.label for item in items(of("news", label="none"))] == [None]
    assert not (mirror.parent / "workspace/.aigc/fetched").exists()


@pytest.mark.parametrize("name", ["news", "tones"])
def test_without_a_mirror_the_same_items_come_from_their_addresses(
    mirror: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    mirrored, digest = items(of(name)), source.fingerprint(of(name))
    monkeypatch.delenv("AIGC_MIRROR")
    assert items(of(name)) == mirrored
    assert source.fingerprint(of(name)) == digest
    next((mirror.parent / "workspace/.aigc/fetched").rglob("*1_ann.wav" if name == "tones" else "news.txt")).write_bytes(b"")
    assert source.fingerprint(of(name)) == digest


def test_what_the_licence_forbids_is_said_first_and_kept(mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items(of("news"))
    assert capsys.readouterr().err == "catalog:news: licence CC0 (no commercial use)\n"
    assert source.licence(of("news")) == "CC0 (no commercial use)"
    assert source.licence(of("tones")) == "CC0"
    assert source.description(of("news")) == "catalog:news: two lines (https://example.org)"


def test_a_mirror_with_other_content_is_refused_with_both_digests(mirror: Path) -> None:
    (mirror / "news_2020/news.txt").write_bytes(b"other")
    with pytest.raises(BadInput, match=f"has the sha256 {sha256(b'other')}, the catalogue says {sha256(LINES)}"):
        items(of("news"))
    (mirror / "tones/recordings/3_eve.wav").write_bytes(b"RIFF3")
    with pytest.raises(BadInput, match="recordings in AIGC_MIRROR has the sha256"):
        items(of("tones"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rare", "AIGC_MIRROR has no complete folder 'rare', and it has no address"),
        ("far", "AIGC_MIRROR has no complete folder 'far', and it cannot be fetched: .*does not exist"),
        ("cut", "tones.zip is not the archive that the catalogue means"),
        ("newz", "unknown catalogue entry 'newz'; did you mean 'news'"),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(mirror: Path, name: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        items(of(name))


def test_an_archive_that_is_no_longer_the_same_leaves_nothing(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIGC_MIRROR")
    with zipfile.ZipFile(mirror.parent / "away/tones.zip", "w") as archive:
        archive.writestr("tones-1/recordings/1_ann.wav", b"RIFF9")
    with pytest.raises(BadInput, match="what was fetched has the sha256"):
        items(of("tones"))
    assert not list((mirror.parent / "workspace/.aigc/fetched").rglob("*.wav"))


def test_files_that_belong_together_are_read_as_one_folder(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fetched,) = items(of("pair"))
    assert (fetched.label, fetched.split) == ("boot", "test")
    for name, content in PAIR.items():
        (mirror / "pair").mkdir(exist_ok=True)
        (mirror / "pair" / name).write_bytes(content)
    assert items(of("pair")) == [fetched]


def test_a_file_may_be_a_split_and_have_no_header(mirror: Path) -> None:
    rows = [(item.payload, item.label, item.split) for item in items(of("halves"))]
    assert rows == [(b"one, two", "1", "train"), (b"three", "2", "test")]


def test_another_md5_than_the_published_one_is_refused_and_not_kept(mirror: Path) -> None:
    place = mirror.parent / "away/train.csv"
    right = place.read_bytes()
    place.write_bytes(b"1,other\n")
    with pytest.raises(BadInput, match=r"halves: train\.csv has the md5 .*; fetch it again"):
        items(of("halves"))
    place.write_bytes(right)
    assert len(items(of("halves"))) == 2


@pytest.mark.parametrize("name", catalogue.names())
def test_an_entry_says_all_that_a_card_needs(name: str) -> None:
    entry = catalogue.entry(name)
    assert entry.licence
    assert entry.home.startswith("https://")
    assert bool(entry.files) != bool(entry.tree)
    settings = of(name, label=entry.label, modality=entry.modality)
    assert settings.labels.kind == (entry.label or "").partition(":")[0]


@pytest.mark.skipif(not REAL_MIRROR, reason="AIGC_MIRROR names no mirror")
@pytest.mark.parametrize("name", catalogue.names())
def test_each_set_is_read_from_the_real_mirror(name: str) -> None:
    if not (Path(REAL_MIRROR) / (catalogue.entry(name).folder or name)).is_dir():
        pytest.skip(f"AIGC_MIRROR has no {name}")
    raw_items = list(islice(source.read(of(name), catalogue.entry(name).modality), 20))
    assert raw_items
    assert all(item.payload for item in raw_items)
    assert bool(raw_items[0].label) == bool(catalogue.entry(name).label)
