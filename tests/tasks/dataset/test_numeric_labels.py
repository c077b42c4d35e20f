from __future__ import annotations

import json

from tasks.dataset.numeric_labels import are_numbers, summary
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import SplitSettings, split

PRICES = [f"{at}.5" for at in range(200)]


def test_numbers_of_many_values_are_no_classes():
    assert are_numbers(PRICES)
    assert are_numbers([*PRICES, "n/a"]), "a mistake changes nothing"
    assert not are_numbers(PRICES[:100]), "marks, years and counts may be classes"
    assert not are_numbers([f"user {at}" for at in range(200)])
    assert not are_numbers([*PRICES[:101], *map(str.upper, "abcdefghijklmnopqrst")])
    assert summary({"1": 1, "3": 3, "n/a": 2}) == {"distinct": 3, "least": 1, "most": 3, "mean": 2.5, "deviation": 0.866025}
    assert summary({"n/a": 2}) == {"distinct": 1}


def test_a_card_sums_numbers_up_and_groups_are_divided_as_if_there_were_none(handmade, sentences):
    """Ten authors: train would have to have each price, so that each author was divided inside."""
    data = handmade()
    data.add(sentences(200), [{"label": PRICES[at], "group": f"author {at // 20}"} for at in range(200)])
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    ref = split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    card = json.loads((data.clean.parent / "card.json").read_text())
    train = card["splits"]["train"]
    assert (train["labels"], train["unlabelled"], train["values"]["distinct"]) == ({}, 0, train["rows"])
    assert card["unseen_labels"] == {"train": {}, "validation": {}, "test": {}}
    assert ref.labels == ()
    assert card["groups"]["inside"] == 0
    assert all(part["rows"] % 20 == 0 for part in card["splits"].values())
