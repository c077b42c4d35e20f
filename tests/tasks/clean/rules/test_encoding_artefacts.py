"""The rule `encoding_artefacts`."""

from __future__ import annotations

import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import encoding_artefacts

GOOD = "El niño bebió café, «così» – “naïve” œuvre, Ärger, 日本語, привет, ÂME, Ã la carte 😀\t\n\f"


def test_text_in_many_languages_passes() -> None:
    item = Item(GOOD, "a", "text")
    assert encoding_artefacts.apply(item, encoding_artefacts.Settings()) is item


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf8_read_as_something_else_is_rejected(encoding: str) -> None:
    damaged = "El niño bebió café – así".encode().decode(encoding, "replace")
    assert isinstance(encoding_artefacts.apply(Item(damaged, "a", "text"), encoding_artefacts.Settings()), Rejected)


@pytest.mark.parametrize("damaged", ["caf\ufffd au lait", "\x1b[0m done", "a\x07"])
def test_replacement_and_control_characters_are_rejected(damaged: str) -> None:
    assert isinstance(encoding_artefacts.apply(Item(damaged, "a", "text"), encoding_artefacts.Settings()), Rejected)


def test_a_little_damage_can_be_let_pass() -> None:
    item = Item("caf\ufffd au lait", "a", "text")
    assert encoding_artefacts.apply(item, encoding_artefacts.Settings(share=0.2)) is item
