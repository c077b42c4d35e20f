"""The rule `wanted_script`."""

from __future__ import annotations

import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import wanted_script


def settings(*scripts: str, share: float = 0.8) -> wanted_script.Settings:
    return wanted_script.Settings(scripts=scripts, share=share)


@pytest.mark.parametrize(
    ("content", "scripts", "passes"),
    [
        ("Größe 12, naïve (œuvre)! 😀", ("Latin",), True),
        ("Всё хорошо, OK?", ("Cyrillic",), True),
        ("Всё хорошо", ("Latin",), False),
        ("日本語のテキスト", ("Han",), False),
        ("日本語のテキスト", ("Han", "Hiragana", "Katakana"), True),
        ("ｆｕｌｌ ｗｉｄｔｈ", ("latin",), True),
        ("12:30, 45 € — 😀", ("Latin",), True),
        ("", ("Latin",), True),
    ],
)
def test_letters_are_counted_by_script(content: str, scripts: tuple[str, ...], passes: bool) -> None:
    item = Item(content, "a", "text")
    outcome = wanted_script.apply(item, settings(*scripts))
    assert outcome is item if passes else isinstance(outcome, Rejected)


def test_the_share_can_be_set() -> None:
    item = Item("abcd где", "a", "text")
    assert wanted_script.apply(item, settings("Latin", share=0.5)) is item
    assert wanted_script.apply(item, settings("Latin")) == Rejected("57% of its letters are Latin; at least 80% are asked for")


@pytest.mark.parametrize("name", ["Klingon", "Latin}", "", "L"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no script of Unicode"):
        settings(name)


def test_a_script_has_to_be_named() -> None:
    with pytest.raises(ValueError, match="scripts"):
        wanted_script.Settings.model_validate({})
