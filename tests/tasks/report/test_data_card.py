from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from tasks.report import data_card
from tasks.report.data_card import LONGEST, DataCard, gathered


@pytest.fixture(scope="module")
def letters_card(letters: Path) -> DataCard:
    return gathered(letters, "4f1c9a52be77")


def test_examples_are_train_items_with_their_label_and_a_preview(letters_card: DataCard) -> None:
    assert len(letters_card.examples) == 12
    assert {one.id for one in letters_card.examples} == set(letters_card.card["examples"]["train"])
    assert all(one.label in ("calm", "<script>alert(1)</script>") and one.html for one in letters_card.examples)
    assert all(one.source.startswith("a <img src=x onerror=alert(1)>.csv#") for one in letters_card.examples)


def test_what_was_thrown_away_is_shown_from_wherever_it_still_stands(letters_card: DataCard) -> None:
    groups = {group.rule: group for group in letters_card.thrown}
    assert {rule: group.count for rule, group in groups.items() if rule != "bridge"} == {
        "exact": 1, "conflict": 1, "too_short": 1, "personal_data": 1,
    }  # fmt: skip
    (short,), (conflict,) = groups["too_short"].examples, groups["conflict"].examples
    assert ">x<" in short.html  # only the raw table has it
    assert conflict.label == "loud"
    assert conflict.reason.startswith("same content as a <img")


def test_nobody_is_shown_what_was_private(letters_card: DataCard) -> None:
    (letter,) = next(group for group in letters_card.thrown if group.rule == "personal_data").examples
    assert letter.html == ""
    assert "ann@example.org" not in letters_card.model_dump_json()


def test_near_duplicates_stand_together(letters_card: DataCard) -> None:
    largest = letters_card.clusters[0]
    assert (largest.size, len(largest.items)) == (3, 3)
    assert len({one.source for one in largest.items}) == 3


def test_long_texts_are_cut(letters_card: DataCard) -> None:
    long = letters_card.clusters[0].items[0].html
    assert long.endswith(" …</pre>")
    assert len(long) < LONGEST + 100


def test_previews_end_where_the_page_would_grow_too_large(letters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_card, "ROOM", 300)
    letters_card = gathered(letters, "4f1c9a52be77")
    assert 1 <= sum(bool(one.html) for one in letters_card.examples) < 5
    assert all(one.source for one in letters_card.examples)


def test_a_card_of_earlier_days_has_its_examples_drawn(letters: Path, tmp_path: Path, letters_card: DataCard) -> None:
    folder = Path(copytree(letters, tmp_path / "letters"))
    text = (folder / "card.json").read_text().replace('"examples"', '"before"').replace('"clusters"', '"then"')
    (folder / "card.json").write_text(text)
    old = gathered(folder, "4f1c9a52be77")
    assert (old.examples, old.clusters) == (letters_card.examples, ())
