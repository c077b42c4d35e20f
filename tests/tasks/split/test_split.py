from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import pairwise

import pytest

from aigc_models.errors import BadInput
from tasks.dataset.items import ItemsSettings, items
from tasks.dataset.refused import clear
from tasks.dataset.tables import read
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import FEWEST, SplitSettings, split


def run(data, **settings):
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    return split.plain(data.ref, duplicates, SplitSettings(**settings), data.context("split"))


def places(data) -> dict[str, str]:
    rows = read([data.clean.parent / "splits.parquet"], ["id", "split"])
    return dict(zip(rows["id"], rows["split"], strict=True))


def test_every_item_stands_in_one_split_and_the_reference_says_how_many(handmade, sentences) -> None:
    data = handmade()
    ids = data.add(sentences(300), [{"label": "ab"[at % 2]} for at in range(300)])
    ref = run(data)
    counts = Counter(places(data).values())
    assert list(places(data)) == ids
    assert ref.splits == {"train": counts["train"], "validation": counts["validation"], "test": counts["test"]}
    assert 15 <= counts["test"] <= 50
    assert (ref.rows, ref.labels, ref.quarantined) == (300, ("a", "b"), 0)
    assert ref.intact(data.workspace)


def test_no_item_moves_when_data_is_added(handmade, sentences) -> None:
    data = handmade()
    texts = sentences(300)
    data.add(texts)
    run(data)
    before = places(data)
    joins = [f"{one} {other}" for one, other in pairwise(texts[:10])]
    data.add([*sentences(100, start=1000), *(text + "." for text in texts[:50]), *joins])
    run(data)
    after = places(data)
    assert len(after) > 400
    assert {key: after[key] for key in before} == before


def test_the_same_data_give_the_same_bytes(handmade, sentences, tmp_path) -> None:
    contents = []
    for name in ("one", "two"):
        data = handmade(root=tmp_path / name)
        data.add(sentences(60), rejected=2)
        run(data, validation=0.2, test=0.2)
        contents.append([(path.name, path.read_bytes()) for path in sorted(data.clean.parent.glob("*.*"))])
    assert contents[0] == contents[1]
    assert len(contents[0]) == 3


def test_near_duplicates_stand_together(handmade, sentences) -> None:
    data = handmade()
    texts = sentences(60)
    ids = data.add(texts + [text + "." for text in texts])
    ref = run(data, validation=0.2, test=0.2)
    split_of = places(data)
    assert [split_of[key] for key in ids[:60]] == [split_of[key] for key in ids[60:]]
    assert ref.rows == 120


def test_a_group_stands_together(handmade, sentences) -> None:
    data = handmade()
    ids = data.add(sentences(200), [{"group": f"writer {at % 50}"} for at in range(200)])
    run(data, validation=0.2, test=0.2)
    split_of = places(data)
    assert all(len({split_of[key] for key in ids[at::50]}) == 1 for at in range(50))


def test_quarantine_says_what_where_and_why(handmade, sentences) -> None:
    data = handmade()
    texts = sentences(60)
    data.add(texts, rejected=2)
    data.add([texts[0]], [{"source": "again", "label": "x"}])
    ref = run(data, validation=0.2, test=0.2)
    names = ["source", "stage", "rule", "reason"]
    table = read([data.clean.parent / "quarantine.parquet"], names)
    assert list(zip(*(table[name] for name in names), strict=True)) == [
        ("bad/0", "clean", "readable", "broken"),
        ("bad/1", "clean", "readable", "broken"),
        ("again", "duplicate", "exact", table["reason"][2]),
    ]
    assert table["reason"][2].startswith("same content as made/")
    assert (ref.quarantined, ref.duplicates) == (3, 1)


@pytest.mark.parametrize("by", ["hash", "column"])
def test_a_given_split_is_kept(handmade, sentences, by: str) -> None:
    data = handmade()
    words = ["train"] * 3 + ["dev", "TEST"]
    ids = data.add(sentences(50), [{"split": words[at % 5]} for at in range(50)])
    run(data, by=by)
    split_of = places(data)
    assert [split_of[key] for key in ids[:5]] == ["train", "train", "train", "validation", "test"]


def test_a_given_split_without_validation_draws_it_from_train(handmade, sentences) -> None:
    data = handmade()
    ids = data.add(sentences(200), [{"split": "test" if at < 40 else "train"} for at in range(200)])
    ref = run(data)
    assert {places(data)[key] for key in ids[:40]} == {"test"}
    assert ref.splits["test"] == 40
    assert 5 < ref.splits["validation"] < 40


def test_a_near_duplicate_across_given_splits_is_a_bridge(handmade, sentences) -> None:
    data = handmade()
    texts = sentences(60)
    data.add(texts, [{"split": ("train", "val", "test")[at % 3]} for at in range(60)])
    [copy] = data.add([texts[0] + "."], [{"split": "test"}])
    assert run(data).quarantined == 1
    assert copy not in places(data)
    [reason] = read([data.clean.parent / "quarantine.parquet"], ["reason"])["reason"]
    assert reason.endswith("stand in train, and it belongs to test")


def test_an_unknown_given_split_is_refused(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(40), [{"split": "trian"}] * 40)
    with pytest.raises(BadInput, match=r"'trian' is none of train"):
        run(data)


def test_by_column_needs_a_split_for_every_item(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(40), [{"split": "train"}] * 39 + [{"source": "rows.csv#40"}])
    with pytest.raises(BadInput, match=r"rows.csv#40 has no split"):
        run(data, by="column")


def test_too_few_items_are_refused_and_nothing_is_written(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(FEWEST - 1))
    with pytest.raises(BadInput, match=rf"notes has 29 usable items \(.*\); a split needs at least {FEWEST}.*add items"):
        run(data)
    assert [path.name for path in data.clean.parent.iterdir()] == ["clean"]


def test_a_refusal_says_what_was_put_aside_and_keeps_it(handmade, sentences) -> None:
    data = handmade()
    texts = sentences(8)
    data.add([*texts, texts[0]], [{"source": f"{at}.txt"} for at in range(9)], rejected=3)
    with pytest.raises(BadInput) as refusal:
        run(data)
    said = str(refusal.value)
    assert "has 8 usable items" in said
    assert "put aside were 3 readable (bad/0: broken), 1 exact (8.txt: same content as 0.txt)" in said
    assert "`aigc data items notes --split quarantine` lists them until the next add" in said
    shutil.rmtree(data.clean.parent)  # as the flow does of a new data set
    table = items(data.workspace, "notes", ItemsSettings(split="quarantine"))
    assert table["source"].tolist() == ["bad/0", "bad/1", "bad/2", "8.txt"]
    clear(data.workspace, "notes")
    with pytest.raises(BadInput, match="unknown data set"):
        items(data.workspace, "notes", ItemsSettings())


def test_an_empty_part_is_refused(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(60), [{"split": "train" if at else "test"} for at in range(60)])
    with pytest.raises(BadInput, match="raise the fractions"):
        run(data)


def test_card_counts_add_up(handmade, sentences) -> None:
    data = handmade()
    texts = sentences(80)
    data.add([*texts, texts[0], texts[1] + "."], [{"source": str(at)} for at in range(82)], rejected=3)
    run(data, validation=0.2, test=0.2)
    card = json.loads((data.clean.parent / "card.json").read_text())
    counts = card["counts"]
    assert counts["raw"] == sum(counts["rejected"].values()) + counts["exact_duplicates"] + counts["bridges"] + counts["kept"]
    assert counts["kept"] == sum(part["rows"] for part in card["splits"].values())
    assert card["split"] == {"by": "hash", "validation": 0.2, "test": 0.2, "seed": "aigc"}


def test_expectations_stop_a_split_or_stand_in_the_card(handmade, sentences) -> None:
    data = handmade()
    data.add(sentences(60))
    long = {"column": "words", "check": "ge", "arguments": {"min_value": 9}}
    run(data, expect=(long | {"severity": "warn"},))
    card = json.loads((data.clean.parent / "card.json").read_text())
    assert {name: outcome["failed"] for name, outcome in card["expectations"].items()} == {"words ge (min_value 9)": 60}
    with pytest.raises(BadInput, match="60 of 60 items fail 'words ge"):
        run(data, expect=(long,))
    assert json.loads((data.clean.parent / "card.json").read_text()) == card
