from __future__ import annotations

from tasks.ingest.readers.purposes import content, label

TEXTS = [f"a text of several words that number {at} has" for at in range(30)]
TITLES = [f"title {at}" for at in range(30)]
KINDS = ["ham", "spam", "ham"] * 10


def test_the_content_is_much_longer_than_all_else_and_free() -> None:
    assert content({"kind": KINDS, "text": TEXTS, "title": TITLES}) == "text"
    assert content({"source": TEXTS, "target": TEXTS[::-1]}) is None
    assert content({"kind": KINDS, "title": TITLES}) is None  # two words
    assert content({"kind": KINDS, "always": ["the same long text in every row"] * 30}) is None
    assert content({"text": TEXTS[:4], "kind": KINDS[:4]}) is None


def test_the_label_is_the_only_column_of_few_values() -> None:
    assert label({"kind": KINDS, "title": TITLES}) == "kind"
    assert label({"kind": KINDS, "mood": KINDS}) is None
    assert label({"kind": KINDS, "part": ["train", "test", "train"] * 10}) == "kind"
    assert label({"kind": KINDS[:4]}) is None
    assert label({"kind": ["ham"] * 30}) is None
