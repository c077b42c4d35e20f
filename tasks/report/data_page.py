"""The data card as a page: one file that opens from disk, without network, script or any other file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.report import card, data_words, histograms
from tasks.report.build import replace
from tasks.report.data_card import DataCard
from tasks.report.page import templates


def render(data_card: DataCard, data: str = "") -> str:
    """The whole page; `data` is the name of the JSON file beside it. What comes from users is escaped."""
    environment = templates(cards=card, histograms=histograms, data_words=data_words)
    return environment.get_template("data.html").render(data_card=data_card, card=data_card.card, data=data)


def write(data_card: DataCard, page: Path) -> Path:
    """Write `page` and beside it, as .json, the same for machines: no previews, so no contents. Gives the JSON's path."""
    data = page.with_suffix(".json")
    page.parent.mkdir(parents=True, exist_ok=True)
    replace(data, json.dumps(plain(data_card), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    replace(page, render(data_card, data.name))
    return data


def plain(data_card: DataCard) -> dict[str, Any]:
    """The card with its version, and where the items that it names come from."""
    items: dict[str, Any] = {"__all__": {"html"}}
    hidden: dict[str, Any] = {
        "card": True,
        "examples": items,
        "thrown": {"__all__": {"examples": items}},
        "clusters": {"__all__": {"items": items}},
    }
    return {**data_card.card, **data_card.model_dump(mode="json", exclude=hidden)}
