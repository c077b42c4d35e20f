from __future__ import annotations

import json

import numpy as np

from tasks.dataset.card import CardSettings, data_card, entropy, tally
from tasks.dataset.tables import write
from tasks.stage.references import DuplicatesRef


def card_of(data, ids, splits, **settings):
    nothing = DuplicatesRef(outputs=(), sha256="", dataset=data.name, exact=0, conflicts=0, groups=1, grouped=2)
    places = write(data.clean.parent / "splits.parquet", {"id": "string", "split": "string"}, {"id": ids, "split": splits})
    return data_card(data.ref, nothing, data.clean, places, len(ids), CardSettings(**settings))


def test_card_of_texts(handmade) -> None:
    data = handmade()
    marks = [
        {"label": "cat", "changed": ["offset"]},
        {"label": "cat", "changed": ["gaps", "offset"], "noticed": ["e-mail"]},
        {"label": "dog"},
        {},
    ]
    ids = data.add(["a cat sat", "a cat ran", "one dog", "two dogs"], marks, rejected=2)
    card = card_of(data, ids, ["train", "train", "test", "validation"], licence="CC0", source="a book")
    assert card["counts"] == {
        "raw": 6,
        "rejected": {"readable": 2},
        "changed": {"gaps": 1, "offset": 2},
        "noticed": {"e-mail": 1},
        "clean": 4,
        "exact_duplicates": 0,
        "label_conflicts": 0,
        "near_duplicate_groups": 1,
        "near_duplicates": 2,
        "bridges": 0,
        "kept": 4,
    }
    assert card["splits"]["train"] == {"rows": 2, "labels": {"cat": 2}, "unlabelled": 0}
    assert card["splits"]["validation"]["unlabelled"] == 1
    assert card["unseen_labels"] == {"train": {}, "validation": {}, "test": {"dog": 1}}
    assert card["format"] == {"length": 16}
    assert card["diversity"]["distinct_2"] == 0.75  # of four pairs of words, "a cat" comes twice
    assert [card["diversity"][f"distinct_{length}"] for length in (1, 3)] == [0.6667, 1.0]
    assert card["diversity"]["share_of_near_duplicates"] == 0.5  # two of the four that are no copies
    assert 1 < card["diversity"]["vendi_score"] < card["diversity"]["vendi_items"] == 2
    assert card["distributions"]["measures"]["words"]["quantiles"] == [3, 3, 3, 3, 3]
    assert (card["licence"], card["source"]) == ("CC0", "a book")
    json.dumps(card)


def test_card_of_pictures(handmade) -> None:
    data = handmade("image", "shapes")
    random = np.random.default_rng(0)
    sizes = [(8, 8, 1), (8, 12, 1), (16, 8, 3)]
    ids = data.add([random.integers(0, 255, size, dtype=np.uint8) for size in sizes])
    card = card_of(data, ids, ["train"] * 3)
    assert card["diversity"]["height"] == [8, 8.0, 16]
    assert card["diversity"]["width"] == [8, 8.0, 12]
    assert card["diversity"]["channels"] == {"1": 2, "3": 1}
    assert card["format"]["channels"] == 3


def test_entropy() -> None:
    assert entropy({"a": 1, "b": 1, "c": 1, "d": 1}) == 2.0
    assert entropy({"a": 7}) == 0.0
    assert entropy({}) == 0


def test_tally() -> None:
    assert tally(["b", "a", None, "b", ""]) == {"rows": 5, "labels": {"a": 1, "b": 2}, "unlabelled": 2}
