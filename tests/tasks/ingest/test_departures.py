"""A source that was changed and is added again, through the stages from the source to a version."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.tables import read, shards
from tasks.dataset.withdrawn import current
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.departures import place_of
from tasks.ingest.ingest import ingest, state
from tasks.ingest.source import SourceSettings
from tasks.split.split import SplitSettings, split
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.version.checkout import checkout
from tasks.version.diff import Difference, diff
from tasks.version.forget import ForgetSettings, forget
from tasks.version.version import version

LONG_AGO = 1_600_000_000


class Letters:
    """The data set `letters` in a workspace, and a folder of texts that it is added from."""

    def __init__(self, root: Path) -> None:
        self.workspace, self.folder = Workspace(root / "workspace").create(), root / "in"
        self.folder.mkdir()

    def write(self, name: str, text: str) -> None:
        """As a file that was written long ago, so that it is not read again where it stays as it is."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)
        os.utime(self.folder / name, (LONG_AGO, LONG_AGO))

    def context(self, name: str) -> StageContext:
        folder = self.workspace.stages / name
        folder.mkdir(parents=True, exist_ok=True)
        return StageContext(folder=folder, workspace=self.workspace)

    def ingest(self, location: Path | None = None, **more: Any) -> Any:
        source = SourceSettings(name="letters", location=str(location or self.folder), **more)
        return ingest.plain(source, self.context("ingest"))

    def divide(self, raw: Any, **settings: Any) -> Any:
        cleaned = clean.plain(raw, CleanSettings(), self.context("clean"))
        self.duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), self.context("deduplicate"))
        return split.plain(cleaned, self.duplicates, SplitSettings(**settings), self.context("split"))

    def add(self, location: Path | None = None, **more: Any) -> str:
        self.divided = self.divide(self.ingest(location, **more))
        return str(version.plain(self.divided, self.context("version")).version)

    def sources(self) -> list[str]:
        """Of the items that count, by name."""
        return sorted(source for part in current(self.data / "raw", ["source"]) for source in part["source"])

    def splits(self) -> dict[str, str]:
        places = read([self.data / "splits.parquet"], ["id", "split"])
        split_of = dict(zip(places["id"], places["split"], strict=True))
        rows = read(shards(self.data / "clean"), ["id", "source"])
        return {source: split_of[key] for key, source in zip(rows["id"], rows["source"], strict=True) if key in split_of}

    def quarantine(self) -> list[tuple[str, str]]:
        rows = read([self.data / "quarantine.parquet"], ["source", "rule"])
        return list(zip(rows["source"], rows["rule"], strict=True))

    def diff(self, before: str) -> Difference:
        return diff(self.workspace, "letters", before)

    @property
    def data(self) -> Path:
        return self.workspace.data / "letters"


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Letters:
    monkeypatch.setattr("tasks.ingest.ingested.SETTLED", 0)
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path / "workspace"))
    return Letters(tmp_path)


@pytest.mark.slow
def test_a_version_is_what_the_source_holds_now(letters: Letters, sentences: Callable[..., list[str]]) -> None:
    texts = sentences(60)
    for at, text in enumerate(texts):
        letters.write(f"{at:02}.txt", text)
    first = letters.add()
    before = letters.splits()
    letters.write("07.txt", sentences(1, start=100)[0])
    (letters.folder / "08.txt").unlink()
    second = letters.add()
    changes = letters.diff(first)
    assert (changes.removed.first, changes.changed.first) == (("08.txt",), ("07.txt",))
    assert (changes.unchanged, changes.added.count, changes.moved.count) == (58, 0, 0)
    assert changes.counts["raw"] == (60, 59)
    assert letters.quarantine() == []
    after = letters.splits()
    assert {name: after[name] for name in after if name != "07.txt"} == {
        name: before[name] for name in before if name not in ("07.txt", "08.txt")
    }
    letters.write("08.txt", texts[8])  # and back
    letters.add()
    assert letters.splits()["08.txt"] == before["08.txt"]
    assert letters.diff(second).added.first == ("08.txt",)
    checkout(letters.workspace, "letters", first)
    assert letters.splits() == before
    letters.write("07.txt", texts[7])
    assert letters.add() == first
    letters.write("07.txt", sentences(1, start=100)[0])
    checkout(letters.workspace, "letters", first)  # from where the folder has gone on since
    letters.add()
    assert letters.diff(second).added.first == ("08.txt",)
    assert len(letters.splits()) == 60


def test_a_label_by_folder_follows_the_file(letters: Letters, sentences: Callable[..., list[str]]) -> None:
    for at, text in enumerate(sentences(40)):
        letters.write(f"{'ab'[at % 2]}/{at:02}.txt", text)
    letters.divide(letters.ingest(label="folder"))
    before = letters.splits()
    (letters.folder / "a" / "00.txt").rename(letters.folder / "b" / "00.txt")
    letters.divide(letters.ingest(label="folder"))
    assert (letters.duplicates.conflicts, letters.quarantine()) == (0, [])
    assert letters.splits()["b/00.txt"] == before["a/00.txt"]


def test_a_rejected_file_that_was_mended_leaves_the_quarantine(letters: Letters, sentences: Callable[..., list[str]]) -> None:
    for at, text in enumerate(sentences(40)):
        letters.write(f"{at:02}.txt", text)
    letters.write("bad.txt", "")
    letters.divide(letters.ingest())
    assert letters.quarantine() == [("bad.txt", "unreadable")]
    letters.write("bad.txt", sentences(1, start=50)[0])
    assert letters.divide(letters.ingest()).rows == 41
    assert letters.quarantine() == []


def test_the_copy_of_an_original_that_left_is_kept(letters: Letters, sentences: Callable[..., list[str]]) -> None:
    for at, text in enumerate(sentences(40)):
        letters.write(f"{at:02}.txt", text)
    letters.write("copy.txt", sentences(1)[0])
    letters.divide(letters.ingest())
    assert letters.quarantine() == [("copy.txt", "exact")]
    (letters.folder / "00.txt").unlink()
    assert letters.divide(letters.ingest()).rows == 40
    assert (letters.quarantine(), "copy.txt" in letters.splits()) == ([], True)


def test_few_groups_stay_where_they_are(letters: Letters, sentences: Callable[..., list[str]]) -> None:
    texts = sentences(200)
    rows = [f"{text},{at % 8}" for at, text in enumerate(texts)]
    table = letters.folder / "t.csv"
    table.write_text("\n".join(["text,writer", *rows]) + "\n")
    letters.divide(letters.ingest(table, content="text", group="writer"))
    before = letters.splits()
    table.write_text("\n".join(["text,writer", *rows[:-8]]) + "\n")
    letters.divide(letters.ingest(table, content="text", group="writer"))
    after = letters.splits()
    assert after == {source: place for source, place in before.items() if source in after}
    assert len(after) == len(before) - 8


def test_a_part_that_left_as_a_whole_is_drawn_anew(letters: Letters, sentences: Callable[..., list[str]]) -> None:
    for at, text in enumerate(sentences(45)):  # few, so that none goes by its hash alone
        letters.write(f"{at:02}.txt", text)
    letters.divide(letters.ingest())
    for name, place in letters.splits().items():
        if place == "test":
            (letters.folder / name).unlink()
    assert letters.divide(letters.ingest()).splits["test"] >= 2


def test_another_source_of_the_same_set_stays(letters: Letters, tmp_path: Path) -> None:
    for name in ("in/1.txt", "in/both.txt", "more/1.txt", "more/2.txt", "more/both.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("of both" if "both" in name else f"the text {name}")
    letters.ingest()
    letters.ingest(tmp_path / "more")
    assert letters.sources() == ["1.txt", "1.txt", "2.txt", "both.txt"]
    for name in ("1.txt", "both.txt"):
        (letters.folder / name).unlink()
    letters.write("3.txt", "a third one")
    letters.ingest()
    assert letters.sources() == ["1.txt", "2.txt", "3.txt", "both.txt"]
    (tmp_path / "more" / "both.txt").unlink()
    letters.ingest(tmp_path / "more")
    assert letters.sources() == ["1.txt", "2.txt", "3.txt"]


def test_a_place_is_told_by_its_path_and_the_part_that_is_chosen(
    letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(location: str, **options: str) -> str:
        return place_of(SourceSettings(name="letters", location=location, options=options), letters.workspace.root)

    monkeypatch.chdir(tmp_path)
    assert place("in") == place("in/") == place(str(letters.folder))
    (letters.workspace.root / "mine").mkdir()
    assert place("workspace/mine") == "mine"  # so that a workspace can be moved
    assert place("hub:a/b@v1", config="en") == place("hub:a/b@v2", config="en") != place("hub:a/b", config="de")
    database = "sqlite:///shop.db"
    assert place(database, query="select a from b") != place(database, query="select c from b")


def test_archives_are_followed_too(letters: Letters, tmp_path: Path) -> None:
    def pack(*texts: str) -> None:
        with zipfile.ZipFile(tmp_path / "letters.zip", "w") as archive:
            for at, text in enumerate(texts):
                archive.writestr(f"{at}.txt", text)

    pack("the first", "the second", "the third")
    letters.ingest(tmp_path / "letters.zip")
    pack("the first", "the second one, mended")
    letters.ingest(tmp_path / "letters.zip")
    assert letters.sources() == ["0.txt", "1.txt"]
    whole = (tmp_path / "letters.zip").read_bytes()
    (tmp_path / "letters.zip").write_bytes(whole[: whole.index(b"1.txt") - 10])  # cut off
    letters.ingest(tmp_path / "letters.zip")
    assert letters.sources() == ["0.txt", "1.txt", "letters.zip"]


def test_a_source_that_has_nothing_takes_nothing_out(letters: Letters) -> None:
    letters.write("sub/1.txt", "the first")
    letters.ingest()
    (letters.folder / "sub" / "1.txt").unlink()
    with pytest.raises(BadInput, match="is an empty folder"):
        letters.ingest()
    (letters.folder / "sub").rmdir()
    letters.folder.rmdir()
    with pytest.raises(BadInput, match="does not exist"):
        letters.ingest()
    assert letters.sources() == ["sub/1.txt"]
    table = letters.workspace.root / "t.csv"
    table.write_text("text\nthe first\n")
    letters.ingest(table, content="text", modality="text")
    table.write_text("text\n")
    with pytest.raises(BadInput):
        letters.ingest(table, content="text", modality="text")
    assert letters.sources() == ["sub/1.txt", "t.csv#1"]


def test_what_cannot_be_read_has_not_left(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1.txt", "2.txt", "sub/3.txt"):
        letters.write(name, f"the text {name}")
    letters.ingest()
    with monkeypatch.context() as patched:
        patched.setattr("tasks.stage.links.readable", lambda folder: not folder.endswith("sub"))
        letters.write("2.txt", "changed, and not to be read")
        patched.setattr(Path, "open", _but_one("2.txt", Path.open))
        state(SourceSettings(name="letters", location=str(letters.folder)))
        letters.ingest()
    assert letters.sources() == ["1.txt", "2.txt", "2.txt", "sub", "sub/3.txt"]  # what cannot be read is in the quarantine
    letters.ingest()
    assert letters.sources() == ["1.txt", "2.txt", "sub/3.txt"]


def _but_one(name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
    """Opens any file but one, as for who may not read that."""

    def opened(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return whole(path, *arguments, **named)

    return opened


def test_nothing_is_read_again_that_did_not_change(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1.txt", "2.txt", "3.txt"):
        letters.write(name, f"the text {name}")
    letters.ingest()
    (letters.folder / "3.txt").unlink()
    monkeypatch.setattr("tasks.ingest.sources.folder._payload", lambda *_: pytest.fail("a file was opened"))
    letters.ingest()
    assert letters.sources() == ["1.txt", "2.txt"]


def test_a_set_from_before_places_were_noted_is_followed(letters: Letters) -> None:
    for name in ("1.txt", "2.txt"):
        letters.write(name, f"the text {name}")
    letters.ingest()
    (record,) = (letters.workspace.state / "ingested" / "letters").iterdir()
    record.unlink()
    letters.write("1.txt", "another text")
    letters.ingest()
    assert letters.sources() == ["1.txt", "2.txt"]


def test_a_clone_that_cannot_know_says_so(letters: Letters, capsys: pytest.CaptureFixture[str]) -> None:
    letters.write("1.txt", "the text")
    letters.ingest()
    for record in (letters.workspace.state / "ingested").rglob("letters*.*"):
        record.unlink()
    next((letters.workspace.state / "ingested" / "letters").iterdir()).unlink()
    letters.write("1.txt", "another text")
    letters.ingest()
    assert letters.sources() == ["1.txt", "1.txt"]
    assert "has not read its source before, so nothing was taken out" in capsys.readouterr().err
    letters.write("1.txt", "a third text")
    letters.ingest()
    assert letters.sources() == ["1.txt", "1.txt"]


def test_a_kill_before_the_list_was_written_loses_nothing(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1.txt", "2.txt"):
        letters.write(name, f"the text {name}")
    letters.ingest()
    letters.write("1.txt", "another text")
    with monkeypatch.context() as patched:
        patched.setattr("tasks.ingest.ingest.keep_list", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            letters.ingest()
    letters.write("1.txt", "a third text")
    letters.ingest()
    assert letters.sources() == ["1.txt", "2.txt"]


def test_what_left_can_be_forgotten(letters: Letters) -> None:
    for name in ("1.txt", "2.txt"):
        letters.write(name, f"the text {name}")
    letters.ingest()
    (letters.folder / "1.txt").unlink()
    letters.ingest()
    with pytest.raises(BadInput, match="all 1 items"):
        forget.plain(ForgetSettings(name="letters", sources=("2.txt",)), letters.context("forget"))
    assert forget.plain(ForgetSettings(name="letters", sources=("1.txt",)), letters.context("forget")).rows == 1
    assert read(shards(letters.data / "raw"), ["source"])["source"] == ["2.txt"]
    assert not (letters.data / "raw" / "withdrawn.txt").exists()


@pytest.mark.parametrize("kind", ["table", "folder"])
def test_what_changes_while_it_is_read_is_read_by_the_next_add(
    letters: Letters, monkeypatch: pytest.MonkeyPatch, sentences: Callable[..., list[str]], kind: str
) -> None:
    import tasks.ingest.ingest as stage

    def write(texts: list[str]) -> None:
        if kind == "table":
            (letters.folder / "t.csv").write_text("text\n" + "\n".join(texts))
        for at, text in enumerate(texts if kind == "folder" else []):
            (letters.folder / f"{at}.txt").write_text(text)

    before, after = sentences(40), [f"{text} once more" for text in sentences(40)]
    write(before)
    place = letters.folder / "t.csv" if kind == "table" else letters.folder
    read_all = stage.read

    def interrupted(*asked: Any) -> Any:
        for number, item in enumerate(read_all(*asked)):
            yield item
            if number == 5:
                write(after)

    with monkeypatch.context() as patch:
        patch.setattr(stage, "read", interrupted)
        letters.ingest(place)
    letters.ingest(place)
    payloads = [payload.decode() for part in current(letters.data / "raw", ["payload"]) for payload in part["payload"]]
    assert sorted(payloads) == sorted(after)
