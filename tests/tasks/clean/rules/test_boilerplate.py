"""The rule `boilerplate`."""

from __future__ import annotations

import pytest

from tasks.clean.clean import CleanSettings, Item, Rejected
from tasks.clean.rules.boilerplate import Settings, apply


def cleaned(content: str, **settings: object) -> Item | Rejected:
    return apply(Item(content, "a.txt", "text"), Settings.model_validate(settings))


def test_lines_with_notices_are_taken_out_and_the_rest_stays() -> None:
    page = "Wool\nPlease enable JavaScript.\n\n  Sheep are shorn in spring.\nWe use  cookies to count you.\n"
    outcome = cleaned(page)
    assert isinstance(outcome, Item)
    assert outcome.content == "Wool\n\n  Sheep are shorn in spring."


@pytest.mark.parametrize("content", ["A text on wool.", "javascripts", "the terms\nof use end at the line", ""])
def test_a_text_without_them_stays_as_it_is(content: str) -> None:
    item = Item(content, "a.txt", "text")
    assert apply(item, Settings()) is item


def test_what_is_nothing_else_is_rejected() -> None:
    assert cleaned("Terms of Use\n Privacy policy \n") == Rejected("holds nothing but notices on scripts, cookies or terms")
    assert cleaned("Title\nLOREM Ipsum dolor") == Rejected("holds the filler 'lorem ipsum'")


def test_the_lists_can_be_ones_own() -> None:
    outcome = cleaned("Impressum\nText\nlorem ipsum\nuse cookies", phrases=["Impressum"], fillers=[])
    assert isinstance(outcome, Item)
    assert outcome.content == "Text\nlorem ipsum\nuse cookies"
    assert isinstance(cleaned("lorem ipsum", phrases=[], fillers=[]), Item)


def test_it_is_off_unless_it_is_named() -> None:
    assert "boilerplate" not in CleanSettings().chosen("text")
    assert "boilerplate" in CleanSettings(rules={"boilerplate": {}}).chosen("text")
