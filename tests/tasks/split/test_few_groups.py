"""Few long documents, clips, speakers, users or labels: each part of the division is served, and stays as data grow."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.tables import read
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.split.split import SplitSettings, split
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

WORDS = ("river", "mountain", "moon", "wine", "autumn", "wind", "guest", "lute")
CARE = {"rules": {}, "without": ()}


def book(path: Path, number: int, pieces: int = 150) -> None:
    """A document of so many pieces, none of them near to another."""
    source = random.Random(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = (
        " ".join(f"{source.choice(WORDS)}{source.randrange(10**6)}" for _ in range(70)) + f" {number} {at}."
        for at in range(pieces)
    )
    path.write_text("\n\n".join(texts), encoding="utf-8")


def added(root: Path, location: Path, split_settings: SplitSettings | None = None, **source: Any) -> dict[str, Any]:
    """The data card after the real stages; `data/set` is in `root`."""
    workspace = Workspace(root)
    context = {}
    for stage in ("ingest", "clean", "deduplicate", "split"):
        folder = workspace.stages / stage
        folder.mkdir(parents=True, exist_ok=True)
        context[stage] = StageContext(folder=folder, workspace=workspace)
    raw = ingest.plain(SourceSettings(name="set", location=str(location), **source), context["ingest"])
    cleaned = clean.plain(raw, CleanSettings(**CARE), context["clean"])
    duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), context["deduplicate"])
    split.plain(cleaned, duplicates, split_settings or SplitSettings(), context["split"])
    return json.loads((root / "data" / "set" / "card.json").read_text())


def places(root: Path) -> dict[str, str]:
    rows = read([root / "data" / "set" / "splits.parquet"], ["id", "split"])
    return dict(zip(rows["id"], rows["split"], strict=True))


def parts_of_groups(root: Path) -> dict[str, list[str]]:
    """The splits of each group's items, in order."""
    rows = read([root / "data" / "set" / "splits.parquet"], ["split", "group"])
    members: dict[str, list[str]] = {}
    for name, group in zip(rows["split"], rows["group"], strict=True):
        members.setdefault(group, []).append(name)
    return members


def near_shares(card: dict[str, Any], low: float = 0.05, high: float = 0.16) -> bool:
    rows = {name: part["rows"] for name, part in card["splits"].items()}
    return all(low <= rows[name] / sum(rows.values()) <= high for name in ("validation", "test"))


def test_five_books_are_divided_inside_with_a_gap(tmp_path: Path) -> None:
    for number in range(5):
        book(tmp_path / "books" / f"{number}.txt", number)
    card = added(tmp_path, tmp_path / "books")
    assert near_shares(card)
    assert card["groups"]["inside"] == 5
    for parts in parts_of_groups(tmp_path).values():
        assert [one for one, after in pairwise([*parts, ""]) if one != after] == ["train", "validation", "test"]
    left = read([tmp_path / "data" / "set" / "quarantine.parquet"], ["rule", "reason"])
    assert Counter(left["rule"])["gap"] == card["counts"]["gap"] >= 10
    assert card["counts"]["raw"] == sum(card["counts"]["rejected"].values()) + card["counts"]["kept"] + card["counts"]["gap"]


def test_ten_files_of_poems_stand_whole_by_rank(tmp_path: Path) -> None:
    for number in range(10):
        book(tmp_path / "poems" / f"{number}.txt", number, 40 + number % 3)
    card = added(tmp_path, tmp_path / "poems")
    assert near_shares(card)
    assert card["groups"] == {"whole": 10, "inside": 0}
    assert all(len(set(parts)) == 1 for parts in parts_of_groups(tmp_path).values())


def test_a_second_file_beside_the_first_is_divided_as_it_is(tmp_path: Path) -> None:
    book(tmp_path / "one" / "a.txt", 1)
    card = added(tmp_path, tmp_path / "one" / "a.txt")
    assert near_shares(card)
    before = places(tmp_path)
    book(tmp_path / "two" / "b.txt", 2, 160)
    card = added(tmp_path, tmp_path / "two" / "b.txt")
    assert near_shares(card)
    assert {key: places(tmp_path)[key] for key in before} == before
    assert {name: set(parts) for name, parts in parts_of_groups(tmp_path).items()} == {
        name: {"train", "validation", "test"} for name in ("a.txt", "b.txt")
    }


def test_one_file_is_divided_alike_by_its_own_and_in_its_folder(tmp_path: Path) -> None:
    book(tmp_path / "one" / "a.txt", 1)
    added(tmp_path / "x", tmp_path / "one" / "a.txt")
    added(tmp_path / "y", tmp_path / "one")
    assert places(tmp_path / "x") == places(tmp_path / "y")
    assert set(parts_of_groups(tmp_path / "x")) == {"a.txt"}


def test_nothing_moves_as_a_few_files_become_many(tmp_path: Path) -> None:
    before: dict[str, str] = {}
    for number, count in enumerate((1, 3, 8, 90)):
        for at in range(count):
            book(tmp_path / f"add{number}" / f"{number}_{at}.txt", 1000 * number + at, 12)
        if number:
            added(tmp_path, tmp_path / f"add{number}")
            after = places(tmp_path)
            assert {key: after[key] for key in before} == before
            before = after
    assert near_shares(added(tmp_path, tmp_path / "add0"), 0.04, 0.18)


@pytest.mark.parametrize("files", [2, 10])
def test_a_label_a_file_is_in_every_part(tmp_path: Path, files: int) -> None:
    for number in range(files):
        book(tmp_path / "books" / f"writer{number}" / "all.txt", number, 60)
    card = added(tmp_path, tmp_path / "books", label="folder")
    assert near_shares(card)
    assert all(len(part["labels"]) == files for part in card["splits"].values())


def test_few_labels_each_in_a_few_files_are_all_in_train(tmp_path: Path) -> None:
    for number in range(12):
        book(tmp_path / "books" / ("rare" if number < 2 else "usual") / f"{number}.txt", number, 20)
    for seed in range(5):
        card = added(tmp_path, tmp_path / "books", SplitSettings(seed=seed), label="folder")
        assert set(card["splits"]["train"]["labels"]) == {"rare", "usual"}
        assert near_shares(card)


@pytest.mark.parametrize(("modality", "speakers"), [("text", 4), ("text", 12)])
def test_few_speakers_of_a_table(tmp_path: Path, modality: str, speakers: int) -> None:
    source = random.Random(3)
    rows = [
        f"{' '.join(str(source.randrange(10**6)) for _ in range(12))},speaker{at % speakers},{'abc'[at // speakers % 3]}"
        for at in range(240)
    ]
    table = tmp_path / "said.csv"
    table.write_text("words,speaker,kind\n" + "\n".join(rows) + "\n")
    card = added(tmp_path, table, group="speaker", label="column:kind", content="words")
    assert near_shares(card)
    assert set(card["splits"]["train"]["labels"]) == {"a", "b", "c"}
    assert card["groups"] == ({"whole": 0, "inside": 4} if speakers == 4 else {"whole": 12, "inside": 0})


def test_few_users_each_with_one_history(tmp_path: Path) -> None:
    source = random.Random(5)
    rows = [f"user{user},{source.randrange(60)},{1_600_000_000 + 90 * at}" for user in range(34) for at in range(20)]
    table = tmp_path / "seen.csv"
    table.write_text("user,item,when\n" + "\n".join(rows) + "\n")
    card = added(tmp_path, table, modality="events", group="user", content="item", time="when")
    assert near_shares(card)
    assert card["groups"] == {"whole": 34, "inside": 0}


def test_a_refusal_names_the_groups(handmade, sentences) -> None:
    data = handmade()
    fields = [{"group": "first book", "split": "train"}] * 40 + [{"group": "second book", "split": "test"}] * 20
    data.add(sentences(60), [*fields[:59], {"group": "third book", "split": "validation"}])
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    with pytest.raises(BadInput, match=r"its groups are 'first book' \(40 train\), 'second book' \(19 test\), 'third book'"):
        split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))


def test_what_moves_since_something_was_forgotten_is_said(handmade, sentences, caplog) -> None:
    data = handmade()
    texts = sentences(100)
    data.add(texts, [{"group": "book"}] * 100)
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    for shard in data.clean.glob("*.parquet"):
        shard.unlink()
    data.shards, data.rows = 0, 0
    data.add(texts[20:], [{"group": "book"}] * 80)
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    assert any("items of notes changed their split" in record.getMessage() for record in caplog.records)


def test_a_seed_may_be_a_number() -> None:
    assert SplitSettings(seed=1).seed == "1"


def test_few_items_without_a_group_keep_their_place_when_one_is_removed_or_corrected(handmade, sentences) -> None:
    texts, moved, compared = sentences(45), 0, 0
    for without in range(0, 45, 5):
        before: dict[str, str] | None = None
        for kept in (texts, texts[:without] + texts[without + 1 :]):
            data = handmade()
            fields = [{"label": "ab"[int(text.encode().hex(), 16) % 2]} for text in kept]
            data.add(kept, fields)
            duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
            split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
            rows = read([data.context("split").workspace.data / "notes" / "splits.parquet"], ["group", "split"])
            after = dict(zip(rows["group"], rows["split"], strict=True))
            assert set(after.values()) == {"train", "validation", "test"}
            if before is not None:
                compared += len(after)
                moved += sum(before[key] != where for key, where in after.items())
            before = after
    assert compared == 9 * 44
    assert moved == 0
