from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.report.data_card import DataCard, gathered
from tasks.report.data_page import render, write

DRIFT: dict[str, Any] = {
    "before": "aaaaaaaaaaaa", "after": "4f1c9a52be77", "score": 0.62, "threshold": 0.25, "drifted": True,
    "features": [{"name": "<b>words", "test": "Kolmogorov-Smirnov", "statistic": 0.31, "p": 0.001, "p_adjusted": 0.004,
                  "psi": 0.4}],
    "classifier": {"auc": 0.81, "low": 0.77, "high": 0.85, "encoder": "plain"},
}  # fmt: skip


@pytest.fixture(scope="module")
def letters_card(letters: Path) -> DataCard:
    return gathered(letters, "4f1c9a52be77", DRIFT)


@pytest.fixture(scope="module")
def html(letters_card: DataCard) -> str:
    return render(letters_card, "data.json")


@pytest.fixture(scope="module")
def page(html: str, read_page: Callable[[str], Any]) -> Any:
    return read_page(html)


def test_the_page_is_whole_and_needs_nothing_else(html: str, page: Any) -> None:
    assert page.open == []
    assert not re.search(r"url\(|@import", html)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all(str(attributes["src"]).startswith("data:") for _, attributes in page.tags if "src" in attributes)


def test_nothing_of_the_data_is_run(html: str, page: Any) -> None:
    assert "<script" not in html
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text.count("<script>alert(1)</script>") > 5  # in labels, a text, the licence and the source
    assert "a <img src=x onerror=alert(1)>.csv#" in page.text


@pytest.mark.parametrize(
    "sentence",
    [
        "version 4f1c9a52be77",
        "Licence mine <script>",
        "personal data−1",
        "copies with another label−1",
        "Effective number of items",
        "Vendi score",
        "3 items",
        "Texts, sounds, tunes and histories too short to learn from.",
        "one of the two labels is wrong",
        "Score 0.620 against a threshold of 0.250",
        "AUC of 0.810 (0.770 to 0.850)",
        "<b>words",
        "all from",
    ],
)
def test_the_page_says(page: Any, sentence: str) -> None:
    assert sentence in " ".join(page.text.split())


def test_drawings_have_words(page: Any) -> None:
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(drawings) > 3
    assert all("median" in str(drawing["aria-label"]) for drawing in drawings)


def test_why_there_is_no_drift_is_told(letters_card: DataCard) -> None:
    without = letters_card.model_copy(update={"drift": None})
    assert "Drift against" not in render(without)
    assert "version 1 was forgotten" in render(without.model_copy(update={"note": "version 1 was forgotten"}))


def test_a_card_with_the_fewest_figures_has_a_page(letters_card: DataCard, read_page: Callable[[str], Any]) -> None:
    kept = ("name", "modality", "licence", "source", "counts", "splits", "diversity", "format")
    bare = {key: letters_card.card[key] for key in kept} | {"diversity": {}}
    html = render(DataCard(name="a", modality="text", version="", card=bare))
    assert read_page(html).open == []
    assert "every item that came in was kept" in html


def test_machines_get_the_card_and_names_but_no_contents(letters_card: DataCard, tmp_path: Path) -> None:
    data = write(letters_card, tmp_path / "outputs" / "data.html")
    document = json.loads(data.read_text(encoding="utf-8"))
    assert sorted(path.name for path in data.parent.iterdir()) == ["data.html", "data.json"]
    assert document["counts"] == letters_card.card["counts"]
    assert (document["version"], document["drift"]) == ("4f1c9a52be77", DRIFT)
    assert document["examples"][0]["source"] == letters_card.examples[0].source
    assert "html" not in data.read_text()
    assert 'href="data.json"' in data.with_suffix(".html").read_text()
