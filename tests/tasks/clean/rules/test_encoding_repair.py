"""The rule `encoding_repair`."""

from __future__ import annotations

import pytest

from tasks.clean.clean import CleanSettings, Item
from tasks.clean.rules import encoding_repair

SETTINGS = encoding_repair.Settings()
MEANT = "El niño bebió café, «così» – “naïve” œuvre, Ärger, 日本語, привет, ÂME, Ã la carte 😀 ﬁne ＡＢＣ &amp; e\u0301\r\n\t\f"


@pytest.mark.parametrize(
    "content", [MEANT, "plain ASCII &amp; <b>tags</b>\r\n", "", "\ufeffé", "한국어 텍스트, العربية, हिन्दी"]
)
def test_what_is_meant_that_way_stays(content: str) -> None:
    item = Item(content, "a", "text")
    assert encoding_repair.apply(item, SETTINGS) is item


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "cp1251", "mac_roman"])
def test_utf8_read_as_something_else_is_brought_back(encoding: str) -> None:
    meant = "Das Mädchen aß „vier“ Äpfel – très bien"
    repaired = encoding_repair.apply(Item(meant.encode().decode(encoding), "a", "text"), SETTINGS)
    assert isinstance(repaired, Item)
    assert repaired.content == meant


@pytest.mark.parametrize(
    ("damaged", "repaired"),
    [("\x1b[1mdone\x1b[0m", "done"), ("a\x07b", "ab"), ("it\x92s", "it’s"), ("cafÃƒÂ©", "café"), ("caf\ufffd", "caf\ufffd")],
)
def test_control_codes_go_and_what_is_lost_stays(damaged: str, repaired: str) -> None:
    outcome = encoding_repair.apply(Item(damaged, "a", "text"), SETTINGS)
    assert isinstance(outcome, Item)
    assert outcome.content == repaired


def test_it_comes_before_the_rule_that_rejects() -> None:
    rules = list(CleanSettings().chosen("text"))
    assert rules.index("encoding_repair") < rules.index("encoding_artefacts")
