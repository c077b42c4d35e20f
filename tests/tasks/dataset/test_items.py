import json

import pytest

from aigc_models.errors import BadInput
from tasks.dataset.items import ItemsSettings, items
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import SplitSettings, split
from tasks.stage.settings import Workspace


@pytest.fixture
def letters(handmade, sentences):
    """A workspace with 60 texts in two labels, a copy, and two that were rejected."""
    data = handmade("text")
    texts = sentences(60)
    data.add([*texts, texts[0]], [{"source": f"letters/{at}", "label": "ab"[at % 2]} for at in range(61)], rejected=2)
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    split.plain(data.ref, duplicates, SplitSettings(), data.context("split"))
    return data, texts


def table_of(letters, **wanted):
    return items(letters[0].workspace, letters[0].name, ItemsSettings(**wanted))


def test_all_items_with_where_they_stand_or_why_not(letters):
    table = table_of(letters)
    assert len(table) == 63
    assert table["id"].is_unique
    kept = table[table["split"] != "quarantine"]
    card = json.loads((letters[0].workspace.data / letters[0].name / "card.json").read_text())
    assert kept["split"].value_counts().to_dict() == {name: part["rows"] for name, part in card["splits"].items()}
    assert list(table["rule"].dropna()) == ["readable", "readable", "exact"]
    assert kept["rule"].isna().all()


def test_what_is_asked_for_is_found(letters):
    assert set(table_of(letters, label="a")["label"]) == {"a"}
    assert list(table_of(letters, rule="exact")["source"]) == ["letters/60"]
    assert list(table_of(letters, source="letters/7")["source"]) == ["letters/7"]
    assert "letters/3" in set(table_of(letters, contains=letters[1][3].upper())["source"])
    assert len(table_of(letters, contains="no text says this")) == 0


def test_what_there_is_not_is_named(letters):
    with pytest.raises(BadInput, match=r"unknown split of .*; did you mean 'test'"):
        table_of(letters, split="tets")
    with pytest.raises(BadInput, match="unknown data set"):
        items(Workspace(letters[0].workspace.root), "nothing", ItemsSettings())
