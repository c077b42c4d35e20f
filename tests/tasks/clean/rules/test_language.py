"""The rule `language`."""

from __future__ import annotations

import pytest

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, Item, Rejected
from tasks.clean.rules import language

SENTENCES = {
    "en": "The harbour was quiet when the first boats came back in the morning.",
    "de": "Der Hafen war still, als die ersten Boote am Morgen zurückkamen.",
    "fr": "Le port était calme lorsque les premiers bateaux revinrent au matin.",
    "ru": "Гавань была тиха, когда утром вернулись первые лодки.",
    "ja": "朝になって最初の船が戻ってきたとき、港は静かだった。",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_wanted_languages_pass_and_others_do_not(code: str) -> None:
    item = Item(SENTENCES[code], "a", "text")
    assert language.apply(item, language.Settings(languages=(code,))) is item
    others = tuple(other for other in SENTENCES if other != code)
    assert language.apply(item, language.Settings(languages=others)).reason.startswith(f"is in {code} (")  # type: ignore[union-attr]


@pytest.mark.parametrize("content", ["ok", "merci", "12.5 13.7 14.9 15.1 16.3 17.5", "😀 😀 😀 😀 😀 😀 😀 😀 😀 😀 😀 😀"])
def test_what_cannot_be_told_passes(content: str) -> None:
    item = Item(content, "a", "text")
    assert language.apply(item, language.Settings(languages=("en",))) is item


def test_how_sure_it_has_to_be_can_be_set() -> None:
    item = Item("Hotel Restaurant Bar Café", "a", "text")
    assert language.apply(item, language.Settings(languages=("zh",), confidence=1)) is item
    assert isinstance(language.apply(item, language.Settings(languages=("zh",), confidence=0)), Rejected)


def test_a_language_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInput, match=r"'english' is no language that can be told; known: .*, en, "):
        CleanSettings(rules={"language": {"languages": ["english"]}})
