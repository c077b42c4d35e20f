"""Labels that are corrected at the source, through the stages from the source to two versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.withdrawn import current
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.split.split import SplitSettings, split
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.version.checkout import checkout
from tasks.version.diff import Difference, diff
from tasks.version.version import version


class Mails:
    """A data set of texts in a workspace, added as often as is asked for."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root / "workspace")
        self.workspace.root.mkdir()

    def context(self, name: str) -> StageContext:
        folder = self.workspace.stages / name
        folder.mkdir(parents=True, exist_ok=True)
        return StageContext(folder=folder, workspace=self.workspace)

    def ingest(self, location: Path, label: str | None) -> None:
        source = SourceSettings(name="mails", location=str(location), content="text" if location.suffix else None, label=label)
        self.raw = ingest.plain(source, self.context("ingest"))

    def add(self, location: Path, label: str | None) -> str:
        self.ingest(location, label)
        cleaned = clean.plain(self.raw, CleanSettings(), self.context("clean"))
        duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), self.context("deduplicate"))
        divided = split.plain(cleaned, duplicates, SplitSettings(), self.context("split"))
        return str(version.plain(divided, self.context("version")).version)

    def labels(self) -> dict[str, str | None]:
        return dict(self.rows("source", "label"))

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Of the items that count, in the order in which they came."""
        parts = current(self.workspace.data / "mails" / "raw", list(columns))
        return [row for part in parts for row in zip(*part.values(), strict=True)]

    def diff(self, before: str) -> Difference:
        return diff(self.workspace, "mails", before)


@pytest.fixture
def mails(tmp_path: Path) -> Mails:
    return Mails(tmp_path)


def table(path: Path, texts: list[str], labels: str) -> Path:
    path.write_text("\n".join(["text,kind", *(f"{text},{kind}" for text, kind in zip(texts, labels, strict=True))]) + "\n")
    return path


@pytest.mark.slow
def test_a_label_corrected_in_a_table_is_a_change(mails: Mails, tmp_path: Path, sentences: Callable[[int], list[str]]) -> None:
    texts = sentences(40)
    file = table(tmp_path / "mails.csv", texts, "ab" * 20)
    first = mails.add(file, "column:kind")
    table(file, texts, "bb" + "ab" * 19)
    second = mails.add(file, "column:kind")
    changes = mails.diff(first)
    assert (changes.changed.count, changes.unchanged, changes.added.count) == (1, 39, 0)
    assert changes.changed.first[0].endswith("(label a to b)")
    assert (changes.removed.count, changes.quarantined.count, changes.moved.count) == (0, 0, 0)
    assert mails.raw.rows == 40
    table(file, texts, "ab" * 20)  # and back
    assert mails.add(file, "column:kind") != second
    assert mails.diff(second).changed.count == 1
    checkout(mails.workspace, "mails", first)
    assert list(mails.labels().values()) == list("ab" * 20)


def test_rows_that_moved_down_take_their_corrected_labels_along(
    mails: Mails, tmp_path: Path, sentences: Callable[[int], list[str]]
) -> None:
    texts = sentences(5)
    file = table(tmp_path / "mails.csv", texts[1:], "abab")
    mails.ingest(file, "column:kind")
    table(file, texts, "abbab")  # a new row on top, and the label of the next one corrected
    mails.ingest(file, "column:kind")
    held = {(payload.decode(), label) for payload, label in mails.rows("payload", "label")}
    assert held == set(zip(texts, "abbab", strict=True))


@pytest.mark.slow
def test_a_file_moved_to_the_right_class_is_a_change(
    mails: Mails, tmp_path: Path, sentences: Callable[[int], list[str]]
) -> None:
    folder = tmp_path / "mails"
    for at, text in enumerate(sentences(40)):
        (folder / "ab"[at % 2]).mkdir(parents=True, exist_ok=True)
        (folder / "ab"[at % 2] / f"{at:02}.txt").write_text(text)
    first = mails.add(folder, "folder")
    (folder / "a" / "00.txt").rename(folder / "b" / "00.txt")
    mails.add(folder, "folder")
    changes = mails.diff(first)
    assert (changes.changed.count, changes.unchanged, changes.quarantined.count) == (1, 39, 0)
    assert changes.changed.first == ("b/00.txt (a/00.txt before, label a to b)",)
    assert "label_conflicts" not in changes.counts
    assert mails.labels()["b/00.txt"] == "b"
    assert "a/00.txt" not in mails.labels()
    assert changes.counts == {}  # no conflict, and none more came in


def test_a_copy_with_another_label_is_still_a_conflict(mails: Mails, tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    for name in ("a/1.txt", "b/2.txt"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f"the text of {name}")
    mails.ingest(folder, "folder")
    (folder / "b" / "1.txt").write_bytes((folder / "a" / "1.txt").read_bytes())
    mails.ingest(folder, "folder")
    assert mails.labels() == {"a/1.txt": "a", "b/1.txt": "b", "b/2.txt": "b"}
    cleaned = clean.plain(mails.raw, CleanSettings(), mails.context("clean"))
    assert deduplicate.plain(cleaned, DeduplicateSettings(), mails.context("deduplicate")).conflicts == 1


def test_labels_stay_where_the_way_of_labelling_was_left_out(
    mails: Mails, tmp_path: Path, sentences: Callable[[int], list[str]]
) -> None:
    file = table(tmp_path / "mails.csv", sentences(4), "abab")
    mails.ingest(file, None)
    mails.ingest(file, "column:kind")
    assert list(mails.labels().values()) == list("abab")
    mails.ingest(file, None)
    assert list(mails.labels().values()) == list("abab")
    table(file, sentences(4), "ab b".replace(" ", "?"))
    file.write_text(file.read_text().replace("?", ""))  # a cell that was emptied
    mails.ingest(file, "column:kind")
    assert sorted(mails.labels().values(), key=str) == [None, "a", "b", "b"]


def test_a_kill_between_the_old_row_and_the_new_one_loses_nothing(
    mails: Mails, tmp_path: Path, sentences: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = table(tmp_path / "mails.csv", sentences(4), "abab")
    mails.ingest(file, "column:kind")
    table(file, sentences(4), "bbab")
    with monkeypatch.context() as patched:
        patched.setattr("tasks.ingest.ingest.publish", lambda moves: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            mails.ingest(file, "column:kind")
    mails.ingest(file, "column:kind")
    assert mails.raw.rows == 4
    assert mails.labels() == {f"mails.csv#{at + 1}": kind for at, kind in enumerate("bbab")}
