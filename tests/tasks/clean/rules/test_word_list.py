"""The rule `word_list`."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, Item, Rejected, made_by
from tasks.clean.rules import word_list
from tasks.stage.references import RawRef

WORDS = ("darn", "Übel", "go away", "c++", "go")


@pytest.mark.parametrize(
    ("content", "masked"),
    [
        ("Darn, darned!", "[WORD], darned!"),
        ("ein übel, ÜBELES", "ein [WORD], ÜBELES"),
        ("go\n  away, go, going", "[WORD], [WORD], going"),
        ("C++ or c", "[WORD] or c"),
    ],
)
def test_whole_words_are_masked(content: str, masked: str) -> None:
    outcome = word_list.apply(Item(content, "a", "text"), word_list.Settings(words=WORDS, action="mask"))
    assert isinstance(outcome, Item)
    assert outcome.content == masked


@pytest.mark.parametrize("action", ["mask", "reject"])
def test_a_text_without_them_stays(action: str) -> None:
    item = Item("goes darned", "a", "text")
    assert word_list.apply(item, word_list.Settings(words=WORDS, action=action)) is item


def test_a_rejected_text_is_not_quoted() -> None:
    item = Item("darn it, darn", "a", "text")
    assert word_list.apply(item, word_list.Settings(words=WORDS, most=2)) is item
    assert word_list.apply(item, word_list.Settings(words=WORDS)) == Rejected(
        "holds 2 of the words in the list; at most 0 may be"
    )


def test_a_file_that_changes_has_the_data_cleaned_again(tmp_path: Path) -> None:
    path, raw = tmp_path / "list.txt", RawRef(outputs=(), sha256="", dataset="a", modality="text", rows=1)
    path.write_text("\ufeffdarn\n\n go away \n", encoding="utf-8")
    settings = CleanSettings(rules={"word_list": {"file": str(path), "words": ["x"]}})
    (_, options) = settings.chosen("text")["word_list"]
    assert options == word_list.Settings(words=("x", "darn", "go away"))
    before = made_by(raw, settings)
    assert made_by(raw, settings) == before
    path.write_text("other")
    assert made_by(raw, settings) != before


@pytest.mark.parametrize("payload", [None, b"\n \n", b"caf\xe9"])
def test_a_file_that_is_no_list_is_named(tmp_path: Path, payload: bytes | None) -> None:
    path = tmp_path / "list.txt"
    if payload is not None:
        path.write_bytes(payload)
    with pytest.raises(BadInput, match=r"list\.txt"):
        CleanSettings(rules={"word_list": {"file": str(path)}})


@pytest.mark.parametrize("values", [{}, {"words": []}, {"words": [" "]}, {"words": ["a"], "action": "count"}])
def test_settings_that_do_not_fit_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=r"words|action"):
        CleanSettings(rules={"word_list": values})
